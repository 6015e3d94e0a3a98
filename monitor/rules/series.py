"""Which records make one series, in which order, and what comes before a record. Rows only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from math import inf
from typing import Any

from monitor.clinical.domains import DOMAINS
from monitor.records import Days, Truth
from monitor.rules.nodes import SeriesFunction
from monitor.rules.texts import normal

Row = Mapping[str, Any]
Partition = tuple[str | None, ...]

LATE = 10**9  # after every day: a record without a date is ordered last


def partition_of(domain: str, row: Row) -> Partition:
    """What tells one series of a subject from another: test and specimen, or treatment; () for events."""
    groups = DOMAINS[domain].partition if domain in DOMAINS else ()
    return tuple(_first(row, names) for names in groups)


def _first(row: Row, names: Sequence[str]) -> str | None:
    return next((normal(row[name]) for name in names if row.get(name) is not None), None)


def place(days: Days, second: int | None, row: int) -> tuple[int, int, int, int]:
    """Where a record stands in its series: first day (missing last), time (missing first), last day, row."""
    low, high = days.low, days.high
    first, last = LATE if low is None else low, LATE if high is None else high
    return (first, -1 if second is None else second, last, row)


def order(row: Row) -> tuple[int, int, int, int]:
    """Where a record stands in its series."""
    return place(Days(row.get("DAY_LO"), row.get("DAY_HI")), row.get("SECOND"), row["ROWN"])


@dataclass(frozen=True)
class History:
    """A subject's series: each partition's sure records in their order, and from when on it is doubtful.

    A record is not sure when it may not be of the series, has no one exact day, or has no test (or
    treatment): then it may belong to any partition. `doubts` holds the first day on which such a
    record can lie, by partition; `doubt` that of those without a test.
    """

    domain: str
    members: Mapping[Partition, Sequence[Row]]
    doubts: Mapping[Partition, float]
    doubt: float = inf
    positions: Mapping[int, int] = field(default_factory=dict)  # of sure records, by ROWN

    def earlier(self, row: Row) -> Sequence[Row] | None:
        """The records before a record of the series, in order; None when that can't be told."""
        own = partition_of(self.domain, row)
        position = self.positions.get(row["ROWN"])
        if position is None or row["DAY_LO"] >= min(self.doubt, self.doubts.get(own, inf)):
            return None
        return self.members[own][:position]

    def doubtful(self, row: Row) -> bool:
        """Whether a record itself has no sure place."""
        return row["ROWN"] not in self.positions


def history(domain: str, records: Iterable[tuple[Row, Truth]]) -> History:
    """The series of one subject, from its records and whether each is of the series."""
    members: dict[Partition, list[Row]] = {}
    doubts: dict[Partition, float] = {}
    doubt = inf
    for row, member in records:
        own = partition_of(domain, row)
        nameless = own[:1] == (None,)
        exact = Days(row.get("DAY_LO"), row.get("DAY_HI")).exact
        if member is Truth.TRUE and exact and not nameless:
            members.setdefault(own, []).append(row)
            continue
        first = -inf if row.get("DAY_LO") is None else row["DAY_LO"]
        doubts[own] = min(first, doubts.get(own, inf))
        doubt = min(first, doubt) if nameless else doubt
    ordered = {own: sorted(rows, key=order) for own, rows in members.items()}
    positions = {row["ROWN"]: n for rows in ordered.values() for n, row in enumerate(rows)}
    return History(domain, ordered, doubts, doubt, positions)


def functions_in(*conditions: object) -> tuple[SeriesFunction, ...]:
    """The series functions that conditions ask, each once, in order."""
    return tuple(dict.fromkeys(found for item in conditions for found in _functions(item)))


def _functions(node: object) -> Iterator[SeriesFunction]:
    if isinstance(node, SeriesFunction):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from _functions(part)
    elif is_dataclass(node):
        for key in fields(node):
            yield from _functions(getattr(node, key.name))
