"""Clauses as SQL: the truth, for each candidate, of `with`, `without`, their episodes, and `any`."""

from __future__ import annotations

from functools import singledispatch

from monitor.rules.asked import RELREC, lasts
from monitor.rules.rule import AnyOf, Other, With, Without, WithoutRule, WithRule
from monitor.rules.sql.episodes import compile_episodes
from monitor.rules.sql.frame import (
    UNKNOWN,
    Answer,
    Frame,
    Reach,
    Reaching,
    joined,
    reach_of,
    told_with,
    told_without,
)
from monitor.rules.sql.records import compile_records
from monitor.rules.sql.scope import greatest


@singledispatch
def compile_clause(clause: object, _frame: Frame) -> Answer:
    """A clause's truth (2, 1, 0) for each candidate."""
    raise AssertionError(f"no SQL for the clause {type(clause).__name__}")


@compile_clause.register
def _any_of(clause: AnyOf, frame: Frame) -> Answer:
    answers = [compile_clause(item, frame.under(str(n))) for n, item in enumerate(clause.items, start=1)]
    joins = tuple(join for answer in answers for join in answer.joins)
    return Answer(greatest([answer.truth for answer in answers]), joins)


@compile_clause.register
def _with(clause: With, frame: Frame) -> Answer:
    reach = _reach(clause, frame)
    if reach is None:
        return UNKNOWN
    found = compile_records(clause, frame)
    reaching = Reaching(clause.window, reach, lasts(clause))
    return Answer(told_with(joined(found), reaching, frame), (found,))


@compile_clause.register
def _without(clause: Without, frame: Frame) -> Answer:
    reach = _reach(clause, frame)
    if reach is None:
        return UNKNOWN
    found = compile_records(clause, frame)
    reaching = Reaching(clause.window, reach, lasts(clause))
    return Answer(told_without(joined(found), reaching, clause.open, frame), (found,))


def _reach(clause: Other, frame: Frame) -> Reach | None:
    """How far the other records are known; None when what the clause needs was not received."""
    if clause.linked and RELREC not in frame.context.columns:
        return None
    return reach_of(clause.series.domain, frame)


@compile_clause.register
def _with_rule(clause: WithRule, frame: Frame) -> Answer:
    if clause.window is None:
        found = compile_episodes(clause, frame)
        return Answer(joined(found), (found,))
    reach = reach_of(clause.domain, frame)
    if reach is None:
        return UNKNOWN
    found = compile_episodes(clause, frame, reach)
    return Answer(told_with(joined(found), Reaching(clause.window, reach), frame), (found,))


@compile_clause.register
def _without_rule(clause: WithoutRule, frame: Frame) -> Answer:
    if clause.window is None:
        found = compile_episodes(clause, frame)
        return Answer(2 - joined(found), (found,))
    reach = reach_of(clause.domain, frame)
    if reach is None:
        return UNKNOWN
    found = compile_episodes(clause, frame, reach)
    return Answer(told_without(joined(found), Reaching(clause.window, reach), clause.open, frame), (found,))
