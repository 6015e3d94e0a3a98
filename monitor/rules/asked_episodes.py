"""What other rules' episodes say for a found record: `[[with]] rule` and `[[without]] rule`."""

from __future__ import annotations

from dataclasses import replace

from monitor.records import Cause, Episode, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Answer
from monitor.rules.asked import not_received, told_with, told_without
from monitor.rules.case import Case
from monitor.rules.rule import OfRule, Window, WithoutRule, WithRule
from monitor.rules.windows import in_state, reaches_past


def with_rule_answer(clause: WithRule, case: Case) -> Answer:
    """Whether there are such episodes."""
    reach = _reach(clause, case)
    if reach is None:
        return not_received(clause.domain)
    return told_with(_seen(clause, case, reach), past=_past(clause, case, reach), domain=clause.domain)


def without_rule_answer(clause: WithoutRule, case: Case) -> Answer:
    """Whether there are none, or fewer."""
    reach = _reach(clause, case)
    if reach is None:
        return not_received(clause.domain)
    past = _past(clause, case, reach)
    return told_without(_seen(clause, case, reach), past=past, opened=clause.open, domain=clause.domain)


def _reach(clause: OfRule, case: Case) -> int | None:
    """How far the other rule's episodes are known, which is asked only in a window; None: not received."""
    return 0 if clause.window is None else case.context.reach(clause.domain, case.site)


def _past(clause: OfRule, case: Case, reach: int) -> bool:
    return clause.window is not None and reaches_past(clause.window, case.days, reach)


def _seen(clause: OfRule, case: Case, reach: int) -> Answer:
    """Whether enough episodes are in the state that is asked for."""
    truths = [_in_state(clause, episode, case, reach) for episode in case.episodes.get(clause.rule, ())]
    if truths.count(Truth.TRUE) >= clause.count:
        return Answer(Truth.TRUE)
    if len(truths) - truths.count(Truth.FALSE) < clause.count:
        return Answer(Truth.FALSE)
    return Answer(Truth.UNKNOWN, (), (Cause(because.EPISODE, "", clause.rule),))


def _in_state(clause: OfRule, episode: Episode, case: Case, reach: int) -> Truth:
    """Whether an episode is as the clause asks for, also where its window begins with an earlier record."""
    window = clause.window
    if window is None or not window.previous:
        return in_state(clause, episode, case.moment, case.context.same_day, reach)
    since = case.since_previous(window)
    if isinstance(since, Window):
        since = in_state(replace(clause, window=since), episode, case.moment, case.context.same_day, reach)
    until = replace(clause, window=window.until)
    return min(since, in_state(until, episode, case.moment, case.context.same_day, reach))
