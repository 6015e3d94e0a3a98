"""A study's rules in their order: find, fold, judge; each ends in one of five outcomes.

The engine finds, `fold` makes episodes, and the reference judges every subject of whom something
is told. If the two disagree on a record, or either fails, the rule is broken; the others go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from monitor.engines import doubts, findings
from monitor.engines.blindness import (
    Emptiness,
    columns_unseen,
    not_received,
    series_unseen,
    subjects_unseen,
    words_instead,
)
from monitor.engines.finder import Finder, Found
from monitor.engines.findings import Setting, Subject
from monitor.engines.named import domains
from monitor.engines.untold import Untold
from monitor.errors import EngineError
from monitor.records import Episode, Finding, Outcome, RuleRun, Severity, Truth, Verdict
from monitor.rules.context import Context
from monitor.rules.fold import fold
from monitor.rules.reference import judge
from monitor.rules.rule import Rule

TOGETHER = 40  # subjects whose rows are judged at a time, so that memory stays small
SHOWN_ROWS = 20  # rows that are named when the engines disagree

Item = TypeVar("Item")


@dataclass(frozen=True)
class Scan:
    """One study's scan: the engine on its tables, its context, and the ids of its data."""

    engine: Finder
    context: Context
    study: str
    snapshot: str
    derived: str


@dataclass(frozen=True)
class Done:
    """A rule that was run: what other rules may refer to.

    `untold`: for a cause of the whole study, such as an empty column, it can't be told.
    """

    rule: Rule
    run: RuleRun
    episodes: tuple[Episode, ...] = ()
    untold: bool = False


class Disagreement(Exception):
    """The engine and the reference say different things of some rows."""


def _still() -> float:
    return 0.0


def evaluate(
    engine: Finder,
    rules: Sequence[Rule],
    context: Context,
    study: str,
    snapshot: str,
    *,
    derived: str = "",
    timer: Callable[[], float] = _still,
) -> tuple[RuleRun, ...]:
    """How each rule's run in a study ended, with its findings.

    `rules` are in dependency order; `snapshot` and `derived` are the ids of the data; `timer`
    gives seconds. The same inputs give the same findings, byte for byte.
    """
    scan = Scan(engine, context, study, snapshot, derived)
    done: dict[str, Done] = {}
    for rule in rules:
        started = timer()
        one = _tried(rule, scan, done)
        done[rule.id] = replace(one, run=replace(one.run, seconds=round(timer() - started, 3)))
    return tuple(one.run for one in done.values())


def _tried(rule: Rule, scan: Scan, done: Mapping[str, Done]) -> Done:
    """A rule that fails is broken; it never keeps the others from running."""
    try:
        return _evaluated(rule, scan, done)
    except Exception as error:  # noqa: BLE001 - whatever fails is told as an outcome, never swallowed
        return Done(rule, _run(rule, scan, Outcome.BROKEN, None, said=_what(error)))


def _what(error: Exception) -> str:
    """What failed and where, without any value of the data."""
    if isinstance(error, EngineError | Disagreement):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def _run(
    rule: Rule,
    scan: Scan,
    outcome: Outcome,
    found: Found | None,
    told: Sequence[Finding] = (),
    said: str = "",
) -> RuleRun:
    return RuleRun(
        study=scan.study,
        rule=rule.id,
        version=rule.version,
        severity=rule.severity,
        outcome=outcome,
        considered=found.considered if found else 0,
        subjects=found.subjects if found else 0,
        newest=found.newest if found else "",
        fired=found.fired if found else 0,
        cannot_tell=found.cannot_tell if found else 0,
        findings=() if rule.severity is Severity.NONE else tuple(told),
        said=said,
    )


# ---------------------------------------------------------------- one rule


def _evaluated(rule: Rule, scan: Scan, done: Mapping[str, Done]) -> Done:
    """Find, fold, judge."""
    for name in rule.refers_to:
        if name not in done or done[name].run.outcome is Outcome.BROKEN:
            return Done(
                rule, _run(rule, scan, Outcome.BROKEN, None, said=f"it refers to {name}, which is broken")
            )
    referred = {name: done[name] for name in rule.refers_to}
    setting = Setting(
        rule,
        scan.context,
        scan.study,
        scan.snapshot,
        scan.derived,
        referred={name: one.rule for name, one in referred.items()},
        episodes={name: one.episodes for name, one in referred.items()},
    )
    absent = not_received(rule, scan.context)
    if absent:
        return Done(rule, _blind(setting, scan, None, absent))
    given = [episode for one in referred.values() for episode in one.episodes]
    found = scan.engine.find(rule, scan.context, given)
    episodes = fold(rule, found.verdicts)
    unseen = series_unseen(rule, scan.context, scan.engine, found)
    if unseen and not found.fired:
        return Done(rule, _blind(setting, scan, found, unseen), episodes)
    told = _told(setting, scan, found, episodes, referred)
    return replace(_ended(setting, scan, found, told, referred), episodes=episodes)


def _ended(
    setting: Setting, scan: Scan, found: Found, told: list[Finding], referred: Mapping[str, Done]
) -> Done:
    """The outcome of a rule whose records were judged: fired, cannot tell, blind or clear."""
    rule = setting.rule
    wide = any(finding.truth is Truth.UNKNOWN and not finding.keys for finding in told)
    without = subjects_unseen(rule, scan.context, scan.engine)
    unseen = [doubts.blind_of(setting, without)] if without else []
    if found.fired or found.cannot_tell:
        outcome = Outcome.FIRED if found.fired else Outcome.CANNOT_TELL
        return Done(rule, _run(rule, scan, outcome, found, [*told, *unseen]), untold=wide)
    blind = _blind_rule(referred) or columns_unseen(rule, scan.context)
    if blind:
        return Done(rule, _blind(setting, scan, found, blind))
    if unseen:
        return Done(rule, _run(rule, scan, Outcome.BLIND, found, unseen, unseen[0].sentence))
    return Done(rule, _run(rule, scan, Outcome.CLEAR, found))


def _blind_rule(referred: Mapping[str, Done]) -> str:
    """Names a rule that it refers to and that saw nothing."""
    names = [
        name for name, one in referred.items() if one.run.outcome is Outcome.BLIND and not one.run.could_see
    ]
    return f"it refers to {', '.join(names)}, which saw nothing" if names else ""


def _blind(setting: Setting, scan: Scan, found: Found | None, said: str) -> RuleRun:
    instead = words_instead(setting.rule, scan.engine) if found else []
    finding = doubts.blind(setting, said, instead)
    return _run(setting.rule, scan, Outcome.BLIND, found, [finding], said)


# ---------------------------------------------------------------- judging


def _told(
    setting: Setting,
    scan: Scan,
    found: Found,
    episodes: Sequence[Episode],
    referred: Mapping[str, Done],
) -> list[Finding]:
    """The findings: what fires in the order of subjects and days, then what can't be told."""
    firing: dict[str, list[Episode]] = {}
    for episode in episodes:
        if episode.truth is Truth.TRUE:
            firing.setdefault(episode.subject, []).append(episode)
    untold_rules = frozenset(name for name, one in referred.items() if one.untold)
    untold = Untold(setting, Emptiness(setting.rule, scan.context, scan.engine, untold_rules))
    told: list[Finding] = []
    for subject in _judged(setting, scan, found):
        own = firing.get(subject.name, [])
        told += [findings.fired(setting, episode, subject) for episode in own]
        untold.add(subject, {verdict.row for episode in own for verdict in episode.verdicts})
    return [*told, *untold.findings()]


def _judged(setting: Setting, scan: Scan, found: Found) -> Iterator[Subject]:
    """Every subject of whom something may be told, judged by the reference.

    Raises Disagreement when the engine says anything else of a record.
    """
    rule, context = setting.rule, scan.context
    verdicts = _grouped(found.verdicts, lambda verdict: verdict.subject)
    names = sorted(verdicts)
    for start in range(0, len(names), TOGETHER):
        batch = names[start : start + TOGETHER]
        rows = {domain: scan.engine.rows(domain, batch) for domain in _domains(setting)}
        judged = judge(rule, rows, context, setting.episodes)
        _compare([one.verdict for one in judged], [each for name in batch for each in verdicts[name]])
        judged_of = _grouped(judged, lambda one: one.verdict.subject)
        rows_of = {domain: _grouped(given, lambda row: str(row["USUBJID"])) for domain, given in rows.items()}
        for name in batch:
            own = {domain: given.get(name, []) for domain, given in rows_of.items()}
            yield Subject(name, judged_of[name], own)


def _grouped(items: Iterable[Item], subject: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(subject(item), []).append(item)
    return groups


def _domains(setting: Setting) -> list[str]:
    """The domains whose rows are needed to judge, and for evidence: those that are there."""
    others = [rule.series.domain for rule in setting.referred.values()]
    wanted = dict.fromkeys((*domains(setting.rule), *others, "DOSE"))
    return [domain for domain in wanted if domain in setting.context.columns]


def _compare(reference: Sequence[Verdict], engine: Sequence[Verdict]) -> None:
    """Record by record: truth, where, clear and level must be the same."""
    expected = {verdict.row: verdict for verdict in reference}
    got = {verdict.row: verdict for verdict in engine}
    rows = sorted(row for row in expected.keys() | got.keys() if expected.get(row) != got.get(row))
    if rows or len(got) != len(engine):
        named = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        raise Disagreement(
            f"the engine and the reference disagree on {len(rows)} records: rows {named}{more}"
        )
