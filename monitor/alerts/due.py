"""Until when an alert must be acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.records import Severity


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
