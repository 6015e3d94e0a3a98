"""The documentation names every setting and every command; the lock file holds every dependency."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command

from monitor.cli.app import app
from monitor.config import models

ROOT = Path(__file__).parents[2]
SECTIONS: dict[str, type[BaseModel]] = {
    "monitor": models.MonitorSettings,
    "mail": models.MailSettings,
    "monitor.limits": models.LimitSettings,
    "study": models.StudySettings,
    "study.read": models.ReadSettings,
    "study.drugs": models.DrugSettings,
    "study.baseline.TESTCD": models.BaselineSettings,
    "study.baseline.TESTCD.free_of": models.FreeOfSettings,
    "route": models.RouteSettings,
    "monitor.act_within": models.ActWithin,
}


def part(text: str, section: str) -> str:
    """The text below the heading of one section of the configuration."""
    found = re.search(rf"^### `\[+{re.escape(section)}[^`]*`.*?$(.*?)(?=^##|\Z)", text, re.M | re.S)
    assert found, f"docs/operators.md has no heading for [{section}]"
    return found[1]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented(section: str) -> None:
    text = part((ROOT / "docs/operators.md").read_text(), section)
    assert [key for key in SECTIONS[section].model_fields if f"`{key}`" not in text] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_every_documented_setting_exists(section: str) -> None:
    text = part((ROOT / "docs/operators.md").read_text(), section)
    named = set(re.findall(r"^\| `(\w+)`", text, re.M))
    assert named <= set(SECTIONS[section].model_fields)


def requirements(project: Mapping[str, Any]) -> Iterator[str]:
    extras = project["optional-dependencies"].values()
    for line in chain(project["dependencies"], *extras):
        yield re.split(r"[\[<>=!~ ;]", line)[0].lower()


def test_the_lock_file_holds_every_dependency_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.M))
    assert set(requirements(project)) <= locked
    assert "://" not in lock
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(locked)


def commands() -> Iterator[str]:
    """Every command of the command line, as a person types it."""

    def walk(command: object, name: str) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name
        else:
            if getattr(command, "invoke_without_command", False) and name != "monitor":
                yield name
            for part, each in inner.items():
                yield from walk(each, f"{name} {part}")

    yield from walk(get_command(app), "monitor")


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}`" in (ROOT / "docs/operators.md").read_text()


def test_every_documented_command_exists() -> None:
    documented = re.findall(r"^\| `(monitor [a-z ]+)`", (ROOT / "docs/operators.md").read_text(), re.M)
    assert set(documented) == set(commands())
