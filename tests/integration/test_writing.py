"""What a scan writes: alerts, mails and entries in one transaction, or nothing; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from monitor.alerts.lifecycle import of_study
from monitor.audit.ledger import recorded
from monitor.audit.verify import verify
from monitor.database.lease import acquire, new_holder, release
from monitor.database.tables import alert as alert_table
from monitor.database.tables import finding as finding_table
from monitor.database.tables import ledger, outbox, rule_run, rule_version
from monitor.database.transactions import reading
from monitor.errors import LeaseLost, SourceError
from monitor.evidence import finding_id, identity, read_finding
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Entry,
    EvidenceRow,
    Outcome,
    RuleRun,
    Severity,
    Standing,
)
from monitor.usecases.failing import record_failure
from monitor.usecases.material import Material
from monitor.usecases.opening import Opened
from monitor.usecases.ruling import Computed, rule_on
from monitor.usecases.writing import put_all, write, write_run, write_version
from tests.databases import ALICE, NOW, State
from tests.stories import finding, installation, row, run

OFFICER, CHIEF, BACKUP = "officer@example.org", "chief@example.org", "backup@example.org"


@pytest.fixture
def opened(state: State, tmp_path: Path) -> Opened:
    """An opened installation on each database."""
    routes = [
        {"severity": ["critical"], "to": [OFFICER, CHIEF], "backup": [BACKUP]},
        {"severity": ["high", "medium", "low"], "to": [OFFICER], "backup": [CHIEF]},
    ]
    return Opened(installation(tmp_path, routes), state.engine, state.key, state.evidence)


def commit(
    opened: Opened, *runs: RuleRun, now: datetime = NOW, rows: Sequence[EvidenceRow] = (), **changed: Any
) -> int:
    """Everything that a scan does with what it computed; gives the number of mails."""
    store = opened.evidence
    material = Material(
        {alert.finding: read_finding(store.get(alert.finding)) for alert in alerts(opened)},
        {one.rule: frozenset(item.key for item in rows) for one in runs},
        {identity(item): item for item in rows},
    )
    computed = Computed("S1", (), runs, material, **changed)
    with reading(opened.engine) as connection:
        put_all(store, rule_on(connection, opened.settings, computed, now).decisions)
    with recorded(opened.engine, "scan.commit", ALICE, now, opened.key) as work:
        queued = write(
            work, opened.settings, store, rule_on(work.connection, opened.settings, computed, now), now
        )
        for one in runs:
            write_version(work, one, '{"rule": "v1"}', now)
            write_run(work, one, "inputs", {"hidden_by_cutoff": 0}, now)
    return queued


def seen_before(opened: Opened) -> None:
    """A first scan that found nothing: later findings are no backfill."""
    commit(opened, run(outcome=Outcome.CLEAR))


def alerts(opened: Opened) -> list[Alert]:
    with reading(opened.engine) as connection:
        return of_study(connection, "S1")


def rows_of(opened: Opened, table: Any) -> list[Mapping[str, Any]]:
    with reading(opened.engine) as connection:
        return [
            dict(found._mapping) for found in connection.execute(select(table).order_by(*table.primary_key))
        ]


def entries(opened: Opened, kind: str) -> list[dict[str, Any]]:
    return [json.loads(found["data"]) for found in rows_of(opened, ledger) if found["kind"] == kind]


def test_a_critical_finding_is_an_alert_a_finding_and_a_mail_to_each_all_with_entries(
    opened: Opened,
) -> None:
    seen_before(opened)
    assert commit(opened, run(finding("k1")), rows=[row("k1")]) == 2
    (alert,) = alerts(opened)
    assert alert.told == (OFFICER, CHIEF)
    assert alert.finding == finding_id(finding("k1"))
    mails = rows_of(opened, outbox)
    assert {mail["recipient"] for mail in mails} == {OFFICER, CHIEF}
    assert {mail["kind"] for mail in mails} == {"alert"}
    assert json.loads(mails[0]["backups"]) == [BACKUP]
    assert json.loads(mails[0]["alerts"])[0].keys() == {"alert", "finding", "what", "reason"}
    assert [one["alert"] for one in rows_of(opened, finding_table)] == [alert.id]
    (decision,) = entries(opened, "decision")
    assert (decision["what"], decision["tell"], decision["finding"]) == ("opened", True, alert.finding)
    assert {one["recipient"] for one in entries(opened, "queued")} == {OFFICER, CHIEF}
    ran = entries(opened, "rule_run")[-1]
    assert (ran["outcome"], ran["considered"], ran["fired"]) == ("fired", 10, 1)
    assert verify(opened.engine, opened.key, opened.evidence).intact


def test_a_clear_run_is_recorded_with_its_counts(opened: Opened) -> None:
    seen_before(opened)
    (ran,) = entries(opened, "rule_run")
    assert (ran["outcome"], ran["considered"], ran["subjects"], ran["newest"]) == (
        "clear",
        10,
        2,
        "2026-01-28",
    )
    assert [one["outcome"] for one in rows_of(opened, rule_run)] == ["clear"]
    assert [one["version"] for one in rows_of(opened, rule_version)] == ["v1"]
    commit(opened, run(outcome=Outcome.CLEAR))
    assert len(entries(opened, "rule_version")) == 1


def test_the_same_again_sends_nothing_and_says_so(opened: Opened) -> None:
    seen_before(opened)
    commit(opened, run(finding("k1")), rows=[row("k1")])
    before = alerts(opened)
    assert commit(opened, run(finding("k1")), rows=[row("k1")], now=NOW + timedelta(days=1)) == 0
    assert alerts(opened) == before
    (silence,) = entries(opened, "silence")
    assert silence["alerts"] == [before[0].id]
    assert silence["what"] == "unchanged"
    assert verify(opened.engine, opened.key, opened.evidence).intact


def test_the_first_scan_sums_up_once_for_each_and_mails_what_is_critical_and_open(
    opened: Opened,
) -> None:
    found = (
        finding("k1"),
        finding("k2", subject="01-002", severity=Severity.HIGH),
        finding("k3", subject="01-003", closed="2026-01-30"),
    )
    assert commit(opened, run(*found)) == 4
    mails = [
        (mail["kind"], mail["recipient"], json.loads(mail["alerts"])) for mail in rows_of(opened, outbox)
    ]
    own = [(person, len(items)) for kind, person, items in mails if kind == "alert"]
    sums = [(person, len(items)) for kind, person, items in mails if kind == "summary"]
    assert sorted(own) == [(CHIEF, 1), (OFFICER, 1)]
    assert sorted(sums) == [(CHIEF, 1), (OFFICER, 2)]
    assert all(alert.backfill and alert.status is AlertStatus.OPEN and alert.told for alert in alerts(opened))
    late = finding("k4", subject="01-004", severity=Severity.HIGH)
    commit(opened, run(*found, late))
    assert [alert.backfill for alert in alerts(opened)].count(False) == 1


def test_a_new_rule_version_is_a_first_scan_of_its_own(opened: Opened) -> None:
    seen_before(opened)
    newer = finding("k1", severity=Severity.HIGH, rule_version="v2")
    commit(opened, run(newer, version="v2"))
    (mail,) = rows_of(opened, outbox)
    assert mail["kind"] == "summary"


def test_a_correction_goes_to_everybody_who_was_told_with_what_was_told_then(opened: Opened) -> None:
    seen_before(opened)
    commit(opened, run(finding("k1")), rows=[row("k1")])
    (alert,) = alerts(opened)
    with recorded(opened.engine, "test", ALICE, NOW, opened.key) as work:
        told = json.dumps([*alert.told, "gone@example.org"])
        work.connection.execute(alert_table.update().values(told=told))
        work.note(Entry("test", {}))
    corrected = row("k1", "140", "v2")
    commit(opened, run(outcome=Outcome.CLEAR), rows=[corrected], now=NOW + timedelta(days=1))
    (after,) = alerts(opened)
    assert (after.standing, after.status) == (Standing.GONE, AlertStatus.OPEN)
    notices = [mail for mail in rows_of(opened, outbox) if mail["kind"] == "notice"]
    assert {mail["recipient"] for mail in notices} == {OFFICER, CHIEF, "gone@example.org"}
    (item,) = json.loads(notices[0]["alerts"])
    assert (item["previous"], item["finding"]) == (alert.finding, after.finding)
    now = read_finding(opened.evidence.get(after.finding))
    assert now.evidence == (corrected,)
    assert verify(opened.engine, opened.key, opened.evidence).intact


def test_rejected_rows_are_told_once_for_each_load(opened: Opened) -> None:
    seen_before(opened)
    one = {"LB": [{"file": "lb.csv", "row": 17, "reason": "no subject"}]}
    assert commit(opened, run(outcome=Outcome.CLEAR), rejects=one) == 1
    assert commit(opened, run(outcome=Outcome.CLEAR), rejects=one) == 0
    more = {"LB": [*one["LB"], {"file": "lb.csv", "row": 18, "reason": "no subject"}]}
    assert commit(opened, run(outcome=Outcome.CLEAR), rejects=more, now=NOW + timedelta(days=1)) == 1
    (alert,) = alerts(opened)
    assert (alert.kind, alert.rule, alert.severity) == (AlertKind.DATA, "", Severity.HIGH)
    said = read_finding(opened.evidence.get(alert.finding))
    assert "2 of LB" in said.sentence
    assert commit(opened, run(outcome=Outcome.CLEAR)) == 0
    assert alerts(opened)[0].standing is Standing.CLEARED


def test_a_failure_is_an_alert_of_its_own_told_once_and_over_with_the_next_good_run(opened: Opened) -> None:
    error = SourceError("S1: lb.csv can't be read")
    (decision,) = record_failure(opened, "S1", error, ALICE, NOW)
    assert (decision.tell, decision.alert.kind, decision.alert.severity) == (
        True,
        AlertKind.RUN,
        Severity.HIGH,
    )
    assert len(rows_of(opened, outbox)) == 1
    record_failure(opened, "S1", error, ALICE, NOW + timedelta(hours=1))
    assert len(rows_of(opened, outbox)) == 1
    record_failure(opened, "S1", ValueError("a patient's value"), ALICE, NOW + timedelta(hours=2))
    assert len(rows_of(opened, outbox)) == 2
    assert "patient" not in json.dumps([found["data"] for found in rows_of(opened, ledger)])
    commit(opened, run(outcome=Outcome.CLEAR), now=NOW + timedelta(hours=3))
    (alert,) = alerts(opened)
    assert (alert.standing, alert.status) == (Standing.CLEARED, AlertStatus.OPEN)
    assert verify(opened.engine, opened.key, opened.evidence).intact


def test_whatever_fails_before_the_commit_leaves_nothing_behind(opened: Opened) -> None:
    seen_before(opened)
    with reading(opened.engine) as connection:
        count = connection.scalar(select(func.count()).select_from(ledger))
    with pytest.raises(ZeroDivisionError):
        _fails_at_its_end(opened, Computed("S1", (), (run(finding("k1")),), Material()))
    assert alerts(opened) == []
    assert rows_of(opened, outbox) == []
    assert len(rows_of(opened, ledger)) == count


def _fails_at_its_end(opened: Opened, computed: Computed) -> None:
    with recorded(opened.engine, "scan.commit", ALICE, NOW, opened.key) as work:
        ruled = rule_on(work.connection, opened.settings, computed, NOW)
        write(work, opened.settings, opened.evidence, ruled, NOW)
        raise ZeroDivisionError


@contextmanager
def lost_lease(opened: Opened) -> Iterator[Any]:
    lease = acquire(opened.engine, "S1", new_holder())
    release(opened.engine, lease)
    yield lease


def test_whoever_lost_the_lease_writes_nothing(opened: Opened) -> None:
    with lost_lease(opened) as lease, pytest.raises(LeaseLost):
        record_failure(opened, "S1", SourceError("unreadable"), ALICE, NOW, lease)
    assert alerts(opened) == []


def test_a_finding_that_comes_back_is_kept_once(opened: Opened) -> None:
    seen_before(opened)
    told = finding("k1", severity=Severity.HIGH)
    for day, there in enumerate([True, False, True]):
        runs = run(told) if there else run(outcome=Outcome.CLEAR)
        commit(opened, runs, rows=[row("k1")] if there else [], now=NOW + timedelta(days=day))
    (alert,) = alerts(opened)
    assert (alert.standing, alert.finding) == (Standing.PRESENT, finding_id(told))
    assert len(rows_of(opened, finding_table)) == 2


def test_the_same_computation_gives_the_same_rows_and_ids(opened: Opened) -> None:
    computed = Computed("S1", (), (run(finding("k1"), replace(finding("k2"), subject="01-002")),), Material())
    with reading(opened.engine) as connection:
        first: Sequence[Any] = rule_on(connection, opened.settings, computed, NOW).decisions
        second = rule_on(connection, opened.settings, computed, NOW).decisions
    assert first == second
