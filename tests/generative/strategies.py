"""Random studies, and random rules over the whole tree. Small pools, so that ties and limits are hit.

Everything that two engines could see differently is in the pools: values on a limit and a
rounding error beside it, censored results, partial and missing dates, unknown units, unsorted
words, quotes, percent signs and backslashes, absent columns, domains that were not received,
data that end before a window does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from monitor.records import Days, Episode, Kind, Severity, Truth, Verdict
from monitor.rules.asked import RELREC
from monitor.rules.context import Context, Parameter
from monitor.rules.rule import (
    RELATION,
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
    Each,
    Expression,
    Function,
    InList,
    InWords,
    IsNull,
    Level,
    Like,
    Matches,
    Not,
    Number,
    OfRule,
    Open,
    Operator,
    Or,
    Param,
    Per,
    Plain,
    Repeat,
    Rule,
    Series,
    SeriesFunction,
    State,
    Sum,
    Text,
    Tie,
    Window,
    With,
    Without,
    WithoutRule,
    WithRule,
)
from monitor.rules.terms import Row
from tests.generative.budgets import brief

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
FIRST, LAST = 100, 107  # the days of the study


def often(*strategies: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """One of the strategies, one that stands here twice twice as often (one_of would drop it)."""
    return st.sampled_from(strategies).flatmap(lambda strategy: strategy)


# ---------------------------------------------------------------- data


# One draw for each value: the shapes stand in the pools, as often as they should come.
PARTIAL = (Days(102, 104), Days(101, 106), Days(None, None), Days(104, None), Days(None, 103))
DAYS = (*(Days(day, day) for day in range(FIRST, LAST + 1)), *PARTIAL)
OPEN_ENDS = (*(Days(day, None) for day in range(FIRST, LAST + 1, 2)), *DAYS)


@cache
def some_days() -> SearchStrategy[Days]:
    """A date: mostly one day, sometimes partial, missing, or with one end only."""
    return st.sampled_from(DAYS)


@cache
def cells(name: str, kind: Kind) -> SearchStrategy[dict[str, Any]]:
    """The physical columns of one value."""
    if kind is Kind.TEXT:
        return st.sampled_from([{name: word} for word in (*WORDS[name] * 3, None)])
    if kind is Kind.DATE:
        return st.sampled_from([{f"{name}_LO": days.low, f"{name}_HI": days.high} for days in DAYS])
    if name not in CENSORED:
        return st.sampled_from([{name: value} for value in (*VALUES, None)])
    exact = [_exact(name, value) for value in VALUES] * 2
    return st.sampled_from([*exact, *(_censored(name, *bounds) for bounds in BOUNDS)])


# low, high, low excluded, high excluded: `<x`, `<=x`, `>x`, between two, and missing
BOUNDS: tuple[tuple[float | None, float | None, bool, bool], ...] = (
    *((None, limit, False, True) for limit in (0.3, 400.0, 3.0)),
    *((limit, None, True, False) for limit in (400.0, 1000.0, 0.1 * 3)),
    (None, 400.0, False, False),
    (399.0, 500.0, False, False),
    (None, None, False, False),
)


def _censored(
    name: str, low: float | None, high: float | None, low_open: bool, high_open: bool
) -> dict[str, Any]:
    return {
        name: None,
        f"{name}_LO": low,
        f"{name}_HI": high,
        f"{name}_LO_OPEN": low_open,
        f"{name}_HI_OPEN": high_open,
    }


def _exact(name: str, value: float) -> dict[str, Any]:
    return {**_censored(name, value, value, low_open=False, high_open=False), name: value}


@cache
def records(domain: str, *, plain: bool = False) -> SearchStrategy[Row]:
    """One row of a derived table, without its row number; a plain one has an exact day and a known unit."""
    parts = st.tuples(
        st.sampled_from(("01", "01", "01", "02", "03")),
        st.sampled_from((True,) * 9 + (False,)),
        st.sampled_from(UNITS[:1] if plain else (*UNITS[:1] * 12, *UNITS)),
        st.sampled_from(("PLAT", "BILI", None)),
        st.sampled_from((None, None, 28800, 36000)),
        st.sampled_from([days for days in DAYS if days.exact]) if plain else some_days(),
        st.none() if domain == "LB" else st.sampled_from((None, *OPEN_ENDS)),
        *(cells(name, kind) for name, kind in COLUMNS[domain].items()),
    )
    return parts.map(_row)


def _row(parts: tuple[Any, ...]) -> Row:
    subject, valid, unit, analyte, second, start, end, *values = parts
    end = end or start
    row = {
        "USUBJID": subject,
        "SITEID": SITES[subject],
        "VALID": valid,
        "UNIT": unit,
        "ANALYTE": analyte,
        "SECOND": second,
        "DAY_LO": start.low,
        "DAY_HI": start.high,
        "END_LO": end.low,
        "END_HI": end.high,
    }
    return row | {name: value for cell in values for name, value in cell.items()}


@cache
def tables() -> SearchStrategy[dict[str, list[Row]]]:
    """The derived tables of a small study, sorted by subject."""
    several = {domain: st.lists(records(domain), min_size=3, max_size=7) for domain in COLUMNS}
    long = {domain: st.lists(records(domain, plain=True), min_size=4, max_size=9) for domain in COLUMNS}
    few = {domain: st.lists(records(domain), max_size=2) for domain in COLUMNS}
    either = {
        domain: often(several[domain], several[domain], long[domain], few[domain]) for domain in COLUMNS
    }
    pair = st.tuples(st.sampled_from(tuple(COLUMNS)), st.integers(0, 6))
    links = st.lists(st.tuples(pair, pair), max_size=6)
    return st.tuples(st.fixed_dictionaries(either).map(_numbered), links).map(_related)


def _related(drawn: tuple[dict[str, list[Row]], list[Any]]) -> dict[str, list[Row]]:
    """The tables with that of the related records: pairs of one subject, in both directions."""
    made, links = drawn
    pairs = {
        (str(made[a][n]["USUBJID"]), *way)
        for (a, n), (b, m) in links
        if n < len(made[a]) and m < len(made[b]) and (a, n) != (b, m)
        if made[a][n]["USUBJID"] == made[b][m]["USUBJID"]
        for way in ((a, n, b, m), (b, m, a, n))
    }
    names = ("ROWN", "USUBJID", "DOMAIN_A", "ROW_A", "DOMAIN_B", "ROW_B")
    return {
        **made,
        RELATION: [dict(zip(names, (n, *pair), strict=True)) for n, pair in enumerate(sorted(pairs))],
    }


def _numbered(drawn: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    return {
        domain: [
            {**row, "ROWN": number, "KEY": f"{domain}-{number // 2:016x}-{number % 2 + 1}"}
            for number, row in enumerate(sorted(rows, key=lambda row: str(row["USUBJID"])))
        ]
        for domain, rows in drawn.items()
    }


@cache
def episodes() -> SearchStrategy[Episode]:
    """An episode of another rule."""
    return st.builds(
        Episode,
        st.sampled_from(OTHER_RULES),
        st.sampled_from(tuple(SITES)),
        st.sampled_from((Truth.TRUE, Truth.TRUE, Truth.UNKNOWN)),
        st.integers(0, 3).map(_opening),
        opened=some_days(),
        second=st.sampled_from((None, 28800, 36000)),
        closed=st.one_of(st.none(), some_days()),
    )


def _opening(row: int) -> tuple[Verdict, ...]:
    """The record with which an episode began: what `find.rule` finds."""
    nothing = Truth.FALSE
    return (Verdict("", row, "", Days(None, None), None, Truth.TRUE, where=Truth.TRUE, clear=nothing),)


@cache
def contexts() -> SearchStrategy[Context]:
    """Under what the rules are judged: absent columns, domains that end early or were not received."""
    given = {domain: often(*[received(domain)] * 11, st.none()) for domain in COLUMNS}
    same_day = st.sampled_from(("before", "after", "cannot tell"))
    relrec = st.sampled_from((True, True, True, False))
    return st.tuples(st.fixed_dictionaries(given), same_day, relrec).map(_context)


@cache
def received(domain: str) -> SearchStrategy[tuple[frozenset[str], dict[str, int]]]:
    """Which columns of a domain were received, and how far its data reach, by site."""
    names = tuple(COLUMNS[domain])
    columns = st.sampled_from(
        [*[names] * 3 * len(names), *(names[:n] + names[n + 1 :] for n in range(len(names))), ()]
    )
    reach = st.sampled_from((LAST + 30, LAST + 30, LAST, FIRST + 4))
    sites = st.sampled_from((("",), ("",), ("", "S1"), ("S1",)))
    through = st.tuples(sites, reach, reach).map(lambda drawn: dict(zip(drawn[0], drawn[1:], strict=False)))
    return st.tuples(columns.map(frozenset), through)


def _context(drawn: tuple[Mapping[str, tuple[frozenset[str], dict[str, int]] | None], str, bool]) -> Context:
    by_domain, same_day, relrec = drawn
    given = {domain: one for domain, one in by_domain.items() if one is not None}
    return Context(
        as_of=LAST,
        params=PARAMS,
        lists=LISTS,
        ignored=frozenset({"other"}),
        through={(domain, site): day for domain, (_, sites) in given.items() for site, day in sites.items()},
        columns={domain: columns for domain, (columns, _) in given.items()}
        | {RELATION: frozenset[str]()}
        | ({RELREC: frozenset[str]()} if relrec else {}),
        same_day=same_day,
    )


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Place:
    """Where a condition stands: its domain, and in a clause the found record's."""

    domain: str
    found: str = ""
    past: bool = False  # earlier records can be asked for


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
        *([earlier_numbers(place), earlier_numbers(place)] if place.past else []),
    )


@cache
def dates(place: Place) -> SearchStrategy[Expression]:
    """A date."""
    known = (columns(place, Kind.DATE), st.integers(FIRST, LAST).map(DateLiteral), st.just(AsOf()))
    return st.one_of(*known, *([earlier_dates(place)] if place.past else []))


@cache
def texts(place: Place) -> SearchStrategy[Expression]:
    """A text: a column or a word."""
    known = (columns(place, Kind.TEXT), columns(place, Kind.TEXT), words().map(Text))
    return often(*known, *([of_series(place, Function.PREV, Kind.TEXT)] if place.past else []))


@cache
def of_series(place: Place, function: Function, *kinds: Kind) -> SearchStrategy[SeriesFunction]:
    """A value from earlier records of the series."""
    own = columns(Place(place.domain), *kinds)
    return st.builds(SeriesFunction, st.just(function), own)


@cache
def earlier_numbers(place: Place) -> SearchStrategy[SeriesFunction]:
    """A number from earlier records of the series."""
    alone = st.sampled_from((Function.NTH, Function.DAYS_SINCE_PREV)).map(SeriesFunction)
    numeric = (Kind.NUMBER, Kind.QUANTITY)
    kept = (of_series(place, name, *numeric) for name in (Function.PREV, Function.HIGHEST, Function.LOWEST))
    return often(alone, *kept)


@cache
def earlier_dates(place: Place) -> SearchStrategy[SeriesFunction]:
    """A date from earlier records of the series."""
    return st.one_of(of_series(place, Function.SINCE, *Kind), of_series(place, Function.PREV, Kind.DATE))


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
    return often(st.none(), likely(place), likely(place), tests(place), conditions(place))


@cache
def series(place: Place) -> SearchStrategy[Series]:
    """The records looked at. `of` asks for no earlier record, and in a rule file not for `this.` either."""
    place = replace(place, past=False)
    unit = st.sampled_from(("", "10^9/L", "10^9/L", "10^9/L", "umol/L"))
    of = often(st.none(), likely(place), likely(place), conditions(place, 1), tests(place).map(Not))
    return st.builds(Series, st.just(place.domain), of, unit)


@cache
def windows() -> SearchStrategy[Window]:
    """Days around the found record, sometimes without a limit."""
    bound = st.sampled_from((*range(-5, 6), *[None] * 5))
    return st.tuples(bound, bound).map(_ordered)


def _ordered(ends: tuple[int | None, int | None]) -> Window:
    low, high = ends
    return Window(high, low) if low is not None and high is not None and low > high else Window(low, high)


@cache
def hours() -> SearchStrategy[Window]:
    """Hours around the found record."""
    bound = st.sampled_from((-50, -48, -26, -24, -2, 0, 0, 2, 22, 24))
    return st.tuples(bound, bound).map(lambda ends: Window(min(ends), max(ends), hours=True))


@cache
def ties() -> SearchStrategy[dict[str, Any]]:
    """A window, half of those in days with a tie: of which an end is mostly the found record's day."""
    ending = st.sampled_from((Window(-2, 0), Window(None, 0), Window(0, 2), Window(0, None)))
    tied = st.fixed_dictionaries({"window": often(ending, ending, windows()), "tie": st.sampled_from(Tie)})
    plain = st.fixed_dictionaries({"window": often(*[windows()] * 5, hours(), since_previous())})
    return often(plain, plain, plain, tied)


@cache
def since_previous() -> SearchStrategy[Window]:
    """Days from the record before the found one on, or from a day after it."""
    low, high = st.sampled_from((None, None, 1, 2)), st.sampled_from((0, 0, 2, -1, None))
    return st.builds(lambda low, high: Window(low, high, previous=True), low, high)


@cache
def others(domain: str, found: str) -> SearchStrategy[With | Without]:
    """`with` or `without`."""
    place = Place(domain, found)
    by_itself = Place(domain)  # a series that stands by itself has earlier records
    conditions = often(
        st.fixed_dictionaries({"series": series(place), "where": asked(place)}),
        st.fixed_dictionaries({"series": series(by_itself), "where": asked(replace(place, past=True))}),
    )
    counted = st.fixed_dictionaries({"count": st.sampled_from((1, 1, 1, 2, 3))})
    together = often(counted, counted, counted, sums(place), last())
    opened = st.fixed_dictionaries({"open": maybe(st.sampled_from(Open))})
    at = st.fixed_dictionaries({"at": st.sampled_from(At)})
    common = conditions, at, often(*[ties()] * 5, linked()), together
    return st.one_of(_built(With, *common), _built(Without, *common, opened))


def linked() -> SearchStrategy[dict[str, Any]]:
    """What RELREC links to the found record."""
    return st.just({"window": Window(None, None), "linked": True})


def last() -> SearchStrategy[dict[str, Any]]:
    """Only the latest record is asked."""
    return st.just({"latest": True})


@cache
def sums(place: Place) -> SearchStrategy[dict[str, Any]]:
    """The sum of a column of the records, compared with a number, a parameter, a column of the found one."""
    own = columns(Place(place.domain), Kind.QUANTITY, Kind.NUMBER)
    there = columns(Place(place.found), Kind.QUANTITY, Kind.NUMBER).map(lambda c: replace(c, of_found=True))
    limit = st.one_of(
        st.sampled_from((0.0, 0.3, 0.6, 3.3, 400.0, 800.0, 403.0)).map(Number),
        st.sampled_from(tuple(PARAMS)).map(Param),
        there,
        st.builds(Arithmetic, st.sampled_from(Operator), there, st.sampled_from(VALUES).map(Number)),
    )
    compared = st.builds(Compare, st.sampled_from(Comparator), own, limit)
    return st.builds(Sum, compared, st.sampled_from(Each)).map(lambda made: {"sum": made})


def _built(kind: Any, *parts: SearchStrategy[dict[str, Any]]) -> SearchStrategy[Any]:
    """A node of the fields that several strategies draw."""
    return st.tuples(*parts).map(lambda drawn: kind(**{key: part[key] for part in drawn for key in part}))


@cache
def of_rules() -> SearchStrategy[OfRule]:
    """`[[with]] rule` or `[[without]] rule`."""
    parts = {
        "rule": st.sampled_from(OTHER_RULES),
        "same_day": st.booleans(),
        "state": st.sampled_from(State),
        "window": maybe(often(windows(), windows(), since_previous())),
        "count": st.sampled_from((1, 1, 2)),
        "domain": st.sampled_from((*COLUMNS, NOT_RECEIVED)),
    }
    opened = {**parts, "open": maybe(st.sampled_from(Open))}
    return st.one_of(
        st.fixed_dictionaries(parts).map(lambda drawn: WithRule(**drawn)),
        st.fixed_dictionaries(opened).map(lambda drawn: WithoutRule(**drawn)),
    )


@cache
def single_clauses(found: str) -> SearchStrategy[Plain]:
    """A clause that holds no other."""
    domains = (*COLUMNS, *COLUMNS, NOT_RECEIVED)
    return often(*(others(domain, found) for domain in domains), of_rules(), of_rules())


@cache
def clauses(found: str) -> SearchStrategy[Clause]:
    """Any clause."""
    single = single_clauses(found)
    group = st.lists(single, min_size=1, max_size=3).map(lambda items: AnyOf(tuple(items)))
    return often(single, single, single, group)


@cache
def rules() -> SearchStrategy[Rule]:
    """A whole rule."""
    return st.one_of(*(rules_of(domain) for domain in COLUMNS))


@cache
def rules_of(domain: str) -> SearchStrategy[Rule]:
    """A rule that finds records of a domain."""
    place = Place(domain, past=True)
    severity = st.sampled_from(Severity)
    level = st.builds(Level, severity, asked(place), st.lists(clauses(domain), max_size=1).map(tuple))
    clear = st.builds(Clear, conditions(place, 1), st.sampled_from(("", "10^6/L")))
    once = st.builds(
        Rule,
        id=st.just("GEN"),
        pack=st.just("generated"),
        title=st.just(""),
        severity=severity,
        action=st.just(""),
        series=series(place),
        where=asked(place),
        clauses=st.lists(clauses(domain), max_size=2).map(tuple),
        levels=st.lists(level, max_size=2).map(tuple),
        clear=maybe(clear),
        per=st.sampled_from(Per),
    )
    found = st.builds(_finding, once, st.lists(st.sampled_from(OTHER_RULES), min_size=1, max_size=2))
    return often(once, once, once, found, st.builds(_repeated, once, repeats(), st.booleans()))


def _finding(rule: Rule, others: list[str]) -> Rule:
    """The rule asked of what other rules found."""
    return replace(rule, finds=tuple(dict.fromkeys(others)), clear=None, per=Per.RECORD)


@cache
def repeats() -> SearchStrategy[Repeat]:
    """A run of occasions."""
    return st.builds(
        Repeat, st.sampled_from((2, 2, 3)), st.sampled_from((0, 0, 1, 2)), st.sampled_from((None, 3, 4))
    )


def _repeated(rule: Rule, repeat: Repeat, at_end: bool) -> Rule:
    """The rule asked for in a row, its last clause perhaps of the last record only."""
    *others, last = rule.clauses or (None,)
    if last is None or not at_end:
        return replace(rule, repeat=repeat)
    return replace(rule, repeat=repeat, clauses=(*others, replace(last, run_end=True)))


# ---------------------------------------------------------------- a whole case


@dataclass(frozen=True, repr=False)
class World:
    """A study, other rules' episodes in it, and rules to judge it by."""

    tables: Mapping[str, list[Row]]
    context: Context
    episodes: tuple[Episode, ...]
    rules: tuple[Rule, ...]

    def __repr__(self) -> str:
        rows = sum(map(len, self.tables.values()))
        return brief(self, f"{rows} rows, {len(self.episodes)} episodes, {len(self.rules)} rules")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A study whose tables hold only the domains and columns that its context says were received."""
    study = draw(st.tuples(contexts(), tables(), st.lists(episodes(), max_size=6)))
    return world_of(*study, draw(st.lists(rules(), min_size=1, max_size=4)))


def world_of(
    context: Context, whole: Mapping[str, list[Row]], found: Sequence[Episode], wanted: Sequence[Rule]
) -> World:
    """The study as its context says that it was received, and the rules by numbers."""
    domains = [domain for domain in COLUMNS if domain in context.columns]
    kept = {domain: [_received(row, domain, context) for row in whole[domain]] for domain in domains}
    kept[RELATION] = [
        pair for pair in whole[RELATION] if pair["DOMAIN_A"] in domains and pair["DOMAIN_B"] in domains
    ]
    return World(
        kept,
        context,
        tuple(found),
        tuple(replace(rule, id=f"GEN-{n}") for n, rule in enumerate(wanted, start=1)),
    )


def _received(row: Row, domain: str, context: Context) -> Row:
    """A row without the physical columns of those that were not received."""
    absent = set(COLUMNS[domain]) - context.columns[domain]
    endings = ("", "_LO", "_HI", "_LO_OPEN", "_HI_OPEN")
    gone = {name + ending for name in absent for ending in endings}
    return {name: value for name, value in row.items() if name not in gone}
