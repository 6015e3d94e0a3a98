"""The synthetic twin: its numbers are those of the abstract, and each kind is planted in one subject."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from monitor.errors import UsageError
from monitor.simulation.twin.planting import KINDS, plant
from monitor.simulation.twin.sdtm import Trial, make_trial
from monitor.simulation.twin.subjects import Answer, enrol
from monitor.usecases.twin import START, simulate

SEEDS = (1, 2)


@pytest.fixture(scope="module", params=SEEDS)
def trial(request: pytest.FixtureRequest) -> tuple[int, Trial]:
    return request.param, make_trial(request.param, START)


def finished(trial: Trial) -> set[str]:
    return {row["USUBJID"] for row in trial.domains["DS"] if row["DSDECOD"] == "COMPLETED"}


def test_sixteen_are_enrolled_and_the_eleven_who_finished_are_of_the_published_classes(
    trial: tuple[int, Trial],
) -> None:
    done = finished(trial[1])
    assert (len(trial[1].domains["DM"]), len(done)) == (16, 11)
    entry = {row["USUBJID"]: row["MHSCAT"] for row in trial[1].domains["MH"]}
    assert Counter(entry[one] for one in done) == {"SAA": 6, "TD-NSAA": 1, "NTD-NSAA": 4}
    assert trial[1].until.isoformat() == "2025-07-31"


def test_nine_of_the_eleven_answer_and_no_count_comes_near_a_limit(trial: tuple[int, Trial]) -> None:
    done = finished(trial[1])
    counts: dict[str, list[float]] = {}
    for row in trial[1].domains["LB"]:
        if row["LBTESTCD"] == "PLAT":
            counts.setdefault(row["USUBJID"], []).append(float(row["LBSTRESN"]))
    for week in (13, 26):
        assert sum(counts[one][week] >= counts[one][0] + 20 for one in done) == 9
    assert max(max(each) for each in counts.values()) <= 200
    assert all(each[0] < 30 for each in counts.values())


def test_nobody_stops_a_drug_for_an_event_and_none_is_serious(trial: tuple[int, Trial]) -> None:
    for row in trial[1].domains["AE"]:
        assert (row["AEACN"], row["AESER"]) == ("DOSE NOT CHANGED", "N")


def test_the_answers_are_those_of_the_abstract() -> None:
    who = Counter(subject.answer for subject in enrol(Random(3), START)[:11])
    assert who == {Answer.NONE: 2, Answer.PARTIAL: 7, Answer.COMPLETE: 1, Answer.LATE: 1}


def test_each_kind_is_planted_once_each_in_a_subject_of_its_own(trial: tuple[int, Trial]) -> None:
    seed, made = trial
    transfers, told = plant(made, seed, KINDS)
    assert [one.kind for one in told] == list(KINDS)
    assert len({one.subject for one in told}) == len(KINDS)
    assert len(transfers) == 3
    assert len(transfers[2].domains["LB"]) < 0.8 * len(transfers[1].domains["LB"])
    (late,) = [one.subject for one in told if one.kind == "late-correction"]
    for name, rows in transfers[1].domains.items():
        own = [row for row in rows if row["USUBJID"] == late]
        assert own == [row for row in made.domains[name] if row["USUBJID"] == late]


def test_what_was_planted_is_listed_beside_the_data_in_each_format(tmp_path: Path) -> None:
    for form in ("csv", "json", "xpt"):
        simulate("romiplostim-aa", 1, tmp_path / form, form=form, inject=["thrombosis"])
        (one,) = json.loads((tmp_path / form / "planted.json").read_text())
        assert (one["kind"], one["rules"], one["transfer"]) == ("thrombosis", ["TE-01"], 1)
        assert (tmp_path / form / f"lb.{form}").stat().st_size > 100_000


def test_what_is_not_known_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sas is not one of csv, json, xpt(.|\n)*luck is not one of"):
        simulate("romiplostim-aa", 1, tmp_path, form="sas", inject=["luck"])
    with pytest.raises(UsageError, match="for the twin"):
        simulate("romiplostim-aa-demo", 1, tmp_path, inject=["thrombosis"])
