"""Opening an installation: its database, its key, its evidence. Every other use-case starts here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from monitor.audit.key import Key, read_key
from monitor.config import Settings
from monitor.database.connect import open_database
from monitor.files import Store


@dataclass(frozen=True)
class Opened:
    """An initialised installation. `evidence` keeps findings and mails, named by their hashes."""

    settings: Settings
    engine: Engine
    key: Key
    evidence: Store


def open_monitor(settings: Settings) -> Opened:
    """The installation of `settings`. Raises NotInitialised unless `monitor init` made it."""
    engine = open_database(settings.database_url)
    key = read_key(settings.data_dir / "key")
    return Opened(settings, engine, key, Store(settings.data_dir / "evidence"))
