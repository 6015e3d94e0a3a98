"""The nodes of a condition: frozen, typed, closed.

Conditions are three-valued. A comparison with a missing operand is unknown. A quantity that
is censored, and a date that is partial, is a set of possible values: a direct comparison is
true when it holds for all of them, false when for none, else unknown; in arithmetic such a
value is missing. Numbers are compared at 12 significant digits: `a > b` means
`a - b > 1e-12 * (size(a) + size(b))`, where the size of a sum or difference is the sum of the
sizes of its terms, of a product (quotient) the product (quotient) of sizes, of abs(x) that of
x, of coalesce that of the item chosen, and of anything else its absolute value; so
0.1 * 3 > 0.3 is false on every engine.

Text is compared without regard to case and surrounding blanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum

from monitor.records import Kind

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
    """coalesce(a, b, …): the first that is not missing. Numbers or quantities only.

    A censored result is not missing: when it comes first, the whole has no one value.
    """

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class DaysBetween:
    """days(a, b): days from date a to date b, a number; missing when either is partial."""

    first: Expression
    last: Expression


class Function(StrEnum):
    """What a record can ask of the earlier records of its series."""

    PREV = "prev"
    DAYS_SINCE_PREV = "days_since_prev"
    SINCE = "since"
    NTH = "nth"
    HIGHEST = "highest"
    LOWEST = "lowest"


@dataclass(frozen=True)
class SeriesFunction:
    """A value from the earlier records of the record's series, in the order of day, time and file.

    Of a series are the records of the same test and specimen, or of the same treatment
    (`Domain.partition`), of which `of` holds.

    prev(x): x of the last earlier record that has one. since(x): the day of the earliest record of
    the unbroken run of equal x (each equal to the next) that ends with that record. highest(x),
    lowest(x): the extreme of the earlier records. days_since_prev(): days from the previous
    record. nth(): the record's own number, from 1.

    Absent when there is no such earlier record. What can't be told is not absent, and any value is
    possible: where the record is not surely of the series, has no one exact day, or its test or
    treatment is missing, or where such a record could lie before it; and where an earlier value
    that is needed is censored or can't be converted.
    """

    function: Function
    column: Column | None = None


Expression = (
    Number
    | Text
    | DateLiteral
    | Column
    | Param
    | AsOf
    | Arithmetic
    | Absolute
    | Coalesce
    | DaysBetween
    | SeriesFunction
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


def nodes(item: object) -> Iterator[object]:
    """Every node of a tree, the tree itself first."""
    if isinstance(item, tuple):
        for part in item:
            yield from nodes(part)
    elif is_dataclass(item):
        yield item
        for each in fields(item):
            yield from nodes(getattr(item, each.name))
