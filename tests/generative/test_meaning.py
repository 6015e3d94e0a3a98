"""What must hold of any study and rule, whatever the rule says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.engines.evaluate import evaluate
from monitor.evidence import canonical
from monitor.records import Episode, Outcome, Truth, Verdict
from monitor.rules.answers import Judged
from monitor.rules.fold import fold, order
from monitor.rules.reference import judge
from monitor.rules.rule import Comparator, Per, Rule
from monitor.rules.values import agreed, between, compare
from tests.generative.budgets import FEW
from tests.generative.strategies import World, worlds
from tests.generative.tables import Shelf

SCANNED = settings(FEW, max_examples=8)  # each study is scanned twice on DuckDB

# ---------------------------------------------------------------- sets of possible values

ENDS = st.sampled_from([None, 0.0, 1.0, 2.0, 3.0])
STEPS = [step / 4 for step in range(-8, 21)]  # from below every end to above every end
HOLDS = {
    Comparator.EQ: lambda a, b: a == b,
    Comparator.NE: lambda a, b: a != b,
    Comparator.LT: lambda a, b: a < b,
    Comparator.LE: lambda a, b: a <= b,
    Comparator.GT: lambda a, b: a > b,
    Comparator.GE: lambda a, b: a >= b,
}
Bounds = tuple[float | None, float | None, bool, bool]


def values(bounds: Bounds) -> list[float]:
    """The values of a fine grid that lie within the bounds."""
    low, high, low_open, high_open = bounds
    return [
        step
        for step in STEPS
        if (low is None or step > low or (step == low and not low_open))
        and (high is None or step < high or (step == high and not high_open))
    ]


@settings(FEW, max_examples=300)
@given(
    comparator=st.sampled_from(list(Comparator)),
    left=st.tuples(ENDS, ENDS, st.booleans(), st.booleans()),
    right=st.tuples(ENDS, ENDS, st.booleans(), st.booleans()),
)
def test_a_comparison_says_what_all_possible_pairs_say(
    comparator: Comparator, left: Bounds, right: Bounds
) -> None:
    pairs = list(itertools.product(values(left), values(right)))
    if not pairs:
        return
    every = agreed(Truth.TRUE if HOLDS[comparator](a, b) else Truth.FALSE for a, b in pairs)
    sets = [
        between(low, high, low_open=low_open, high_open=high_open)
        for low, high, low_open, high_open in (left, right)
    ]
    assert compare(comparator, *sets) is every


# ---------------------------------------------------------------- judging and folding


def judged(world: World, rule: Rule) -> list[Judged]:
    episodes: dict[str, list[Episode]] = {name: [] for name in rule.refers_to}
    for episode in world.episodes:
        if episode.rule in episodes:
            episodes[episode.rule].append(episode)
    return judge(rule, world.tables, world.context, episodes)


@FEW
@given(world=worlds())
def test_what_can_not_be_told_has_a_cause_and_nothing_else_has(world: World) -> None:
    for rule in world.rules:
        for one in judged(world, rule):
            assert bool(one.causes) is (one.verdict.truth is Truth.UNKNOWN)
            assert one.used[0].role == "found"
            assert one.found["ROWN"] == one.verdict.row


@FEW
@given(world=worlds())
def test_a_subject_is_judged_by_its_own_records_alone(world: World) -> None:
    for rule in world.rules:
        together = [one.verdict for one in judged(world, rule)]
        alone = [
            one.verdict
            for subject in sorted({verdict.subject for verdict in together})
            for one in judged(_only(world, subject), rule)
        ]
        assert alone == together


def _only(world: World, subject: str) -> World:
    tables = {
        domain: [row for row in rows if row["USUBJID"] == subject] for domain, rows in world.tables.items()
    }
    return replace(world, tables=tables)


@pytest.mark.parametrize("per", list(Per))
@FEW
@given(world=worlds())
def test_every_record_that_is_told_is_in_one_episode(per: Per, world: World) -> None:
    for rule in world.rules:
        verdicts = [one.verdict for one in judged(world, rule)]
        episodes = fold(replace(rule, per=per), verdicts)
        held = sorted(verdict.row for episode in episodes for verdict in episode.verdicts)
        assert held == sorted(verdict.row for verdict in verdicts if verdict.truth is not Truth.FALSE)
        assert episodes == fold(replace(rule, per=per), verdicts[::-1])
        for episode in episodes:
            _is_sound(episode)


def _is_sound(episode: Episode) -> None:
    assert episode.truth is max(verdict.truth for verdict in episode.verdicts)
    first = next(verdict for verdict in episode.verdicts if verdict.truth is episode.truth)
    assert (episode.opened, episode.second) == (first.days, first.second)
    assert list(episode.verdicts) == sorted(episode.verdicts, key=order)


@FEW
@given(world=worlds())
def test_what_clears_an_episode_comes_surely_after_all_that_is_in_it(world: World) -> None:
    for rule in world.rules:
        if rule.clear is None:
            continue
        for episode in fold(rule, [one.verdict for one in judged(world, rule)]):
            if episode.closed is not None and episode.truth is Truth.TRUE:
                assert all(_before(verdict, episode) for verdict in episode.verdicts)


def _before(verdict: Verdict, episode: Episode) -> bool:
    last, closed = verdict.days.high, episode.closed
    return last is not None and closed is not None and closed.low is not None and last < closed.low


# ---------------------------------------------------------------- evaluation


@SCANNED
@given(world=worlds())
def test_no_rule_is_broken_and_the_findings_are_the_same_bytes(world: World, shelf: Shelf) -> None:
    rules = [rule for rule in world.rules if not rule.refers_to]
    with shelf.opened(world) as engine:
        first, second = (evaluate(engine, rules, world.context, "S", "snap") for _ in range(2))
    assert [run.said for run in first if run.outcome is Outcome.BROKEN] == []
    for one, other in zip(first, second, strict=True):
        assert [canonical(finding) for finding in one.findings] == [canonical(f) for f in other.findings]
        fires = [finding for finding in one.findings if finding.truth is Truth.TRUE]
        assert bool(fires) is (one.outcome is Outcome.FIRED and one.severity.rank > 0)
