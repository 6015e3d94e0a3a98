"""The last resort: a fixed mail without patient data, when ledger, database, disk or config fail.

It goes out over the last settings with which the monitor worked, kept in data_dir/emergency.json
without the password. Nothing here can raise: it runs when something else already has failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Literal

from monitor.config import Settings
from monitor.delivery.smtp import Server, Session
from monitor.errors import DeliveryError
from monitor.files import digest, write_atomic
from monitor.records import Severity

FILE = "emergency.json"
LAST = "emergency.last"
SILENCE = timedelta(hours=1)  # so that a run every few minutes does not send a mail every few minutes

Cause = Literal["config", "database", "disk", "ledger", "run"]
SAID: Mapping[str, str] = {
    "config": "its configuration can't be used",
    "database": "its database fails",
    "disk": "its disk can't be written",
    "ledger": "its ledger can't be written or does not verify",
    "run": "a run ended in an error that it can't record",
}


@dataclass(frozen=True)
class LastResort:
    """Where emergency mail goes and over which server. No secret: only where the password is."""

    server: Server
    sender: str
    recipients: tuple[str, ...]
    test: bool
    folder: str
    password_file: str


def remember(settings: Settings) -> None:
    """Keep the mail settings of a configuration that works. Raises OSError."""
    mail = settings.mail
    critical = [r for r in settings.routes if Severity.CRITICAL in r.severity] or list(settings.routes)
    people = tuple(dict.fromkeys(p for route in critical for p in (*route.to, *route.backup)))
    test = settings.monitor.stage == "test"
    kept = LastResort(
        server=Server(
            host=mail.host,
            port=mail.port,
            security=mail.security,
            envelope_from=parseaddr(mail.envelope_from or mail.sender)[1],
            helo=mail.helo,
            username=mail.username,
            ca_file=settings.path(mail.ca_file) if mail.ca_file else None,
            timeout=mail.timeout.total_seconds(),
        ),
        sender=mail.sender,
        recipients=((mail.test_to,) if mail.test_to else people) if test else people,
        test=test,
        folder=str(settings.path(mail.folder)) if mail.transport == "folder" else "",
        password_file=str(settings.path(mail.password_file)) if mail.password_file else "",
    )
    content = json.dumps(asdict(kept), default=str, indent=1).encode()
    path = settings.data_dir / FILE
    if not path.exists() or path.read_bytes() != content:
        write_atomic(path, content)


def emergency(
    data_dir: Path, cause: Cause, now: datetime, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Tell everybody on a critical route that the monitor does not watch; gives what became of it.

    One line per recipient, for the command to print. Never raises, and says so when it could
    not send. At most one such mail an hour, if the disk can be written.
    """
    try:
        return _emergency(data_dir, cause, now, os.environ if environment is None else environment)
    except Exception as error:  # noqa: BLE001 - the last resort must not hide the failure that led here
        return (f"no emergency mail: {type(error).__name__}: {error}",)


def _emergency(data_dir: Path, cause: str, now: datetime, environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        kept = _read(data_dir / FILE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return (f"no emergency mail: no last good settings in {data_dir / FILE} ({type(error).__name__})",)
    if _told_lately(data_dir / LAST, now):
        return ("no further emergency mail: one went out within the last hour",)
    people = kept.recipients[:1] if kept.folder else kept.recipients  # one file is enough
    said = [_tell(kept, recipient, cause, now, environment) for recipient in people]
    if any(line.startswith("emergency mail") for line in said):
        said += _note(data_dir / LAST, now)
    return tuple(said)


def _read(path: Path) -> LastResort:
    given = json.loads(path.read_text(encoding="utf-8"))
    server = given.pop("server")
    ca_file = Path(server["ca_file"]) if server["ca_file"] else None
    recipients = tuple(given.pop("recipients"))
    return LastResort(server=Server(**{**server, "ca_file": ca_file}), recipients=recipients, **given)


def _told_lately(path: Path, now: datetime) -> bool:
    try:
        last = datetime.fromisoformat(path.read_text(encoding="ascii").strip())
        return timedelta(0) <= now - last < SILENCE
    except (OSError, ValueError, TypeError):
        return False  # better a mail too many


def _note(path: Path, now: datetime) -> list[str]:
    try:
        write_atomic(path, now.isoformat().encode())
    except OSError as error:
        return [f"could not note the time of the emergency mail: {error.strerror}"]
    return []


def _tell(kept: LastResort, recipient: str, cause: str, now: datetime, environment: Mapping[str, str]) -> str:
    """One recipient: what became of the mail, on one line."""
    content = _mail(kept, recipient, cause, now)
    if kept.folder:
        return _write(Path(kept.folder), content, now)
    try:
        with Session(replace(kept.server, password=_password(kept, environment))) as session:
            return f"emergency mail to {recipient}: {session.send(content, recipient)}"
    except (DeliveryError, OSError, ValueError) as error:
        return f"no emergency mail to {recipient}: {error}"


def _write(folder: Path, content: bytes, now: datetime) -> str:
    path = folder / f"{now:%Y%m%dT%H%M%SZ}-emergency.eml"
    try:
        write_atomic(path, content)
    except OSError as error:
        return f"no emergency mail: {folder} can't be written: {error.strerror}"
    return f"emergency mail written to {path}"


def _password(kept: LastResort, environment: Mapping[str, str]) -> str:
    given = environment.get("MONITOR_MAIL__PASSWORD", "")
    if given or not kept.password_file:
        return given
    return Path(kept.password_file).read_text(encoding="utf-8").strip()


def _mail(kept: LastResort, recipient: str, cause: str, now: datetime) -> bytes:
    """The fixed text: nothing of any study stands in it."""
    mark = "[TEST]" if kept.test else ""
    domain = parseaddr(kept.sender)[1].rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(now)
    mail["From"] = kept.sender
    mail["To"] = recipient
    mail["Subject"] = f"{mark}[SAFETY MONITOR][EMERGENCY] The monitor is not watching: {SAID[cause]}"
    mail["Message-ID"] = f"<emergency.{now:%Y%m%dT%H%M%SZ}.{digest(recipient.encode())[:12]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Importance"] = "high"
    mail.set_content(
        f"The safety monitor does not watch its studies at present: {SAID[cause]}.\n\n"
        "Until it does, new safety findings are not told. Please\n"
        "  1. tell whoever operates the monitor,\n"
        "  2. watch the studies by other means,\n"
        "  3. have `monitor status` and `monitor verify` run on its machine.\n\n"
        f"Said at {now:%Y-%m-%d %H:%M} UTC. This mail holds no patient data.\n"
    )
    return mail.as_bytes()
