"""What the subject's other records say for a found record: `with` and `without`."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.records import Cause, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Answer, Used, rows_of
from monitor.rules.case import Case, event_of, in_series, moment_of
from monitor.rules.causes import each_once, why
from monitor.rules.histories import remembered
from monitor.rules.rule import Open, Other, Window, With, Without
from monitor.rules.terms import Row, Scope
from monitor.rules.truth import holds, no
from monitor.rules.windows import lies_in, reaches_past


def with_answer(clause: With, case: Case) -> Answer:
    """Whether there is such a record in the window; unknown while the data don't reach its end."""
    domain = clause.series.domain
    reach = case.context.reach(domain, case.site)
    if reach is None:
        return not_received(domain)
    return told_with(_seen(clause, case), past=_past(clause.window, case, reach), domain=domain)


def without_answer(clause: Without, case: Case) -> Answer:
    """Whether there is no such record in the window.

    While the data don't reach the window's end: `wait` can't be told yet, `fire` takes the
    unreached days for empty.
    """
    domain = clause.series.domain
    reach = case.context.reach(domain, case.site)
    if reach is None:
        return not_received(domain)
    past = _past(clause.window, case, reach)
    return told_without(_seen(clause, case), past=past, opened=clause.open, domain=domain)


def not_received(domain: str) -> Answer:
    """Nothing is known of a domain that was not received."""
    return Answer(Truth.UNKNOWN, (), (Cause(because.NOT_RECEIVED, domain),))


def told_with(seen: Answer, *, past: bool, domain: str) -> Answer:
    """What is seen is there; what is not seen may still come while the window reaches `past` the data."""
    if seen.truth is not Truth.TRUE and past:
        return Answer(Truth.UNKNOWN, seen.used, (*seen.causes, Cause(because.WINDOW_OPEN, domain)))
    return seen


def told_without(seen: Answer, *, past: bool, opened: Open | None, domain: str) -> Answer:
    """The contrary of what is seen, as far as the data reach."""
    if seen.truth is not Truth.TRUE and past and opened is not Open.FIRE:
        kind = because.WAITING if opened is Open.WAIT else because.WINDOW_OPEN
        return Answer(Truth.UNKNOWN, seen.used, (*seen.causes, Cause(kind, domain)))
    return Answer(no(seen.truth), seen.used if seen.truth is Truth.UNKNOWN else (), seen.causes)


def _past(window: Window, case: Case, reach: int) -> bool:
    return reaches_past(window, case.days, reach, case.row.get("SECOND"))


# ---------------------------------------------------------------- records


def _seen(clause: Other, case: Case) -> Answer:
    """Whether enough other records satisfy the clause, and which."""
    answers = [
        candidate(clause, other, case)
        for other in case.others.get(clause.series.domain, ())
        if not _is_found(clause, other, case)
    ]
    return enough(clause, [one for one in answers if one.truth is not Truth.FALSE])


def enough(clause: Other, told: Sequence[Answer]) -> Answer:
    """Whether there are `count` of them: surely, possibly, or not."""
    sure = [one for one in told if one.truth is Truth.TRUE]
    if _how_many(clause, sure) >= clause.count:
        return Answer(Truth.TRUE, rows_of(sure))
    if _how_many(clause, told) < clause.count:
        return Answer(Truth.FALSE)
    return Answer(Truth.UNKNOWN, rows_of(told), each_once(cause for one in told for cause in one.causes))


def _how_many(clause: Other, answers: Sequence[Answer]) -> int:
    """The number of records; the rows of one event are one."""
    domain = clause.series.domain
    others = (used.row for one in answers for used in one.used if used.role == "with")
    return len({event_of(domain, row) for row in others})


def _is_found(clause: Other, other: Row, case: Case) -> bool:
    """Whether this is the found record itself: a clause asks for another record.

    Where several are counted, the further rows of the found event are none either.
    """
    domain = clause.series.domain
    if domain != case.rule.series.domain:
        return False
    same_event = clause.count > 1 and event_of(domain, other) == event_of(domain, case.row)
    return same_event or bool(other["ROWN"] == case.row["ROWN"])


def candidate(clause: Other, other: Row, case: Case) -> Answer:
    """Whether one other record is of the series, in the window, and as `where` says."""
    series = clause.series
    past, found = case.histories.get(series), case.rule.series.domain
    scope = Scope(case.context, series.domain, other, series.unit, found, case.row, past)
    window = lies_in(clause.window, clause.at, case.moment, moment_of(other), case.tie(clause.tie))
    if window is Truth.FALSE:
        return Answer(window)
    truth = min(in_series(series, scope), holds(clause.where, scope), window)
    used = (Used("with", series.domain, other), *remembered(clause.where, scope))
    if truth is not Truth.UNKNOWN:
        return Answer(truth, used)
    unknown = [*why(series.of, scope), *why(clause.where, scope)]
    if window is Truth.UNKNOWN:
        unknown += _why_window(clause, other, case)
    return Answer(truth, used, each_once(tuple(unknown)))


def _why_window(clause: Other, other: Row, case: Case) -> list[Cause]:
    """Why it can't be told whether a record lies in the window."""
    domain, found = clause.series.domain, case.rule.series.domain
    dates = [*because.of_start(found, case.row)]
    dates += because.of_start(domain, other) or because.of_end(domain, other)
    timed = clause.window.hours or clause.tie is not None
    return dates or ([Cause(because.NO_TIME, domain)] if timed else [])
