"""Why a rule fired, stayed silent or can't tell: record by record, condition by condition.

It is the reference that speaks here: the definition of the rule's meaning, not the SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.authoring.notation import written
from monitor.engines import evidence
from monitor.engines.duckdb import Engine
from monitor.engines.named import columns
from monitor.records import Cause, Episode, Truth
from monitor.rules.answers import Judged, Used
from monitor.rules.case import start_of
from monitor.rules.clause_words import clause_words
from monitor.rules.context import Context
from monitor.rules.english import parameters
from monitor.rules.fold import fold
from monitor.rules.reference import judge
from monitor.rules.rule import And, Condition, Not, Or, Rule
from monitor.rules.terms import Row, Scope
from monitor.rules.truth import truth_of
from monitor.rules.wording import quantity

WORDS = {Truth.TRUE: "yes", Truth.FALSE: "no", Truth.UNKNOWN: "can't be told"}
VERDICTS = {Truth.TRUE: "fires", Truth.FALSE: "silent", Truth.UNKNOWN: "can't tell"}


@dataclass(frozen=True)
class Part:
    """One condition or clause on one record: what it asks, the answer, and what that rests on."""

    asks: str
    answer: str
    rests_on: str


@dataclass(frozen=True)
class Looked:
    """One record of the series: when, what it holds, the verdict, its parts, why it can't be told."""

    day: str
    source: str
    holds: str
    verdict: str
    level: int
    parts: tuple[Part, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """An episode of the subject: fires or can't tell, from when to when ("" is open)."""

    verdict: str
    opened: str
    closed: str


@dataclass(frozen=True)
class Why:
    """Everything that a rule says of one subject."""

    rule: str
    subject: str
    parameters: tuple[str, ...]
    records: tuple[Looked, ...]
    episodes: tuple[Span, ...]


def why_of(rules: Sequence[Rule], engine: Engine, context: Context, subject: str) -> Why:
    """What the last of `rules` says of a subject; it stands behind those that it refers to."""
    tables = {name for rule in rules for name in rule.tables} & set(engine.tables)
    rows = {name: engine.rows(name, [subject]) for name in tables}
    episodes: dict[str, Sequence[Episode]] = {}
    judged: list[Judged] = []
    for rule in rules:
        judged = judge(rule, rows, context, episodes)
        episodes[rule.id] = fold(rule, [one.verdict for one in judged])
    rule = rules[-1]
    return Why(
        rule.id,
        subject,
        tuple(f":{each.name} = {quantity(each)}" for each in parameters(rule, context, rules)),
        tuple(_looked(rule, context, one) for one in judged),
        tuple(
            Span(
                VERDICTS[each.truth],
                evidence.iso(each.opened),
                evidence.iso(each.closed) if each.closed else "",
            )
            for each in episodes[rule.id]
        ),
    )


def _looked(rule: Rule, context: Context, one: Judged) -> Looked:
    named = [column.name for domain, column in columns(rule) if domain == rule.series.domain]
    return Looked(
        day=evidence.drawn(one.verdict.days, one.verdict.second) or "no date",
        source=str(one.found.get("SOURCE") or ""),
        holds=_cells(one.found, named),
        verdict=VERDICTS[one.verdict.truth],
        level=one.verdict.level,
        parts=(*_conditions(rule, one.scope), *_clauses(rule, context, one)),
        causes=tuple(dict.fromkeys(_cause(cause) for cause in one.causes)),
    )


def _cells(row: Row, names: Sequence[str]) -> str:
    """The cells that the rule names, and the unit."""
    wanted = dict.fromkeys((*names, "UNIT"))
    return ", ".join(f"{name} {evidence.said(row[name])}" for name in wanted if row.get(name) is not None)


# ---------------------------------------------------------------- the parts of the answer


def _conditions(rule: Rule, scope: Scope) -> Iterator[Part]:
    """Each single test of the rule's own condition, as the record answers it."""
    for condition in (rule.series.of, rule.where):
        for leaf in _leaves(condition):
            yield Part(written(leaf), WORDS[truth_of(leaf, scope)], "")


def _leaves(condition: Condition | None) -> Iterator[Condition]:
    """The tests that `and`, `or` and `not` join."""
    match condition:
        case None:
            return
        case And(items) | Or(items):
            for item in items:
                yield from _leaves(item)
        case Not(item):
            yield from _leaves(item)
        case _:
            yield condition


def _place(used: Used) -> str:
    """Where a record that an answer rests on stands."""
    day = evidence.iso(start_of(used.row)) or "no date"
    return f"{used.domain} {day} {used.row.get('SOURCE') or ''}".strip()


def _cause(cause: Cause) -> str:
    """Why it can't be told, with what was received."""
    place = ".".join(part for part in (cause.domain, cause.column) if part)
    given = f" ({cause.given})" if cause.given else ""
    return f"{cause.kind}: {place}{given}" if place else f"{cause.kind}{given}"


def _clauses(rule: Rule, context: Context, one: Judged) -> Iterator[Part]:
    """Each clause of the rule, with the records on which its answer rests."""
    for clause, answer in zip(rule.clauses, one.answers, strict=True):
        rests = "; ".join(_place(used) for used in answer.used)
        yield Part(clause_words(clause, rule.series, context), WORDS[answer.truth], rests)
