"""What a scan writes, in one transaction: findings, alerts, mails to send, runs, and their entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from monitor.alerts.lifecycle import save, values
from monitor.alerts.routes import Recipients, recipients
from monitor.audit.ledger import Work, row_state
from monitor.config import Settings
from monitor.database.tables import finding as findings
from monitor.database.tables import outbox, rule_run, rule_version
from monitor.delivery.outbox import enqueue
from monitor.evidence import canonical, finding_id
from monitor.files import Store
from monitor.records import Alert, Decision, Entry, Finding, RuleRun, Severity
from monitor.usecases.ruling import Ruled

# Decisions that go to everybody who was told before, with what was told then.
CORRECTIONS = frozenset({"corrected", "withdrawn", "disputed"})
SILENT = frozenset({"unchanged", "can't be told", "merged", "folded"})


@dataclass(frozen=True)
class Letter:
    """One decision on its way to people."""

    decision: Decision
    told: Recipients
    previous: str

    @property
    def item(self) -> dict[str, str]:
        """What the outbox keeps of it."""
        alert = self.decision.alert
        said = {
            "alert": alert.id,
            "finding": alert.finding,
            "what": self.decision.what,
            "reason": self.decision.reason,
        }
        return {**said, "previous": self.previous} if self.previous else said


def write(work: Work, settings: Settings, store: Store, ruled: Ruled, now: datetime) -> int:
    """Write decisions with their findings, alerts, mails and entries; gives the number of mails."""
    letters = [
        letter
        for decision in ruled.decisions
        if (letter := _write(work, settings, store, ruled, decision, now))
    ]
    mails = [mail for letter in letters if letter.decision.tell for mail in _mail(work, letter, now)]
    mails += _summaries(work, [letter for letter in letters if letter.decision.summary], now)
    _fold(work, store, ruled.folded, now)
    _silences(work, [*ruled.decisions, *ruled.folded])
    for identity in mails:
        _note_mail(work, identity)
    return len(mails)


def _write(
    work: Work, settings: Settings, store: Store, ruled: Ruled, decision: Decision, now: datetime
) -> Letter | None:
    old = ruled.before.get(decision.alert.id)
    alert = decision.alert
    letter = None
    if decision.tell or decision.summary:
        told = _told(settings, decision, old)
        alert = replace(alert, told=tuple(dict.fromkeys((*alert.told, *told.to))))
        previous = old.finding if old is not None and decision.what in CORRECTIONS else ""
        letter = Letter(replace(decision, alert=alert), told, previous)
    if decision.finding is not None:
        keep(work, store, decision.finding, alert.id, now)
    row = save(work.connection, alert, new=old is None) if alert != old else values(alert)
    if decision.what not in SILENT:
        _note(work, replace(decision, alert=alert), row, letter)
    return letter


def _fold(work: Work, store: Store, folded: Iterable[Decision], now: datetime) -> None:
    """What is folded into another rule's alert is kept, and entered when it is so for the first time."""
    for decision in folded:
        finding = decision.finding
        assert finding is not None, "what is folded is a finding"
        name = finding_id(finding)
        if work.connection.execute(select(findings.c.id).where(findings.c.id == name)).first() is None:
            keep(work, store, finding, decision.alert.id, now)
            said = {
                "alert": decision.alert.id,
                "what": "folded",
                "reason": decision.reason,
                "severity": finding.severity.value,
                "records": len(finding.keys),
                "finding": name,
            }
            work.note(Entry("folded", said, finding.study, finding.subject, finding.rule))


def keep(work: Work, store: Store, finding: Finding, alert: str, now: datetime) -> None:
    """Keep a finding as a file, and as a row that says of which alert it is."""
    name = store.put(canonical(finding))
    if work.connection.execute(select(findings.c.id).where(findings.c.id == name)).first() is None:
        work.connection.execute(
            insert(findings).values(
                id=name, alert=alert, study=finding.study, rule=finding.rule, subject=finding.subject, at=now
            )
        )


def put_all(store: Store, decisions: Iterable[Decision]) -> None:
    """Write the findings of decisions to the store before the transaction, so that it is short."""
    for decision in decisions:
        if decision.finding is not None:
            store.put(canonical(decision.finding))


def _told(settings: Settings, decision: Decision, old: Alert | None) -> Recipients:
    """Who hears of a decision: the routes' people, and for a correction everybody who was told."""
    routed = recipients(settings.routes, decision.alert.study, decision.alert.severity)
    if old is None or decision.what not in CORRECTIONS:
        return routed
    to = tuple(dict.fromkeys((*old.told, *routed.to)))
    return Recipients(to, tuple(person for person in routed.backup if person not in to))


def _note(work: Work, decision: Decision, row: Mapping[str, Any], letter: Letter | None) -> None:
    alert = decision.alert
    said = {
        "alert": alert.id,
        "state": row_state(row),
        "about": alert.kind.value,
        "what": decision.what,
        "reason": decision.reason,
        "severity": alert.severity.value,
        "level": alert.level,
        "status": alert.status.value,
        "standing": alert.standing.value,
        "records": len(alert.keys),
        "finding": alert.finding,
        "tell": decision.tell,
        "summary": decision.summary,
    }
    if letter is not None and letter.previous:
        said["previous"] = letter.previous
    work.note(Entry("decision", said, alert.study, alert.subject, alert.rule))


def _silences(work: Work, decisions: Sequence[Decision]) -> None:
    """The decisions to stay silent, one entry for each rule and reason, with the alerts that it is about."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for decision in decisions:
        if decision.what in SILENT:
            alert = decision.alert
            rule = decision.finding.rule if decision.what == "folded" and decision.finding else alert.rule
            groups.setdefault((alert.study, rule, decision.what, decision.reason), []).append(alert.id)
    for (study, rule, what, reason), alerts in groups.items():
        work.note(Entry("silence", {"what": what, "reason": reason, "alerts": alerts}, study, "", rule))


# ---------------------------------------------------------------- mails


def _mail(work: Work, letter: Letter, now: datetime) -> list[str]:
    """A mail of its own for each recipient."""
    decision = letter.decision
    return enqueue(
        work.connection,
        study=decision.alert.study,
        kind="notice" if decision.what in CORRECTIONS else "alert",
        alerts=[letter.item],
        severity=decision.alert.severity,
        recipients=letter.told.to,
        backups=letter.told.backup,
        now=now,
    )


def _summaries(work: Work, letters: Sequence[Letter], now: datetime) -> list[str]:
    """The first scan's one summary for each recipient, of all alerts that go to them."""
    by_person: dict[str, list[Letter]] = {}
    for letter in letters:
        for person in letter.told.to:
            by_person.setdefault(person, []).append(letter)
    mails: list[str] = []
    for person, own in by_person.items():
        backups = dict.fromkeys(b for letter in own for b in letter.told.backup if b != person)
        mails += enqueue(
            work.connection,
            study=own[0].decision.alert.study,
            kind="summary",
            alerts=[letter.item for letter in own],
            severity=max((letter.decision.alert.severity for letter in own), key=_rank),
            recipients=[person],
            backups=list(backups),
            now=now,
        )
    return mails


def _rank(severity: Severity) -> int:
    return severity.rank


def _note_mail(work: Work, identity: str) -> None:
    row = work.connection.execute(select(outbox).where(outbox.c.id == identity)).one()
    said = {
        "outbox": identity,
        "state": row_state(row._mapping),  # the public name of this attribute
        "mail_kind": row.kind,
        "recipient": row.recipient,
        "alerts": [item["alert"] for item in json.loads(row.alerts)],
    }
    work.note(Entry("queued", said, row.study))


# ---------------------------------------------------------------- runs and versions


def write_run(work: Work, run: RuleRun, inputs: str, about: Mapping[str, Any], now: datetime) -> None:
    """A rule's run: its row for the next scan to compare with, and its entry, also when it was clear.

    `about` says further under what it ran, for the entry.
    """
    counts = {
        "outcome": run.outcome.value,
        "considered": run.considered,
        "subjects": run.subjects,
        "newest": run.newest,
        "fired": run.fired,
        "cannot_tell": run.cannot_tell,
        "said": run.said,
    }
    row = {
        "version": run.version,
        "inputs": inputs,
        "at": now,
        "outcome": run.outcome.value,
        "result": json.dumps({**counts, "severity": run.severity.value}, ensure_ascii=False, sort_keys=True),
    }
    upsert_run(work, run.study, run.rule, row)
    data = {"version": run.version, "inputs": inputs, **counts, **about}
    work.note(Entry("rule_run", data, run.study, "", run.rule))


def upsert_run(work: Work, study: str, rule: str, row: Mapping[str, Any]) -> None:
    """The last run of a rule, written over the one before."""
    mine = (rule_run.c.study == study, rule_run.c.rule == rule)
    if work.connection.execute(update(rule_run).where(*mine).values(row)).rowcount == 0:
        work.connection.execute(insert(rule_run).values(study=study, rule=rule, **row))


def write_version(work: Work, run: RuleRun, text: str, now: datetime) -> None:
    """A rule version that this study uses for the first time, with all that it means here."""
    key = {"study": run.study, "rule": run.rule, "version": run.version}
    known = select(rule_version.c.rule).where(*(rule_version.c[name] == value for name, value in key.items()))
    if work.connection.execute(known).first() is None:
        work.connection.execute(insert(rule_version).values(**key, first_used=now, text=text))
        work.note(
            Entry(
                "rule_version", {"version": run.version, "meaning": json.loads(text)}, run.study, "", run.rule
            )
        )
