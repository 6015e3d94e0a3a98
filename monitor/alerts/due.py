"""Until when an alert must be acted on: its rule's clocks, else its severity's target; never later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from monitor.deadlines import clocks, deadline
from monitor.records import Finding, Severity


def due_at(
    detected_at: datetime, severity: Severity, act_within: Mapping[Severity, timedelta]
) -> datetime | None:
    """The end of the severity's acknowledgement target; None when the severity has none."""
    target = act_within.get(severity)
    return None if target is None else detected_at + target


def earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    """The earlier of two times, of which either may be missing: nothing moves a clock later."""
    given = [moment for moment in (first, second) if moment is not None]
    return min(given, default=None)


def deadlines(finding: Finding, detected_at: datetime | None, zone: tzinfo) -> list[datetime]:
    """The ends of a finding's clocks; those that run from the detection only when it is given."""
    return [
        deadline(clock, detected_at or datetime.min.replace(tzinfo=zone), zone)
        for clock in clocks(finding)
        if clock.aware or detected_at is not None
    ]
