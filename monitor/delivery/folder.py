"""Mails as files: for trying out, and for the demo. A file is written, never sent."""

from __future__ import annotations

from pathlib import Path

from monitor.delivery.outbox import Mail
from monitor.files import write_atomic


def write(folder: Path, mail: Mail, content: bytes) -> Path:
    """Write a mail as .eml; the same mail written again replaces itself. Raises OSError."""
    name = f"{mail.created_at:%Y%m%dT%H%M%SZ}-{mail.severity.value}-{mail.study}-{mail.id[:12]}.eml"
    path = folder / name
    write_atomic(path, content)
    return path
