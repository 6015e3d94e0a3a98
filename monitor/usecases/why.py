"""`monitor rules explain RULE SUBJECT`: why a rule fired, stayed silent or can't tell of one subject."""

from __future__ import annotations

from datetime import datetime

from monitor.authoring.why import Why, why_of
from monitor.config import StudySettings
from monitor.database.transactions import reading
from monitor.errors import UsageError
from monitor.usecases.computing import newest_snapshot, prepared
from monitor.usecases.opening import Opened
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
