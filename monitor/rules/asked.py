"""What the subject's other records say for a found record: `with` and `without`."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.records import Cause, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Answer
from monitor.rules.case import Case, event_of, in_series, moment_of
from monitor.rules.causes import why
from monitor.rules.rule import (
    RELATION,
    At,
    Each,
    Function,
    Open,
    Other,
    SeriesFunction,
    With,
    Without,
)
from monitor.rules.rule import Comparator as Is
from monitor.rules.series import History
from monitor.rules.terms import Row, Scope
from monitor.rules.together import Candidate, enough, latest, total
from monitor.rules.truth import no
from monitor.rules.windows import around, lies_in, reaches_past

RELREC = "RELREC"


def with_answer(clause: With, case: Case) -> Answer:
    """Whether there is such a record in the window; unknown while the data don't reach its end."""
    absent = _absent(clause, case)
    if absent:
        return not_received(absent)
    seen = seen_in(clause, case)
    return told_with(seen, past=_past(clause, case), lasts=lasts(clause), domain=clause.series.domain)


def without_answer(clause: Without, case: Case) -> Answer:
    """Whether there is no such record in the window.

    While the data don't reach the window's end: `wait` can't be told yet, `fire` takes the
    unreached days for empty.
    """
    absent = _absent(clause, case)
    if absent:
        return not_received(absent)
    past, domain = _past(clause, case), clause.series.domain
    return told_without(
        seen_in(clause, case), past=past, lasts=lasts(clause), opened=clause.open, domain=domain
    )


def _absent(clause: Other, case: Case) -> str:
    """What was not received and is needed, "" for nothing."""
    if clause.linked and RELREC not in case.context.columns:
        return RELREC
    domain = clause.series.domain
    return domain if case.context.reach(domain, case.site) is None else ""


def not_received(domain: str) -> Answer:
    """Nothing is known of a domain that was not received."""
    return Answer(Truth.UNKNOWN, (), (Cause(because.NOT_RECEIVED, domain),))


def told_with(seen: Answer, *, past: bool, domain: str, lasts: bool = True) -> Answer:
    """What is seen, while the window reaches `past` the data: `lasts` says that what is true stays true."""
    if past and not (lasts and seen.truth is Truth.TRUE):
        return Answer(Truth.UNKNOWN, seen.used, (*seen.causes, Cause(because.WINDOW_OPEN, domain)))
    return seen


def told_without(seen: Answer, *, past: bool, opened: Open | None, domain: str, lasts: bool = True) -> Answer:
    """The contrary of what is seen, as far as the data reach."""
    if past and opened is not Open.FIRE and not (lasts and seen.truth is Truth.TRUE):
        kind = because.WAITING if opened is Open.WAIT else because.WINDOW_OPEN
        return Answer(Truth.UNKNOWN, seen.used, (*seen.causes, Cause(kind, domain)))
    return Answer(no(seen.truth), seen.used if seen.truth is Truth.UNKNOWN else (), seen.causes)


def lasts(clause: Other) -> bool:
    """Whether what is true stays so, whatever else comes into the window.

    A later record can be the latest; a sum grows, and so can leave a limit that it must not reach.
    """
    if clause.sum is not None and clause.sum.per is Each.WINDOW:
        return clause.sum.where.comparator in (Is.GT, Is.GE)
    return not clause.latest


def _past(clause: Other, case: Case) -> bool:
    reach = case.context.reach(clause.series.domain, case.site)
    return reach is not None and reaches_past(clause.window, case.days, reach, case.row.get("SECOND"))


# ---------------------------------------------------------------- records


def seen_in(clause: Other, case: Case) -> Answer:
    """What the records that are there say."""
    found = list(candidates(clause, case))
    if clause.latest:
        return latest(found)
    if clause.sum is not None:
        return total(clause, clause.sum, found, case)
    return enough(clause, found)


def candidates(clause: Other, case: Case) -> Iterator[Candidate]:
    """The records of the clause's series that are possibly in its window."""
    linked = _linked(clause, case) if clause.linked else None
    members, past = case.members.get(clause.series), case.histories.get(clause.series)
    for other in case.others.get(clause.series.domain, ()) if members is None else members:
        if _is_none(clause, other, case) or (linked is not None and other["ROWN"] not in linked):
            continue
        window = _window(clause, other, case)
        if window is not Truth.FALSE:
            yield candidate(clause, other, case, window, past)


def _linked(clause: Other, case: Case) -> set[int]:
    """The rows of the clause's domain that RELREC links to the found record."""
    here, there = case.rule.series.domain, clause.series.domain
    return {
        pair["ROW_B"]
        for pair in case.others.get(RELATION, ())
        if (pair["DOMAIN_A"], pair["ROW_A"], pair["DOMAIN_B"]) == (here, case.row["ROWN"], there)
    }


def _is_found(clause: Other, other: Row, case: Case) -> bool:
    """Whether this is the found record itself."""
    return clause.series.domain == case.rule.series.domain and bool(other["ROWN"] == case.row["ROWN"])


def _is_none(clause: Other, other: Row, case: Case) -> bool:
    """Whether this is not another record: the found one, but for a sum, to which it may belong.

    Where several are counted, the further rows of the found event are none either.
    """
    domain = clause.series.domain
    if domain != case.rule.series.domain or clause.sum is not None:
        return False
    same_event = clause.count > 1 and event_of(domain, other) == event_of(domain, case.row)
    return same_event or _is_found(clause, other, case)


def candidate(clause: Other, other: Row, case: Case, window: Truth, past: History | None) -> Candidate:
    """Whether a record that is in the window is of the series, and why one of them can't be told."""
    series, found = clause.series, case.rule.series.domain
    scope = Scope(case.context, series.domain, other, series.unit, found, case.row, past)
    member = in_series(series, scope)
    causes = [*why(series.of, scope)] if member is Truth.UNKNOWN else []
    if window is Truth.UNKNOWN:
        causes += _why_window(clause, other, case)
    return Candidate(scope, clause.where, member, window, tuple(causes))


def _window(clause: Other, other: Row, case: Case) -> Truth:
    """Whether a record lies in the window; the found record itself where that has its own day."""
    window = clause.window
    since = _since_previous(clause, other, case) if window.previous else Truth.TRUE
    if _is_found(clause, other, case) and clause.at is not At.END and around(window.until):
        return since
    lies = lies_in(window.until, clause.at, case.moment, moment_of(other), case.tie(clause.tie))
    return min(since, lies)


def _since_previous(clause: Other, other: Row, case: Case) -> Truth:
    """Whether a record lies where a window begins that asks for the record before the found one."""
    since = case.since_previous(clause.window)
    return since if isinstance(since, Truth) else lies_in(since, clause.at, case.moment, moment_of(other))


def _why_window(clause: Other, other: Row, case: Case) -> list[Cause]:
    """Why it can't be told whether a record lies in the window."""
    domain, found = clause.series.domain, case.rule.series.domain
    dates = [*because.of_start(found, case.row)]
    dates += because.of_start(domain, other) or because.of_end(domain, other)
    if clause.window.previous:
        dates += because.of_values(SeriesFunction(Function.DAYS_SINCE_PREV), case.scope)
    timed = clause.window.hours or clause.tie is not None
    return dates or ([Cause(because.NO_TIME, domain)] if timed else [])
