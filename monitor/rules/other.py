"""The clauses of the rule tree: what is asked of other records and of other rules' episodes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from monitor.rules.nodes import Compare, Condition


@dataclass(frozen=True)
class Series:
    """The records looked at: a domain, narrowed by `of`; `unit` is that of the rule's numbers.

    `unit` is a key of `monitor.clinical.units`. A record for which `of` is unknown belongs to
    the series, and its truth is at most unknown.
    """

    domain: str
    of: Condition | None = None
    unit: str = ""


@dataclass(frozen=True)
class Window:
    """Days relative to the found record, both ends included; None is unbounded.

    An unbounded high end means the end of the data, so it never reaches past them. With `hours`
    both ends are hours. With `previous` it begins on the day of the record before the found one in
    its series, or `low` days after that day; without such a record nothing lies in it.
    """

    low: int | None
    high: int | None
    hours: bool = False
    previous: bool = False

    @property
    def until(self) -> Window:
        """The same without its beginning, when that depends on the record before the found one."""
        return replace(self, low=None, previous=False) if self.previous else self


class At(StrEnum):
    """Which part of the other record must lie in the window."""

    ANY = "any"
    START = "start"
    END = "end"


class Open(StrEnum):
    """What a `without` says while the data have not passed the end of its window."""

    WAIT = "wait"
    FIRE = "fire"


class Tie(StrEnum):
    """Where another record of the same day lies, when times don't say it; `study`: as it is configured."""

    BEFORE = "before"
    AFTER = "after"
    CANNOT_TELL = "cannot tell"
    STUDY = "study"


# ---------------------------------------------------------------- other records


class Each(StrEnum):
    """Over what is summed: all records in the window, or those of each day."""

    DAY = "day"
    WINDOW = "window"


@dataclass(frozen=True)
class Sum:
    """`where` compares the sum of its left side, a column, over all such records, with its right side."""

    where: Compare
    per: Each = Each.WINDOW


@dataclass(frozen=True)
class Other:
    """What is asked of the subject's other records: such a one lies in the window, and `where` holds.

    `count` asks for at least so many. Of records of an event that were delivered in several rows,
    all are one. With `sum` the records' sum decides, the found record's among them if it is such a
    record; with `latest` only the last record of the series in the window is asked `where`. With
    `linked` it is a record that RELREC links to the found one, whenever it was.
    With `tie`, on the found record's own day the times decide, else `tie`. With
    `run_end`, only the record that completes a run is asked (of a rule with `repeat`).
    """

    series: Series
    window: Window
    where: Condition | None = None
    at: At = At.ANY
    count: int = field(default=1, kw_only=True)
    sum: Sum | None = field(default=None, kw_only=True)
    latest: bool = field(default=False, kw_only=True)
    linked: bool = field(default=False, kw_only=True)
    tie: Tie | None = field(default=None, kw_only=True)
    run_end: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class With(Other):
    """There is such a record."""


@dataclass(frozen=True)
class Without(Other):
    """There is no such record. `open` is needed when the window reaches past day 0."""

    open: Open | None = None


# ---------------------------------------------------------------- other rules' episodes


class State(StrEnum):
    """What is asked of an episode: it is open, it began in the window, it ended in the window."""

    OPEN = "open"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True)
class OfRule:
    """What is asked of another rule's episodes: at least `count` of them are in a `state`.

    Without a window: open at the found record, from the day after the record that opened it,
    unless `same_day`; then on the opening day itself too: by the times of day when both are
    known, else as the study's `same_day` setting says (before, after, or cannot tell). On the
    day on which it closes it is no longer open. With a window: open on one of its days.

    `domain` is that of the other rule: how far its data reach is how far its episodes are known.
    """

    rule: str
    same_day: bool = False
    state: State = State.OPEN
    window: Window | None = None
    count: int = 1
    domain: str = ""
    run_end: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class WithRule(OfRule):
    """There are such episodes."""


@dataclass(frozen=True)
class WithoutRule(OfRule):
    """There are none, or fewer. `open` is needed when the window reaches past day 0."""

    open: Open | None = None


Plain = With | Without | WithRule | WithoutRule


@dataclass(frozen=True)
class AnyOf:
    """One of its clauses must hold."""

    items: tuple[Plain, ...]
    run_end: bool = False


Clause = Plain | AnyOf
