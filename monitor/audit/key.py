"""The ledger's key: a file beside the database, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from monitor.errors import LedgerError, NotInitialised

BYTES = 32


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes and its public id: the first 16 hex digits of its SHA-256."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What the ledger's rows name."""
        return hashlib.sha256(self.secret).hexdigest()[:16]


def make_key(path: Path) -> Key:
    """Write a new random key to `path` (mode 0600), which must not exist; survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = Key(secrets.token_bytes(BYTES))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(key.secret.hex() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return key


def read_key(path: Path) -> Key:
    """The key in `path`. Raises NotInitialised when it is missing, LedgerError when it can't be trusted."""
    try:
        mode = path.stat().st_mode
        written = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NotInitialised(
            f"the ledger's key {path} is missing: restore it from its backup, or run `monitor init` "
            "for a new ledger"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"the ledger's key {path} can't be read: {error}") from error
    if mode & 0o077:
        raise LedgerError(
            f"the ledger's key {path} can be read by others (mode {mode & 0o777:04o}); run: chmod 600 {path}"
        )
    try:
        key = Key(bytes.fromhex(written))
    except ValueError:
        key = Key(b"")
    if len(key.secret) != BYTES:
        raise LedgerError(f"the ledger's key {path} does not hold {2 * BYTES} hexadecimal digits")
    return key
