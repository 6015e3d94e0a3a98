"""Other records as SQL: what `with` and `without` ask of them, once for all candidates.

A clause is a left join to what is said of the subject's other records together, never a
correlated subquery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import (
    CTE,
    BigInteger,
    FromClause,
    String,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    table,
    true,
)

from monitor.rules.rule import At, Condition, Other, Tie
from monitor.rules.series import functions_in
from monitor.rules.sql.conditions import compile_condition, not_false
from monitor.rules.sql.expressions import compile_expression
from monitor.rules.sql.frame import Frame
from monitor.rules.sql.scope import Element, Scope, Source, columns_in, least, received_source, truth_of
from monitor.rules.sql.series import partition_columns, remembered
from monitor.rules.sql.together import are_events, enough, latest, natural, total
from monitor.rules.sql.windows import apart, in_window
from monitor.rules.windows import around

PLACED = ("rown", "usubjid", "day_lo", "day_hi", "end_lo", "end_hi")  # what a window asks of a record

RELATION = table(
    "relation",
    column("domain_a", String()),
    column("row_a", BigInteger()),
    column("domain_b", String()),
    column("row_b", BigInteger()),
)


def compile_records(clause: Other, frame: Frame) -> CTE:
    """What the other records say together (1 or 2; or 0), by the candidate's rown."""
    pairs = _pairs(clause, frame)
    if clause.latest:
        return latest(pairs, frame.name)
    if clause.sum is not None:
        return total(clause, clause.sum, pairs, frame)
    return enough(clause, pairs, frame.name)


Truths = Mapping[str, Sequence[Condition]]


def _truths(clause: Other) -> Truths:
    """The truths that a pair has, with the conditions on the record that each is the least of."""
    of = [] if clause.series.of is None else [clause.series.of]
    where = [] if clause.where is None else [clause.where]
    return {"truth": of, "asked": where} if clause.latest else {"truth": [*of, *where]}


def _names_found(condition: Condition) -> bool:
    """Whether a condition can only be asked of a pair."""
    return bool(columns_in([condition], of_found=True))


def _pairs(clause: Other, frame: Frame) -> FromClause:
    """Each candidate with each other record of its subject, and whether it is such a record."""
    other = _other(clause, frame)
    scope = Scope(frame.context, frame.words, other, clause.series.unit, frame.candidates)
    here, there = frame.candidates.relation, other.relation
    lies = _lies(clause, frame, other)
    truths = {
        name: least([other.fixed(name), *(truth_of(compile_condition(item, scope)) for item in joined)])
        for name, asked in _truths(clause).items()
        for joined in [[item for item in asked if _names_found(item)]]
    }
    if lies is not None:
        truths["truth"] = least([truths["truth"], truth_of(lies)])
    kept = [there.c[name] for name in _kept(clause) if name in there.c]
    columns = [here.c.rown, *kept, *(truth.label(name) for name, truth in truths.items())]
    return select(*columns).select_from(_joined(clause, frame, other)).subquery()


def _kept(clause: Other) -> tuple[str, ...]:
    """What is asked of the other records beside their truth."""
    if clause.latest:
        return ("day_lo", "day_hi", "place")
    if clause.sum is not None:
        return ("day_lo", "day_hi", "end_lo", "end_hi", "amount")
    return ("event",)


def _lies(clause: Other, frame: Frame, other: Source) -> Element | None:
    """Whether it lies in the window; None: always. To a sum the found record itself may belong."""
    tie = frame.context.same_day if clause.tie is Tie.STUDY else clause.tie
    lies = in_window(clause.window, clause.at, frame.candidates, other, tie)
    if lies is None or not _with_itself(clause, frame) or not around(clause.window) or clause.at is At.END:
        return lies
    itself = frame.candidates.relation.c.rown == other.relation.c.rown
    return case((itself, true()), else_=lies)


def _with_itself(clause: Other, frame: Frame) -> bool:
    return clause.sum is not None and clause.series.domain == frame.candidates.domain


def _joined(clause: Other, frame: Frame, other: Source) -> FromClause:
    """The candidates with the other records; where events are counted, with those of other events."""
    here, there = frame.candidates.relation, other.relation
    pair = [here.c.usubjid == there.c.usubjid, *_near(clause, frame, other)]
    if clause.series.domain == frame.candidates.domain and clause.sum is None:
        pair.append(here.c.rown != there.c.rown)
        if "event" in there.c:
            pair.append(natural(here.c.key) != there.c.event)
    if not clause.linked:
        return here.join(there, and_(*pair))
    link = RELATION.alias(f"{frame.name}_link")
    linked = and_(
        link.c.row_a == here.c.rown,
        link.c.domain_a == literal(frame.candidates.domain, String()),
        link.c.domain_b == literal(clause.series.domain, String()),
    )
    return here.join(link, linked).join(there, and_(link.c.row_b == there.c.rown, *pair))


def _near(clause: Other, frame: Frame, other: Source) -> list[Element]:
    """Leaves out pairs that are far apart: most are, and only the others need to be looked at closely."""
    far = apart(clause.window, clause.at, frame.candidates, other)
    if far is None:
        return []
    near = func.coalesce(~far, true())
    itself = frame.candidates.relation.c.rown == other.relation.c.rown
    return [or_(itself, near) if _with_itself(clause, frame) else near]


# ---------------------------------------------------------------- the other records alone


def _other(clause: Other, frame: Frame) -> Source:
    """The other records for which what can be asked of them alone is not false, with its truths."""
    domain, units = clause.series.domain, [clause.series.unit] if clause.series.unit else []
    summed = [clause.sum.where.left] if clause.sum else []
    past = [(function, clause.series.unit) for function in functions_in(clause.where)]
    named = columns_in([clause.series.of, clause.where, *summed], of_found=False)
    wanted = tuple(dict.fromkeys((*named, *(partition_columns(domain) if past else ()))))
    source = received_source(domain, wanted, units, frame.context, frame.words)
    scope = Scope(frame.context, frame.words, source, clause.series.unit)
    source = remembered(source, clause.series.of, past, scope)
    scope = replace(scope, record=source)
    pairwise = [item for asked in _truths(clause).values() for item in asked if _names_found(item)]
    later = columns_in(pairwise, of_found=False)
    columns = [
        *source.carried((*PLACED, *_timed(clause)), [], []),
        *(source.carried(["analyte"], later, units) if pairwise else []),
        *(source.recalled() if functions_in(*pairwise) else []),
        *_made(clause, source, scope),
        *(_alone(asked, scope).label(name) for name, asked in _truths(clause).items()),
    ]
    of = clause.series.of
    member = true() if of is None or _names_found(of) else not_false(of, scope)
    records = select(*columns).where(member).subquery("asked")
    return source.over(select(*records.c).where(records.c.truth > 0).cte(f"{frame.name}_record"))


def _timed(clause: Other) -> tuple[str, ...]:
    return ("second",) if clause.tie is not None or clause.window.hours else ()


def _alone(asked: Sequence[Condition], scope: Scope) -> Element:
    """The truth of the conditions that a record can be asked alone."""
    alone = [compile_condition(item, scope) for item in asked if not _names_found(item)]
    return truth_of(and_(true(), *alone) if alone else None)


def _made(clause: Other, source: Source, scope: Scope) -> list[Element]:
    """What is made of the records: an event's natural key, the place in the order, what is summed."""
    if clause.latest:
        rows = source.relation.c
        order = (rows.day_lo.nulls_last(), rows.second.nulls_first(), rows.rown)
        return [func.row_number().over(partition_by=rows.usubjid, order_by=order).label("place")]
    if clause.sum is not None:
        return [compile_expression(clause.sum.where.left, scope).point.label("amount")]
    if clause.count > 1 and are_events(clause):
        return [natural(source.fixed("key")).label("event")]
    return []
