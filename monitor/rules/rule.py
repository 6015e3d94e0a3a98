"""The rule tree: frozen, typed, closed. What a rule is, apart from its text and its SQL.

Conditions are three-valued. A comparison with a missing operand is unknown. A quantity that
is censored, and a date that is partial, is a set of possible values: a direct comparison is
true when it holds for all of them, false when for none, else unknown; in arithmetic such a
value is missing. Numbers are compared at 12 significant digits: `a > b` means
`a - b > 1e-12 * (size(a) + size(b))`, where the size of a sum or difference is the sum of the
sizes of its terms, of a product (quotient) the product (quotient) of sizes, and of anything
else its absolute value; so 0.1 * 3 > 0.3 is false on every engine.

Text is compared without regard to case and surrounding blanks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.records import Kind, Severity

# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Number:
    """A number in the text of a rule."""

    value: float


@dataclass(frozen=True)
class Text:
    """A quoted text."""

    value: str


@dataclass(frozen=True)
class DateLiteral:
    """A date, as days since 1970-01-01."""

    day: int


@dataclass(frozen=True)
class Column:
    """A column of the record; with `of_found`, of the found record (`this.COL`)."""

    name: str
    kind: Kind
    of_found: bool = False


@dataclass(frozen=True)
class Param:
    """A parameter `:name`; its value and unit come from the study's context."""

    name: str


@dataclass(frozen=True)
class AsOf:
    """`:as_of`, the data cut-off date."""


class Operator(StrEnum):
    """Arithmetic. Division by zero is missing."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers combined; missing when either is."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Absolute:
    """abs(x)."""

    item: Expression


@dataclass(frozen=True)
class Coalesce:
    """coalesce(a, b, …): the first that is not missing. Numbers or quantities only."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class DaysBetween:
    """days(a, b): days from date a to date b, a number; missing when either is partial."""

    first: Expression
    last: Expression


Expression = (
    Number | Text | DateLiteral | Column | Param | AsOf | Arithmetic | Absolute | Coalesce | DaysBetween
)

# ---------------------------------------------------------------- conditions


class Comparator(StrEnum):
    """How two values are compared."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


@dataclass(frozen=True)
class Compare:
    """Two expressions of one kind compared. Text knows only = and !=."""

    comparator: Comparator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class InWords:
    """A text column is one of the given words."""

    column: Column
    words: tuple[str, ...]


@dataclass(frozen=True)
class InList:
    """A text column is in `@list`, closed: a word in no list of the study is unknown."""

    column: Column
    list: str


@dataclass(frozen=True)
class Like:
    """A text column matches a pattern of % (any text) and _ (any one character)."""

    column: Column
    pattern: str


@dataclass(frozen=True)
class Matches:
    """Free text contains a term of `@list`; a term beginning with ! makes it unknown."""

    columns: tuple[Column, ...]
    list: str


@dataclass(frozen=True)
class IsNull:
    """A column is missing. A censored result and a partial date are not missing."""

    column: Column


@dataclass(frozen=True)
class Not:
    """True when the item is false, unknown when it is unknown."""

    item: Condition


@dataclass(frozen=True)
class And:
    """The least of its items."""

    items: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """The greatest of its items."""

    items: tuple[Condition, ...]


Condition = Compare | InWords | InList | Like | Matches | IsNull | Not | And | Or

# ---------------------------------------------------------------- the rule


@dataclass(frozen=True)
class Series:
    """The records looked at: a domain, narrowed by `of`; `unit` is that of the rule's numbers.

    `unit` is a key of `monitor.clinical.units`. A record for which `of` is unknown belongs to
    the series, and its truth is at most unknown.
    """

    domain: str
    of: Condition | None = None
    unit: str = ""


@dataclass(frozen=True)
class Window:
    """Days relative to the found record, both ends included; None is unbounded.

    An unbounded high end means the end of the data, so it never reaches past them.
    """

    low: int | None
    high: int | None


class At(StrEnum):
    """Which part of the other record must lie in the window."""

    ANY = "any"
    START = "start"
    END = "end"


@dataclass(frozen=True)
class With:
    """Another record of the same subject, in the window, for which `where` holds."""

    series: Series
    window: Window
    where: Condition | None = None
    at: At = At.ANY


class Open(StrEnum):
    """What a `without` says while the data have not passed the end of its window."""

    WAIT = "wait"
    FIRE = "fire"


@dataclass(frozen=True)
class Without:
    """No such record in the window. `open` is needed when the window reaches past day 0."""

    series: Series
    window: Window
    where: Condition | None = None
    at: At = At.ANY
    open: Open | None = None


@dataclass(frozen=True)
class WithRule:
    """An episode of another rule is open at the found record.

    Open from the day after the record that opened it, unless `same_day`; then on the opening
    day itself too: by the times of day when both are known, else as the study's `same_day`
    setting says (before, after, or cannot tell). On the day on which it closes it is no
    longer open.
    """

    rule: str
    same_day: bool = False


@dataclass(frozen=True)
class AnyOf:
    """One of its clauses must hold."""

    items: tuple[With | Without | WithRule, ...]


Clause = With | Without | WithRule | AnyOf


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


@dataclass(frozen=True)
class Clear:
    """What ends the episode: the first later day on which all records of the series satisfy it."""

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

    @property
    def refers_to(self) -> tuple[str, ...]:
        """The rules whose episodes this rule asks for, each once."""
        found: dict[str, None] = {}
        pending: list[Clause] = [*self.clauses, *(c for level in self.levels for c in level.clauses)]
        while pending:
            clause = pending.pop(0)
            if isinstance(clause, AnyOf):
                pending.extend(clause.items)
            elif isinstance(clause, WithRule):
                found[clause.rule] = None
        return tuple(found)
