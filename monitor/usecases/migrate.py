"""`monitor migrate`: an installation of an older version becomes one of this version, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import monitor
from monitor.audit.key import read_key
from monitor.audit.ledger import append
from monitor.config import Settings
from monitor.database.connect import REVISIONS
from monitor.database.create import migrating
from monitor.records import Actor, Entry


@dataclass(frozen=True)
class Migrated:
    """The schema as it was and as it is now."""

    before: str
    after: str


def migrate(settings: Settings, now: datetime, actor: Actor) -> Migrated:
    """Bring the database to this program's schema, and record it in the same transaction.

    Raises UsageError, and changes nothing, when the schema is this program's already, or unknown.
    """
    key = read_key(settings.data_dir / "key")
    owner = settings.monitor.database_owner
    with migrating(settings.database_url, owner.get_secret_value() if owner else None) as (
        connection,
        before,
    ):
        data = {"from": before, "to": REVISIONS[-1], "program": monitor.__version__}
        append(connection, key, actor, now, [Entry("migrated", data)])
    return Migrated(before, REVISIONS[-1])
