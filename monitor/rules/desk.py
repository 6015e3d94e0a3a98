"""Reads the series and conditions of one rule file, and collects what is wrong in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from monitor.clinical.domains import DOMAINS
from monitor.clinical.units import canonical, factor
from monitor.errors import Problem
from monitor.rules import shape
from monitor.rules.conditions import read_condition
from monitor.rules.context import Parameter
from monitor.rules.names import TESTS
from monitor.rules.rule import And, Column, Compare, Condition, InWords, Or, Series, Text
from monitor.rules.scope import Scope, suggest

MAKES_SERIES = "has no meaning in `of`, which makes the series: ask it in `where`"


@dataclass(frozen=True)
class Desk:
    """Where one rule file is read: what it may name; `problems` collects what is wrong in it."""

    pack: str
    address: str
    params: Mapping[str, Parameter]
    lists: Collection[str]
    problems: list[Problem] = field(default_factory=list)
    found: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # all rules: domains of their records

    def refuse(self, where: str, said: str) -> None:
        """Add a problem at a key of the file."""
        self.problems.append(Problem(f"{self.address}: {where}", said))

    def series(self, table: shape.Find | shape.With | shape.Without, where: str) -> Series:
        """The records looked at; a series of an unknown domain is refused, and empty."""
        domain = table.domain or ""
        if domain not in DOMAINS:
            self.refuse(f"{where}.in", f"{domain} is not a domain{suggest(domain, DOMAINS)}")
            return Series("")
        unit = self.unit(table.unit, f"{where}.unit")
        scope = Scope(domain, unit, params=self.params, lists=self.lists, no_past=MAKES_SERIES)
        of = self.condition(table.of, scope, f"{where}.of")
        if unit:
            self.measured(of, unit, f"{where}.unit")
        return Series(domain, of, unit)

    def unit(self, given: str, where: str) -> str:
        """The unit, refused when it is not known or not in its one spelling."""
        known = canonical(given)
        if given and known != given:
            self.refuse(where, f"{given} is written {known}" if known else f"{given} is not a known unit")
        return known or ""

    def measured(self, of: Condition | None, unit: str, where: str) -> None:
        """Refuse a unit in which a test of the series can't be given."""
        for code in tests_of(of):
            usual = TESTS.get(code, ("", ""))[1]
            if usual and factor(code, usual, unit) is None:
                self.refuse(where, f"{code} is measured in {usual}, which can't be converted to {unit}")

    def scope(self, series: Series, found: Series | None = None) -> Scope:
        """What a condition over the series may name."""
        return Scope(
            domain=series.domain,
            unit=series.unit,
            found_domain=found.domain if found else "",
            found_unit=found.unit if found else None,
            params=self.params,
            lists=self.lists,
        )

    def condition(self, text: str | None, scope: Scope, where: str) -> Condition | None:
        """A condition of the file; none is none, and so is one whose domain was refused."""
        refused = not scope.domain or (scope.found_unit is not None and not scope.found_domain)
        if text is None or refused:
            return None
        return read_condition(text, scope, f"{self.address}: {where}", self.problems)


def tests_of(of: Condition | None) -> Iterable[str]:
    """The test codes that a series is narrowed to, as far as its condition names them."""
    match of:
        case And(items) | Or(items):
            return [code for item in items for code in tests_of(item)]
        case Compare(_, Column(name), Text(value)) if name.endswith("TESTCD"):
            return [value]
        case InWords(Column(name), words) if name.endswith("TESTCD"):
            return list(words)
    return []
