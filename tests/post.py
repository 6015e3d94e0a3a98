"""An installation with mails to send, and live mail servers that answer as a test wants."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import select

from monitor.alerts.lifecycle import save
from monitor.audit.key import make_key
from monitor.audit.ledger import recorded, row_state
from monitor.config import Settings
from monitor.database.tables import alert as alert_table
from monitor.database.tables import ledger, outbox
from monitor.delivery import outbox as box
from monitor.delivery.samples import story
from monitor.evidence import canonical
from monitor.records import Actor, Alert, Entry, Severity
from monitor.usecases.opening import Opened
from monitor.usecases.send import Sent, send
from tests.databases import ALICE, NOW, State, initialise, opened, sqlite_place

TEMPLATES = Path(__file__).parents[1] / "templates"
OFFICER, BACKUP, THIRD = "officer@example.org", "backup@example.org", "third@example.org"
FOREVER = 600.0  # longer than any test; the server is stopped before
SLOW = 0.8


@dataclass
class Clock:
    """A clock that a test moves."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass(frozen=True)
class Office:
    """An installation, its clock, and how to queue and send."""

    opened: Opened
    clock: Clock
    actor: Actor = ALICE

    def queue(
        self,
        *recipients: str,
        backups: Sequence[str] = (),
        alert_id: str = "ABCD2345",
        severity: Severity = Severity.CRITICAL,
        kind: str = "alert",
        study: str = "ROMI-AA",
    ) -> list[str]:
        """An alert, its finding and its mails, in one recorded transaction; gives the mails' ids."""
        told = story()
        assert told.finding is not None
        name = self.opened.evidence.put(canonical(told.finding))
        alert = replace(told.alert, id=alert_id, severity=severity, finding=name, study=study)
        item = {"alert": alert_id, "finding": name, "what": "opened", "reason": "the rule fires"}
        with recorded(self.opened.engine, "scan.commit", self.actor, self.clock(), self.opened.key) as work:
            known = self._known(work.connection, alert)
            if not known:
                row = save(work.connection, alert, new=True)
                work.note(Entry("alert", {"alert": alert.id, "state": row_state(row)}, study=study))
            ids = box.enqueue(
                work.connection,
                study=study,
                kind=kind,
                alerts=[item],
                severity=severity,
                recipients=recipients,
                backups=backups,
                now=self.clock(),
            )
            for one in ids:
                state = row_state(box.stored(work.connection, one))
                work.note(Entry("delivery", {"outbox": one, "state": state}, study=study))
        return ids

    @staticmethod
    def _known(connection: Any, alert: Alert) -> bool:
        return (
            connection.execute(select(alert_table.c.id).where(alert_table.c.id == alert.id)).first()
            is not None
        )

    def send(self, *, again: bool = False) -> Sent:
        return send(self.opened, self.actor, self.clock, again=again)

    def with_mail(self, **changes: Any) -> Office:
        """The same office with other [mail] settings."""
        settings = self.opened.settings
        mail = settings.mail.model_copy(update=changes)
        return replace(self, opened=replace(self.opened, settings=settings.model_copy(update={"mail": mail})))

    def mails(self) -> dict[str, box.Mail]:
        """All rows of the outbox by recipient."""
        with self.opened.engine.connect() as connection:
            return {row.recipient: box.read(row) for row in connection.execute(select(outbox))}

    def entries(self) -> list[Mapping[str, Any]]:
        """The data of all deliveries in the ledger, in order."""
        with self.opened.engine.connect() as connection:
            rows = connection.execute(
                select(ledger.c.data).where(ledger.c.kind == "delivery").order_by(ledger.c.seq)
            )
            return [found for row in rows if "attempt" in (found := json.loads(row.data))]

    def unreached(self) -> list[box.Mail]:
        with self.opened.engine.connect() as connection:
            return box.unreached(connection)


def settings_for(base: Path, *, stage: str = "production", level: str = "coded", **mail: Any) -> Settings:
    """Settings of one study, with mail as given."""
    return Settings.model_validate(
        {
            "monitor": {"stage": stage, "timezone": "Asia/Shanghai", "templates_dir": str(TEMPLATES)},
            "mail": {
                "transport": "smtp",
                "sender": "Safety Monitor <monitor@example.org>",
                "host": "127.0.0.1",
                "security": "none",
                "timeout": "2s",
                "max_per_minute": 60000,
                **mail,
            },
            "study": [
                {
                    "id": "ROMI-AA",
                    "source": "x",
                    "rules": ["generic"],
                    "ctcae": "5.0",
                    "blinded": False,
                    "mail": level,
                }
            ],
            "route": [{"severity": ["critical", "high"], "to": [OFFICER], "backup": [BACKUP]}],
            "base": base,
        }
    )


def office(state: State, base: Path, **given: Any) -> Office:
    """An installation on a database of the fixture `state`."""
    settings = settings_for(base, **given)
    return Office(Opened(settings, state.engine, state.key, state.evidence), Clock())


def sqlite_office(base: Path, **given: Any) -> Office:
    """The same on a new SQLite file: for tests that are not about the database."""
    place = sqlite_place(base)
    initialise(place, make_key(base / "key"))
    return office(opened(place, base), base, **given)


# ---------------------------------------------------------------- live servers


@dataclass
class Behaviour:
    """What the server answers, and what it has received.

    `answers` maps a stage (EHLO, MAIL, RCPT, DATA, BODY, AUTH), or "RCPT someone@…", to a reply
    such as "451 later", or "drop", "hang", "slow", "leave" (close afterwards); a list is used up
    one by one, its last stays.
    """

    answers: dict[str, str | list[str]] = field(default_factory=dict)
    received: list[tuple[list[str], bytes]] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)

    def answer(self, *stages: str) -> str:
        for stage in stages:
            found = self.answers.get(stage, "")
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            if found:
                return found
        return ""

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=default) for _, content in self.received]

    @property
    def recipients(self) -> list[str]:
        return [person for people, _ in self.received for person in people]


class Scripted:
    """aiosmtpd's hooks, answering as the behaviour says."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour

    async def _act(self, server: SMTP, *stages: str) -> str:
        answer = self.behaviour.answer(*stages)
        if answer == "drop":
            assert server.transport is not None
            server.transport.close()
            return "421 dropped"
        if answer == "hang":
            await asyncio.sleep(FOREVER)
        if answer == "slow":
            await asyncio.sleep(SLOW)
            return ""
        if answer == "leave":
            assert server.transport is not None
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
            return ""
        return answer

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        answer = await self._act(server, "EHLO")
        return [answer] if answer else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._act(server, "MAIL") or "250 sender fine"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._act(server, f"RCPT {address}", "RCPT")
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 recipient fine"

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._act(server, "RSET") or "250 forgotten"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._act(server, "QUIT") or "221 bye"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        answer = await self._act(server, "DATA")
        if not answer or answer == "421 dropped":
            self.behaviour.received.append((list(envelope.rcpt_tos), envelope.content))
        return answer or f"250 queued as {len(self.behaviour.received)}"


class _Counting(Controller):
    """A controller whose servers count their connections, and can refuse at once."""

    behaviour: Behaviour
    options: Mapping[str, Any]

    def _trigger_server(self) -> None:
        """The controller connects to itself when it starts: to the port that it was given."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]

    def factory(self) -> SMTP:
        self.behaviour.connections += 1
        return SMTP(self.handler, **{"hostname": "mail.example.org", **self.options})


@contextmanager
def mail_server(
    behaviour: Behaviour, *, ssl_context: ssl.SSLContext | None = None, **options: Any
) -> Iterator[int]:
    """A live server on a free port of 127.0.0.1; gives the port."""
    controller = _Counting(Scripted(behaviour), hostname="127.0.0.1", port=0, ssl_context=ssl_context)
    controller.behaviour, controller.options = behaviour, options
    controller.start()
    try:
        behaviour.connections = 0
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def rude_server(greeting: bytes | None) -> Iterator[int]:
    """A server that says `greeting` and closes; None: it accepts and stays silent."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if greeting is None:
                held.append(connection)
            else:
                connection.sendall(greeting)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


def authenticator(behaviour: Behaviour, password: str) -> Any:
    """Checks the password for aiosmtpd's AUTH."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        behaviour.logins.append(data.login.decode())
        return AuthResult(success=data.password == password.encode())

    return check


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """A fresh self-signed certificate for an address, and its key."""
    crt, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=mail.example.org", "-addext", f"subjectAltName=IP:{name}"),
            *("-keyout", str(key), "-out", str(crt)),
        ],
        check=True,
        capture_output=True,
    )
    return crt, key


def tls(crt: Path, key: Path) -> ssl.SSLContext:
    """A server's context."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(crt, key)
    return context
