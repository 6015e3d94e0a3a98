"""Handing mails to a mail server, one recipient each; the only file that knows aiosmtplib."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from types import TracebackType
from typing import Self

import aiosmtplib

from monitor.config import Settings
from monitor.errors import ConfigError, DeliveryError, Problem

# Replies of a server that wants a login or encryption: a matter of the configuration, so that the
# mail stays due until somebody mends it, and is not taken for refused (RFC 4954, RFC 3207).
WANTS_LOGIN = frozenset({530, 534, 535, 538})
WHOLE_MAIL = 3  # times the time-out of one reply: the longest that handing over one mail may take


@dataclass(frozen=True)
class Server:
    """A mail server and how to speak to it. `timeout` in seconds, for each reply."""

    host: str
    port: int
    security: str
    envelope_from: str
    helo: str = ""
    username: str = ""
    password: str = ""
    ca_file: Path | None = None
    timeout: float = 30.0
    max_per_connection: int = 50
    max_per_minute: int = 60


class Session:
    """Connections to one server, opened when needed, reused, closed at the end.

    `said` is called with every step and the server's reply, for `monitor mail test`.
    """

    def __init__(self, server: Server, said: Callable[[str, str], None] | None = None) -> None:
        self._server = server
        self._said = said or (lambda _step, _reply: None)
        self._runner = asyncio.Runner()
        self._smtp: aiosmtplib.SMTP | None = None
        self._wire: asyncio.WriteTransport | None = None
        self._sent = 0
        self._next_at = 0.0  # on the event loop's clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._close())
        finally:
            self._runner.close()

    def send(self, content: bytes, recipient: str) -> str:
        """Hand over one mail to one recipient; gives the server's last reply.

        Raises DeliveryError; it is `permanent` when the server refused this sender, recipient or
        text for good (5xx). Whatever concerns the connection, encryption or login is not.
        """
        return self._runner.run(self._send(content, recipient))

    async def _send(self, content: bytes, recipient: str) -> str:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._next_at - loop.time()))
        # Evenly spaced, so that a burst is not refused.
        self._next_at = loop.time() + 60.0 / self._server.max_per_minute
        try:
            return await asyncio.wait_for(
                self._transaction(content, recipient), WHOLE_MAIL * self._server.timeout
            )
        except TimeoutError as error:
            self._drop()
            raise DeliveryError(
                f"no answer in time from {self._server.host}:{self._server.port}", permanent=False
            ) from error
        except DeliveryError as error:
            await self._after(error)
            raise

    async def _transaction(self, content: bytes, recipient: str) -> str:
        address = parseaddr(recipient)[1]
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise DeliveryError(f"{recipient!r} is not an address", permanent=True)
        try:
            smtp = await self._begun(content)
        except DeliveryError as error:
            if error.code is not None or not self._sent:
                raise
            self._drop()  # the server gave up a connection that had carried mails before
            smtp = await self._begun(content)
        await self._step("RCPT TO", lambda: smtp.rcpt(address), final=True)
        reply = await self._step("DATA", lambda: smtp.data(content), final=True)
        self._sent += 1
        return reply

    async def _begun(self, content: bytes) -> aiosmtplib.SMTP:
        """A connection on which the server has accepted the sender."""
        smtp = await self._connected()
        sender = parseaddr(self._server.envelope_from)[1]
        options = [f"size={len(content)}"] if smtp.supports_extension("size") else []
        await self._step("MAIL FROM", lambda: smtp.mail(sender, options=options), final=True)
        return smtp

    async def _connected(self) -> aiosmtplib.SMTP:
        """The open connection, or a new one when there is none or it has carried enough."""
        if self._smtp and self._smtp.is_connected and self._sent < self._server.max_per_connection:
            return self._smtp
        await self._close()
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            local_hostname=server.helo or None,
            use_tls=server.security == "tls",
            start_tls=False,
            tls_context=None if server.security == "none" else _trust(server.ca_file),
        )
        await self._step("CONNECT", smtp.connect)
        self._smtp = smtp
        self._wire = smtp.transport if isinstance(smtp.transport, asyncio.WriteTransport) else None
        await self._step("EHLO", smtp.ehlo)
        if server.security == "starttls":
            await self._step("STARTTLS", smtp.starttls)
            await self._step("EHLO", smtp.ehlo)
        if server.username:
            await self._step("AUTH", lambda: smtp.login(server.username, server.password))
        return smtp

    async def _step(
        self,
        step: str,
        do: Callable[[], Awaitable[aiosmtplib.SMTPResponse]],
        *,
        final: bool = False,
    ) -> str:
        """One command and its reply. `final`: a 5xx to it is about this mail, not about the server."""
        try:
            response = await do()
        except aiosmtplib.SMTPResponseException as error:
            reply = _line(f"{error.code} {error.message}")
            permanent = final and 500 <= error.code <= 599 and error.code not in WANTS_LOGIN
            self._said(step, reply)
            raise DeliveryError(f"{step}: {reply}", permanent=permanent, code=error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            # A time-out, a lost connection, a certificate that is not trusted, no such host.
            said = _line(str(error) or type(error).__name__)
            self._said(step, said)
            raise DeliveryError(f"{step}: {said}", permanent=False) from error
        except ValueError as error:
            self._said(step, "the address can't be written to the server")
            raise DeliveryError(f"{step}: the address can't be written", permanent=True) from error
        reply = _line(f"{response.code} {response.message}")
        self._said(step, reply)
        return reply

    async def _after(self, error: DeliveryError) -> None:
        """After a refusal the connection can serve the next mail; after anything else it is dropped."""
        if error.code is None or error.code == 421 or self._smtp is None or not self._smtp.is_connected:
            self._drop()
            return
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._drop()

    async def _close(self) -> None:
        """Say goodbye if that is possible; a server that does not answer it changes nothing."""
        try:
            if self._smtp is not None and self._smtp.is_connected:
                await self._smtp.quit()
        except (aiosmtplib.SMTPException, OSError):
            pass  # the mails were handed over or refused before; nothing hangs on this reply
        finally:
            self._drop()

    def _drop(self) -> None:
        """Close at once, also below an encryption that did not come about."""
        if self._smtp is not None:
            self._smtp.close()
        if self._wire is not None:
            self._wire.abort()
        self._smtp = self._wire = None
        self._sent = 0


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always verified, against the system's authorities or `ca_file`."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise DeliveryError(f"ca_file {ca_file} can't be used: {error}", permanent=False) from error


def _line(text: str) -> str:
    """A reply on one line, not longer than a screen."""
    return " ".join(text.split())[:300]


def allowed(recipient: str, domains: tuple[str, ...]) -> bool:
    """Whether mail may go to this address; no list of domains allows all."""
    domain = parseaddr(recipient)[1].rpartition("@")[2].casefold()
    return not domains or domain in {each.casefold().lstrip("@") for each in domains}


def server_of(settings: Settings) -> Server:
    """The mail server of the configuration. Raises ConfigError when its password can't be read."""
    mail = settings.mail
    return Server(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        envelope_from=parseaddr(mail.envelope_from or mail.sender)[1],
        helo=mail.helo,
        username=mail.username,
        password=password_of(settings),
        ca_file=settings.path(mail.ca_file) if mail.ca_file else None,
        timeout=mail.timeout.total_seconds(),
        max_per_connection=mail.max_per_connection,
        max_per_minute=mail.max_per_minute,
    )


def password_of(settings: Settings) -> str:
    """The password from the environment or its file, "" for none. Raises ConfigError."""
    mail = settings.mail
    if mail.password is not None:
        return mail.password.get_secret_value()
    if mail.password_file is None:
        return ""
    path = settings.path(mail.password_file)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem("mail.password_file", f"{path} can't be read: {error}")]) from None
