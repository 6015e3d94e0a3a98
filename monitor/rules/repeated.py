"""The reference's answers once runs are counted: each with the records that make its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitor.records import Cause, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Apart, Judged, Used, each_row_once
from monitor.rules.causes import each_once
from monitor.rules.rule import Rule
from monitor.rules.runs import Counted, counted


def with_runs(rule: Rule, judged: Sequence[Judged]) -> list[Judged]:
    """What a rule with `repeat` says of each record, from what was said of each apart."""
    assert rule.repeat is not None, "only a rule with `repeat` has runs"
    by_row = {one.verdict.row: one for one in judged}
    said = counted(rule.repeat, [_apart(one).reading for one in judged])
    return [_counted(rule, one, said[one.verdict.row], by_row) for one in judged]


def _apart(one: Judged) -> Apart:
    assert one.apart is not None, "a rule with `repeat` says of each record what it is apart from runs"
    return one.apart


def _counted(rule: Rule, one: Judged, said: Counted, by_row: Mapping[int, Judged]) -> Judged:
    """The record with its run: evidence of what fires are all occasions that were counted."""
    if said.verdict.truth is Truth.FALSE:
        return replace(one, verdict=said.verdict, used=one.used[:1], causes=())
    earlier = [by_row[row] for row in said.run if row != one.verdict.row]
    used = (
        *one.used,
        *_apart(one).end,
        *(Used("run", rule.series.domain, other.found) for other in earlier),
        *(used for other in earlier for used in other.used),
    )
    return replace(
        one, verdict=said.verdict, used=each_row_once(used), causes=_causes(rule, one, said, by_row)
    )


def _causes(rule: Rule, one: Judged, said: Counted, by_row: Mapping[int, Judged]) -> tuple[Cause, ...]:
    if said.verdict.truth is Truth.TRUE:
        return ()
    doubtful = [by_row[row] for row in said.doubts]
    gap = (Cause(because.GAP, rule.series.domain),) if said.gap else ()
    return each_once((*gap, *(cause for other in doubtful for cause in _apart(other).causes))) or one.causes
