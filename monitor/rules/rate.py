"""`[rate]`: a rule about a study, a site or an arm, judged after each subject. Pure.

Who counts, in which order:

- The denominator are the subjects of whom the rule in `among` surely fires, in the order of the day on
  which it first did; without `among` those to whom a dose was given, in the order of their first dose.
- A subject counts once, however often the rule's records are found, and only as one of these. Events of
  others are named beside the result.
- A subject of whom it can't be told whether there was an event counts as one, and is shown apart. One of
  whom it can't be told whether he is evaluable counts only with a sure event. Of subjects of one day, and
  where dates are partial, those with an event come first. So what is unknown can only make the boundary
  be reached sooner.
- After each subject the count of events so far is compared with the boundary; reached once is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from monitor.records import Days, Episode, Truth
from monitor.rules.context import Parameter
from monitor.rules.nodes import Param
from monitor.statistics.boundaries import Boundary, boundary
from monitor.statistics.designs import Design

LATE = 10**9  # after every day


class Over(StrEnum):
    """What the rule is about."""

    STUDY = "study"
    SITE = "site"
    ARM = "arm"


@dataclass(frozen=True)
class Rate:
    """Over what, among whom (the id of a rule; "" is whoever got a dose), and at which counts it fires.

    `params` are the numbers of the boundary that are parameters: `boundary` has them as the pack does,
    `in_study` as a study does.
    """

    over: Over
    boundary: Design
    among: str = ""
    params: tuple[tuple[str, Param], ...] = ()

    def in_study(self, params: Mapping[str, Parameter]) -> Rate:
        """The same with a study's numbers; what they contradict is found by `statistics.problems`."""
        given: dict[str, Any] = {name: number(name, params[param.name].value) for name, param in self.params}
        return replace(self, boundary=replace(self.boundary, **given))

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that it needs beside those of the rules: doses, and where subjects belong."""
        doses = () if self.among else ("DOSE",)
        return doses if self.over is Over.STUDY else (*doses, "DM")


COUNTS = ("n_max", "at_least", "min_subjects")


def number(name: str, value: float) -> float | int:
    """A number of a boundary: a count of subjects is whole, or refused later."""
    return int(value) if name in COUNTS and value == int(value) else value


@dataclass(frozen=True)
class Member:
    """A subject who counts. `event` is TRUE, UNKNOWN or FALSE; `first` the finding that makes the event."""

    subject: str
    entered: Days
    event: Truth
    first: Episode | None = None


@dataclass(frozen=True)
class Look:
    """How many events among how many subjects."""

    x: int
    n: int

    def __str__(self) -> str:
        return f"{self.x}/{self.n}"


@dataclass(frozen=True)
class Tally:
    """One study, site or arm (`name`, "" for the study): its subjects in order, and what they come to.

    `crossed` is the first look at which the boundary was reached; `outside` are subjects with an
    event who are not evaluable.
    """

    name: str
    rate: Rate
    members: tuple[Member, ...]
    outside: tuple[str, ...]

    @property
    def boundary(self) -> Boundary:
        """The boundary that it is compared with."""
        return boundary(self.rate.boundary)

    @property
    def looks(self) -> tuple[Look, ...]:
        """The events after each subject."""
        found: list[Look] = []
        x = 0
        for n, member in enumerate(self.members, start=1):
            x += member.event is not Truth.FALSE
            found.append(Look(x, n))
        return tuple(found)

    @property
    def now(self) -> Look:
        """All events among all subjects."""
        return self.looks[-1] if self.members else Look(0, 0)

    @property
    def crossed(self) -> Look | None:
        """The first look at which the boundary was reached."""
        return next((look for look in self.looks if self.boundary.crossed(look.x, look.n)), None)

    @property
    def events(self) -> tuple[Member, ...]:
        """The subjects with an event, also those of whom it can't be told, in order."""
        return tuple(member for member in self.members if member.event is not Truth.FALSE)

    @property
    def untold(self) -> tuple[str, ...]:
        """The subjects who count as events because it can't be told."""
        return tuple(member.subject for member in self.members if member.event is Truth.UNKNOWN)

    @property
    def beyond(self) -> bool:
        """Whether there are more subjects than the boundary was made for: its last count holds on."""
        last = self.rate.boundary.n_max
        return last is not None and self.now.n > last

    @property
    def line(self) -> str:
        """What an example of the rule expects: "study 3/12", "site 101 2/4"."""
        return " ".join(part for part in (self.rate.over, self.name, str(self.crossed or self.now)) if part)


def tally(
    rate: Rate,
    evaluable: Iterable[Episode],
    events: Iterable[Episode],
    named: Callable[[str], str] = lambda subject: "",  # noqa: ARG005
) -> tuple[Tally, ...]:
    """The study, or each site or arm in order. `named` gives a subject's site or arm.

    `evaluable` are the episodes of the rule in `among`, `events` those of the rule's own records.
    """
    entered, found = _first(evaluable), _first(events)
    members = [_member(subject, episode, found.get(subject)) for subject, episode in entered.items()]
    counted = [member for member in members if member is not None]
    outside = sorted(found.keys() - {member.subject for member in counted})
    names = {_name(rate, member.subject, named) for member in counted}
    names |= {_name(rate, subject, named) for subject in outside}
    return tuple(
        Tally(
            name,
            rate,
            tuple(sorted((m for m in counted if _name(rate, m.subject, named) == name), key=_order)),
            tuple(subject for subject in outside if _name(rate, subject, named) == name),
        )
        for name in sorted(names or {""})
    )


def _name(rate: Rate, subject: str, named: Callable[[str], str]) -> str:
    return "" if rate.over is Over.STUDY else named(subject)


def _first(episodes: Iterable[Episode]) -> Mapping[str, Episode]:
    """Of each subject the first episode that fires, else the first that can't be told."""
    found: dict[str, Episode] = {}
    for episode in sorted(episodes, key=_when):
        held = found.get(episode.subject)
        if held is None or held.truth < episode.truth:
            found[episode.subject] = episode
    return found


def _when(episode: Episode) -> tuple[str, int, int]:
    low, high = episode.opened.low, episode.opened.high
    return episode.subject, LATE if low is None else low, LATE if high is None else high


def _member(subject: str, entry: Episode, event: Episode | None) -> Member | None:
    """A subject who counts; None when he may not be evaluable and has no sure event."""
    if entry.truth is not Truth.TRUE and (event is None or event.truth is not Truth.TRUE):
        return None
    return Member(subject, entry.opened, Truth.FALSE if event is None else event.truth, event)


def _order(member: Member) -> tuple[int, bool, str]:
    """An event as early as it can have been, its absence as late; of one day events come first."""
    silent = member.event is Truth.FALSE
    day = member.entered.high if silent else member.entered.low
    return (LATE if silent else -LATE) if day is None else day, silent, member.subject


def reached_on(members: Sequence[Member]) -> Days:
    """The day on which all was there: the last of the entries and of the events of these subjects."""
    days = [member.entered for member in members]
    days += [member.first.opened for member in members if member.first is not None]
    low = [day.low for day in days if day.low is not None]
    high = [day.high for day in days if day.high is not None]
    return Days(max(low, default=None), max(high, default=None))
