"""What rules say on the bench; of rules about a study each example is a study of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

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
    return [
        _episode(rule, case, each)
        for case in bench.cases
        if case.rule.id == rule.id
        for each in tally(
            rate, _of(case, entries), _of(case, events), _named(bench.rows.get("DM", ()), rate.over)
        )
        if each.crossed
    ]


def _of(case: Case, episodes: Sequence[Episode]) -> list[Episode]:
    return [episode for episode in episodes if episode.subject.startswith(case.prefix)]


def _named(subjects: Sequence[Mapping[str, object]], over: Over) -> Callable[[str], str]:
    column = "SITEID" if over is Over.SITE else "ARM"
    names = {str(row["USUBJID"]): str(row.get(column) or "") for row in subjects}
    return lambda subject: names.get(subject, "")


def _episode(rule: Rule, case: Case, each: Tally) -> Episode:
    assert each.crossed is not None, "only what reaches its boundary is an episode"
    counted = each.members[: each.crossed.n]
    verdicts = tuple(one.first.verdicts[0] for one in counted if one.first is not None)
    return Episode(rule.id, case.prefix + each.line, Truth.TRUE, verdicts, reached_on(counted))
