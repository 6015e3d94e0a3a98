"""Rows written by hand, the worked examples of rules, as tables to derive from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from monitor.clinical.domains import DOMAINS, RecordClass, dates_of
from monitor.clinical.sql import Connection, table_of
from monitor.derive.stage import CARRIED


def cleaned(domain: str, row: Mapping[str, str]) -> dict[str, str | None]:
    """A row with its date columns named as received; an empty cell is missing."""
    dates = dates_of(domain)
    return {dates.get(column, column): value.strip() or None for column, value in row.items()}


def example_table(
    connection: Connection, domain: str, rows: Sequence[Mapping[str, str | None]]
) -> frozenset[str]:
    """The input table of rows written by hand; gives its columns."""
    names = list(dict.fromkeys(["USUBJID", *(column for row in rows for column in row)]))
    kinds = dict.fromkeys([*names, "KEY", "VERSION"], "VARCHAR") | {"RECEIVED": "BIGINT", "SOURCE": "VARCHAR"}
    values = [
        [*(row.get(name) for name in names), key, "", 0, f"example:{number}"]
        for number, (key, row) in enumerate(zip(_keys(domain, rows), rows, strict=True), 1)
    ]
    table_of(connection, f"in_{domain}", kinds, values)
    return frozenset({*names, *CARRIED})


def _keys(domain: str, rows: Sequence[Mapping[str, str | None]]) -> list[str]:
    """The KEY of each row: rows of one event share their natural key, as in what is received."""
    known = DOMAINS[domain]
    if known.record_class is not RecordClass.EVENTS or not rows:
        return [f"{domain}-{number}" for number in range(1, len(rows) + 1)]
    names = ("USUBJID", *((known.sponsor_id,) if known.sponsor_id in rows[0] else known.key))
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        natural = hashlib.sha256(repr([row.get(name) for name in names]).encode()).hexdigest()[:16]
        keys.append(f"{domain}-{natural}-{seen[natural]}")
        seen[natural] += 1
    return keys
