"""Clocks: day 0, calendar days of the receiving organisation, and what is assumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.decide import decide
from monitor.deadlines import Clock, clock_words, deadline
from monitor.records import Alert, AlertStatus, Decision, Finding, Severity
from monitor.rules.english import due_words, level_sentence
from monitor.rules.rule import Due, Level
from tests.physical import row
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, problems_of, rule_of
from tests.stories import LATER, NOW, finding, run, scene
from tests.stories import row as told_row
from tests.unit.test_evaluate import SAE, context_of, only, run_one

BEIJING = ZoneInfo("Asia/Shanghai")
UTC_ZONE = ZoneInfo("UTC")


def ends(within: str, aware: str, zone: ZoneInfo = UTC_ZONE) -> str:
    return deadline(Clock(within, "AEDT", aware), NOW, zone).astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("aware", "within", "end"),
    [
        ("2026-02-26", "7d", "Thu 2026-03-05 23:59"),
        ("2026-02-26", "15d", "Fri 2026-03-13 23:59"),
        ("2026-09-25", "7d", "Fri 2026-10-02 23:59"),
        ("2026-09-25", "15d", "Sat 2026-10-10 23:59"),
        ("2026-12-24", "7d", "Thu 2026-12-31 23:59"),
        ("2026-12-24", "15d", "Fri 2027-01-08 23:59"),
    ],
)
def test_days_are_calendar_days_after_day_0_to_the_end_of_the_last(aware: str, within: str, end: str) -> None:
    assert ends(within, aware) == end
    assert ends(within, aware, BEIJING) == end


def test_day_0_is_the_local_date_of_the_receiving_organisation() -> None:
    received = "2026-02-26T00:30:00+08:00"
    assert ends("7d", received, BEIJING) == "Thu 2026-03-05 23:59"
    assert ends("7d", received, UTC_ZONE) == "Wed 2026-03-04 23:59"
    assert ends("7d", "2026-02-25T16:30:00Z", BEIJING) == "Thu 2026-03-05 23:59"


def test_hours_run_from_the_instant_and_from_the_start_of_a_day_without_a_time() -> None:
    assert ends("24h", "2026-02-26T00:30:00+08:00", BEIJING) == "Fri 2026-02-27 00:30"
    assert ends("24h", "2026-02-26", BEIJING) == "Fri 2026-02-27 00:00"
    assert deadline(Clock("24h"), NOW, BEIJING) == NOW + timedelta(hours=24)
    said = clock_words(Clock("24h", "AEDT", "2026-02-26"), NOW, BEIJING)
    assert said.endswith("its time is not known: from the start of that day")


def test_a_clock_that_ends_on_a_weekend_is_not_moved_and_says_so() -> None:
    assert clock_words(Clock("15d", "AEDT", "2026-09-25"), NOW, BEIJING) == (
        "15 calendar days from AEDT 2026-09-25 (day 0): until the end of Saturday 2026-10-10;"
        " no working day: act before it"
    )
    assert clock_words(Clock("7d"), NOW, BEIJING) == (
        "7 calendar days from detection 2026-02-01 (day 0): until the end of Sunday 2026-02-08;"
        " no working day: act before it"
    )


# ---------------------------------------------------------------- from the rule and the records


def event(number: int, **more: Any) -> dict[str, Any]:
    return row(number, "2026-02-20", **{"AETERM": "Rash", "AESER": "Y", **more})


def told(folder: Path, due: Due, **more: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    rows = {"AE": [event(0, **more)]}
    (clock,) = only(run_one(folder, replace(SAE, due=due), rows)).facts["clocks"]
    return dict(clock)


def test_a_clock_runs_from_a_column_of_the_record_with_its_time_and_zone(tmp_path: Path) -> None:
    given = {"AEDTC": "2026-02-26T00:30+08:00", "AEDT_LO": 20510, "AEDT_HI": 20510}
    clock = told(tmp_path, Due("7d", "AEDT"), **given)
    assert clock == {
        "within": "7d",
        "start": "AEDT",
        "level": 0,
        "aware": "2026-02-26T00:30+08:00",
        "assumed": "",
    }


def test_a_clock_from_the_found_record_or_the_detection(tmp_path: Path) -> None:
    assert told(tmp_path / "a", Due("7d", "found"))["aware"] == "2026-02-20"
    assert told(tmp_path / "b", Due("24h", "found"), SECOND=1800)["aware"] == "2026-02-20T00:30:00"
    assert told(tmp_path / "c", Due("7d"))["aware"] == ""


def test_awareness_that_is_missing_is_the_first_receipt_and_marked_so(tmp_path: Path) -> None:
    clock = told(tmp_path, Due("7d", "AEDT"))
    assert clock["aware"] == "2026-02-02T02:40:00+00:00"
    assert clock["assumed"] == "AEDT is missing: day 0 ASSUMED, at the latest, from its first receipt"
    assert "day 0 ASSUMED, at the latest" in clock_words(Clock(**clock), NOW, BEIJING)


def test_awareness_that_is_partial_is_its_first_day(tmp_path: Path) -> None:
    clock = told(tmp_path, Due("7d", "AEDT"), AEDTC="2026-02", AEDT_LO=20485, AEDT_HI=20512)
    assert (clock["aware"], clock["assumed"]) == (
        "2026-02-01",
        "the date is partial: its first day is taken",
    )


def test_what_a_clock_runs_from_must_be_a_date_of_the_record(tmp_path: Path) -> None:
    text = HEAD + FIND + CLEAR + '[due]\nwithin = "7d"\nfrom = "LBTD"\n' + EXAMPLE
    assert problems_of(tmp_path, text) == [
        "due.from: LBTD is no date of LB, nor `detected` or `found`; did you mean LBDT?"
    ]
    assert "due.within" in problems_of(tmp_path / "b", text.replace("7d", "7"))[0]


def test_a_clock_is_read_and_said(tmp_path: Path) -> None:
    level = '[[level]]\nseverity = "critical"\nwhere = "LBSTRESN > 1000"\ndue = { within = "24h" }\n'
    rule = rule_of(tmp_path, HEAD + FIND + level + '[due]\nwithin = "7d"\nfrom = "LBDT"\n' + CLEAR + EXAMPLE)
    assert (rule.due, rule.levels[0].due) == (Due("7d", "LBDT"), Due("24h", "detected"))
    assert due_words(rule.due) == "due within 7 calendar days of LBDT"
    assert level_sentence(rule, 1, context_of({})).endswith("; due within 24 hours of detection")
    assert due_words(None) == ""


# ---------------------------------------------------------------- on the alert


def clocked(*keys: str, **changed: Any) -> Finding:
    given = changed.pop("clocks")
    return finding(*keys, facts={"clocks": given}, **changed)


SEVEN = {"within": "7d", "start": "AEDT", "aware": "2026-01-30", "assumed": "", "level": 0}


def opened(first: Finding, **changed: Any) -> Alert:
    (decision,) = decide(run(first), (), scene(now=NOW, today=NOW.date(), zone=BEIJING))
    return replace(decision.alert, told=("a@example.org",), **changed)


def later(alert: Alert, before: Finding, now: Finding) -> Decision:
    rows = [told_row(key) for key in now.keys]
    (decision,) = decide(run(now), (alert,), scene(*rows, before=(before,), zone=BEIJING))
    return decision


def local(alert: Alert) -> str:
    assert alert.due is not None
    return alert.due.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def test_the_clock_of_the_rule_stands_in_place_of_the_severitys_target() -> None:
    assert local(opened(clocked("k1", clocks=[SEVEN]))) == "2026-02-06 23:59"
    assert opened(finding("k1")).due == NOW + timedelta(hours=1)


def test_an_earlier_awareness_moves_it_earlier_and_is_told_and_a_later_one_moves_nothing() -> None:
    first = clocked("k1", clocks=[SEVEN])
    alert = opened(first)
    sooner = clocked("k1", clocks=[{**SEVEN, "aware": "2026-01-28"}])
    decision = later(alert, first, sooner)
    assert (decision.what, decision.tell, local(decision.alert)) == ("due sooner", True, "2026-02-04 23:59")
    again = later(decision.alert, sooner, sooner)
    assert (again.what, again.tell) == ("unchanged", False)
    after = later(alert, first, clocked("k1", clocks=[{**SEVEN, "aware": "2026-02-10"}]))
    assert (after.what, after.alert.due) == ("unchanged", alert.due)


def test_a_level_reached_later_opens_a_further_clock_and_never_lengthens_the_first() -> None:
    first = clocked("k1", clocks=[{**SEVEN, "within": "15d"}], severity=Severity.HIGH)
    alert = opened(first)
    fatal = {"within": "24h", "start": "detected", "aware": "", "assumed": "", "level": 1}
    worse = clocked("k1", clocks=[{**SEVEN, "within": "15d"}, fatal], level=1, severity=Severity.CRITICAL)
    decision = later(alert, first, worse)
    assert decision.what == "level reached"
    assert decision.alert.due == LATER + timedelta(hours=24)
    assert later(decision.alert, worse, worse).what == "unchanged"
    long = clocked("k1", clocks=[SEVEN, {**fatal, "within": "99d"}], level=1)
    assert (
        later(opened(clocked("k1", clocks=[SEVEN])), first, long).alert.due
        == opened(clocked("k1", clocks=[SEVEN])).due
    )


def test_what_was_acknowledged_and_fires_at_a_higher_level_waits_for_a_clock_that_still_runs() -> None:
    first = clocked("k1", clocks=[SEVEN], severity=Severity.HIGH)
    alert = opened(first, status=AlertStatus.ACKNOWLEDGED)
    decision = later(alert, first, clocked("k1", clocks=[SEVEN], level=1, severity=Severity.CRITICAL))
    assert decision.alert.status is AlertStatus.OPEN
    assert decision.alert.due == datetime(
        2026, 2, 8, 9, tzinfo=UTC
    )  # its clock ran out: the severity's target


def test_a_level_of_the_rule_gives_its_own_clock(tmp_path: Path) -> None:
    rule = replace(SAE, levels=(Level(Severity.CRITICAL, None, due=Due("24h", "found")),))
    (clock,) = only(run_one(tmp_path, rule, {"AE": [event(0)]})).facts["clocks"]
    assert (clock["level"], clock["within"], clock["aware"]) == (1, "24h", "2026-02-20")
