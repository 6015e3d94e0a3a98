"""A finding survives the way to its file and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.evidence import canonical, finding_id, read_finding
from monitor.records import Cause, EvidenceRow, Finding, Severity, Truth

FINDING = Finding(
    study="S1",
    site="01",
    subject="01-001",
    rule="PLT-01",
    rule_version="v1",
    truth=Truth.TRUE,
    severity=Severity.CRITICAL,
    level=1,
    keys=("k1", "k2"),
    onset="2026-01-07",
    closed="",
    sentence="platelets above 400 × 10⁹/L",
    evidence=(EvidenceRow("found", "LB", "k1", "v", "2026-01-07", "2026-01-08", (("LBSTRESN", "401"),)),),
    causes=(Cause("missing", "LB", "LBSTRESU", ""),),
    facts={"last_dose": "2026-01-06", "delay": 1},
)


def test_a_finding_read_back_is_the_finding_that_was_written() -> None:
    assert read_finding(canonical(FINDING)) == FINDING


def test_the_id_does_not_depend_on_the_order_of_the_facts() -> None:
    turned = replace(FINDING, facts=dict(sorted(FINDING.facts.items())))
    assert finding_id(turned) == finding_id(FINDING)
    assert len(finding_id(FINDING)) == 64


def test_another_value_gives_another_id() -> None:
    assert finding_id(replace(FINDING, onset="2026-01-08")) != finding_id(FINDING)


def test_what_is_not_a_finding_is_refused() -> None:
    with pytest.raises(KeyError):
        read_finding(json.dumps({"truth": "maybe"}).encode())
