"""What several other records say together: their number, which is the latest, what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.records import Cause, Days, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Answer, Used
from monitor.rules.case import Case, event_of, moment_of, start_of
from monitor.rules.causes import Causes, each_once, why
from monitor.rules.histories import remembered
from monitor.rules.rule import At, Column, Compare, Condition, Each, Other, Sum
from monitor.rules.series import order
from monitor.rules.terms import Row, Scope, number, possible
from monitor.rules.truth import holds
from monitor.rules.values import Exact, agreed, compare, only


@dataclass(frozen=True)
class Candidate:
    """One other record: whether it is of the series and in the window, and why that can't be told."""

    scope: Scope
    asked: Condition | None
    series: Truth
    window: Truth
    doubts: Causes

    @property
    def row(self) -> Row:
        """The record."""
        return self.scope.row

    @property
    def member(self) -> Truth:
        """Whether it is of the series, and in the window."""
        return min(self.series, self.window)

    @property
    def where(self) -> Truth:
        """Whether it is as the clause asks for."""
        return holds(self.asked, self.scope)

    @property
    def truth(self) -> Truth:
        """Whether it is such a record."""
        return min(self.member, self.where)

    def used(self, *, needed: bool) -> tuple[Used, ...]:
        """The rows that an answer rests on: the record, and the earlier ones that its `where` recalls."""
        record = Used("with", self.scope.domain, self.row, needed)
        return (record, *remembered(self.asked, self.scope))

    @property
    def causes(self) -> Causes:
        """Why it can't be told whether it is such a record."""
        return (*self.doubts, *why(self.asked, self.scope))


def _answer(
    truth: Truth, records: Sequence[Candidate], causes: Iterable[Cause] = (), needed: int | None = None
) -> Answer:
    """An answer that rests on records, the first `needed` of them together (None: all).

    It has causes when it can't be told.
    """
    together = len(records) if needed is None else needed
    told = records if truth is not Truth.FALSE else ()
    used = (row for place, one in enumerate(told) for row in one.used(needed=place < together))
    return Answer(truth, tuple(used), each_once(tuple(causes)) if truth is Truth.UNKNOWN else ())


def _all_causes(records: Iterable[Candidate]) -> list[Cause]:
    return [cause for one in records for cause in one.causes]


# ---------------------------------------------------------------- how many


def enough(clause: Other, candidates: Sequence[Candidate]) -> Answer:
    """Whether there are `count` of them: surely, possibly, or not."""
    told = [one for one in candidates if one.truth is not Truth.FALSE]
    sure = [one for one in told if one.truth is Truth.TRUE]
    if _how_many(sure) >= clause.count:
        return _answer(Truth.TRUE, sure, needed=clause.count if clause.count > 1 else 0)
    if _how_many(told) < clause.count:
        return Answer(Truth.FALSE)
    return _answer(Truth.UNKNOWN, told, _all_causes(one for one in told if one.truth is Truth.UNKNOWN))


def _how_many(records: Iterable[Candidate]) -> int:
    """The number of records; the rows of one event are one."""
    return len({event_of(one.scope.domain, one.row) for one in records})


# ---------------------------------------------------------------- the latest


def latest(candidates: Sequence[Candidate]) -> Answer:
    """What the last record of the series in the window says; of several that it may be, all."""
    members = [one for one in candidates if one.member is not Truth.FALSE]
    sure = [one for one in members if one.member is Truth.TRUE]
    last = [one for one in members if not any(is_later(other.row, one.row) for other in sure)]
    if not last:
        return Answer(Truth.FALSE)
    truth = agreed({*(one.where for one in last), *(() if sure else (Truth.FALSE,))})
    dates = (cause for one in last for cause in because.of_start(one.scope.domain, one.row))
    return _answer(truth, last, [*_all_causes(last), *dates])


def is_later(one: Row, other: Row) -> bool:
    """Whether one record surely comes after another: by the day, else by time and row."""
    here, there = start_of(one), start_of(other)
    if here.exact and there.exact:
        return order(one) > order(other)
    return here.low is not None and there.high is not None and here.low > there.high


# ---------------------------------------------------------------- their sum


def total(clause: Other, asked: Sum, candidates: Sequence[Candidate], case: Case) -> Answer:
    """Whether the sum of a column is as asked, over the window or on one of its days."""
    told = [one for one in candidates if one.truth is not Truth.FALSE]
    if not told:
        return Answer(Truth.FALSE)
    per_day = asked.per is Each.DAY
    amounts = [_amount(one, asked, clause.at, per_day=per_day) for one in told]
    limit = Scope(case.context, clause.series.domain, {}, clause.series.unit, *_found(case))
    unsure = [one for one in amounts if not one.sure]
    days = sorted({one.days.low for one in amounts if one.sure and one.days.low is not None})
    parts = [[one for one in amounts if one.may_be_on(day)] for day in days] if per_day else [amounts]
    judged = [(part, _compared(part, asked.where, limit)) for part in parts]
    reached = [one.record for part, truth in judged if truth is Truth.TRUE for one in part]
    if reached:
        return _answer(Truth.TRUE, reached)
    if not unsure and all(truth is Truth.FALSE for _, truth in judged):
        return Answer(Truth.FALSE)
    causes = [cause for one in unsure for cause in one.causes]
    if not causes:
        causes = [*because.of_values(asked.where.right, limit)]
    return _answer(Truth.UNKNOWN, told, causes)


def _found(case: Case) -> tuple[str, Row]:
    return case.rule.series.domain, case.row


@dataclass(frozen=True)
class Amount:
    """What a record adds, on which days that may be, and why that can't be told (nothing: it is sure)."""

    record: Candidate
    value: Exact
    days: Days
    causes: Causes

    @property
    def sure(self) -> bool:
        """Whether it surely adds its value, on its day."""
        return not self.causes

    def may_be_on(self, day: int) -> bool:
        """Whether it may add something on a day."""
        low, high = self.days.low, self.days.high
        return (low is None or low <= day) and (high is None or day <= high)


def _amount(one: Candidate, asked: Sum, at: At, *, per_day: bool) -> Amount:
    column = asked.where.left
    assert isinstance(column, Column), "what is summed is a column"
    value = number(column, one.scope)
    days = days_of(one.row, at)
    causes = [*one.causes] if one.truth is Truth.UNKNOWN else []
    if value is None:
        causes += because.of_values(column, one.scope)
    if per_day and not days.exact:
        domain, row = one.scope.domain, one.row
        causes += because.of_start(domain, row) or because.of_end(domain, row) or _lasting(domain)
    return Amount(one, value or Exact(0.0, 0.0), days, tuple(causes))


def _lasting(domain: str) -> Causes:
    """It lasts more than a day, and does not say how much of it was on which."""
    return (Cause(because.MORE_DAYS, domain),)


def days_of(row: Row, at: At) -> Days:
    """The days on which the part of a record that is asked for may lie."""
    moment = moment_of(row)
    first = moment.end if at is At.END else moment.start
    last = moment.start if at is At.START else moment.end
    return Days(first.low, last.high)


def _compared(amounts: Sequence[Amount], where: Compare, limit: Scope) -> Truth:
    """Whether the sum is as asked; unknown with an amount that is not sure."""
    if any(not one.sure for one in amounts):
        return Truth.UNKNOWN
    values = [one.value for one in amounts]
    whole = Exact(sum(one.value for one in values), sum(one.size for one in values))
    return compare(where.comparator, only(whole), possible(where.right, limit))
