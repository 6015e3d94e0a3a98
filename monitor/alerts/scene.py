"""What a decision is made from, beside the alerts and the run; and how an alert begins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from monitor.alerts.due import deadlines, due_at, earlier
from monitor.evidence import Identity, finding_id
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    EvidenceRow,
    Finding,
    Severity,
    Standing,
)

# Without letters and digits that are mistaken for each other when read aloud or copied.
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_LENGTH = 8


@dataclass(frozen=True)
class Scene:
    """What the scan knows. `today` is the date of `now` in the monitor's time zone.

    `first_scan`: the first run of the study, of this rule version, or of a changed mapping.
    `before` maps a finding's id to the finding: those that the alerts rest on. `present` are the
    keys of the found domain's records now, `rows` the present records by identity, as far
    as `before` names them. `dose_hold`: the rule asks to hold a dose, so that a dose given
    meanwhile is told. `zone` is the monitor's, in which days are counted. `taken` are the alert
    ids that exist.
    """

    now: datetime
    today: date
    act_within: Mapping[Severity, timedelta]
    first_scan: bool = False
    before: Mapping[str, Finding] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    rows: Mapping[Identity, EvidenceRow] = field(default_factory=dict)
    dose_hold: bool = False
    zone: tzinfo = UTC
    taken: frozenset[str] = frozenset()


def begin(kind: AlertKind, finding: Finding, severity: Severity, scene: Scene) -> Alert:
    """A new alert, open, that rests on `finding`."""
    return Alert(
        id=_new_id(
            (kind.value, finding.study, finding.rule, finding.subject, *sorted(finding.keys)), scene.taken
        ),
        kind=kind,
        study=finding.study,
        site=finding.site,
        subject=finding.subject,
        rule=finding.rule,
        rule_version=finding.rule_version,
        severity=severity,
        level=finding.level,
        status=AlertStatus.OPEN,
        standing=Standing.CLEARED if finding.closed else Standing.PRESENT,
        keys=finding.keys,
        finding=finding_id(finding),
        onset=finding.onset,
        detected_at=scene.now,
        due=until(finding, scene.now, severity, scene),
        backfill=scene.first_scan,
    )


def until(finding: Finding, since: datetime, severity: Severity, scene: Scene) -> datetime | None:
    """When an alert must be acted on: the end of the first of its rule's clocks, else of its severity's."""
    ends = deadlines(finding, since, scene.zone)
    return min(ends) if ends else due_at(since, severity, scene.act_within)


def reopened(alert: Alert, finding: Finding | None, scene: Scene) -> Alert:
    """The alert waiting again for a person, with a fresh clock unless the old one still runs.

    A clock of the rule that has run out already gives no time to act: then the severity's target does.
    """
    ends = [] if finding is None else deadlines(finding, scene.now, scene.zone)
    running_out = [end for end in ends if end > scene.now]
    fresh = min(running_out) if running_out else due_at(scene.now, alert.severity, scene.act_within)
    running = alert.due if alert.status is AlertStatus.OPEN else None
    return replace(alert, status=AlertStatus.OPEN, due=earlier(running, fresh), closed_outcome="")


def _new_id(parts: tuple[str, ...], taken: frozenset[str]) -> str:
    """A short speakable id that follows from `parts`, and is not yet taken."""
    seq = 1
    while True:
        number = int.from_bytes(hashlib.sha256("\x1f".join((*parts, str(seq))).encode()).digest(), "big")
        found = ""
        for _ in range(_LENGTH):
            number, place = divmod(number, len(_LETTERS))
            found += _LETTERS[place]
        if found not in taken:
            return found
        seq += 1
