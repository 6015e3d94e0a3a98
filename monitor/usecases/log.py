"""`monitor log`: the ledger to read."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.audit.export import LogFilter, LogRow, log_rows
from monitor.config import Settings
from monitor.database.connect import open_database

__all__ = ["LogFilter", "LogRow", "log"]


def log(settings: Settings, wanted: LogFilter) -> Iterator[LogRow]:
    """The entries that pass the filter, in order; it needs no key and changes nothing."""
    return log_rows(open_database(settings.database_url), wanted)
