"""An alert's story: what becomes of each alert of one rule in one study, and why. Pure.

Data open, raise and mark alerts; they never end what a person owes. Each decision says its
reason, also the one to stay silent. Reasons name columns and counts, never values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from monitor.alerts.changes import Change, as_it_is, changes, named, only_judged_anew, results, vanished
from monitor.alerts.due import deadlines
from monitor.alerts.matching import Matched, match, shares
from monitor.alerts.scene import Scene, begin, reopened
from monitor.alerts.troubles import decide_troubles
from monitor.evidence import finding_id, is_of_study
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Decision,
    Finding,
    RuleRun,
    Severity,
    Standing,
    Truth,
)


def decide(run: RuleRun, alerts: Sequence[Alert], scene: Scene) -> tuple[Decision, ...]:
    """What becomes of every alert of this study and rule, and which begin.

    `alerts` are all of the study and rule, also closed ones. A recording rule (severity none)
    alerts nobody unless it is broken.
    """
    mine = [alert for alert in alerts if alert.kind is AlertKind.FINDING]
    decisions = _findings(run, mine, scene) if run.could_see else _unseen(run, mine)
    after = {decision.alert.id: decision.alert for decision in decisions}
    others = [alert for alert in alerts if alert.id not in after]
    later = replace(scene, taken=scene.taken | after.keys())
    return (*decisions, *decide_troubles(run, [*after.values(), *others], later))


def _unseen(run: RuleRun, alerts: Sequence[Alert]) -> tuple[Decision, ...]:
    reason = f"the rule's run was {run.outcome}: nothing is cleared or withdrawn by a run that could not see"
    return tuple(Decision("unchanged", reason, alert, None, tell=False) for alert in alerts)


def _findings(run: RuleRun, alerts: Sequence[Alert], scene: Scene) -> tuple[Decision, ...]:
    firing = [finding for finding in run.findings if finding.truth is Truth.TRUE]
    if run.severity is Severity.NONE:
        firing = []
    matched: Matched = match(alerts, firing, scene.present)
    made = [_continue(alert, finding, scene) for alert, finding in matched.continued]
    for alert, into in matched.merged:
        made.append(
            Decision("merged", f"its episode now goes on as alert {into.id}", alert, None, tell=False)
        )
    made.extend(_unmatched(alert, run, scene) for alert in matched.left)
    taken = scene.taken
    for finding in matched.new:
        decision = _begin(finding, replace(scene, taken=taken))
        taken |= {decision.alert.id}
        made.append(decision)
    return tuple(made)


# ---------------------------------------------------------------- a new alert


def _begin(finding: Finding, scene: Scene) -> Decision:
    alert = begin(AlertKind.FINDING, finding, finding.severity, scene)
    reason = f"the rule fires{_delay(finding.onset, scene.today)}"
    if not scene.first_scan:
        return Decision("opened", reason, alert, finding, tell=True)
    own_mail = finding.severity is Severity.CRITICAL and not finding.closed
    why = "critical and still open" if own_mail else "it is over" if finding.closed else "it is not critical"
    return Decision(
        "opened", f"{reason}; first scan: {why}", alert, finding, tell=own_mail, summary=not own_mail
    )


def _delay(onset: str, today: date) -> str:
    try:
        days = (today - date.fromisoformat(onset)).days
    except ValueError:
        return f" as of {onset}; its date is partial" if onset else "; it has no date"
    return f" as of {onset}, {days} days before it was detected"


# ---------------------------------------------------------------- an alert that goes on


def _continue(alert: Alert, finding: Finding, scene: Scene) -> Decision:
    """One alert and the finding that continues it: the weightiest event names the decision."""
    before = scene.before.get(alert.finding)
    found = _events(alert, finding, before, scene)
    if not found:
        return Decision("unchanged", "the same records fire as before", alert, None, tell=False)
    after = replace(
        alert,
        keys=finding.keys,
        finding=finding_id(finding),
        onset=finding.onset,
        standing=Standing.CLEARED if finding.closed else Standing.PRESENT,
    )
    if _weight(finding.severity, finding.level) > _weight(alert.severity, alert.level):
        after = replace(after, severity=finding.severity, level=finding.level)
    if not (REOPENS if alert.status is AlertStatus.CLOSED else RENEWS).isdisjoint(found):
        after = replace(reopened(after, finding, scene), rule_version=_version(alert, finding))
    elif alert.status is not AlertStatus.CLOSED:
        since = scene.now if "level reached" in found else None
        ends = deadlines(finding, since, scene.zone)
        after = replace(after, due=min([*ends, *filter(None, [alert.due])], default=None))
    tell = not TOLD.isdisjoint(found)
    return Decision(next(iter(found)), "; ".join(found.values()), after, finding, tell=tell)


SOONER = "what its clock runs from lies earlier than was known: it is due sooner"
# The events that are told at once; the others only go on record.
TOLD = frozenset(
    {"fired again", "level reached", "dosed since", "corrected", "clear no longer holds", "due sooner"}
)
# Those after which an acknowledged alert, or a closed one, waits for a person again.
RENEWS = frozenset({"fired again", "level reached"})
REOPENS = TOLD - {"corrected", "due sooner"}


def _events(alert: Alert, finding: Finding, before: Finding | None, scene: Scene) -> dict[str, str]:
    """What happened to an alert that still fires, the weightiest first, each with its reason."""
    new = [key for key in finding.keys if key not in alert.keys]
    corrected = results(changes(before, scene.rows))
    gone = [key for key in alert.keys if key not in scene.present]
    last = str(finding.facts.get("last_dose", ""))
    told_last = str(before.facts.get("last_dose", "")) if before is not None else last
    away = alert.standing in (Standing.WITHDRAWN, Standing.GONE, Standing.DISPUTED)
    possible = {
        "fired again": (
            away or (alert.status is AlertStatus.CLOSED and bool(new)),
            f"it was {alert.standing if away else alert.status}, and {max(len(new), 1)} record(s) fire",
        ),
        "level reached": (
            _weight(finding.severity, finding.level) > _weight(alert.severity, alert.level),
            f"{finding.severity}, level {finding.level}, reached: was {alert.severity}, level {alert.level}",
        ),
        "dosed since": (
            scene.dose_hold and not finding.closed and last > told_last and last >= finding.onset,
            "the drug was given since the last mail",
        ),
        "corrected": (
            bool(corrected or gone),
            f"corrected, and still firing: {named(corrected) or f'{len(gone)} record(s) no longer there'}",
        ),
        "clear no longer holds": (
            alert.standing is Standing.CLEARED and not finding.closed,
            "the data had cleared it, and it is open again",
        ),
        "due sooner": (_is_sooner(alert, finding, scene), SOONER),
        "cleared": (
            bool(finding.closed) and alert.standing is not Standing.CLEARED,
            "the data cleared it; it still waits for a person",
        ),
        "grew": (bool(new), f"{len(new)} further record(s) in the episode: on record, no mail"),
        "updated": (_shows_more(finding, before), "its evidence changed: on record, no mail"),
    }
    return {what: reason for what, (holds, reason) in possible.items() if holds}


def _weight(severity: Severity, level: int) -> tuple[int, int]:
    return severity.rank, level


def _is_sooner(alert: Alert, finding: Finding, scene: Scene) -> bool:
    """Whether one of the rule's clocks ends before the time that was told."""
    ends = deadlines(finding, None, scene.zone)
    told = alert.due
    return alert.status is not AlertStatus.CLOSED and told is not None and any(end < told for end in ends)


def _version(alert: Alert, finding: Finding) -> str:
    """An open alert keeps the rule version that it fired under; one begun again has the present one."""
    return finding.rule_version if alert.status is AlertStatus.CLOSED else alert.rule_version


def _shows_more(finding: Finding, before: Finding | None) -> bool:
    if before is None:
        return True
    return _shown(finding) != _shown(before)


def _shown(finding: Finding) -> tuple[object, ...]:
    facts = finding.facts
    return finding.evidence, finding.closed, facts.get("rate"), facts.get("folded")


# ---------------------------------------------------------------- an alert that no longer fires


def _unmatched(alert: Alert, run: RuleRun, scene: Scene) -> Decision:
    """One alert for which nothing fires now."""
    if alert.standing in (Standing.WITHDRAWN, Standing.GONE):
        return Decision("unchanged", f"already {alert.standing}", alert, None, tell=False)
    if any(_covers(finding, alert) for finding in run.findings if finding.truth is Truth.UNKNOWN):
        reason = "it fired, and now can't be told: it stays as it is"
        return Decision("can't be told", reason, alert, None, tell=False)
    before = scene.before.get(alert.finding)
    found = changes(before, scene.rows)
    gone = scene.present.isdisjoint(alert.keys)
    if alert.standing is Standing.DISPUTED and not gone and not vanished(found):
        return Decision("unchanged", "still disputed", alert, None, tell=False)
    if not gone and not found and alert.rule_version != run.version:
        reason = f"it fired under rule version {alert.rule_version}, and keeps it"
        return Decision("unchanged", reason, alert, None, tell=False)
    if not gone and only_judged_anew(found):
        reason = f"a judgement was lowered ({named(found)}): disputed, and its clocks run on"
        return _told(alert, before, scene, ("disputed", reason, Standing.DISPUTED))
    lasts = before is not None and is_of_study(before)
    return _told(alert, before, scene, _withdrawn(alert, found, gone=gone, lasts=lasts))


def _covers(unknown: Finding, alert: Alert) -> bool:
    """Whether a finding that can't be told speaks of an alert's records (or of the whole study)."""
    if not unknown.keys:
        return unknown.subject in ("", alert.subject)
    if unknown.subject:
        return shares(alert, unknown)
    return not set(alert.keys).isdisjoint(unknown.keys)


def _withdrawn(
    alert: Alert, found: tuple[Change, ...], *, gone: bool, lasts: bool
) -> tuple[str, str, Standing]:
    """What, why and the standing of an alert whose records were corrected or vanished.

    A boundary that was reached stays reached (`lasts`) until a person closes the alert.
    """
    if gone or vanished(found):
        why = "a record that fired is no longer there"
    elif found:
        why = f"a record that fired was corrected ({named(found)})"
    else:
        why = "records that it depends on changed, or arrived"
    if alert.severity is Severity.CRITICAL and alert.status is not AlertStatus.CLOSED:
        return "corrected", f"{why}; it is critical, so only a person withdraws it", Standing.GONE
    if lasts and alert.status is not AlertStatus.CLOSED:
        return "corrected", f"{why}; a boundary was reached, so only a person withdraws it", Standing.GONE
    return "withdrawn", why, Standing.WITHDRAWN


def _told(alert: Alert, before: Finding | None, scene: Scene, outcome: tuple[str, str, Standing]) -> Decision:
    """A decision that everybody who was told must hear of; its finding shows the records as they are now."""
    what, reason, standing = outcome
    shown = None if before is None else as_it_is(before, scene.rows)
    finding = alert.finding if shown is None else finding_id(shown)
    return Decision(what, reason, replace(alert, standing=standing, finding=finding), shown, tell=True)
