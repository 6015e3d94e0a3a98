"""`monitor rules explain`: why a rule fired, stayed silent or can't tell; of a study, or of an example."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.bench import benches, cases_of
from monitor.authoring.why import Why, why_of
from monitor.config import Settings, StudySettings
from monitor.database.transactions import reading
from monitor.errors import UsageError
from monitor.usecases.computing import newest_snapshot, prepared
from monitor.usecases.opening import Opened
from monitor.usecases.rules import rule_of
from monitor.usecases.ruleset import closure


def explain_subject(opened: Opened, study: StudySettings, rule: str, subject: str, now: datetime) -> Why:
    """What a rule says of a subject in the study's newest data; writes nothing.

    Raises UsageError for a rule that the study does not use and for a subject of whom nothing was
    received, SourceError when no data were.
    """
    with reading(opened.engine, "explain.look") as connection:
        taken = newest_snapshot(connection, opened.settings.data_dir, study.id)
    with prepared(opened.settings, study, taken, now) as ready:
        rules = closure(ready.ruleset.rules, frozenset({rule}))
        if not rules:
            known = ", ".join(each.id for each in ready.ruleset.rules)
            raise UsageError(f"{rule} is not a rule of {study.id}; there is {known}")
        with ready.engine() as engine:
            if not any(engine.rows(domain, [subject]) for domain in engine.tables):
                raise UsageError(f"no record of subject {subject} is in {study.id}, snapshot {taken.number}")
            return why_of(rules, engine, ready.context, subject)


def explain_examples(settings: Settings, rule: str, names: Collection[str]) -> dict[str, list[Why]]:
    """What a rule says of each subject of its worked examples of these names.

    Raises UsageError for a rule that no study uses and for a name that none of its examples has.
    """
    _, pack, found = rule_of(settings, rule, None)
    known = [example.name for example in found.examples]
    if missing := [name for name in names if name not in known]:
        raise UsageError(f"{rule} has no example {', '.join(missing)}; there is {', '.join(known)}")
    cases = [case for case in cases_of(pack, (rule,)) if case.example.name in names]
    told: dict[str, list[Why]] = {name: [] for name in names}
    with TemporaryDirectory(prefix="monitor-rules-") as folder:
        for bench, engine in benches(pack, cases, Path(folder)):
            for case in bench.cases:
                given = {row.get("USUBJID", "") for _, rows in case.example.rows for row in map(dict, rows)}
                for subject in sorted(given):
                    why = why_of(bench.rules, engine, bench.context, case.prefix + subject)
                    told[case.example.name].append(replace(why, subject=subject))
    return told
