"""A rule file's shape → the rule tree, with every problem of the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.clinical.units import canonical, factor
from monitor.errors import Problem
from monitor.files import digest
from monitor.records import Severity
from monitor.rules import shape
from monitor.rules.conditions import read_condition
from monitor.rules.context import Parameter
from monitor.rules.examples import coverage, read_example
from monitor.rules.names import TESTS
from monitor.rules.rule import (
    And,
    AnyOf,
    At,
    Clause,
    Clear,
    Column,
    Compare,
    Condition,
    InWords,
    Level,
    Not,
    Or,
    Per,
    Rule,
    Series,
    Text,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.scope import Scope, suggest

WINDOW = re.compile(r"^(?P<low>start|-?\d+d)\.\.(?P<high>end|-?\d+d)$")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Builder:
    """Builds one rule; `problems` collects what is wrong, each with its address."""

    pack: str
    address: str
    params: Mapping[str, Parameter]
    lists: Collection[str]
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, where: str, said: str) -> None:
        """Add a problem at a key of the file."""
        self.problems.append(Problem(f"{self.address}: {where}", said))

    def rule(self, file: shape.RuleFile) -> Rule | None:
        """The rule, or None after its problems were added."""
        found = self.series(file.find, "find")
        scope = self.scope(found)
        examples = tuple(
            read_example(example, f"{self.address}: example {example.name!r}", self.problems)
            for example in file.example
        )
        rule = Rule(
            id=file.id,
            pack=self.pack,
            title=file.title,
            severity=file.severity,
            action=file.action,
            series=found,
            where=self.condition(file.find.where, scope, "find.where"),
            clauses=self.clauses(file, found),
            levels=tuple(self.level(level, found, f"level[{n}]") for n, level in enumerate(file.level, 1)),
            clear=self.clear(file.clear, found),
            per=file.per or _usual_per(found.domain),
            basis=tuple(file.basis),
            tags=tuple(file.tags),
            family=file.family,
            examples=examples,
        )
        self.demands(file, rule)
        return None if self.problems else replace(rule, version=version(rule))

    def demands(self, file: shape.RuleFile, rule: Rule) -> None:
        """What a rule needs beside keys of the right type."""
        if file.severity is not Severity.NONE and not file.action:
            self.refuse("action", "this key is required: what the reader is advised to do")
        domain = DOMAINS.get(rule.series.domain)
        findings = domain is not None and domain.record_class is RecordClass.FINDINGS
        if findings and file.severity.rank >= Severity.MEDIUM.rank and file.clear is None:
            self.refuse("clear", "a rule about findings says from severity medium up what ends the episode")
        for name in PLACEHOLDER.findall(file.action):
            if name not in self.params:
                self.refuse("action", f"{{{name}}} is not a parameter{suggest(name, self.params)}")
        for example in file.example:
            self.example_names(example)
        self.problems.extend(coverage(rule.examples, self.address))

    def example_names(self, example: shape.WorkedExample) -> None:
        """The parameters and lists that an example sets must be there."""
        where = f"example {example.name!r}"
        for name in example.params:
            if name not in self.params:
                self.refuse(f"{where}: params", f"{name} is not a parameter{suggest(name, self.params)}")
        for name in example.terms:
            if name not in (*self.lists, "ignore", "unknown"):
                self.refuse(f"{where}: terms", f"{name} is not a list{suggest(name, self.lists)}")

    # ------------------------------------------------------------ series and conditions

    def series(self, table: shape.Find | shape.With | shape.Without, where: str) -> Series:
        """The records looked at; a series of an unknown domain is refused, and empty."""
        domain = table.domain or ""
        if domain not in DOMAINS:
            self.refuse(f"{where}.in", f"{domain} is not a domain{suggest(domain, DOMAINS)}")
            return Series("")
        unit = self.unit(table.unit, f"{where}.unit")
        of = self.condition(
            table.of, Scope(domain, unit, params=self.params, lists=self.lists), f"{where}.of"
        )
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

    # ------------------------------------------------------------ clauses

    def clauses(self, file: shape.RuleFile, found: Series) -> tuple[Clause, ...]:
        """All `with`, `without` and `any` of the file."""
        return (
            *self.plain(file.with_, file.without, found, ""),
            *(self.any_group(group, found, f"any[{n}]") for n, group in enumerate(file.any, 1)),
        )

    def plain(
        self, with_: list[shape.With], without: list[shape.Without], found: Series, where: str
    ) -> list[With | Without | WithRule]:
        """The `with` and `without` of one table."""
        return [
            *(self.with_(table, found, f"{where}with[{n}]") for n, table in enumerate(with_, 1)),
            *(self.without(table, found, f"{where}without[{n}]") for n, table in enumerate(without, 1)),
        ]

    def any_group(self, group: shape.AnyGroup, found: Series, where: str) -> AnyOf:
        """A group of which one must hold."""
        items = self.plain(group.with_, group.without, found, f"{where}.")
        if len(items) < 2:
            self.refuse(where, "a group needs at least two of `with` and `without`")
        return AnyOf(tuple(items))

    def with_(self, table: shape.With, found: Series, where: str) -> With | WithRule:
        """Another record, or an open episode of another rule."""
        if table.rule is not None:
            for key in sorted(table.model_fields_set - {"rule", "same_day"}):
                name = "in" if key == "domain" else key
                self.refuse(f"{where}.{name}", "beside `rule` only `same_day` has a meaning")
            return WithRule(table.rule, table.same_day or False)
        if table.domain is None:
            self.refuse(f"{where}.in", "this key is required: a domain, or `rule` in its place")
            return WithRule("")
        if table.same_day is not None:
            self.refuse(f"{where}.same_day", "this key has a meaning only beside `rule`")
        series = self.series(table, where)
        condition = self.condition(table.where, self.scope(series, found), f"{where}.where")
        return With(series, self.window(table.window, where), condition, table.at or _usual_at(series.domain))

    def without(self, table: shape.Without, found: Series, where: str) -> Without:
        """No such record."""
        series = self.series(table, where)
        window = self.window(table.window, where)
        ahead = window.high is None or window.high > 0
        if ahead and table.open is None:
            said = "the window reaches past the found record: say `wait` or `fire` for the time until then"
            self.refuse(f"{where}.open", said)
        if table.open is not None and not ahead:
            self.refuse(
                f"{where}.open",
                "the window does not reach past the found record, so there is nothing to wait for",
            )
        condition = self.condition(table.where, self.scope(series, found), f"{where}.where")
        return Without(series, window, condition, table.at or _usual_at(series.domain), table.open)

    def window(self, text: str | None, where: str) -> Window:
        """`-28d..0d`, `start..0d`, `0d..end`: days from the found record, both ends included."""
        match = WINDOW.match(text or "")
        if match is None:
            given = f"{text!r} is not a window" if text else "this key is required"
            self.refuse(
                f"{where}.window", f'{given}: write days, both ends included, as "-28d..0d" or "start..0d"'
            )
            return Window(None, None)
        low = None if match["low"] == "start" else int(match["low"][:-1])
        high = None if match["high"] == "end" else int(match["high"][:-1])
        if low is not None and high is not None and low > high:
            self.refuse(f"{where}.window", f"{text!r} ends before it begins")
        return Window(low, high)

    def level(self, table: shape.Level, found: Series, where: str) -> Level:
        """A severity that a record can reach."""
        clauses = tuple(self.plain(table.with_, table.without, found, f"{where}."))
        if table.where is None and not clauses:
            self.refuse(where, "a level needs `where`, `with` or `without`")
        return Level(
            table.severity,
            self.condition(table.where, self.scope(found), f"{where}.where"),
            clauses,
            table.note,
        )

    def clear(self, table: shape.Clear | None, found: Series) -> Clear | None:
        """What ends the episode; its unit is the series' unless it names its own."""
        if table is None:
            return None
        unit = self.unit(table.unit, "clear.unit") or found.unit
        where = self.condition(table.where, self.scope(replace(found, unit=unit)), "clear.where")
        return None if where is None else Clear(where, unit)


def _usual_per(domain: str) -> Per:
    events = domain in DOMAINS and DOMAINS[domain].record_class is RecordClass.EVENTS
    return Per.RECORD if events else Per.EPISODE


def _usual_at(domain: str) -> At:
    events = domain in DOMAINS and DOMAINS[domain].record_class is RecordClass.EVENTS
    return At.START if events else At.ANY


def tests_of(of: Condition | None) -> Iterable[str]:
    """The test codes that a series is narrowed to, as far as its condition names them."""
    match of:
        case And(items) | Or(items):
            return [code for item in items for code in tests_of(item)]
        case Compare(_, Column(name), Text(value)) if name.endswith("TESTCD"):
            return [value]
        case InWords(Column(name), words) if name.endswith("TESTCD"):
            return list(words)
        case Not():
            return []
    return []


def version(rule: Rule) -> str:
    """The hash of what the rule means and says: all of it but its examples; 12 hex digits."""
    return digest(repr(_canonical(replace(rule, examples=(), version=""))).encode())[:12]


def _canonical(node: Any) -> Any:
    """A node as nested tuples without default values, so that a new key with a default changes no version."""
    if is_dataclass(node):
        named = [
            (key.name, getattr(node, key.name))
            for key in fields(node)
            if getattr(node, key.name) != key.default
        ]
        return (type(node).__name__, *((name, _canonical(value)) for name, value in named))
    if isinstance(node, tuple):
        return tuple(_canonical(item) for item in node)
    return str(node)
