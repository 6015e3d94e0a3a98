"""SDTM's dates as text, perhaps partial, read as the days that they can mean."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from monitor.records import day_number

UNKNOWN_PART = r"-|UN|UNK|NK|XX|\?\?"
DATE = re.compile(rf"(\d{{4}})(?:-(\d\d|{UNKNOWN_PART})?(?:-(\d\d|{UNKNOWN_PART})?)?)?")
NO_YEAR = re.compile(rf"-+|-{{1,2}}[-\d]+|(?:{UNKNOWN_PART}|UNKN|-)(?:-(?:\d\d|{UNKNOWN_PART}))*|UNKNOWN")
TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
LOOSE_TIME = re.compile(r"[-\d:.+Z]*")


@dataclass(frozen=True)
class Read:
    """The first and last day that a date can be (None: missing), and its time of day in seconds."""

    low: int | None = None
    high: int | None = None
    second: int | None = None


def read_date(text: str) -> Read | None:
    """`2014-01-31`, `2014-01`, `2014`, `2014-10--`, `2013-UN-UN`, `-----`, with or without a time.

    A date without a year is missing; None is what can't be read at all. A time counts only
    beside a whole date, to the second, as the clock at the site showed it: an offset is not
    applied. `a/b` is an uncertain date, from a to b.
    """
    first, slash, last = text.strip().upper().partition("/")
    if slash:
        return _between(first, last)
    day, _, time = first.replace(" ", "T", 1).partition("T")
    days = _days(day)
    second = _second(time)
    if days is None or second is None:
        return None
    return Read(*days, second if days[0] == days[1] and days[0] is not None and second >= 0 else None)


def _between(first: str, last: str) -> Read | None:
    """An ISO interval of uncertainty; None for dd/mm/yyyy, which is no such thing."""
    start, end = read_date(first), read_date(last)
    if start is None or end is None or start.low is None or end.high is None or start.low > end.high:
        return None
    return Read(start.low, end.high)


def _days(text: str) -> tuple[int | None, int | None] | None:
    """First and last day; (None, None) when the year is not known; None when unreadable."""
    found = DATE.fullmatch(text)
    if found is None:
        return (None, None) if NO_YEAR.fullmatch(text) else None
    year, month, day = (int(part) if part and part.isdigit() else 0 for part in found.groups())
    given = [part for part in found.groups()[1:] if part and part.isdigit()]
    try:
        low = date(year, month or 1, day if month and day else 1)
        last = low if month and day else date(year, month or 12, monthrange(year, month or 12)[1])
    except (ValueError, IndexError):
        return None
    return None if "00" in given else (day_number(low), day_number(last))


def _second(text: str) -> int | None:
    """Seconds since midnight; -1 when there is no time, or one without minutes; None: unreadable."""
    found = TIME.fullmatch(text)
    if found is None:
        return -1 if LOOSE_TIME.fullmatch(text) else None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 61 else None
