"""What a rule would have done over a study's history, cut-off by cut-off.

At each cut-off the rule sees only records that begin up to that day, and data that reach no
further. An episode that shares a record with one seen before is the same alert going on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.authoring.examples import day_words
from monitor.authoring.studies import reached
from monitor.engines.duckdb import Engine
from monitor.engines.findings import most_severe
from monitor.engines.rates import names
from monitor.records import Episode, Truth, day_date
from monitor.rules.context import Context
from monitor.rules.findrule import entries_of, events_of, rate_in
from monitor.rules.fold import fold
from monitor.rules.rate import tally
from monitor.rules.rule import Rule

WEEK = 7  # days


@dataclass(frozen=True)
class Raised:
    """An alert that a rule would have raised: whose, since when, on which cut-off it was first seen."""

    subject: str
    opened: str
    seen: int  # days since 1970-01-01
    severity: str
    keys: frozenset[str]

    @property
    def day(self) -> str:
        """The cut-off as an ISO date."""
        return day_date(self.seen).isoformat()

    @property
    def week(self) -> str:
        """The Monday of the cut-off's week, as an ISO date."""
        return day_date(self.seen - day_date(self.seen).weekday()).isoformat()


@dataclass(frozen=True)
class History:
    """The alerts of a rule over its cut-offs, and how many records it could not tell at the last one."""

    raised: tuple[Raised, ...]
    cut_offs: int
    cannot_tell: int


def cut_offs(days: Iterable[int], *, weekly: bool) -> list[int]:
    """The cut-offs for records of these days: each of them, or the Sunday of each week with one."""
    each = set(days)
    if weekly:
        each = {day - day_date(day).weekday() + WEEK - 1 for day in each}
    return sorted(each)


def history(
    rules: Sequence[Rule],
    tables: Mapping[str, Path],
    context: Context,
    days: Sequence[int],
    step: Callable[[str], None] = lambda _: None,
) -> History:
    """The alerts of the last of `rules`, which stand behind those that they refer to.

    `tables` are a study's derived tables, `days` the cut-offs in their order; `step` hears how
    far it is.
    """
    raised: list[Raised] = []
    cannot_tell = 0
    for number, day in enumerate(days, 1):
        step(f"cut-off {number} of {len(days)}, {day_date(day).isoformat()}")
        episodes = _at(rules, tables, context, day)
        cannot_tell = sum(episode.truth is Truth.UNKNOWN for episode in episodes)
        for episode in episodes:
            if episode.truth is Truth.TRUE:
                _note(raised, rules[-1], episode, day)
    return History(tuple(raised), len(days), cannot_tell)


def _note(raised: list[Raised], rule: Rule, episode: Episode, day: int) -> None:
    """Keep an episode: as a new alert, or as one that goes on with further records."""
    firing = [verdict for verdict in episode.verdicts if verdict.truth is Truth.TRUE]
    keys = frozenset(verdict.key for verdict in firing)
    for place, known in enumerate(raised):
        if known.subject == episode.subject and known.keys & keys:
            raised[place] = replace(known, keys=known.keys | keys)
            return
    severity, _ = most_severe(rule, firing)
    raised.append(Raised(episode.subject, day_words(episode.opened), day, severity.value, keys))


def _at(rules: Sequence[Rule], tables: Mapping[str, Path], context: Context, day: int) -> Sequence[Episode]:
    """The episodes of the last rule as they stood on a day."""
    known = replace(
        context, as_of=day, through={place: min(last, day) for place, last in context.through.items()}
    )
    asked = {domain for rule in rules for domain in rule.domains}
    shown = {domain: path for domain, path in tables.items() if domain in asked}
    episodes: dict[str, Sequence[Episode]] = {}
    with Engine(shown, until=day, criteria=context.criteria) as engine:

        def own(rule: Rule) -> Sequence[Episode]:
            given = [episode for name in rule.refers_to for episode in episodes[name]]
            return fold(rule, engine.find(rule, known, given).verdicts)

        for rule in rules:
            episodes[rule.id] = (
                own(rule) if rule.rate is None else _of_study(rule, engine, episodes, own, known)
            )
    return episodes[rules[-1].id]


def _of_study(
    rule: Rule,
    engine: Engine,
    episodes: Mapping[str, Sequence[Episode]],
    own: Callable[[Rule], Sequence[Episode]],
    context: Context,
) -> list[Episode]:
    """What a rule about a study tells: an episode for the study, or for each site or arm."""
    rate = rate_in(rule, context)
    events, entries = events_of(rule, episodes, own), entries_of(rule, episodes, own)
    subjects = sorted({episode.subject for episode in (*events, *entries)})
    tallies = tally(rate, entries, events, names(engine, rate.over, subjects))
    return [reached(rule, each, f"{rate.over} {each.name}".strip()) for each in tallies if each.crossed]


# ---------------------------------------------------------------- two versions


@dataclass(frozen=True)
class Change:
    """What another version of a rule would have changed."""

    gained: tuple[Raised, ...]
    lost: tuple[Raised, ...]
    kept: int


def change(current: History, draft: History) -> Change:
    """The alerts that only the draft raises, those that only the current version does, and how many both."""
    gained = tuple(each for each in draft.raised if not _among(each, current.raised))
    lost = tuple(each for each in current.raised if not _among(each, draft.raised))
    return Change(gained, lost, len(draft.raised) - len(gained))


def _among(one: Raised, others: Iterable[Raised]) -> bool:
    return any(one.subject == other.subject and one.keys & other.keys for other in others)
