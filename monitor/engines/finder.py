"""What evaluation asks of an engine: words, rows, and what a rule finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from monitor.engines.part import EVERY
from monitor.records import Episode, Verdict
from monitor.rules.context import Context
from monitor.rules.rule import Rule
from monitor.rules.terms import Row


class Found(Protocol):
    """What a rule found: all records of the series of every subject of whom one fires or can't be told.

    `considered` and `subjects` count the whole series, `newest` is the ISO date of its newest
    record or "". `fired` and `cannot_tell` count records.
    """

    @property
    def verdicts(self) -> tuple[Verdict, ...]: ...  # noqa: D102
    @property
    def considered(self) -> int: ...  # noqa: D102
    @property
    def subjects(self) -> int: ...  # noqa: D102
    @property
    def newest(self) -> str: ...  # noqa: D102
    @property
    def fired(self) -> int: ...  # noqa: D102
    @property
    def cannot_tell(self) -> int: ...  # noqa: D102


class Finder(Protocol):
    """An engine over one study's derived tables."""

    def words(self, domain: str, column: str) -> Sequence[str]:
        """The distinct texts of a column."""

    def counts(self, domain: str, column: str) -> Mapping[str, int]:
        """In how many rows each text of a column stands."""

    def rows(
        self, domain: str, subjects: Iterable[str], *, part: str = EVERY, numbers: Iterable[int] = ()
    ) -> Sequence[Row]:
        """The rows of some subjects (in a part: SQL), and those so numbered, in the table's order."""

    def unseen(self, rule: Rule, context: Context) -> Sequence[str]:
        """The subjects to whom a dose was given and of whom the series has no record."""

    def fires(self, rule: Rule, context: Context) -> bool:
        """Whether a rule without references fires at all."""

    def find(
        self, rule: Rule, context: Context, episodes: Iterable[Episode] = (), *, first: bool = False
    ) -> Found:
        """What a rule finds; `episodes` are those of the rules that it refers to.

        With `first` only the first of each subject's surest records.
        """
