"""Other records as SQL: what `with` and `without` ask of them, once for all candidates.

A clause is a left join to what is said of the subject's other records together, never a
correlated subquery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import CTE, FromClause, String, and_, case, func, literal, select, true

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules.rule import Condition, Other, Tie
from monitor.rules.series import functions_in
from monitor.rules.sql.conditions import compile_condition, not_false
from monitor.rules.sql.frame import Frame, counted
from monitor.rules.sql.scope import Element, Scope, Source, columns_in, least, received_source, truth_of
from monitor.rules.sql.series import partition_columns, remembered
from monitor.rules.sql.windows import in_window

PLACED = ("rown", "usubjid", "day_lo", "day_hi", "end_lo", "end_hi")  # what a window asks of a record


def compile_records(clause: Other, frame: Frame) -> CTE:
    """Whether there are enough such records (1 or 2), by the candidate's rown."""
    pairs = _pairs(clause, frame)
    return (
        select(pairs.c.rown, _enough(clause, pairs).label("truth"))
        .where(pairs.c.truth > 0)
        .group_by(pairs.c.rown)
        .cte(frame.name)
    )


def _enough(clause: Other, pairs: FromClause) -> Element:
    """The truth of a group of pairs: of one record its own, of several their number."""
    truth = pairs.c.truth
    if clause.count == 1:
        return func.max(truth)
    if not _are_events(clause):
        return counted(func.count(case((truth == 2, 1))), func.count(), clause.count)
    surely = func.count(case((truth == 2, pairs.c.event)).distinct())
    return counted(surely, func.count(pairs.c.event.distinct()), clause.count)


def _are_events(clause: Other) -> bool:
    return DOMAINS[clause.series.domain].record_class is RecordClass.EVENTS


def _event(key: Element) -> Element:
    """The natural key of an event: that of all the rows in which it was delivered."""
    pattern, kept = "(-[0-9a-f]{16})-[0-9]+$", r"\1"
    return func.regexp_replace(key, literal(pattern, String()), literal(kept, String()))


# ---------------------------------------------------------------- pairs


def _pairs(clause: Other, frame: Frame) -> FromClause:
    """Each candidate with each other record of its subject, and whether it is such a record."""
    series = clause.series
    conditions = [condition for condition in (series.of, clause.where) if condition is not None]
    joined = [item for item in conditions if columns_in([item], of_found=True)]
    alone = [item for item in conditions if item not in joined]
    other = _other(clause, alone, joined, frame)
    scope = Scope(frame.context, frame.words, other, series.unit, frame.candidates)
    tie = frame.context.same_day if clause.tie is Tie.STUDY else clause.tie
    lies = in_window(clause.window, clause.at, frame.candidates, other, tie)
    asked = [lies, *(compile_condition(item, scope) for item in joined)]
    truth = least([other.fixed("truth"), *(truth_of(item) for item in asked if item is not None)])
    here, there = frame.candidates.relation, other.relation
    columns = [here.c.rown, truth.label("truth"), *([there.c.event] if "event" in there.c else [])]
    return select(*columns).select_from(here.join(there, _another(clause, frame, there))).subquery()


def _another(clause: Other, frame: Frame, there: FromClause) -> Element:
    """That it is another record of the same subject; where events are counted, of another event."""
    here = frame.candidates.relation
    same_subject = here.c.usubjid == there.c.usubjid
    if clause.series.domain != frame.candidates.domain:
        return same_subject
    another = and_(same_subject, here.c.rown != there.c.rown)
    return and_(another, _event(here.c.key) != there.c.event) if "event" in there.c else another


def _other(clause: Other, alone: Sequence[Condition], joined: Sequence[Condition], frame: Frame) -> Source:
    """The other records for which what can be asked of them alone is not false, with its truth."""
    domain, units = clause.series.domain, [clause.series.unit] if clause.series.unit else []
    past = [(function, clause.series.unit) for function in functions_in(clause.where)]
    keys = partition_columns(domain) if past else ()
    wanted = tuple(dict.fromkeys((*columns_in([*alone, *joined], of_found=False), *keys)))
    source = received_source(domain, wanted, units, frame.context, frame.words)
    scope = Scope(frame.context, frame.words, source, clause.series.unit)
    source = remembered(source, clause.series.of, past, scope)
    scope = replace(scope, record=source)
    asked = and_(true(), *(compile_condition(item, scope) for item in alone)) if alone else None
    later = source.carried(["analyte"], columns_in(joined, of_found=False), units) if joined else []
    later += source.recalled() if functions_in(*joined) else []
    timed = ["second"] if clause.tie is not None or clause.window.hours else []
    event = clause.count > 1 and _are_events(clause)
    natural = [_event(source.fixed("key")).label("event")] if event else []
    columns = [*source.carried((*PLACED, *timed), [], []), *later, *natural, truth_of(asked).label("truth")]
    if asked is None:
        return source.over(select(*columns).cte(f"{frame.name}_record"))
    member = not_false(clause.series.of if clause.series.of in alone else None, scope)
    records = select(*columns).where(member).subquery("asked")
    return source.over(select(*records.c).where(records.c.truth > 0).cte(f"{frame.name}_record"))
