"""What a condition may name where it stands, and how its kinds and units may meet.

Kinds: number, quantity (a number in the unit of its series), text, date. A quantity meets a
number, or a parameter with a unit, only in a series that declares its `unit`. Without one it may
be compared with a number times another quantity of the same record (3 * LBSTNRHI), and with 0,
which is the same in every unit.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from monitor.clinical.units import conversions
from monitor.records import Kind
from monitor.rules.context import Parameter
from monitor.rules.rule import Expression, Number, Param


@dataclass(frozen=True)
class Scope:
    """Where a condition stands.

    `unit` is that of the series (None: units are not checked; "": the series declares none).
    `found_domain` and `found_unit` are those of the found record, inside `with` and `without`.
    `params` and `lists` are those that the rule's pack knows; None: any name is taken.
    `no_past` says why earlier records of the series can't be asked for here; "" where they can.
    """

    domain: str
    unit: str | None = None
    found_domain: str = ""
    found_unit: str | None = None
    params: Mapping[str, Parameter] | None = None
    lists: Collection[str] | None = None
    no_past: str = ""


@dataclass(frozen=True)
class Part:
    """An expression that was read, with what is known of it; `at` is its place in the text.

    `own` and `found` say that it holds a quantity of the record itself, of the found record;
    `plain` that it holds a column or a count of days that has no unit, `past` that it holds a
    quantity of an earlier record, `per_kg` that it is a dose per kg of body weight.
    """

    node: Expression
    kind: Kind
    at: int
    text: str
    own: bool = False
    found: bool = False
    plain: bool = False
    past: bool = False
    per_kg: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it is a number or a quantity."""
        return self.kind in (Kind.NUMBER, Kind.QUANTITY)


class Mismatch(Exception):
    """Two parts that don't go together; `at` is where in the text."""

    def __init__(self, at: int, said: str) -> None:
        super().__init__(said)
        self.at = at
        self.said = said


def suggest(given: str, known: Iterable[str]) -> str:
    """What the author may have meant: "; did you mean X?", or "" when nothing is close."""
    spelled = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(given.casefold(), list(spelled), n=1)
    return f"; did you mean {spelled[close[0]]}?" if close else ""


def meet(scope: Scope, left: Part, right: Part) -> Part:
    """The two parts as one, for a sum or a comparison. Raises Mismatch."""
    if not (left.numeric and right.numeric):
        if left.kind is not right.kind:
            raise Mismatch(right.at, f"{left.text} is a {left.kind} and {right.text} a {right.kind}")
        return _both(left, right, left.kind)
    if Kind.QUANTITY not in (left.kind, right.kind):
        return _both(left, right, Kind.NUMBER)
    for one, other in ((left, right), (right, left)):
        _refuse_plain(scope, one, other)
    _refuse_weights(left, right)
    joined = _both(left, right, Kind.QUANTITY)
    if not _same_record(left, right):
        _need_units(scope, joined)
    return joined


def compared(scope: Scope, left: Part, right: Part) -> None:
    """Whether the two may be compared: as `meet`, and a quantity with 0 needs no unit."""
    zero = [part for part in (left, right) if part.node == Number(0.0)]
    if zero and left.numeric and right.numeric:
        return
    meet(scope, left, right)


def _both(left: Part, right: Part, kind: Kind) -> Part:
    return replace(
        left,
        kind=kind,
        at=min(left.at, right.at),
        text=f"{left.text} … {right.text}",
        own=left.own or right.own,
        found=left.found or right.found,
        plain=left.plain or right.plain,
        past=left.past or right.past,
    )


def _refuse_plain(scope: Scope, one: Part, other: Part) -> None:
    """A quantity never meets a column or a parameter that has no unit."""
    if one.kind is Kind.NUMBER and one.plain:
        raise Mismatch(one.at, f"{one.text} has no unit, and {other.text} is a quantity")
    if one.kind is Kind.NUMBER and isinstance(one.node, Param) and scope.params is not None:
        raise Mismatch(
            one.at, f"{one.text} has no unit, and {other.text} is a quantity: give the parameter its unit"
        )


def _refuse_weights(left: Part, right: Part) -> None:
    """A dose never meets a dose per kg; a bare number is what it stands beside."""
    quantities = left.kind is right.kind is Kind.QUANTITY
    if quantities and left.per_kg is not right.per_kg:
        heavy, light = (left, right) if left.per_kg else (right, left)
        raise Mismatch(
            right.at, f"{heavy.text} is per kg and {light.text} is not; multiply by WEIGHT, or divide by it"
        )


def _same_record(left: Part, right: Part) -> bool:
    """Whether both are quantities of one and the same record, which share its unit."""
    both = left.kind is right.kind is Kind.QUANTITY
    one_own = (left.own, left.found) == (right.own, right.found) and left.own != left.found
    return both and one_own and not (left.past or right.past)


def _need_units(scope: Scope, joined: Part) -> None:
    if scope.unit is None:
        return
    if not scope.unit:
        raise Mismatch(
            joined.at,
            f"{joined.text}: a quantity meets a number or another record's quantity, so this series"
            ' needs its `unit`, e.g. unit = "10^9/L"',
        )
    if joined.found and scope.found_unit and scope.found_unit != scope.unit:
        given = scope.found_unit
        raise Mismatch(
            joined.at,
            f"{joined.text}: the found record has {given} and this series {scope.unit}; make them one",
        )


def convertible(unit: str, target: str) -> bool:
    """Whether numbers in `unit` can be given in `target`, for some analyte at least."""
    return unit == target or any(known.unit == unit for known in conversions(target))
