"""The clocks that a rule sets for what it finds: from when each runs, as the records say it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitor.clinical.domains import dates_of
from monitor.engines.evidence import drawn, moment
from monitor.records import Verdict, day_date
from monitor.rules.answers import Judged
from monitor.rules.case import start_of
from monitor.rules.rule import Due, Rule
from monitor.rules.terms import Row

LATEST = "day 0 ASSUMED, at the latest"


def clocks_of(rule: Rule, firing: Sequence[Judged], level: int) -> list[dict[str, Any]]:
    """The clocks of one episode: the rule's of its first firing record, a level's of the one that reached it.

    Each as `monitor.deadlines.Clock` is made of: within, start, aware, assumed, level.
    """
    found = [] if rule.due is None else [_clock(rule, rule.due, firing[0], 0)]
    own = rule.levels[level - 1].due if level else None
    if own is not None:
        reached = next(one for one in firing if one.verdict.level == level)
        found.append(_clock(rule, own, reached, level))
    return found


def _clock(rule: Rule, due: Due, one: Judged, level: int) -> dict[str, Any]:
    aware, assumed = _aware(rule.series.domain, due.start, one.found, one.verdict)
    clock = {"within": due.within, "start": due.start, "level": level}
    return {**clock, "aware": aware, "assumed": assumed}


def _aware(domain: str, start: str, row: Row, verdict: Verdict) -> tuple[str, str]:
    """The ISO date or date-time from which a clock runs ("" for the detection), and what is assumed."""
    if start == Due.DETECTED:
        return "", ""
    if start == Due.FOUND:
        days, text = start_of(row), drawn(verdict.days, verdict.second)
        low, high, given = days.low, days.high, text if days.exact else ""
    else:
        low, high = row.get(f"{start}_LO"), row.get(f"{start}_HI")
        given = str(row.get(dates_of(domain)[start]) or "")
    if _is_exact(given):
        return given, ""
    if low is not None:
        partial = "the date is partial: its first day is taken" if low != high else ""
        return day_date(low).isoformat(), partial
    name = "the record's date" if start == Due.FOUND else start
    received = moment(row.get("RECEIVED"))
    told = "first receipt" if received else "detection"
    return received, f"{name} is missing: {LATEST}, from its {told}"


def _is_exact(text: str) -> bool:
    """Whether a text is a whole date, with or without a time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= len("2026-01-31")
