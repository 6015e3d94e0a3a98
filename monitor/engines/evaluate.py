"""A study's rules in their order: find, fold, judge; each ends in one of five outcomes.

The engine finds, `fold` makes episodes, and the reference judges all records of those of whom a rule
fires, and of others those that can't be told. If the two disagree on a record, or either fails, the rule
is broken; the others go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.engines import doubts, findings, rates
from monitor.engines.blindness import (
    Emptiness,
    columns_unseen,
    not_received,
    series_unseen,
    subjects_unseen,
    words_instead,
)
from monitor.engines.finder import Finder, Found
from monitor.engines.findings import Setting
from monitor.engines.judging import Disagreement, judged
from monitor.engines.untold import Untold
from monitor.errors import EngineError, RuleError
from monitor.records import Episode, Finding, Outcome, RuleRun, Severity, Truth
from monitor.rules.context import Context
from monitor.rules.findrule import entries_of, events_of, rate_in
from monitor.rules.fold import fold
from monitor.rules.rate import Rate, tally
from monitor.rules.rule import Per, Rule


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
    if isinstance(error, EngineError | Disagreement | RuleError):
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
    if rule.rate is not None:
        return _of_study(setting, rate_in(rule, scan.context), scan, referred)
    absent = not_received(rule, scan.context)
    if absent:
        return Done(rule, _blind(setting, scan, None, absent))
    found, episodes = _found(setting, scan)
    unseen = "" if rule.finds else series_unseen(rule, scan.context, scan.engine, found)
    if unseen and not found.fired:
        return Done(rule, _blind(setting, scan, found, unseen), episodes)
    told = _told(setting, scan, found, episodes, referred)
    ended = _ended(setting, scan, found, told, referred)
    return replace(ended, run=_looked_at(ended.run, referred) if rule.finds else ended.run, episodes=episodes)


def _looked_at(run: RuleRun, referred: Mapping[str, Done]) -> RuleRun:
    """A run of a rule that finds what others found: it looked at what they looked at."""
    runs = [one.run for one in referred.values()]
    return replace(
        run,
        considered=sum(each.considered for each in runs),
        subjects=max(each.subjects for each in runs),
        newest=max(each.newest for each in runs),
    )


def _found(setting: Setting, scan: Scan, *, first: bool = False) -> tuple[Found, tuple[Episode, ...]]:
    """What the engine finds, and its episodes; with `first` only of each subject's surest record."""
    given = [episode for episodes in setting.episodes.values() for episode in episodes]
    found = scan.engine.find(setting.rule, scan.context, given, first=first)
    return found, fold(setting.rule, found.verdicts)


def _of_study(setting: Setting, rate: Rate, scan: Scan, referred: Mapping[str, Done]) -> Done:
    """A rule about a study, its sites or its arms: what was found of subjects, counted."""
    blind: list[str] = []

    def own(rule: Rule) -> tuple[Episode, ...]:
        """The episodes of records that it asks for itself, judged by the reference too."""
        blind.append(not_received(rule, scan.context))
        if blind[-1]:
            return ()
        asked = replace(setting, rule=rule)
        once = rule.per is Per.SUBJECT and not (rule.clear or rule.levels)  # only that it is one counts
        found, episodes = _found(asked, scan, first=once)
        blind.append("" if rule.finds else series_unseen(rule, scan.context, scan.engine, found))
        for _ in judged(asked, scan.engine, found, ()):  # raises when they disagree
            pass
        return episodes

    events = events_of(setting.rule, setting.episodes, own)
    entries = entries_of(setting.rule, setting.episodes, own)
    subjects = sorted({episode.subject for episode in (*events, *entries)})
    tallies = tally(rate, entries, events, rates.names(scan.engine, rate.over, subjects))
    told = [rates.reached(setting, each, scan.engine) for each in tallies if each.crossed]
    said = next(filter(None, (*blind, _blind_rule(referred), columns_unseen(setting.rule, scan.context))), "")
    if told or not said:
        outcome = Outcome.FIRED if told else Outcome.CLEAR
        run = _run(setting.rule, scan, outcome, None, told, "; ".join(map(rates.state, tallies)))
    else:
        run = _blind(setting, scan, None, said)
    return Done(setting.rule, rates.counted(run, tallies))


def _ended(
    setting: Setting, scan: Scan, found: Found, told: list[Finding], referred: Mapping[str, Done]
) -> Done:
    """The outcome of a rule whose records were judged: fired, cannot tell, blind or clear."""
    rule = setting.rule
    wide = any(finding.truth is Truth.UNKNOWN and not finding.keys for finding in told)
    without = () if rule.finds else subjects_unseen(rule, scan.context, scan.engine)
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
    for subject in judged(setting, scan.engine, found, episodes):
        own = firing.get(subject.name, [])
        told += [findings.fired(setting, episode, subject) for episode in own]
        untold.add(subject, {verdict.row for episode in own for verdict in episode.verdicts})
    return [*told, *untold.findings()]
