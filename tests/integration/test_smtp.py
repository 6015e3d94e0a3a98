"""Speaking to live mail servers: encryption, login, pace, stages, and what to ask IT for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from monitor.delivery.emergency import FILE, LAST, emergency, remember
from monitor.delivery.smtp import Server, Session, allowed, password_of, server_of
from monitor.errors import ConfigError, DeliveryError, UsageError
from monitor.usecases.mail_test import MailTest, mail_test
from tests.databases import NOW
from tests.post import (
    BACKUP,
    OFFICER,
    THIRD,
    Behaviour,
    Office,
    authenticator,
    certificate,
    mail_server,
    rude_server,
    settings_for,
    sqlite_office,
    tls,
)

MAIL = b"From: monitor@example.org\r\nTo: officer@example.org\r\nSubject: x\r\n\r\nHello\r\n.dot\r\n"


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def desk(tmp_path: Path) -> Office:
    """On SQLite: these tests are about the other end."""
    return sqlite_office(tmp_path)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


def server(port: int, **given: Any) -> Server:
    basic = Server("127.0.0.1", port, "none", "monitor@example.org", timeout=2.0, max_per_minute=60000)
    return replace(basic, **given)


def hand_over(port: int, **given: Any) -> str:
    with Session(server(port, **given)) as session:
        return session.send(MAIL, OFFICER)


# ---------------------------------------------------------------- encryption and login


def test_starttls_with_a_trusted_certificate(behaviour: Behaviour, keys: tuple[Path, Path]) -> None:
    with mail_server(behaviour, tls_context=tls(*keys), require_starttls=True) as port:
        assert hand_over(port, security="starttls", ca_file=keys[0]) == "250 queued as 1"
    assert behaviour.recipients == [OFFICER]


def test_tls_from_the_first_byte(behaviour: Behaviour, keys: tuple[Path, Path]) -> None:
    with mail_server(behaviour, ssl_context=tls(*keys)) as port:
        assert hand_over(port, security="tls", ca_file=keys[0]) == "250 queued as 1"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_trusts_is_refused(
    behaviour: Behaviour, keys: tuple[Path, Path], security: str
) -> None:
    options: dict[str, Any] = (
        {"ssl_context": tls(*keys)} if security == "tls" else {"tls_context": tls(*keys)}
    )
    with (
        mail_server(behaviour, **options) as port,
        pytest.raises(DeliveryError, match="certificate") as raised,
    ):
        hand_over(port, security=security)
    assert not raised.value.permanent
    assert behaviour.received == []


def test_a_certificate_for_another_host_is_refused(behaviour: Behaviour, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "127.0.0.2")
    with mail_server(behaviour, ssl_context=tls(crt, key)) as port, pytest.raises(DeliveryError):
        hand_over(port, security="tls", ca_file=crt)
    assert behaviour.received == []


def test_without_starttls_nothing_is_sent_in_clear(behaviour: Behaviour) -> None:
    with (
        mail_server(behaviour) as port,
        pytest.raises(DeliveryError, match="STARTTLS") as raised,
    ):
        hand_over(port, security="starttls", username="u", password="secret")
    assert not raised.value.permanent
    assert (behaviour.received, behaviour.logins) == ([], [])


def test_a_ca_file_that_is_not_there_is_said(behaviour: Behaviour, tmp_path: Path) -> None:
    with mail_server(behaviour) as port, pytest.raises(DeliveryError, match="ca_file"):
        hand_over(port, security="starttls", ca_file=tmp_path / "missing.pem")


def test_login(behaviour: Behaviour, keys: tuple[Path, Path]) -> None:
    options = {"authenticator": authenticator(behaviour, "right"), "auth_required": True}
    with mail_server(behaviour, tls_context=tls(*keys), **options) as port:
        given = {"security": "starttls", "ca_file": keys[0], "username": "monitor"}
        assert hand_over(port, password="right", **given) == "250 queued as 1"
        with pytest.raises(DeliveryError, match="AUTH") as raised:
            hand_over(port, password="wrong", **given)
        with pytest.raises(DeliveryError, match="530") as missing:
            hand_over(port, security="starttls", ca_file=keys[0])
    assert not raised.value.permanent, "a wrong password is mended by a person, and the mail stays due"
    assert not missing.value.permanent
    assert set(behaviour.logins) == {"monitor"}


# ---------------------------------------------------------------- the conversation


@pytest.mark.parametrize(
    ("reply", "permanent"), [("450 later", False), ("550 never", True), ("421 bye", False)]
)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_refusal_says_where_and_whether_trying_again_helps(
    behaviour: Behaviour, stage: str, reply: str, permanent: bool
) -> None:
    behaviour.answers[stage] = reply
    with mail_server(behaviour) as port, pytest.raises(DeliveryError, match=reply) as raised:
        hand_over(port)
    assert raised.value.permanent is permanent
    assert raised.value.code == int(reply[:3])
    assert str(raised.value).startswith(stage)


def test_after_a_refusal_the_connection_serves_the_next(behaviour: Behaviour) -> None:
    behaviour.answers[f"RCPT {OFFICER}"] = "550 no such user"
    with mail_server(behaviour) as port, Session(server(port)) as session:
        with pytest.raises(DeliveryError):
            session.send(MAIL, OFFICER)
        assert session.send(MAIL, THIRD) == "250 queued as 1"
    assert behaviour.connections == 1
    assert behaviour.received[0][1].endswith(b"Hello\r\n.dot\r\n")


def test_a_connection_carries_so_many_mails_and_no_more(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, Session(server(port, max_per_connection=2)) as session:
        for _ in range(5):
            session.send(MAIL, OFFICER)
    assert (behaviour.connections, len(behaviour.received)) == (3, 5)


def test_mails_are_spaced_evenly(behaviour: Behaviour) -> None:
    loops: list[float] = []
    with mail_server(behaviour) as port, Session(server(port, max_per_minute=600)) as session:
        for _ in range(3):
            session.send(MAIL, OFFICER)
            loops.append(session._runner.get_loop().time())
    assert all(later - earlier > 0.09 for earlier, later in pairwise(loops))


@pytest.mark.parametrize("answer", ["drop", "hang"])
def test_a_server_that_does_not_say_goodbye_changes_nothing(behaviour: Behaviour, answer: str) -> None:
    behaviour.answers["QUIT"] = answer
    with mail_server(behaviour) as port:
        assert hand_over(port, timeout=0.3) == "250 queued as 1"


def test_a_session_that_sends_nothing_connects_to_nobody() -> None:
    with Session(server(1)) as session:
        assert session is not None


def test_nobody_listens(desk: Office) -> None:
    with rude_server(b"") as port:
        pass
    with pytest.raises(DeliveryError, match="CONNECT") as raised:
        hand_over(port)
    assert not raised.value.permanent


def test_a_server_that_is_slow_at_every_step_does_not_hold_the_sender_for_ever(behaviour: Behaviour) -> None:
    behaviour.answers.update(dict.fromkeys(("EHLO", "MAIL", "RCPT", "DATA"), "slow"))
    with mail_server(behaviour) as port, pytest.raises(DeliveryError) as raised:
        hand_over(port, timeout=1.0)
    assert not raised.value.permanent


def test_a_connection_that_the_server_gave_up_is_replaced(behaviour: Behaviour) -> None:
    behaviour.answers["MAIL"] = ["", "drop", ""]
    with mail_server(behaviour) as port, Session(server(port)) as session:
        assert session.send(MAIL, OFFICER) == "250 queued as 1"
        assert session.send(MAIL, THIRD) == "250 queued as 2"
    assert behaviour.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_replaced(behaviour: Behaviour) -> None:
    behaviour.answers["DATA"] = ["leave", ""]
    with mail_server(behaviour) as port, Session(server(port, max_per_minute=300)) as session:
        assert session.send(MAIL, OFFICER) == "250 queued as 1"
        assert session.send(MAIL, THIRD) == "250 queued as 2"
    assert behaviour.connections == 2


def test_a_connection_that_breaks_after_a_refusal_is_replaced(behaviour: Behaviour) -> None:
    behaviour.answers[f"RCPT {OFFICER}"] = "550 no such user"
    behaviour.answers["RSET"] = "drop"
    with mail_server(behaviour) as port, Session(server(port)) as session:
        with pytest.raises(DeliveryError, match="550"):
            session.send(MAIL, OFFICER)
        assert session.send(MAIL, THIRD) == "250 queued as 1"
    assert behaviour.connections == 2


def test_an_address_with_a_line_break_gives_no_second_recipient(behaviour: Behaviour) -> None:
    with mail_server(behaviour) as port, Session(server(port)) as session:
        session.send(MAIL, "a@example.org>\r\nRCPT TO:<b@example.org")
    assert behaviour.recipients == ["a@example.org"]


def test_an_answer_that_trickles_in_does_not_hold_the_sender_for_ever(behaviour: Behaviour) -> None:
    behaviour.answers["DATA"] = "hang"
    with mail_server(behaviour) as port, pytest.raises(DeliveryError) as raised:
        hand_over(port, timeout=0.2)
    assert not raised.value.permanent


@pytest.mark.parametrize("address", ["安全@example.org", "x y@example.org", "", "nobody@", "Nobody <>"])
def test_an_address_that_can_not_be_written_is_refused_for_good(behaviour: Behaviour, address: str) -> None:
    with (
        mail_server(behaviour) as port,
        Session(server(port)) as session,
        pytest.raises(DeliveryError) as raised,
    ):
        session.send(MAIL, address)
    assert raised.value.permanent
    assert behaviour.received == []


@pytest.mark.parametrize(
    ("address", "domains", "expected"),
    [
        ("a@example.org", (), True),
        ("a@example.org", ("example.org",), True),
        ("Officer <a@EXAMPLE.org>", ("Example.Org",), True),
        ("a@example.org.evil.net", ("example.org",), False),
        ("a@sub.example.org", ("example.org",), False),
        ("a@evilexample.org", ("example.org",), False),
    ],
)
def test_mail_goes_to_allowed_domains_only(address: str, domains: tuple[str, ...], expected: bool) -> None:
    assert allowed(address, domains) is expected


# ---------------------------------------------------------------- settings, stages, folder


def test_the_password_comes_from_its_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from file\n")
    assert password_of(settings_for(tmp_path, password_file="password")) == "from file"
    assert password_of(settings_for(tmp_path, password=SecretStr("from env"))) == "from env"
    assert server_of(settings_for(tmp_path)).password == ""
    with pytest.raises(ConfigError, match="password_file"):
        password_of(settings_for(tmp_path, password_file="missing"))


def test_an_address_outside_the_allowed_domains_is_never_spoken_to(
    desk: Office, behaviour: Behaviour
) -> None:
    with mail_server(behaviour) as port:
        desk.queue("someone@elsewhere.net", backups=[BACKUP])
        done = desk.with_mail(port=port, allow=("example.org",)).send()
    assert (done.sent, done.failed) == (1, 1)
    assert behaviour.recipients == [BACKUP]


def test_in_stage_test_all_mail_goes_to_one_address_and_says_for_whom_it_was(
    tmp_path: Path, behaviour: Behaviour
) -> None:
    with mail_server(behaviour) as port:
        desk = sqlite_office(
            tmp_path,
            stage="test",
            test_to="tester@example.org",
            port=port,
        )
        desk.queue(OFFICER, THIRD)
        assert desk.send().sent == 2
    assert behaviour.recipients == ["tester@example.org"] * 2
    for mail in behaviour.mails:
        assert mail["Subject"].startswith("[TEST]")
        assert mail["To"] == "tester@example.org"
        assert mail["X-Monitor-Intended-Recipient"] in {OFFICER, THIRD}
    said = [mail.get_body(("plain",)) for mail in behaviour.mails]
    assert all(part is not None and "In production this mail goes to" in part.get_content() for part in said)


@pytest.fixture
def folder_desk(tmp_path: Path) -> Office:
    return sqlite_office(tmp_path, stage="test", transport="folder", folder="out")


def test_a_folder_mail_is_written_never_sent(folder_desk: Office, tmp_path: Path) -> None:
    folder_desk.queue(OFFICER)
    done = folder_desk.send()
    assert (done.sent, done.written) == (0, 1)
    (path,) = (tmp_path / "out").iterdir()
    assert done.files == (path,)
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert mail["Subject"].startswith("[TEST][ROMI-AA][01][CRITICAL] PLT-01 · 01-003 · act by ")
    assert folder_desk.mails()[OFFICER].state == "written"
    (entry,) = folder_desk.entries()
    assert (entry["result"], entry["reply"]) == ("written", f"written to {path.name}")
    assert folder_desk.send().files == ()


def test_a_folder_that_can_not_be_written_keeps_the_mail_due(folder_desk: Office, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    folder_desk.queue(OFFICER)
    done = folder_desk.send()
    assert (done.written, done.retry, done.waiting) == (0, 1, 1)
    assert "can't be written" in done.problems[0]
    (tmp_path / "out").unlink()
    folder_desk.clock.forward(minutes=1)
    assert folder_desk.send().written == 1


def test_a_broken_template_does_not_eat_the_alert(folder_desk: Office, tmp_path: Path) -> None:
    settings = folder_desk.opened.settings
    broken = settings.monitor.model_copy(update={"templates_dir": tmp_path / "none"})
    opened = replace(folder_desk.opened, settings=settings.model_copy(update={"monitor": broken}))
    desk = replace(folder_desk, opened=opened)
    desk.queue(OFFICER)
    done = desk.send()
    assert done.written == 1
    assert len(done.broken_templates) == 6
    assert not done.fine
    text = done.files[0].read_text()
    assert "the built-in text" in text
    assert "412 10^9/L" in text


def test_a_template_that_breaks_on_one_alert_is_reported(folder_desk: Office, tmp_path: Path) -> None:
    settings = folder_desk.opened.settings
    copy = tmp_path / "templates"
    copy.mkdir()
    for path in settings.path(settings.monitor.templates_dir).iterdir():
        (copy / path.name).write_text(path.read_text())
    (copy / "alert.txt").write_text("{% if a.alert == 'ABCD2345' %}{{ 1 // 0 }}{% endif %}")
    other = settings.monitor.model_copy(update={"templates_dir": copy})
    opened = replace(folder_desk.opened, settings=settings.model_copy(update={"monitor": other}))
    desk = replace(folder_desk, opened=opened)
    desk.queue(OFFICER)
    done = desk.send()
    assert done.written == 1
    assert "alert.txt:1" in done.broken_templates[0].address
    assert "built-in text" in done.files[0].read_text()


def test_evidence_that_can_not_be_read_is_said_and_the_mail_still_goes(folder_desk: Office) -> None:
    folder_desk.queue(OFFICER)
    name = folder_desk.mails()[OFFICER].alerts[0]["finding"]
    folder_desk.opened.evidence.path(name).write_bytes(b"not gzip")
    done = folder_desk.send()
    assert done.written == 1
    assert "can't be read" in done.problems[0]


def test_an_alert_that_is_gone_does_not_stop_the_other_mails(folder_desk: Office) -> None:
    folder_desk.queue(OFFICER, alert_id="GONE2222")
    folder_desk.queue(THIRD, alert_id="HERE2222")
    with folder_desk.opened.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alert WHERE id = 'GONE2222'")
    done = folder_desk.send()
    assert (done.written, done.waiting) == (1, 1)
    assert "GONE2222 is gone" in done.problems[0]


def test_a_study_that_is_not_configured_any_more_says_nothing_clinical(folder_desk: Office) -> None:
    folder_desk.queue(OFFICER, study="OLD-STUDY")
    (path,) = folder_desk.send().files
    text = path.read_text()
    assert "ABCD2345" in text
    assert "PLT" not in text
    assert "01-003" not in text


# ---------------------------------------------------------------- monitor mail test


def tried(port: int, tmp_path: Path, **mail: Any) -> MailTest:
    given: dict[str, Any] = {"port": port, "timeout": "1s", **mail}
    return mail_test(settings_for(tmp_path, **given), OFFICER, NOW)


def test_the_mail_test_prints_every_reply(behaviour: Behaviour, tmp_path: Path) -> None:
    with mail_server(behaviour) as port:
        found = tried(port, tmp_path, reply_to="help@example.org")
    assert found.accepted
    assert [step.step for step in found.steps] == ["CONNECT", "EHLO", "MAIL FROM", "RCPT TO", "DATA"]
    assert found.steps[0].reply.startswith("220 mail.example.org")
    assert found.steps[-1].reply == "250 queued as 1"
    assert "does not arrive" in found.advice
    (mail,) = behaviour.mails
    assert mail["Message-ID"] == found.message_id
    assert mail["Reply-To"] == "help@example.org"


@pytest.mark.parametrize(
    ("stage", "answer", "asked"),
    [
        ("EHLO", "550 who are you", "mail.helo"),
        ("MAIL", "550 not allowed", "send as monitor@example.org"),
        ("MAIL", "530 authenticate first", "service account"),
        ("RCPT", "554 relay denied", "relay to that domain"),
        ("RCPT", "450 greylisted", "later"),
        ("DATA", "554 spam", "which filter"),
        ("RCPT", "drop", "relay to that domain"),
    ],
)
def test_the_mail_test_says_what_to_ask_it_for(
    behaviour: Behaviour, tmp_path: Path, stage: str, answer: str, asked: str
) -> None:
    behaviour.answers[stage] = answer
    with mail_server(behaviour) as port:
        found = tried(port, tmp_path)
    assert not found.accepted
    assert asked in found.advice
    assert "{" not in found.advice


def test_the_mail_test_tells_encryption_from_reach(
    behaviour: Behaviour, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    with mail_server(behaviour, tls_context=tls(*keys)) as port:
        assert "mail.ca_file" in tried(port, tmp_path, security="starttls").advice
        assert "mail.ca_file" in tried(port, tmp_path, security="starttls", ca_file="none.pem").advice
    with mail_server(behaviour) as port:
        assert "mail.security to 'tls'" in tried(port, tmp_path, security="starttls").advice
    assert "firewall" in tried(port, tmp_path).advice
    with rude_server(None) as port:
        assert "firewall" in tried(port, tmp_path, timeout="1s").advice


def test_the_mail_test_refuses_what_it_can_not_try(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        mail_test(settings_for(tmp_path, stage="test", transport="folder"), OFFICER, NOW)
    with pytest.raises(UsageError, match=r"mail\.allow"):
        mail_test(settings_for(tmp_path, allow=["example.com"]), OFFICER, NOW)


# ---------------------------------------------------------------- emergency mail


@pytest.fixture
def live(behaviour: Behaviour) -> Iterator[int]:
    with mail_server(behaviour) as port:
        yield port


def test_an_emergency_mail_goes_out_over_the_last_good_settings(
    behaviour: Behaviour, live: int, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, port=live)
    remember(settings)
    said = emergency(settings.data_dir, "ledger", NOW, {})
    assert said == (
        f"emergency mail to {OFFICER}: 250 queued as 1",
        f"emergency mail to {BACKUP}: 250 queued as 2",
    )
    assert behaviour.recipients == [OFFICER, BACKUP]
    mail = behaviour.mails[0]
    assert "ledger can't be written" in mail["Subject"]
    assert "holds no patient data" in mail.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    again = emergency(settings.data_dir, "ledger", NOW + timedelta(minutes=59), {})
    assert again == ("no further emergency mail: one went out within the last hour",)
    assert len(emergency(settings.data_dir, "disk", NOW + timedelta(hours=1), {})) == 2


def test_the_emergency_file_holds_no_secret_and_the_password_is_found_again(
    behaviour: Behaviour, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    (tmp_path / "password").write_text("right\n")
    options = {"authenticator": authenticator(behaviour, "right"), "auth_required": True}
    with mail_server(behaviour, tls_context=tls(*keys), **options) as port:
        given: dict[str, Any] = {"port": port, "security": "starttls", "username": "monitor"}
        given["ca_file"] = str(keys[0])
        settings = settings_for(tmp_path, password_file="password", **given)
        remember(settings)
        assert "right" not in (settings.data_dir / FILE).read_text()
        assert "250" in emergency(settings.data_dir, "database", NOW, {})[0]
        remember(settings_for(tmp_path, password=SecretStr("right"), **given))
        assert "right" not in (settings.data_dir / FILE).read_text()
        (settings.data_dir / LAST).unlink()
        environment = {"MONITOR_MAIL__PASSWORD": "right"}
        assert "250" in emergency(settings.data_dir, "database", NOW, environment)[0]


def test_in_stage_test_emergency_mail_stays_in_the_house(
    behaviour: Behaviour, live: int, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, stage="test", test_to="tester@example.org", port=live)
    remember(settings)
    emergency(settings.data_dir, "run", NOW, {})
    assert behaviour.recipients == ["tester@example.org"]
    assert behaviour.mails[0]["Subject"].startswith("[TEST]")


def test_emergency_mail_in_a_folder(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, stage="test", transport="folder", folder="out")
    remember(settings)
    remember(settings)
    (said,) = emergency(settings.data_dir, "config", NOW)
    assert said.startswith("emergency mail written to")
    assert len(list((tmp_path / "out").glob("*.eml"))) == 1
    (settings.data_dir / LAST).unlink()
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("in the way")
    (said,) = emergency(settings.data_dir, "config", NOW, {})
    assert said.startswith("no emergency mail")


def test_an_emergency_never_raises(tmp_path: Path) -> None:
    assert "no last good settings" in emergency(tmp_path, "config", NOW, {})[0]
    (tmp_path / FILE).write_text("{broken")
    assert "no last good settings" in emergency(tmp_path, "config", NOW, {})[0]
    with rude_server(b"") as port:
        settings = settings_for(tmp_path, port=port)
        remember(settings)
        said = emergency(settings.data_dir, "config", NOW, {})
    assert all(line.startswith("no emergency mail to") for line in said)
    assert not (settings.data_dir / LAST).exists()
    kept = json.loads((settings.data_dir / FILE).read_text())
    (settings.data_dir / FILE).write_text(json.dumps({**kept, "sender": 7}))
    assert emergency(settings.data_dir, "config", NOW, {})[0].startswith("no emergency mail")
    kept["password_file"] = str(tmp_path / "gone")
    (settings.data_dir / FILE).write_text(json.dumps(kept))
    assert "gone" in emergency(settings.data_dir, "config", NOW, {})[0]


def test_an_emergency_on_a_disk_that_can_not_be_written_still_goes_out(
    behaviour: Behaviour, live: int, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, port=live)
    remember(settings)
    (settings.data_dir / LAST).mkdir()
    said = emergency(settings.data_dir, "disk", NOW, {})
    assert len(behaviour.received) == 2
    assert "could not note the time" in said[-1]
