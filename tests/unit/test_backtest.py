"""A rule over a study's history, cut-off by cut-off."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from monitor.authoring.backtest import History, change, cut_offs, history
from monitor.config import StudySettings
from monitor.derive import derive_rows
from monitor.records import day_number
from monitor.rules.context import Context
from monitor.rules.rulefile import Pack, resolve_params
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, RULE, loaded

COUNTS = [("2026-01-05", "401"), ("2026-01-12", "450"), ("2026-01-26", "150"), ("2026-02-09", "420")]
STUDY = StudySettings(id="S", source="s", rules=("p",), ctcae="5.0", blinded=False, mail="full")


def days() -> list[int]:
    return [day_number(date.fromisoformat(day)) for day, _ in COUNTS]


def told(pack: Pack, folder: Path, cut: list[int]) -> History:
    rows = [
        {"USUBJID": "01", "LBDTC": day, "LBTESTCD": "PLAT", "LBSTRESN": value, "LBSTRESU": "10^9/L"}
        for day, value in COUNTS
    ]
    derived = derive_rows({"LB": rows}, STUDY, folder)
    context = Context(
        as_of=days()[-1],
        params=resolve_params(pack, {}),
        lists=pack.lists,
        through={(domain, ""): days()[-1] for domain in derived.tables},
        columns=derived.columns,
    )
    return history(pack.rules, derived.tables, context, cut)


def test_cut_offs_are_the_days_of_records_or_the_sundays_of_their_weeks() -> None:
    assert cut_offs(days(), weekly=False) == days()
    assert cut_offs(days(), weekly=True) == [day + 6 for day in days()], "the counts are of Mondays"


def test_an_alert_is_seen_on_the_first_cut_off_that_shows_it_and_goes_on_from_there(tmp_path: Path) -> None:
    found = told(loaded(tmp_path, RULE), tmp_path, days())
    assert [(one.opened, one.day, one.severity) for one in found.raised] == [
        ("2026-01-05", "2026-01-05", "high"),
        ("2026-02-09", "2026-02-09", "high"),
    ]
    assert found.cut_offs == 4


def test_a_record_behind_the_cut_off_is_not_seen(tmp_path: Path) -> None:
    assert len(told(loaded(tmp_path, RULE), tmp_path, days()[:3]).raised) == 1


def test_a_draft_gains_and_loses_alerts(tmp_path: Path) -> None:
    current = told(loaded(tmp_path / "a", RULE), tmp_path, days())
    stricter = HEAD + FIND.replace(":hold", ":hold + 10") + CLEAR + EXAMPLE.replace("401 ", "411 ")
    draft = told(loaded(tmp_path / "b", stricter), tmp_path, days())
    found = change(current, draft)
    assert ([one.opened for one in found.gained], [one.opened for one in found.lost], found.kept) == (
        [],
        [],
        2,
    )
    assert draft.raised[0].opened == "2026-01-12", "of the first episode only the second count is left"
    looser = HEAD + FIND.replace(":hold", ":hold - 260") + CLEAR.replace(":resume", ":resume - 100") + EXAMPLE
    more = told(loaded(tmp_path / "c", looser.replace("400 ", "100 ")), tmp_path, days())
    assert [one.opened for one in more.raised] == ["2026-01-05"], "no count is below 100: one long episode"
    other = change(more, current)
    assert (other.gained, other.lost, other.kept) == ((), (), 2), "its records are those of both alerts"
