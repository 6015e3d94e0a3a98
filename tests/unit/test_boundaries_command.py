"""monitor boundaries: for people and for programs, and everything that is wrong at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli.app import app
from monitor.errors import UsageError

POCOCK = ["boundaries", "pocock", "--p0", ".05", "--alpha", ".05", "--n", "40"]


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def refused(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    return str(result.exception).splitlines()


def test_json_holds_the_table_and_how_it_behaves() -> None:
    found = json.loads(said(*POCOCK, "--format", "json", "--p", ".05,.15"))
    assert found["table"][:2] == [{"n": 2, "stop_at": 2}, {"n": 3, "stop_at": 2}]
    assert found["table"][-1] == {"n": 40, "stop_at": 6}
    assert len(found["table"]) == 39
    assert [row["p"] for row in found["operating"]] == [0.05, 0.15]
    assert found["operating"][0]["stop"] == pytest.approx(0.0490004, abs=1e-7)
    assert set(found["operating"][0]) == {"p", "stop", "events", "subjects"}
    assert found["pointwise"] == pytest.approx(0.0203538992)
    assert (found["method"], found["parameters"]) == ("pocock", {"p0": 0.05, "alpha": 0.05, "n_max": 40})


def test_the_other_methods_take_their_own_numbers() -> None:
    beta = json.loads(
        said(
            "boundaries",
            "beta-binomial",
            "--p0",
            ".2",
            "--alpha",
            ".1",
            "--n",
            "30",
            "--prior",
            "0.6,2.4",
            "--format",
            "json",
        )
    )
    assert beta["cutoff"] == pytest.approx(0.9630827, abs=1e-7)
    assert 0.2 in [row["p"] for row in beta["operating"]]
    sprt = json.loads(
        said(
            "boundaries",
            "sprt",
            "--p0",
            ".1",
            "--p1",
            ".3",
            "--alpha",
            ".05",
            "--n",
            "40",
            "--format",
            "json",
        )
    )
    assert sprt["operating"][-1]["p"] == 0.5
    assert sprt["table"][0] == {"n": 3, "stop_at": 3}
    count = json.loads(said("boundaries", "count", "--at-least", "2", "--n", "3", "--format", "json"))
    assert count["table"] == [{"n": 2, "stop_at": 2}, {"n": 3, "stop_at": 2}]
    assert not count["calibrated"]


def test_csv_is_the_table() -> None:
    found = said(
        "boundaries", "share", "--above", ".1", "--min-subjects", "10", "--n", "11", "--format", "csv"
    )
    assert found.split() == ["n,stop_at", "10,2", "11,2"]


def test_a_person_sees_ranges_and_the_chances() -> None:
    found = said(*POCOCK)
    assert "5-12" in found
    assert "0.0490004" in found
    assert "each look: 0.02035389918" in found


@pytest.mark.parametrize(("name", "begins"), [("b.png", b"\x89PNG"), ("b.svg", b"<?xml")])
def test_a_picture_is_written(tmp_path: Path, name: str, begins: bytes) -> None:
    said(*POCOCK, "--plot", str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert refused(*POCOCK, "--plot", str(tmp_path / "b.pdf")) == ["--plot: b.pdf must end in .png or .svg"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = refused("boundaries", "sprt", "--p0", ".5", "--p1", ".2", "--p", "3,x", "--prior", "1")
    assert found == [
        "--prior: 1 is not two numbers: write them as 0.6,2.4",
        "--p: 3,x is not numbers with commas between them",
        "--alpha: sprt needs this number",
        "--n: sprt needs this number",
        "--prior: sprt does not know this number; it takes p0, p1, alpha, n_max",
        "--p1: 0.2 must be above p0 = 0.5: it is the probability not to be missed",
    ]
    assert refused("boundaries", "count", "--at-least", "2") == [
        "--n: up to how many subjects the table goes"
    ]
    assert refused(*POCOCK, "--p", "1.5") == ["--p: 1.5 is not a probability from 0 to 1"]
    assert refused(*POCOCK, "--p", "x") == ["--p: x is not numbers with commas between them"]
