"""What the decisions of a scan rest on, read before its transaction: old findings, present records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from monitor.alerts.changes import FIRING_ROLES
from monitor.engines.duckdb import Engine
from monitor.engines.evidence import evidence_row, said
from monitor.evidence import Identity, identity, is_of_study, read_finding
from monitor.files import Store
from monitor.records import Alert, AlertKind, EvidenceRow, Finding
from monitor.rules.rule import Rule


@dataclass(frozen=True)
class Material:
    """What is known of one study's alerts.

    `before` maps finding ids to findings, `present` a rule to the keys of its found domain for the
    subjects with an alert, `rows` the firing records of those findings as they are now.
    """

    before: Mapping[str, Finding] = field(default_factory=dict)
    present: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rows: Mapping[Identity, EvidenceRow] = field(default_factory=dict)


def gather(alerts: Sequence[Alert], rules: Sequence[Rule], engine: Engine, store: Store) -> Material:
    """Read the findings of all alerts, and what became of their records."""
    findings = [alert for alert in alerts if alert.kind is AlertKind.FINDING]
    before = {
        alert.finding: found for alert in findings if (found := stored(store, alert.finding)) is not None
    }
    told = [row for finding in before.values() for row in finding.evidence if row.role in FIRING_ROLES]
    counted = {
        subject for found in before.values() if is_of_study(found) for subject in found.facts["subjects"]
    }
    subjects = sorted({alert.subject for alert in findings} | counted)
    present: dict[str, frozenset[str]] = {}
    found_in = _found_in(rules)
    wanted = {*chain(*found_in.values()), *(row.domain for row in told)} if subjects else set()
    now = {domain: engine.rows(domain, subjects) for domain in sorted(wanted)}
    for rule, domains in found_in.items():
        present[rule] = frozenset(str(row["KEY"]) for domain in domains for row in now.get(domain, ()))
    return Material(before, present, dict(_now(told, now)))


def _found_in(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """For each rule the domains of its found records; `rules` are in dependency order."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        others = [domain for name in rule.finds for domain in found.get(name, ())]
        found[rule.id] = tuple(dict.fromkeys([rule.series.domain, *others]))
    return found


def stored(store: Store, name: str) -> Finding | None:
    """A finding from the evidence store; None when its file is gone or damaged (`verify` tells)."""
    try:
        return read_finding(store.get(name))
    except (OSError, ValueError, KeyError):
        return None


def _now(
    told: Iterable[EvidenceRow], tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterable[tuple[Identity, EvidenceRow]]:
    """The records that were told, as they are in the data now, in the columns that were told."""
    indexed = {
        (domain, str(row["KEY"]), str(row.get("DRUG") or "")): row
        for domain, rows in tables.items()
        for row in rows
    }
    for row in told:
        found = indexed.get(identity(row))
        if found is not None:
            yield identity(row), as_now(row, found)


def as_now(told: EvidenceRow, found: Mapping[str, Any]) -> EvidenceRow:
    """One record as it is now, in the columns that were told; as it was when its version is the same."""
    if str(found["VERSION"]) == told.version:
        return told
    now = evidence_row(told.role, told.domain, found)
    further = {column: said(found[column]) for column, _ in told.cells if found.get(column) is not None}
    shown = {**dict(now.cells), **further}
    return replace(now, cells=tuple((column, shown[column]) for column, _ in told.cells if column in shown))
