"""Deltas, what a full transfer lacks, how far data reach, and what differs between two snapshots."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.delivery import missing
from monitor.clinical.differences import Counts, counts, differences
from monitor.clinical.reach import last_news
from monitor.clinical.snapshots import Past, Snapshot, SnapshotRef, open_known, take_snapshot
from monitor.clinical.sql import connect
from tests.generative.budgets import FEW
from tests.unit.test_snapshots import NOW, Trial, table

DAY = timedelta(days=1)
HEAD = "USUBJID,LBSEQ,LBTESTCD,LBSTRESN,LBSTRESU,LBDTC"
Row = tuple[str, str, str]  # subject, day, value


def lb(rows: Sequence[Row], **more: Sequence[Row]) -> str:
    """LB of some rows; with `gone` those that a delta says are deleted."""
    gone = more.get("gone")
    marks = [(row, "") for row in rows] + [(row, "Y") for row in gone or ()]
    head = HEAD if gone is None else f"{HEAD},DELETED"
    lines = [
        f"{who},{number},PLAT,{value},10^9/L,2026-01-{day}" + ("" if gone is None else f",{mark}")
        for number, ((who, day, value), mark) in enumerate(marks, 1)
    ]
    return "\n".join([head, *lines]) + "\n"


def moved(trial: Trial, **settings: object) -> None:
    trial.settings = trial.settings.model_copy(update=settings)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


A, B, C = ("01", "07", "401"), ("01", "14", "450"), ("02", "07", "400")


# ---------------------------------------------------------------- deltas


def test_a_delta_adds_replaces_and_keeps_what_it_does_not_name(trial: Trial) -> None:
    moved(trial, delivery="delta")
    first = trial.has(lb=lb([A, B])).take()
    second = trial.has(lb=lb([("01", "14", "455"), C])).take(first, NOW + DAY)
    rows = {row[:2]: row[2:] for row in table(second, "LB", "USUBJID, LBDTC, LBSTRESN, RECEIVED")}
    then, now = int(NOW.timestamp()), int((NOW + DAY).timestamp())
    assert rows == {
        ("01", "2026-01-07"): ("401", then),
        ("01", "2026-01-14"): ("455", now),
        ("02", "2026-01-07"): ("400", now),
    }
    domain = second.manifest["domains"]["LB"]
    assert {word: domain[word] for word in ("received", "kept", "rows", "carried", "deleted")} == {
        "received": 2,
        "kept": 2,
        "rows": 3,
        "carried": 1,
        "deleted": 0,
    }


def test_a_delta_deletes_only_what_it_says_is_deleted(trial: Trial) -> None:
    moved(trial, delivery="delta")
    first = trial.has(lb=lb([A, B])).take()
    second = trial.has(lb=lb([C], gone=[B])).take(first, NOW + DAY)
    assert table(second, "LB", "LBSTRESN") == [("401",), ("400",)]
    assert second.manifest["domains"]["LB"]["deleted"] == 1
    assert "DELETED" not in second.columns["LB"]


def test_a_domain_that_a_delta_does_not_deliver_stays(trial: Trial) -> None:
    moved(trial, delivery="delta")
    first = trial.has(lb=lb([A]), dm="USUBJID,SITEID\n01,S1\n").take()
    (trial.source / "dm.csv").unlink()
    second = trial.has(lb=lb([C])).take(first, NOW + DAY)
    assert table(second, "DM", "USUBJID, SITEID") == [("01", "S1")]
    assert second.manifest["domains"]["DM"]["received"] == 0
    assert second.manifest["received_through"] == {
        "DM": {"": NOW.date().isoformat()},
        "LB": {"": (NOW + DAY).date().isoformat()},
    }


@settings(FEW, max_examples=8)
@given(st.data())
def test_delta_transfers_end_in_the_snapshot_of_one_full_transfer(data: st.DataObject) -> None:
    """Whatever order and parts: each record comes in some delta, some are corrected or deleted later."""
    days = st.tuples(st.sampled_from(["01", "02", "03"]), st.sampled_from([f"{n:02}" for n in range(1, 9)]))
    values = st.sampled_from(["100", "250", "399", "401"])
    steps = data.draw(
        st.lists(
            st.tuples(
                st.dictionaries(days, values, min_size=1, max_size=6), st.lists(days, max_size=2, unique=True)
            ),
            min_size=1,
            max_size=4,
        )
    )
    last: dict[tuple[str, str], str] = {}
    with TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "a").mkdir()
        (base / "b").mkdir()
        deltas, taken = Trial(base / "a", delivery="delta"), None
        for number, (rows, gone) in enumerate(steps):
            deleted = [key for key in gone if key in last and key not in rows]
            last = {key: value for key, value in last.items() if key not in deleted} | rows
            text = lb([(*key, value) for key, value in rows.items()], gone=[(*key, "") for key in deleted])
            taken = deltas.has(lb=text).take(taken, NOW + number * DAY)
        full = Trial(base / "b").has(lb=lb([(*key, value) for key, value in sorted(last.items())])).take()
        assert taken is not None
        assert _content(taken) == _content(full)


def _content(taken: Snapshot) -> list[tuple[str, ...]]:
    return sorted(table(taken, "LB", "USUBJID, LBDTC, LBSTRESN, KEY, VERSION"))


@settings(FEW, max_examples=10)
@given(st.permutations(range(6)), st.integers(1, 3))
def test_a_study_in_shuffled_deltas_has_the_id_of_one_full_transfer(order: list[int], parts: int) -> None:
    rows = [f"0{n % 3},{n},PLAT,{400 + n},10^9/L,2026-01-0{n + 1}" for n in range(6)]
    with TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "a").mkdir()
        (base / "b").mkdir()
        deltas, taken = Trial(base / "a", delivery="delta"), None
        for part in range(parts):
            chosen = [rows[n] for n in order[part::parts]]
            taken = deltas.has(lb="\n".join([HEAD, *chosen]) + "\n").take(taken, NOW + part * DAY)
        full = Trial(base / "b").has(lb="\n".join([HEAD, *rows]) + "\n").take()
        assert taken is not None
        assert taken.id == full.id


# ---------------------------------------------------------------- what is missing, and what is judged


def test_what_is_missing_is_counted_by_domain_site_subject_and_alert(trial: Trial) -> None:
    dm = "USUBJID,SITEID\n01,S1\n02,S2\n"
    first = trial.has(lb=lb([A, B, C]), dm=dm, ae="USUBJID,AETERM\n01,RASH\n").take()
    (trial.source / "ae.csv").unlink()
    moved(trial, max_lost=1.0)
    second = trial.has(lb=lb([A])).take(first, NOW + DAY)
    held = second.manifest["held"]
    assert held["reasons"] == ["domain AE", "site S2 in LB"]
    moved(trial, max_lost=0.5)
    keys = dict(table(first, "LB", "LBSTRESN, KEY"))
    with connect() as connection:
        found = missing(
            connection, first.tables, second.tables, 0.5, {keys["450"]: ("AAAA",), "LB-x-0": ("B",)}
        )
    assert list(found.reasons()) == ["domain AE", "records of LB", "site S2 in LB", "alert AAAA"]
    assert (found.domains["LB"].known, found.domains["LB"].lost) == (3, 2)
    assert found.holds


def test_a_held_snapshot_is_judged_with_what_it_lacks_and_keeps_what_it_received(trial: Trial) -> None:
    first = trial.has(lb=lb([A, B]), ae="USUBJID,AETERM\n01,RASH\n").take()
    (trial.source / "ae.csv").unlink()
    second = trial.has(lb=lb([("01", "07", "402")])).take(first, NOW + DAY)
    judged = open_known(trial.data_dir, "S", SnapshotRef(second.id, 2, held=True))
    assert table(second, "LB", "LBSTRESN") == [("402",)]
    assert sorted(table(judged, "LB", "LBSTRESN")) == [("402",), ("450",)]
    (carried,) = [row[0] for row in table(judged, "LB", "SOURCE") if row[0].startswith("carried")]
    assert carried == "carried over, not in the held transfer: lb.csv:3"
    assert table(judged, "AE", "AETERM") == [("RASH",)]
    assert judged.columns["AE"] == {"USUBJID", "AETERM"}
    day = NOW.date().isoformat()
    assert second.manifest["received_through"] == {"AE": {"": day}, "AEDRUG": {"": day}, "LB": {"": day}}
    trial.has(lb=lb([("01", "07", "403")]))
    again = take_snapshot(
        trial.settings, trial.base, trial.data_dir, SnapshotRef(second.id, 2, held=True), NOW + 2 * DAY
    )
    judged = open_known(trial.data_dir, "S", SnapshotRef(again.id, 3, held=True))
    assert sorted(table(judged, "LB", "LBSTRESN")) == [("403",), ("450",)]
    assert [row[0].count("carried") for row in table(judged, "AE", "SOURCE")] == [1]


def test_a_domain_without_records_can_not_be_missed(trial: Trial) -> None:
    first = trial.has(lb=lb([A]), ae="USUBJID,AETERM\n").take()
    (trial.source / "ae.csv").unlink()
    second = trial.has(lb=lb([A, C])).take(first, NOW + DAY)
    assert second.manifest["held"] is None


def test_what_was_rejected_is_not_taken_again_and_is_not_compared_with(trial: Trial) -> None:
    first = trial.has(lb=lb([A, B])).take()
    second = trial.has(lb=lb([A])).take(first, NOW + DAY)
    assert second.manifest["held"] is not None
    past = Past(SnapshotRef(second.id, 2), {})
    known = SnapshotRef(first.id, 1)
    same = take_snapshot(trial.settings, trial.base, trial.data_dir, known, NOW + 2 * DAY, None, past)
    assert (same.number, same.new) == (2, False)
    trial.has(lb=lb([A, B, C]))
    third = take_snapshot(trial.settings, trial.base, trial.data_dir, known, NOW + 3 * DAY, None, past)
    assert (third.number, third.manifest["held"], third.manifest["base"]) == (3, None, 1)


# ---------------------------------------------------------------- how far the data reach


def written(path: Path, when: datetime) -> None:
    os.utime(path, (when.timestamp(), when.timestamp()))


@pytest.mark.parametrize(
    ("rewritten", "days", "reaches"),
    [
        (False, 9, 0),  # a file that only lies there proves nothing of today
        (True, 9, 7),  # sent again after a week: that is how far it reaches
        (True, 3, 0),  # a time in the future says nothing
    ],
)
def test_identical_bytes_prove_more_only_when_they_were_sent_again(
    trial: Trial, rewritten: bool, days: int, reaches: int
) -> None:
    trial.has(lb=lb([A]))
    written(trial.source / "lb.csv", NOW - DAY)
    first = trial.take()
    if rewritten:
        written(trial.source / "lb.csv", NOW + 7 * DAY)
    again = trial.take(first, NOW + days * DAY)
    assert (again.new, again.resent) == (False, bool(reaches))
    assert again.manifest["data_through"]["LB"][""] == (NOW + reaches * DAY).date().isoformat()


def test_a_domain_sent_again_beside_a_changed_one_reaches_to_its_own_day(trial: Trial) -> None:
    trial.has(lb=lb([A]), dm="USUBJID\n01\n")
    for name in ("lb", "dm"):
        written(trial.source / f"{name}.csv", NOW - DAY)
    first = trial.take()
    written(trial.source / "dm.csv", NOW + 2 * DAY)
    second = trial.has(lb=lb([A, B])).take(first, NOW + 3 * DAY)
    assert second.manifest["received_through"] == {
        "DM": {"": (NOW + 2 * DAY).date().isoformat()},
        "LB": {"": (NOW + 3 * DAY).date().isoformat()},
    }


def test_the_last_news_of_each_site_are_known(trial: Trial) -> None:
    first = trial.has(lb=lb([A, C]), dm="USUBJID,SITEID\n01,S1\n02,S2\n").take()
    second = trial.has(lb=lb([A, C, B])).take(first, NOW + 5 * DAY)
    with connect() as connection:
        news = last_news(connection, second.tables)
    assert news["LB"] == {
        "S1": (NOW + 5 * DAY).date().isoformat(),
        "S2": NOW.date().isoformat(),
    }
    assert second.manifest["news"] == news


# ---------------------------------------------------------------- what differs


def test_differences_are_told_by_natural_key_and_column(trial: Trial) -> None:
    first = trial.has(lb=lb([A, B])).take()
    second = trial.has(lb=lb([("01", "14", "455"), C]), dm="USUBJID,SITEID\n01,S1\n").take(first, NOW + DAY)
    assert counts(first.tables, second.tables) == (Counts("DM", 0, 1, 1, 0, 0), Counts("LB", 2, 2, 1, 1, 1))
    found = [
        (
            each.domain,
            each.what,
            each.subject,
            each.record,
            [(c.column, c.was, c.now) for c in each.cells if c.column in ("LBSTRESN", "SITEID")],
        )
        for each in differences(first.tables, second.tables)
    ]
    assert found == [
        ("DM", "new", "01", "", [("SITEID", None, "S1")]),
        ("LB", "removed", "01", "PLAT · 2026-01-07", [("LBSTRESN", "401", None)]),
        ("LB", "changed", "01", "PLAT · 2026-01-14", [("LBSTRESN", "450", "455")]),
        ("LB", "new", "02", "PLAT · 2026-01-07", [("LBSTRESN", None, "400")]),
    ]
    assert not any(each.differs for each in counts(first.tables, first.tables))
    assert list(differences(first.tables, first.tables)) == []
