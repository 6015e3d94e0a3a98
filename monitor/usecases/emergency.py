"""When a run can't even record its failure: the fixed mail over the last good settings."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from monitor.delivery.emergency import FILE, Cause, emergency
from monitor.errors import DatabaseError, Invalid, LedgerError, NotInitialised

CAUSES: tuple[tuple[type[BaseException], Cause], ...] = (
    (Invalid, "config"),
    (NotInitialised, "database"),
    (DatabaseError, "database"),
    (LedgerError, "ledger"),
    (OSError, "disk"),
)


@contextmanager
def last_resort(config: Path, clock: Callable[[], datetime], say: Callable[[str], None]) -> Iterator[None]:
    """Whatever ends the block by an exception is told by emergency mail, then goes on as it was.

    `say` gets a line for each recipient. An installation that never worked tells nobody: there
    are no last good settings.
    """
    try:
        yield
    except Exception as error:
        data_dir = data_dir_of(config)
        if (data_dir / FILE).exists():
            for line in emergency(data_dir, cause_of(error), clock()):
                say(line)
        raise


def cause_of(error: Exception) -> Cause:
    """What the mail may say of an error: a word, never its text."""
    return next((cause for kind, cause in CAUSES if isinstance(error, kind)), "run")


def data_dir_of(config: Path) -> Path:
    """The data folder of a configuration that may be unusable: as far as it can be read, else var."""
    try:
        named = tomllib.loads(config.read_text(encoding="utf-8")).get("monitor", {}).get("data_dir", "var")
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError):
        named = "var"
    return config.resolve().parent / str(named)
