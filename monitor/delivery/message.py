"""A mail from stored findings: its fields, its texts, and its bytes as they go out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from monitor.delivery.letter import Letter, Story, View
from monitor.delivery.plain import counted, fallback_text, link_text
from monitor.delivery.templates import RENDER_ERRORS, Rendered, Templates, broken
from monitor.delivery.view import one_line, view
from monitor.errors import Problem
from monitor.records import Severity

LONGEST_SUBJECT = 250  # characters; a longer one is cut by some mail programs anyway


@dataclass(frozen=True)
class Message:
    """A mail ready to go out. `problem` says that its template broke and the built-in text went."""

    content: bytes
    subject: str
    problem: Problem | None = None


def render(
    letter: Letter, stories: Sequence[Story], templates: Templates | None, *, link_only: bool = False
) -> Message:
    """The mail of a letter about these alerts, the most severe first.

    Never fails for a template: when it breaks, or when there are none (`templates` is None),
    the built-in text goes out instead and `problem` tells. A study of level `link`, and
    `link_only` (after a refusal for good), give a plain text without clinical content.
    """
    views = [view(story, letter) for story in stories]
    views.sort(key=lambda one: -Severity(one.severity).rank)
    problem = None
    if link_only or letter.level == "link":
        rendered = link_text(views, letter)
    elif templates is None:
        rendered = fallback_text(views, letter)
    else:
        rendered, problem = _from_templates(templates, letter, views)
    subject = _subject(rendered.subject, letter)
    return Message(_mail(letter, rendered, subject, stories).as_bytes(), subject, problem)


def fields(letter: Letter, views: Sequence[View]) -> dict[str, Any]:
    """What the templates may name."""
    return {
        "letter": letter,
        "a": views[0],
        "views": tuple(views),
        "counts": counted(views),
        "unconfirmed": tuple(dict.fromkeys(said for one in views for said in one.unconfirmed)),
    }


def _from_templates(
    templates: Templates, letter: Letter, views: Sequence[View]
) -> tuple[Rendered, Problem | None]:
    kind = "summary" if letter.kind == "summary" or len(views) > 1 else "alert"
    try:
        return templates.render(kind, fields(letter, views)), None
    except RENDER_ERRORS as error:
        return fallback_text(views, letter), broken(templates.folder, error, kind)


def _subject(given: str, letter: Letter) -> str:
    """One line, with the marks of test and synthetic data even if a template forgot them."""
    said = one_line(given)
    for mark, wanted in (("[SYNTHETIC]", letter.synthetic), ("[TEST]", letter.test)):
        if wanted and mark not in said:
            said = mark + said
    return said[:LONGEST_SUBJECT]


def _mail(letter: Letter, rendered: Rendered, subject: str, stories: Sequence[Story]) -> EmailMessage:
    """The message with its headers; the same input gives the same bytes."""
    mail = EmailMessage(policy=SMTP)
    for name, text in _headers(letter, subject, stories).items():
        mail[name] = one_line(text)
    mail.set_content(rendered.text, charset="utf-8", cte="quoted-printable")
    if rendered.html:
        mail.add_alternative(rendered.html, subtype="html", charset="utf-8", cte="quoted-printable")
        mail.set_boundary("=_" + hashlib.sha256(letter.message_id.encode()).hexdigest()[:32])
    return mail


def _headers(letter: Letter, subject: str, stories: Sequence[Story]) -> Mapping[str, str]:
    """All headers. All mails about one alert refer to one made-up message, so that they are one thread."""
    alerts = [story.alert.id for story in stories]
    domain = domain_of(letter.sender)
    headers = {
        "Date": format_datetime(letter.now),
        "From": letter.sender,
        "To": letter.to,
        "Reply-To": letter.reply_to,
        "Subject": subject,
        "Message-ID": letter.message_id,
        "References": f"<alert.{alerts[0]}@{domain}>" if len(alerts) == 1 else "",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Importance": "high" if letter.severity == Severity.CRITICAL else "",
        "X-Monitor-Alert": " ".join(alerts),
        "X-Monitor-Outbox": letter.id,
        "X-Monitor-Intended-Recipient": letter.intended if letter.test else "",
    }
    return {name: text for name, text in headers.items() if text}


def domain_of(address: str) -> str:
    """The domain of an address, with or without a name in front."""
    return parseaddr(address)[1].rpartition("@")[2].lower()
