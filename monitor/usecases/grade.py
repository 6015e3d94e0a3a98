"""Grade the results of a table by CTCAE: a row out for each row in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

from monitor import shipped
from monitor.clinical import units
from monitor.clinical.sheets import Sheet, cells, read_sheet
from monitor.errors import Problem, UsageError
from monitor.rules.ctcae import FILES, Criteria, Direction, indicator, load_criteria
from monitor.rules.grading import Grade, grade_of
from monitor.rules.scope import suggest
from monitor.rules.terms import Row

REQUIRED = ("LBTESTCD", "LBSTRESN", "LBSTRESU", "LBSTNRLO", "LBSTNRHI")
TEXTS = ("LBTESTCD", "LBSTRESU", "BNRIND", "LBSPEC", "LBCAT", "LBFAST")
NUMBERS = ("LBSTNRLO", "LBSTNRHI", "BASE")
MADE = ("ATOXGRL", "ATOXGRH", "ATOXDSCL", "ATOXDSCH", "CTCAE", "REASON")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SIGNED = re.compile(r"(<=?|>=?|≤|≥)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
LARGEST = 1e15  # beyond any clinical quantity, as in loading


@dataclass(frozen=True)
class GradedTable:
    """The columns of the table and those that grading made, and the rows as they come."""

    columns: tuple[str, ...]
    rows: Iterator[dict[str, str]]


def grade_file(path: Path, version: str, rules: Path | None = None) -> GradedTable:
    """The file's rows, in its order, each with its CTCAE grades. Raises UsageError, SourceError, RuleError.

    A column of the file that has the name of one that grading makes is kept as NAME_GIVEN; all
    others stay as they are. The criteria are those that the program ships, or those of the folder `rules`.
    """
    wanted = version if "." in version else f"{version}.0"
    if wanted not in FILES:
        raise UsageError(f"--ctcae {version}: there is no such version; write {' or '.join(FILES)}")
    criteria = load_criteria(rules or shipped.root() / "rules", wanted)
    sheet = read_sheet(path)
    _check(sheet, path)
    kept = {name: f"{name}_GIVEN" if name.strip().upper() in MADE else name for name in sheet.columns}
    return GradedTable((*kept.values(), *MADE), _graded(sheet, kept, criteria))


def _check(sheet: Sheet, path: Path) -> None:
    there = {name.strip().upper() for name in sheet.columns}
    missing = [
        Problem(f"{path}: column {name}", f"is missing{suggest(name, there - set(REQUIRED))}")
        for name in REQUIRED
        if name not in there
    ]
    if missing:
        listed = "\n".join(map(str, missing))
        raise UsageError(
            f"{listed}\nA table to grade has {', '.join(REQUIRED)}; BASE and BNRIND where they are known."
        )


def _graded(sheet: Sheet, kept: Mapping[str, str], criteria: Criteria) -> Iterator[dict[str, str]]:
    @lru_cache(maxsize=100_000)
    def made(given: tuple[tuple[str, str], ...]) -> dict[str, str]:
        return _grades(dict(given), criteria)

    asked = {"LBSTRESN", *TEXTS, *NUMBERS}
    for line in sheet.rows:
        given = cells(sheet, line)
        row = dict(zip(sheet.columns, line, strict=True))
        known = tuple((name, value) for name, value in given.items() if name in asked)
        yield {called: row[name] for name, called in kept.items()} | made(known)


def _grades(given: Mapping[str, str], criteria: Criteria) -> dict[str, str]:
    """What grading makes of a row."""
    row, unread = record(given)
    low, high = (grade_of(criteria, direction, row) for direction in Direction)
    code = row["ANALYTE"]
    if low.criterion is None and high.criterion is None and not criteria.of(code, Direction.LOW):
        known = criteria.of(code, Direction.HIGH)
        reasons = [high.reason] if known else [_no_term(given, criteria)]
    else:
        reasons = [each.reason for each in (low, high) if each.criterion is not None]
        reasons = reasons or [low.reason]
    told = dict.fromkeys(reason for reason in (*unread, *reasons) if reason)
    return {
        "ATOXGRL": _text(low),
        "ATOXGRH": _text(high),
        "ATOXDSCL": low.criterion.term if low.criterion else "",
        "ATOXDSCH": high.criterion.term if high.criterion else "",
        "CTCAE": criteria.version,
        "REASON": "; ".join(told),
    }


def _text(grade: Grade) -> str:
    return "" if grade.value is None else str(grade.value)


def _no_term(given: Mapping[str, str], criteria: Criteria) -> str:
    code = given.get("LBTESTCD", "")
    if not code:
        return "no test code (LBTESTCD)"
    return f"no term of CTCAE {criteria.version} is about {code}{suggest(code, criteria.tests)}"


def record(given: Mapping[str, str]) -> tuple[Row, list[str]]:
    """A row of text as a record in its physical form, and what in it could not be read."""
    unread: list[str] = []
    code = units.analyte(given.get("LBTESTCD"))
    spelled = given.get("LBSTRESU")
    unit = units.canonical(spelled, code)
    row: dict[str, object] = {name: given.get(name) for name in TEXTS}
    row |= {"ANALYTE": code, "UNIT": unit, "BNRIND": indicator(given.get("BNRIND"))}
    row |= _result(given.get("LBSTRESN"), unread)
    for name in NUMBERS:
        row[name] = _number(given.get(name))
        if row[name] is None and name in given:
            unread.append(_unread(name, given[name]))
    if spelled and unit is None:
        unread.append(f"the unit {spelled} is not known")
    return row, unread


def _number(said: str | None) -> float | None:
    """The number; None for what is none, is below 0 or beyond any clinical quantity."""
    if said is None or not NUMBER.fullmatch(said):
        return None
    value = float(said)
    return value if isfinite(value) and 0 <= value < LARGEST else None


def _unread(name: str, said: str) -> str:
    """Why a cell is no number that could be graded, and what to write."""
    bare = said.lstrip("<>=≤≥ ")
    if "," in bare and NUMBER.fullmatch(bare.replace(",", ".")):
        return f"{name} is not a number: a decimal comma or a separator of thousands, write a decimal point"
    if not NUMBER.fullmatch(bare):
        return f"{name} is not a number"
    if float(bare) < 0:
        return f"{name} is below 0, which no amount can be"
    return f"{name} is beyond any clinical quantity"


def _result(said: str | None, unread: list[str]) -> dict[str, object]:
    """The result with its bounds; `<5` is any value below 5."""
    signed = SIGNED.fullmatch(said or "")
    value = _number(said)
    bound = _number(signed[2]) if signed is not None else value
    if said is not None and bound is None:
        unread.append(_unread("LBSTRESN", said))
    below = signed is not None and signed[1][0] in "<≤"
    above = signed is not None and not below
    return {
        "LBSTRESN": value,
        "LBSTRESN_LO": None if below else bound,
        "LBSTRESN_HI": None if above else bound,
        "LBSTRESN_LO_OPEN": signed is not None and signed[1] == ">",
        "LBSTRESN_HI_OPEN": signed is not None and signed[1] == "<",
    }
