"""Clauses as SQL: the truth, for each candidate, of `with`, `without`, `[[with]] rule` and `any`.

A clause is a left join to the greatest truth among the other records of the subject, computed
once for all candidates; never a correlated subquery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

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

from monitor.rules.context import Context
from monitor.rules.rule import AnyOf, At, Condition, Open, Window, With, Without, WithRule
from monitor.rules.sql.conditions import compile_condition, not_false
from monitor.rules.sql.scope import (
    Element,
    Scope,
    Source,
    Words,
    columns_in,
    day,
    greatest,
    least,
    missing,
    received_source,
    truth_of,
)

PLACED = ("rown", "usubjid", "day_lo", "day_hi", "end_lo", "end_hi")  # what a window asks of a record


@dataclass(frozen=True)
class Answer:
    """A clause's truth for a candidate, and the tables that must be joined to it by rown."""

    truth: Element
    joins: tuple[CTE, ...] = ()


@dataclass(frozen=True)
class Frame:
    """What clauses hang on: the candidates, the name for the clause's own table, the rule's world."""

    candidates: Source
    name: str
    context: Context
    words: Words

    def under(self, part: str) -> Frame:
        """The same, for a part of the clause."""
        return Frame(self.candidates, f"{self.name}_{part}", self.context, self.words)


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
    reach = _reach(clause.series.domain, frame)
    if reach is None:
        return Answer(literal(1, Integer()))
    found = _records(clause, frame)
    truth = _joined(found)
    past = _past(clause.window, reach, frame.candidates)
    return Answer(case(*_not_received(reach), (truth == 2, 2), (past, 1), else_=truth), (found,))


@compile_clause.register
def _without(clause: Without, frame: Frame) -> Answer:
    reach = _reach(clause.series.domain, frame)
    if reach is None:
        return Answer(literal(1, Integer()))
    found = _records(clause, frame)
    truth = _joined(found)
    past = false() if clause.open is Open.FIRE else _past(clause.window, reach, frame.candidates)
    return Answer(case(*_not_received(reach), (truth == 2, 0), (past, 1), else_=2 - truth), (found,))


def _joined(found: CTE) -> Element:
    """A left-joined truth: 0 where there was no other record."""
    return func.coalesce(found.c.truth, 0)


# ---------------------------------------------------------------- how far the data reach


@dataclass(frozen=True)
class Reach:
    """The last day that a domain's data reach, for each candidate; `always` says that it is known."""

    day: Element
    always: bool


def _reach(domain: str, frame: Frame) -> Reach | None:
    """How far a domain's data reach, by the candidate's site; None when it was not received."""
    days = {site: last for (name, site), last in frame.context.through.items() if name == domain}
    if not days:
        return None
    rest = days.pop("", None)
    otherwise = missing(BigInteger()) if rest is None else day(rest)
    site = frame.candidates.fixed("siteid")
    named = [(site == literal(name, String()), day(last)) for name, last in sorted(days.items())]
    return Reach(case(*named, else_=otherwise) if named else otherwise, always=rest is not None)


def _not_received(reach: Reach) -> list[tuple[Element, int]]:
    """For the candidates of a site from which the domain was not received, nothing is known."""
    return [] if reach.always else [(reach.day.is_(None), 1)]


def _past(window: Window, reach: Reach, found: Source) -> Element:
    """Whether the window reaches past the data; that of a date without a last day does."""
    if window.high is None:
        return false()
    last = found.fixed("day_hi")
    return or_(last.is_(None), last + day(window.high) > reach.day)


# ---------------------------------------------------------------- other records


def _records(clause: With | Without, frame: Frame) -> CTE:
    """The greatest truth (1 or 2) among the other records, by the candidate's rown."""
    series = clause.series
    conditions = [condition for condition in (series.of, clause.where) if condition is not None]
    joined = [item for item in conditions if columns_in([item], of_found=True)]
    alone = [item for item in conditions if item not in joined]
    other = _other(clause, alone, joined, frame)
    scope = Scope(frame.context, frame.words, other, series.unit, frame.candidates)
    window = compile_window(clause.window, frame.candidates, *_ends(clause.at, other))
    asked = [window, *(compile_condition(item, scope) for item in joined)]
    truth = least([other.fixed("truth"), *(truth_of(item) for item in asked if item is not None)])
    here, there = frame.candidates.relation, other.relation
    same_subject = here.c.usubjid == there.c.usubjid
    if series.domain == frame.candidates.domain:  # a clause asks for another record
        same_subject = and_(same_subject, here.c.rown != there.c.rown)
    pairs = select(here.c.rown, truth.label("truth")).select_from(here.join(there, same_subject)).subquery()
    return (
        select(pairs.c.rown, func.max(pairs.c.truth).label("truth"))
        .where(pairs.c.truth > 0)
        .group_by(pairs.c.rown)
        .cte(frame.name)
    )


def _other(
    clause: With | Without, alone: Sequence[Condition], joined: Sequence[Condition], frame: Frame
) -> Source:
    """The other records for which what can be asked of them alone is not false, with its truth."""
    domain, units = clause.series.domain, [clause.series.unit] if clause.series.unit else []
    wanted = columns_in([*alone, *joined], of_found=False)
    source = received_source(domain, wanted, units, frame.context, frame.words)
    scope = Scope(frame.context, frame.words, source, clause.series.unit)
    asked = and_(true(), *(compile_condition(item, scope) for item in alone)) if alone else None
    later = source.carried(["analyte"], columns_in(joined, of_found=False), units) if joined else []
    columns = [*source.carried(PLACED, [], []), *later, truth_of(asked).label("truth")]
    if asked is None:
        return source.over(select(*columns).cte(f"{frame.name}_record"))
    member = not_false(clause.series.of if clause.series.of in alone else None, scope)
    records = select(*columns).where(member).subquery("asked")
    return source.over(select(*records.c).where(records.c.truth > 0).cte(f"{frame.name}_record"))


def _ends(at: At, other: Source) -> tuple[Element, Element, Element, Element]:
    """First and last possible day of the start, and of the end, of what must lie in the window."""
    start = (other.fixed("day_lo"), other.fixed("day_hi"))
    end = (other.fixed("end_lo"), other.fixed("end_hi"))
    match at:
        case At.ANY:
            return (*start, *end)
        case At.START:
            return (*start, *start)
        case At.END:
            return (*end, *end)


def compile_window(
    window: Window, found: Source, start_lo: Element, start_hi: Element, end_lo: Element, end_hi: Element
) -> Element | None:
    """Whether the days from start to end meet the window around the found record; None: always."""
    if window.low is None and window.high is None:
        return None
    low, high = found.fixed("day_lo"), found.fixed("day_hi")
    surely: list[Element] = []
    never: list[Element] = [false()]
    if window.high is not None:
        surely.append(start_hi <= low + day(window.high))
        never.append(start_lo > high + day(window.high))
    if window.low is not None:
        surely.append(end_lo >= high + day(window.low))
        never.append(end_hi < low + day(window.low))
    dated = and_(or_(start_lo.is_not(None), start_hi.is_not(None)), or_(low.is_not(None), high.is_not(None)))
    return case((and_(dated, *surely), true()), (and_(dated, or_(*never)), false()))


# ---------------------------------------------------------------- other rules' episodes

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
)


@compile_clause.register
def _with_rule(clause: WithRule, frame: Frame) -> Answer:
    here, episode = frame.candidates.relation, EPISODE.alias(f"{frame.name}_episode")
    open_here = is_open(clause, here, episode, frame.context.same_day)
    truth = least([episode.c.truth, truth_of(open_here)])
    pairs = (
        select(here.c.rown, truth.label("truth"))
        .select_from(here.join(episode, here.c.usubjid == episode.c.subject))
        .where(episode.c.rule == literal(clause.rule, String()))
        .subquery()
    )
    found = (
        select(pairs.c.rown, func.max(pairs.c.truth).label("truth")).group_by(pairs.c.rown).cte(frame.name)
    )
    return Answer(_joined(found), (found,))


def is_open(clause: WithRule, here: FromClause, episode: FromClause, same_day: str) -> Element:
    """Whether an episode is open at the found record `here`."""
    still = or_(~episode.c.closed, _not_yet_closed(here, episode))
    return and_(_opened(clause, here, episode, same_day), still)


def _opened(clause: WithRule, here: FromClause, episode: FromClause, same_day: str) -> Element:
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
