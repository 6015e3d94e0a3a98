"""The tables in the files received: formats by name, archives opened, each table with its domain."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from monitor.clinical.domains import DOMAINS
from monitor.clinical.sources import Ignored, RawFile, problems_error
from monitor.clinical.workbooks import DAMAGES as BROKEN_WORKBOOK
from monitor.clinical.workbooks import sheets
from monitor.config import LimitSettings
from monitor.errors import Problem
from monitor.files import BLOCK, natural

FORMATS = {
    ".xpt": "xpt",
    ".sas7bdat": "sas7bdat",
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".json": "json",
    ".ndjson": "ndjson",
    ".dsjc": "dsjc",
}
# Data that people send, and that nothing here reads: refused, so that nobody believes them read.
UNREADABLE = (".xls", ".xlsb", ".ods", ".sav", ".dta", ".rar", ".7z", ".tar", ".tgz", ".xz", ".bz2", ".zst")
RECEIVED = tuple(name for name, domain in DOMAINS.items() if not domain.derived)
SUPP = "SUPP"
Assign = Callable[[str], str | None]
ARCHIVES = (".zip", ".gz")
BACKSLASH = "\\"  # some programs of Windows write it between folders
WORKBOOKS = (".xlsx", ".xlsm")
NO_DOMAIN = "not the name of a domain that rules can read (such as lb, lbch, ae, ex)"
DEEPEST = 3  # archives within archives
SMALL = 10_000_000  # bytes that any archive may unpack to, however small it is
DAMAGES = (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, ValueError)


class SupportsRead(Protocol):
    """A stream of bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes."""


class _RefusedError(Exception):
    """A file that is not read, and why."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__()
        self.problem = Problem(name, said)


@dataclass
class _Opener:
    """Where archives are unpacked, and how much of that there was so far."""

    folder: Path
    limits: LimitSettings
    assign: Assign
    unpacked: int = 0
    count: int = 0

    def unpack(self, name: str, packed: SupportsRead, size: int) -> tuple[Path, str]:
        """Unpack one file of `size` packed bytes; gives where it lies and the hash of its bytes."""
        self.count += 1
        target = self.folder / str(self.count)
        digest, length = hashlib.sha256(), 0
        most = max(SMALL, size * self.limits.ratio)
        with target.open("wb") as stream:
            while block := packed.read(BLOCK):
                length += len(block)
                self.unpacked += len(block)
                if length > most or self.unpacked > self.limits.bytes:
                    said = "unpacks to more than an archive of data does"
                    raise _RefusedError(name, f"{said} (monitor.limits.ratio, bytes); send it unpacked")
                digest.update(block)
                stream.write(block)
        return target, digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """One table in a file, its bytes lying at `path`.

    `name` is "lb.csv", "data.zip/SDTM/lb.xpt" or "labs.xlsx/Sheet1"; `domain` where it belongs:
    "LB", "SUPPLB", or "" for a table that only a mapping can place.
    """

    name: str
    domain: str
    format: str
    path: Path
    hash: str
    sheet: str = ""

    @property
    def file(self) -> str:
        """The name without the sheet."""
        return self.name.removesuffix(f"/{self.sheet}") if self.sheet else self.name

    @property
    def stem(self) -> str:
        """What SDTM would call the table: the sheet's name, when that is a domain's, or the file's."""
        return _stem(self.name if domain_of(self.name) else self.file)


def domain_of(name: str) -> str | None:
    """Where a table belongs by its name, as SDTM names datasets: LB for lb and its part lbch."""
    stem = _stem(name)
    supplemental = stem.startswith("supp")
    known = next((each for each in RECEIVED if _belongs(stem.removeprefix("supp"), each)), None)
    return f"{SUPP}{known}" if supplemental and known else known


def named(name: str, pattern: str) -> bool:
    """Whether a table's name, or the last part of it, is what a pattern such as "labs_*.csv" means."""
    lower = pattern.lower()
    return any(fnmatch.fnmatchcase(each, lower) for each in (name.lower(), name.lower().rsplit("/", 1)[-1]))


def datasets(
    files: Iterable[RawFile], folder: Path, limits: LimitSettings, assign: Assign = domain_of
) -> tuple[tuple[Dataset, ...], tuple[Ignored, ...]]:
    """The tables in the files, and what is none; the same bytes twice are read once.

    `assign` says for a table's name its domain, "" when a mapping places it, None when nothing
    wants it. Archives are unpacked into `folder`. Raises SourceError when an archive is damaged
    or beyond the limits, or when two different files claim to be one dataset.
    """
    found: list[Dataset] = []
    ignored: list[Ignored] = []
    problems: list[Problem] = []
    folder.mkdir(parents=True, exist_ok=True)
    for known in _opened(files, _Opener(folder, limits, assign), problems):
        repeated = next((each for each in found if isinstance(known, Dataset) and _same(each, known)), None)
        if isinstance(known, Ignored):
            ignored.append(known)
        elif repeated is not None:
            ignored.append(Ignored(known.name, f"the same bytes as {repeated.name}"))
        else:
            found.append(known)
    problems.extend(_doubled(found))
    if problems:
        raise problems_error(problems)
    return tuple(found), tuple(ignored)


def _same(one: Dataset, other: Dataset) -> bool:
    return (one.domain, one.hash, one.sheet) == (other.domain, other.hash, other.sheet)


def _doubled(found: list[Dataset]) -> Iterator[Problem]:
    """Different files with one dataset's name: nobody can tell which is meant."""
    by_stem: dict[str, str] = {}
    for dataset in found:
        if not dataset.domain:
            continue
        stem = dataset.stem
        if stem in by_stem:
            yield Problem(
                dataset.name,
                f"is {stem.upper()}, as {by_stem[stem]} is, with other content; keep one, or name one kind of"
                " files as the source (folder/*.xpt)",
            )
        by_stem.setdefault(stem, dataset.name)


def _opened(
    files: Iterable[RawFile], opener: _Opener, problems: list[Problem]
) -> Iterator[Dataset | Ignored]:
    """Each file's tables; archives member by member."""
    for raw in files:
        try:
            yield from _tables(raw.name, raw.path, raw.hash, opener)
        except _RefusedError as error:
            problems.append(error.problem)
        except DAMAGES as error:
            problems.append(Problem(raw.name, f"the archive is damaged ({error}); send it again"))


def _tables(name: str, path: Path, mark: str, opener: _Opener, depth: int = 0) -> Iterator[Dataset | Ignored]:
    lower = name.lower()
    if lower.endswith(WORKBOOKS):
        yield from _sheets(name, path, mark, opener.assign)
    elif not lower.endswith(ARCHIVES):
        yield from _plain(name, path, mark, opener.assign)
    elif depth > DEEPEST:
        raise _RefusedError(name, f"lies in more than {DEEPEST} archives; unpack them")
    elif lower.endswith(".zip"):
        yield from _members(name, path, opener, depth)
    else:
        with gzip.open(path) as packed:
            inner = opener.unpack(name, packed, path.stat().st_size)
        yield from _tables(name[:-3], *inner, opener, depth + 1)


def _members(name: str, path: Path, opener: _Opener, depth: int) -> Iterator[Dataset | Ignored]:
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > opener.limits.members:
            said = f"holds {len(members)} files; more than {opener.limits.members} (monitor.limits.members)"
            raise _RefusedError(name, f"{said} are refused")
        for member in sorted(members, key=lambda each: natural(each.filename)):
            inner = f"{name}/{member.filename.replace(BACKSLASH, '/')}"
            # What can't be a dataset by its name is listed without being unpacked.
            known = next(_plain(inner, path, "", opener.assign))
            if isinstance(known, Ignored) and not inner.lower().endswith(ARCHIVES + WORKBOOKS):
                yield known
                continue
            if member.flag_bits & 1:
                raise _RefusedError(inner, "is locked with a password; send it without one")
            with archive.open(member) as packed:
                unpacked = opener.unpack(inner, packed, member.compress_size)
            yield from _tables(inner, *unpacked, opener, depth + 1)


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()


def _plain(name: str, path: Path, mark: str, assign: Assign) -> Iterator[Dataset | Ignored]:
    """What a file that is no archive is, by its name."""
    suffix = PurePosixPath(name).suffix.lower()
    domain = assign(name)
    if suffix in UNREADABLE and domain is not None:
        raise _RefusedError(name, f"{suffix} can't be read; save it as .xlsx, .csv, .xpt or .zip")
    if suffix not in FORMATS:
        yield Ignored(name, "not a format that is read (SAS, delimited text, Parquet, Excel, Dataset-JSON)")
    elif domain is None:
        yield Ignored(name, NO_DOMAIN)
    else:
        yield Dataset(name, domain, FORMATS[suffix], path, mark)


def _sheets(name: str, path: Path, mark: str, assign: Assign) -> Iterator[Dataset | Ignored]:
    """A workbook's sheets: each by its own name, or an only one by the file's."""
    try:
        titles = sheets(path)
    except BROKEN_WORKBOOK as error:  # what its sheets were, nobody can tell any more
        raise _RefusedError(name, "is not a readable Excel workbook; save it again as .xlsx") from error
    placed = {title: assign(f"{name}/{title}") for title in titles}
    if len(titles) == 1 and placed[titles[0]] is None:
        placed[titles[0]] = assign(name)
    if assign(name) is not None and all(domain is None for domain in placed.values()):
        raise _RefusedError(name, f"has {len(titles)} sheets, and none is named as a domain; name it so")
    for title, domain in placed.items():
        inner = f"{name}/{title}"
        if domain is None:
            yield Ignored(inner, NO_DOMAIN)
        else:
            yield Dataset(inner, domain, "xlsx", path, mark, title)


def _belongs(stem: str, domain: str) -> bool:
    """Whether a dataset is a domain or a part of it: SDTM names parts with two more characters."""
    return re.fullmatch(rf"{domain.lower()}[a-z0-9]{{0,2}}", stem) is not None
