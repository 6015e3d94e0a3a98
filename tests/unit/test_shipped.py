"""The files that come with the program."""

from __future__ import annotations

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
