"""A lease per study with a fencing token, on the database's clock.

Whoever holds it may compute; only whoever still holds it when it commits may write.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, Float, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from monitor.database.tables import lease as leases
from monitor.database.transactions import reading, transaction
from monitor.errors import LeaseHeld, LeaseLost

SECONDS = 120.0


@dataclass(frozen=True)
class Lease:
    """The right to work on one study. `expires` is in epoch seconds of the database's clock."""

    study: str
    holder: str
    token: int
    expires: float


def new_holder() -> str:
    """A name for this process that no other has: host:pid:start:place:random.

    `place` is the boot and the process namespace in which the pid has its meaning; `start` is
    when the process began. Both are empty where the system does not tell.
    """
    pid = os.getpid()
    return ":".join([socket.gethostname(), str(pid), _start(pid), _place(), secrets.token_hex(8)])


def acquire(engine: Engine, study: str, holder: str, seconds: float = SECONDS) -> Lease:
    """Take the lease, for `seconds`. Raises LeaseHeld while another holder's has not expired."""
    with transaction(engine, "lease.acquire") as connection:
        clock = _clock(connection)
        row = connection.execute(select(leases).where(leases.c.study == study).with_for_update()).first()
        if row is None:
            return _first(connection, Lease(study, holder, 1, 0.0), seconds)
        free = leases.c.expires <= clock
        if is_dead(row.holder):
            free = leases.c.token == row.token
        taken = connection.execute(
            update(leases)
            .where(leases.c.study == study, free)
            .values(holder=holder, token=leases.c.token + 1, expires=clock + seconds)
        )
        if taken.rowcount != 1:
            left = connection.scalar(select(leases.c.expires - clock).where(leases.c.study == study))
            raise LeaseHeld(f"{study} is being worked on by {_who(row.holder)}, for {left:.0f} s at most")
        return _read(connection, study)


def _first(connection: Connection, lease: Lease, seconds: float) -> Lease:
    """The first lease of a study; two at the same time: the database lets one in."""
    values = {"study": lease.study, "holder": lease.holder, "token": lease.token}
    try:
        with connection.begin_nested():
            connection.execute(insert(leases).values(**values, expires=_clock(connection) + seconds))
    except IntegrityError:
        raise LeaseHeld(f"{lease.study} was taken by another process at this moment") from None
    return _read(connection, lease.study)


def check(connection: Connection, lease: Lease) -> None:
    """Make sure, inside the committing transaction, that the lease still holds. Raises LeaseLost.

    The row stays locked until the commit: nobody can take the lease in between.
    """
    _change(connection, lease, leases.c.expires)


def renew(engine: Engine, lease: Lease, seconds: float = SECONDS) -> Lease:
    """The same lease, for `seconds` from now. Raises LeaseLost when it has expired."""
    with transaction(engine, "lease.renew") as connection:
        _change(connection, lease, _clock(connection) + seconds)
        return _read(connection, lease.study)


def release(engine: Engine, lease: Lease) -> bool:
    """Give the lease back. False when it had been lost already."""
    with transaction(engine, "lease.release") as connection:
        given = connection.execute(update(leases).where(*_mine(lease)).values(expires=0.0))
        return given.rowcount == 1


@contextmanager
def held(engine: Engine, study: str, holder: str, seconds: float = SECONDS) -> Iterator[Lease]:
    """Hold a study's lease for a `with` block."""
    lease = acquire(engine, study, holder, seconds)
    try:
        yield lease
    finally:
        release(engine, lease)


def current(engine: Engine, study: str) -> Lease | None:
    """The study's last lease, whether it has expired or not."""
    with reading(engine) as connection:
        row = connection.execute(select(leases).where(leases.c.study == study)).first()
        return None if row is None else Lease(*row)


def is_dead(holder: str) -> bool:
    """Whether the process behind this name is surely gone: same boot, same namespace, and no such pid.

    Anything less certain (another machine, a system that does not tell) is not dead.
    """
    _, pid, start, place, _ = holder.rsplit(":", 4)
    if not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # pragma: no cover - root may signal everybody
        return False
    now = _start(int(pid))
    return bool(start and now) and start != now  # the number was given to a new process


def _change(connection: Connection, lease: Lease, expires: ColumnElement[float]) -> None:
    clock = _clock(connection)
    kept = connection.execute(
        update(leases).where(*_mine(lease), leases.c.expires > clock).values(expires=expires)
    )
    if kept.rowcount != 1:
        raise LeaseLost(f"the lease on {lease.study} (token {lease.token}) was lost; nothing was committed")


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (leases.c.study == lease.study, leases.c.holder == lease.holder, leases.c.token == lease.token)


def _read(connection: Connection, study: str) -> Lease:
    return Lease(*connection.execute(select(leases).where(leases.c.study == study)).one())


def _clock(connection: Connection) -> ColumnElement[float]:
    """The database's time in epoch seconds: of this moment, not of the transaction's start."""
    if connection.dialect.name == "sqlite":
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Float)
    return literal_column("extract(epoch from clock_timestamp())::float8", Float)


def _who(holder: str) -> str:
    host, pid, *_ = holder.rsplit(":", 4)
    return f"process {pid} on {host}"


def _start(pid: int) -> str:
    """When a process began, in clock ticks since boot (field 22 of /proc/PID/stat); "" if not told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # pragma: no cover - only where there is no /proc, or the process ends right now
        return ""
    return fields[19]


def _place() -> str:
    """A short hash of this boot and process namespace; "" if the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:  # pragma: no cover - only where there is no /proc
        return ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]
