"""`monitor verify`: the ledger, the tables and files that it speaks of, and who could change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import Engine

from monitor.audit.ledger import Head
from monitor.audit.verify import Broken, Verdict
from monitor.audit.verify import verify as verify_ledger
from monitor.config import Settings
from monitor.database.roles import current_role, powers
from monitor.database.transactions import reading
from monitor.errors import UsageError
from monitor.files import Store
from monitor.usecases.opening import open_monitor

__all__ = ["Broken", "Verdict", "read_anchor", "verify"]


def verify(
    settings: Settings, anchors: Iterable[Head] = (), progress: Callable[[int], None] | None = None
) -> Verdict:
    """Check everything; `anchors` are entries known from mails. The command exits 1 unless `intact`.

    In production it is a problem as well when the run-time role could undo the ledger's guards.
    """
    opened = open_monitor(settings)
    received = Store(settings.data_dir / "received")
    verdict = verify_ledger(
        opened.engine, opened.key, opened.evidence, anchors, progress, [received], settings.data_dir
    )
    if settings.monitor.stage != "production" or opened.engine.dialect.name != "postgresql":
        return verdict
    return replace(verdict, problems=(*verdict.problems, *_too_mighty(opened.engine)))


def _too_mighty(engine: Engine) -> list[Broken]:
    with reading(engine, "verify.role") as connection:
        role = current_role(connection)
        return [Broken(None, f"the run-time role {role} {power}") for power in powers(connection, role)]


def read_anchor(written: str) -> Head:
    """An entry as a mail carries it, NUMBER:MAC. Raises UsageError."""
    number, _, mac = written.partition(":")
    if not number.isdigit() or len(mac) != 64 or not set(mac.lower()) <= set("0123456789abcdef"):
        raise UsageError(f"{written!r} is not NUMBER:MAC as the mails write it, with 64 hexadecimal digits")
    return Head(int(number), mac.lower())
