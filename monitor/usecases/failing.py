"""A study that could not be loaded or scanned: an alert of its own, while the others go on."""

from __future__ import annotations

from datetime import datetime

from monitor.audit.ledger import recorded
from monitor.database.lease import Lease
from monitor.errors import said_of
from monitor.records import Actor, Decision, Entry
from monitor.usecases.material import Material
from monitor.usecases.opening import Opened
from monitor.usecases.ruling import Computed, rule_on, study_finding
from monitor.usecases.writing import write


def record_failure(
    opened: Opened, study: str, error: Exception, actor: Actor, now: datetime, lease: Lease | None = None
) -> tuple[Decision, ...]:
    """Tell of a study that could not be loaded or scanned; once while the error is the same."""
    said = said_of(error)
    finding = study_finding(
        study,
        f"The study could not be checked: {said}",
        keys=(f"{type(error).__name__}: {said}",),
    )
    computed = Computed(study=study, rules=(), runs=(), material=Material(), error=finding)
    with recorded(opened.engine, "failure.commit", actor, now, opened.key, lease) as work:
        ruled = rule_on(work.connection, opened.settings, computed, now)
        write(work, opened.settings, opened.evidence, ruled, now)
        work.note(Entry("failure", {"error": type(error).__name__, "said": said}, study))
    return tuple(ruled.decisions)
