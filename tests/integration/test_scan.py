"""A study scanned from its files to its alerts, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from monitor.alerts.lifecycle import of_study
from monitor.audit.ledger import recorded
from monitor.audit.verify import verify
from monitor.cli.alerts import for_people
from monitor.clinical.snapshots import SnapshotRef, take_snapshot
from monitor.config import Settings, StudySettings
from monitor.database.lease import acquire, held, new_holder, release
from monitor.database.tables import ledger, outbox
from monitor.database.tables import snapshot as snapshots
from monitor.database.transactions import reading
from monitor.errors import LeaseLost, SourceError
from monitor.records import Alert, AlertStatus, Entry, Outcome, Standing
from monitor.usecases.acknowledge import close
from monitor.usecases.alerts import list_alerts
from monitor.usecases.opening import Opened
from monitor.usecases.scan import RuleResult, Scanned, scan, what_if
from tests.databases import ALICE, State
from tests.rulefolders import few_rules, write_rules
from tests.stories import installation

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
DM = "STUDYID,DOMAIN,USUBJID,SITEID,ARM\n" + "".join(f"S1,DM,01-00{n},01,A\n" for n in (1, 2, 3))
EX = "STUDYID,DOMAIN,USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC\nS1,EX,01-001,ROMIPLOSTIM N01,700,ug,2026-01-02\n"
AE = "STUDYID,DOMAIN,USUBJID,AETERM,AEDECOD,AESTDTC,AESER,AEREL,AEACN\n"


def labs(*counts: tuple[str, str, str], unit: str = "10^9/L") -> str:
    """LB of platelet counts: subject, day, value."""
    head = "STUDYID,DOMAIN,USUBJID,LBTESTCD,LBTEST,LBSTRESN,LBSTRESC,LBSTRESU,LBORRES,LBORRESU,LBDTC\n"
    return head + "".join(
        f"S1,LB,{who},PLAT,Platelets,{value},{value},{unit},{value},{unit},{day}\n"
        for who, day, value in counts
    )


@dataclass
class Study:
    """An installation with one study whose files the test writes."""

    state: State
    folder: Path
    settings: Settings

    @property
    def opened(self) -> Opened:
        return Opened(self.settings, self.state.engine, self.state.key, self.state.evidence)

    @property
    def study(self) -> StudySettings:
        return self.settings.studies[0]

    def configure(self, **changed: Any) -> None:
        self.settings = configured(self.folder, **changed)

    def load(self, now: datetime = NOW, **files: str) -> None:
        """Write files, take a snapshot and record it."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        for name, content in {"DM": DM, "EX": EX, "AE": AE, **files}.items():
            (data / f"{name.lower()}.csv").write_text(content)
        with reading(self.state.engine) as connection:
            last = connection.execute(select(snapshots).order_by(snapshots.c.number.desc()).limit(1)).first()
        before = SnapshotRef(last.id, last.number) if last else None
        taken = take_snapshot(self.study, self.folder, self.settings.data_dir, before, now)
        if taken.new:
            with recorded(self.state.engine, "load.commit", ALICE, now, self.state.key) as work:
                row = {"study": "S1", "number": taken.number, "id": taken.id, "received_at": now}
                work.connection.execute(insert(snapshots).values(**row, manifest=json.dumps(taken.manifest)))
                work.note(Entry("load", {"snapshot": taken.number}, "S1"))

    def scan(self, now: datetime = NOW) -> Scanned:
        with held(self.state.engine, "S1", new_holder()) as lease:
            return scan(self.opened, self.study, ALICE, now, lease)

    def alerts(self) -> list[Alert]:
        with reading(self.state.engine) as connection:
            return of_study(connection, "S1")

    def mails(self) -> list[Any]:
        with reading(self.state.engine) as connection:
            return list(connection.execute(select(outbox).order_by(outbox.c.created_at)))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with reading(self.state.engine) as connection:
            rows = connection.execute(select(ledger).where(ledger.c.kind == kind).order_by(ledger.c.seq))
            return [{**json.loads(row.data), "rule": row.rule} for row in rows]


def configured(folder: Path, **changed: Any) -> Settings:
    plain = installation(
        folder,
        **{
            "rules": ["romiplostim-aa"],
            "drugs": {"romiplostim": {"names": ["ROMIPLOSTIM N01"], "kind": "single"}},
            **changed,
        },
    )
    rules = folder / "shipped"
    if not rules.is_dir():
        few_rules(rules)
    return plain.model_copy(update={"monitor": plain.monitor.model_copy(update={"rules_dir": rules})})


@pytest.fixture
def trial(state: State, tmp_path: Path) -> Study:
    """A study without data yet, on each database."""
    return Study(state, tmp_path, configured(tmp_path))


def rule(scanned: Scanned, name: str) -> RuleResult:
    return next(result for result in scanned.results if result.rule == name)


QUIET = labs(("01-001", "2026-01-07", "180"), ("01-002", "2026-01-07", "90"))
HIGH = labs(("01-001", "2026-01-07", "180"), ("01-001", "2026-01-28", "412"), ("01-002", "2026-01-07", "90"))


def test_a_study_without_data_says_what_to_do(trial: Study) -> None:
    with pytest.raises(SourceError, match="monitor load"):
        trial.scan()


def test_a_clear_rule_is_on_record_with_its_counts_and_a_later_finding_is_told(trial: Study) -> None:
    trial.load(LB=QUIET)
    first = trial.scan()
    clear = rule(first, "PLT-01")
    assert (clear.outcome, clear.considered, clear.subjects, clear.newest) == (
        Outcome.CLEAR,
        2,
        2,
        "2026-01-07",
    )
    assert trial.alerts() == [alert for alert in trial.alerts() if alert.rule != "PLT-01"]
    trial.load(NOW + DAY, LB=HIGH)
    fired = rule(trial.scan(NOW + DAY), "PLT-01")
    assert (fired.outcome, fired.fired) == (Outcome.FIRED, 1)
    assert [(d.what, d.tell) for d in fired.decisions] == [("opened", True)]
    (alert,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    assert (alert.subject, alert.site, alert.onset, alert.backfill) == ("01-001", "01", "2026-01-28", False)
    assert "5 days before" in trial.entries("decision")[-1]["reason"]
    assert verify(trial.state.engine, trial.state.key, trial.state.evidence).intact


def test_the_same_data_again_repeat_the_last_outcome_and_send_nothing(trial: Study) -> None:
    trial.load(LB=HIGH)
    first = trial.scan()
    mails, alerts = trial.mails(), trial.alerts()
    again = trial.scan(NOW + DAY)
    assert all(result.repeated for result in again.results)
    assert [(r.rule, r.outcome, r.considered) for r in again.results] == [
        (r.rule, r.outcome, r.considered) for r in first.results
    ]
    assert (again.queued, len(trial.mails()), trial.alerts()) == (0, len(mails), alerts)
    assert [one["repeated"] for one in trial.entries("rule_run")[-len(again.results) :]] == [True] * len(
        again.results
    )


def test_only_what_changed_is_evaluated_again(trial: Study) -> None:
    trial.load(LB=QUIET)
    trial.scan()
    trial.configure(params={"plt_hold": 170, "plt_resume": 150, "plt_reduce": 160})
    scanned = trial.scan(NOW + DAY)
    assert {result.rule for result in scanned.results if not result.repeated} >= {"PLT-01", "ROM-08"}
    fired = rule(scanned, "PLT-01")
    assert fired.outcome is Outcome.FIRED
    (alert,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    assert alert.backfill


def test_a_correction_withdraws_a_critical_alert_only_by_a_person(trial: Study) -> None:
    trial.load(LB=QUIET)
    trial.scan()
    trial.load(NOW + DAY, LB=HIGH)
    trial.scan(NOW + DAY)
    trial.load(NOW + 2 * DAY, LB=HIGH.replace("412", "142"))
    (decision,) = rule(trial.scan(NOW + 2 * DAY), "PLT-01").decisions
    assert (decision.what, decision.tell, decision.alert.standing) == ("corrected", True, Standing.GONE)
    assert decision.alert.status is AlertStatus.OPEN
    assert decision.finding is not None
    assert dict(decision.finding.evidence[0].cells)["LBSTRESN"] == "142"
    after = close(
        trial.opened, decision.alert.id, "the laboratory corrected it", "withdrawn", ALICE, NOW + 3 * DAY
    )
    assert after.standing is Standing.WITHDRAWN
    assert verify(trial.state.engine, trial.state.key, trial.state.evidence).intact


def test_a_rule_without_its_series_is_blind_once_until_a_person_accepts_it(trial: Study) -> None:
    trial.load(LB=QUIET.replace("PLAT", "WBC"))
    assert rule(trial.scan(), "PLT-01").outcome is Outcome.BLIND
    (alert,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    close(trial.opened, alert.id, "no laboratory yet", "expected", ALICE, NOW, date(2026, 2, 3))
    assert rule(trial.scan(NOW + DAY), "PLT-01").repeated
    over = rule(trial.scan(NOW + 3 * DAY), "PLT-01")
    assert [(d.what, d.tell) for d in over.decisions] == [("fired again", True)]


def test_a_rule_that_is_no_longer_in_the_packs_is_noted_once_and_its_alerts_stay(trial: Study) -> None:
    trial.load(LB=HIGH)
    trial.scan()
    before = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    trial.configure(rules=["generic"])
    for day in (1, 2):
        trial.scan(NOW + day * DAY)
    assert sorted(one["rule"] for one in trial.entries("rule_removed")) == ["DIS-01", "PLT-01", "ROM-08"]
    assert [alert for alert in trial.alerts() if alert.rule == "PLT-01"] == before


def everything(trial: Study) -> tuple[Any, ...]:
    with reading(trial.state.engine) as connection:
        entries = list(connection.execute(select(ledger.c.mac)))
    return entries, trial.alerts(), trial.mails()


def test_what_ifs_write_nothing_and_alert_nobody(trial: Study) -> None:
    trial.load(LB=QUIET)
    trial.scan()
    trial.load(NOW + DAY, LB=HIGH)
    before = everything(trial)
    dry = what_if(trial.opened, trial.study, NOW + DAY)
    assert (rule(dry, "PLT-01").fired, dry.queued, dry.written) == (1, 0, False)
    assert [d.what for d in rule(dry, "PLT-01").decisions] == ["opened"]
    past = what_if(trial.opened, trial.study, NOW + DAY, as_of=date(2026, 1, 20))
    assert (rule(past, "PLT-01").fired, rule(past, "PLT-01").considered) == (0, 2)
    known = what_if(trial.opened, trial.study, NOW + DAY, known_at=NOW + DAY / 2)
    assert (rule(known, "PLT-01").fired, known.snapshot) == (0, 1)
    with pytest.raises(SourceError, match="nothing was received by"):
        what_if(trial.opened, trial.study, NOW, known_at=NOW - DAY)
    assert everything(trial) == before


def test_a_cut_off_date_hides_what_is_later_and_counts_it(trial: Study) -> None:
    trial.configure(cutoff="2026-01-20")
    trial.load(LB=HIGH)
    assert rule(trial.scan(), "PLT-01").fired == 0
    (ran,) = [one for one in trial.entries("rule_run") if one["rule"] == "PLT-01"]
    assert ran["hidden_by_cutoff"] == 1
    assert (ran["ctcae"], ran["invalid"]) == ("5.0", {})


@pytest.mark.parametrize(
    ("cutoff", "day"), [("today", "2026-02-02"), ("extract", "2026-02-01"), ("data", "2026-01-28")]
)
def test_the_cut_off_is_today_the_receipt_or_the_newest_record(trial: Study, cutoff: str, day: str) -> None:
    trial.configure(cutoff=cutoff)
    trial.load(LB=HIGH)
    assert trial.scan(NOW + DAY).as_of == (date.fromisoformat(day) - date(1970, 1, 1)).days


def test_rejected_rows_of_a_domain_that_a_rule_reads_are_told(trial: Study) -> None:
    trial.load(LB=HIGH + "S1,LB,,PLAT,Platelets,500,500,10^9/L,500,10^9/L,2026-01-28\n")
    scanned = trial.scan()
    assert [decision.alert.kind.value for decision in scanned.decisions] == ["data"]
    assert trial.scan(NOW + DAY).decisions[0].what == "unchanged"


def test_rejected_rows_that_no_rule_reads_are_not(trial: Study) -> None:
    heads = "STUDYID,DOMAIN,USUBJID,VSTESTCD,VSTEST,VSSTRESN,VSSTRESU,VSDTC\n"
    trial.load(
        LB=HIGH,
        VS=heads + "S1,VS,,WEIGHT,Weight,70,kg,2026-01-07\nS1,VS,01-001,WEIGHT,Weight,70,kg,2026-01-07\n",
    )
    assert trial.scan().decisions == ()


@contextmanager
def stolen(trial: Study) -> Iterator[Any]:
    lease = acquire(trial.state.engine, "S1", new_holder())
    release(trial.state.engine, lease)
    other = acquire(trial.state.engine, "S1", new_holder())
    yield lease
    release(trial.state.engine, other)


def test_whoever_lost_the_lease_meanwhile_commits_nothing(trial: Study) -> None:
    trial.load(LB=HIGH)
    before = everything(trial)
    with stolen(trial) as lease, pytest.raises(LeaseLost):
        scan(trial.opened, trial.study, ALICE, NOW, lease)
    assert everything(trial) == before
    assert trial.scan().queued > 0


def test_a_person_who_acts_between_computing_and_committing_is_not_overruled(trial: Study) -> None:
    trial.load(LB=HIGH)
    trial.scan()
    (alert,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    close(trial.opened, alert.id, "dose held", "dose held", ALICE, NOW)
    trial.load(NOW + DAY, LB=HIGH + "S1,LB,01-003,PLAT,Platelets,100,100,10^9/L,100,10^9/L,2026-01-28\n")
    trial.scan(NOW + DAY)
    (after,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    assert (after.status, after.closed_outcome) == (AlertStatus.CLOSED, "dose held")


def test_a_dose_given_while_the_hold_is_open_is_told_at_once_and_once(trial: Study) -> None:
    trial.load(LB=QUIET)
    trial.scan()
    trial.load(NOW + DAY, LB=HIGH)
    trial.scan(NOW + DAY)
    dosed = EX + "S1,EX,01-001,ROMIPLOSTIM N01,700,ug,2026-01-30\n"
    trial.load(NOW + 2 * DAY, LB=HIGH, EX=dosed)
    (decision,) = rule(trial.scan(NOW + 2 * DAY), "PLT-01").decisions
    assert (decision.what, decision.tell) == ("dosed since", True)
    trial.load(
        NOW + 3 * DAY, LB=HIGH + "S1,LB,01-003,PLAT,Platelets,9,9,10^9/L,9,10^9/L,2026-01-28\n", EX=dosed
    )
    (again,) = rule(trial.scan(NOW + 3 * DAY), "PLT-01").decisions
    assert (again.what, again.tell) == ("unchanged", False)


def test_a_count_below_the_limit_clears_the_alert_which_still_waits(trial: Study) -> None:
    trial.load(LB=HIGH)
    trial.scan()
    low = HIGH + "S1,LB,01-001,PLAT,Platelets,120,120,10^9/L,120,10^9/L,2026-02-01\n"
    trial.load(NOW + DAY, LB=low)
    (decision,) = rule(trial.scan(NOW + DAY), "PLT-01").decisions
    assert (decision.what, decision.tell, decision.alert.standing) == ("cleared", False, Standing.CLEARED)
    assert decision.alert.status is AlertStatus.OPEN


def test_an_extreme_count_in_the_same_episode_is_told_at_once(trial: Study) -> None:
    trial.load(LB=HIGH)
    trial.scan()
    extreme = HIGH + "S1,LB,01-001,PLAT,Platelets,1200,1200,10^9/L,1200,10^9/L,2026-02-01\n"
    trial.load(NOW + DAY, LB=extreme)
    (decision,) = rule(trial.scan(NOW + DAY), "PLT-01").decisions
    assert (decision.what, decision.tell, decision.alert.level) == ("level reached", True, 1)


def test_a_record_whose_date_was_corrected_is_the_same_alert(trial: Study) -> None:
    trial.load(LB=HIGH)
    trial.scan()
    (before,) = [alert for alert in trial.alerts() if alert.rule == "PLT-01"]
    trial.load(NOW + DAY, LB=HIGH.replace("2026-01-28", "2026-01-27"))
    (decision,) = rule(trial.scan(NOW + DAY), "PLT-01").decisions
    assert (decision.what, decision.tell, decision.alert.id) == ("corrected", True, before.id)
    assert decision.alert.onset == "2026-01-27"


def event(related: str, action: str = "DRUG WITHDRAWN") -> str:
    return AE + f"S1,AE,01-002,Rash,RASH,2026-01-20,N,{related},{action}\n"


@pytest.mark.parametrize(
    ("now", "what", "standing"),
    [
        (event("NOT RELATED"), "disputed", Standing.DISPUTED),
        (event("RELATED", "DOSE NOT CHANGED"), "corrected", Standing.GONE),
        (AE + "S1,AE,01-003,Cough,COUGH,2026-01-20,N,NOT RELATED,NONE\n", "corrected", Standing.GONE),
    ],
    ids=["causality lowered", "action corrected", "event vanished"],
)
def test_an_event_judged_anew_is_disputed_and_one_corrected_waits_for_a_person(
    trial: Study, now: str, what: str, standing: Standing
) -> None:
    trial.load(LB=QUIET, AE=event("RELATED"))
    trial.scan()
    (before,) = [alert for alert in trial.alerts() if alert.rule == "DIS-01"]
    trial.load(NOW + DAY, LB=QUIET, AE=now)
    decisions = [d for d in rule(trial.scan(NOW + DAY), "DIS-01").decisions if d.alert.id == before.id]
    assert [(d.what, d.tell, d.alert.standing) for d in decisions] == [(what, True, standing)]
    assert decisions[0].alert.due == before.due
    notices = [mail for mail in trial.mails() if mail.kind == "notice"]
    assert json.loads(notices[0].alerts)[0]["previous"] == before.finding


FAMILY = {
    "FAM-01": ("high", "LBSTRESN > 400"),
    "FAM-02": ("critical", "LBSTRESN > 405"),
}


def family_rule(name: str) -> str:
    severity, where = FAMILY[name]
    return f'''
id       = "{name}"
title    = "title of {name}"
severity = "{severity}"
action   = "Consider."
family   = "counts"
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
where = "{where}"
[clear]
where = "LBSTRESN < 200"
[[example]]
name  = "one"
data  = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 412      | 10^9/L
02      | 2026-01-07 | PLAT     | 100      | 10^9/L
"""
fires = ["01 2026-01-07"]
'''


def test_of_a_family_one_alert_is_told_names_the_other_and_hands_over_when_it_ends(trial: Study) -> None:
    folder = write_rules(trial.folder, {name: family_rule(name) for name in FAMILY})
    trial.configure(rules=["p"])
    changed = trial.settings.monitor.model_copy(update={"rules_dir": folder})
    trial.settings = trial.settings.model_copy(update={"monitor": changed})
    trial.load(LB=QUIET)
    trial.scan()
    trial.load(NOW + DAY, LB=HIGH)
    scanned = trial.scan(NOW + DAY)
    (alert,) = trial.alerts()
    assert alert.rule == "FAM-02"
    assert [(d.what, d.tell) for d in rule(scanned, "FAM-01").decisions] == [("folded", False)]
    (entry,) = trial.entries("folded")
    assert (entry["rule"], entry["alert"], entry["records"]) == ("FAM-01", alert.id, 1)
    assert len(trial.mails()) == 1
    (row,) = list_alerts(trial.opened, NOW + DAY)
    assert row["folded"] == ["FAM-01"]
    assert for_people([row])[0]["rule"] == "FAM-02 (and FAM-01, folded into it)"
    trial.load(NOW + 2 * DAY, LB=HIGH.replace("412", "403"))
    trial.scan(NOW + 2 * DAY)
    handed = [one for one in trial.alerts() if one.rule == "FAM-01"]
    assert [one.status for one in handed] == [AlertStatus.OPEN]
    assert [one["folded"] for one in list_alerts(trial.opened, NOW + 2 * DAY)] == [[], []]
