from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical import snapshots
from monitor.clinical.snapshots import Snapshot, SnapshotRef, open_snapshot, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from monitor.errors import SourceError
from monitor.files import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
LB = """USUBJID,LBSEQ,LBTESTCD,LBSTRESN,LBSTRESU,LBDTC
01,1,PLAT,401,10^9/L,2026-01-07
01,2,PLAT,450,10^9/L,2026-01-14
02,1,PLAT,400,10^9/L,2026-01-07
"""


class Trial:
    """A study's folder of CSV files, and its snapshots."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.base = folder
        self.data_dir = folder / "var"
        self.source = folder / "data"
        self.source.mkdir()
        self.settings = StudySettings(
            id="S", source="data", rules=("x",), ctcae="5.0", blinded=False, mail="coded", **settings
        )

    def has(self, **files: str) -> Trial:
        for name, content in files.items():
            (self.source / f"{name}.csv").write_text(content)
        return self

    def take(self, before: Snapshot | None = None, now: datetime = NOW) -> Snapshot:
        previous = None if before is None else SnapshotRef(before.id, before.number)
        return take_snapshot(self.settings, self.base, self.data_dir, previous, now)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def table(snapshot: Snapshot, domain: str, columns: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return query(connection, f"SELECT {columns} FROM read_parquet('{snapshot.tables[domain]}')")


def test_a_snapshot_holds_the_rows_as_received_and_says_what_it_holds(trial: Trial) -> None:
    taken = trial.has(lb=LB).take()
    assert (taken.number, taken.new, taken.study, taken.received_at) == (1, True, "S", NOW)
    rows = table(taken, "LB", "USUBJID, LBSTRESN, SOURCE, RECEIVED")
    assert rows[0] == ("01", "401", "lb.csv:2", int(NOW.timestamp()))
    domain = taken.manifest["domains"]["LB"]
    assert [domain[word] for word in ("received", "kept", "rejected", "collapsed")] == [3, 3, 0, 0]
    assert taken.columns["LB"] == {"USUBJID", "LBSEQ", "LBTESTCD", "LBSTRESN", "LBSTRESU", "LBDTC"}
    [file] = taken.manifest["files"]
    assert Store(trial.data_dir / "received").get(file["hash"]) == LB.encode()
    assert taken.manifest["data_through"] == {"LB": {"": "2026-03-01"}}
    assert open_snapshot(trial.data_dir, "S", 1).manifest == json.loads(json.dumps(taken.manifest))


def test_the_same_again_is_nothing_new(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    again = trial.take(first, LATER)
    assert (again.new, again.number, again.id, again.received_at) == (False, 1, first.id, NOW)
    assert again.tables == first.tables
    assert not (trial.data_dir / "snapshots" / "S" / "2").exists()


def test_neither_the_order_of_rows_nor_the_format_of_a_file_makes_a_snapshot_new(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    header, *rows = LB.splitlines()
    trial.has(lb="\n".join([header, *reversed(rows)]).replace("401", "401.0"))
    assert trial.take(first, LATER).new is False
    (trial.source / "lb.csv").unlink()
    (trial.source / "lbch.tsv").write_text(LB.replace(",", "\t"))
    assert trial.take(first, LATER).new is False


def test_a_version_keeps_the_time_of_its_first_receipt(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    renumbered = LB.replace("01,1,", "01,8,").replace("450", "451")
    second = trial.has(lb=renumbered).take(first, LATER)
    assert (second.new, second.number) == (True, 2)
    columns = "KEY, VERSION, RECEIVED"
    before, after = table(first, "LB", columns), table(second, "LB", columns)
    assert before[0] == after[0]
    assert before[2] == after[2]
    assert before[1][0] == after[1][0]
    assert before[1][1] != after[1][1]
    assert after[1][2] == int(LATER.timestamp())


def test_data_that_go_back_are_a_snapshot_of_their_own(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    second = trial.has(lb=LB.replace("450", "451")).take(first)
    third = trial.has(lb=LB).take(second)
    assert (third.new, third.number, third.id) == (True, 3, first.id)


def test_a_key_tells_nothing_of_the_patient(trial: Trial) -> None:
    ae = "USUBJID,AETERM,AESTDTC\n01,Headache,2026-01-07\n"
    assert table(trial.has(ae=ae).take(), "AE", "KEY")[0][0].startswith("AE-")
    assert "Headache" not in table(trial.take(), "AE", "KEY")[0][0]


def test_records_of_one_natural_key_are_all_kept_and_keep_their_ordinals(trial: Trial) -> None:
    ae = "USUBJID,AETERM,AESTDTC,AESEV\n01,Rash,2026-01-07,{}\n01,Rash,2026-01-07,{}\n01,Rash,2026-01-07,{}\n"
    first = trial.has(ae=ae.format("MILD", "MODERATE", "SEVERE")).take()
    keys = dict(table(first, "AE", "AESEV, KEY"))
    assert len(set(keys.values())) == 3
    assert first.manifest["domains"]["AE"]["shared_keys"] == 3
    second = trial.has(ae=ae.format("SEVERE", "WORSE", "MODERATE")).take(first, LATER)
    after = dict(table(second, "AE", "AESEV, KEY"))
    assert after["SEVERE"] == keys["SEVERE"]
    assert after["MODERATE"] == keys["MODERATE"]
    assert after["WORSE"] == keys["MILD"]


def test_a_sponsors_identifier_stands_for_the_natural_key(trial: Trial) -> None:
    first = trial.has(ae="USUBJID,AESPID,AETERM\n01,E07,Headach\n01,,Rash\n").take()
    second = trial.has(ae="USUBJID,AESPID,AETERM\n01,E07,Headache\n01,,Rash\n").take(first, LATER)
    assert [row[0] for row in table(first, "AE", "KEY")] == [row[0] for row in table(second, "AE", "KEY")]


def test_rows_received_are_kept_rejected_or_collapsed(trial: Trial) -> None:
    lb = (
        LB
        + ",1,PLAT,5,10^9/L,2026-01-01\n03,1,,5,10^9/L,2026-01-01\n"
        + "01,1,PLAT,401.0,10^9/L,2026-01-07\n"
    )
    taken = trial.has(lb=lb, ae="DOMAIN,USUBJID,AETERM\nAE,01,x\nMH,01,y\n").take()
    domain = taken.manifest["domains"]["LB"]
    assert [domain[word] for word in ("received", "kept", "rejected", "collapsed")] == [6, 3, 2, 1]
    assert taken.manifest["rejects"] == [
        {"file": "ae.csv", "row": 3, "reason": "a row of another domain (DOMAIN)"},
        {"file": "lb.csv", "row": 5, "reason": "no subject (USUBJID)"},
        {"file": "lb.csv", "row": 6, "reason": "no test code (LBTESTCD)"},
    ]


def test_what_can_not_be_read_is_kept_and_listed_by_its_shape_only(trial: Trial) -> None:
    lb = "USUBJID,LBTESTCD,LBSTRESN,LBDTC\n01,PLAT,4O1,07/01/2026\n02,PLAT,8O2,08/01/2026\n"
    lb += '03,PLAT,<5,2026-01\n04,PLAT,.,\n05,PLAT,"12,5",2026-01\n'
    taken = trial.has(lb=lb, ae="USUBJID,AETERM\n01,\n", dm="USUBJID,SITEID\n01,1\n01,2\n").take()
    said = {(each["column"], each["shape"], each["row"], each["rows"]) for each in taken.manifest["issues"]}
    assert said == {
        ("LBSTRESN", "9A9", 2, 2),
        ("LBSTRESN", "99,9", 6, 1),
        ("LBDTC", "99/99/9999", 2, 2),
        ("AETERM", "", 2, 1),
        ("USUBJID", "", 3, 1),
    }
    [comma] = [each["said"] for each in taken.manifest["issues"] if each["shape"] == "99,9"]
    assert comma.endswith("if it is a decimal comma, say so: [study.read] decimal")
    assert "4O1" not in json.dumps(taken.manifest)
    assert table(taken, "LB", "LBSTRESN, LBDTC")[3] == (None, None)
    assert table(taken, "LB", "LBSTRESN")[0] == ("4O1",)


def test_results_that_contradict_themselves_are_listed(trial: Trial) -> None:
    results = (
        "PLAT,40,10^9/L,400,10^9/L",  # a digit lost
        "PLAT,400,10^9/L,400,10^9/L",
        "CREAT,1.6,mg/dL,141.44,umol/L",
        "BILI,0.1,mg/dL,2,umol/L",  # 1.71, rounded
        "BILI,0.1,mg/dL,0.1,umol/L",  # not converted
        "BILI,0.1,?,0.1,umol/L",
        "BILI,<0.1,mg/dL,8,umol/L",
        "ALT,,U/L,8,U/L",
    )
    header = "USUBJID,LBTESTCD,LBORRES,LBORRESU,LBSTRESN,LBSTRESU"
    lb = "\n".join([header, *(f"0{n},{each}" for n, each in enumerate(results, 1))])
    taken = trial.has(lb=lb + "\n").take()
    [issue] = taken.manifest["issues"]
    assert (issue["file"], issue["column"], issue["row"], issue["rows"]) == ("lb.csv", "LBSTRESN", 2, 2)
    assert issue["said"].startswith("contradicts the original result in its own unit")


def test_columns_that_a_domain_needs_are_asked_for_all_at_once(trial: Trial) -> None:
    trial.has(
        lb="USUBJID,LBTEST\n01,Platelets\n", ae="SUBJECT,AETERM\n01,x\n", ex="USUBJID\n01\n", mh="A,A\n1,2\n"
    )
    with pytest.raises(SourceError) as caught:
        trial.take()
    said = str(caught.value).splitlines()
    assert len(said) == 4
    assert said[0].startswith("ae.csv: column USUBJID: is missing")
    assert not list((trial.data_dir / "snapshots" / "S").iterdir())


def test_a_source_without_any_domain_is_refused(trial: Trial) -> None:
    with pytest.raises(SourceError, match="none of its 1 files is a domain"):
        trial.has(labs="x\n1\n").take()


def test_ignored_files_are_listed(trial: Trial) -> None:
    (trial.source / "notes").mkdir()
    taken = trial.has(lb=LB, qs="USUBJID\n1\n").take()
    assert {each["name"] for each in taken.manifest["ignored"]} == {"notes", "qs.csv"}


def test_a_domain_that_did_not_come_again_reaches_no_further(trial: Trial) -> None:
    ex = "USUBJID,EXTRT,EXSTDTC\n01,ROMIPLOSTIM,2026-01-01\n"
    first = trial.has(lb=LB, ex=ex).take()
    second = trial.has(lb=LB.replace("450", "451")).take(first, LATER)
    assert second.manifest["data_through"] == {
        "LB": {"": "2026-03-08"},
        "EX": {"": "2026-03-01"},
        "DOSE": {"": "2026-03-01"},
        "DAILY": {"": "2026-03-01"},
    }


def test_declared_days_stand_in_place_of_the_day_of_receipt(tmp_path: Path) -> None:
    through = {"all": date(2026, 2, 1), "LB": date(2026, 2, 15), "EX/01": date(2026, 2, 20)}
    trial = Trial(tmp_path, through=through).has(lb=LB, ex="USUBJID,EXTRT\n01,X\n")
    expected = {
        "LB": {"": "2026-02-15"},
        "EX": {"": "2026-02-01", "01": "2026-02-20"},
        "DOSE": {"": "2026-02-01", "01": "2026-02-20"},
        "DAILY": {"": "2026-02-01", "01": "2026-02-20"},
    }
    first = trial.take()
    assert first.manifest["data_through"] == expected
    trial.settings = trial.settings.model_copy(update={"through": {}})
    assert trial.take(first).manifest["data_through"]["LB"] == {"": "2026-03-01"}


def test_a_death_before_the_name_is_given_leaves_no_snapshot(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(temporary: Path, path: Path) -> None:
        assert (temporary / "LB.parquet").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshots, "publish", die)
    with pytest.raises(KeyboardInterrupt):
        trial.has(lb=LB).take()
    monkeypatch.undo()
    assert trial.take().number == 1


def test_a_snapshot_that_was_published_and_not_recorded_is_used_again(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    again = trial.take(None, LATER)
    assert (again.new, again.number, again.id) == (True, 1, first.id)
    assert again.received_at == NOW


def test_one_that_holds_something_else_is_put_aside_not_deleted(trial: Trial) -> None:
    first = trial.has(lb=LB).take()
    other = trial.has(lb=LB.replace("450", "451")).take(None, LATER)
    assert (other.new, other.number) == (True, 1)
    assert other.id != first.id
    assert (other.tables["LB"].parent.with_name(".1.aside-1") / "LB.parquet").exists()


def test_a_snapshot_that_is_missing_is_said(trial: Trial) -> None:
    trial.has(lb=LB)
    with pytest.raises(SourceError, match="snapshot 7 is missing"):
        take_snapshot(trial.settings, trial.base, trial.data_dir, SnapshotRef("x", 7), NOW)


def test_numbers_of_text_and_of_other_forms_agree_at_twelve_digits(trial: Trial) -> None:
    lb = "USUBJID,LBTESTCD,LBSTRESN,LBORRES\n01,CREAT,0.30000000000000004,0.30\n"
    assert table(trial.has(lb=lb).take(), "LB", "LBSTRESN, LBORRES") == [("0.3", "0.30")]
