"""verify: an intact ledger is called intact, and each way of tampering is named with its first entry."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from monitor.audit.key import Key
from monitor.audit.ledger import Head, recorded, row_state
from monitor.audit.verify import Broken, Verdict, verify
from monitor.database.tables import alert, outbox
from monitor.files import Store, digest
from monitor.records import Entry
from tests.databases import ALICE, NOW, State

ALERT: dict[str, Any] = {
    "id": "A-1",
    "kind": "finding",
    "study": "S1",
    "site": "01",
    "subject": "01-003",
    "rule": "PLT-01",
    "rule_version": "1",
    "severity": "critical",
    "level": 0,
    "status": "open",
    "standing": "present",
    "keys": "[]",
    "finding": "",
    "onset": "2026-03-01",
    "detected_at": NOW,
    "due": None,
    "told": "[]",
    "owner": "",
    "closed_outcome": "",
    "backfill": False,
}
MAIL: dict[str, Any] = {
    "id": "M-1",
    "study": "S1",
    "kind": "alert",
    "alerts": "[]",
    "severity": "critical",
    "recipient": "officer@example.org",
    "backups": "[]",
    "message_id": "M-1",
    "created_at": NOW,
    "state": "due",
    "attempts": 0,
    "next_at": NOW,
    "claimed_by": "",
    "claimed_until": None,
    "link_only": False,
    "last_reply": "",
    "mail": "",
}


def fill(state: State) -> State:
    """Five more entries: 2 a finding, 3 an alert, 4 its mail, 5 its acknowledgement, 6 a run."""
    finding = state.evidence.put(b"the evidence")
    with recorded(state.engine, "scan.commit", ALICE, NOW, state.key) as work:
        work.note(Entry("finding", {"finding": finding}))
        work.connection.execute(insert(alert).values(ALERT))
        work.note(Entry("alert.opened", {"alert": "A-1", "finding": finding, "state": row_state(ALERT)}))
        work.connection.execute(insert(outbox).values(MAIL))
        work.note(Entry("mail.queued", {"outbox": "M-1", "alert": "A-1", "state": row_state(MAIL)}))
    with recorded(state.engine, "ack.commit", ALICE, NOW, state.key) as work:
        work.connection.execute(update(alert).values(status="acknowledged"))
        row = work.connection.execute(select(alert)).one()
        work.note(Entry("alert.acknowledged", {"alert": "A-1", "state": row_state(row._mapping)}))
    with recorded(state.engine, "run", ALICE, NOW, state.key) as work:
        work.note(Entry("run", {"count": 1}))
    return state


@pytest.fixture
def filled(state: State) -> State:
    """A ledger of six entries, with an alert, a mail and a finding."""
    return fill(state)


def judged(state: State, *anchors: Head, key: Key | None = None) -> Verdict:
    return verify(state.engine, key or state.key, state.evidence, anchors)


def said(state: State, *anchors: Head) -> list[tuple[int | None, str]]:
    return [(broken.seq, broken.what) for broken in judged(state, *anchors).problems]


def without_guards(problems: list[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    return [problem for problem in problems if "guard" not in problem[1]]


def test_an_intact_ledger_is_called_intact(filled: State) -> None:
    verdict = judged(filled)
    assert (verdict.intact, verdict.first, verdict.problems) == (True, None, ())
    assert (verdict.entries, verdict.head.seq, verdict.files, verdict.rows) == (6, 6, 1, 2)


def test_a_mail_that_is_being_sent_is_no_problem(filled: State) -> None:
    with filled.raw() as connection:
        connection.execute(
            update(outbox).values(
                state="sending", attempts=1, claimed_by="p", claimed_until=NOW, message_id="<M-1@x>", mail="h"
            )
        )
    assert judged(filled).intact


REST = "at, actor, auth, kind, study, subject, rule, data, key_id, mac"
TAMPERED = {
    "actor changed": (["UPDATE ledger SET actor = 'mallory' WHERE seq = 3"], 3, "entry 3 was changed"),
    "time changed": (
        ["UPDATE ledger SET at = '2020-01-01T00:00:00Z' WHERE seq = 4"],
        4,
        "entry 4 was changed",
    ),
    "data reformatted": (
        ["UPDATE ledger SET data = '{\"count\": 1}' WHERE seq = 6"],
        6,
        "entry 6 was changed",
    ),
    "data no JSON": (["UPDATE ledger SET data = 'x' WHERE seq = 6"], 6, "entry 6 was changed"),
    "data no object": (["UPDATE ledger SET data = '[]' WHERE seq = 6"], 6, "entry 6 was changed"),
    "mac changed": ([f"UPDATE ledger SET mac = '{'0' * 64}' WHERE seq = 2"], 2, "entry 2 was changed"),
    "genesis changed": (["UPDATE ledger SET auth = 'x' WHERE seq = 1"], 1, "entry 1 was changed"),
    "deleted": (["DELETE FROM ledger WHERE seq = 3"], 4, "entry 3 is missing: 4 follows 2"),
    "deleted and renumbered": (
        [
            "DELETE FROM ledger WHERE seq = 3",
            "UPDATE ledger SET seq = 3 WHERE seq = 4",
            "UPDATE ledger SET seq = 4 WHERE seq = 5",
            "UPDATE ledger SET seq = 5 WHERE seq = 6",
        ],
        3,
        "entry 3 was changed, moved or inserted",
    ),
    "swapped": (
        [
            "UPDATE ledger SET seq = 99 WHERE seq = 3",
            "UPDATE ledger SET seq = 3 WHERE seq = 4",
            "UPDATE ledger SET seq = 4 WHERE seq = 99",
        ],
        3,
        "entry 3 was changed, moved or inserted",
    ),
    "inserted": (
        [
            "UPDATE ledger SET seq = 7 WHERE seq = 6",
            "UPDATE ledger SET seq = 6 WHERE seq = 5",
            f"INSERT INTO ledger (seq, {REST}) SELECT 5, {REST} FROM ledger WHERE seq = 4",
        ],
        5,
        "entry 5 was changed, moved or inserted",
    ),
    "appended": (
        [
            f"INSERT INTO ledger (seq, {REST}) SELECT 7, {REST} FROM ledger WHERE seq = 6",
            "UPDATE ledger_head SET seq = 7",
        ],
        7,
        "entry 7 was changed, moved or inserted",
    ),
    "beginning cut off": (["DELETE FROM ledger WHERE seq < 3"], 3, "entry 1 is missing: 3 follows 0"),
    "end cut off": (["DELETE FROM ledger WHERE seq > 5"], 6, "ends with entry 5, its head says 6"),
    "emptied": (["DELETE FROM ledger"], 1, "the ledger is empty"),
    "head set back": (["UPDATE ledger_head SET seq = 4"], 5, "ends with entry 6, its head says 4"),
    "head gone": (["DELETE FROM ledger_head"], None, "has lost its head"),
    "key id changed": (
        ["UPDATE ledger SET key_id = 'other' WHERE seq = 5"],
        5,
        "names the unknown key other",
    ),
}


@pytest.mark.parametrize(("statements", "seq", "what"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_at_its_first_entry(
    filled: State, statements: list[str], seq: int | None, what: str
) -> None:
    filled.tamper(*statements)
    first = judged(filled).first
    assert first is not None
    assert first.seq == seq
    assert what in first.what


@pytest.mark.parametrize("name", ["at", "actor", "auth", "kind", "study", "subject", "rule", "key_id", "mac"])
def test_one_changed_byte_in_any_column_is_found(filled: State, name: str) -> None:
    filled.tamper(f"UPDATE ledger SET {name} = {name} || ' ' WHERE seq = 5")
    first = judged(filled).first
    assert first is not None
    assert first.seq == 5


def test_another_key_is_named(filled: State) -> None:
    first = judged(filled, key=Key(b"k" * 32)).first
    assert first is not None
    assert "names the unknown key" in first.what


def test_a_missing_guard_is_a_problem_of_its_own(filled: State) -> None:
    filled.drop_guards()
    problems = said(filled)
    assert (None, "the database's guard ledger_next is gone") in problems
    assert without_guards(problems) == []


def test_a_guard_that_was_replaced_by_a_tame_one_is_missed(filled: State) -> None:
    with filled.raw() as connection:
        if filled.place.kind == "sqlite":
            connection.execute(text("DROP TRIGGER ledger_next"))
            tame = "CREATE TRIGGER ledger_next BEFORE INSERT ON ledger BEGIN SELECT 1; END"
        else:
            tame = (
                "CREATE OR REPLACE FUNCTION monitor_ledger_next() RETURNS trigger LANGUAGE plpgsql "
                "AS 'BEGIN RETURN NEW; END'"
            )
        connection.execute(text(tame))
    assert said(filled) == [(None, "the database's guard ledger_next is gone")]


def cut_end(state: State, seq: int) -> None:
    """The perfect truncation: entries gone, head set back to the seal of the new last one."""
    state.tamper(
        f"DELETE FROM ledger WHERE seq > {seq}",
        f"UPDATE ledger_head SET seq = {seq}, mac = (SELECT mac FROM ledger WHERE seq = {seq})",
    )


def test_an_end_cut_off_with_its_head_is_betrayed_by_the_rows_that_it_wrote(filled: State) -> None:
    cut_end(filled, 4)
    assert without_guards(said(filled)) == [(3, "alert A-1 is not as entry 3 left it")]


def test_an_end_that_wrote_no_row_is_betrayed_by_an_anchor_outside(filled: State) -> None:
    anchor = judged(filled).head
    cut_end(filled, 5)
    assert without_guards(said(filled)) == []  # nothing inside can know; docs/auditors.md says so
    assert without_guards(said(filled, anchor)) == [
        (6, "entry 6, known outside, is gone: the end was cut off")
    ]


def test_an_anchor_that_differs_shows_a_ledger_written_anew(filled: State) -> None:
    assert said(filled, Head(4, "f" * 64)) == [(4, "entry 4 is not the one that was known outside")]
    assert judged(filled, judged(filled).head).intact


ROWS = {
    "alert closed by hand": ("UPDATE alert SET status = 'closed'", 5, "alert A-1 is not as entry 5 left it"),
    "alert deleted": ("DELETE FROM alert", 5, "alert A-1, of entry 5, is gone from the database"),
    "mail redirected": ("UPDATE outbox SET recipient = 'x@y'", 4, "outbox M-1 is not as entry 4 left it"),
    "mail put off": ("UPDATE outbox SET next_at = '2099-01-01'", 4, "outbox M-1 is not as entry 4 left it"),
    "mail said to be sent": ("UPDATE outbox SET state = 'sent'", 4, "outbox M-1 is not as entry 4 left it"),
    "mail deleted": ("DELETE FROM outbox", 4, "outbox M-1, of entry 4, is gone from the database"),
    "alert that nobody recorded": (
        "UPDATE alert SET id = 'A-2'",
        5,
        "alert A-1, of entry 5, is gone from the database",
    ),
}


@pytest.mark.parametrize(("statement", "seq", "what"), ROWS.values(), ids=ROWS)
def test_rows_must_agree_with_their_last_entry(filled: State, statement: str, seq: int, what: str) -> None:
    with filled.raw() as connection:
        stored = statement.replace("'2099-01-01'", "'2099-01-01 00:00:00.000000'")
        connection.execute(text(stored))
    assert said(filled)[0] == (seq, what)


def test_a_row_that_no_entry_knows_is_found(filled: State) -> None:
    with filled.raw() as connection:
        connection.execute(insert(alert).values({**ALERT, "id": "A-9"}))
    assert said(filled) == [(None, "alert A-9 is in the database, but no entry knows it")]


def test_a_stored_file_must_be_there_unchanged(filled: State) -> None:
    name = digest(b"the evidence")
    path = filled.evidence.path(name)
    path.write_bytes(gzip.compress(b"other evidence"))
    assert said(filled) == [(2, f"the stored file {name}, of entry 2, was changed")]
    path.write_bytes(b"not even compressed")
    assert said(filled) == [(2, f"the stored file {name}, of entry 2, was changed")]
    path.write_bytes(gzip.compress(b"the evidence")[:-9])
    assert said(filled) == [(2, f"the stored file {name}, of entry 2, was changed")]
    path.unlink()
    path.mkdir()
    assert said(filled) == [(2, f"the stored file {name}, of entry 2, was changed")]
    path.rmdir()
    assert said(filled) == [(2, f"the stored file {name}, of entry 2, is missing")]


def test_a_stored_file_may_lie_in_any_store(filled: State) -> None:
    received = Store(filled.data_dir / "received")
    name = received.put(b"a transfer")
    with recorded(filled.engine, "load", ALICE, NOW, filled.key) as work:
        work.note(Entry("load", {"received": ["not a hash", 5], "files": {"lb.xpt": name}}))
    verdict = verify(filled.engine, filled.key, filled.evidence, more_stores=[received])
    assert (verdict.intact, verdict.files) == (True, 2)
    assert said(filled) == [(7, f"the stored file {name}, of entry 7, is missing")]


def test_the_files_of_a_snapshot_must_be_what_they_were(filled: State) -> None:
    path = filled.data_dir / "snapshots" / "LB.parquet"
    path.parent.mkdir()
    path.write_bytes(b"rows")
    with recorded(filled.engine, "load", ALICE, NOW, filled.key) as work:
        work.note(
            Entry("load", {"stored": {"snapshots/LB.parquet": digest(b"rows")}, "files": {"lb.csv": "x"}})
        )
    verdict = judged(filled)
    assert (verdict.intact, verdict.files) == (True, 2)
    path.write_bytes(b"other rows")
    assert said(filled) == [(7, "the file snapshots/LB.parquet, of entry 7, was changed")]
    path.unlink()
    assert said(filled) == [(7, "the file snapshots/LB.parquet, of entry 7, is missing")]
    with recorded(filled.engine, "remove", ALICE, NOW, filled.key) as work:
        work.note(Entry("evidence.removed", {"files": [digest(b"rows")], "reason": "retention"}))
    assert judged(filled).intact


def test_a_lawful_removal_that_is_recorded_leaves_the_ledger_verifying(filled: State) -> None:
    name = digest(b"the evidence")
    filled.evidence.path(name).unlink()
    with recorded(filled.engine, "remove", ALICE, NOW, filled.key) as work:
        work.note(Entry("evidence.removed", {"files": [name], "reason": "erasure request 7"}))
    assert judged(filled).intact


def test_a_state_of_something_that_verify_does_not_compare_is_no_problem(filled: State) -> None:
    with recorded(filled.engine, "other", ALICE, NOW, filled.key) as work:
        work.note(Entry("other", {"state": "x", "study": "S1"}))
    assert judged(filled).intact


def test_problems_of_the_chain_come_first(filled: State) -> None:
    with filled.raw() as connection:
        connection.execute(text("UPDATE alert SET owner = 'x'"))
    filled.tamper("UPDATE ledger SET actor = 'x' WHERE seq = 6")
    verdict = judged(filled)
    assert verdict.first == Broken(6, "entry 6 was changed, moved or inserted: its seal does not fit")
    assert verdict.problems[-1].seq == 5


def test_a_long_ledger_tells_how_far_it_has_been_read(state: State) -> None:
    with recorded(state.engine, "many", ALICE, NOW, state.key) as work:
        for number in range(10_000):
            work.note(Entry("many", {"number": number}))
    seen: list[int] = []
    verdict = verify(state.engine, state.key, state.evidence, progress=seen.append)
    assert verdict.intact
    assert (verdict.entries, seen) == (10_001, [10_000])
