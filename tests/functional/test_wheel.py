"""The wheel, installed without the repository, is enough to `monitor init && monitor run`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.rulefolders import keep_few

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip")
OURS = ("PYTHON", "MONITOR_", "COV")  # variables of this test run, not of a user


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this repository without asking the network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `monitor` command of a virtual environment that has the wheel and borrows the dependencies."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--no-deps",
            "--no-index",
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin/monitor"


def run(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, in a folder, without this repository on the path."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "MONITOR_", "COV"))
    }
    return subprocess.run(
        [str(command), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_the_rules_the_templates_the_config_and_the_example(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "monitor/_shipped/config.toml",
        "monitor/_shipped/rules/romiplostim-aa/PLT-01.toml",
        "monitor/_shipped/templates/alert.txt",
        "monitor/_shipped/examples/romiplostim-aa/lb.csv",
        "monitor/rules/conditions.lark",
    ):
        assert wanted in names
    assert not [name for name in names if name.startswith("tests/")]


def test_init_and_run_work_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    made = run(installed, "init", folder=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.toml",
        "examples",
        "rules",
        "templates",
        "var",
    ]
    keep_few(tmp_path / "rules")
    done = run(installed, "run", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "var/mail").glob("*.eml"))
    assert run(installed, "verify", folder=tmp_path).returncode == 0
