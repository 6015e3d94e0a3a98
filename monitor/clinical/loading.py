"""From files to standardised domains: receive, open, read, map, standardise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monitor.clinical.archives import Assign, Dataset, datasets, domain_of
from monitor.clinical.databases import is_database, receive_queries
from monitor.clinical.mapping import Mapped, Raw, claims, shape
from monitor.clinical.quarantine import Issue
from monitor.clinical.readers import read, written_as
from monitor.clinical.sources import Ignored, RawFile, problems_error, receive
from monitor.clinical.sql import Connection
from monitor.clinical.standardise import Standard, missing_columns, standardise, unreadable_dates
from monitor.config import LimitSettings, StudySettings
from monitor.errors import Problem, SourceError


@dataclass(frozen=True)
class Received:
    """What a source held: its files, the tables in them, and what is not read."""

    files: tuple[RawFile, ...]
    datasets: tuple[Dataset, ...]
    ignored: tuple[Ignored, ...]


@dataclass(frozen=True)
class Loaded:
    """Every domain, standardised, in the order of their names; and what the mapping left out."""

    standards: tuple[Standard, ...]
    datasets: dict[str, tuple[Dataset, ...]]  # by domain
    ignored: tuple[Ignored, ...]
    issues: tuple[Issue, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def receive_study(study: StudySettings, base: Path, folder: Path, limits: LimitSettings) -> Received:
    """Copy a study's files into `folder`, open archives; nothing is read yet."""
    files, folders = _files(study, base, folder / "files")
    found, ignored = datasets(files, folder / "members", limits, assigned(study))
    if not found:
        raise SourceError(f"{study.source}: none of its {len(files)} files is a domain that rules can read")
    return Received(files, found, (*folders, *ignored))


def _files(study: StudySettings, base: Path, folder: Path) -> tuple[tuple[RawFile, ...], tuple[Ignored, ...]]:
    if is_database(study.source):
        return receive_queries(study, base, folder), ()
    return receive(study.source, base, folder)


def assigned(study: StudySettings) -> Assign:
    """Where a table of the study belongs, by its name: to a map of the study, or as SDTM names datasets."""

    def assign(name: str) -> str | None:
        return "" if claims(study, name) else domain_of(name)

    return assign


def load_tables(
    connection: Connection, study: StudySettings, received: Received, limits: LimitSettings
) -> Loaded:
    """Read, map and standardise every domain; all problems at once."""
    mapped = read_tables(connection, study, received.datasets, limits)
    problems = list(mapped.problems)
    tables: dict[str, list[str]] = {}
    computed: set[str] = set()
    made_of: dict[str, list[Dataset]] = {}
    for shaped in mapped.tables:
        problems += missing_columns(connection, shaped.domain, shaped.table, shaped.dataset.name)
        if not claims(study, shaped.dataset.name):  # a map has said the form, and lists what hasn't it
            problems += unreadable_dates(connection, shaped.domain, shaped.table, shaped.dataset.name)
        if shaped.also or claims(study, shaped.dataset.name):
            computed.add(shaped.domain)
        tables.setdefault(shaped.domain, []).append(shaped.table)
        made_of.setdefault(shaped.domain, []).extend((shaped.dataset, *shaped.also))
    if problems:
        raise problems_error(problems)
    standards = tuple(
        standardise(connection, domain, tables[domain], made=domain in computed) for domain in sorted(tables)
    )
    made = {name: tuple(dict.fromkeys(made_of[name])) for name in made_of}
    return Loaded(standards, made, mapped.ignored, mapped.issues, mapped.facts)


def read_tables(
    connection: Connection, study: StudySettings, found: Sequence[Dataset], limits: LimitSettings
) -> Mapped:
    """Read every dataset into a table of text, and shape it as the study's mapping says."""
    problems: list[Problem] = []
    issues: list[Issue] = []
    raws = []
    for number, dataset in enumerate(found):
        table = f"raw_{number}"
        wrong = read(connection, dataset, table, limits, written_as(study, dataset.file), issues)
        problems += wrong
        if not wrong:
            raws.append(Raw(dataset, table))
    mapped = shape(connection, study, raws)
    told = (*issues, *mapped.issues)
    return replace(mapped, problems=(*problems, *mapped.problems), issues=told)
