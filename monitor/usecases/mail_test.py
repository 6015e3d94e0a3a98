"""`monitor mail test ADDRESS`: every reply of the mail server, and what to ask IT for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from monitor.config import Settings
from monitor.delivery.message import domain_of
from monitor.delivery.smtp import Session, allowed, server_of
from monitor.errors import DeliveryError, UsageError

# What to ask IT for, by the step at which it failed.
ADVICE = {
    "CONNECT": "Ask IT: may this machine reach {host} on port {port}? Is that the submission server and its"
    " port (587 with starttls, 465 with tls)? Is a firewall or proxy in between?",
    "TLS": "Ask IT for the certificate of the authority that signed {host}'s certificate, and set"
    " mail.ca_file to it; the host must be written as in the certificate. Never switch verification off.",
    "EHLO": "Ask IT which name this machine must give (mail.helo), and whether its address may submit mail.",
    "STARTTLS": "Ask IT which encryption {host} offers on port {port}: set mail.security to 'tls'"
    " (usually port 465), or use the port that offers STARTTLS (usually 587).",
    "AUTH": "Ask IT for a service account that may submit mail by SMTP AUTH with a password (in"
    " Microsoft 365: authenticated SMTP enabled for the mailbox), and set mail.username and password_file.",
    "MAIL FROM": "Ask IT whether this account may send as {sender}; if not, which address it may use"
    " (mail.sender, mail.envelope_from).",
    "RCPT TO": "Ask IT whether {host} accepts mail for {recipient}, and whether this account may relay to"
    " that domain.",
    "DATA": "Ask IT which filter refused the text, and to let mails from {sender} pass it.",
    "QUEUE": "The server took the mail. If it does not arrive within minutes, ask IT to look for its"
    " Message-ID, in quarantine and junk too.",
}
LATER = "The server said 'later' (4xx): try again in some minutes; if it stays so, "


@dataclass(frozen=True)
class Step:
    """One step of the conversation and what the server replied."""

    step: str
    reply: str


@dataclass(frozen=True)
class MailTest:
    """The whole conversation. `advice` says what to ask IT for, or what to look at next."""

    recipient: str
    steps: tuple[Step, ...]
    accepted: bool
    advice: str
    message_id: str


def mail_test(settings: Settings, recipient: str, now: datetime) -> MailTest:
    """Send one test mail to an address, over the configured server, and keep every reply.

    Raises UsageError when mails go to a folder, or mail.allow does not hold the address.
    """
    mail = settings.mail
    if mail.transport == "folder":
        raise UsageError(f"mails go to the folder {mail.folder}: there is no server to test (mail.transport)")
    if not allowed(recipient, mail.allow):
        raise UsageError(f"{recipient} is in no domain of mail.allow ({', '.join(mail.allow)})")
    steps: list[Step] = []
    message_id = f"<test.{now:%Y%m%dT%H%M%SZ}@{domain_of(mail.sender)}>"
    server = replace(server_of(settings), max_per_connection=1)
    with Session(server, lambda step, reply: steps.append(Step(step, reply))) as session:
        try:
            session.send(_content(settings, recipient, message_id, now), recipient)
            accepted, failure = True, None
        except DeliveryError as error:
            accepted, failure = False, error
            if not steps or steps[-1].reply not in str(error):
                steps.append(Step("ERROR", str(error)))
    advice = _advice(steps, failure).format(
        host=mail.host, port=mail.port, sender=server.envelope_from, recipient=recipient
    )
    return MailTest(recipient, tuple(steps), accepted, advice, message_id)


def _advice(steps: list[Step], failure: DeliveryError | None) -> str:
    """What to do, by the last step and the reply to it."""
    if failure is None:
        return ADVICE["QUEUE"]
    said = str(failure).casefold()
    step = next((one.step for one in reversed(steps) if one.step in ADVICE), "CONNECT")
    if "certificate" in said or "ssl" in said or "ca_file" in said:
        step = "TLS"
    if failure.code in {530, 534, 535, 538}:
        step = "AUTH"
    later = failure.code is not None and 400 <= failure.code < 500
    return LATER + ADVICE[step] if later else ADVICE[step]


def _content(settings: Settings, recipient: str, message_id: str, now: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(now)
    mail["From"] = settings.mail.sender
    mail["To"] = recipient
    if settings.mail.reply_to:
        mail["Reply-To"] = settings.mail.reply_to
    mail["Subject"] = "[TEST] The safety monitor can send mail"
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        "This is a test of the safety monitor's mail. It holds no patient data.\n\n"
        "If you read this in your inbox, alerts will arrive there too. If it came to the junk\n"
        "folder, ask IT to let mails from this sender pass.\n"
    )
    return mail.as_bytes()
