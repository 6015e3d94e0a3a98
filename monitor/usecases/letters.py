"""What a mail of the outbox says now: its alerts, their findings, to whom, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from monitor.alerts import lifecycle
from monitor.audit.ledger import head
from monitor.database.tables import alert as alert_table
from monitor.database.transactions import reading
from monitor.delivery.letter import Letter, Story
from monitor.delivery.message import Message, domain_of, render
from monitor.delivery.outbox import Mail
from monitor.delivery.templates import Templates
from monitor.errors import LedgerError
from monitor.evidence import read_finding
from monitor.files import Store
from monitor.records import Alert, Finding
from monitor.usecases.opening import Opened


@dataclass(frozen=True)
class Written:
    """A mail written out. `problems` are stored findings that could not be read."""

    letter: Letter
    message: Message
    problems: tuple[str, ...]


def written(opened: Opened, mail: Mail, templates: Templates | None, now: datetime) -> Written:
    """The mail as it would go out now. Raises LedgerError when an alert of it is gone.

    A finding that can't be read is reported, and the mail goes without it: better than silence.
    """
    letter, alerts = _letter(opened, mail, now)
    problems: list[str] = []
    stories = [_story(opened.evidence, alerts[item["alert"]], item, problems) for item in mail.alerts]
    message = render(letter, stories, templates, link_only=mail.link_only)
    return Written(letter, message, tuple(problems))


def _letter(opened: Opened, mail: Mail, now: datetime) -> tuple[Letter, Mapping[str, Alert]]:
    """The mail's envelope with the ledger's head, and the alerts that it tells of."""
    ids = [item["alert"] for item in mail.alerts]
    with reading(opened.engine, "send.read") as connection:
        ledger = head(connection)
        rows = connection.execute(select(alert_table).where(alert_table.c.id.in_(ids)))
        alerts = {row.id: lifecycle.read(row) for row in rows}
    missing = sorted(set(ids) - set(alerts))
    if missing or not ids:
        raise LedgerError(f"alert {', '.join(missing) or '(none)'} is gone; run `monitor verify`")
    return replace(_addressed(opened, mail, now), ledger_seq=ledger.seq, ledger_mac=ledger.mac), alerts


def _addressed(opened: Opened, mail: Mail, now: datetime) -> Letter:
    """To whom, how marked, and how much it may say; of a study not configured any more: nothing."""
    settings = opened.settings
    study = next((one for one in settings.studies if one.id == mail.study), None)
    test = settings.monitor.stage == "test"
    first_id = f"<{mail.id}@{domain_of(settings.mail.sender)}>"
    return Letter(
        id=mail.id,
        kind=mail.kind,
        message_id=first_id if mail.message_id == mail.id else mail.message_id,
        study=mail.study,
        severity=mail.severity.value,
        sender=settings.mail.sender,
        to=(settings.mail.test_to or mail.recipient) if test else mail.recipient,
        intended=mail.recipient,
        reply_to=settings.mail.reply_to or "",
        now=now,
        timezone=settings.monitor.timezone,
        level=study.mail if study else "link",
        test=test,
        synthetic=study.synthetic if study else False,
        blinded=study.blinded if study else True,
        ledger_seq=0,
        ledger_mac="",
        link=settings.mail.link,
    )


def _story(store: Store, alert: Alert, item: Mapping[str, str], problems: list[str]) -> Story:
    """One alert to be told, with its findings from the evidence store."""
    finding = _finding(store, item.get("finding", ""), problems)
    previous = _finding(store, item.get("previous", ""), problems)
    return Story(alert, finding, item["what"], item["reason"], previous)


def _finding(store: Store, name: str, problems: list[str]) -> Finding | None:
    if not name:
        return None
    try:
        return read_finding(store.get(name))
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        problems.append(f"the evidence {name} can't be read ({type(error).__name__}); run `monitor verify`")
        return None
