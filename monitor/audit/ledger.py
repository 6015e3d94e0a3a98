"""The ledger: every step, in the transaction of the step, each entry sealed onto the one before.

mac = HMAC-SHA-256(key, previous mac as 64 hex digits + RFC 8785 JSON of the row). The first
entry follows 64 zeros. docs/auditors.md says what this proves and what it can't.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from monitor.audit.key import Key
from monitor.database.lease import Lease, check
from monitor.database.tables import ledger, ledger_head
from monitor.database.transactions import reason, transaction
from monitor.errors import LedgerError
from monitor.records import Actor, Entry

START = "0" * 64
# What claiming a mail changes, and no entry records: not part of the state of a mail under way.
CLAIMED = frozenset({"claimed_by", "claimed_until", "attempts", "message_id", "mail"})


@dataclass(frozen=True)
class Head:
    """The last entry: its number and its mac."""

    seq: int
    mac: str


@dataclass(frozen=True)
class Work:
    """An open step: its connection, and what it will have recorded when it commits."""

    connection: Connection
    entries: list[Entry] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Add an entry; it is written last, just before the commit."""
        self.entries.append(entry)


@contextmanager
def recorded(
    engine: Engine, name: str, actor: Actor, now: datetime, key: Key, lease: Lease | None = None
) -> Iterator[Work]:
    """A transaction `name` that is recorded or does not happen.

    Checks the lease first (LeaseLost). At the end of the block its entries are appended as the last
    thing before the commit; LedgerError, and nothing is committed, when that fails or nothing was noted.
    """
    with transaction(engine, name) as connection:
        if lease is not None:
            check(connection, lease)
        work = Work(connection)
        yield work
        if not work.entries:
            raise LedgerError(f"{name} noted nothing: a step that is not recorded does not happen")
        append(connection, key, actor, now, work.entries)


def append(connection: Connection, key: Key, actor: Actor, now: datetime, entries: Iterable[Entry]) -> Head:
    """Number, seal and write entries; locks the ledger until the commit. Raises LedgerError."""
    try:
        last = _locked_head(connection)
        _check_last(connection, key, last)
        rows = list(_sealed(key, last, actor, now, entries))
        connection.execute(insert(ledger), rows)
        head = Head(rows[-1]["seq"], rows[-1]["mac"])
        connection.execute(update(ledger_head).values(seq=head.seq, mac=head.mac))
    except SQLAlchemyError as error:
        raise LedgerError(f"the ledger can't be written, nothing was committed: {reason(error)}") from error
    return head


def begin_ledger(connection: Connection, key: Key, actor: Actor, now: datetime, entry: Entry) -> Head:
    """Write the genesis entry and the head. Only `init` does this, once."""
    row = next(_sealed(key, Head(0, START), actor, now, [entry]))
    connection.execute(insert(ledger), [row])
    connection.execute(insert(ledger_head).values(id=1, seq=1, mac=row["mac"]))
    return Head(1, row["mac"])


def head(connection: Connection) -> Head:
    """The last entry's number and mac: what mails carry as an anchor outside the database."""
    row = connection.execute(select(ledger_head.c.seq, ledger_head.c.mac)).first()
    if row is None:
        raise LedgerError("the ledger has lost its head; run `monitor verify`")
    return Head(row.seq, row.mac)


def row_state(row: Mapping[Any, Any]) -> str:
    """The hash of a whole row of `alert` or `outbox`, as the entry about it carries it in `state`.

    `row` maps column names to Python values (what is inserted, or what was read back: the same
    hash). One entry per row: it names the row's id as `alert` or, for a mail, as `outbox`, and
    `verify` compares the row with its last entry. A mail that is due and one that is claimed for
    sending have the same state, so that a claim needs no entry; its result does.
    """
    kept = {name: _plain(value) for name, value in row.items() if value is not None}
    if "message_id" in kept and kept["state"] in {"due", "sending"}:
        kept = {name: value for name, value in kept.items() if name not in CLAIMED} | {"state": "due"}
    return hashlib.sha256(rfc8785.dumps(kept)).hexdigest()


def moment(now: datetime) -> str:
    """A time as the ledger writes it: ISO 8601, UTC, with Z."""
    if now.tzinfo is None:
        raise ValueError("a naive time can't be recorded")
    return now.astimezone(UTC).isoformat().replace("+00:00", "Z")


def canonical_row(row: Mapping[Any, Any]) -> bytes:
    """The RFC 8785 JSON of a ledger row without its mac; `data` is canonical already, as stored."""
    texts = {name: _text(row[name]) for name in ("actor", "at", "auth", "key_id", "kind", "rule", "study")}
    return (
        f'{{"actor":{texts["actor"]},"at":{texts["at"]},"auth":{texts["auth"]},"data":{row["data"]},'
        f'"key_id":{texts["key_id"]},"kind":{texts["kind"]},"rule":{texts["rule"]},"seq":{row["seq"]},'
        f'"study":{texts["study"]},"subject":{_text(row["subject"])}}}'
    ).encode()


def seal(key: Key, previous: str, row: Mapping[Any, Any]) -> str:
    """The mac of a row that follows the mac `previous`."""
    return hmac.digest(key.secret, previous.encode() + canonical_row(row), "sha256").hex()


def _sealed(
    key: Key, last: Head, actor: Actor, now: datetime, entries: Iterable[Entry]
) -> Iterator[dict[str, Any]]:
    previous = last.mac
    for seq, entry in enumerate(entries, start=last.seq + 1):
        row = {
            "seq": seq,
            "at": moment(now),
            "actor": actor.name,
            "auth": actor.auth,
            "kind": entry.kind,
            "study": entry.study,
            "subject": entry.subject,
            "rule": entry.rule,
            "data": _data(entry, actor),
            "key_id": key.id,
        }
        previous = seal(key, previous, row)
        yield {**row, "mac": previous}


def _data(entry: Entry, actor: Actor) -> str:
    """The entry's data, with for whom and on what ground it was done, as RFC 8785 JSON."""
    behalf = {"on_behalf_of": actor.on_behalf_of, "reference": actor.reference}
    said = {name: value for name, value in behalf.items() if value}
    try:
        return rfc8785.dumps(_plain({**entry.data, **said})).decode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise LedgerError(f"an entry {entry.kind!r} can't be written as JSON: {error}") from error


def _plain(value: Any) -> Any:
    """Mappings, sequences and times as JSON knows them."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _locked_head(connection: Connection) -> Head:
    """The head, locked until the commit (SQLite: the whole transaction holds the only write lock)."""
    row = connection.execute(select(ledger_head.c.seq, ledger_head.c.mac).with_for_update()).first()
    if row is None:
        raise LedgerError("the ledger has lost its head; run `monitor verify`")
    return Head(row.seq, row.mac)


def _check_last(connection: Connection, key: Key, last: Head) -> None:
    """Refuse to append to a ledger whose end was changed, or that another key sealed."""
    rows = connection.execute(select(ledger).where(ledger.c.seq >= last.seq - 1).order_by(ledger.c.seq))
    found = [row._asdict() for row in rows]
    previous = found[-2]["mac"] if len(found) > 1 else START
    if not found or found[-1]["seq"] != last.seq or found[-1]["mac"] != last.mac:
        raise LedgerError("the ledger's last entry and its head disagree; run `monitor verify`")
    if found[-1]["key_id"] != key.id:
        raise LedgerError(
            f"the ledger was sealed with key {found[-1]['key_id']}, but the key here is {key.id}"
        )
    if not hmac.compare_digest(seal(key, previous, found[-1]), last.mac):
        raise LedgerError("the ledger's last entry does not verify; run `monitor verify`")
