"""Earlier records of a series as SQL: window functions, computed once over the rows of the series.

Portable: PostgreSQL 15 has no IGNORE NULLS. The last earlier record that has a value is found by
counting: `before` is how many earlier records have one, and the record before which there are
`before` - 1 is the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Double, FromClause, String, and_, case, cast, false, func, literal, select, true

from monitor.clinical.domains import DOMAINS
from monitor.records import Kind
from monitor.rules.rule import Column, Condition, Function, IsNull, Not, SeriesFunction
from monitor.rules.sql.conditions import compile_condition, not_false
from monitor.rules.sql.expressions import Bound, Range, compile_expression, equal, one
from monitor.rules.sql.scope import Element, Scope, Source, missing
from monitor.rules.texts import normal

Asked = tuple[SeriesFunction, str]  # a function, and the unit of the condition in which it stands
Columns = dict[str, Element]

FIRST = -(2**31)  # a day before all days: an uncertain record without a date may lie before any
EARLIER = (None, -1)  # all rows before the row itself
EDGE = 2  # the record surely begins a run of equal values; 1: it may, 0: it does not


def partition_columns(domain: str) -> tuple[Column, ...]:
    """The columns that tell one series of a subject from another."""
    groups = DOMAINS[domain].partition if domain in DOMAINS else ()
    return tuple(Column(name, Kind.TEXT) for names in groups for name in names)


@dataclass(frozen=True)
class Asking:
    """What is made for one function: its number, itself, and where its column is read."""

    number: int
    function: Function
    column: Column | None
    scope: Scope

    def name(self, part: str = "") -> str:
        """The name of one of its columns."""
        return f"past_{self.number}{part}"


def remembered(source: Source, of: Condition | None, asked: Sequence[Asked], scope: Scope) -> Source:
    """The records of a series (for which `of` is not false) with what `asked` comes to on each.

    Nothing is asked: the source as it is. `scope` is that of `of`. The relation has the columns of
    `partition_columns` and those that the functions name, as far as they were received.
    """
    if not asked:
        return source
    asking = [
        Asking(n, function.function, function.column, replace(scope, record=source, unit=unit))
        for n, (function, unit) in enumerate(asked, start=1)
    ]
    relation = _members(source, of, asking, scope)
    for step in (_counted, _valued, _edged, _begun):
        made = {name: item for each in asking for name, item in step(each, relation).items()}
        if step is _counted:
            made |= {"past_told": _told(relation), "past_place": _over(func.row_number(), relation)}
        if made:
            kept = (item.label(name) for name, item in made.items())
            relation = select(*relation.c, *kept).subquery(step.__name__.strip("_"))
    names = {item: f"past_{n}" for n, item in enumerate(asked, start=1)}
    return replace(source.over(relation), past=names)


# ---------------------------------------------------------------- the records


def _members(source: Source, of: Condition | None, asking: Sequence[Asking], scope: Scope) -> FromClause:
    """The records of the series, with their partition, whether they are sure, and the values asked for."""
    rows = source.relation
    keys = partition_keys(scope)
    exact = and_(rows.c.day_lo == rows.c.day_hi, *(key.is_not(None) for key in keys[:1]))
    member = true() if of is None else compile_condition(of, scope)
    made: Columns = {f"past_key_{n}": key for n, key in enumerate(keys, start=1)}
    made["past_sure"] = func.coalesce(and_(exact, member), false())
    for each in asking:
        made |= _values(each)
    labelled = (item.label(name) for name, item in made.items())
    return select(*rows.c, *labelled).where(not_false(of, scope)).subquery("member")


def partition_keys(scope: Scope) -> list[Element]:
    """What makes a partition, each word in one spelling; of a group the first that is there."""
    source = scope.record
    groups = DOMAINS[source.domain].partition if source.domain in DOMAINS else ()
    keys = []
    for names in groups:
        there = [Column(name, Kind.TEXT) for name in names if source.has(name)]
        words = {word for column in there for word in scope.words(source.domain, column.name)}
        parts = [_spelled(source.column(column), words) for column in there]
        keys.append(func.coalesce(*parts) if len(parts) > 1 else (parts or [missing(String())])[0])
    return keys


def _spelled(text: Element, words: Iterable[str]) -> Element:
    """A text with one spelling for words that differ only in case and surrounding blanks."""
    ordered = sorted(words)
    first: dict[str, str] = {}
    for word in ordered:
        first.setdefault(normal(word), word)
    changed = [(word, first[normal(word)]) for word in ordered if first[normal(word)] != word]
    if not changed:
        return text
    return case(
        *((text == literal(word, String()), literal(to, String())) for word, to in changed), else_=text
    )


def _values(each: Asking) -> Columns:
    """The value of the function's column on each record, and whether there is one."""
    column, scope = each.column, each.scope
    if column is None:
        return {}
    made: Columns = {each.name("_there"): compile_condition(Not(IsNull(column)), scope)}
    if column.kind is Kind.TEXT:
        words = scope.words(scope.record.domain, column.name) if scope.record.has(column.name) else ()
        return made | {each.name("_here"): _spelled(scope.record.column(column), words)}
    found = compile_expression(column, scope)
    if column.kind is Kind.DATE:
        return made | {each.name("_here_lo"): found.low.value, each.name("_here_hi"): found.high.value}
    return made | {each.name("_here"): found.point}


def _partition(relation: FromClause) -> list[Element]:
    """What makes one partition of one subject."""
    return [relation.c.usubjid, *(item for item in relation.c if item.name.startswith("past_key_"))]


def _over(item: Any, relation: FromClause, **frame: Any) -> Element:
    """A window function over the sure records of a partition, in their order."""
    rows = relation.c
    ordered = [rows.day_lo, func.coalesce(rows.second, -1), rows.rown]
    made: Element = item.over(partition_by=[*_partition(relation), rows.past_sure], order_by=ordered, **frame)
    return made


def _earlier(item: Any, relation: FromClause) -> Element:
    """An aggregate of the earlier records."""
    return _over(item, relation, rows=EARLIER)


def _told(relation: FromClause) -> Element:
    """Whether the records before this one are known: no doubtful one can lie before it."""
    rows = relation.c
    first = func.coalesce(rows.day_lo, FIRST)
    doubts = [func.min(case((~rows.past_sure, first))).over(partition_by=_partition(relation))]
    if "past_key_1" in rows:  # without a test it can be of any partition
        nameless = func.min(case((rows.past_key_1.is_(None), first)))
        doubts.append(nameless.over(partition_by=[rows.usubjid]))
    return and_(rows.past_sure, *(func.coalesce(doubt > rows.day_lo, true()) for doubt in doubts))


# ---------------------------------------------------------------- what comes before


def _counted(each: Asking, relation: FromClause) -> Columns:
    """What one pass over the earlier records tells: how many have a value, extremes, the last day."""
    rows = relation.c
    if each.function is Function.NTH:
        return {each.name(): cast(_over(func.row_number(), relation), Double())}
    if each.function is Function.DAYS_SINCE_PREV:
        last = _over(func.lag(rows.day_lo), relation)
        return {each.name(): cast(rows.day_lo - last, Double())}
    there = rows[each.name("_there")]
    made: Columns = {each.name("_before"): _earlier(func.count(case((there, 1))), relation)}
    if each.function in (Function.HIGHEST, Function.LOWEST):
        here = rows[each.name("_here")]
        extreme = func.max if each.function is Function.HIGHEST else func.min
        made[each.name("_extreme")] = _earlier(extreme(here), relation)
        made[each.name("_unusable")] = _earlier(func.count(case((and_(there, here.is_(None)), 1))), relation)
    return made


def _valued(each: Asking, relation: FromClause) -> Columns:
    """The value of the last earlier record that has one; extremes that can be told."""
    rows = relation.c
    if each.function in (Function.HIGHEST, Function.LOWEST):
        untold = rows[each.name("_unusable")] > 0
        return {each.name(): case((~untold, rows[each.name("_extreme")]))}
    if each.function not in (Function.PREV, Function.SINCE):
        return {}
    there, before = rows[each.name("_there")], rows[each.name("_before")]
    sure = [*_partition(relation), rows.past_sure]
    made: Columns = {}
    for part in ("", "_lo", "_hi"):
        if each.name(f"_here{part}") in rows:
            last = func.max(case((there, rows[each.name(f"_here{part}")])))
            made[each.name(part)] = last.over(partition_by=sure, order_by=[before], range_=(-1, -1))
    return made


# ---------------------------------------------------------------- runs of equal values


def _edged(each: Asking, relation: FromClause) -> Columns:
    """For `since`: whether a record begins a run of equal values."""
    if each.function is not Function.SINCE:
        return {}
    rows = relation.c
    same = _equal(each, rows)
    edge = case((rows[each.name("_before")] == 0, EDGE), (same, 0), (~same, EDGE), else_=1)
    return {each.name("_edge"): case((rows[each.name("_there")], edge), else_=0)}


def _equal(each: Asking, rows: Any) -> Element:
    """Whether a record's value equals that of the last earlier record that has one."""
    assert each.column is not None, "`since` is of a column"
    if each.column.kind is Kind.TEXT:
        same: Element = rows[each.name("_here")] == rows[each.name()]
        return same
    if each.column.kind is Kind.DATE:
        here, last = (
            [Bound(rows[each.name(f"{part}{end}")], None) for end in ("_lo", "_hi")] for part in ("_here", "")
        )
        return equal(*(Range(low, high, low.value, low.value) for low, high in (here, last)))
    return equal(*(one(rows[name], func.abs(rows[name])) for name in (each.name("_here"), each.name())))


def _begun(each: Asking, relation: FromClause) -> Columns:
    """For `since`: the day of the last edge before a record, when that edge is sure."""
    if each.function is not Function.SINCE:
        return {}
    rows = relation.c
    edge = rows[each.name("_edge")]
    # The later of two edges is that with the greater place; the last bit says whether it is sure.
    last = _earlier(func.max(case((edge > 0, rows.past_place * 2 + edge - 1))), relation)
    day = _earlier(func.max(case((edge > 0, rows.day_lo))), relation)
    return {each.name("_day"): case((last % 2 == 1, day))}
