"""Files that are never half-written: atomic writes, and a store of files named by their hash."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

BLOCK = 1 << 20  # bytes read at a time


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that orders names as people do: lb2.csv, lb10.csv."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader, or a crash, sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    publish(temporary, path)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, and make the name survive a power cut."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def digest(content: bytes) -> str:
    """SHA-256 of `content`, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Store:
    """Content-addressed files below `root`, kept compressed; the same content is kept once."""

    root: Path

    def path(self, name: str) -> Path:
        """Where the content with this hash lies."""
        return self.root / name[:2] / f"{name}.gz"

    def put(self, content: bytes) -> str:
        """Keep `content`; gives its hash."""
        name = digest(content)
        path = self.path(name)
        if not path.exists():
            write_atomic(path, gzip.compress(content, mtime=0))
        return name

    def put_file(self, path: Path, name: str) -> None:
        """Keep a file's content, whose hash is `name`, reading it in pieces."""
        kept = self.path(name)
        if kept.exists():
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        with path.open("rb") as source, temporary.open("wb") as target:
            with igzip.IGzipFile("", "wb", 1, target, mtime=0) as packed:  # type: ignore[no-untyped-call]
                shutil.copyfileobj(source, packed, BLOCK)
            target.flush()
            os.fsync(target.fileno())
        publish(temporary, kept)

    def get(self, name: str) -> bytes:
        """The content with this hash. Raises FileNotFoundError, or ValueError when it was changed."""
        content = gzip.decompress(self.path(name).read_bytes())
        if digest(content) != name:
            raise ValueError(f"the stored file {name} is not what its name says")
        return content
