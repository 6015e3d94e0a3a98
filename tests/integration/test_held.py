"""Transfers that lie: what lacks known records is held, and a person or a better transfer decides."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from sqlalchemy import select

from monitor.alerts.lifecycle import of_study
from monitor.audit.verify import verify
from monitor.config import Settings
from monitor.database.lease import held, new_holder
from monitor.database.tables import outbox
from monitor.database.transactions import reading
from monitor.errors import SourceError, UsageError
from monitor.evidence import read_finding
from monitor.files import Store
from monitor.records import Alert, AlertKind, AlertStatus, Severity, Standing
from monitor.usecases.differences import diff
from monitor.usecases.load import Loaded, load
from monitor.usecases.opening import Opened
from monitor.usecases.proving import prove
from monitor.usecases.scan import Scanned, scan, what_if
from monitor.usecases.snapshots import decide_transfer, find_snapshot, show_snapshot
from monitor.usecases.status import status
from monitor.usecases.transfers import Transfer
from tests.databases import ALICE, State
from tests.integration.test_scan import AE, DM, EX, configured, labs

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
QUIET = [(f"01-00{n}", f"2026-01-{day:02}", "180") for n in (1, 2, 3) for day in range(1, 21)]
EVENT = AE + "S1,AE,01-002,RASH,Rash,2026-01-09,N,NONE,NONE\n"
TWO_SITES = DM.replace("01-003,01", "01-003,02")
FULL = labs(*QUIET, ("01-001", "2026-01-28", "412"))


@dataclass
class Trial:
    """An installation with one study whose files the test writes."""

    state: State
    folder: Path
    settings: Settings
    now: datetime = NOW

    @property
    def opened(self) -> Opened:
        return Opened(self.settings, self.state.engine, self.state.key, self.state.evidence)

    def day(self, **files: str | None) -> tuple[Loaded, Scanned]:
        """The next day: these files come (None: one does not), and the study is scanned."""
        self.now += DAY
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        for name, content in {"DM": DM, "EX": EX, "AE": EVENT, "LB": FULL, **files}.items():
            path = data / f"{name.lower()}.csv"
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_text(content)
        return self.again()

    def again(self) -> tuple[Loaded, Scanned]:
        """The same data, loaded and scanned."""
        loaded = load(self.opened, "S1", self.now, ALICE)
        with held(self.state.engine, "S1", new_holder()) as lease:
            return loaded, scan(self.opened, self.settings.studies[0], ALICE, self.now, lease)

    def alerts(self, kind: AlertKind = AlertKind.FINDING) -> list[Alert]:
        with reading(self.state.engine) as connection:
            return [alert for alert in of_study(connection, "S1") if alert.kind is kind]

    def decide(self, asked: str, what: Literal["accepted", "rejected"], reason: str) -> Transfer:
        one = find_snapshot(self.opened, asked)
        return decide_transfer(self.opened, one, what, reason, ALICE, self.now)

    def intact(self) -> bool:
        received = Store(self.settings.data_dir / "received")
        state = self.state
        return verify(
            state.engine, state.key, state.evidence, (), None, [received], self.settings.data_dir
        ).intact

    def mails(self) -> int:
        with reading(self.state.engine) as connection:
            return len(list(connection.execute(select(outbox))))


@pytest.fixture
def trial(state: State, tmp_path: Path) -> Trial:
    return Trial(state, tmp_path, configured(tmp_path))


def without(text: str, subject: str) -> str:
    """A file without the rows of a subject."""
    return "".join(f"{line}\n" for line in text.splitlines() if subject not in line)


LACKS: dict[str, tuple[dict[str, Any], str]] = {
    "a domain": ({"AE": None}, "the domain AE (1 record)"),
    "records": ({"LB": labs(*QUIET[2:], ("01-001", "2026-01-28", "412"))}, "2 of 61 records of LB"),
    "a site": (
        {"DM": TWO_SITES, "LB": labs(*(row for row in QUIET if row[0] != "01-003"))},
        "all of site 02 in LB",
    ),
    "a subject": ({"DM": without(DM, "01-003"), "LB": without(FULL, "01-003")}, "all of 1 subject (01-003)"),
    "a record on which an alert rests": ({"LB": labs(*QUIET)}, "1 record on which alert"),
}


@pytest.mark.parametrize("what", LACKS)
def test_a_full_transfer_that_lacks_something_is_held_and_clears_nothing(trial: Trial, what: str) -> None:
    files, said = LACKS[what]
    trial.day(DM=TWO_SITES if what == "a site" else DM)
    before = trial.alerts()
    assert [alert.standing for alert in before] == [Standing.PRESENT]
    loaded, scanned = trial.day(**files)
    assert loaded.state == "held"
    assert said in loaded.attention
    assert "monitor snapshots accept 2" in loaded.attention
    (after,) = trial.alerts()
    assert (after.keys, after.status, after.standing) == (
        before[0].keys,
        before[0].status,
        before[0].standing,
    )
    (alert,) = trial.alerts(AlertKind.HELD)
    assert (alert.severity, alert.status) == (Severity.CRITICAL, AlertStatus.OPEN)
    assert scanned.queued == 1
    mails = trial.mails()
    trial.again()
    assert trial.mails() == mails
    assert trial.intact()


def test_status_goes_on_telling_of_a_domain_that_did_not_come(trial: Trial) -> None:
    trial.day()
    before = status(trial.opened, trial.now).studies[0].ages
    trial.day(AE=None)
    trial.day(AE=None, EX=None)
    after = {age.domain: age for age in status(trial.opened, trial.now).studies[0].ages}
    assert {name for name, age in after.items() if age.state == "missing"} == {"AE", "EX"}
    known = next(age for age in before if age.domain == "AE")
    assert (after["AE"].through, after["AE"].news) == (known.through, known.news)


def test_what_a_held_transfer_adds_is_judged_and_what_is_carried_over_says_so(trial: Trial) -> None:
    trial.day()
    trial.day(LB=labs(*QUIET[:40], ("01-002", "2026-01-29", "500")))
    kept, new = sorted(trial.alerts(), key=lambda alert: alert.subject)
    assert (kept.subject, new.subject) == ("01-001", "01-002")
    assert (kept.standing, new.standing) == (Standing.PRESENT, Standing.PRESENT)
    rows = read_finding(trial.state.evidence.get(kept.finding)).evidence
    carried = [
        dict(row.cells).get("CARRIED", "") for row in rows if row.domain == "LB" and row.role == "found"
    ]
    assert carried == ["carried over, not in the held transfer"]


def test_a_corrected_value_in_a_held_transfer_counts(trial: Trial) -> None:
    trial.day()
    trial.day(LB=labs(*QUIET[:40], ("01-001", "2026-01-28", "142")))
    (alert,) = trial.alerts()
    assert alert.standing is Standing.GONE


def test_an_accepted_transfer_is_taken_as_truth_and_the_vanished_record_as_gone(trial: Trial) -> None:
    trial.day()
    trial.day(LB=labs(*QUIET))
    done = trial.decide("2", "accepted", "the laboratory withdrew it")
    assert str(prove(trial.opened, "2")[0].derived) == "same"  # as it was judged while it was held
    assert (done.number, done.state, done.by) == (2, "accepted", "alice")
    trial.again()
    (alert,) = trial.alerts()
    assert (alert.status, alert.standing) == (AlertStatus.OPEN, Standing.GONE)
    (told,) = trial.alerts(AlertKind.HELD)
    assert (told.status, told.standing) == (AlertStatus.OPEN, Standing.CLEARED)
    assert trial.intact()


def test_a_rejected_transfer_is_as_if_it_had_not_come(trial: Trial) -> None:
    trial.day()
    before = trial.alerts()
    trial.day(LB=labs(*QUIET, ("01-002", "2026-01-29", "500")))
    assert len(trial.alerts()) == 2
    trial.decide("2", "rejected", "an old file")
    loaded, scanned = trial.again()
    assert (loaded.state, loaded.new, scanned.snapshot) == ("rejected", False, 1)
    assert "rejected by alice (an old file); snapshot 1 counts" in loaded.attention
    old, new = sorted(trial.alerts(), key=lambda alert: alert.subject)
    assert (old.keys, old.standing) == (before[0].keys, Standing.PRESENT)
    assert (new.standing, new.status) == (Standing.GONE, AlertStatus.OPEN)
    better, scanned = trial.day()
    assert (better.number, better.state, scanned.snapshot) == (3, "", 3)
    assert trial.intact()


def test_a_better_transfer_ends_it_and_says_so(trial: Trial) -> None:
    trial.day()
    trial.day(AE=None)
    loaded, scanned = trial.day(LB=FULL + labs(("01-002", "2026-01-30", "181")).splitlines()[1] + "\n")
    assert (loaded.number, loaded.state, scanned.snapshot) == (3, "", 3)
    (told,) = trial.alerts(AlertKind.HELD)
    assert told.standing is Standing.CLEARED
    assert [d.reason for d in scanned.decisions if d.alert.kind is AlertKind.HELD] == [
        "transfer 3 brought what transfer 2 lacked; it still waits for a person"
    ]
    with pytest.raises(UsageError, match="is not held: it is replaced"):
        trial.decide("2", "accepted", "too late")


def test_one_held_transfer_after_another_is_told_only_when_more_is_missing(trial: Trial) -> None:
    trial.day()
    trial.day(AE=None)
    mails = trial.mails()
    third, _ = trial.day(AE=None, LB=FULL + labs(("01-002", "2026-01-30", "181")).splitlines()[1] + "\n")
    assert (third.number, third.state, trial.mails()) == (3, "held", mails)
    with pytest.raises(UsageError, match="snapshot 3 came after it"):
        trial.decide("2", "accepted", "no")
    fourth, _ = trial.day(AE=None, LB=labs(*QUIET[:40]))
    assert (fourth.state, trial.mails()) == ("held", mails + 1)
    trial.decide("4", "rejected", "half of it")
    loaded, scanned = trial.again()
    assert (loaded.state, scanned.snapshot) == ("rejected", 3)
    trial.decide("3", "accepted", "AE is not collected any more")
    _, scanned = trial.again()
    assert scanned.snapshot == 3
    assert trial.intact()


def test_what_if_knows_what_was_held_then(trial: Trial) -> None:
    trial.day()
    trial.day(LB=labs(*QUIET))
    then = trial.now
    trial.now += DAY
    trial.decide("2", "accepted", "withdrawn")
    study = trial.settings.studies[0]
    fired = {
        when: next(
            r.fired
            for r in what_if(trial.opened, study, trial.now, known_at=when).results
            if r.rule == "PLT-01"
        )
        for when in (then, trial.now)
    }
    assert fired == {then: 1, trial.now: 0}


@pytest.mark.parametrize(
    ("asked", "reason", "said"),
    [
        ("2", " ", "a reason is needed"),
        ("1", "why", "is not held"),
        ("7", "why", "no snapshot '7'"),
        ("zz", "why", "no snapshot 'zz'"),
    ],
)
def test_a_decision_that_fits_nothing_is_refused(trial: Trial, asked: str, reason: str, said: str) -> None:
    trial.day()
    trial.day(AE=None)
    with pytest.raises(UsageError, match=said):
        trial.decide(asked, "accepted", reason)


def test_a_delta_after_a_held_transfer_waits_for_the_decision(trial: Trial) -> None:
    trial.day()
    trial.day(AE=None)
    trial.settings = configured(trial.folder, delivery="delta")
    with pytest.raises(SourceError, match="a delta can't follow snapshot 2, which is held"):
        trial.day()


# ---------------------------------------------------------------- snapshots verify, diff and show


def test_every_snapshot_follows_from_the_bytes_as_received(trial: Trial) -> None:
    trial.day()
    trial.day(AE=None)
    trial.decide("2", "rejected", "half")
    trial.settings = configured(trial.folder, delivery="delta")
    trial.day(AE=EVENT.replace("RASH", "COUGH"), LB=labs(("01-001", "2026-01-28", "413")))
    proved = prove(trial.opened)
    assert [
        (one.number, str(one.bytes), str(one.rows), str(one.tables), str(one.derived)) for one in proved
    ] == [(number, "same", "same", "same", "same") for number in (1, 2, 3)]
    (only,) = prove(trial.opened, "3")
    assert only.same


def test_whatever_is_changed_afterwards_is_named(trial: Trial) -> None:
    trial.day()
    trial.day(AE=None)
    var = trial.settings.data_dir
    with duckdb.connect() as connection:
        for path in (var / "snapshots/S1/1/LB.parquet", next((var / "derived/S1").glob("*/LB.parquet"))):
            rows = f"SELECT * FROM read_parquet('{path}') LIMIT 60"
            connection.execute(f"CREATE OR REPLACE TABLE t AS {rows}")
            connection.execute(f"COPY t TO '{path}'")
    (var / "snapshots/S1/2/EX.parquet").write_bytes(b"not parquet")
    (var / "snapshots/S1/2/DM.parquet").unlink()
    first, second = prove(trial.opened)
    assert first.tables.differs == ("LB: the rows of its table were changed",)
    assert (first.bytes.differs, first.rows.differs) == ((), ())
    assert second.tables.differs
    assert (first.same, second.same) == (False, False)
    hashes = [each["hash"] for each in show_snapshot(trial.opened, "1").manifest["files"]]
    store = Store(var / "received")
    store.path(hashes[0]).unlink()
    store.path(hashes[1]).write_bytes(gzip.compress(b"other"))
    store.path(hashes[2]).write_bytes(b"no gzip")
    (found,) = prove(trial.opened, "1")
    assert [each.partition(": ")[2] for each in found.bytes.differs] == [
        "the bytes as received are gone",
        "the bytes as received were changed",
        "the bytes as received are damaged",
    ]
    assert found.rows.unproved == "its bytes differ"
    (var / "snapshots/S1/1/manifest.json").unlink()
    (found,) = prove(trial.opened, "1")
    assert "missing or damaged" in found.tables.differs[0]


def test_a_mapping_that_changed_makes_rows_incomparable_not_different(trial: Trial) -> None:
    trial.day()
    trial.settings = configured(trial.folder, read={"*.csv": {"delimiter": ","}})
    (found,) = prove(trial.opened)
    assert found.same
    assert found.rows.unproved.startswith("the program or the study's mapping")


def test_two_transfers_are_compared_by_number_or_id(trial: Trial) -> None:
    trial.day()
    trial.day(LB=FULL.replace("412", "413"))
    found = diff(trial.opened, "1", show_snapshot(trial.opened, "2").transfer.id[:10], domain="lb")
    assert [(each.domain, each.new, each.changed, each.removed) for each in found.counts] == [("LB", 0, 1, 0)]
    (record,) = found.records
    assert {cell.column: (cell.was, cell.now) for cell in record.cells}["LBSTRESN"] == ("412", "413")
    assert diff(trial.opened, "1", "1").same
    with pytest.raises(UsageError, match="neither has a domain 'XX'; they have AE, DM"):
        diff(trial.opened, "1", "2", domain="XX")
    with pytest.raises(UsageError, match="no snapshot '9'"):
        diff(trial.opened, "1", "9")


def test_records_with_one_natural_key_are_listed(trial: Trial) -> None:
    twice = labs(*QUIET, ("01-001", "2026-01-28", "412"), ("01-001", "2026-01-28", "413"))
    trial.day(LB=twice)
    (shared,) = show_snapshot(trial.opened, "1").shared
    assert (shared.domain, shared.subject, shared.record, shared.rows) == (
        "LB",
        "01-001",
        "PLAT · 2026-01-28",
        2,
    )
