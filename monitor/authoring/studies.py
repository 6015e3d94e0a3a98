"""What rules say on the bench; of rules about a study each example is a study of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.authoring.bench import Bench, Case, Episodes
from monitor.records import Episode, Truth
from monitor.rules.findrule import entries_of, events_of, rate_in
from monitor.rules.fold import fold
from monitor.rules.rate import Over, Tally, reached_on, tally
from monitor.rules.reference import judge
from monitor.rules.rule import Rule

Own = Callable[[Rule], Sequence[Episode]]


def on_reference(bench: Bench, episodes: Episodes, rules: Iterable[Rule]) -> dict[str, Sequence[Episode]]:
    """The episodes of rules by the reference, beside the given ones of rules that they refer to."""
    found = dict(episodes)

    def own(rule: Rule) -> Sequence[Episode]:
        return fold(rule, [each.verdict for each in judge(rule, bench.rows, bench.context, found)])

    for rule in rules:
        found[rule.id] = episodes_of(rule, bench, found, own)
    return found


def episodes_of(rule: Rule, bench: Bench, found: Episodes, own: Own) -> list[Episode]:
    """The episodes of a rule; of one about a study, one for each that reaches its boundary.

    `found` are those of the rules that it refers to, `own` judges a rule's own records. The subject
    of a study's episode is the line that an example expects: "study 3/12".
    """
    if rule.rate is None:
        return list(own(rule))
    rate = rate_in(rule, bench.context)
    events, entries = events_of(rule, found, own), entries_of(rule, found, own)
    named = _named(bench.rows.get("DM", ()), rate.over)
    return [
        reached(rule, each, case.prefix + each.line)
        for case in bench.cases
        if case.rule.id == rule.id
        for each in tally(rate, _of(case, entries), _of(case, events), named)
        if each.crossed
    ]


def _of(case: Case, episodes: Sequence[Episode]) -> list[Episode]:
    return [episode for episode in episodes if episode.subject.startswith(case.prefix)]


def _named(subjects: Sequence[Mapping[str, object]], over: Over) -> Callable[[str], str]:
    column = "SITEID" if over is Over.SITE else "ARM"
    names = {str(row["USUBJID"]): str(row.get(column) or "") for row in subjects}
    return lambda subject: names.get(subject, "")


def reached(rule: Rule, found: Tally, name: str) -> Episode:
    """A boundary that was reached, as an episode of all that counted."""
    assert found.crossed is not None, "only what reaches its boundary is an episode"
    counted = found.members[: found.crossed.n]
    first = (one.first.verdicts[0] for one in found.events if one.first is not None)
    verdicts = tuple(replace(verdict, truth=Truth.TRUE, level=0) for verdict in first)
    return Episode(rule.id, name, Truth.TRUE, verdicts, reached_on(counted))
