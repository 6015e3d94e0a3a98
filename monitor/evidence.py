"""A finding as canonical JSON (RFC 8785): same inputs, same bytes, same id; and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import rfc8785

from monitor.records import Cause, EvidenceRow, Finding, Severity, Truth

# What a row of evidence is known by: domain, key, and the drug, since an event has a row for each.
Identity = tuple[str, str, str]


def identity(row: EvidenceRow) -> Identity:
    """What a row of evidence is known by, whatever its values are."""
    return row.domain, row.key, dict(row.cells).get("DRUG", "")


def is_of_study(finding: Finding) -> bool:
    """Whether a finding is about a study, a site or an arm; its subjects are named in its facts."""
    return "rate" in finding.facts


def canonical(finding: Finding) -> bytes:
    """The finding as RFC 8785 JSON: what is kept in the evidence store."""
    given: dict[str, Any] = asdict(finding)
    return rfc8785.dumps({**given, "truth": finding.truth.name.lower(), "severity": finding.severity.value})


def finding_id(finding: Finding) -> str:
    """The hash of the canonical JSON: the finding's id and its file's name in the store."""
    return hashlib.sha256(canonical(finding)).hexdigest()


def read_finding(content: bytes) -> Finding:
    """The finding that `canonical` wrote. Raises ValueError or KeyError for anything else."""
    given: dict[str, Any] = json.loads(content)
    return Finding(
        **{
            **given,
            "truth": Truth[given["truth"].upper()],
            "severity": Severity(given["severity"]),
            "keys": tuple(given["keys"]),
            "evidence": tuple(_evidence(row) for row in given["evidence"]),
            "causes": tuple(Cause(**cause) for cause in given["causes"]),
        }
    )


def _evidence(given: dict[str, Any]) -> EvidenceRow:
    return EvidenceRow(**{**given, "cells": tuple((name, value) for name, value in given["cells"])})
