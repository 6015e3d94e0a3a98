"""Derived tables: made from a snapshot, the settings and this program; the same inputs, the same id."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import monitor
from monitor.clinical.domains import (
    DOMAINS,
    GRADES,
    HOURS_TO_SPONSOR,
    RECEIVED_ON,
    RecordClass,
    columns_of,
    dates_of,
)
from monitor.clinical.sql import (
    Connection,
    connect,
    query,
    quoted,
    text,
    write_parquet,
)
from monitor.clinical.sql import (
    columns as sql_columns,
)
from monitor.config import StudySettings
from monitor.derive import baseline, daily, doses, events, relations
from monitor.derive.byhand import cleaned, example_table
from monitor.derive.invalid import called_invalid, mark_invalid
from monitor.derive.prepare import prepare
from monitor.derive.stage import CARRIED, Input, physical, stage
from monitor.errors import EngineError
from monitor.files import publish
from monitor.records import Kind
from monitor.rules.invalid import Invalid

DERIVATION = "8"  # counted up when the meaning of a derived table changes
COLUMNS, INVALID, NEWEST = "columns.json", "invalid.json", "newest.json"
Rows = Mapping[str, Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class Derived:
    """A study's derived tables, by domain, and for each the columns received or derived.

    `invalid` counts the results of a domain that are no values, by reason; `newest` is the newest
    day of a record (days since 1970-01-01) of each domain that has one.
    """

    id: str
    tables: Mapping[str, Path]
    columns: Mapping[str, frozenset[str]]
    invalid: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    newest: Mapping[str, int] = field(default_factory=dict)


def derive(
    tables: Mapping[str, Path],
    columns: Mapping[str, Collection[str]],
    study: StudySettings,
    folder: Path,
    invalid: tuple[Invalid, ...] = (),
    ends: Mapping[str, int] | None = None,
) -> Derived:
    """The derived tables of a snapshot, in `folder`/<id>; made only when they are not there yet.

    `tables` are the snapshot's Parquet files, `columns` what was received, `invalid` which results
    are no values, `ends` to which day the doses' data reach, by site ("": any other): as long is a
    drug taken of which no end is known. The folder appears whole or not at all.
    """
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(tables.items())}
    received = {name: frozenset(columns[name]) for name in tables}
    # Only a drug that is taken continuously depends on how far the data reach.
    reach = dict(ends or {}) if any(drug.kind == "continuous" for drug in study.drugs.values()) else {}
    name = _id({**hashes, **{f"end {site}": str(day) for site, day in reach.items()}}, study, invalid)
    if not (folder / name / COLUMNS).exists():
        with connect() as connection:
            for domain, path in tables.items():
                rows = f"SELECT *{_received_on(domain)} FROM read_parquet({text(str(path))})"
                query(connection, f"CREATE TEMP VIEW {quoted('in_' + domain)} AS {rows}")
            carried = {
                domain: names | set(CARRIED) | ({RECEIVED_ON} & DOMAINS[domain].columns.keys())
                for domain, names in received.items()
            }
            _publish(connection, Input(connection, study, carried, invalid, reach), folder, name)
    return _open(folder / name)


def _received_on(domain: str) -> str:
    """SQL of the day on which an event was first received as it is now."""
    if RECEIVED_ON not in DOMAINS[domain].columns:
        return ""
    return f", strftime(epoch_ms(RECEIVED * 1000), '%Y-%m-%d') AS {RECEIVED_ON}"


def derive_rows(
    rows: Rows,
    study: StudySettings,
    folder: Path,
    invalid: tuple[Invalid, ...] = (),
    ends: Mapping[str, int] | None = None,
) -> Derived:
    """The same, of rows written by hand (the worked examples of rules).

    A date column such as LBDT or EXDT is its --DTC column. A derived domain may be given
    directly; what it lacks is missing.
    """
    for domain in set(rows) - set(DOMAINS):
        raise EngineError(f"{domain} is not a domain; the domains are {', '.join(DOMAINS)}")
    given = {domain: [cleaned(domain, row) for row in listed] for domain, listed in rows.items()}
    name = _id(
        {"ends": repr(ends), "rows": hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()},
        study,
        invalid,
    )
    if not (folder / name / COLUMNS).exists():
        with connect() as connection:
            columns = {domain: example_table(connection, domain, listed) for domain, listed in given.items()}
            _publish(connection, Input(connection, study, columns, invalid, ends or {}), folder, name)
    return _open(folder / name)


def _id(hashes: Mapping[str, str], study: StudySettings, invalid: Sequence[Invalid]) -> str:
    """The hash of all that derived tables depend on."""
    parts = {
        "inputs": dict(hashes),
        "program": [monitor.__version__, DERIVATION],
        "unknown": sorted(study.terms.get("unknown", ())),
        "drugs": {name: drug.model_dump() for name, drug in study.drugs.items()},
        "baseline": {name: each.model_dump() for name, each in study.baseline.items()},
        "weight": study.weight,
        "invalid": [each.text for each in invalid],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _publish(connection: Connection, given: Input, folder: Path, name: str) -> None:
    """Derive into a folder of another name, and give it its own when it is finished."""
    work = folder / f".{name[:16]}.{os.getpid()}.part"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        made = _derive(given)
        for domain, table in made.items():
            write_parquet(connection, _whole(connection, domain, table), work / f"{domain}.parquet")
        columns = {domain: sorted(_known(given, domain)) for domain in made}
        related = relations.add_relations(given, made)
        write_parquet(connection, f"SELECT * FROM {related}", work / f"{relations.RELATION}.parquet")
        columns[relations.RELATION] = list(relations.COLUMNS)
        counted = {domain: called_invalid(given, domain) for domain in given.columns}
        (work / INVALID).write_text(json.dumps(counted), encoding="utf-8")
        (work / NEWEST).write_text(json.dumps(_newest(connection, made)), encoding="utf-8")
        (work / COLUMNS).write_text(json.dumps(columns), encoding="utf-8")
        if not (folder / name).exists():
            publish(work, folder / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _newest(connection: Connection, made: Mapping[str, str]) -> dict[str, int]:
    """The newest day of each table that has one."""
    days = {
        domain: query(connection, f"SELECT max(DAY_LO) FROM {table}")[0][0] for domain, table in made.items()
    }
    return {domain: day for domain, day in days.items() if day is not None}


def _whole(connection: Connection, domain: str, table: str) -> str:
    """SQL of a derived table with all its columns; what was not made is null."""
    there = sql_columns(connection, table)
    listed = ", ".join(
        quoted(column) if column in there else f"CAST(NULL AS {kind}) AS {quoted(column)}"
        for column, kind in physical(domain).items()
    )
    graded = "".join(f", {grade}" for grade in GRADES if grade in there)  # of an example, by hand
    return f"SELECT {listed}{graded} FROM {table} ORDER BY ROWN"


def _open(folder: Path) -> Derived:
    columns = json.loads((folder / COLUMNS).read_text(encoding="utf-8"))
    tables = {name: folder / f"{name}.parquet" for name in columns}
    invalid = json.loads((folder / INVALID).read_text(encoding="utf-8"))
    newest = json.loads((folder / NEWEST).read_text(encoding="utf-8"))
    known = {name: frozenset(each) for name, each in columns.items()}
    return Derived(folder.name, tables, known, invalid, newest)


def _derive(given: Input) -> dict[str, str]:
    """Make every table; gives the table of each domain."""
    prepare(given)
    for name in given.columns:
        stage(given, name)
        mark_invalid(given, name)
    final = {name: quoted(f"stage_{name}") for name in given.columns}
    source = doses.administer(given)
    for name in given.columns:
        if DOMAINS[name].record_class is RecordClass.FINDINGS:
            baseline.add_baseline(given, name)
            final[name] = quoted(f"final_{name}")
    if source:
        doses.add_doses(given, source)
        final["DOSE"] = "final_DOSE"
        if "DAILY" not in given.columns:
            daily.add_daily(given)
            final["DAILY"] = "final_DAILY"
    if "AE" in given.columns and "AEDRUG" not in given.columns:
        events.add_drugs(given)
        final["AEDRUG"] = "final_AEDRUG"
    return final


def _known(given: Input, name: str) -> frozenset[str]:
    """The columns of a derived table that were received, or come from such that were."""
    source = {"DOSE": doses.source_of(given), "DAILY": "DOSE", "AEDRUG": "AE"}.get(name, name)
    received = given.columns.get(name) or given.columns.get(source, frozenset())
    known = {column for column in columns_of(name) if column in received}
    known |= {column for column in columns_of(name) if given.has("DM", column) and column in columns_of("DM")}
    known |= {column for column, dtc in dates_of(name).items() if dtc in received or given.has("DM", dtc)}
    days = {f"{column[:-1]}Y" for column in known if columns_of(name).get(column) is Kind.DATE}
    known |= days & set(columns_of(name)) if given.has("DM", "RFSTDTC") else set()
    return frozenset(known | _made(given, name, received))


def _made(given: Input, name: str, received: Collection[str]) -> set[str]:
    """The columns that only derivation makes."""
    if name in ("DOSE", "DAILY"):
        return _made_of_doses(given, name, received)
    if name in ("AE", "AEDRUG"):
        return _made_of_events(given, name, received)
    return _made_of_results(given, name, received) if _is_findings(name) else set()


def _is_findings(name: str) -> bool:
    return DOMAINS[name].record_class is RecordClass.FINDINGS


def _made_of_doses(given: Input, name: str, received: Collection[str]) -> set[str]:
    """Of doses written by hand the levels; of those received, all."""
    if name in given.columns:
        levels = name == "DOSE" and {"DOSEKG", "LEVEL"} & set(received)
        return {"LEVEL", "PREVLEVEL"} if levels else set()
    made = {column for column in DOMAINS[name].columns if not column.startswith("VISIT")}
    return made | {"DT", f"{name}DT"}


def _made_of_events(given: Input, name: str, received: Collection[str]) -> set[str]:
    """The hours to the sponsor, and what events say of each drug."""
    hours = {HOURS_TO_SPONSOR} if {"AEAWDTC", "AERCVDTC"} <= set(received) else set()
    if name == "AE" or name in given.columns:
        return hours
    parts = {part for part in ("ACN", "REL") if any(each.startswith(f"AE{part}") for each in received)}
    return hours | {"DRUG"} | parts


def _made_of_results(given: Input, name: str, received: Collection[str]) -> set[str]:
    """Results in standard units, limits, what a baseline gives, grades."""
    results = {f"{name}{part}" for part in ("STRESN", "STRESC", "ORRES")}
    limits = {f"{name}STNR{end}" for end in ("LO", "HI") if f"{name}ORNR{end}" in received}
    exposure = {"EC", "EX", "DOSE"} & set(given.columns) or given.has("DM", "RFXSTDTC")
    if not results & set(received):
        return limits
    grades = set(GRADES) if name == "LB" else set()
    called = {"INVALID"} if any(each.domain == name for each in given.invalid) else set()
    made = limits | called | {f"{name}STRESN"} | {grade for grade in grades if grade.startswith("A")}
    made |= set(baseline.MADE) if exposure else set()
    return made | (grades if exposure or "BASE" in received else set())
