"""The clocks that a rule sets for what it finds: when each began, and its last second.

Days are calendar days of the receiving organisation: day 0 is the local date on which it became
aware, the clock ends with the last day, and no weekend or holiday moves it. Hours run from the instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from monitor.records import Finding

DETECTED = "detected"
END_OF_DAY = time(23, 59, 59)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_ONLY = len("2026-01-31")


@dataclass(frozen=True)
class Clock:
    """One clock of a finding (its facts' `clocks`).

    `within` is "7d" or "24h", `start` what it runs from, `aware` an ISO date or date-time ("" for
    the detection). `assumed` says what was taken for granted. `level` is 0 for the rule's own clock.
    """

    within: str
    start: str = DETECTED
    aware: str = ""
    assumed: str = ""
    level: int = 0


def clocks(finding: Finding) -> tuple[Clock, ...]:
    """The clocks that a finding's rule sets, as its evaluation wrote them down; often none."""
    given: Iterable[Mapping[str, Any]] = finding.facts.get("clocks", ())
    return tuple(Clock(**one) for one in given)


def awareness(clock: Clock, detected_at: datetime, zone: tzinfo) -> datetime:
    """The instant from which a clock runs: of a day without a time its first second, in the local zone."""
    if not clock.aware:
        return detected_at
    given = datetime.fromisoformat(clock.aware)
    return given if given.tzinfo is not None else given.replace(tzinfo=zone)


def deadline(clock: Clock, detected_at: datetime, zone: tzinfo) -> datetime:
    """The last second of a clock."""
    aware = awareness(clock, detected_at, zone)
    number = int(clock.within[:-1])
    if clock.within.endswith("h"):
        return aware + timedelta(hours=number)
    last = aware.astimezone(zone).date() + timedelta(days=number)
    return datetime.combine(last, END_OF_DAY, zone)


def clock_words(clock: Clock, detected_at: datetime, zone: tzinfo) -> str:
    """For people: "7 calendar days from AEDT 2026-02-26 (day 0): until the end of Thursday 2026-03-05"."""
    number, hours = int(clock.within[:-1]), clock.within.endswith("h")
    aware = awareness(clock, detected_at, zone).astimezone(zone)
    end = deadline(clock, detected_at, zone).astimezone(zone)
    start = "detection" if clock.start == DETECTED else clock.start
    last = f"{WEEKDAYS[end.weekday()]} {end:%Y-%m-%d}"
    if hours:
        said = f"{number} hours from {start} {aware:%Y-%m-%d %H:%M}: until {last} {end:%H:%M}"
    else:
        said = f"{number} calendar days from {start} {aware:%Y-%m-%d} (day 0): until the end of {last}"
    notes = [
        "no working day: act before it" if end.weekday() in (5, 6) else "",
        "its time is not known: from the start of that day" if hours and len(clock.aware) == DAY_ONLY else "",
        clock.assumed,
    ]
    return "; ".join([said, *filter(None, notes)])
