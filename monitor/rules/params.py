"""The numbers of a pack, each with its unit and where it is from, and what a study makes of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor.clinical.units import canonical
from monitor.errors import Problem, RuleError
from monitor.rules.context import Parameter
from monitor.rules.scope import suggest
from monitor.rules.shape import ParamFile, read_toml, shaped, text_of

ORDER = re.compile(r"^\s*(\w+)\s*(<=|<)\s*(\w+)\s*$")
STUDY = "study"  # the source of a number that the study's configuration sets


@dataclass(frozen=True)
class Order:
    """`low <= high` (strict: `<`): what two parameters must keep, whatever a study sets."""

    low: str
    high: str
    strict: bool

    def broken(self, params: Mapping[str, Parameter]) -> str:
        """What contradicts, or ""."""
        low, high = params[self.low], params[self.high]
        if low.value < high.value or (low.value == high.value and not self.strict):
            return ""
        return f"{low.name} = {low.value:g} contradicts {high.name} = {high.value:g}"


@dataclass(frozen=True)
class ParamSet:
    """A file of parameters: `params.toml`, or a preset, which replaces some of them."""

    params: Mapping[str, Parameter] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()


def read_params(path: Path, address: str, problems: list[Problem]) -> ParamSet:
    """The parameters of one file; an absent file has none."""
    data = read_toml(text_of(path, address, problems), address, problems) if path.exists() else {}
    orders = (data or {}).pop("order", [])
    params = {
        name: found
        for name, value in (data or {}).items()
        if (found := _parameter(name, value, address, problems)) is not None
    }
    return ParamSet(params, tuple(_orders(orders, params, address, problems)))


def _parameter(name: str, value: object, address: str, problems: list[Problem]) -> Parameter | None:
    where = f"{address}: {name}"
    if not isinstance(value, dict):
        problems.append(Problem(where, 'write it as { value = 400, unit = "10^9/L", from = "label" }'))
        return None
    shape = shaped(ParamFile, value, where, problems)
    if shape is None:
        return None
    if shape.unit and canonical(shape.unit) != shape.unit:
        known = canonical(shape.unit)
        problems.append(
            Problem(where, f"the unit {shape.unit} {f'is written {known}' if known else 'is not known'}")
        )
        return None
    return Parameter(name, shape.value, shape.unit, shape.source)


def _orders(
    lines: object, params: Mapping[str, Parameter], address: str, problems: list[Problem]
) -> list[Order]:
    found = []
    for line in lines if isinstance(lines, list) else [lines]:
        match = ORDER.match(str(line))
        if match is None or match[1] not in params or match[3] not in params:
            problems.append(Problem(f"{address}: order", f'{line!r}: write two parameters, "low <= high"'))
        else:
            found.append(Order(match[1], match[3], match[2] == "<"))
    return found


def contradictions(params: Mapping[str, Parameter], orders: Collection[Order], address: str) -> list[Problem]:
    """Each order that the values break."""
    return [Problem(address, said) for order in orders if (said := order.broken(params))]


def resolve(
    known: ParamSet, preset: ParamSet | None, study: Mapping[str, float], confirmed: Collection[str]
) -> dict[str, Parameter]:
    """The parameters of a study: the pack's, then its preset's, then its own, confirmed or not.

    A number that the study sets counts as confirmed. Raises RuleError for unknown names and for
    values that contradict each other.
    """
    params = {**known.params, **(preset.params if preset else {})}
    problems = [
        Problem(
            f"study.{table}.{name}", f"this is not a parameter of the study's rules{suggest(name, params)}"
        )
        for table, names in (("params", study), ("confirmed", confirmed))
        for name in names
        if name not in params
    ]
    resolved = {
        name: replace(param, value=float(study[name]), source=STUDY, confirmed=True)
        if name in study
        else replace(param, confirmed=name in confirmed)
        for name, param in params.items()
    }
    problems += contradictions(resolved, known.orders, "study.params")
    if problems:
        raise RuleError(problems)
    return resolved
