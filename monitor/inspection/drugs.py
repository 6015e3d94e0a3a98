"""The drugs of an exposure table, for [study.drugs]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clinical.sql import Connection, query, quoted, text
from monitor.inspection.guess import Proposal

DAILY = ("QD", "BID", "TID", "QID", "QOD", "DAILY")


@dataclass(frozen=True)
class Drug:
    """A name of EXTRT, its rows, and whether it looks like a drug that is taken all the time."""

    name: str
    rows: int
    continuous: bool


def drugs(connection: Connection, proposals: Sequence[Proposal]) -> tuple[Drug, ...]:
    """The names of EXTRT where they are codes, with whether they are mostly taken daily."""
    found: dict[str, Drug] = {}
    for proposal in proposals:
        sources = {each.target: each.source for each in proposal.columns}
        column = proposal.table.column(sources.get("EXTRT", ""))
        if proposal.domain != "EX" or not proposal.sure or column is None or not column.words:
            continue
        often, listed = sources.get("EXDOSFRQ"), ", ".join(map(text, DAILY))
        daily = f"count(*) FILTER (upper({quoted(often)}) IN ({listed}))" if often else "0"
        rows = query(
            connection,
            f"SELECT {quoted(column.name)}, count(*), {daily} FROM {quoted(proposal.table.table)}"
            f" WHERE {quoted(column.name)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1",
        )
        for word, count, taken in rows:
            found[word] = Drug(str(word), int(count), 2 * taken > count)
    return tuple(found.values())
