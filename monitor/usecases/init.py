"""`monitor init`: the only maker of a database, a key and a ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert

import monitor
from monitor.audit.key import Key, make_key, read_key
from monitor.audit.ledger import begin_ledger, moment
from monitor.config import Settings, load_settings
from monitor.database.connect import REVISIONS
from monitor.database.create import creating, is_initialised
from monitor.database.tables import instance
from monitor.errors import UsageError
from monitor.records import Actor, Entry

FOLDERS = ("received", "snapshots", "derived", "evidence", "mail")
CONFIG = "config.toml"


@dataclass(frozen=True)
class Initialised:
    """What `init` made. `copied` are the shipped files that were not there yet."""

    base: Path
    data_dir: Path
    instance: str
    key_id: str
    copied: tuple[Path, ...] = ()


def init_folder(
    folder: Path, now: datetime, actor: Actor, copy_to: Callable[[Path], Sequence[Path]]
) -> Initialised:
    """Make a working installation in `folder`; `copy_to` puts the shipped files there.

    With a config.toml in the folder nothing is copied. Raises UsageError when it is one already.
    """
    config = folder / CONFIG
    copied = () if config.exists() else tuple(copy_to(folder))
    made = init(load_settings(config), now, actor)
    return Initialised(made.base, made.data_dir, made.instance, made.key_id, copied)


def init(settings: Settings, now: datetime, actor: Actor) -> Initialised:
    """Make folders, key, database and ledger for `settings`; all of the database or nothing.

    Raises UsageError, and changes nothing, when there is a database already; ConfigError when in
    production the run-time role could undo the ledger's guards.
    """
    owner = settings.monitor.database_owner
    if is_initialised(settings.database_url):
        raise UsageError(
            f"the database of {settings.base} is initialised already; nothing was changed. "
            "`monitor status` shows what it holds"
        )
    make_folders(settings.data_dir)
    with creating(
        settings.database_url,
        owner.get_secret_value() if owner else None,
        production=settings.monitor.stage == "production",
    ) as connection:
        key = _key(settings.data_dir / "key")
        identity = secrets.token_hex(16)
        _genesis(connection, identity, key, actor, now)
    return Initialised(settings.base, settings.data_dir, identity, key.id)


def make_folders(data_dir: Path) -> None:
    """The layout of the data folder, readable by this user only."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in FOLDERS:
        (data_dir / name).mkdir(mode=0o700, exist_ok=True)


def _key(path: Path) -> Key:
    """A new key; the one that is there when an earlier init made it and then failed."""
    return read_key(path) if path.exists() else make_key(path)


def _genesis(connection: Connection, identity: str, key: Key, actor: Actor, now: datetime) -> None:
    facts = {"instance": identity, "created": moment(now), "key_id": key.id}
    connection.execute(insert(instance), [{"name": name, "value": value} for name, value in facts.items()])
    data = {"instance": identity, "schema": REVISIONS[-1], "program": monitor.__version__}
    begin_ledger(connection, key, actor, now, Entry("genesis", data))
