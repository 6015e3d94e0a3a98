"""What several other records say together, as SQL: how many they are, which is the latest, their sum."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import CTE, FromClause, Integer, String, and_, case, func, literal, select, union_all

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules.rule import At, Each, Other, Sum
from monitor.rules.sql.conditions import comparison
from monitor.rules.sql.expressions import compile_expression, one
from monitor.rules.sql.frame import Frame, counted
from monitor.rules.sql.scope import Element, Scope, Source, missing, truth_of


def are_events(clause: Other) -> bool:
    """Whether several rows may be one record."""
    return DOMAINS[clause.series.domain].record_class is RecordClass.EVENTS


def natural(key: Element) -> Element:
    """The natural key of an event: that of all the rows in which it was delivered."""
    pattern, kept = "(-[0-9a-f]{16})-[0-9]+$", r"\1"
    return func.regexp_replace(key, literal(pattern, String()), literal(kept, String()))


def enough(clause: Other, pairs: FromClause, name: str) -> CTE:
    """Whether there are `count` of them: surely, possibly, or not; `pairs` have truth and event."""
    truth = pairs.c.truth
    if clause.count == 1:
        told: Element = func.max(truth)
    elif not are_events(clause):
        told = counted(func.count(case((truth == 2, 1))), func.count(), clause.count)
    else:
        surely = func.count(case((truth == 2, pairs.c.event)).distinct())
        told = counted(surely, func.count(pairs.c.event.distinct()), clause.count)
    grouped = select(pairs.c.rown, told.label("truth")).where(truth > 0).group_by(pairs.c.rown)
    return grouped.cte(name)


# ---------------------------------------------------------------- the latest


def latest(pairs: FromClause, name: str) -> CTE:
    """What the last record says; of several that it may be, all.

    `pairs` have the truth that it is of the series in the window, `asked` as its `where` says, the
    days and the place in the order of all. Of those that surely lie in the window on an exact day
    one is the last; only the few others must be compared with it one by one.
    """
    rows = select(pairs).where(pairs.c.truth > 0).cte(f"{name}_pair")
    plain = and_(rows.c.truth == 2, rows.c.day_lo == rows.c.day_hi)
    tops = (
        select(
            rows.c.rown,
            func.max(case((plain, rows.c.place * 4 + rows.c.asked))).label("top"),
            func.max(case((plain, rows.c.day_lo))).label("top_day"),
            func.max(case((rows.c.truth == 2, rows.c.day_lo))).label("last_day"),
            func.max(rows.c.truth).label("surest"),
        )
        .group_by(rows.c.rown)
        .cte(f"{name}_top")
    )
    others = _others(rows, tops, ~func.coalesce(plain, False))
    of_top = case((tops.c.top_day >= tops.c.last_day, tops.c.top % 4))
    least, most = _both(func.least, of_top, others.c.least), _both(func.greatest, of_top, others.c.most)
    told = case((most == 0, 0), (and_(tops.c.surest == 2, least == 2), 2), else_=1)
    joined = tops.outerjoin(others, others.c.rown == tops.c.rown)
    return select(tops.c.rown, told.label("truth")).select_from(joined).cte(name)


def _both(better: Callable[..., Element], one: Element, other: Element) -> Element:
    """The least or greatest of two, of which one may not be there."""
    return func.coalesce(better(func.coalesce(one, other), func.coalesce(other, one)), 0)


def _others(rows: FromClause, tops: FromClause, odd: Element) -> FromClause:
    """What those say that are not surely in the window on an exact day, and that may be the last."""
    exact = rows.c.day_lo == rows.c.day_hi
    outdone = case(
        (rows.c.day_hi < tops.c.last_day, 1), (and_(exact, rows.c.place * 4 + 3 < tops.c.top), 1), else_=0
    )
    return (
        select(rows.c.rown, func.min(rows.c.asked).label("least"), func.max(rows.c.asked).label("most"))
        .select_from(rows.join(tops, tops.c.rown == rows.c.rown))
        .where(odd, outdone == 0)
        .group_by(rows.c.rown)
        .subquery("others")
    )


# ---------------------------------------------------------------- their sum


def total(clause: Other, asked: Sum, pairs: FromClause, frame: Frame) -> CTE:
    """Whether the sum of a column is as asked; `pairs` have truth, amount and the days of each."""
    return (
        _per_day(clause, asked, pairs, frame)
        if asked.per is Each.DAY
        else _whole(clause, asked, pairs, frame)
    )


def _sums(pairs: FromClause) -> list[Element]:
    """The sum, the size that its rounding error is measured against, and how many are not sure."""
    unsure = case((pairs.c.truth == 1, 1), (pairs.c.amount.is_(None), 1), else_=0)
    return [
        func.sum(pairs.c.amount).label("total"),
        func.sum(func.abs(pairs.c.amount)).label("size"),
        func.sum(unsure).label("unsure"),
    ]


def _whole(clause: Other, asked: Sum, pairs: FromClause, frame: Frame) -> CTE:
    """The sum over the window."""
    sums = (
        select(pairs.c.rown, missing(String()).label("analyte"), *_sums(pairs))
        .where(pairs.c.truth > 0)
        .group_by(pairs.c.rown)
        .subquery("sums")
    )
    here = frame.candidates.relation
    told = case((sums.c.unsure > 0, 1), else_=_compared(clause, asked, sums, frame))
    joined = sums.join(here, here.c.rown == sums.c.rown)
    return select(sums.c.rown, told.label("truth")).select_from(joined).cte(frame.name)


def _per_day(clause: Other, asked: Sum, pairs: FromClause, frame: Frame) -> CTE:
    """The sums of days: none that is not sure may lie on the day that decides."""
    rows = select(pairs).where(pairs.c.truth > 0).cte(f"{frame.name}_amount")
    low, high = days_of(rows, clause.at)
    exact = case((low == high, True), else_=False)
    sure = and_(rows.c.truth == 2, rows.c.amount.is_not(None), exact)
    sums = (
        select(
            rows.c.rown,
            low.label("day"),
            missing(String()).label("analyte"),
            func.sum(rows.c.amount).label("total"),
            func.sum(func.abs(rows.c.amount)).label("size"),
        )
        .where(sure)
        .group_by(rows.c.rown, low)
        .cte(f"{frame.name}_day")
    )
    doubts = select(rows.c.rown, low.label("low"), high.label("high")).where(~sure).cte(f"{frame.name}_doubt")
    here = frame.candidates.relation
    told = _compared(clause, asked, sums, frame)
    days = (
        select(sums.c.rown, sums.c.day, told.label("truth"))
        .select_from(sums.join(here, here.c.rown == sums.c.rown))
        .subquery("days")
    )
    touching = and_(
        doubts.c.rown == days.c.rown,
        func.coalesce(doubts.c.low <= days.c.day, True),
        func.coalesce(doubts.c.high >= days.c.day, True),
    )
    touched = days.outerjoin(doubts, touching)
    certain = select(
        days.c.rown, case((doubts.c.rown.is_(None), days.c.truth), else_=1).label("truth")
    ).select_from(touched)
    unsure = select(doubts.c.rown, literal(1, Integer()).label("truth"))
    both = union_all(certain, unsure).subquery("both")
    return select(both.c.rown, func.max(both.c.truth).label("truth")).group_by(both.c.rown).cte(frame.name)


def days_of(rows: FromClause, at: At) -> tuple[Element, Element]:
    """The first and last day on which the part of a record that is asked for may lie."""
    low = rows.c.end_lo if at is At.END else rows.c.day_lo
    high = rows.c.day_hi if at is At.START else rows.c.end_hi
    return low, high


def _compared(clause: Other, asked: Sum, sums: FromClause, frame: Frame) -> Element:
    """The truth of the comparison of a sum; its limit belongs to no record, but may name the found one."""
    source = Source(clause.series.domain, sums, frozenset())
    scope = Scope(frame.context, frame.words, source, clause.series.unit, frame.candidates)
    limit = compile_expression(asked.where.right, scope)
    return truth_of(comparison(asked.where.comparator, one(sums.c.total, sums.c.size), limit))
