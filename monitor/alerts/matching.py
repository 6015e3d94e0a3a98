"""Which finding continues which alert: by shared record, else as one record corrected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.records import Alert, Finding, Standing


@dataclass(frozen=True)
class Matched:
    """The findings of one rule beside its alerts.

    `continued` are pairs of an alert and the finding that goes on with it; `new` findings start
    an alert; `merged` pairs an alert with the older one that goes on with their common episode;
    `left` are alerts without a finding.
    """

    continued: tuple[tuple[Alert, Finding], ...]
    new: tuple[Finding, ...]
    merged: tuple[tuple[Alert, Alert], ...]
    left: tuple[Alert, ...]


def by_age(alerts: Iterable[Alert]) -> list[Alert]:
    """The oldest first."""
    return sorted(alerts, key=lambda alert: (alert.detected_at, alert.id))


def by_onset(findings: Iterable[Finding]) -> list[Finding]:
    """The earliest first; what has no date last."""
    return sorted(
        findings, key=lambda finding: (finding.onset == "", finding.onset, finding.subject, finding.keys)
    )


def match(alerts: Sequence[Alert], findings: Sequence[Finding], present: frozenset[str]) -> Matched:
    """Pair alerts and findings of one study and rule. `present` are the record keys in the data now.

    Of several alerts that share a record with one finding the oldest goes on (merged); of several
    findings that share one with an alert the earliest goes on (split). A finding without an alert
    and an alert of the same subject whose records all vanished are one record, corrected.
    """
    free = {alert.id: alert for alert in by_age(alerts)}
    holders: dict[tuple[str, str], list[Alert]] = {}
    for alert in free.values():
        for key in alert.keys:
            holders.setdefault((alert.subject, key), []).append(alert)
    continued: list[tuple[Alert, Finding]] = []
    new: list[Finding] = []
    for finding in by_onset(findings):
        sharing = [a for key in finding.keys for a in holders.get((finding.subject, key), ()) if a.id in free]
        if sharing:
            continued.append((free.pop(by_age(sharing)[0].id), finding))
        else:
            new.append(finding)
    merged = _merged(free.values(), continued)
    left = [alert for alert in free.values() if alert.id not in {other.id for other, _ in merged}]
    renamed = _renamed(left, new, present)
    return Matched((*continued, *renamed), tuple(new), merged, tuple(left))


def _merged(
    free: Iterable[Alert], continued: Iterable[tuple[Alert, Finding]]
) -> tuple[tuple[Alert, Alert], ...]:
    """Each alert whose episode another one goes on with, and that other one."""
    into = {(finding.subject, key): alert for alert, finding in continued for key in finding.keys}
    found = ((alert, [into.get((alert.subject, key)) for key in alert.keys]) for alert in free)
    return tuple((alert, other) for alert, others in found for other in [*filter(None, others)][:1])


def _renamed(
    left: list[Alert], new: list[Finding], present: frozenset[str]
) -> tuple[tuple[Alert, Finding], ...]:
    """Pairs of a vanished and an appeared record, which are taken out of `left` and `new`."""
    pairs: list[tuple[Alert, Finding]] = []
    for alert in tuple(left):
        replacement = next((finding for finding in new if _replaces(finding, alert, present)), None)
        if replacement is not None:
            left.remove(alert)
            new.remove(replacement)
            pairs.append((alert, replacement))
    return tuple(pairs)


def shares(alert: Alert, finding: Finding) -> bool:
    """Whether an alert and a finding of one rule rest on a common record of one subject."""
    return alert.subject == finding.subject and not set(alert.keys).isdisjoint(finding.keys)


def _replaces(finding: Finding, alert: Alert, present: frozenset[str]) -> bool:
    """Whether the alert's records vanished while this finding of the same subject (or site) appeared."""
    return (
        finding.subject == alert.subject
        and (finding.subject != "" or finding.site == alert.site)
        and alert.standing not in (Standing.WITHDRAWN, Standing.GONE)
        and present.isdisjoint(alert.keys)
    )
