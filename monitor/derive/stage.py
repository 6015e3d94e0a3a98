"""One received domain in its physical form, as the docstring of clinical.domains says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.clinical.contradictions import compared
from monitor.clinical.domains import (
    DOMAINS,
    GRADES,
    HOURS_TO_SPONSOR,
    Domain,
    RecordClass,
    columns_of,
    dates_of,
)
from monitor.clinical.sql import Connection, query, quoted, text
from monitor.config import StudySettings
from monitor.derive import findings
from monitor.records import Kind
from monitor.rules.invalid import Invalid

TYPES = {Kind.TEXT: "VARCHAR", Kind.NUMBER: "DOUBLE", Kind.QUANTITY: "DOUBLE"}
CARRIED = ("KEY", "VERSION", "RECEIVED", "SOURCE")
# Text that is free, an identifier or a value: the words of [study.terms] unknown mean nothing there.
VERBATIM = ("TERM", "MODIFY", "DTC", "ORRES", "STRESC", "SPID", "REFID", "GRPID", "RELID", "IDVARVAL")
# What the baseline of a result adds to its record.
BASELINE = ("BASE", "CHG", "PCHG", "BNRIND", "BNRLO", "BNRHI", "BASENOTE")
IDENTIFIERS = frozenset({"STUDYID", "DOMAIN", "USUBJID", "SUBJID", "SITEID", "RDOMAIN", "IDVAR"})


@dataclass(frozen=True)
class Input:
    """What a study's derivation reads: tables `in_<domain>`, their columns, and the settings.

    `invalid` says which results are no values, `ends` to which day the doses' data reach, by site
    ("": any other).
    """

    connection: Connection
    study: StudySettings
    columns: Mapping[str, frozenset[str]]
    invalid: tuple[Invalid, ...] = ()
    ends: Mapping[str, int] = field(default_factory=dict)

    def has(self, domain: str, column: str) -> bool:
        """Whether a column was received."""
        return column in self.columns.get(domain, frozenset())


def stage(given: Input, name: str) -> None:
    """Make `stage_<name>` from `in_<name>`: all physical columns that can hold something.

    Needs the tables `dates`, `units`, `codes`, `treatments` and `subjects`, and the macro `num`.
    """
    domain = DOMAINS[name]
    columns = ", ".join(f"{sql} AS {quoted(column)}" for column, sql in _physical(given, domain).items())
    order = "USUBJID, DAY_LO NULLS LAST, SECOND NULLS FIRST, DAY_HI NULLS LAST, FILE_ORDER"
    query(
        given.connection,
        f"CREATE TEMP TABLE {quoted('stage_' + name)} AS"
        f" SELECT row_number() OVER (ORDER BY {order}) - 1 AS ROWN, * EXCLUDE (FILE_ORDER)"
        f" FROM (SELECT {columns} FROM {_joined(given, domain)}) ORDER BY ROWN",
    )


def _joined(given: Input, domain: Domain) -> str:
    """The domain's rows with what their dates, unit, test and subject mean."""
    name = domain.name
    rows = f"(SELECT *, row_number() OVER () AS FILE_ORDER FROM {quoted('in_' + name)})"
    if domain.record_class is RecordClass.FINDINGS:
        there = compared(given.connection, name, given.columns[name], quoted("in_" + name))
        rows = findings.rows(name, given.columns[name], rows, factors=there)
    parts = [f"{rows} r"]
    for column in _own_dates(given, domain):
        parts.append(
            f"LEFT JOIN dates {quoted('d_' + column)} ON {quoted('d_' + column)}.text = r.{quoted(column)}"
        )
    if given.has(name, domain.unit):
        parts.append(f"LEFT JOIN units u ON u.spelling = r.{quoted(domain.unit)}")
    if given.has(name, f"{name}ORRESU"):
        parts.append(f"LEFT JOIN units o ON o.spelling = r.{quoted(name + 'ORRESU')}")
    if domain.series and given.has(name, domain.series[0]):
        parts.append(f"LEFT JOIN codes c ON c.code = r.{quoted(domain.series[0])}")
    parts.append("LEFT JOIN subjects s ON s.USUBJID = r.USUBJID")
    return " ".join(parts)


def _own_dates(given: Input, domain: Domain) -> list[str]:
    """The --DTC columns of the domain itself that were received."""
    return [column for column in dict.fromkeys(domain.dates.values()) if given.has(domain.name, column)]


def physical(name: str) -> dict[str, str]:
    """Every column of a domain's derived table with its type, in order; grades are not stored."""
    made = dict.fromkeys(("KEY", "VERSION", "SOURCE", "USUBJID", "SITEID", "UNIT", "ANALYTE"), "VARCHAR")
    made |= {"ROWN": "BIGINT", "RECEIVED": "BIGINT", "VALID": "BOOLEAN"}
    made |= dict.fromkeys(("DAY_LO", "DAY_HI", "END_LO", "END_HI", "SECOND"), "INTEGER")
    for column, kind in columns_of(name).items():
        if kind is Kind.DATE:
            made |= {f"{column}_LO": "INTEGER", f"{column}_HI": "INTEGER"}
        elif column not in GRADES:
            made[column] = TYPES[kind]
    for column in DOMAINS[name].censored:
        made |= {f"{column}_LO": "DOUBLE", f"{column}_HI": "DOUBLE"}
        made |= {f"{column}_LO_OPEN": "BOOLEAN", f"{column}_HI_OPEN": "BOOLEAN"}
    return made


def _needed(domain: Domain) -> frozenset[str]:
    """The columns that later steps read, and that are made even when they were not received."""
    name = domain.name
    if domain.record_class is RecordClass.FINDINGS:
        own = (f"{name}{part}" for part in ("ORRES", "ORRESU", "NRIND"))
        return frozenset({*domain.series, *own, *BASELINE, "INVALID"})
    if name in ("EC", "EX"):
        parts = "TRT DOSE DOSU DOSFRQ DOSTXT ADJ REASND REASOC OCCUR STAT STDTC ENDTC STDY ENDY STDT ENDT"
        return frozenset({*(name + part for part in parts.split()), "ECMOOD", "RFSTDT"})
    if name == "DOSE":
        return frozenset(("DRUG", "DRUGKIND", "GIVEN", "DOSE", "DOSEKG", "WEIGHT", "LEVEL", "PREVLEVEL"))
    if name == "DAILY":
        return frozenset(("DRUG", "DOSE", "DOSEKG", "WEIGHT"))
    return frozenset(("AEACN", "AEREL", HOURS_TO_SPONSOR)) if name == "AE" else frozenset()


def _physical(given: Input, domain: Domain) -> dict[str, str]:
    """Each column that can hold something, or is needed, with its SQL."""
    made = {column: _carried(given, domain.name, column) for column in CARRIED}
    made |= {"FILE_ORDER": "r.FILE_ORDER"} | _times(given, domain) | _measures(given, domain)
    needed, dates = _needed(domain), dates_of(domain.name)
    for column, kind in columns_of(domain.name).items():
        there = given.has(domain.name if column in domain.columns else "DM", column)
        if (
            column in made
            or kind is Kind.DATE
            or not (there or column in needed or _dated(given, domain, column))
        ):
            continue
        made[column] = _column(given, domain, column, kind)
    for column, source in dates.items():
        if column in needed or given.has(domain.name if source in domain.columns else "DM", source):
            low, high = _date(given, domain, source)
            made |= {f"{column}_LO": low, f"{column}_HI": high}
    site = "s.SITEID, r.SITEID" if given.has(domain.name, "SITEID") else "s.SITEID"
    return made | {"SITEID": f"coalesce({site}, '')"}


def _dated(given: Input, domain: Domain, column: str) -> bool:
    """Whether a study day can be made."""
    source = domain.dates.get(column[:-1] + "T", "")
    return _is_study_day(domain, column) and given.has(domain.name, source) and given.has("DM", "RFSTDTC")


def _carried(given: Input, name: str, column: str) -> str:
    return f"r.{column}" if given.has(name, column) else "NULL"


def _date(given: Input, domain: Domain, source: str) -> tuple[str, str]:
    """SQL of the first and last day of a --DTC column, the domain's or DM's."""
    if source in domain.columns:
        if given.has(domain.name, source):
            alias = quoted("d_" + source)
            return f"{alias}.lo", f"{alias}.hi"
    elif given.has("DM", source) or source in ("RFSTDTC", "RFXSTDTC"):
        return f"s.{quoted(source + '_LO')}", f"s.{quoted(source + '_HI')}"
    return "CAST(NULL AS INTEGER)", "CAST(NULL AS INTEGER)"


def _column(given: Input, domain: Domain, column: str, kind: Kind) -> str:
    """SQL of a plain column: the domain's own, else DM's."""
    if column in domain.columns:
        if _is_study_day(domain, column):
            return _study_day(given, domain, column)
        if column == HOURS_TO_SPONSOR and _has_both(given, domain.name):
            return _hours("AEAWDTC", "AERCVDTC")
        if not given.has(domain.name, column):
            return f"CAST(NULL AS {TYPES[kind]})"
        return typed(given.study, f"r.{quoted(column)}", column, kind)
    return f"s.{quoted(column)}"


def _has_both(given: Input, name: str) -> bool:
    return given.has(name, "AEAWDTC") and given.has(name, "AERCVDTC")


def _hours(start: str, end: str) -> str:
    """SQL of the hours between two moments; missing when one has no time of day."""
    one, other = quoted(f"d_{start}"), quoted(f"d_{end}")
    return f"(86400.0 * ({other}.lo - {one}.lo) + ({other}.second - {one}.second)) / 3600"


def typed(study: StudySettings, sql: str, column: str, kind: Kind) -> str:
    """SQL of a received text as its kind; the study's words for unknown are missing."""
    if kind is not Kind.TEXT:
        return f"num({sql})"
    words = [word.strip().casefold() for word in study.terms.get("unknown", ())]
    if not words or column in IDENTIFIERS or column.endswith(VERBATIM):
        return sql
    return f"CASE WHEN lower({sql}) NOT IN ({', '.join(text(word) for word in words)}) THEN {sql} END"


def _is_study_day(domain: Domain, column: str) -> bool:
    return column in {f"{domain.name}{part}DY" for part in ("", "ST", "EN")} and domain.name != "DM"


def _study_day(given: Input, domain: Domain, column: str) -> str:
    """SQL of a study day: days from RFSTDTC, which is day 1; there is no day 0. Exact dates only."""
    source = domain.dates.get(column[:-1] + "T")
    low, high = _date(given, domain, source) if source else ("NULL", "NULL")
    first = "s.RFSTDTC_LO"
    return (
        f"CASE WHEN {low} = {high} AND {first} = s.RFSTDTC_HI"
        f" THEN CAST({low} - {first} + CASE WHEN {low} >= {first} THEN 1 ELSE 0 END AS DOUBLE) END"
    )


def _times(given: Input, domain: Domain) -> dict[str, str]:
    """DAY, END and SECOND."""
    low, high = _date(given, domain, domain.start) if domain.start else ("NULL", "NULL")
    second = f"{quoted('d_' + domain.start)}.second" if given.has(domain.name, domain.start) else "NULL"
    end_low, end_high = low, high
    if domain.end:
        end_low, end_high = _date(given, domain, domain.end)
        single = _single(given, domain)
        end_low, end_high = (
            f"coalesce({end_low}, {low})",
            f"coalesce({end_high}, CASE WHEN {single} THEN {high} END)",
        )
    days = {"DAY_LO": low, "DAY_HI": high, "END_LO": end_low, "END_HI": end_high, "SECOND": second}
    return {column: f"CAST({sql} AS INTEGER)" for column, sql in days.items()}


def _single(given: Input, domain: Domain) -> str:
    """SQL: whether the treatment is a study drug given at once, so that a missing end is its start."""
    names = sorted(
        name.strip().casefold()
        for drug in given.study.drugs.values()
        if drug.kind == "single"
        for name in drug.names
    )
    column = domain.series[0] if domain.record_class is RecordClass.INTERVENTIONS else ""
    if not names or not given.has(domain.name, column):
        return "false"
    return f"coalesce(lower(r.{quoted(column)}) IN ({', '.join(map(text, names))}), false)"


def _measures(given: Input, domain: Domain) -> dict[str, str]:
    """VALID, UNIT, ANALYTE and the domain's quantities."""
    name = domain.name
    code = "c.analyte" if domain.series and given.has(name, domain.series[0]) else "CAST(NULL AS VARCHAR)"
    made = {"VALID": _valid(given, name), "ANALYTE": code}
    if domain.record_class is RecordClass.FINDINGS:
        differing = query(given.connection, "SELECT 1 FROM units WHERE unit IS DISTINCT FROM weighed LIMIT 1")
        capitals = bool(differing) and given.has(name, domain.series[0])
        return made | findings.measures(name, given.columns[name], capitals=capitals)
    unit = "u.unit" if given.has(name, domain.unit) else "CAST(NULL AS VARCHAR)"
    return made | {"UNIT": unit}


def _valid(given: Input, name: str) -> str:
    """SQL: false for what was not done, did not occur, or was only planned."""
    refused = (("STAT", "NOT DONE"), ("OCCUR", "N"), ("MOOD", "SCHEDULED"))
    tests = [
        f"coalesce(upper(r.{quoted(name + part)}) = {text(word)}, false)"
        for part, word in refused
        if given.has(name, name + part)
    ]
    return f"NOT ({' OR '.join(tests)})" if tests else "true"
