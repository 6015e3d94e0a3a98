"""Tables as received into tables shaped as SDTM, as a study's configuration says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clinical.archives import SUPP, Dataset
from monitor.clinical.sources import Ignored
from monitor.clinical.sql import Connection
from monitor.config import StudySettings
from monitor.errors import Problem


@dataclass(frozen=True)
class Raw:
    """A dataset as read: `table` holds its columns as text, in capitals, and "#FILE" and "#ROW"."""

    dataset: Dataset
    table: str


@dataclass(frozen=True)
class Shaped:
    """A table of one domain with SDTM's columns, "#FILE" and "#ROW"; `dataset` is what it was made from."""

    domain: str
    table: str
    dataset: Dataset


@dataclass(frozen=True)
class Mapped:
    """What became of the raw tables; with problems nothing is used."""

    tables: tuple[Shaped, ...]
    ignored: tuple[Ignored, ...] = ()
    problems: tuple[Problem, ...] = ()


def claims(study: StudySettings, name: str) -> bool:  # noqa: ARG001 (no mapping yet)
    """Whether a mapping of the study reads a table of this name, whatever domain its name says."""
    return False


def shape(
    connection: Connection,  # noqa: ARG001 (no mapping yet)
    study: StudySettings,  # noqa: ARG001
    raws: Sequence[Raw],
) -> Mapped:
    """Every raw table as tables of domains; called once, with all tables of a source."""
    tables = tuple(
        Shaped(raw.dataset.domain, raw.table, raw.dataset) for raw in raws if _is_domain(raw.dataset)
    )
    ignored = tuple(
        Ignored(raw.dataset.name, "supplemental qualifiers are not read yet")
        for raw in raws
        if not _is_domain(raw.dataset)
    )
    return Mapped(tables, ignored)


def _is_domain(dataset: Dataset) -> bool:
    return bool(dataset.domain) and not dataset.domain.startswith(SUPP)
