"""Findings of what can't be told: of one subject, of the whole study, and of a rule that saw nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.engines import evidence
from monitor.engines.findings import Setting, Subject, common_facts, named_columns, opening, rows_of
from monitor.records import Cause, EvidenceRow, Finding, Truth
from monitor.rules.answers import Judged
from monitor.rules.english import sentence
from monitor.rules.record_words import record_words
from monitor.rules.wording import Speech

SHOWN = 10  # rows of a finding; the rest are counted


def untold(setting: Setting, subject: Subject, records: Sequence[Judged]) -> Finding:
    """The finding of one subject's records that can't be told, one severity lower."""
    used = [item for one in records for item in (*one.used, *opening(setting, one, subject))]
    rows = rows_of(used[:SHOWN], named_columns(setting.rule))
    first = records[0]
    return Finding(
        **_about(setting, [one.verdict.key for one in records], [c for one in records for c in one.causes]),
        site=str(first.found.get("SITEID") or ""),
        subject=subject.name,
        onset=evidence.iso(first.verdict.days),
        closed="",
        evidence=tuple(rows),
        facts={
            **common_facts(setting, "cannot_tell"),
            "records": len(records),
            "rows_not_shown": len({(item.domain, item.row["ROWN"]) for item in used}) - len(rows),
        },
    )


def study_wide(
    setting: Setting,
    causes: Sequence[Cause],
    *,
    keys: Sequence[str] = (),
    subjects: Iterable[str] = (),
    records: int = 0,
    rows: Sequence[EvidenceRow] = (),
) -> Finding:
    """The finding about the whole study of what can't be told for some causes."""
    return Finding(
        **_about(setting, keys, causes),
        site="",
        subject="",
        onset="",
        closed="",
        evidence=tuple(rows[:SHOWN]),
        facts={
            **common_facts(setting, "cannot_tell"),
            "subjects": sorted(set(subjects)),
            "records": records,
            "rows_not_shown": max(0, records - len(rows[:SHOWN])),
        },
    )


def blind(setting: Setting, said: str, instead: Sequence[tuple[str, Mapping[str, int]]]) -> Finding:
    """The finding of a rule that saw nothing: `instead` are the words that are there, by column."""
    finding = study_wide(setting, ())
    words = [
        {"column": column, "words": [list(word) for word in counts.items()]} for column, counts in instead
    ]
    facts = {**common_facts(setting, "blind"), "instead": words}
    return replace(finding, sentence=said, facts=facts)


def blind_of(setting: Setting, subjects: Sequence[str]) -> Finding:
    """The finding of a rule that saw nothing of some subjects on treatment; its keys are their codes."""
    first = ", ".join(subjects[:SHOWN]) + (" …" if len(subjects) > SHOWN else "")
    what = record_words(setting.rule.series, None, Speech(setting.rule.series.domain, ""))
    said = f"no record of {what} of {len(subjects)} subject(s) to whom a dose was given: {first}"
    finding = study_wide(setting, (), keys=subjects, subjects=subjects)
    return replace(finding, sentence=said, facts={**finding.facts, "outcome": "blind"})


def _about(setting: Setting, keys: Iterable[str], causes: Iterable[Cause]) -> dict[str, Any]:
    return {
        "study": setting.study,
        "rule": setting.rule.id,
        "rule_version": setting.rule.version,
        "truth": Truth.UNKNOWN,
        "severity": setting.rule.severity.one_lower,
        "level": 0,
        "keys": tuple(dict.fromkeys(keys)),
        "sentence": sentence(setting.rule, setting.context),
        "causes": tuple(dict.fromkeys(causes)),
    }
