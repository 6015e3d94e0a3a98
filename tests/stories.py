"""Made-up findings, runs and scenes, from which tests tell an alert's story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.alerts.scene import Scene
from monitor.config import Settings
from monitor.evidence import finding_id, identity
from monitor.records import EvidenceRow, Finding, Outcome, RuleRun, Severity, Truth

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
WITHIN = {
    Severity.CRITICAL: timedelta(hours=1),
    Severity.HIGH: timedelta(hours=24),
    Severity.MEDIUM: timedelta(days=3),
    Severity.LOW: timedelta(days=7),
}


def row(
    key: str, value: str = "450", version: str = "v1", domain: str = "LB", role: str = "found"
) -> EvidenceRow:
    column = {"LB": "LBSTRESN", "AE": "AEREL"}[domain]
    return EvidenceRow(role, domain, key, version, "2026-01-28", "2026-01-30", ((column, value),))


def finding(*keys: str, **changed: Any) -> Finding:
    basis = Finding(
        study="S1",
        site="01",
        subject="01-001",
        rule="PLT-01",
        rule_version="v1",
        truth=Truth.TRUE,
        severity=Severity.CRITICAL,
        level=0,
        keys=keys,
        onset="2026-01-28",
        closed="",
        sentence="platelets above 400",
        evidence=tuple(row(key) for key in keys),
    )
    return replace(basis, **changed)


def run(*findings: Finding, outcome: Outcome = Outcome.FIRED, **changed: Any) -> RuleRun:
    basis = RuleRun("S1", "PLT-01", "v1", Severity.CRITICAL, outcome, 10, 2, "2026-01-28", 1, 0, findings)
    return replace(basis, **changed)


def scene(*rows: EvidenceRow, before: Sequence[Finding] = (), **changed: Any) -> Scene:
    basis = Scene(
        now=LATER,
        today=LATER.date(),
        act_within=WITHIN,
        before={finding_id(told): told for told in before},
        present=frozenset(item.key for item in rows),
        rows={identity(item): item for item in rows},
    )
    return replace(basis, **changed)


def installation(folder: Path, routes: Sequence[dict[str, Any]] = (), **changed: Any) -> Settings:
    """The least configuration of one study S1 in `folder`; `changed` are settings of the study."""
    everybody = {"severity": ["critical", "high", "medium", "low"], "to": ["officer@example.org"]}
    study = {
        "id": "S1",
        "source": "data",
        "rules": ["generic"],
        "ctcae": "5.0",
        "blinded": False,
        "mail": "coded",
        **changed,
    }
    return Settings.model_validate(
        {
            "base": folder,
            "monitor": {"stage": "test", "timezone": "Asia/Shanghai"},
            "mail": {"transport": "folder", "sender": "monitor@example.org"},
            "study": [study],
            "route": list(routes) or [everybody],
        }
    )
