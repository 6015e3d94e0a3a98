"""What is wrong with a study's maps: by themselves, and against the tables that they read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from monitor.clinical.archives import RECEIVED
from monitor.clinical.domains import DOMAINS, RecordClass, columns_of, dates_of
from monitor.clinical.mapsql import WIDE, is_target, sources_of
from monitor.clinical.units import canonical
from monitor.config import StudySettings
from monitor.config.maps import MapSettings
from monitor.errors import Problem
from monitor.records import Kind

NEAR = 12  # names that are listed for a column that is not there


def address(study: StudySettings, domain: str, number: int) -> str:
    """Where a map stands: study.map.LB, or the second of several, study.map.LB[1]."""
    place = f"[{number}]" if len(study.map[domain]) > 1 else ""
    return f"{study.id}: study.map.{domain}{place}"


def wrong_maps(study: StudySettings) -> Iterator[Problem]:
    """Every problem of a study's maps that can be told without its tables."""
    for domain, maps in study.map.items():
        if domain not in RECEIVED:
            said = f"is not a domain that is received; the domains are {', '.join(RECEIVED)}"
            yield Problem(f"{study.id}: study.map.{domain}", said)
            continue
        for number, given in enumerate(maps):
            yield from _wrong(domain, given, address(study, domain, number))


def _wrong(domain: str, given: MapSettings, where: str) -> Iterator[Problem]:
    for part in ("columns", "constants", "values", "dates"):
        for column in getattr(given, part):
            if not is_target(domain, column.upper()):
                yield Problem(f"{where}.{part}.{column}", _no_target(domain, column.upper()))
    filled = {column.upper() for column in given.columns}
    for column in given.constants:
        if column.upper() in filled:
            yield Problem(f"{where}.constants.{column}", "is filled by columns as well; leave one of the two")
    for column in given.dates:
        if columns_of(domain).get(column.upper()) and not column.upper().endswith("DTC"):
            yield Problem(f"{where}.dates.{column}", "is not a date; dates are the columns that end in DTC")
    yield from _wrong_units(domain, given, where)
    yield from _wrong_wide(domain, given, where)


def _no_target(domain: str, column: str) -> str:
    """Why a column can't be filled."""
    if columns_of(domain).get(column) is Kind.DATE:
        return f"is made of {dates_of(domain)[column]}; map that"
    near = get_close_matches(column, [name for name in columns_of(domain) if is_target(domain, name)], n=1)
    return f"is not a column of {domain}" + (f"; did you mean {near[0]}?" if near else "")


def _wrong_units(domain: str, given: MapSettings, where: str) -> Iterator[Problem]:
    told = [(f"units.{test}", unit) for test, unit in given.units.items()]
    told += [(f"wide.{name}.unit", each.unit) for name, each in given.wide.items() if each.unit]
    for place, unit in told:
        if canonical(unit) is None:
            yield Problem(f"{where}.{place}", f"{unit!r} is not a unit that is known; write it as UCUM does")
    if given.units and DOMAINS[domain].record_class is not RecordClass.FINDINGS:
        yield Problem(f"{where}.units", f"{domain} has no tests; units are for LB, VS, EG and PC")


def _wrong_wide(domain: str, given: MapSettings, where: str) -> Iterator[Problem]:
    if not given.wide:
        return
    if DOMAINS[domain].record_class is not RecordClass.FINDINGS:
        yield Problem(f"{where}.wide", f"{domain} has no tests; wide is for LB, VS, EG and PC")
    made = {f"{domain}{part}" for part in WIDE}
    for part in ("columns", "constants"):
        for column in getattr(given, part):
            if column.upper() in made and not column.upper().endswith(("SPEC", "ORNRLO", "ORNRHI")):
                yield Problem(f"{where}.{part}.{column}", "is filled by wide; leave it out")


def wrong_columns(
    given: MapSettings, where: str, file: str, there: Sequence[str], dropped: Collection[str]
) -> Iterator[Problem]:
    """The columns that a map names and the table does not have."""
    named = [
        (f"columns.{column}", name) for column, said in given.columns.items() for name in sources_of(said)
    ]
    named += [(f"wide.{name}", name.upper()) for name in given.wide]
    named += [(f"where.{name}", name.upper()) for name in given.where]
    for place, name in named:
        if name in dropped:
            said = f"{name} is dropped at the door, as it may tell who a person is; write keep = [{name!r}]"
            yield Problem(f"{where}.{place}", said)
        elif name not in there:
            near = get_close_matches(name, there, n=1)
            listed = ", ".join(sorted(there)[:NEAR]) + (" …" if len(there) > NEAR else "")
            hint = f"did you mean {near[0]}?" if near else f"its columns are {listed}"
            yield Problem(f"{where}.{place}", f"{file} has no column {name}; {hint}")
