"""Whether the ledger still says what it said, and the tables and files still agree with it.

What this proves and what it can't is written in docs/auditors.md.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, select

from monitor.audit.key import Key
from monitor.audit.ledger import START, Head, row_state, seal
from monitor.audit.stored import Named, damaged
from monitor.database.guards import missing_guards
from monitor.database.tables import alert, ledger, ledger_head, outbox
from monitor.database.transactions import reading
from monitor.files import Store

CHUNK = 5_000
STATES: Mapping[str, Table] = {"outbox": outbox, "alert": alert}  # how an entry names its row
PROGRESS_EVERY = 10_000


@dataclass(frozen=True)
class Broken:
    """One thing that does not hold. `seq` is the first entry concerned; None: no entry is."""

    seq: int | None
    what: str


@dataclass(frozen=True)
class Verdict:
    """What `verify` found. `head` is the last entry; compare it with the one in a mail."""

    entries: int
    head: Head
    files: int
    rows: int
    problems: tuple[Broken, ...]

    @property
    def intact(self) -> bool:
        """Whether everything holds."""
        return not self.problems

    @property
    def first(self) -> Broken | None:
        """The first broken place: of the chain if it is broken, else the earliest entry concerned."""
        return self.problems[0] if self.problems else None


@dataclass
class _Told:
    """What the entries say, gathered in one pass."""

    states: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    files: Named = field(default_factory=Named)


def verify(
    engine: Engine,
    key: Key,
    store: Store,
    anchors: Iterable[Head] = (),
    progress: Callable[[int], None] | None = None,
    more_stores: Sequence[Store] = (),
    data_dir: Path | None = None,
) -> Verdict:
    """Check the whole ledger, the files that its entries name, and the rows that they describe.

    Stored files may lie in `store` or in `more_stores`, others are named relative to `data_dir`
    (default: the folder that holds the store). `anchors` are entries known from outside
    (number and mac, as mails carry them). All problems are listed: those of the chain first.
    `progress` is called with the number of entries read.
    """
    told = _Told()
    with reading(engine, "verify") as connection:
        chain = _Chain(key, {anchor.seq: anchor.mac for anchor in anchors})
        for row in _rows(connection):
            chain.follow(row)
            _gather(told, row)
            if progress and chain.last.seq % PROGRESS_EVERY == 0:
                progress(chain.last.seq)
        problems = [*chain.problems(_head(connection))]
        problems += [
            Broken(None, f"the database's guard {name} is gone") for name in missing_guards(connection)
        ]
        rest, rows = _projection(connection, told)
    stores = (store, *more_stores)
    rest += [Broken(seq, what) for seq, what in damaged(told.files, stores, data_dir or store.root.parent)]
    problems += sorted(rest, key=lambda broken: (broken.seq is None, broken.seq or 0, broken.what))
    return Verdict(chain.count, chain.last, len(told.files), rows, tuple(problems))


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    """The ledger in order, in bounded memory."""
    query = select(ledger).order_by(ledger.c.seq).execution_options(yield_per=CHUNK)
    yield from connection.execute(query)


class _Chain:
    """Follows the entries; remembers only the first place where the chain breaks."""

    def __init__(self, key: Key, anchors: Mapping[int, str]) -> None:
        self.key = key
        self.anchors = anchors
        self.count = 0
        self.last = Head(0, START)
        self.broken: Broken | None = None
        self.reached: set[int] = set()

    def follow(self, row: Row[Any]) -> None:
        """The next entry."""
        if self.broken is None:
            said = self._wrong(row)
            self.broken = Broken(row.seq if said else None, said) if said else None
        if row.seq in self.anchors:
            self.reached.add(row.seq)
        self.count += 1
        self.last = Head(row.seq, row.mac)

    def _wrong(self, row: Row[Any]) -> str:
        """What is wrong with an entry, "" if nothing."""
        expected = self.last.seq + 1
        if row.seq != expected:
            return f"entry {expected} is missing: {row.seq} follows {self.last.seq}"
        if row.key_id != self.key.id:
            return f"entry {row.seq} names the unknown key {row.key_id}; the key here is {self.key.id}"
        if not hmac.compare_digest(seal(self.key, self.last.mac, row._mapping), row.mac):
            return f"entry {row.seq} was changed, moved or inserted: its seal does not fit"
        if self.anchors.get(row.seq, row.mac) != row.mac:
            return f"entry {row.seq} is not the one that was known outside"
        return ""

    def problems(self, head: Head | None) -> Iterator[Broken]:
        """What is wrong with the chain and its end."""
        if self.broken is not None:
            yield self.broken
        if self.count == 0:
            yield Broken(1, "the ledger is empty: not even its first entry is there")
        for seq in sorted(set(self.anchors) - self.reached):
            yield Broken(seq, f"entry {seq}, known outside, is gone: the end was cut off")
        if head is None:
            yield Broken(None, "the ledger has lost its head")
        elif head != self.last and self.broken is None:
            yield Broken(
                min(head.seq, self.last.seq) + 1,
                f"the ledger ends with entry {self.last.seq}, its head says {head.seq}",
            )


def _head(connection: Connection) -> Head | None:
    row = connection.execute(select(ledger_head.c.seq, ledger_head.c.mac)).first()
    return None if row is None else Head(row.seq, row.mac)


def _gather(told: _Told, row: Row[Any]) -> None:
    """Remember what an entry says of rows and files."""
    try:
        data = json.loads(row.data)
    except ValueError:
        return  # the chain has said that it was changed
    if not isinstance(data, dict):
        return
    if "state" in data:
        name = next((name for name in STATES if name in data), None)
        if name is not None:
            told.states[name, str(data[name])] = (row.seq, str(data["state"]))
    told.files.gather(row.seq, row.kind, data)


def _projection(connection: Connection, told: _Told) -> tuple[list[Broken], int]:
    """Rows that differ from the last entry about them, that no entry knows, or that are gone."""
    problems = []
    seen: set[tuple[str, str]] = set()
    for name, table in STATES.items():
        for row in connection.execute(select(table).execution_options(yield_per=CHUNK)):
            seen.add((name, row.id))
            seq, state = told.states.get((name, row.id), (None, ""))
            if seq is None:
                problems.append(Broken(None, f"{name} {row.id} is in the database, but no entry knows it"))
            elif row_state(row._mapping) != state:
                problems.append(Broken(seq, f"{name} {row.id} is not as entry {seq} left it"))
    for (name, identity), (seq, _) in told.states.items():
        if (name, identity) not in seen:
            problems.append(Broken(seq, f"{name} {identity}, of entry {seq}, is gone from the database"))
    return problems, len(seen)
