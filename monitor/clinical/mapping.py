"""Tables as received into tables shaped as SDTM, as a study's configuration says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.clinical import supplements
from monitor.clinical.archives import SUPP, Dataset, named
from monitor.clinical.door import is_personal, personal
from monitor.clinical.mapcheck import address, wrong_columns, wrong_maps
from monitor.clinical.mapsql import plan, select
from monitor.clinical.mapwatch import counts, unknown_words, wrong_dates
from monitor.clinical.quarantine import Issue
from monitor.clinical.sources import Ignored
from monitor.clinical.sql import Connection, columns, query, quoted
from monitor.clinical.subjects import Code, refused
from monitor.config import StudySettings
from monitor.config.maps import MapSettings
from monitor.errors import Problem

WORKBOOKS = (".xlsx", ".xlsm")
CODES = ("USUBJID", "SUBJID")


@dataclass(frozen=True)
class Raw:
    """A dataset as read: `table` holds its columns as text, in capitals, and "#FILE" and "#ROW"."""

    dataset: Dataset
    table: str


@dataclass(frozen=True)
class Shaped:
    """A table of one domain with SDTM's columns, "#FILE" and "#ROW"; `dataset` is what it was made from.

    `also` are the datasets whose qualifiers it carries.
    """

    domain: str
    table: str
    dataset: Dataset
    also: tuple[Dataset, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """What became of the raw tables; with problems nothing is used.

    `facts` go into the manifest: maps (rows taken of each table), unused (columns that no map
    uses), dropped (columns left at the door), supplements (lines joined, and without a record).
    """

    tables: tuple[Shaped, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    problems: tuple[Problem, ...] = ()
    issues: tuple[Issue, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def reading(study: StudySettings) -> str:
    """A hash of the settings that decide what is read from the same bytes."""
    names = {"map", "drop", "keep", "subject_pattern", "read"}
    said = study.model_dump(mode="json", include=names)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def claims(study: StudySettings, name: str) -> bool:
    """Whether a map of the study reads a table of this name, whatever domain its name says."""
    file, _, sheet = name.rpartition("/")
    book = file.lower().endswith(WORKBOOKS)
    return any(
        named(name, given.file) or (book and named(file, given.file) and named(sheet, given.sheet))
        for maps in study.map.values()
        for given in maps
    )


def shape(connection: Connection, study: StudySettings, raws: Sequence[Raw]) -> Mapped:
    """Every raw table as tables of domains; called once, with all tables of a source.

    At the door columns that tell who a person is are left out; then maps are applied, tables that
    are SDTM already pass, and supplemental qualifiers join their records.
    """
    problems = list(wrong_maps(study))
    inside, dropped = _door(connection, study, raws)
    if problems:
        return Mapped(problems=(*problems, *_wrong_sources(connection, study, inside, dropped)))
    parts = [_by_maps(connection, study, raw, dropped) for raw in inside]
    plain = [raw for raw, part in zip(inside, parts, strict=True) if part is None]
    taken = [part for part in parts if part is not None]
    natives = tuple(
        Shaped(raw.dataset.domain, raw.table, raw.dataset) for raw in plain if _is_domain(raw.dataset)
    )
    tables = (*natives, *(each for part in taken for each in part.tables))
    joined = _supplemented(connection, study, tables, [raw for raw in plain if not _is_domain(raw.dataset)])
    problems = [each for part in (*taken, joined) for each in part.problems]
    problems += _people(connection, study, joined.tables)
    facts = {
        "maps": [each for part in taken for each in part.facts["maps"]],
        "unused": {file: names for part in taken for file, names in part.facts["unused"].items()},
        "dropped": dropped,
        "supplements": joined.facts.get("supplements", []),
    }
    issues = [*_unmet(study, raws), *(each for part in (*taken, joined) for each in part.issues)]
    return Mapped(joined.tables, joined.ignored, tuple(problems), tuple(issues), facts)


def _is_domain(dataset: Dataset) -> bool:
    return bool(dataset.domain) and not dataset.domain.startswith(SUPP)


# ---------------------------------------------------------------- the door


def _door(
    connection: Connection, study: StudySettings, raws: Sequence[Raw]
) -> tuple[list[Raw], list[dict[str, Any]]]:
    """The tables without the columns that tell who a person is, and what these were."""
    inside: list[Raw] = []
    dropped: list[dict[str, Any]] = []
    for raw in raws:
        table = raw.table
        there = [name for name in columns(connection, quoted(raw.table)) if not name.startswith("#")]
        outside = personal(study, there)
        if outside:
            table = f"inside_{raw.table}"
            filled = ", ".join(f"count({quoted(name)})" for name in outside)
            cells = query(connection, f"SELECT {filled} FROM {quoted(raw.table)}")[0]
            dropped += [
                {"file": raw.dataset.name, "column": name, "cells": count}
                for name, count in zip(outside, cells, strict=True)
            ]
            without = ", ".join(map(quoted, outside))
            query(
                connection,
                f"CREATE TEMP VIEW {quoted(table)} AS SELECT * EXCLUDE ({without}) FROM {quoted(raw.table)}",
            )
        inside.append(replace(raw, table=table))
    return inside, dropped


# ---------------------------------------------------------------- maps


def _matching(study: StudySettings, dataset: Dataset) -> Iterator[tuple[str, int, MapSettings]]:
    """The maps that read a dataset: domain, place among the domain's maps, map."""
    for domain, maps in study.map.items():
        for number, given in enumerate(maps):
            if named(dataset.file, given.file) and named(dataset.sheet, given.sheet):
                yield domain, number, given


def _by_maps(
    connection: Connection, study: StudySettings, raw: Raw, dropped: Iterable[Mapping[str, Any]]
) -> Mapped | None:
    """What the maps make of a table; None when no map reads it."""
    matching = list(_matching(study, raw.dataset))
    if not matching:
        return None
    there = [name for name in columns(connection, quoted(raw.table)) if not name.startswith("#")]
    outside = {each["column"] for each in dropped if each["file"] == raw.dataset.name}
    problems: list[Problem] = []
    issues: list[Issue] = []
    tables, facts = [], []
    used: set[str] = set()
    for domain, number, given in matching:
        where = address(study, domain, number)
        wrong = list(wrong_columns(given, where, raw.dataset.name, there, outside))
        made = plan(domain, given, there)
        used |= made.used
        wrong = wrong or list(wrong_dates(connection, made, given, raw.table, where, raw.dataset.name))
        problems += wrong
        if wrong:
            continue
        table = f"{raw.table}_{domain}_{number}"
        query(connection, f"CREATE TEMP VIEW {quoted(table)} AS {select(made, given, raw.table)}")
        tables.append(Shaped(domain, table, raw.dataset))
        issues += unknown_words(connection, made, given, raw.table, raw.dataset.name)
        facts.append({"map": where, "file": raw.dataset.name, **counts(connection, made, raw.table)})
    unused = [name for name in there if name not in used]
    told = {"maps": facts, "unused": {raw.dataset.name: unused} if unused else {}}
    return Mapped(tuple(tables), (), tuple(problems), tuple(issues), told)


def _wrong_sources(
    connection: Connection, study: StudySettings, raws: Iterable[Raw], dropped: Iterable[Mapping[str, Any]]
) -> Iterator[Problem]:
    """What is wrong with the columns that maps name, told together with what is wrong with the maps."""
    for raw in raws:
        there = [name for name in columns(connection, quoted(raw.table)) if not name.startswith("#")]
        outside = {each["column"] for each in dropped if each["file"] == raw.dataset.name}
        for domain, number, given in _matching(study, raw.dataset):
            where = address(study, domain, number)
            yield from wrong_columns(given, where, raw.dataset.name, there, outside)


def _unmet(study: StudySettings, raws: Sequence[Raw]) -> Iterator[Issue]:
    """Maps for which no table came."""
    met = {(domain, number) for raw in raws for domain, number, _ in _matching(study, raw.dataset)}
    for domain, maps in study.map.items():
        for number, given in enumerate(maps):
            if (domain, number) not in met:
                said = f"no table came for {address(study, domain, number)}"
                yield Issue(given.file, "", "", said, 0, 0)


# ---------------------------------------------------------------- supplemental qualifiers


def _supplemented(
    connection: Connection, study: StudySettings, tables: Sequence[Shaped], others: Sequence[Raw]
) -> Mapped:
    """The tables with their supplemental qualifiers; what has no parent is listed."""
    found, ignored = list(tables), []
    issues: list[Issue] = []
    problems: list[Problem] = []
    facts: list[dict[str, Any]] = []
    for domain in sorted({raw.dataset.domain for raw in others}):
        lines = [raw for raw in others if raw.dataset.domain == domain]
        parent = domain.removeprefix(SUPP)
        places = [place for place, shaped in enumerate(found) if shaped.domain == parent]
        wrong = [
            each for raw in lines for each in supplements.missing(connection, raw.table, raw.dataset.name)
        ]
        problems += wrong if domain else []
        if not domain or not places:
            reason = f"no table of {parent} came for its qualifiers" if domain else "no map reads it"
            ignored += [Ignored(raw.dataset.name, reason) for raw in lines]
        if not domain or not places or wrong:
            continue
        joined = supplements.join(
            connection,
            parent,
            [found[place].table for place in places],
            [raw.table for raw in lines],
            lambda name: is_personal(study, name),
        )
        for place, table in zip(places, joined.tables, strict=True):
            found[place] = replace(found[place], table=table, also=tuple(raw.dataset for raw in lines))
        issues += joined.issues
        facts += joined.facts
    return Mapped(tuple(found), tuple(ignored), tuple(problems), tuple(issues), {"supplements": facts})


# ---------------------------------------------------------------- subject codes


def _people(connection: Connection, study: StudySettings, tables: Sequence[Shaped]) -> Iterator[Problem]:
    """Subject codes that look like names or numbers of persons."""
    for column in CODES:
        codes = []
        for shaped in tables:
            if column in columns(connection, quoted(shaped.table)):
                rows = query(
                    connection,
                    f'SELECT {column}, "#FILE", min("#ROW") FROM {quoted(shaped.table)}'
                    f" WHERE {column} IS NOT NULL GROUP BY 1, 2 ORDER BY 2, 3",
                )
                codes += [Code(str(value), file, int(row)) for value, file, row in rows]
        yield from refused(codes, column, study.subject_pattern)
