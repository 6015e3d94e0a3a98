"""What people do with alerts, on both databases: who, when, why, and what was before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitor.alerts.lifecycle import OUTCOMES, by_prefix, save
from monitor.alerts.scene import begin
from monitor.audit.ledger import recorded, row_state
from monitor.audit.verify import verify
from monitor.database.tables import ledger
from monitor.database.transactions import reading
from monitor.errors import UsageError
from monitor.evidence import canonical
from monitor.records import Actor, Alert, AlertKind, AlertStatus, Entry, Severity, Standing
from monitor.usecases.acknowledge import ack, close
from monitor.usecases.alerts import list_alerts, show_alert
from monitor.usecases.opening import Opened
from tests.databases import ALICE, NOW, State
from tests.stories import finding, installation, scene

LI = Actor("alice", "os uid 7", on_behalf_of="Dr. Li", reference="phone call, 2 March")


@pytest.fixture
def opened(state: State, tmp_path: Path) -> Opened:
    """An opened installation on each database."""
    return Opened(installation(tmp_path), state.engine, state.key, state.evidence)


def given(opened: Opened, **changed: Any) -> Alert:
    """An alert in the database, with its entry."""
    told = finding("k1")
    alert = replace(begin(AlertKind.FINDING, told, Severity.CRITICAL, scene(now=NOW)), **changed)
    opened.evidence.put(canonical(told))
    with recorded(opened.engine, "test", ALICE, NOW, opened.key) as work:
        row = save(work.connection, alert, new=True)
        work.note(Entry("decision", {"alert": alert.id, "state": row_state(row)}, alert.study))
    return alert


def last_entry(opened: Opened) -> Any:
    with reading(opened.engine) as connection:
        return connection.execute(select(ledger).order_by(ledger.c.seq.desc()).limit(1)).one()


def now_is(opened: Opened, alert: Alert) -> Alert:
    with reading(opened.engine) as connection:
        return by_prefix(connection, alert.id)


def test_acknowledging_says_who_did_it_and_why_and_what_was_before(opened: Opened) -> None:
    alert = given(opened)
    after = ack(opened, alert.id[:5].lower(), "dose of 3 March held by phone", ALICE, NOW)
    assert after == now_is(opened, alert)
    assert (after.status, after.owner) == (AlertStatus.ACKNOWLEDGED, "alice")
    entry = last_entry(opened)
    data = json.loads(entry.data)
    assert (entry.kind, entry.actor, entry.study, entry.subject) == ("ack", "alice", "S1", "01-001")
    assert data["old"] == {"status": "open", "standing": "present", "outcome": "", "owner": ""}
    assert data["new"]["status"] == "acknowledged"
    assert data["reason"] == "dose of 3 March held by phone"
    assert verify(opened.engine, opened.key, opened.evidence).intact


def test_an_act_for_somebody_else_is_recorded_as_such(opened: Opened) -> None:
    alert = given(opened)
    after = ack(opened, alert.id, "told me so", LI, NOW)
    assert after.owner == "Dr. Li"
    entry = last_entry(opened)
    data = json.loads(entry.data)
    assert (entry.actor, data["on_behalf_of"], data["reference"]) == (
        "alice",
        "Dr. Li",
        "phone call, 2 March",
    )


def test_an_alert_is_acknowledged_once_and_a_closed_one_never(opened: Opened) -> None:
    alert = given(opened)
    ack(opened, alert.id, "seen", ALICE, NOW)
    seq = last_entry(opened).seq
    with pytest.raises(UsageError, match="acknowledged already"):
        ack(opened, alert.id, "seen again", ALICE, NOW)
    close(opened, alert.id, "dose held", "dose held", ALICE, NOW)
    with pytest.raises(UsageError, match="closed already"):
        close(opened, alert.id, "again", "other", ALICE, NOW)
    with pytest.raises(UsageError, match="is closed"):
        ack(opened, alert.id, "late", ALICE, NOW)
    assert last_entry(opened).seq == seq + 1


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_acknowledgement_needs_a_reason(opened: Opened, reason: str) -> None:
    alert = given(opened)
    with pytest.raises(UsageError, match="reason"):
        ack(opened, alert.id, reason, ALICE, NOW)
    assert now_is(opened, alert) == alert


def test_closing_a_critical_alert_needs_a_reason_and_another_does_not(opened: Opened) -> None:
    critical = given(opened)
    with pytest.raises(UsageError, match="reason"):
        close(opened, critical.id, "", "dose held", ALICE, NOW)
    assert now_is(opened, critical) == critical
    high = given(opened, id="ZZZZ2345", severity=Severity.HIGH)
    assert close(opened, high.id, "", "no action needed", ALICE, NOW).status is AlertStatus.CLOSED


@pytest.mark.parametrize(
    ("standing", "fits"), [("gone", True), ("disputed", True), ("present", False), ("cleared", False)]
)
def test_only_what_the_data_no_longer_say_can_be_withdrawn(opened: Opened, standing: str, fits: bool) -> None:
    alert = given(opened, standing=Standing(standing))
    if fits:
        after = close(opened, alert.id, "the laboratory corrected it", "withdrawn", ALICE, NOW)
        assert (after.standing, after.closed_outcome) == (Standing.WITHDRAWN, "withdrawn")
        return
    with pytest.raises(UsageError, match="still there"):
        close(opened, alert.id, "not wanted", "withdrawn", ALICE, NOW)


def test_an_outcome_is_one_of_a_closed_list(opened: Opened) -> None:
    alert = given(opened)
    with pytest.raises(UsageError, match="dose held, dose reduced"):
        close(opened, alert.id, "done", "done", ALICE, NOW)
    assert set(OUTCOMES) >= {"dose held", "not a case", "withdrawn", "expected", "other"}


def test_expected_is_for_what_cannot_be_judged_and_may_have_an_end(opened: Opened) -> None:
    alert = given(opened)
    with pytest.raises(UsageError, match="is a finding"):
        close(opened, alert.id, "as planned", "expected", ALICE, NOW)
    blind = given(opened, id="BBBB2345", kind=AlertKind.BLIND, severity=Severity.LOW)
    with pytest.raises(UsageError, match="reason"):
        close(opened, blind.id, "", "expected", ALICE, NOW)
    with pytest.raises(UsageError, match="only"):
        close(opened, blind.id, "as planned", "other", ALICE, NOW, date(2026, 6, 1))
    after = close(opened, blind.id, "no laboratory yet", "expected", ALICE, NOW, date(2026, 6, 1))
    assert after.closed_outcome == "expected until 2026-06-01"
    (shown,) = [one for one in list_alerts(opened, NOW, everything=True) if one["id"] == blind.id]
    assert (shown["outcome"], shown["expected_until"]) == ("expected", "2026-06-01")


def test_an_id_must_name_one_alert(opened: Opened) -> None:
    given(opened, id="AAAA2222")
    given(opened, id="AAAB2222")
    for wrong, said in (
        ("AAA", "begins 2 ids: AAAA2222, AAAB2222"),
        ("Q", "no alert"),
        ("", "no alert"),
        ("%", "no alert"),
    ):
        with pytest.raises(UsageError, match=said):
            ack(opened, wrong, "seen", ALICE, NOW)


def test_the_list_shows_what_waits_the_most_severe_first(opened: Opened) -> None:
    critical = given(opened)
    low = given(opened, id="AAAA2222", severity=Severity.LOW, due=NOW + timedelta(days=7), study="S2")
    closed = given(opened, id="BBBB2222", status=AlertStatus.CLOSED)
    listed = list_alerts(opened, NOW + timedelta(hours=2))
    assert [one["id"] for one in listed] == [critical.id, low.id]
    assert [one["overdue"] for one in listed] == [True, False]
    assert [one["id"] for one in list_alerts(opened, NOW, studies=["S2"])] == [low.id]
    assert closed.id in {one["id"] for one in list_alerts(opened, NOW, everything=True)}
    needed = "id study site subject rule rule_version severity status outcome onset detected_at due evidence"
    assert set(needed.split()) <= listed[0].keys()
    assert (listed[0]["due"], listed[0]["detected_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T08:00:00Z")


def test_one_alert_shows_its_finding_and_its_history(opened: Opened) -> None:
    alert = given(opened)
    ack(opened, alert.id, "seen", ALICE, NOW)
    shown = show_alert(opened, alert.id, NOW)
    assert [entry["kind"] for entry in shown.history] == ["decision", "ack"]
    assert shown.finding is not None
    assert shown.finding["sentence"] == "platelets above 400"
    assert shown.told == ()
    opened.evidence.path(alert.finding).unlink()
    assert show_alert(opened, alert.id, NOW).finding is None
