"""The synthetic trial tells exactly the story that its README promises, for any seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from monitor import shipped
from monitor.errors import UsageError
from monitor.simulation.sdtm import ROMIPLOSTIM, STUDYID, Trial, make_trial
from monitor.usecases.simulate import SEED, START, simulate_demo
from monitor.usecases.twin import simulate

SEEDS = (SEED, 1, 2, 3, 77, 20260406)


@pytest.fixture(scope="module", params=SEEDS)
def trial(request: pytest.FixtureRequest) -> Trial:
    return make_trial(request.param, START)


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def of(rows: Sequence[Mapping[str, str]], **wanted: str) -> list[Mapping[str, str]]:
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def test_sixteen_subjects_at_four_sites_and_synthetic_in_every_row(trial: Trial) -> None:
    assert len(trial.domains["DM"]) == 16
    assert Counter(row["SITEID"] for row in trial.domains["DM"]) == {"01": 4, "02": 4, "03": 4, "04": 4}
    for rows in trial.domains.values():
        assert {row["STUDYID"] for row in rows} == {STUDYID}
    assert all("SYNTHETIC" in row["ARM"] for row in trial.domains["DM"])


def test_only_one_subject_has_platelets_above_two_hundred_and_they_stay_there(trial: Trial) -> None:
    counts = [row for row in of(trial.domains["LB"], LBTESTCD="PLAT") if row["LBSTRESN"]]
    high = [row for row in counts if float(row["LBSTRESN"]) >= 200]
    assert [(row["USUBJID"], row["LBSTRESN"]) for row in high] == [
        ("01-003", "428"),
        ("01-003", "467"),
        ("01-003", "352"),
    ]
    last = max(row["LBDTC"] for row in of(counts, USUBJID="01-003"))
    assert last == high[-1]["LBDTC"]
    assert trial.until - day(last) <= timedelta(days=2)


def test_one_dose_was_given_during_the_hold_and_the_next_two_were_held(trial: Trial) -> None:
    start = min(
        day(row["LBDTC"])
        for row in of(trial.domains["LB"], LBTESTCD="PLAT", USUBJID="01-003")
        if float(row["LBSTRESN"]) > 400
    )
    doses = of(trial.domains["EX"], USUBJID="01-003", EXTRT=ROMIPLOSTIM)
    after = [(row["EXDOSE"] != "0", row["EXADJ"] != "") for row in doses if day(row["EXSTDTC"]) >= start]
    assert after == [(True, False), (False, True), (False, True)]
    assert all(float(row["EXDOSE"]) > 0 for row in of(trial.domains["EX"], EXADJ=""))


def test_one_subject_stopped_a_drug_for_a_related_event_and_ds_says_the_same(trial: Trial) -> None:
    stopped = [
        row for row in trial.domains["AE"] if "DRUG WITHDRAWN" in (row["AEACN1"], row["AEACN2"], row["AEACN"])
    ]
    assert [(row["USUBJID"], row["AEACN1"], row["AEREL1"], row["AEACN2"]) for row in stopped] == [
        ("03-002", "DRUG WITHDRAWN", "POSSIBLY RELATED", "DOSE NOT CHANGED")
    ]
    disposed = of(trial.domains["DS"], DSDECOD="ADVERSE EVENT")
    assert [row["USUBJID"] for row in disposed] == ["03-002"]
    last = max(day(row["EXSTDTC"]) for row in of(trial.domains["EX"], USUBJID="03-002", EXTRT=ROMIPLOSTIM))
    assert last < day(stopped[0]["AESTDTC"]) < day(disposed[0]["DSSTDTC"])


def test_no_event_is_serious_or_contradicts_itself(trial: Trial) -> None:
    for row in trial.domains["AE"]:
        assert {row[column] for column in ("AESER", "AESDTH", "AESHOSP", "AESLIFE", "AESCONG")} == {"N"}
        assert (row["AEOUT"] == "RECOVERED/RESOLVED") == (row["AEENDTC"] != "")
        assert not row["AEENDTC"] or day(row["AESTDTC"]) <= day(row["AEENDTC"]) <= trial.until
        assert day(row["AESTDTC"]) <= trial.until
        assert all(row[column] for column in ("AEREL1", "AEREL2", "AEACN1", "AEACN2"))


def test_no_liver_value_comes_near_hys_law(trial: Trial) -> None:
    for row in trial.domains["LB"]:
        if row["LBTESTCD"] in ("ALT", "AST", "BILI"):
            assert float(row["LBSTRESN"]) < 1.8 * float(row["LBSTNRHI"]), row


def test_doses_follow_the_published_schedule(trial: Trial) -> None:
    weights = {row["USUBJID"]: float(row["VSSTRESN"]) for row in of(trial.domains["VS"], VSLOBXFL="Y")}
    levels: dict[str, list[tuple[date, int]]] = {}
    for row in trial.domains["EX"]:
        weight = weights[row["USUBJID"]]
        if row["EXTRT"] != ROMIPLOSTIM:
            assert 3 <= 2 * float(row["EXDOSE"]) / weight <= 5
        elif not row["EXADJ"]:
            level = 5 * round(float(row["EXDOSE"]) / weight / 5)
            assert abs(float(row["EXDOSE"]) - level * weight) <= 2.5
            levels.setdefault(row["USUBJID"], []).append((day(row["EXSTDTC"]), level))
    for given in levels.values():
        assert given[0][1] == 10
        assert {level for _, level in given} <= {10, 15, 20}
        assert {(b - a).days for (a, _), (b, _) in pairwise(given)} <= {7}
        rises = [i for i in range(1, len(given)) if given[i][1] != given[i - 1][1]]
        assert all(given[i][1] - given[i - 1][1] == 5 for i in rises)
        assert all(b - a >= 2 for a, b in pairwise([0, *rises]))


def test_baselines_are_below_thirty_and_some_subjects_respond(trial: Trial) -> None:
    counts = of(trial.domains["LB"], LBTESTCD="PLAT")
    baseline = {row["USUBJID"]: float(row["LBSTRESN"]) for row in of(counts, LBLOBXFL="Y")}
    assert len(baseline) == 16
    assert max(baseline.values()) < 30
    best = {
        who: max(float(row["LBSTRESN"]) for row in of(counts, USUBJID=who) if row["LBSTRESN"])
        for who in baseline
    }
    assert 3 <= sum(best[who] >= baseline[who] + 20 for who in baseline) <= 15


def test_the_same_seed_writes_the_same_bytes_and_the_example_is_one_of_them(tmp_path: Path) -> None:
    done = simulate_demo(SEED, tmp_path / "a")
    simulate_demo(SEED, tmp_path / "b")
    example = shipped.root() / "examples/romiplostim-aa"
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in example.iterdir())
    for name in names:
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert content == (example / name).read_bytes()
    assert done.rows["DM"] == 16
    assert str(done.until) in (example / "README.md").read_text()


def test_another_seed_or_start_is_another_trial_with_the_same_story() -> None:
    one, other = make_trial(1, START), make_trial(2, START)
    assert one.domains["LB"] != other.domains["LB"]
    assert make_trial(1, START + timedelta(days=365)).until.year == 2027


def test_an_unknown_trial_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"aspirin is not a trial .* romiplostim-aa"):
        simulate("aspirin", 1, tmp_path)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("not ours")
    with pytest.raises(UsageError, match=r"real\.csv"):
        simulate("romiplostim-aa", 1, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["real.csv"]
    simulate("romiplostim-aa", 1, tmp_path / "own")
    simulate("romiplostim-aa", 2, tmp_path / "own")  # its own files it may write again
