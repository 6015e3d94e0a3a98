"""The ledger on both databases: what is written, and what the database itself refuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from monitor.audit.key import Key
from monitor.audit.ledger import START, canonical_row, head, moment, recorded, row_state, seal
from monitor.database import lease
from monitor.database.tables import ledger, rule_version
from monitor.database.transactions import reading, transaction
from monitor.errors import DatabaseError, LeaseLost, LedgerError
from monitor.records import Actor, Entry
from tests.databases import ALICE, NOW, State
from tests.generative.budgets import FEW


def write(state: State, *entries: Entry, key: Key | None = None) -> None:
    with recorded(state.engine, "test.step", ALICE, NOW, key or state.key) as work:
        for entry in entries:
            work.note(entry)


def step(state: State, *entries: Entry, error: Exception | None = None, first_used: datetime = NOW) -> None:
    """A step that also changes a table."""
    with recorded(state.engine, "test.step", ALICE, NOW, state.key) as work:
        work.connection.execute(insert(rule_version).values(version_row() | {"first_used": first_used}))
        for entry in entries:
            work.note(entry)
        if error is not None:
            raise error


def rows(state: State) -> list[dict[str, Any]]:
    with reading(state.engine) as connection:
        return [row._asdict() for row in connection.execute(select(ledger).order_by(ledger.c.seq))]


def test_an_entry_holds_what_was_noted_who_did_it_and_when(state: State) -> None:
    actor = Actor("bob", "sudo", on_behalf_of="Dr. Li", reference="mail of 2026-03-01")
    now = NOW.astimezone(timezone(timedelta(hours=8)))
    with recorded(state.engine, "test.step", actor, now, state.key) as work:
        work.note(Entry("alert.acknowledged", {"b": 1, "a": ("é", None, NOW)}, "S1", "01-003", "PLT-01"))
    entry = rows(state)[-1]
    assert json.loads(str(entry["data"])) == {
        "a": ["é", None, "2026-03-02T08:00:00Z"],
        "b": 1,
        "on_behalf_of": "Dr. Li",
        "reference": "mail of 2026-03-01",
    }
    del entry["data"], entry["mac"]
    assert entry == {
        "seq": 2,
        "at": "2026-03-02T08:00:00Z",
        "actor": "bob",
        "auth": "sudo",
        "kind": "alert.acknowledged",
        "study": "S1",
        "subject": "01-003",
        "rule": "PLT-01",
        "key_id": state.key.id,
    }


def test_the_mac_can_be_recomputed_from_the_documented_recipe(state: State) -> None:
    write(state, Entry("one", {"text": 'quote " line\u2028 control\x01 ☃'}), Entry("two", {}))
    previous = START
    for row in rows(state):
        mac = row.pop("mac")
        content = rfc8785.dumps({**row, "data": json.loads(row["data"])})
        assert mac == hmac.new(state.key.secret, previous.encode() + content, hashlib.sha256).hexdigest()
        previous = str(mac)


@FEW
@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 2**53 - 1))
def test_a_row_is_spliced_to_exactly_the_canonical_json(word: str, seq: int) -> None:
    names = ("at", "actor", "auth", "kind", "study", "subject", "rule", "key_id")
    row: dict[str, Any] = {
        **dict.fromkeys(names, word),
        "seq": seq,
        "data": rfc8785.dumps({word: [word]}).decode(),
    }
    assert canonical_row(row) == rfc8785.dumps({**row, "data": {word: [word]}})


def test_the_head_is_the_last_entry(state: State) -> None:
    write(state, Entry("one", {}), Entry("two", {}))
    with reading(state.engine) as connection:
        last = head(connection)
    assert (last.seq, last.mac) == (3, rows(state)[-1]["mac"])


def test_a_failing_step_leaves_nothing(state: State) -> None:
    with pytest.raises(ZeroDivisionError):
        step(state, Entry("one", {}), error=ZeroDivisionError())
    assert_nothing_happened(state)


def test_a_step_that_notes_nothing_does_not_happen(state: State) -> None:
    with pytest.raises(LedgerError, match="noted nothing"):
        step(state)
    assert_nothing_happened(state)


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": 2**60}, {"x": object()}, {"x": "\ud800"}])
def test_what_is_not_json_is_refused_and_the_step_rolled_back(state: State, data: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match="'one' can't be written as JSON"):
        step(state, Entry("one", data))
    assert_nothing_happened(state)


def test_when_the_ledger_cannot_be_written_the_step_is_rolled_back(state: State) -> None:
    with state.raw() as connection:
        connection.execute(text("ALTER TABLE ledger RENAME TO moved"))
    with pytest.raises(LedgerError, match="can't be written, nothing was committed"):
        step(state, Entry("one", {}))
    with state.raw() as connection:
        connection.execute(text("ALTER TABLE moved RENAME TO ledger"))
    assert_nothing_happened(state)


def version_row() -> dict[str, object]:
    return {"study": "S1", "rule": "R", "version": "1", "first_used": NOW, "text": "{}"}


def assert_nothing_happened(state: State) -> None:
    with reading(state.engine) as connection:
        assert connection.execute(select(rule_version)).all() == []
    assert len(rows(state)) == 1


def test_a_lost_lease_stops_a_step_before_it_begins(state: State) -> None:
    lost = lease.acquire(state.engine, "S1", lease.new_holder(), seconds=0)
    with pytest.raises(LeaseLost), recorded(state.engine, "scan", ALICE, NOW, state.key, lost):
        pytest.fail("the step must not begin")
    assert len(rows(state)) == 1


def test_another_key_is_refused_at_once(state: State) -> None:
    with pytest.raises(LedgerError, match="was sealed with key"):
        write(state, Entry("one", {}), key=Key(b"x" * 32))
    assert len(rows(state)) == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE ledger SET kind = 'other' WHERE seq = 3", "last entry does not verify"),
        ("DELETE FROM ledger WHERE seq = 3", "head disagree"),
        ("UPDATE ledger_head SET seq = 2", "head disagree"),
        ("DELETE FROM ledger_head", "lost its head"),
        ("DELETE FROM ledger", "head disagree"),
    ],
)
def test_nothing_is_appended_to_a_damaged_end(state: State, damage: str, said: str) -> None:
    write(state, Entry("one", {}), Entry("two", {}))
    state.tamper(damage)
    with pytest.raises(LedgerError, match=said):
        write(state, Entry("three", {}))


def test_a_head_that_is_gone_is_said(state: State) -> None:
    state.tamper("DELETE FROM ledger_head")
    with reading(state.engine) as connection, pytest.raises(LedgerError, match="lost its head"):
        head(connection)


COLUMNS = "(seq, at, actor, auth, kind, study, subject, rule, data, key_id, mac)"
VALUES = "'t', 'a', 'o', 'k', '', '', '', '{}', 'i', 'm'"
REFUSED = [
    "UPDATE ledger SET actor = 'nobody'",
    "UPDATE ledger SET seq = 9 WHERE seq = 1",
    "DELETE FROM ledger",
    f"INSERT INTO ledger {COLUMNS} VALUES (1, {VALUES})",
    f"INSERT INTO ledger {COLUMNS} VALUES (3, {VALUES})",
    f"INSERT INTO ledger {COLUMNS} VALUES (0, {VALUES})",
    f"INSERT INTO ledger {COLUMNS} VALUES (1, {VALUES}) ON CONFLICT (seq) DO UPDATE SET actor = 'nobody'",
    f"INSERT INTO ledger {COLUMNS} VALUES (1, {VALUES}) ON CONFLICT DO NOTHING",
    "DELETE FROM ledger_head",
    "UPDATE ledger_head SET seq = 0",
    "UPDATE ledger_head SET seq = 5",
    "UPDATE ledger_head SET mac = 'other'",
    "INSERT INTO ledger_head (id, seq, mac) VALUES (2, 1, 'm')",
    "INSERT INTO ledger_head (id, seq, mac) VALUES (1, 1, 'm')",
    "UPDATE instance SET value = 'other'",
    "DELETE FROM instance",
    "INSERT INTO instance (name, value) VALUES ('made', 'again')",
]
REFUSED_SQLITE = [
    f"INSERT OR REPLACE INTO ledger {COLUMNS} VALUES (1, {VALUES})",
    f"REPLACE INTO ledger {COLUMNS} VALUES (1, {VALUES})",
    f"INSERT OR IGNORE INTO ledger {COLUMNS} VALUES (1, {VALUES})",
    f"INSERT INTO ledger {COLUMNS} VALUES ('x', {VALUES})",
    f"INSERT INTO ledger {COLUMNS} VALUES (NULL, {VALUES})",
    "UPDATE OR REPLACE ledger SET seq = 1",
    "REPLACE INTO ledger_head (id, seq, mac) VALUES (1, 9, 'm')",
    "REPLACE INTO instance (name, value) VALUES ('made', 'again')",
]
REFUSED_POSTGRESQL = [
    "TRUNCATE ledger",
    "TRUNCATE ledger_head",
    "TRUNCATE instance CASCADE",
    "MERGE INTO ledger USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    "COPY ledger FROM PROGRAM 'echo'",
]


def assert_refused(state: State, statement: str) -> None:
    before = rows(state)
    with pytest.raises(DBAPIError), state.raw() as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(DatabaseError), transaction(state.engine, "intruder") as connection:
        connection.exec_driver_sql(statement)
    assert rows(state) == before


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_itself_refuses_changes(state: State, statement: str) -> None:
    with state.raw() as connection:
        connection.execute(text("INSERT INTO instance (name, value) VALUES ('made', 'once')"))
    assert_refused(state, statement)


@pytest.mark.parametrize("statement", REFUSED_SQLITE)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_sqlite_refuses_its_own_ways_around(state: State, statement: str) -> None:
    with state.raw() as connection:
        connection.execute(text("INSERT INTO instance (name, value) VALUES ('made', 'once')"))
    assert_refused(state, statement)


@pytest.mark.parametrize("statement", REFUSED_POSTGRESQL)
@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_postgresql_refuses_its_own_ways_around(state: State, statement: str) -> None:
    assert_refused(state, statement)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_plain_sqlite_client_is_refused_as_well(state: State) -> None:
    connection = sqlite3.connect(state.place.url.removeprefix("sqlite:///"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"INSERT OR REPLACE INTO ledger {COLUMNS} VALUES (1, {VALUES})")
    connection.close()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_next ON ledger",
        "DROP TABLE ledger",
        "ALTER TABLE ledger OWNER TO CURRENT_USER",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION monitor_refuse() RETURNS trigger LANGUAGE sql AS ''",
        "CREATE TABLE other (id int)",
        "DELETE FROM alert",
        "DELETE FROM outbox",
        "UPDATE finding SET alert = ''",
        "UPDATE snapshot SET manifest = ''",
        "INSERT INTO instance (name, value) VALUES ('x', 'y')",
    ],
)
def test_the_run_time_role_may_do_only_what_running_needs(state: State, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"must be owner|permission denied"),
        transaction(state.engine, "intruder") as connection,
    ):
        connection.exec_driver_sql(statement)


def test_a_row_has_one_state_however_it_is_written() -> None:
    row = {"id": "a", "due": None, "detected_at": NOW, "backfill": False}
    east = NOW.astimezone(timezone(timedelta(hours=8)))
    assert row_state(row) == row_state({"backfill": False, "detected_at": east, "id": "a"})
    assert row_state(row) != row_state({**row, "backfill": True})


MAIL = {"id": "m", "message_id": "m", "state": "due", "attempts": 0, "recipient": "a@b", "mail": ""}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"state": "sending", "attempts": 1, "message_id": "<m@b>", "mail": "hash", "claimed_by": "p"}, True),
        ({"recipient": "c@b"}, False),
        ({"state": "sent"}, False),
    ],
)
def test_claiming_a_mail_leaves_its_state_and_anything_else_changes_it(
    changed: dict[str, object], same: bool
) -> None:
    assert (row_state(MAIL) == row_state({**MAIL, **changed})) is same


def test_of_a_mail_that_was_sent_everything_counts() -> None:
    sent = {**MAIL, "state": "sent"}
    assert row_state(sent) != row_state({**sent, "mail": "another"})


def test_a_naive_time_is_refused_by_ledger_and_tables(state: State) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="a naive time can't be recorded"):
        moment(naive)
    with pytest.raises(DatabaseError, match="a naive time can't be stored"):
        step(state, Entry("one", {}), first_used=naive)


def test_a_seal_depends_on_everything(state: State) -> None:
    row = rows(state)[0]
    mac = seal(state.key, START, row)
    changed = [{**row, name: 7 if name == "seq" else '"x"'} for name in row if name != "mac"]
    macs = {seal(state.key, START, other) for other in changed} | {seal(state.key, "1" * 64, row)}
    assert mac not in macs
    assert len(macs) == len(changed) + 1
