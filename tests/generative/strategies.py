"""Random studies, and random rules over the whole tree. Small pools, so that ties and limits are hit.

Everything that two engines could see differently is in the pools: values on a limit and a
rounding error beside it, censored results, partial and missing dates, unknown units, unsorted
words, quotes, percent signs and backslashes, absent columns, domains that were not received,
data that end before a window does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from monitor.records import Days, Episode, Kind, Severity, Truth
from monitor.rules.context import Context, Parameter
from monitor.rules.terms import Row
from monitor.rules.rule import (
    Absolute,
    And,
    AnyOf,
    Arithmetic,
    AsOf,
    At,
    Clause,
    Clear,
    Coalesce,
    Column,
    Comparator,
    Compare,
    Condition,
    DateLiteral,
    DaysBetween,
    Expression,
    InList,
    InWords,
    IsNull,
    Level,
    Like,
    Matches,
    Not,
    Number,
    Open,
    Operator,
    Or,
    Param,
    Per,
    Rule,
    Series,
    Text,
    Window,
    With,
    Without,
    WithRule,
)

COLUMNS: Mapping[str, Mapping[str, Kind]] = {
    "LB": {
        "LBTESTCD": Kind.TEXT,
        "SEX": Kind.TEXT,
        "LBSTRESN": Kind.QUANTITY,
        "LBSTNRHI": Kind.QUANTITY,
        "AGE": Kind.NUMBER,
        "LBDT": Kind.DATE,
    },
    "DOSE": {
        "DRUG": Kind.TEXT,
        "DOSE": Kind.QUANTITY,
        "LEVEL": Kind.QUANTITY,
        "AGE": Kind.NUMBER,
        "DOSEENDT": Kind.DATE,
    },
    "AE": {
        "AETERM": Kind.TEXT,
        "AEDECOD": Kind.TEXT,
        "AEREL": Kind.TEXT,
        "AETOXGR": Kind.NUMBER,
        "AESTDT": Kind.DATE,
    },
}
CENSORED = ("LBSTRESN",)
WORDS: Mapping[str, tuple[str, ...]] = {
    "LBTESTCD": ("PLAT", "plat ", " Plat", "BILI", "it's 5% \\ 'done'"),
    "SEX": ("F", "f", "M", "PLAT"),
    "DRUG": ("ROMI", "Romi", "CSA", "a:b ?", "STRASSE", "Straße"),
    "AETERM": (
        "Pulmonary embolism",
        "PULMONARY  EMBOLISM ruled out",
        "embolismus",
        "疑似肺栓塞",
        "肺栓塞 排除",
        "Nausea 100%",
    ),
    "AEDECOD": ("Pulmonary embolism", "Nausea", "pulmonary embolism "),
    "AEREL": ("POSSIBLE", "possible ", "NOT RELATED", "OTHER", "WHO KNOWS", "! related"),
}
LISTS = {
    "related": frozenset({"possible", "probable"}),
    "unrelated": frozenset({"not related", "plat"}),
    "embolism": frozenset({"embolism", "肺栓塞", "!ruled out", "! 排除"}),
    "nothing": frozenset[str](),
}
UNITS = ("10^9/L", "10^6/L", "mg/dL", "umol/L", None)
PARAMS = {
    "hold": Parameter("hold", 400.0, "10^9/L", "label"),
    "bili": Parameter("bili", 2.0, "mg/dL", "protocol"),
    "ratio": Parameter("ratio", 0.1, "", "default"),
}
VALUES = (0.1 * 3, 0.3, 0.1, 3.0, 399.0, 400.0, 400.0000000001, 0.0, -2.0, 1000.0, 34.2, 0.4)
NOT_RECEIVED = "CM"
OTHER_RULES = ("R-1", "R-2")
SITES = {"01": "S1", "02": "S2", "03": ""}
FIRST, LAST = 100, 112  # the days of the study


# ---------------------------------------------------------------- data


@st.composite
def some_days(draw: DrawFn) -> Days:
    """A date: mostly one day, sometimes partial, missing, or with one end only."""
    day = draw(st.integers(FIRST, LAST))
    later = day + draw(st.integers(0, 5))
    shapes = (Days(day, day), Days(day, later), Days(None, None), Days(day, None), Days(None, day))
    shape: int = draw(st.sampled_from((0,) * 14 + (1, 1, 1, 2, 3, 4)))
    return shapes[shape]


@st.composite
def cells(draw: DrawFn, name: str, kind: Kind) -> dict[str, Any]:
    """The physical columns of one value."""
    if kind is Kind.TEXT:
        return {name: draw(st.sampled_from((*WORDS[name] * 3, None)))}
    if kind is Kind.DATE:
        days = draw(some_days())
        return {f"{name}_LO": days.low, f"{name}_HI": days.high}
    value = draw(st.sampled_from((*VALUES, None)))
    if name not in CENSORED:
        return {name: value}
    return draw(censored(name, value))


@st.composite
def censored(draw: DrawFn, name: str, value: float | None) -> dict[str, Any]:
    """A quantity with bounds: a value, missing, `<x`, `<=x`, `>x`, or between two."""
    shape = "value" if value is None else draw(st.sampled_from(("value",) * 5 + ("<", "<=", ">", "between")))
    low, high = (value, value) if shape == "value" else (None, None)
    if shape in ("<", "<="):
        high = value
    if shape in (">", "between"):
        low = value
    if shape == "between" and value is not None:
        high = value + 100
    return {
        name: value if shape == "value" else None,
        f"{name}_LO": low,
        f"{name}_HI": high,
        f"{name}_LO_OPEN": shape == ">",
        f"{name}_HI_OPEN": shape == "<",
    }


@st.composite
def records(draw: DrawFn, domain: str) -> Row:
    """One row of a derived table, without its row number."""
    start = draw(some_days())
    row: dict[str, Any] = {
        "USUBJID": draw(st.sampled_from(("01", "01", "01", "02", "03"))),
        "VALID": draw(st.sampled_from((True,) * 9 + (False,))),
        "UNIT": draw(st.sampled_from((*UNITS[:1] * 12, *UNITS))),
        "ANALYTE": draw(st.sampled_from(("PLAT", "BILI", None))),
        "SECOND": draw(st.sampled_from((None, None, 28800, 36000))),
        "DAY_LO": start.low,
        "DAY_HI": start.high,
    }
    end = (
        start
        if domain == "LB"
        else draw(st.one_of(st.just(start), some_days(), st.just(Days(start.low, None))))
    )
    row |= {"SITEID": SITES[row["USUBJID"]], "END_LO": end.low, "END_HI": end.high}
    for name, kind in COLUMNS[domain].items():
        row |= draw(cells(name, kind))
    return row


@st.composite
def tables(draw: DrawFn) -> dict[str, list[Row]]:
    """The derived tables of a small study, sorted by subject."""
    made: dict[str, list[Row]] = {}
    for domain in COLUMNS:
        rows = sorted(
            draw(st.lists(records(domain), min_size=draw(st.sampled_from((0, 3, 3, 3))), max_size=7)),
            key=lambda row: str(row["USUBJID"]),
        )
        made[domain] = [
            {**row, "ROWN": number, "KEY": f"{domain}-{number}"} for number, row in enumerate(rows)
        ]
    return made


@st.composite
def episodes(draw: DrawFn) -> Episode:
    """An episode of another rule."""
    return Episode(
        draw(st.sampled_from(OTHER_RULES)),
        draw(st.sampled_from(tuple(SITES))),
        draw(st.sampled_from((Truth.TRUE, Truth.TRUE, Truth.UNKNOWN))),
        (),
        opened=draw(some_days()),
        second=draw(st.sampled_from((None, 28800, 36000))),
        closed=draw(st.one_of(st.none(), some_days())),
    )


@st.composite
def contexts(draw: DrawFn) -> Context:
    """Under what the rules are judged: absent columns, domains that end early or were not received."""
    received = [domain for domain in COLUMNS if draw(st.integers(0, 19)) < 19]
    columns = {
        domain: frozenset(name for name in COLUMNS[domain] if draw(st.integers(0, 29)) < 29)
        for domain in received
    }
    through: dict[tuple[str, str], int] = {}
    for domain in received:
        reach = st.sampled_from((FIRST + 4, LAST, LAST + 30, LAST + 30, LAST + 30))
        sites = draw(st.sampled_from((("",), ("",), ("", "S1"), ("S1",))))
        through |= {(domain, site): draw(reach) for site in sites}
    return Context(
        as_of=LAST,
        params=PARAMS,
        lists=LISTS,
        ignored=frozenset({"other"}),
        through=through,
        columns=columns,
        same_day=draw(st.sampled_from(("before", "after", "cannot tell"))),
    )


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Place:
    """Where a condition stands: its domain, and in a clause the found record's."""

    domain: str
    found: str = ""


@cache
def columns(place: Place, *kinds: Kind) -> SearchStrategy[Column]:
    """A column of one of the kinds, of the record or of the found one."""
    here = [Column(name, kind) for name, kind in _kinds(place.domain).items() if kind in kinds]
    found = _kinds(place.found) if place.found else {}
    there = [Column(name, kind, of_found=True) for name, kind in found.items() if kind in kinds]
    return st.sampled_from(here + there) if here + there else st.nothing()


def _kinds(domain: str) -> Mapping[str, Kind]:
    if domain == NOT_RECEIVED:
        return {"CMTRT": Kind.TEXT, "CMDOSE": Kind.QUANTITY, "AGE": Kind.NUMBER, "CMDT": Kind.DATE}
    return COLUMNS[domain]


@cache
def numbers(place: Place, depth: int = 2) -> SearchStrategy[Expression]:
    """A number or a quantity."""
    leaves: SearchStrategy[Expression] = st.one_of(
        columns(place, Kind.QUANTITY, Kind.NUMBER),
        st.sampled_from(VALUES).map(Number),
        st.sampled_from(tuple(PARAMS)).map(Param),
        columns(place, Kind.QUANTITY),
    )
    if depth == 0:
        return leaves
    deeper = numbers(place, depth - 1)
    return st.one_of(
        leaves,
        leaves,
        st.builds(Arithmetic, st.sampled_from(Operator), deeper, deeper),
        st.builds(Absolute, deeper),
        st.builds(Coalesce, st.lists(deeper, min_size=1, max_size=3).map(tuple)),
        st.builds(DaysBetween, dates(place), dates(place)),
    )


@cache
def dates(place: Place) -> SearchStrategy[Expression]:
    """A date."""
    return st.one_of(columns(place, Kind.DATE), st.integers(FIRST, LAST).map(DateLiteral), st.just(AsOf()))


@cache
def texts(place: Place) -> SearchStrategy[Expression]:
    """A text: a column or a word."""
    return st.one_of(columns(place, Kind.TEXT), columns(place, Kind.TEXT), words().map(Text))


@cache
def words() -> SearchStrategy[str]:
    """A word that some column can hold, or none does."""
    known = [word for pool in WORDS.values() for word in pool]
    return st.sampled_from((*known, "probable", "no such word"))


# ---------------------------------------------------------------- conditions

PATTERNS = ("%embol_sm%", "p_at", "%100%", "%\\%", "%", "stra%e", "%''%", "romi")


@cache
def tests(place: Place) -> SearchStrategy[Condition]:
    """A condition that holds no other."""
    text = columns(place, Kind.TEXT)
    order, same = st.sampled_from(Comparator), st.sampled_from((Comparator.EQ, Comparator.NE))
    any_list = st.sampled_from(tuple(LISTS))
    return st.one_of(
        st.builds(Compare, order, numbers(place), numbers(place)),
        st.builds(Compare, order, columns(place, Kind.QUANTITY), numbers(place, 0)),
        st.builds(Compare, order, dates(place), dates(place)),
        st.builds(Compare, same, texts(place), texts(place)),
        st.builds(InWords, text, st.lists(words(), min_size=1, max_size=3).map(tuple)),
        st.builds(InList, text, any_list),
        st.builds(Like, text, st.sampled_from(PATTERNS)),
        st.builds(Matches, st.lists(text, min_size=1, max_size=3).map(tuple), any_list),
        st.builds(IsNull, columns(place, *Kind)),
    )


@cache
def conditions(place: Place, depth: int = 2) -> SearchStrategy[Condition]:
    """Any condition."""
    if depth == 0:
        return tests(place)
    deeper = conditions(place, depth - 1)
    several = st.lists(deeper, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        tests(place), tests(place), st.builds(Not, deeper), st.builds(And, several), st.builds(Or, several)
    )


@cache
def likely(place: Place) -> SearchStrategy[Condition]:
    """A condition that most records satisfy, so that what stands beside it matters."""
    given = st.builds(IsNull, columns(place, *Kind)).map(Not)
    return st.one_of(given, st.builds(Or, st.tuples(given, tests(place))))


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Sometimes nothing."""
    return st.one_of(st.none(), strategy)


# ---------------------------------------------------------------- rules


@cache
def asked(place: Place) -> SearchStrategy[Condition | None]:
    """A `where`."""
    return st.one_of(st.none(), likely(place), likely(place), tests(place), conditions(place))


@cache
def series(place: Place) -> SearchStrategy[Series]:
    """The records looked at."""
    unit = st.sampled_from(("", "10^9/L", "10^9/L", "10^9/L", "umol/L"))
    of = st.one_of(st.none(), likely(place), likely(place), conditions(place, 1))
    return st.builds(Series, st.just(place.domain), of, unit)


@cache
def windows() -> SearchStrategy[Window]:
    """Days around the found record, sometimes without a limit."""
    bound = st.one_of(st.none(), st.integers(-9, 9), st.integers(-9, 9))
    return st.tuples(bound, bound).map(_ordered)


def _ordered(ends: tuple[int | None, int | None]) -> Window:
    low, high = ends
    return Window(high, low) if low is not None and high is not None and low > high else Window(low, high)


@st.composite
def others(draw: DrawFn, found: str) -> With | Without:
    """`with` or `without`."""
    place = Place(draw(st.sampled_from((*COLUMNS, *COLUMNS, *COLUMNS, NOT_RECEIVED))), found)
    clause = With(draw(series(place)), draw(windows()), draw(asked(place)), draw(st.sampled_from(At)))
    if draw(st.booleans()):
        return clause
    opened = draw(maybe(st.sampled_from(Open)))
    return Without(clause.series, clause.window, clause.where, clause.at, opened)


@cache
def single_clauses(found: str) -> SearchStrategy[With | Without | WithRule]:
    """A clause that holds no other."""
    return st.one_of(
        others(found), others(found), st.builds(WithRule, st.sampled_from(OTHER_RULES), st.booleans())
    )


@cache
def clauses(found: str) -> SearchStrategy[Clause]:
    """Any clause."""
    single = single_clauses(found)
    group = st.lists(single, min_size=1, max_size=3).map(lambda items: AnyOf(tuple(items)))
    return st.one_of(single, single, single, group)


@st.composite
def rules(draw: DrawFn) -> Rule:
    """A whole rule."""
    domain = draw(st.sampled_from(tuple(COLUMNS)))
    place = Place(domain)
    levels = st.builds(
        Level,
        st.sampled_from(Severity),
        asked(place),
        st.lists(clauses(domain), max_size=1).map(tuple),
    )
    clear = st.builds(Clear, conditions(place, 1), st.sampled_from(("", "10^6/L")))
    return Rule(
        id="GEN-01",
        pack="generated",
        title="",
        severity=Severity.HIGH,
        action="",
        series=draw(series(place)),
        where=draw(asked(place)),
        clauses=tuple(draw(st.lists(clauses(domain), max_size=2))),
        levels=tuple(draw(st.lists(levels, max_size=3))),
        clear=draw(maybe(clear)),
        per=draw(st.sampled_from(Per)),
    )


# ---------------------------------------------------------------- a whole case


@dataclass(frozen=True)
class World:
    """A study, other rules' episodes in it, and rules to judge it by."""

    tables: Mapping[str, list[Row]]
    context: Context
    episodes: tuple[Episode, ...]
    rules: tuple[Rule, ...]


@st.composite
def worlds(draw: DrawFn, *, several: int = 4) -> World:
    """A study whose tables hold only the domains and columns that its context says were received."""
    context = draw(contexts())
    whole = draw(tables())
    kept = {domain: [_received(row, domain, context) for row in whole[domain]] for domain in context.columns}
    found = tuple(draw(st.lists(episodes(), max_size=4)))
    wanted = draw(st.lists(rules(), min_size=1, max_size=several))
    return World(kept, context, found, tuple(replace(rule, id=f"GEN-{n}") for n, rule in enumerate(wanted)))


def _received(row: Row, domain: str, context: Context) -> Row:
    """A row without the physical columns of those that were not received."""
    absent = set(COLUMNS[domain]) - context.columns[domain]
    endings = ("", "_LO", "_HI", "_LO_OPEN", "_HI_OPEN")
    gone = {name + ending for name in absent for ending in endings}
    return {name: value for name, value in row.items() if name not in gone}
