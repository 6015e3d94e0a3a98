"""Invented mails on which the templates are tried when they are loaded, and for looking at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.delivery.letter import Letter, Story
from monitor.delivery.message import fields
from monitor.delivery.templates import Templates, load_templates
from monitor.delivery.view import view
from monitor.evidence import finding_id
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Cause,
    EvidenceRow,
    Finding,
    Severity,
    Standing,
    Truth,
)

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)


def checked_templates(folder: Path) -> Templates:
    """The templates of a folder, tried on all samples. Raises ConfigError with all problems."""
    return load_templates(folder, samples())


def samples() -> list[tuple[str, Mapping[str, Any]]]:
    """Kind and fields of each sample: all fields filled, none filled, a notice, a summary."""
    full, bare, notice = story(), bare_story(), corrected_story()
    views = [view(each, letter()) for each in (full, bare, notice)]
    return [*(("alert", fields(letter(), [one])) for one in views), ("summary", fields(letter(), views))]


def letter() -> Letter:
    """Of stage test and synthetic data, so that every mark shows."""
    return Letter(
        id="0123456789abcdef01234567",
        kind="alert",
        message_id="<0123456789abcdef01234567@example.org>",
        study="ROMI-AA",
        severity="critical",
        sender="Safety Monitor <monitor@example.org>",
        to="safety-officer@example.org",
        intended="safety-officer@example.org",
        reply_to="",
        now=NOW,
        timezone="Asia/Shanghai",
        level="coded",
        test=True,
        synthetic=True,
        blinded=False,
        ledger_seq=118,
        ledger_mac="5f1c09a2be77" + "0" * 52,
        link="https://monitor.example.org/alerts/A-7Q4M2K",
    )


def story() -> Story:
    """A hold alert as it is first told."""
    return Story(_alert(finding_id(_finding("412"))), _finding("412"), "opened", "a new episode")


def corrected_story() -> Story:
    """The same, after the laboratory corrected its value."""
    alert = replace(_alert(finding_id(_finding("401"))), told=("pi@example.org",))
    reason = "corrected, and still firing: LBORRES, LBSTRESN"
    return Story(alert, _finding("401"), "corrected", reason, _finding("412"))


def bare_story() -> Story:
    """A rule that met no record: no subject, no finding, no due date."""
    alert = replace(_alert(""), kind=AlertKind.BLIND, site="", subject="", onset="", due=None)
    return Story(alert, None, "opened", "no record of the series LBTESTCD = 'PLAT'; LB has PLT (512 rows)")


def _alert(finding: str) -> Alert:
    return Alert(
        id="A-7Q4M2K",
        kind=AlertKind.FINDING,
        study="ROMI-AA",
        site="01",
        subject="ROMI-AA-01-003",
        rule="PLT-01",
        rule_version="3fd9c1a07be2",
        severity=Severity.CRITICAL,
        level=0,
        status=AlertStatus.OPEN,
        standing=Standing.PRESENT,
        keys=("LB:003:6",),
        finding=finding,
        onset="2026-03-01",
        detected_at=NOW,
        due=NOW.replace(hour=3),
    )


def _row(role: str, day: str, *cells: tuple[str, str], version: str = "1") -> EvidenceRow:
    domain = cells[0][0][:2] if cells[0][0] != "DRUG" else "DOSE"
    return EvidenceRow(role, domain, f"{domain}:003:{day}", version, day, "2026-03-05T02:10:00+00:00", cells)


def _count(role: str, day: str, count: str) -> EvidenceRow:
    cells = (
        ("LBTESTCD", "PLAT"),
        ("LBORRES", count),
        ("LBORRESU", "10^9/L"),
        ("LBSTRESN", count),
        ("LBSTRESU", "10^9/L"),
        ("LBSTNRLO", "125"),
        ("LBSTNRHI", "350"),
    )
    return _row(role, day, *cells, version=count)


def _finding(count: str) -> Finding:
    return Finding(
        study="ROMI-AA",
        site="01",
        subject="ROMI-AA-01-003",
        rule="PLT-01",
        rule_version="3fd9c1a07be2",
        truth=Truth.TRUE,
        severity=Severity.CRITICAL,
        level=0,
        keys=("LB:003:6",),
        onset="2026-03-01",
        closed="",
        sentence="Platelets (LBTESTCD = 'PLAT') are above 400 10^9/L (plt_hold).",
        evidence=(
            _count("previous", "2026-02-08", "88"),
            _count("previous", "2026-02-15", "171"),
            _count("previous", "2026-02-22", "296"),
            _row("dose", "2026-02-24", ("DRUG", "romiplostim"), ("DOSE", "700"), ("UNIT", "ug")),
            _count("found", "2026-03-01", count),
        ),
        causes=(Cause("no unit", "LB", "LBSTRESU"),),
        facts={
            "title": "Thrombocytosis: hold romiplostim",
            "action": "Hold the next romiplostim dose. CBC weekly. Check for thrombosis."
            " Restart one step lower, once platelets are below 200 10^9/L.",
            "basis": ["Nplate US label 2.1 (value for ITP)"],
            "params": {
                "plt_hold": {"value": 400.0, "unit": "10^9/L", "source": "label", "confirmed": False},
                "plt_resume": {"value": 200.0, "unit": "10^9/L", "source": "label", "confirmed": False},
            },
            "ctcae": "5.0",
            "snapshot": "9c41d6f0aa52",
            "doses_since": ["2026-03-03 romiplostim 700 ug"],
            "assumed": ["the dose of the same day was given after the blood draw"],
        },
    )
