"""What the reference says of a record or a clause: the truth, the rows it rests on, why it can't be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.records import Truth, Verdict
from monitor.rules.causes import Causes
from monitor.rules.runs import Reading
from monitor.rules.terms import Row, Scope


@dataclass(frozen=True)
class Used:
    """A row that an answer rests on; `role` is found, with, run or earlier.

    `needed`: no other record could have stood in its place, as of those that are summed.
    """

    role: str
    domain: str
    row: Row
    needed: bool = False


@dataclass(frozen=True)
class Answer:
    """The truth of a clause, the rows that made it so, and why it can't be told."""

    truth: Truth
    used: tuple[Used, ...] = ()
    causes: Causes = ()


@dataclass(frozen=True)
class Apart:
    """A record of a rule with `repeat`, before runs are counted.

    `end` are the rows of the clauses that are asked of the end of a run; `causes` is whatever is
    unknown of it.
    """

    reading: Reading
    end: tuple[Used, ...]
    causes: Causes


@dataclass(frozen=True)
class Judged:
    """What the rule says of one record, on which rows that rests, and why it can't be told.

    `answers` are those of the rule's clauses, in their order; `scope` is what its conditions saw.
    """

    verdict: Verdict
    used: tuple[Used, ...]
    causes: Causes
    answers: tuple[Answer, ...]
    scope: Scope
    apart: Apart | None = None  # of a rule with `repeat`: what was said of it apart from any run

    @property
    def found(self) -> Row:
        """The record itself."""
        return self.used[0].row


def rows_of(answers: Iterable[Answer]) -> tuple[Used, ...]:
    """The rows that answers rest on."""
    return tuple(used for one in answers for used in one.used)


def each_row_once(used: Iterable[Used]) -> tuple[Used, ...]:
    """The first use of each row."""
    first: dict[tuple[str, int], Used] = {}
    for one in used:
        first.setdefault((one.domain, one.row["ROWN"]), one)
    return tuple(first.values())
