"""Who is told, and until when a person must act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.alerts.due import due_at, earlier
from monitor.alerts.routes import Recipients, recipients
from monitor.config import RouteSettings
from monitor.records import Severity

ROUTES = (
    RouteSettings(severity=(Severity.CRITICAL,), to=("a@x.org", "b@x.org"), backup=("c@x.org",)),
    RouteSettings(
        study="S1", severity=(Severity.CRITICAL, Severity.HIGH), to=("b@x.org",), backup=("a@x.org",)
    ),
    RouteSettings(study="S2", severity=(Severity.LOW,), to=("d@x.org",)),
)


@pytest.mark.parametrize(
    ("study", "severity", "expected"),
    [
        ("S1", Severity.CRITICAL, Recipients(("a@x.org", "b@x.org"), ("c@x.org",))),
        ("S1", Severity.HIGH, Recipients(("b@x.org",), ("a@x.org",))),
        ("S2", Severity.CRITICAL, Recipients(("a@x.org", "b@x.org"), ("c@x.org",))),
        ("S2", Severity.LOW, Recipients(("d@x.org",), ())),
        ("S1", Severity.LOW, Recipients(("a@x.org", "b@x.org"), ("c@x.org",))),
    ],
)
def test_everybody_on_a_fitting_route_is_told_once(
    study: str, severity: Severity, expected: Recipients
) -> None:
    assert recipients(ROUTES, study, severity) == expected


def test_without_any_route_for_the_study_every_route_is_told() -> None:
    only = (RouteSettings(study="S2", severity=(Severity.LOW,), to=("d@x.org",)),)
    assert recipients(only, "S1", Severity.CRITICAL).to == ("d@x.org",)


AT = datetime(2026, 2, 1, tzinfo=UTC)


def test_an_alert_is_due_at_the_end_of_its_severitys_target() -> None:
    within = {Severity.CRITICAL: timedelta(hours=1)}
    assert due_at(AT, Severity.CRITICAL, within) == AT + timedelta(hours=1)
    assert due_at(AT, Severity.LOW, within) is None


def test_nothing_moves_a_clock_later() -> None:
    later = AT + timedelta(days=1)
    assert earlier(AT, later) == earlier(later, AT) == earlier(None, AT) == AT
    assert earlier(None, None) is None
