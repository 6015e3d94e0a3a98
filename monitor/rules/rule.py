"""The rule tree: what a rule is, apart from text and SQL. Conditions are in `nodes`, clauses in `other`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from monitor.records import Severity
from monitor.rules.nodes import (
    Absolute,
    And,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    Comparator,
    Compare,
    Condition,
    DateLiteral,
    DaysBetween,
    Expression,
    Function,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Number,
    Operator,
    Or,
    Param,
    SeriesFunction,
    Text,
)
from monitor.rules.other import (
    AnyOf,
    At,
    Clause,
    Each,
    OfRule,
    Open,
    Other,
    Plain,
    Series,
    State,
    Sum,
    Tie,
    Window,
    With,
    Without,
    WithoutRule,
    WithRule,
)
from monitor.rules.rate import Rate

__all__ = [
    "Absolute",
    "And",
    "AnyOf",
    "Arithmetic",
    "AsOf",
    "At",
    "Clause",
    "Clear",
    "Coalesce",
    "Column",
    "Comparator",
    "Compare",
    "Condition",
    "DateLiteral",
    "DaysBetween",
    "Due",
    "Each",
    "Example",
    "Expression",
    "Function",
    "InList",
    "InWords",
    "IsNull",
    "Level",
    "Like",
    "Matches",
    "Not",
    "Number",
    "OfRule",
    "Open",
    "Operator",
    "Or",
    "Other",
    "Param",
    "Per",
    "Plain",
    "Rate",
    "Repeat",
    "Rule",
    "Series",
    "SeriesFunction",
    "State",
    "Sum",
    "Text",
    "Tie",
    "Window",
    "With",
    "WithRule",
    "Without",
    "WithoutRule",
]


RELATION = "RELATION"  # which records RELREC relates to each other, beside the domains' tables


@dataclass(frozen=True)
class Repeat:
    """An unbroken run of at least `times` occasions.

    An occasion is the results within `occasion` days of its first. Between the dates of two that
    count lie at most `max_gap` days (None: any number), else it can't be told whether the run broke.
    """

    times: int
    occasion: int = 0
    max_gap: int | None = None


@dataclass(frozen=True)
class Due:
    """A clock that an alert carries: `within` is "7d" (calendar days) or "24h".

    `start` is what it runs from: the detection, the found record's date, or a date column of it.
    """

    DETECTED: ClassVar[str] = "detected"
    FOUND: ClassVar[str] = "found"

    within: str
    start: str = "detected"


@dataclass(frozen=True)
class Level:
    """A severity of the same alert, held by a record for which all of it is true.

    Of the levels that hold, the one with the highest severity, then the last in the file,
    is the record's; when none holds, the rule's own severity.
    """

    severity: Severity
    where: Condition | None = None
    clauses: tuple[Clause, ...] = ()
    note: str = ""
    due: Due | None = None


@dataclass(frozen=True)
class Clear:
    """What ends the episode: the first later day on which all records of the series satisfy it.

    A record for which `of` is unknown clears nothing. Without a `unit` that of the series holds.
    """

    where: Condition
    unit: str = ""


class Per(StrEnum):
    """What one finding stands for."""

    EPISODE = "episode"
    RECORD = "record"
    SUBJECT = "subject"


@dataclass(frozen=True)
class Example:
    """A worked example: raw rows by domain, and the records expected to fire or not be told.

    `rows` maps a domain to its rows, each a mapping of column to text as a data manager would
    deliver it. `fires` and `cannot_tell` hold "SUBJECT DATE" lines, with a number in front of
    the subject left as written. `params` override the pack's for this example, `study` is
    `[study]` settings such as drugs or same_day.
    """

    name: str
    rows: tuple[tuple[str, tuple[tuple[tuple[str, str], ...], ...]], ...]
    fires: tuple[str, ...]
    cannot_tell: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    params: tuple[tuple[str, float], ...] = ()
    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    as_of: str = ""
    same_day: str = "cannot tell"


@dataclass(frozen=True)
class Rule:
    """A whole rule. An instance is valid: `rulefile` refuses everything else."""

    id: str
    pack: str
    title: str
    severity: Severity
    action: str
    series: Series
    where: Condition | None
    clauses: tuple[Clause, ...] = ()
    levels: tuple[Level, ...] = ()
    clear: Clear | None = None
    per: Per = Per.EPISODE
    basis: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    family: str = ""
    examples: tuple[Example, ...] = ()
    version: str = ""  # hash of the file's meaning (not of its examples)
    repeat: Repeat | None = None
    finds: tuple[str, ...] = ()  # rules whose findings are the found records, in the domain of `series`
    rate: Rate | None = None  # a rule about a study, site or arm
    due: Due | None = None

    @property
    def plain_clauses(self) -> tuple[Plain, ...]:
        """All clauses of the rule and of its levels, those of groups one by one."""
        given = [*self.clauses, *(clause for level in self.levels for clause in level.clauses)]
        return tuple(
            item for clause in given for item in (clause.items if isinstance(clause, AnyOf) else (clause,))
        )

    @property
    def refers_to(self) -> tuple[str, ...]:
        """The rules whose episodes this rule asks for, each once."""
        named = [clause.rule for clause in self.plain_clauses if isinstance(clause, OfRule)]
        among = [self.rate.among] if self.rate is not None and self.rate.among else []
        return tuple(dict.fromkeys([*self.finds, *among, *named]))

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that this rule looks at, that of its own series first, each once."""
        others = [clause.series.domain for clause in self.plain_clauses if isinstance(clause, Other)]
        return tuple(dict.fromkeys([self.series.domain, *others, *(self.rate.domains if self.rate else ())]))

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables whose rows decide what the rule says: its domains, and of what is linked RELATION."""
        linked = any(isinstance(clause, Other) and clause.linked for clause in self.plain_clauses)
        return (*self.domains, *([RELATION] if linked else []))

    @property
    def asks_previous(self) -> bool:
        """Whether a window begins with the record before the found one."""
        windows = (clause.window for clause in self.plain_clauses)
        return any(window is not None and window.previous for window in windows)
