"""The decisions of one scan of one study, rule by rule; nothing is written here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from monitor.alerts.decide import decide
from monitor.alerts.family import fold_families, folded_into
from monitor.alerts.lifecycle import ids, of_study
from monitor.alerts.scene import Scene
from monitor.alerts.troubles import Trouble, decide_trouble
from monitor.config import Settings
from monitor.database.tables import rule_version
from monitor.records import Alert, AlertKind, Decision, Finding, RuleRun, Severity, Truth
from monitor.rules.rule import Rule
from monitor.usecases.material import Material

HOLD_TAG = "dose-hold"  # rules that ask to hold a dose: one given meanwhile is told
ACTING = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


@dataclass(frozen=True)
class Computed:
    """What a scan found, before anything is decided. `runs` are of the rules that were evaluated.

    `error` says why the study could not be checked; `healthy` that nothing else failed in this run.
    `held` says what the newest transfer lacks, `over` why the one before is not held any more.
    `delta`: rejected rows of an earlier transfer can't be seen in this one.
    """

    study: str
    rules: Sequence[Rule]
    runs: Sequence[RuleRun]
    material: Material
    rejects: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    error: Finding | None = None
    healthy: bool = True
    held: Finding | None = None
    over: str = ""
    delta: bool = False


@dataclass(frozen=True)
class Ruled:
    """The decisions of a scan, and the alerts as they were before, by id."""

    decisions: Sequence[Decision]
    folded: Sequence[Decision]  # what is no alert of its own: it is in that of another rule of its family
    before: Mapping[str, Alert]
    seen: bool  # whether the study had been scanned before


def rule_on(connection: Connection, settings: Settings, computed: Computed, now: datetime) -> Ruled:
    """Every decision about a study's alerts, from the alerts as they are in this transaction."""
    alerts = of_study(connection, computed.study)
    known = _versions(connection, computed.study)
    taken = ids(connection) if _may_raise(computed) else frozenset()
    tags = {rule.id: rule.tags for rule in computed.rules}
    basis = Scene(
        now=now,
        today=now.astimezone(ZoneInfo(settings.monitor.timezone)).date(),
        zone=ZoneInfo(settings.monitor.timezone),
        act_within={severity: settings.monitor.act_within.of(severity) for severity in ACTING},
        before=computed.material.before,
        rows=computed.material.rows,
    )
    families = {rule.id: rule.family for rule in computed.rules}
    known_rows = computed.material
    family = fold_families(computed.runs, alerts, families, known_rows.before, known_rows.present)
    decisions: list[Decision] = []
    for run in family.runs:
        scene = replace(
            basis,
            first_scan=(run.rule, run.version) not in known,
            present=computed.material.present.get(run.rule, frozenset()),
            dose_hold=HOLD_TAG in tags.get(run.rule, ()),
            taken=taken | {decision.alert.id for decision in decisions},
        )
        decisions.extend(decide(run, [alert for alert in alerts if alert.rule == run.rule], scene))
    of_the_study = replace(basis, first_scan=not known, taken=taken | {d.alert.id for d in decisions})
    decisions.extend(_of_the_study(computed, alerts, of_the_study))
    folded = [folded_into(one, decisions, alerts) for one in family.folded]
    return Ruled(decisions, folded, {alert.id: alert for alert in alerts}, bool(known))


def _may_raise(computed: Computed) -> bool:
    """Whether a new alert is possible: only then the ids that are taken matter."""
    return bool(computed.runs or computed.rejects or computed.error or computed.held)


def _versions(connection: Connection, study: str) -> frozenset[tuple[str, str]]:
    """The rule versions that this study was scanned with before."""
    rows = connection.execute(
        select(rule_version.c.rule, rule_version.c.version).where(rule_version.c.study == study)
    )
    return frozenset((row.rule, row.version) for row in rows)


def _of_the_study(computed: Computed, alerts: Sequence[Alert], scene: Scene) -> Iterable[Decision]:
    """Decisions about rejected rows, a transfer that is held, and a run that failed."""
    rejected = rejected_rows(computed.study, computed.rejects)
    troubles = (
        Trouble(
            AlertKind.DATA,
            Severity.HIGH,
            rejected,
            seen=computed.error is None and not computed.delta,
            grows_aloud=True,
        ),
        _held(computed, alerts),
        Trouble(
            AlertKind.RUN,
            Severity.HIGH,
            computed.error,
            seen=computed.healthy,
            grows_aloud=True,
        ),
    )
    taken = scene.taken
    for trouble in troubles:
        held = [alert for alert in alerts if alert.kind is trouble.kind]
        first = scene.first_scan and trouble.kind is AlertKind.DATA  # a failed run is never a backfill
        decision = decide_trouble(trouble, held, replace(scene, taken=taken, first_scan=first))
        if decision is not None:
            taken |= {decision.alert.id}
            yield decision


def _held(computed: Computed, alerts: Sequence[Alert]) -> Trouble:
    """The trouble of a held transfer. A later one that lacks no more than was told is not told again."""
    told = {key for alert in alerts if alert.kind is AlertKind.HELD for key in alert.keys}
    reasons = computed.held.facts["reasons"] if computed.held is not None else ()
    return Trouble(
        AlertKind.HELD,
        Severity.CRITICAL,
        computed.held,
        seen=computed.error is None,
        grows_aloud=not told.issuperset(reasons),
        over=computed.over,
    )


def rejected_rows(study: str, rejects: Mapping[str, Sequence[Mapping[str, Any]]]) -> Finding | None:
    """Rejected rows of domains that rules read, as a finding; None when there are none.

    Its keys stand for the rejected rows of one file each, so that the same ones are told once.
    """
    if not rejects:
        return None
    counts = {domain: len(rows) for domain, rows in sorted(rejects.items())}
    listed = [f"{row['file']} row {row['row']}: {row['reason']}" for rows in rejects.values() for row in rows]
    said = ", ".join(f"{count} of {domain}" for domain, count in counts.items())
    return study_finding(
        study,
        f"Rows were rejected that rules read: {said}. No rule has seen them.",
        keys=tuple(
            f"{domain}:{hashlib.sha256(repr(sorted(map(_line, rows))).encode()).hexdigest()[:12]}"
            for domain, rows in sorted(rejects.items())
        ),
        facts={"rejected": counts, "rows": listed[:20], "rows_not_shown": max(len(listed) - 20, 0)},
    )


def _line(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return str(row["file"]), int(row["row"]), str(row["reason"])


def study_finding(
    study: str,
    sentence: str,
    *,
    keys: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
    severity: Severity = Severity.HIGH,
) -> Finding:
    """A finding about a study as a whole, of no rule."""
    return Finding(
        study=study,
        site="",
        subject="",
        rule="",
        rule_version="",
        truth=Truth.UNKNOWN,
        severity=severity,
        level=0,
        keys=keys,
        onset="",
        closed="",
        sentence=sentence,
        facts={"said": sentence, **(facts or {})},
    )


def ended(alert: Alert, today: date) -> bool:
    """Whether the time has passed for which a person accepted an alert as expected."""
    _, _, until = alert.closed_outcome.partition("expected until ")
    return bool(until) and today > date.fromisoformat(until)
