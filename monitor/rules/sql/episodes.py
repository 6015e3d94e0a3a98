"""Other rules' episodes as SQL: the truth, for each candidate, of `[[with]] rule` and `[[without]] rule`."""

from __future__ import annotations

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    FromClause,
    Integer,
    String,
    and_,
    case,
    column,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
)

from monitor.rules.rule import OfRule, State
from monitor.rules.sql.frame import Frame, Reach, counted
from monitor.rules.sql.scope import Element, day, least, truth_of
from monitor.rules.sql.windows import Span, since_previous, start_of, within

EPISODE = table(
    "episode",
    column("rule", String()),
    column("subject", String()),
    column("truth", Integer()),
    column("open_lo", Integer()),
    column("open_hi", Integer()),
    column("open_second", Integer()),
    column("closed", Boolean()),
    column("close_lo", Integer()),
    column("close_hi", Integer()),
    column("open_row", BigInteger()),
)


def compile_episodes(clause: OfRule, frame: Frame, reach: Reach | None = None) -> CTE:
    """Whether enough episodes are in the state that is asked for, by the candidate's rown.

    In a window `reach` is how far the other rule's data reach.
    """
    here, episode = frame.candidates.relation, EPISODE.alias(f"{frame.name}_episode")
    asked = _asked(clause, frame, episode, reach)
    truth = least([episode.c.truth, truth_of(asked)])
    pairs = (
        select(here.c.rown, truth.label("truth"))
        .select_from(here.join(episode, here.c.usubjid == episode.c.subject))
        .where(episode.c.rule == literal(clause.rule, String()))
        .subquery()
    )
    return (
        select(pairs.c.rown, _enough(clause, pairs.c.truth).label("truth"))
        .where(pairs.c.truth > 0)
        .group_by(pairs.c.rown)
        .cte(frame.name)
    )


def _enough(clause: OfRule, truth: Element) -> Element:
    if clause.count == 1:
        return func.max(truth)
    return counted(func.count(case((truth == 2, 1))), func.count(), clause.count)


def _asked(clause: OfRule, frame: Frame, episode: FromClause, reach: Reach | None) -> Element | None:
    """Whether an episode is as the clause asks for, three-valued; None: always."""
    here = frame.candidates.relation
    if clause.window is None or reach is None:
        return is_open(clause, here, episode, frame.context.same_day)
    start, end = _days(clause.state, episode, reach)
    window, found = clause.window, frame.candidates
    lies = within(window.until, start_of(found), start, end)
    if window.previous:
        lies = since_previous(window, found, start, end, lies)
    if clause.state is not State.CLOSED:
        return lies
    return episode.c.closed if lies is None else and_(episode.c.closed, lies)


def _days(state: State, episode: FromClause, reach: Reach) -> tuple[Span, Span]:
    """The first and last day of what must lie in a window.

    An episode is open until the day before it closes; one that has not closed as far as the data reach.
    """
    opened = Span(episode.c.open_lo, episode.c.open_hi, episode.c.open_second)
    if state is State.OPENED:
        return opened, opened
    if state is State.CLOSED:
        closed = Span(episode.c.close_lo, episode.c.close_hi, episode.c.open_second)
        return closed, closed
    first, last = episode.c.close_lo - day(1), episode.c.close_hi - day(1)
    eve = case((or_(first.is_(None), first < opened.low), opened.low), else_=first)
    later = case((last < opened.high, opened.high), (opened.high.is_not(None), last))
    low = case((episode.c.closed, eve), else_=reach.day)
    return opened, Span(low, case((episode.c.closed, later)), opened.second)


def is_open(clause: OfRule, here: FromClause, episode: FromClause, same_day: str) -> Element:
    """Whether an episode is open at the found record `here`."""
    still = or_(~episode.c.closed, _not_yet_closed(here, episode))
    return and_(_opened(clause, here, episode, same_day), still)


def _opened(clause: OfRule, here: FromClause, episode: FromClause, same_day: str) -> Element:
    """Whether the episode opened before the found record."""
    first, last = here.c.day_lo, here.c.day_hi
    open_lo, open_hi = episode.c.open_lo, episode.c.open_hi
    if not clause.same_day:
        return case((open_hi < first, true()), (open_lo >= last, false()))
    exact = and_(first == last, open_lo == open_hi)
    earlier, later = episode.c.open_second < here.c.second, episode.c.open_second > here.c.second
    answers: list[tuple[Element, Element]] = [
        (open_hi < first, true()),
        (open_lo > last, false()),
        (and_(exact, earlier), true()),
        (and_(exact, later), false()),
    ]
    ties: dict[str, list[tuple[Element, Element]]] = {
        "before": [(open_hi <= first, true())],
        "after": [(open_lo >= last, false())],
    }
    return case(*answers, *ties.get(same_day, []))


def _not_yet_closed(here: FromClause, episode: FromClause) -> Element:
    """Whether the found record lies before the day on which the episode closed."""
    return case((here.c.day_hi < episode.c.close_lo, true()), (here.c.day_lo >= episode.c.close_hi, false()))
