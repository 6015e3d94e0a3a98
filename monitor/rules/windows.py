"""Where other records and other rules' episodes lie, seen from a found record. Only days and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from monitor.records import Days, Episode, Truth
from monitor.rules.other import At, OfRule, State, Window
from monitor.rules.values import agreed

SAME_DAY = {"before": Truth.TRUE, "after": Truth.FALSE, "cannot tell": Truth.UNKNOWN}


def _first(days: Days) -> float:
    return -inf if days.low is None else days.low


def _last(days: Days) -> float:
    return inf if days.high is None else days.high


def is_missing(days: Days) -> bool:
    """Whether nothing is known of a date."""
    return days.low is None and days.high is None


@dataclass(frozen=True)
class Moment:
    """When a record begins and ends, and the time of day at which it begins, if that is known."""

    start: Days
    end: Days
    second: int | None = None

    @property
    def end_second(self) -> int | None:
        """The time of day at which it ends: known of what ends as it begins."""
        return self.second if self.end == self.start else None


def lies_in(window: Window, at: At, found: Moment, other: Moment, tie: str | None = None) -> Truth:
    """Whether a record lies in the window around the found one.

    `tie`: where a record of the found one's day lies beside the window's end 0d, when times don't
    say it (before, after, cannot tell); None: days only, and both ends are included.
    """
    if window.hours:
        here = seconds_of(found.start, found.second)
        start, end = seconds_of(other.start, other.second), seconds_of(other.end, other.end_second)
        return in_window(in_seconds(window), at, here, start, end)
    if tie is None:
        return in_window(window, at, found.start, other.start, other.end)
    first = (other.end, other.end_second) if at is At.END else (other.start, other.second)
    last = (other.start, other.second) if at is At.START else (other.end, other.end_second)
    ties = Ties(_comes_before(first, found, tie), Truth(2 - _comes_before(last, found, tie)))
    return in_window(window, at, found.start, other.start, other.end, ties)


@dataclass(frozen=True)
class Ties:
    """What holds on the found record's own day: that the other begins before it, that it ends after it."""

    before: Truth = Truth.TRUE
    after: Truth = Truth.TRUE


BOTH_IN = Ties()


def in_window(window: Window, at: At, found: Days, start: Days, end: Days, ties: Ties = BOTH_IN) -> Truth:
    """Whether a record from `start` to `end` lies in the window around the found record.

    True when it does for all days that the dates can be, false when for none. `ties` speak of the
    end of a window that is 0.
    """
    start = end if at is At.END else start
    end = start if at is At.START else end
    if window.low is None and window.high is None:
        return Truth.TRUE
    if is_missing(found) or is_missing(start):
        return Truth.UNKNOWN
    not_after = not_before = Truth.TRUE
    if window.high is not None:
        tie = ties.before if window.high == 0 else Truth.TRUE
        not_after = _later(found, start, tie, window.high)
    if window.low is not None and not_after is not Truth.FALSE:
        tie = ties.after if window.low == 0 else Truth.TRUE
        not_before = _later(end, found, tie, -window.low)
    return min(not_after, not_before)


def _moved(days: Days, by: int) -> Days:
    return Days(None if days.low is None else days.low + by, None if days.high is None else days.high + by)


def reaches_past(window: Window, found: Days, reach: int, second: int | None = None) -> bool:
    """Whether the window around the found record can end after the day that the data reach."""
    if window.high is None:
        return False
    if window.hours:
        return _last(seconds_of(found, second)) + window.high * HOUR > (reach + 1) * DAY - 1
    return _last(found) + window.high > reach


def around(window: Window) -> bool:
    """Whether the found record itself begins in the window."""
    return (window.low is None or window.low <= 0) and (window.high is None or window.high >= 0)


# ---------------------------------------------------------------- times of day

HOUR, DAY = 3_600, 86_400  # seconds


def in_seconds(window: Window) -> Window:
    """A window in hours as one in seconds."""
    low, high = window.low, window.high
    return Window(None if low is None else low * HOUR, None if high is None else high * HOUR)


def seconds_of(days: Days, second: int | None) -> Days:
    """The seconds that a date can be: all those of its days when its time is not known."""
    if days.exact and days.low is not None and second is not None:
        return Days(days.low * DAY + second, days.low * DAY + second)
    return Days(
        None if days.low is None else days.low * DAY,
        None if days.high is None else days.high * DAY + DAY - 1,
    )


def _comes_before(one: tuple[Days, int | None], found: Moment, setting: str) -> Truth:
    """Whether a record counts as before the found one, if both are of one day."""
    days, second = one
    exact = days.exact and found.start.exact
    if exact and second is not None and found.second is not None and second != found.second:
        return Truth.TRUE if second < found.second else Truth.FALSE
    return SAME_DAY[setting]


# ---------------------------------------------------------------- episodes


def open_at(episode: Episode, found: Days, second: int | None, *, same_day: bool, setting: str) -> Truth:
    """Whether an episode is open at a record: opened before it, and not closed by then.

    With `same_day` the opening day counts too: by the times when both are known and differ,
    else as the study's `setting` says. On the day on which it closes it is no longer open.
    """
    opening, here = (episode.opened, episode.second), Moment(found, found, second)
    tie = _comes_before(opening, here, setting) if same_day else Truth.FALSE
    opened = _later(found, episode.opened, tie)
    closed = Truth.FALSE if episode.closed is None else _later(found, episode.closed, Truth.TRUE)
    return min(episode.truth, opened, Truth(2 - closed))


def in_state(clause: OfRule, episode: Episode, found: Moment, setting: str, reach: int) -> Truth:
    """Whether an episode is as a clause asks for, seen from the found record.

    `reach` is the last day that the other rule's data are known to reach.
    """
    if clause.window is None:
        return open_at(episode, found.start, found.second, same_day=clause.same_day, setting=setting)
    if clause.state is State.CLOSED and episode.closed is None:
        return Truth.FALSE
    start, end = _asked_days(clause.state, episode, reach)
    return min(episode.truth, in_window(clause.window, At.ANY, found.start, start, end))


def _asked_days(state: State, episode: Episode, reach: int) -> tuple[Days, Days]:
    """The first and last day of what must lie in a window.

    An episode is open until the day before it closes; one that has not closed as far as the data reach.
    """
    opened, closed = episode.opened, episode.closed
    if state is State.OPENED:
        return opened, opened
    if state is State.CLOSED and closed is not None:
        return closed, closed
    if closed is None:
        return opened, Days(reach, None)
    eve = _moved(closed, -1)
    lows = [day for day in (opened.low, eve.low) if day is not None]
    highs = [day for day in (opened.high, eve.high) if day is not None]
    return opened, Days(max(lows, default=None), max(highs) if len(highs) == 2 else None)


def _later(found: Days, other: Days, tie: Truth, by: int = 0) -> Truth:
    """Whether the found record, moved `by` days, lies after another; `tie`: the answer on the same day."""
    first, last = _first(found) + by, _last(found) + by
    if first > _last(other):
        return Truth.TRUE
    if last < _first(other):
        return Truth.FALSE
    answers = {tie}
    if last > _first(other):
        answers.add(Truth.TRUE)
    if first < _last(other):
        answers.add(Truth.FALSE)
    return agreed(answers)
