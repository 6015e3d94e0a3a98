"""`monitor scan`: compute a study's rules, decide about its alerts, and write all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from monitor.alerts.family import NOT_A_CASE
from monitor.alerts.lifecycle import of_study
from monitor.audit.ledger import Work, recorded
from monitor.config import StudySettings
from monitor.database.lease import Lease
from monitor.database.tables import rule_run
from monitor.database.transactions import reading
from monitor.engines.evaluate import evaluate
from monitor.records import Actor, Alert, Decision, Entry, Outcome, RuleRun, Severity
from monitor.rules.rule import Rule
from monitor.usecases.computing import Prepared, newest_snapshot, prepared
from monitor.usecases.failing import record_failure
from monitor.usecases.held import held_finding, no_longer_held
from monitor.usecases.material import Material, gather
from monitor.usecases.opening import Opened
from monitor.usecases.ruleset import closure
from monitor.usecases.ruling import Computed, Ruled, ended, rule_on
from monitor.usecases.transfers import transfers
from monitor.usecases.writing import put_all, upsert_run, write, write_run, write_version

__all__ = ["RuleResult", "Scanned", "record_failure", "scan", "what_if"]

Timer = Callable[[], float]  # seconds from any start

REMOVED = "removed"  # a rule that is no longer in the study's packs
SOURCES: Mapping[str, tuple[str, ...]] = {
    "DOSE": ("EC", "EX"),
    "DAILY": ("EC", "EX"),
    "AEDRUG": ("AE", "SUPPAE"),
}


def untimed() -> float:
    """A timer that stands still: every rule takes no time."""
    return 0.0


@dataclass(frozen=True)
class RuleResult:
    """One rule in one study: its counts, and what was decided about its alerts.

    `repeated`: nothing it depends on had changed, so its last outcome stands. `seconds` is what
    it took.
    """

    study: str
    rule: str
    version: str
    severity: Severity
    outcome: Outcome
    considered: int
    subjects: int
    newest: str
    fired: int
    cannot_tell: int
    said: str
    seconds: float
    repeated: bool
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Scanned:
    """One study's scan. `decisions` are those about the study itself; `queued` counts mails."""

    study: str
    snapshot: int
    as_of: int
    results: tuple[RuleResult, ...]
    decisions: tuple[Decision, ...]
    queued: int
    written: bool


def scan(
    opened: Opened,
    study: StudySettings,
    actor: Actor,
    now: datetime,
    lease: Lease,
    *,
    healthy: bool = True,
    timer: Timer = untimed,
) -> Scanned:
    """Scan one study under its lease, and write what follows, in one transaction.

    Not `healthy`: something else failed in this run, so that an alert about a failed run goes on.
    `timer` measures how long each rule takes.
    Raises MonitorError when the study's data or rules can't be used; nothing is written then.
    """
    with reading(opened.engine, "scan.look") as connection:
        taken = newest_snapshot(connection, opened.settings.data_dir, study.id)
        known = transfers(connection, study.id)
        alerts = of_study(connection, study.id)
        last = _last_runs(connection, study.id)
    with prepared(opened.settings, study, taken, now) as ready:
        today = now.astimezone(ZoneInfo(opened.settings.monitor.timezone)).date()
        changed = _changed(ready, last, alerts, today)
        computed = replace(_compute(opened, ready, changed, alerts, timer), healthy=healthy)
        computed = replace(computed, held=held_finding(known, taken), over=no_longer_held(known))
    with reading(opened.engine, "scan.rehearse") as connection:
        rehearsed = rule_on(connection, opened.settings, computed, now)
        put_all(opened.evidence, [*rehearsed.decisions, *rehearsed.folded])
    with recorded(opened.engine, "scan.commit", actor, now, opened.key, lease) as work:
        ruled = rule_on(work.connection, opened.settings, computed, now)
        queued = write(work, opened.settings, opened.evidence, ruled, now)
        _write_runs(work, ready, computed, last, now)
    return _scanned(ready, computed, ruled, last, queued=queued, written=True)


def what_if(
    opened: Opened,
    study: StudySettings,
    now: datetime,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    timer: Timer = untimed,
) -> Scanned:
    """What a scan would say: `--dry-run`, `--as-of`, `--known-at`. Writes nothing, alerts nobody."""
    with reading(opened.engine, "scan.look") as connection:
        taken = newest_snapshot(connection, opened.settings.data_dir, study.id, known_at)
        known = transfers(connection, study.id, known_at)
        alerts = of_study(connection, study.id)
    with prepared(opened.settings, study, taken, now, as_of) as ready:
        computed = _compute(opened, ready, frozenset(rule.id for rule in ready.ruleset.rules), alerts, timer)
        computed = replace(computed, held=held_finding(known, taken), over=no_longer_held(known))
    with reading(opened.engine, "scan.rehearse") as connection:
        ruled = rule_on(connection, opened.settings, computed, now)
    return _scanned(ready, computed, ruled, {}, queued=0, written=False)


def _last_runs(connection: Connection, study: str) -> dict[str, Any]:
    rows = connection.execute(select(rule_run).where(rule_run.c.study == study))
    return {row.rule: row for row in rows}


def _changed(
    ready: Prepared, last: Mapping[str, Any], alerts: Sequence[Alert], today: date
) -> frozenset[str]:
    """The rules whose inputs changed, that ended broken, or one of whose accepted alerts has run out.

    The rules of a family are judged together: what one finds may be in the other's alert. So are those
    of an alert that a person said is no case: it covers nothing any more.
    """
    over = {alert.rule for alert in alerts if ended(alert, today)}
    changed = frozenset(
        rule.id
        for rule in ready.ruleset.rules
        if rule.id in over
        or rule.id not in last
        or last[rule.id].inputs != ready.inputs[rule.id]
        or last[rule.id].outcome == Outcome.BROKEN.value
    )
    refused = {alert.rule for alert in alerts if alert.closed_outcome == NOT_A_CASE}
    families = {rule.family for rule in ready.ruleset.rules if rule.id in changed | refused} - {""}
    return changed | {rule.id for rule in ready.ruleset.rules if rule.family in families}


def _compute(
    opened: Opened, ready: Prepared, changed: frozenset[str], alerts: Sequence[Alert], timer: Timer
) -> Computed:
    """What the changed rules find; without a changed rule no engine is started."""
    rules = closure(ready.ruleset.rules, changed)
    runs: Sequence[RuleRun] = ()
    material = Material()
    if rules:
        mine = [alert for alert in alerts if alert.rule in changed]
        with ready.engine() as engine:
            runs = evaluate(
                engine,
                rules,
                ready.context,
                ready.study.id,
                ready.snapshot.id,
                derived=ready.derived,
                timer=timer,
            )
            own = [rule for rule in rules if rule.id in changed]
            material = gather(mine, own, engine, opened.evidence)
    return Computed(
        study=ready.study.id,
        rules=ready.ruleset.rules,
        runs=[run for run in runs if run.rule in changed],
        material=material,
        rejects=_rejects(ready),
        delta=ready.snapshot.manifest.get("delivery") == "delta",
    )


def _rejects(ready: Prepared) -> dict[str, list[dict[str, Any]]]:
    """The rejected rows of the domains that the rules read, by domain."""
    named = {"DM"}.union(*(asked.domains for asked in ready.ruleset.asked.values()))
    read = named.union(*(SOURCES.get(domain, ()) for domain in named))
    manifest = ready.snapshot.manifest
    domain_of = {name: domain for domain, each in manifest["domains"].items() for name in each["files"]}
    found: dict[str, list[dict[str, Any]]] = {}
    for reject in manifest["rejects"]:
        domain = domain_of.get(reject["file"], "")
        if domain in read or not domain:
            found.setdefault(domain or reject["file"], []).append(reject)
    return found


def _write_runs(
    work: Work, ready: Prepared, computed: Computed, last: Mapping[str, Any], now: datetime
) -> None:
    """The runs of this scan, those that repeat the last one, and the rules that are gone."""
    domains = {rule.id: rule.series.domain for rule in ready.ruleset.rules}
    ran = {run.rule for run in computed.runs}
    for run in computed.runs:
        write_version(work, run, ready.ruleset.texts[run.rule], now)
        write_run(work, run, ready.inputs[run.rule], _about(ready, domains[run.rule]), now)
    for rule in ready.ruleset.rules:
        if rule.id not in ran:
            said = {**json.loads(last[rule.id].result), "version": rule.version, "repeated": True}
            work.note(Entry("rule_run", said, ready.study.id, "", rule.id))
    for name, row in last.items():
        if name not in domains and row.outcome != REMOVED:
            upsert_run(work, ready.study.id, name, {"outcome": REMOVED, "inputs": "", "at": now})
            said = {
                "version": row.version,
                "reason": "no longer in the study's rules; its alerts stay as they are",
            }
            work.note(Entry("rule_removed", said, ready.study.id, "", name))


def _about(ready: Prepared, domain: str) -> dict[str, Any]:
    """Under what a rule about a domain ran: CTCAE version, what a cut-off hides, what is no value."""
    hidden = ready.hidden.get(domain, 0)
    return {
        "hidden_by_cutoff": hidden,
        "ctcae": ready.context.ctcae,
        "invalid": ready.invalid.get(domain, {}),
    }


def _scanned(
    ready: Prepared, computed: Computed, ruled: Ruled, last: Mapping[str, Any], *, queued: int, written: bool
) -> Scanned:
    runs = {run.rule: run for run in computed.runs}
    by_rule: dict[str, list[Decision]] = {}
    for decision in ruled.decisions:
        by_rule.setdefault(decision.alert.rule, []).append(decision)
    for decision in ruled.folded:
        if decision.finding is not None:
            by_rule.setdefault(decision.finding.rule, []).append(decision)
    results = tuple(
        _result(
            runs.get(rule.id) or _repeated(ready.study.id, rule, last[rule.id]),
            by_rule.get(rule.id, ()),
            repeated=rule.id not in runs,
        )
        for rule in ready.ruleset.rules
    )
    return Scanned(
        study=ready.study.id,
        snapshot=ready.snapshot.number,
        as_of=ready.context.as_of,
        results=results,
        decisions=tuple(by_rule.get("", ())),
        queued=queued,
        written=written,
    )


def _repeated(study: str, rule: Rule, row: Any) -> RuleRun:
    """The last run of a rule, as it was kept."""
    kept = json.loads(row.result)
    return RuleRun(
        study=study,
        rule=rule.id,
        version=row.version,
        **{**kept, "severity": Severity(kept["severity"]), "outcome": Outcome(kept["outcome"])},
    )


def _result(run: RuleRun, decisions: Sequence[Decision], *, repeated: bool) -> RuleResult:
    kept = {name: value for name, value in vars(run).items() if name != "findings"}
    return RuleResult(**kept, repeated=repeated, decisions=tuple(decisions))
