"""`monitor send`: hand over every mail that is due, and record what the server said to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from monitor.audit.ledger import recorded, row_state
from monitor.config import MailSettings, Settings
from monitor.database.transactions import reading, transaction
from monitor.delivery import outbox
from monitor.delivery.folder import write
from monitor.delivery.outbox import Claim, Mail
from monitor.delivery.samples import checked_templates
from monitor.delivery.smtp import WHOLE_MAIL, Session, allowed, server_of
from monitor.delivery.templates import Templates
from monitor.errors import ConfigError, DeliveryError, LedgerError, Problem
from monitor.records import Actor, Entry
from monitor.usecases.letters import Written, written
from monitor.usecases.opening import Opened

CLAIM = timedelta(minutes=10)  # after this another process takes over; longer than any hand-over
MOST_FAILURES = 3  # lost connections in a row, after which the rest waits for the next run

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Sent:
    """What became of the mails. `unreached` are those that have reached nobody, also earlier ones.

    `waiting` are still due: refused for now, or not tried since the server is away.
    `broken_templates` went out as the built-in text; `problems` are for the operator.
    """

    sent: int = 0
    written: int = 0
    retry: int = 0
    failed: int = 0
    waiting: int = 0
    unreached: tuple[Mail, ...] = ()
    broken_templates: tuple[Problem, ...] = ()
    problems: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether everything went out and nothing needs a person: `run` ends with 1 otherwise."""
        return not (self.waiting or self.unreached or self.broken_templates or self.problems)


@dataclass
class _Tally:
    """The counts as they grow."""

    states: dict[str, int] = field(default_factory=dict)
    broken: dict[Problem, None] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    lost_connections: int = 0


@dataclass(frozen=True)
class _Post:
    """What delivering needs, and where its results are counted."""

    opened: Opened
    actor: Actor
    clock: Clock
    templates: Templates | None
    session: Session | None
    holder: str
    tally: _Tally

    @property
    def mail(self) -> MailSettings:
        return self.opened.settings.mail


def send(opened: Opened, actor: Actor, clock: Clock, *, again: bool = False) -> Sent:
    """Deliver everything that is due, the most severe first; each mail's result is recorded.

    A mail that can't go does not stop the others. `again` first makes due what had failed for
    good and reached nobody (after its cause was mended). Raises LedgerError or DatabaseError
    when a result can't be recorded: the mail is then sent again, with the same Message-ID.
    """
    tally = _Tally()
    if again:
        _revive(opened, actor, clock())
    if _something_is_due(opened, clock()):
        with _session(opened.settings) as session:
            templates = _templates(opened.settings, tally)
            post = _Post(opened, actor, clock, templates, session, uuid4().hex, tally)
            for mail in _due(post):
                _deliver(post, mail)
    return _result(opened, tally)


def _something_is_due(opened: Opened, now: datetime) -> bool:
    with reading(opened.engine, "send.due") as connection:
        return bool(outbox.due(connection, now))


def _due(post: _Post) -> Iterator[Mail]:
    """Each due mail once, and once more as link-only; also those that come to be due meanwhile."""
    tried: set[tuple[str, bool]] = set()
    while post.tally.lost_connections < MOST_FAILURES:
        with reading(post.opened.engine, "send.due") as connection:
            due = outbox.due(connection, post.clock())
        mail = next((mail for mail in due if (mail.id, mail.link_only) not in tried), None)
        if mail is None:
            return
        tried.add((mail.id, mail.link_only))
        yield mail


def _deliver(post: _Post, mail: Mail) -> None:
    """Render, keep, claim, hand over, record: in this order, so that a crash never loses a mail."""
    try:
        text = written(post.opened, mail, post.templates, post.clock())
    except LedgerError as error:
        post.tally.problems[f"mail {mail.id} of {mail.study} can't be written: {error}"] = None
        return
    content = post.opened.evidence.put(text.message.content)
    claim = Claim(post.holder, post.clock() + _longest(post.mail), text.letter.message_id, content)
    with transaction(post.opened.engine, "send.claim") as connection:
        if not outbox.claim(connection, mail, claim, post.clock()):
            return  # another process was first
    post.tally.problems.update(dict.fromkeys(text.problems))
    if text.message.problem:
        post.tally.broken[text.message.problem] = None
    mail = replace(mail, attempts=mail.attempts + 1, message_id=text.letter.message_id)
    _record(post, mail, _Attempt(text.letter.to, content, *_handed_over(post, mail, text)))


def _longest(mail: MailSettings) -> timedelta:
    return max(CLAIM, 2 * WHOLE_MAIL * mail.timeout)


@dataclass(frozen=True)
class _Attempt:
    """One attempt: to whom, the message's hash, what was answered, and the refusal if it was one."""

    to: str
    content: str
    state: str
    reply: str
    error: DeliveryError | None = None


def _handed_over(post: _Post, mail: Mail, text: Written) -> tuple[str, str, DeliveryError | None]:
    """The effect: state, reply, and the refusal if it was one."""
    if not allowed(text.letter.to, post.mail.allow):
        reply = f"{text.letter.to} is in no domain of mail.allow"
        return outbox.FAILED, reply, DeliveryError(reply, permanent=True)
    try:
        if post.session is not None:
            reply = post.session.send(text.message.content, text.letter.to)
            post.tally.lost_connections = 0
            return outbox.SENT, reply, None
        path = write(post.opened.settings.path(post.mail.folder), mail, text.message.content)
    except DeliveryError as error:
        _count_lost(post, error)
        return outbox.DUE, str(error), error
    except OSError as error:
        reply = f"the folder {post.mail.folder} can't be written: {error.strerror}"
        post.tally.problems[reply] = None
        return outbox.DUE, reply, DeliveryError(reply, permanent=False)
    post.tally.files.append(path)
    return outbox.WRITTEN, f"written to {path.name}", None


def _count_lost(post: _Post, error: DeliveryError) -> None:
    """A refusal shows that the server is there; without a reply it may be away."""
    if error.code is not None or error.permanent:
        post.tally.lost_connections = 0
        return
    post.tally.lost_connections += 1
    post.tally.problems[f"mail server {post.mail.host}:{post.mail.port}: {error}"] = None


def _record(post: _Post, mail: Mail, attempt: _Attempt) -> None:
    """Mark the mail and note the attempt, in one transaction."""
    now = post.clock()
    with recorded(post.opened.engine, "send.mark", post.actor, now, post.opened.key) as work:
        result, following = _mark(work.connection, mail, attempt, now)
        said = {
            "to": attempt.to,
            "mail": attempt.content,
            "reply": attempt.reply,
            "result": result,
            "link_only": mail.link_only,
        }
        work.note(_entry(work.connection, mail, said))
        if following:
            work.note(_following(work.connection, mail, following))
    post.tally.states[result] = post.tally.states.get(result, 0) + 1


def _mark(connection: Connection, mail: Mail, attempt: _Attempt, now: datetime) -> tuple[str, str | None]:
    """Mark the result; gives it in a word, and the next person's mail if there is one."""
    error, reply = attempt.error, attempt.reply
    if error is None:
        outbox.mark(connection, mail, state=attempt.state, reply=reply, next_at=now)
        return attempt.state, None
    if not error.permanent:
        outbox.retry(connection, mail, reply=reply, now=now)
        return "retry", None
    if error.code is not None and not mail.link_only:
        outbox.simpler(connection, mail, reply=reply, now=now)
        return "refused", None
    return outbox.FAILED, outbox.fail(connection, mail, reply=reply, now=now)


def _entry(connection: Connection, mail: Mail, said: Mapping[str, object]) -> Entry:
    """The ledger's entry about one attempt: to whom, what (its hash), and what the server said."""
    row = outbox.stored(connection, mail.id)
    data = {
        "outbox": mail.id,
        "state": row_state(row),
        "alerts": [item["alert"] for item in mail.alerts],
        "severity": mail.severity.value,
        "recipient": mail.recipient,
        "message_id": mail.message_id,
        "attempt": mail.attempts,
        **said,
    }
    return Entry("delivery", data, study=mail.study)


def _following(connection: Connection, mail: Mail, following: str) -> Entry:
    """The ledger's entry about the next person of the route, who gets the mail instead."""
    row = outbox.stored(connection, following)
    data = {
        "outbox": following,
        "state": row_state(row),
        "alerts": [item["alert"] for item in mail.alerts],
        "recipient": row["recipient"],
        "in_place_of": mail.id,
        "result": "due",
    }
    return Entry("delivery", data, study=mail.study)


# ---------------------------------------------------------------- before and after


def _templates(settings: Settings, tally: _Tally) -> Templates | None:
    """The templates, or None (the built-in text) with their problems reported."""
    try:
        return checked_templates(settings.path(settings.monitor.templates_dir))
    except ConfigError as error:
        tally.broken.update(dict.fromkeys(error.problems))
        return None


def _session(settings: Settings) -> AbstractContextManager[Session | None]:
    """The mail server's session; None when mails are written to a folder."""
    return nullcontext() if settings.mail.transport == "folder" else Session(server_of(settings))


def _revive(opened: Opened, actor: Actor, now: datetime) -> None:
    """Make due again what failed for good and reached nobody."""
    with reading(opened.engine, "send.unreached") as connection:
        failed = [mail for mail in outbox.unreached(connection) if mail.state == outbox.FAILED]
    if not failed:
        return
    with recorded(opened.engine, "send.again", actor, now, opened.key) as work:
        for mail in failed:
            outbox.again(work.connection, mail.id, now)
            work.note(_entry(work.connection, mail, {"result": "again"}))


def _result(opened: Opened, tally: _Tally) -> Sent:
    with reading(opened.engine, "send.result") as connection:
        unreached = tuple(outbox.unreached(connection))
        waiting = outbox.waiting(connection)
    return Sent(
        sent=tally.states.get(outbox.SENT, 0),
        written=tally.states.get(outbox.WRITTEN, 0),
        retry=tally.states.get("retry", 0),
        failed=tally.states.get(outbox.FAILED, 0),
        waiting=waiting,
        unreached=unreached,
        broken_templates=tuple(tally.broken),
        problems=tuple(tally.problems),
        files=tuple(tally.files),
    )
