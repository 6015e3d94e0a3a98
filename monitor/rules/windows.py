"""Where other records and other rules' episodes lie, seen from a found record. Only days and seconds."""

from __future__ import annotations

from math import inf

from monitor.records import Days, Episode, Truth
from monitor.rules.rule import At, Window
from monitor.rules.values import agreed

SAME_DAY = {"before": Truth.TRUE, "after": Truth.FALSE, "cannot tell": Truth.UNKNOWN}


def _first(days: Days) -> float:
    return -inf if days.low is None else days.low


def _last(days: Days) -> float:
    return inf if days.high is None else days.high


def is_missing(days: Days) -> bool:
    """Whether nothing is known of a date."""
    return days.low is None and days.high is None


def in_window(window: Window, at: At, found: Days, start: Days, end: Days) -> Truth:
    """Whether a record from `start` to `end` lies in the window around the found record.

    True when it does for all days that the dates can be, false when for none.
    """
    start = end if at is At.END else start
    end = start if at is At.START else end
    if window.low is None and window.high is None:
        return Truth.TRUE
    if is_missing(found) or is_missing(start):
        return Truth.UNKNOWN
    # A bound that isn't there is kept by every pair of days: inf - inf would keep none.
    not_after = window.high is None or _last(start) <= _first(found) + window.high
    not_before = window.low is None or _first(end) >= _last(found) + window.low
    if not_after and not_before:
        return Truth.TRUE
    after = window.high is not None and _first(start) > _last(found) + window.high
    before = window.low is not None and _last(end) < _first(found) + window.low
    return Truth.FALSE if after or before else Truth.UNKNOWN


def reaches_past(window: Window, found: Days, reach: int) -> bool:
    """Whether the window around the found record can end after the day that the data reach."""
    return window.high is not None and _last(found) + window.high > reach


def open_at(episode: Episode, found: Days, second: int | None, *, same_day: bool, setting: str) -> Truth:
    """Whether an episode is open at a record: opened before it, and not closed by then.

    With `same_day` the opening day counts too: by the times when both are known and differ,
    else as the study's `setting` says. On the day on which it closes it is no longer open.
    """
    tie = _on_one_day(episode, found, second, setting) if same_day else Truth.FALSE
    opened = _later(found, episode.opened, tie)
    closed = Truth.FALSE if episode.closed is None else _later(found, episode.closed, Truth.TRUE)
    return min(episode.truth, opened, Truth(2 - closed))


def _later(found: Days, other: Days, tie: Truth) -> Truth:
    """Whether the found record lies after another day; `tie` is the answer on one and the same day."""
    answers = set()
    if _last(found) > _first(other):
        answers.add(Truth.TRUE)
    if _first(found) < _last(other):
        answers.add(Truth.FALSE)
    if _first(found) <= _last(other) and _first(other) <= _last(found):
        answers.add(tie)
    return agreed(answers)


def _on_one_day(episode: Episode, found: Days, second: int | None, setting: str) -> Truth:
    exact = found.exact and episode.opened.exact
    if exact and second is not None and episode.second is not None and second != episode.second:
        return Truth.TRUE if episode.second < second else Truth.FALSE
    return SAME_DAY[setting]
