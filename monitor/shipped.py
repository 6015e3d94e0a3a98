"""The files that come with the program: the demo's config, rules, templates and examples."""

from __future__ import annotations

import shutil
from pathlib import Path

from monitor.errors import Problem, UsageError

FILES = ("config.toml",)
FOLDERS = ("rules", "templates", "examples")


def root() -> Path:
    """The folder with config.toml, rules/, templates/ and examples/: in the wheel, or the repository."""
    package = Path(__file__).parent
    inside = package / "_shipped"
    return inside if inside.is_dir() else package.parent


def copy_to(folder: Path) -> tuple[Path, ...]:
    """Copy the shipped files to `folder`; gives what was written, in order.

    Refuses with UsageError, having written nothing, when one of them is already there.
    """
    names = FILES + FOLDERS
    present = [Problem(str(folder / name), "is already there") for name in names if (folder / name).exists()]
    if present:
        listed = "\n".join(str(problem) for problem in present)
        raise UsageError(f"{listed}\nNothing was written. Choose an empty folder, or move these away.")
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_copy(root() / name, folder / name) for name in names)


def _copy(source: Path, target: Path) -> Path:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copyfile(source, target)
    return target
