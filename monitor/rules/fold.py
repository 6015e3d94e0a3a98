"""What a rule says of single records, folded into episodes: where they begin, and what ends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.records import Episode, Truth, Verdict
from monitor.rules.case import natural_key
from monitor.rules.rule import Per, Rule
from monitor.rules.series import place


def order(verdict: Verdict) -> tuple[int, int, int, int]:
    """First day (missing last), time (missing first), last day, row number."""
    return place(verdict.days, verdict.second, verdict.row)


def fold(rule: Rule, verdicts: Iterable[Verdict]) -> tuple[Episode, ...]:
    """The episodes of a rule, by subject and in their order.

    `verdicts` are of all records of the series, also those that are false: `clear`, and the end
    of an episode without one, depend on them.
    """
    by_subject: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=order):
        by_subject.setdefault(verdict.subject, []).append(verdict)
    return tuple(
        episode for subject in sorted(by_subject) for episode in fold_subject(rule, by_subject[subject])
    )


def fold_subject(rule: Rule, verdicts: Sequence[Verdict]) -> list[Episode]:
    """The episodes of one subject, whose verdicts are in order."""
    if rule.per is Per.SUBJECT:
        return [_closed_later(rule, _whole(rule, _told(verdicts)), verdicts)] if _told(verdicts) else []
    if rule.per is Per.RECORD:
        return _per_record(rule, verdicts)
    return _with_clear(rule, verdicts) if rule.clear else _without_clear(rule, verdicts)


def _told(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The records that fire or can't be told."""
    return [verdict for verdict in verdicts if verdict.truth is not Truth.FALSE]


def _per_record(rule: Rule, verdicts: Sequence[Verdict]) -> list[Episode]:
    """One episode for each record: its rows, such as one for each drug, are one.

    An event that was delivered in several rows (one for each drug, or for each visit at which it
    went on) shares its natural key, and is one event; the ordinal at the end of KEY tells its rows apart.
    """
    event = DOMAINS[rule.series.domain].record_class is RecordClass.EVENTS
    by_key: dict[str, list[Verdict]] = {}
    for verdict in _told(verdicts):
        key = natural_key(verdict.key) if event else verdict.key
        by_key.setdefault(key, []).append(verdict)
    return [_closed_later(rule, _whole(rule, told), verdicts) for told in by_key.values()]


def _whole(rule: Rule, told: Sequence[Verdict]) -> Episode:
    """All given records as one episode, opened by the first that is as true as it gets."""
    truth = max(verdict.truth for verdict in told)
    first = next(verdict for verdict in told if verdict.truth is truth)
    return Episode(rule.id, first.subject, truth, tuple(told), first.days, first.second)


def _closed_later(rule: Rule, episode: Episode, verdicts: Sequence[Verdict]) -> Episode:
    """The episode, closed on the first later day on which the subject's records clear it."""
    if rule.clear is None:
        return episode
    days = (day for day in by_day(verdicts) if clears(day, episode))
    first = next(days, None)
    return episode if first is None else replace(episode, closed=first[0].days)


# ---------------------------------------------------------------- runs


def by_day(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """The records in order, those of one first day together."""
    return [list(day) for _, day in groupby(verdicts, key=lambda verdict: verdict.days.low)]


def clears(day: Sequence[Verdict], episode: Episode) -> bool:
    """Whether a day ends an episode: surely later, and every record of it satisfies `clear`."""
    lasts = [verdict.days.high for verdict in episode.verdicts]
    low = day[0].days.low
    if low is None or not all(last is not None and low > last for last in lasts):
        return False
    return all(verdict.clear is Truth.TRUE and verdict.days.exact for verdict in day)


def _with_clear(rule: Rule, verdicts: Sequence[Verdict]) -> list[Episode]:
    """Runs that last until `clear`; on one day `clear` comes first, then what opens."""
    episodes: list[Episode] = []
    current: Episode | None = None
    for day in by_day(verdicts):
        if current is not None and clears(day, current):
            episodes.append(replace(current, closed=day[0].days))
            current = None
        for verdict in _told(day):
            current = _continued(rule, current, verdict, episodes)
    return episodes if current is None else [*episodes, current]


def _without_clear(rule: Rule, verdicts: Sequence[Verdict]) -> list[Episode]:
    """Runs that last until a record on which `where` is false; `with` neither opens nor ends."""
    episodes: list[Episode] = []
    current: Episode | None = None
    for verdict in verdicts:
        if current is not None and verdict.where is Truth.FALSE:
            episodes.append(replace(current, closed=verdict.days))
            current = None
        if verdict.truth is not Truth.FALSE:
            current = _continued(rule, current, verdict, episodes)
    return episodes if current is None else [*episodes, current]


def _continued(rule: Rule, current: Episode | None, verdict: Verdict, done: list[Episode]) -> Episode:
    """The open episode with one more record.

    A record that fires in an episode that could only not be told ends it there (it joins
    `done`), and begins the episode that fires.
    """
    if current is not None and verdict.truth > current.truth:
        done.append(replace(current, closed=verdict.days))
        current = None
    if current is None:
        return _whole(rule, [verdict])
    return replace(current, verdicts=(*current.verdicts, verdict))
