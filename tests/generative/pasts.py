"""Studies with long series, mostly of exact days and usable values, and rules that ask of earlier records.

In the studies of `strategies` a partial date or an unknown unit mostly hides what came before; here
it is rare, so that values are found, and ties, gaps, runs and changes of spelling decide.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from monitor.records import Days, Kind, Severity
from monitor.rules.rule import (
    RELATION,
    Arithmetic,
    At,
    Clear,
    Coalesce,
    Column,
    Comparator,
    Compare,
    Condition,
    DateLiteral,
    DaysBetween,
    Expression,
    Function,
    InWords,
    Level,
    Not,
    Number,
    Operator,
    Per,
    Rule,
    Series,
    SeriesFunction,
    Text,
    Window,
    With,
)
from monitor.rules.terms import Row
from tests.generative.strategies import (
    COLUMNS,
    FIRST,
    LAST,
    SITES,
    WORDS,
    Place,
    World,
    _censored,
    _exact,
    _numbered,
    contexts,
    of_series,
    often,
    world_of,
)

EXACT = tuple(Days(day, day) for day in range(FIRST, LAST + 1))
DATES = (*EXACT * 4, Days(102, 104), Days(None, None), Days(None, 103), Days(105, None))
UNITS = (*("10^9/L",) * 20, "10^6/L", "10^6/L", None)
SAME = (0.1 * 3, 0.3, 0.3, 5.0, 5.0, 5.0, 700.0)  # few values, so that runs are made
WORDS_OF = {"LBTESTCD": ("PLAT", "PLAT", "plat ", " Plat", "BILI"), "DRUG": ("ROMI", "ROMI", "Romi", "CSA")}


@cache
def cells(name: str, kind: Kind) -> SearchStrategy[dict[str, Any]]:
    """The physical columns of one value."""
    if kind is Kind.TEXT:
        words = WORDS_OF.get(name, WORDS[name][:3])
        return st.sampled_from([{name: word} for word in (*words * 8, None)])
    if kind is Kind.DATE:
        return st.sampled_from([{f"{name}_LO": days.low, f"{name}_HI": days.high} for days in DATES])
    if name == "LBSTRESN":
        missing = _censored(name, None, None, low_open=False, high_open=False)
        low = _censored(name, None, 0.3, low_open=False, high_open=True)
        return st.sampled_from([*[_exact(name, value) for value in SAME] * 4, missing, missing, low])
    return st.sampled_from([{name: value} for value in (*SAME * 3, None, None)])


@cache
def records(domain: str) -> SearchStrategy[Row]:
    """A record whose day is mostly known."""
    fixed = st.tuples(
        st.sampled_from(("01", "01", "01", "02")),
        st.sampled_from((True,) * 12 + (False,)),
        st.sampled_from(UNITS),
        st.sampled_from((None, None, 28800, 36000)),
        st.sampled_from((*EXACT * 6, Days(104, 106), Days(None, None))),
    )
    values = st.tuples(*(cells(name, kind) for name, kind in COLUMNS[domain].items()))
    return st.tuples(fixed, values).map(_row)


def _row(parts: tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]) -> Row:
    (subject, valid, unit, second, day), values = parts
    row = {"USUBJID": subject, "SITEID": SITES[subject], "VALID": valid, "UNIT": unit, "ANALYTE": None}
    row |= {"DAY_LO": day.low, "DAY_HI": day.high, "END_LO": day.low, "END_HI": day.high, "SECOND": second}
    return row | {name: value for cell in values for name, value in cell.items()}


@cache
def tables() -> SearchStrategy[dict[str, list[Row]]]:
    """Two subjects with long series."""
    long = {domain: st.lists(records(domain), min_size=5, max_size=14) for domain in COLUMNS}
    return st.fixed_dictionaries(long).map(lambda drawn: {**_numbered(drawn), RELATION: []})


@cache
def asked(domain: str) -> SearchStrategy[Condition]:
    """A condition on earlier records."""
    place, order = Place(domain), st.sampled_from(Comparator)
    numeric, same = (Kind.NUMBER, Kind.QUANTITY), st.sampled_from((Comparator.EQ, Comparator.NE))
    kept = [of_series(place, name, *numeric) for name in (Function.PREV, Function.HIGHEST, Function.LOWEST)]
    alone = st.sampled_from((Function.NTH, Function.DAYS_SINCE_PREV)).map(SeriesFunction)
    own = [Column(name, kind) for name, kind in COLUMNS[domain].items() if kind in numeric]
    texts = [Column(name, kind) for name, kind in COLUMNS[domain].items() if kind is Kind.TEXT]
    dates = [Column(name, kind) for name, kind in COLUMNS[domain].items() if kind is Kind.DATE]
    number: SearchStrategy[Expression] = often(*kept, *kept, alone)
    fallback = st.builds(Coalesce, st.tuples(number, st.sampled_from(SAME).map(Number)))
    times = st.builds(Arithmetic, st.sampled_from(Operator), st.sampled_from(own), number)
    since = st.one_of(of_series(place, Function.SINCE, *Kind), of_series(place, Function.PREV, Kind.DATE))
    lasted = st.builds(DaysBetween, since, st.sampled_from(dates))
    before = of_series(place, Function.PREV, Kind.TEXT)
    words = st.sampled_from([word for column in texts for word in WORDS_OF.get(column.name, ("F",))])
    return often(
        st.builds(Compare, order, often(number, fallback, times), st.sampled_from(own)),
        st.builds(
            Compare, order, st.one_of(number, fallback), st.sampled_from((1.0, 2.0, 3.0, 5.0)).map(Number)
        ),
        st.builds(Compare, order, alone, st.sampled_from((0.0, 1.0, 2.0, 3.0)).map(Number)),
        st.builds(Compare, order, lasted, st.sampled_from((0.0, 1.0, 2.0)).map(Number)),
        st.builds(Compare, order, since, st.integers(FIRST, LAST).map(DateLiteral)),
        st.builds(Compare, same, before, st.one_of(st.sampled_from(texts), words.map(Text), before)),
    )


@cache
def made(domain: str) -> SearchStrategy[Series]:
    """A series, by itself or narrowed, so that some records are doubtful."""
    texts = [Column(name, kind) for name, kind in COLUMNS[domain].items() if kind is Kind.TEXT]
    words = tuple(dict.fromkeys(word for column in texts for word in WORDS_OF.get(column.name, ("F",))))
    of = st.builds(InWords, st.sampled_from(texts), st.sampled_from((words, words[:1], words[:2])))
    unit = st.sampled_from(("10^9/L", "10^9/L", ""))
    return st.builds(Series, st.just(domain), often(st.none(), of, of.map(Not)), unit)


@cache
def rules_of(domain: str) -> SearchStrategy[Rule]:
    """A rule that asks of earlier records wherever it can."""
    other = often(
        *(
            st.builds(With, made(name), st.just(Window(-3, 3)), asked(name), st.sampled_from(At))
            for name in COLUMNS
        )
    )
    clause = st.lists(other, max_size=1).map(tuple)
    level = st.builds(Level, st.sampled_from(Severity), asked(domain))
    return st.builds(
        Rule,
        id=st.just("GEN"),
        pack=st.just("generated"),
        title=st.just(""),
        severity=st.sampled_from(Severity),
        action=st.just(""),
        series=made(domain),
        where=often(asked(domain), asked(domain), st.none()),
        clauses=clause,
        levels=st.lists(level, max_size=1).map(tuple),
        clear=often(st.none(), st.builds(Clear, asked(domain), st.sampled_from(("", "10^6/L")))),
        per=st.sampled_from(Per),
    )


@st.composite
def past_worlds(draw: st.DrawFn) -> World:
    """A study with long series, and rules that ask of them."""
    rule = st.one_of(*(rules_of(domain) for domain in COLUMNS))
    return world_of(draw(contexts()), draw(tables()), [], draw(st.lists(rule, min_size=1, max_size=4)))
