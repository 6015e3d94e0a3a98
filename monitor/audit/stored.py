"""Whether the files that the ledger's entries name are there, unchanged."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.files import Store, file_digest

CONTENT = ("finding", "previous", "mail", "received", "files")  # how an entry names content by its hash
PLAIN = "stored"  # how it names files in the data folder: {path: hash of the bytes}
REMOVED = "evidence.removed"  # a lawful removal: its `files` may be gone from then on


@dataclass
class Named:
    """The files that entries name, each with the first entry that does."""

    content: dict[str, int] = field(default_factory=dict)
    plain: dict[tuple[str, str], int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.content) + len(self.plain)

    def gather(self, seq: int, kind: str, data: Mapping[str, Any]) -> None:
        """Remember what an entry names."""
        if kind == REMOVED:
            self.removed.update(_hashes(data.get("files")))
            return
        for name in CONTENT:
            for found in _hashes(data.get(name)):
                self.content.setdefault(found, seq)
        stored = data.get(PLAIN)
        if isinstance(stored, dict):
            for path, found in stored.items():
                self.plain.setdefault((path, str(found)), seq)


def _hashes(value: Any) -> Iterator[str]:
    """The SHA-256 hashes in a value: one, a list, or the values of an object."""
    given = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for item in given:
        if isinstance(item, str) and len(item) == 64 and set(item) <= set("0123456789abcdef"):
            yield item


def damaged(named: Named, stores: Sequence[Store], data_dir: Path) -> Iterator[tuple[int, str]]:
    """Files that are missing or changed, as (entry, what is wrong), unless they were lawfully removed."""
    for name, seq in named.content.items():
        path = next((found for store in stores if (found := store.path(name)).exists()), None)
        said = "is missing" if path is None else _wrong(path, name, packed=True)
        if said and name not in named.removed:
            yield seq, f"the stored file {name}, of entry {seq}, {said}"
    for (relative, name), seq in named.plain.items():
        said = _wrong(data_dir / relative, name, packed=False)
        if said and name not in named.removed:
            yield seq, f"the file {relative}, of entry {seq}, {said}"


def _wrong(path: Path, name: str, *, packed: bool) -> str:
    """What is wrong with a file whose content should have the hash `name`; "" if nothing is."""
    try:
        found = _unpacked_digest(path) if packed else file_digest(path)
    except FileNotFoundError:
        return "is missing"
    except PermissionError:  # pragma: no cover - root may read everything
        return "can't be read"
    except (EOFError, OSError, zlib.error):
        return "was changed"
    return "" if found == name else "was changed"


def _unpacked_digest(path: Path) -> str:
    """The SHA-256 of a compressed file's content, read in pieces: received files can be large."""
    with gzip.open(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
