"""Mails through the outbox to live mail servers: every refusal, lost connection and crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.audit.verify import verify
from monitor.database.transactions import transaction
from monitor.delivery import outbox as box
from monitor.delivery.outbox import Claim, wait
from monitor.errors import DatabaseError
from monitor.records import Severity
from monitor.usecases.acknowledge import ack
from monitor.usecases.send import Sent, send
from tests.databases import NOW, State
from tests.post import (
    BACKUP,
    OFFICER,
    THIRD,
    Behaviour,
    Office,
    mail_server,
    office,
    rude_server,
    sqlite_office,
)


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def desk(state: State, tmp_path: Path, behaviour: Behaviour) -> Iterator[Office]:
    with mail_server(behaviour) as port:
        yield office(state, tmp_path, port=port, timeout="1s")


@pytest.fixture
def quick(tmp_path: Path, behaviour: Behaviour) -> Iterator[Office]:
    """The same on SQLite only: for what the mail server does, at each stage."""
    with mail_server(behaviour) as port:
        yield sqlite_office(tmp_path, port=port, timeout="1s")


def intact(desk: Office) -> bool:
    return verify(desk.opened.engine, desk.opened.key, desk.opened.evidence).intact


def test_each_recipient_gets_a_message_of_their_own(desk: Office, behaviour: Behaviour) -> None:
    desk.queue(OFFICER, THIRD)
    done = desk.send()
    assert (done.sent, done.retry, done.failed, done.waiting, done.fine) == (2, 0, 0, 0, True)
    assert sorted(behaviour.recipients) == sorted([OFFICER, THIRD])
    assert all(len(people) == 1 for people, _ in behaviour.received)
    assert {mail["To"] for mail in behaviour.mails} == {OFFICER, THIRD}
    assert behaviour.connections == 1
    assert len({mail["Message-ID"] for mail in behaviour.mails}) == 2
    assert intact(desk)


def test_what_was_sent_is_not_sent_again(desk: Office, behaviour: Behaviour) -> None:
    desk.queue(OFFICER)
    desk.send()
    assert desk.send() == Sent()
    assert len(behaviour.received) == 1


def test_the_ledger_holds_recipient_reply_and_the_stored_message(desk: Office, behaviour: Behaviour) -> None:
    (mail_id,) = desk.queue(OFFICER)
    desk.send()
    (entry,) = desk.entries()
    assert entry["outbox"] == mail_id
    assert (entry["recipient"], entry["result"], entry["attempt"]) == (OFFICER, "sent", 1)
    assert entry["reply"] == "250 queued as 1"
    stored = desk.opened.evidence.get(str(entry["mail"]))
    assert stored.replace(b"\r\n", b"\n") == behaviour.received[0][1].replace(b"\r\n", b"\n")
    assert entry["alerts"] == ["ABCD2345"]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_temporary_refusal_is_tried_again_later_and_never_given_up(
    quick: Office, behaviour: Behaviour, stage: str
) -> None:
    behaviour.answers[stage] = "451 come back later"
    quick.queue(OFFICER, backups=[BACKUP])
    waited = []
    for _ in range(9):
        done = quick.send()
        assert (done.sent, done.retry, done.waiting) == (0, 1, 1)
        mail = quick.mails()[OFFICER]
        waited.append(mail.next_at - quick.clock())
        assert quick.send().retry == 0, "not before its time"
        quick.clock.time = mail.next_at
    minutes = [span / timedelta(minutes=1) for span in waited]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert BACKUP not in quick.mails()
    assert "451 come back later" in quick.mails()[OFFICER].last_reply
    behaviour.answers.clear()
    assert quick.send().sent == 1
    assert len({entry["message_id"] for entry in quick.entries()}) == 1
    assert intact(quick)


def test_a_mail_that_is_refused_for_now_again_and_again_is_shown(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers["RCPT"] = "452 mailbox full"
    desk.queue(OFFICER)
    shown = []
    for _ in range(6):
        shown.append(len(desk.send().unreached))
        desk.clock.forward(hours=2)
    assert shown == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_final_refusal_is_tried_once_more_without_clinical_content_then_the_next_person_is_told(
    quick: Office, behaviour: Behaviour, stage: str
) -> None:
    behaviour.answers[stage] = ["554 refused", "554 refused", ""]
    quick.queue(OFFICER, backups=[BACKUP, THIRD])
    done = quick.send()
    assert (done.sent, done.failed, done.unreached, done.fine) == (1, 1, (), True)
    results = [(e["recipient"], e["result"], e["link_only"]) for e in quick.entries()]
    assert results == [(OFFICER, "refused", False), (OFFICER, "failed", True), (BACKUP, "sent", False)]
    assert quick.mails()[BACKUP].backups == (THIRD,)
    assert THIRD not in quick.mails()
    assert intact(quick)


def test_the_link_only_text_reaches_a_server_that_refuses_the_content(
    desk: Office, behaviour: Behaviour
) -> None:
    behaviour.answers["DATA"] = ["550 content rejected", ""]
    desk.queue(OFFICER, backups=[BACKUP])
    assert desk.send().sent == 1
    (mail,) = behaviour.mails
    text = mail.get_content()
    assert mail.get_content_type() == "text/plain"
    assert "ABCD2345" in text
    assert "ABCD2345" in mail["Subject"]
    for clinical in ("PLT", "412", "01-003", "romiplostim", "Thrombo"):
        assert clinical not in text
        assert clinical not in mail["Subject"]
    assert BACKUP not in desk.mails()


def test_nobody_reached_is_told_and_stays_told_until_somebody_acknowledges(
    desk: Office, behaviour: Behaviour
) -> None:
    behaviour.answers["RCPT"] = "550 no such user"
    desk.queue(OFFICER, backups=[BACKUP])
    done = desk.send()
    assert not done.fine
    assert {mail.recipient for mail in done.unreached} == {OFFICER, BACKUP}
    assert {mail.state for mail in done.unreached} == {box.FAILED}
    assert len(desk.send().unreached) == 2
    ack(desk.opened, "ABCD2345", "seen on screen", desk.actor, desk.clock())
    assert desk.unreached() == []
    assert intact(desk)


def test_somebody_reached_is_enough(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers[f"RCPT {OFFICER}"] = "550 no such user"
    desk.queue(OFFICER, THIRD)
    done = desk.send()
    assert (done.sent, done.failed, done.unreached) == (1, 1, ())


def test_two_refused_people_share_their_next_one(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers[f"RCPT {OFFICER}"] = "550 no such user"
    behaviour.answers[f"RCPT {THIRD}"] = "550 no such user"
    desk.queue(OFFICER, THIRD, backups=[BACKUP])
    assert desk.send().sent == 1
    assert behaviour.recipients == [BACKUP]
    assert intact(desk)


def test_after_its_cause_was_mended_a_failed_mail_goes_out(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers["MAIL"] = "550 sender unknown"
    desk.queue(OFFICER)
    assert len(desk.send().unreached) == 1
    behaviour.answers.clear()
    assert desk.send().sent == 0
    done = desk.send(again=True)
    assert (done.sent, done.unreached) == (1, ())
    assert desk.send(again=True).sent == 0
    assert intact(desk)


@pytest.mark.parametrize("answer", ["drop", "hang"])
@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_lost_connection_repeats_the_mail_with_its_message_id(
    quick: Office, behaviour: Behaviour, stage: str, answer: str
) -> None:
    behaviour.answers[stage] = answer
    quick = quick.with_mail(timeout=timedelta(seconds=0.3))
    quick.queue(OFFICER, backups=[BACKUP])
    done = quick.send()
    assert (done.sent, done.retry) == (0, 1)
    assert "mail server 127.0.0.1" in done.problems[0]
    assert not done.fine
    behaviour.answers.clear()
    quick.clock.forward(minutes=1)
    assert quick.send().sent == 1
    ids = [mail["Message-ID"] for mail in behaviour.mails]
    assert len(set(ids)) == 1
    assert len(ids) == (2 if (stage, answer) == ("DATA", "drop") else 1)
    assert BACKUP not in quick.mails()
    assert intact(quick)


@pytest.mark.parametrize("greeting", [b"", b"554 no\r\n", b"421 busy\r\n", b"rubbish\r\n", None])
def test_a_server_that_does_not_speak_is_tried_again_later(tmp_path: Path, greeting: bytes | None) -> None:
    with rude_server(greeting) as port:
        desk = sqlite_office(tmp_path, port=port, timeout="1s").with_mail(timeout=timedelta(seconds=0.3))
        desk.queue(OFFICER, backups=[BACKUP])
        done = desk.send()
    assert (done.retry, done.failed, done.waiting) == (1, 0, 1)


def test_when_the_server_is_away_the_rest_waits_for_the_next_run(state: State, tmp_path: Path) -> None:
    with rude_server(b"") as port:
        desk = office(state, tmp_path, port=port)
        desk.queue(*(f"person{n}@example.org" for n in range(7)))
        done = desk.send()
    assert (done.retry, done.waiting) == (3, 7)
    with rude_server(b"") as port:
        done = desk.with_mail(port=port).send()
    assert (done.retry, done.waiting) == (3, 7)
    assert sorted(mail.attempts for mail in desk.mails().values()) == [0, 1, 1, 1, 1, 1, 1]


def test_one_refused_mail_does_not_stop_the_others(desk: Office, behaviour: Behaviour) -> None:
    people = [f"person{n}@example.org" for n in range(6)]
    for person in people[:4]:
        behaviour.answers[f"RCPT {person}"] = "451 later"
    desk.queue(*people)
    done = desk.send()
    assert (done.sent, done.retry) == (2, 4)


def test_the_most_severe_goes_first(desk: Office, behaviour: Behaviour) -> None:
    desk.queue(OFFICER, alert_id="LOW22222", severity=Severity.LOW)
    desk.queue(OFFICER, alert_id="HIGH2222", severity=Severity.HIGH)
    desk.queue(OFFICER, alert_id="CRIT2222", severity=Severity.CRITICAL)
    desk.send()
    order = [mail["X-Monitor-Alert"] for mail in behaviour.mails]
    assert order == ["CRIT2222", "HIGH2222", "LOW22222"]


def test_a_claim_keeps_others_away_until_it_runs_out(desk: Office, behaviour: Behaviour) -> None:
    (mail_id,) = desk.queue(OFFICER)
    mail = desk.mails()[OFFICER]
    claim = Claim("a dead process", NOW + timedelta(minutes=10), f"<{mail_id}@example.org>", "")
    with transaction(desk.opened.engine, "send.claim") as connection:
        assert box.claim(connection, mail, claim, NOW)
        assert not box.claim(connection, mail, claim, NOW)
    assert desk.send().sent == 0
    assert desk.mails()[OFFICER].state == box.SENDING
    assert intact(desk), "a claim needs no entry"
    desk.clock.forward(minutes=11)
    assert desk.send().sent == 1
    assert behaviour.mails[0]["Message-ID"] == f"<{mail_id}@example.org>"
    assert intact(desk)


def test_of_two_senders_one_sends(desk: Office, behaviour: Behaviour) -> None:
    """Another process claims the mail in the moment between reading and claiming."""
    (mail_id,) = desk.queue(OFFICER)
    claim = Claim("another", NOW + timedelta(minutes=10), f"<{mail_id}@example.org>", "")
    mail = desk.mails()[OFFICER]
    calls = []

    def clock() -> datetime:
        calls.append(1)
        if len(calls) == 4:
            with transaction(desk.opened.engine, "send.claim") as connection:
                assert box.claim(connection, mail, claim, NOW)
        return NOW

    assert send(desk.opened, desk.actor, clock).sent == 0
    assert behaviour.received == []


def test_the_message_id_survives_a_change_of_the_sender(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers["RCPT"] = ["451 later", ""]
    (mail_id,) = desk.queue(OFFICER)
    desk.send()
    desk.clock.forward(minutes=1)
    desk.with_mail(sender="new@other.example").send()
    assert behaviour.mails[0]["Message-ID"] == f"<{mail_id}@example.org>"
    assert behaviour.mails[0]["From"] == "new@other.example"


def test_a_late_sender_cannot_undo_what_another_delivered(desk: Office) -> None:
    desk.queue(OFFICER)
    late = replace(desk.mails()[OFFICER], attempts=1)
    desk.send()
    with transaction(desk.opened.engine, "send.mark") as connection:
        assert not box.retry(connection, late, reply="451 late", now=NOW)
        assert not box.simpler(connection, late, reply="550 late", now=NOW)
        assert box.fail(connection, late, reply="550 late", now=NOW) is None
    assert desk.mails()[OFFICER].state == box.SENT
    assert desk.mails()[OFFICER].link_only is False


def test_the_same_thing_is_queued_once(desk: Office) -> None:
    first = desk.queue(OFFICER, OFFICER, THIRD, backups=[THIRD, BACKUP])
    assert desk.queue(OFFICER, THIRD, backups=[BACKUP]) == first
    assert len(desk.mails()) == 2
    assert desk.mails()[OFFICER].backups == (BACKUP,)


def test_a_mark_that_can_not_be_recorded_does_not_happen(
    desk: Office, behaviour: Behaviour, state: State
) -> None:
    desk.queue(OFFICER)
    with state.raw() as connection:
        connection.exec_driver_sql("ALTER TABLE ledger_head RENAME TO ledger_gone")
    with pytest.raises(DatabaseError):
        desk.send()
    assert behaviour.received == [], "without a ledger no step happens"
    with state.raw() as connection:
        connection.exec_driver_sql("ALTER TABLE ledger_gone RENAME TO ledger_head")
    assert desk.send().sent == 1


def test_who_was_told_of_an_alert(desk: Office, behaviour: Behaviour) -> None:
    behaviour.answers[f"RCPT {THIRD}"] = "550 no such user"
    desk.queue(OFFICER, THIRD)
    desk.send()
    with desk.opened.engine.connect() as connection:
        assert box.told(connection, "ABCD2345") == (OFFICER,)
        assert box.told(connection, "ABCD") == ()


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (5, 16), (6, 32), (7, 60), (500, 60)])
def test_the_back_off_doubles_up_to_an_hour(attempts: int, minutes: int) -> None:
    assert wait(attempts) == timedelta(minutes=minutes)
