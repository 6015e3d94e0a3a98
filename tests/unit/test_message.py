"""What a mail says, to whom it may say it, and that nothing stops it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from monitor.delivery.letter import Letter, Story
from monitor.delivery.message import Message, domain_of, render
from monitor.delivery.samples import (
    bare_story,
    checked_templates,
    corrected_story,
    letter,
    story,
)
from monitor.delivery.table import Line, aligned, changes, lines, permitted
from monitor.delivery.templates import Templates
from monitor.delivery.view import moment, one_line, view
from monitor.errors import ConfigError
from monitor.records import (
    AlertKind,
    AlertStatus,
    Cause,
    EvidenceRow,
    Finding,
    Severity,
    Standing,
)

FOLDER = Path(__file__).parents[2] / "templates"


@pytest.fixture(scope="module")
def templates() -> Templates:
    return checked_templates(FOLDER)


def plain_letter(**changes: Any) -> Letter:
    return replace(letter(), **{"test": False, "synthetic": False, **changes})


def finding(**changes: Any) -> Finding:
    found = story().finding
    assert found is not None
    return replace(found, **changes)


def told(**facts: Any) -> Story:
    """The sample story with other facts."""
    found = finding()
    return replace(story(), finding=replace(found, facts={**found.facts, **facts}))


def row(role: str, domain: str, *cells: tuple[str, str], key: str = "k", version: str = "1") -> EvidenceRow:
    return EvidenceRow(role, domain, key, version, "2026-03-01", "2026-03-05T02:10:00+00:00", cells)


def with_rows(*rows: EvidenceRow) -> Story:
    return replace(story(), finding=finding(evidence=rows))


def parsed(message: Message) -> EmailMessage:
    mail = message_from_bytes(message.content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(message: Message) -> str:
    part = parsed(message).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: Message) -> str:
    part = parsed(message).get_body(("html",))
    assert part is not None
    return str(part.get_content())


# ---------------------------------------------------------------- subject and headers


@pytest.mark.parametrize(
    ("given", "changed", "subject"),
    [
        (story(), {}, "[ROMI-AA][01][CRITICAL] PLT-01 · 01-003 · act by 2026-03-05 11:15 UTC+08:00"),
        (
            corrected_story(),
            {"test": True, "synthetic": True},
            "[TEST][SYNTHETIC][ROMI-AA][01][CRITICAL] PLT-01 · 01-003 · CORRECTED · act by"
            " 2026-03-05 11:15 UTC+08:00",
        ),
        (bare_story(), {}, "[ROMI-AA][CRITICAL] PLT-01 rule saw nothing · whole study"),
        (story(), {"level": "link"}, "[ROMI-AA][CRITICAL] A-7Q4M2K · act by 2026-03-05 11:15 UTC+08:00"),
    ],
)
def test_the_subject_says_who_what_and_until_when(
    templates: Templates, given: Story, changed: dict[str, Any], subject: str
) -> None:
    message = render(plain_letter(**changed), [given], templates)
    assert message.subject == subject
    assert parsed(message)["Subject"] == subject


def test_the_headers_make_it_a_machine_s_mail_that_can_be_told_apart(templates: Templates) -> None:
    mail = parsed(render(plain_letter(reply_to="help@example.org"), [story()], templates))
    assert mail["Message-ID"] == "<0123456789abcdef01234567@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Monitor-Alert"] == "A-7Q4M2K"
    assert mail["Date"] == "Thu, 05 Mar 2026 02:15:00 +0000"
    assert mail["Reply-To"] == "help@example.org"
    assert mail["Importance"] == "high"
    assert mail["References"] == "<alert.A-7Q4M2K@example.org>"
    assert mail["X-Monitor-Intended-Recipient"] is None
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in mail.iter_parts()} == {"utf-8"}


def test_the_same_input_gives_the_same_bytes(templates: Templates) -> None:
    one, other = (render(letter(), [story()], templates).content for _ in range(2))
    assert one == other
    assert max(len(line) for line in one.split(b"\r\n")) <= 998


@pytest.mark.parametrize("field", ["study", "subject", "rule", "site", "id"])
def test_a_header_can_not_be_injected(templates: Templates, field: str) -> None:
    evil = "X\r\nBcc: everyone@example.org\r\n\r\n<b>body</b>\u2028\u202e\x00\x7f"
    given = replace(story(), alert=replace(story().alert, **{str(field): evil}))  # type: ignore[arg-type]
    for level in ("link", "coded", "full"):
        message = render(plain_letter(level=level, study="X\r\nBcc: a@example.org"), [given], templates)
        mail = parsed(message)
        assert mail["Bcc"] is None
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "\n" not in message.subject
        assert "\u202e" not in message.subject


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", "a b"),
        ("a\tb  c", "a b c"),
        ("\u2066中文\u2069", "中文"),
        ("\x00\x1b[31m", "[31m"),
        ("", ""),
    ],
)
def test_a_header_is_one_line_without_control_characters(text: str, expected: str) -> None:
    assert one_line(text) == expected


def test_a_subject_is_not_endless(templates: Templates) -> None:
    given = replace(story(), alert=replace(story().alert, subject="9" * 5000))
    assert len(render(plain_letter(), [given], templates).subject) == 250


def test_the_marks_of_test_and_synthetic_data_stand_even_if_a_template_forgot_them(
    tmp_path: Path,
) -> None:
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "alert.subject.txt").write_text("{{ a.rule }}")
    message = render(letter(), [story()], checked_templates(tmp_path))
    assert message.subject == "[TEST][SYNTHETIC]PLT-01"


def test_a_sender_s_domain() -> None:
    assert domain_of("Safety <a@Example.ORG>") == "example.org"
    assert domain_of("a@b.c") == "b.c"


# ---------------------------------------------------------------- body


def test_the_first_line_says_when_it_was_drawn_received_and_dosed_since(templates: Templates) -> None:
    first = text_of(render(plain_letter(), [story()], templates)).splitlines()[0]
    assert first == (
        "Drawn 2026-03-01 · received 2026-03-05 10:10 UTC+08:00 (4 days later)"
        " · doses since 2026-03-01: 1 (2026-03-03 romiplostim 700 ug)"
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"doses_since": []}, "doses since 2026-03-01: none"),
        ({"doses_since": 0}, "doses since 2026-03-01: none"),
        (
            {"doses_since": "9 (2026-03-02 to 2026-05-01)"},
            "doses since 2026-03-01: 9 (2026-03-02 to 2026-05-01)",
        ),
        ({"doses_since": [{"day": "2026-03-02", "dose": 700}]}, "doses since 2026-03-01: 1 (2026-03-02 700)"),
        ({"drawn": "2026-03-05T08:15:00"}, "Drawn 2026-03-05 08:15 · received"),
        ({"drawn": "2026-03-05"}, "(the same day)"),
        ({"delay_days": 1}, "(1 day later)"),
        (
            {"drawn": "2026-03", "received": "2026-03-05T02:00:00+00:00"},
            "received 2026-03-05 10:00 UTC+08:00 · doses",
        ),
        ({"received": "2026-03-05Tnonsense"}, "received 2026-03-05Tnonsense"),
    ],
)
def test_times_as_far_as_they_are_known(templates: Templates, facts: dict[str, Any], expected: str) -> None:
    given = told(**{"drawn": "2026-03-01", "received": "2026-03-05T02:10:00+00:00", **facts})
    if "drawn" in facts:
        assert given.finding is not None
        rows = tuple(replace(one, day=facts["drawn"][:10]) for one in given.finding.evidence)
        given = replace(given, finding=replace(given.finding, evidence=rows))
    assert expected in text_of(render(plain_letter(), [given], templates)).splitlines()[0]


def test_the_newest_firing_record_is_the_one_that_is_dated(templates: Templates) -> None:
    given = told(drawn="2026-02-01", received="2026-02-02T00:00:00+00:00")
    assert text_of(render(plain_letter(), [given], templates)).startswith(
        "Drawn 2026-03-01 · received 2026-03-05 10:10 UTC+08:00 (4 days later)"
    )


def test_everything_that_an_officer_needs_is_there(templates: Templates) -> None:
    given = replace(story(), alert=replace(story().alert, told=("pi@example.org",)))
    message = render(plain_letter(), [given], templates)
    for said in (text_of(message), html_of(message)):
        flat = " ".join(said.split())
        for needed in (
            "PLT-01",
            "Thrombocytosis: hold romiplostim",
            "01-003",
            "412 10^9/L",
            "before: 88, 171, 296",
            "2026-03-05 11:15 UTC+08:00",
            "NOT PROTOCOL-CONFIRMED",
            "plt_hold = 400 10^9/L",
            "Hold the next romiplostim dose.",
            "dvice to a qualified person",
            "700 ug",
            "dose at the time",
            "normal 125–350",
            "3fd9c1a07be2",
            "9c41d6f0aa52",
            "ledger 118:5f1c09a2be77",
            "monitor ack A-7Q4M2K --reason",
            "irst report",
            "ongoing in the data",
            "Nplate US label",
            "CTCAE 5.0",
            "pi@example.org",
        ):
            assert needed in flat, needed
        assert flat.count("NOT PROTOCOL-CONFIRMED") == 1


def test_a_confirmed_or_protocol_number_is_not_called_unconfirmed(templates: Templates) -> None:
    params = [
        {"name": "plt_hold", "value": 250.0, "unit": "10^9/L", "source": "label", "confirmed": True},
        {"name": "plt_resume", "value": 200, "source": "protocol"},
    ]
    text = text_of(render(plain_letter(), [told(params=params)], templates))
    assert "NOT PROTOCOL-CONFIRMED" not in text
    assert "plt_hold = 250 10^9/L, from label" in text


def test_a_correction_shows_old_and_new_value(templates: Templates) -> None:
    message = render(plain_letter(), [corrected_story()], templates)
    assert "PLAT of 2026-03-01: 412 10^9/L -> 401 10^9/L" in text_of(message)
    assert "check first whether it still applies" in html_of(message)


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing.PRESENT, "fires"),
        (Standing.CLEARED, "fires"),
        (Standing.GONE, "fired before"),
        (Standing.WITHDRAWN, "fired before"),
        (Standing.DISPUTED, "fired before"),
    ],
)
def test_a_corrected_record_is_not_said_to_fire(templates: Templates, standing: Standing, said: str) -> None:
    given = corrected_story()
    text = text_of(
        render(plain_letter(), [replace(given, alert=replace(given.alert, standing=standing))], templates)
    )
    assert f"EVIDENCE (> is what {said}" in text
    (line,) = [line for line in text.splitlines() if line.startswith(">") and "401" in line]
    assert f"  {said}" in line


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (row("found", "LB", ("LBSTRESN", "412")), None, ("412", "no longer fires or is gone")),
        (row("with", "EX", ("EXDOSE", "7")), None, None),
        (
            row("found", "LB", ("LBSTRESN", "412"), ("LBSPEC", "BLOOD")),
            row("found", "LB", ("LBSTRESN", "412"), ("LBSPEC", "SERUM"), version="2"),
            ("LBSPEC BLOOD", "LBSPEC SERUM"),
        ),
        (
            row("found", "AE", ("AEDECOD", "Rash"), ("AETERM", "a secret")),
            row("found", "AE", ("AEDECOD", "Rash"), ("AETERM", "another"), version="2"),
            ("changed", "changed (not shown)"),
        ),
        (
            row("found", "LB", ("LBSTRESN", "412")),
            replace(row("found", "LB", ("LBSTRESN", "412"), version="2"), day="2026-03-02"),
            ("412 on 2026-03-01", "412 on 2026-03-02"),
        ),
        (
            row("previous", "LB", ("LBSTRESN", "4")),
            row("previous", "LB", ("LBSTRESN", "5"), version="2"),
            None,
        ),
    ],
)
def test_what_a_correction_changed(
    before: EvidenceRow, after: EvidenceRow | None, expected: tuple[str, str] | None
) -> None:
    found = changes(
        finding(evidence=(before,)), finding(evidence=(after,) if after else ()), "coded", blinded=False
    )
    assert [(change.old, change.new) for change in found] == ([expected] if expected else [])
    assert changes(finding(evidence=(before,)), None, "coded", blinded=False) == changes(
        finding(evidence=(before,)), finding(evidence=()), "coded", blinded=False
    )


@pytest.mark.parametrize(("basis", "said"), [("one text", "basis: one text"), ([], "PLT-01"), ("", "PLT-01")])
def test_grounds_may_be_one_text_or_several(templates: Templates, basis: Any, said: str) -> None:
    assert said in text_of(render(plain_letter(), [told(basis=basis)], templates))


@pytest.mark.parametrize(
    ("kind", "standing", "status", "expected"),
    [
        (AlertKind.BROKEN, Standing.PRESENT, AlertStatus.OPEN, "ongoing"),
        (AlertKind.FINDING, Standing.CLEARED, AlertStatus.OPEN, "cleared in the data"),
        (AlertKind.FINDING, Standing.PRESENT, AlertStatus.ACKNOWLEDGED, "ongoing in the data; acknowledged"),
        (AlertKind.DATA, Standing.GONE, AlertStatus.CLOSED, "its record was corrected or is gone; closed"),
    ],
)
def test_the_standing_says_what_data_and_people_say(
    kind: AlertKind, standing: Standing, status: AlertStatus, expected: str
) -> None:
    alert = replace(story().alert, kind=kind, standing=standing, status=status)
    assert view(replace(story(), alert=alert), letter()).standing == expected


def test_a_finding_about_many_subjects_counts_them(templates: Templates) -> None:
    names = [f"01-{n:03}" for n in range(25)]
    given = told(subjects=names, records=40, rows_not_shown=30)
    text = text_of(render(plain_letter(), [given], templates))
    assert "25 subjects, 40 records: 01-000" in text
    assert "and 5 more" in text
    assert "30 older lines: monitor alert A-7Q4M2K" in text


def test_a_long_episode_shows_its_newest_lines_and_counts_the_others() -> None:
    rows = tuple(replace(row("found", "LB", ("LBSTRESN", str(n))), key=str(n)) for n in range(40))
    shown = view(with_rows(*rows), letter())
    assert (len(shown.lines), shown.lines_left_out) == (16, 24)
    assert shown.lines[-1].value == "39"


def test_chinese_text_arrives_whole(templates: Templates) -> None:
    given = told(title="血小板增多：暂停罗米司亭", action="暂停下一剂。")
    message = render(plain_letter(level="full"), [given], templates)
    assert "血小板增多：暂停罗米司亭" in text_of(message)
    assert "暂停下一剂。" in html_of(message)


def test_the_page_is_escaped(templates: Templates) -> None:
    given = told(title="<script>alert(1)</script>", action="a & b <img src=x>")
    page = html_of(render(plain_letter(), [given], templates))
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_a_template_s_language_in_the_data_is_only_text(templates: Templates) -> None:
    given = told(title="{{ 7 * 7 }}{% for x in y %}")
    assert "{{ 7 * 7 }}{% for x in y %}" in text_of(render(plain_letter(), [given], templates))


# ---------------------------------------------------------------- how much may be said

SECRETS = with_rows(
    row(
        "found",
        "AE",
        ("AETERM", "Mr Wang fell at home"),
        ("AEMODIFY", "fell"),
        ("AEDECOD", "Fall"),
        ("AESEV", "SEVERE"),
        ("AEREL", "RELATED"),
        ("AECOMMENT", "his wife called"),
        ("BRTHDTC", "1961-04-01"),
    ),
    row("with", "LB", ("LBTESTCD", "PLAT"), ("LBORRES", "see letter of Dr Li"), ("LBSTRESC", "POSITIVE")),
    row("dose", "DOSE", ("DRUG", "romiplostim"), ("DOSE", "700"), ("REASON", "as he asked")),
)
FREE = ("Wang", "fell", "wife", "1961", "Dr Li", "as he asked")


def test_a_coded_mail_holds_no_free_text(templates: Templates) -> None:
    message = render(plain_letter(level="coded"), [SECRETS], templates)
    for said in (text_of(message), html_of(message), message.subject):
        assert not [secret for secret in FREE if secret in said]
    assert "Fall" in text_of(message)
    assert "POSITIVE" in text_of(message)
    assert "romiplostim" in text_of(message)


def test_a_full_mail_shows_the_words_as_received(templates: Templates) -> None:
    bare = with_rows(row("found", "AE", ("AETERM", "Mr Wang fell at home")))
    assert "Mr Wang fell at home" in text_of(render(plain_letter(level="full"), [bare], templates))


@pytest.mark.parametrize("link_only", [True, False])
def test_a_link_mail_holds_study_severity_and_alert_only(templates: Templates, link_only: bool) -> None:
    given = plain_letter(level="full" if link_only else "link")
    message = render(given, [SECRETS], templates, link_only=link_only)
    assert parsed(message).get_content_type() == "text/plain"
    said = message.content.decode() + text_of(message) + message.subject
    for clinical in (*FREE, "PLT-01", "01-003", "Thrombo", "romiplostim", "412", "Fall", "10^9"):
        assert clinical not in said, clinical
    for needed in ("ROMI-AA", "CRITICAL", "A-7Q4M2K", "monitor ack", "https://monitor.example.org"):
        assert needed in said


def test_in_a_blinded_study_no_mail_tells_the_treatment(templates: Templates) -> None:
    given = with_rows(
        row("found", "LB", ("LBTESTCD", "PLAT"), ("LBSTRESN", "412"), ("ARM", "SECRETARM")),
        row("dose", "DOSE", ("DRUG", "SECRETDRUG"), ("DOSE", "700")),
    )
    given = replace(
        given, finding=replace(given.finding or finding(), causes=(Cause("x", "EX", "EXTRT", "SECRETDRUG"),))
    )
    for level in ("coded", "full"):
        message = render(plain_letter(level=level, blinded=True), [given], templates)
        for said in (text_of(message), html_of(message)):
            assert "SECRET" not in said
            assert "doses since" not in said
        assert "412" in text_of(message)


@pytest.mark.parametrize(
    ("column", "text", "shown"),
    [
        ("LBORRES", "412", True),
        ("LBORRES", "<5.0", True),
        ("LBORRES", "1.2e3", True),
        ("LBORRES", "clumped, call site", False),
        ("LBSTRESC", "POSITIVE", True),
        ("AETERM", "Rash", False),
        ("AEDECOD", "Rash", True),
        ("CMTRT", "aspirin", False),
        ("LEVEL", "10", True),
        ("COVAL", "comment", False),
        ("AEACN1", "DOSE NOT CHANGED", True),
    ],
)
def test_which_cells_a_coded_mail_shows(column: str, text: str, shown: bool) -> None:
    domain = column[:2] if column not in {"LEVEL", "COVAL"} else "LB"
    assert permitted(domain, column, text, "coded", blinded=False) is shown
    assert permitted(domain, column, text, "full", blinded=False)
    assert not permitted(domain, column, text, "link", blinded=False)


def test_a_cause_shows_what_was_received_where_that_is_allowed() -> None:
    causes = (
        Cause("no unit", "LB", "LBSTRESU", ""),
        Cause("not in a list", "AE", "AEREL", "MAYBE"),
        Cause("free text", "AE", "AETERM", "Mr Wang"),
        Cause("waiting", ""),
        Cause("waiting", ""),
    )
    given = replace(story(), finding=finding(causes=causes))
    assert view(given, letter()).causes == (
        "no unit (LB LBSTRESU)",
        "not in a list (AE AEREL): MAYBE",
        "free text (AE AETERM)",
        "waiting",
    )
    assert "Mr Wang" in view(given, replace(letter(), level="full")).causes[2]


# ---------------------------------------------------------------- evidence lines


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            row(
                "found",
                "LB",
                ("LBTESTCD", "PLAT"),
                ("LBSTRESN", "412"),
                ("LBSTRESU", "10^9/L"),
                ("BASE", "22"),
            ),
            Line("2026-03-01", "PLAT", "412 10^9/L", "baseline 22", "fires", True),
        ),
        (
            row("previous", "LB", ("LBTESTCD", "PLAT"), ("LBORRES", "88"), ("LBORRESU", "K/uL")),
            Line("2026-03-01", "PLAT", "88 K/uL", "", "before", False),
        ),
        (
            row(
                "previous",
                "LB",
                ("LBTESTCD", "ALT"),
                ("LBORRES", "2"),
                ("LBORRESU", "ukat/L"),
                ("LBSTRESN", "120"),
                ("LBSTRESU", "U/L"),
                ("LBSTNRHI", "40"),
            ),
            Line("2026-03-01", "ALT", "120 U/L", "ULN 40 · as received 2 ukat/L", "before", False),
        ),
        (row("found", "LB", ("LBSTNRLO", "4")), Line("2026-03-01", "LB", "", "LLN 4", "fires", True)),
        (row("found", "LB", ("LBSTAT", "NOT DONE")), Line("2026-03-01", "LB", "NOT DONE", "", "fires", True)),
        (
            row(
                "with",
                "AEDRUG",
                ("AEDECOD", "Rash"),
                ("DRUG", "romiplostim"),
                ("AEACN", "MULTIPLE"),
                ("ACN", "DRUG WITHDRAWN"),
                ("REL", "RELATED"),
            ),
            Line(
                "2026-03-01",
                "Rash (romiplostim)",
                "DRUG WITHDRAWN, RELATED",
                "action MULTIPLE",
                "together with",
                False,
            ),
        ),
        (row("with", "AEDRUG", ("ACN", "X")), Line("2026-03-01", "AEDRUG", "X", "", "together with", False)),
        (
            row(
                "found",
                "AE",
                ("AEDECOD", "Fall"),
                ("AEREL1", "POSSIBLE"),
                ("AESER", "Y"),
                ("AESHOSP", "Y"),
                ("AESDTH", "N"),
                ("AETOXGR", "3"),
            ),
            Line(
                "2026-03-01",
                "Fall",
                "related: POSSIBLE",
                "grade 3 · serious Y · hospitalization",
                "fires",
                True,
            ),
        ),
        (
            row(
                "found",
                "LB",
                ("LBTESTCD", "PLAT"),
                ("LBSTRESN", "5"),
                ("BASE", "5"),
                ("PCHG", "2185.71428571"),
            ),
            Line("2026-03-01", "PLAT", "5", "baseline 5 · change 2186 %", "fires", True),
        ),
        (row("found", "LB", ("PCHG", "odd")), Line("2026-03-01", "LB", "", "change odd %", "fires", True)),
        (row("dose", "DOSE"), Line("2026-03-01", "dose", "given", "", "dose at the time", False)),
        (row("odd_role", "XX"), Line("2026-03-01", "XX", "", "", "odd role", False)),
    ],
)
def test_a_row_as_a_person_reads_it(given: EvidenceRow, expected: Line) -> None:
    assert lines(finding(evidence=(given,)), "coded", blinded=False) == (expected,)


def test_lines_are_aligned_also_with_chinese_letters() -> None:
    table = [
        Line("2026-03-01", "血小板", "412", "", "fires", True),
        Line("", "PLAT", "88", "n", "before", False),
    ]
    assert aligned(table).splitlines() == [
        ">  2026-03-01  血小板  412  fires",
        "               PLAT    88   before  n",
    ]
    assert aligned([]) == ""


def test_a_level_s_note_stands_in_the_title(templates: Templates) -> None:
    text = text_of(render(plain_letter(), [told(title="Serious event", note="Fatal")], templates))
    assert "PLT-01 Serious event: Fatal" in text


def test_the_headline_of_a_study_wide_finding_is_not_one_subject_s_record() -> None:
    assert view(story(), letter()).fired == "PLAT 412 10^9/L"
    wide = replace(story(), finding=finding(subject=""))
    assert view(wide, letter()).fired == ""


def test_a_time_is_told_in_the_receiver_s_zone() -> None:
    assert moment(letter().now, "America/New_York") == "2026-03-04 21:15 UTC-05:00"
    assert moment(None, "Asia/Shanghai") == ""


# ---------------------------------------------------------------- summary


def test_the_summary_is_one_table_the_most_severe_first(templates: Templates) -> None:
    severities = [Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.HIGH]
    given = [
        replace(story(), alert=replace(story().alert, id=f"ID{n}", severity=severity))
        for n, severity in enumerate(severities)
    ]
    message = render(plain_letter(kind="summary"), given, templates)
    assert message.subject == "[ROMI-AA][CRITICAL] First scan: 4 to look at (1 critical, 2 high, 1 low)"
    text, page = text_of(message), html_of(message)
    assert text.index("ID1") < text.index("ID2") < text.index("ID3") < text.index("ID0")
    assert page.count("<table>") == 1
    assert [page.count(f"alert ID{n}<") for n in range(4)] == [1, 1, 1, 1]
    assert text.count("NOT PROTOCOL-CONFIRMED") == 1
    assert parsed(message)["X-Monitor-Alert"] == "ID0 ID1 ID2 ID3"
    assert parsed(message)["References"] is None


def test_a_summary_of_a_link_study_lists_ids_only(templates: Templates) -> None:
    message = render(plain_letter(kind="summary", level="link"), [story(), bare_story()], templates)
    assert "2 alerts" in message.subject
    assert "PLT-01" not in text_of(message)


# ---------------------------------------------------------------- templates


def changed(folder: Path, name: str, text: str) -> Path:
    for path in FOLDER.iterdir():
        (folder / path.name).write_text(path.read_text())
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("alert.txt", "fine\n{{ nobody }}", "alert.txt:2: 'nobody' is no field"),
        ("alert.txt", "\n\n{% if %}", "alert.txt:3: "),
        ("alert.html", "x\n{{ a.nothing }}", "alert.html:2: breaks while rendering"),
        ("summary.txt", "{{ views[99].rule }}", "summary.txt:1: breaks while rendering"),
        ("alert.txt", "{{ a.rule | nofilter }}", "alert.txt:1: "),
        ("alert.txt", "{{ a.rule + 1 }}", "alert.txt:1: breaks while rendering: TypeError"),
        ("alert.txt", "{{ a.__class__.__mro__ }}", "alert.txt:1: breaks while rendering"),
        ("alert.txt", "{% include 'missing.txt' %}", "alert.txt"),
        ("alert.html", "{% for x in range(10**9) %}{% endfor %}", "alert.html"),
    ],
)
def test_a_wrong_template_is_refused_with_file_and_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        checked_templates(changed(tmp_path, name, text))
    assert any(said in str(problem) for problem in raised.value.problems), raised.value


def test_all_wrong_templates_are_told_at_once(tmp_path: Path) -> None:
    changed(tmp_path, "alert.txt", "{{ one }}{{ two }}")
    (tmp_path / "summary.html").write_text("{{ three }}")
    (tmp_path / "summary.txt").unlink()
    (tmp_path / "alert.html").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError) as raised:
        checked_templates(tmp_path)
    assert len(raised.value.problems) == 5


def test_a_template_that_breaks_when_sending_goes_out_as_the_built_in_text(tmp_path: Path) -> None:
    broken = "{{ a.rule }}{% if a.subject == 'X' %}{{ 1 // 0 }}{% endif %}"
    templates = checked_templates(changed(tmp_path, "alert.txt", broken))
    assert render(plain_letter(), [story()], templates).problem is None
    given = replace(story(), alert=replace(story().alert, subject="X"))
    message = render(plain_letter(), [given], templates)
    assert message.problem is not None
    assert "alert.txt:1" in message.problem.address
    assert "ZeroDivisionError" in message.problem.said
    text = text_of(message)
    for needed in ("built-in text", "412 10^9/L", "Hold the next", "NOT PROTOCOL-CONFIRMED", "ledger 118"):
        assert needed in text
    assert message.subject.startswith("[ROMI-AA][01][CRITICAL] PLT-01")


@pytest.mark.parametrize("given", [[story()], [bare_story()], [corrected_story()], [story(), bare_story()]])
def test_without_any_template_the_mail_still_goes(given: list[Story]) -> None:
    kind = "summary" if len(given) > 1 else "alert"
    message = render(replace(letter(), kind=kind), given, None)
    assert message.subject.startswith("[TEST][SYNTHETIC]")
    text = text_of(message)
    assert "SYNTHETIC DATA" in text
    assert all(one.alert.id in text for one in given)
    if given[0].what == "corrected":
        assert "412 10^9/L -> 401 10^9/L" in text


def test_the_shipped_templates_are_the_ones_that_are_checked() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        "style.css",
        *(f"{kind}.{part}" for kind in ("alert", "summary") for part in ("subject.txt", "txt", "html")),
    }
