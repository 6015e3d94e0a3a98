"""A rule file's shape → the rule tree, with every problem of the file."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from monitor.clinical.domains import DOMAINS, RecordClass, dates_of
from monitor.files import digest
from monitor.records import Severity
from monitor.rules import shape
from monitor.rules.clauses import read_clauses, read_plain
from monitor.rules.desk import Desk
from monitor.rules.examples import coverage, read_example
from monitor.rules.findrule import read_found, read_rate
from monitor.rules.repeating import read_repeat
from monitor.rules.rule import Clear, Due, Level, Per, Rule, Series
from monitor.rules.scope import suggest

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def build_rule(desk: Desk, file: shape.RuleFile) -> Rule | None:
    """The rule, or None after its problems were added."""
    found = read_found(desk, file)
    scope = desk.scope(found)
    examples = tuple(
        read_example(example, f"{desk.address}: example {example.name!r}", desk.problems, file.rate)
        for example in file.example
    )
    rule = Rule(
        id=file.id,
        pack=desk.pack,
        title=file.title,
        severity=file.severity,
        action=file.action,
        series=found,
        where=desk.condition(file.find.where, scope, "find.where"),
        clauses=read_clauses(desk, file, found),
        levels=tuple(_level(desk, level, found, f"level[{n}]") for n, level in enumerate(file.level, 1)),
        clear=_clear(desk, file.clear, found),
        per=file.per or _usual_per(file, found.domain),
        basis=tuple(file.basis),
        tags=tuple(file.tags),
        family=file.family,
        examples=examples,
        repeat=read_repeat(desk, file),
        finds=file.find.rules,
        rate=read_rate(desk, file),
        due=_due(desk, file.due, found.domain, "due"),
    )
    _demands(desk, file, rule)
    return None if desk.problems else replace(rule, version=version(rule))


def _demands(desk: Desk, file: shape.RuleFile, rule: Rule) -> None:
    """What a rule needs beside keys of the right type."""
    if file.severity is not Severity.NONE and not file.action:
        desk.refuse("action", "this key is required: what the reader is advised to do")
    domain = DOMAINS.get(rule.series.domain)
    findings = domain is not None and domain.record_class is RecordClass.FINDINGS
    ended = file.clear is not None or rule.finds or rule.rate is not None
    if findings and file.severity.rank >= Severity.MEDIUM.rank and not ended:
        desk.refuse("clear", "a rule about findings says from severity medium up what ends the episode")
    for name in PLACEHOLDER.findall(file.action):
        if name not in desk.params:
            desk.refuse("action", f"{{{name}}} is not a parameter{suggest(name, desk.params)}")
    for example in file.example:
        _example_names(desk, example)
    desk.problems.extend(coverage(rule.examples, desk.address, study=rule.rate is not None))


def _example_names(desk: Desk, example: shape.WorkedExample) -> None:
    """The parameters and lists that an example sets must be there."""
    where = f"example {example.name!r}"
    for name in example.params:
        if name not in desk.params:
            desk.refuse(f"{where}: params", f"{name} is not a parameter{suggest(name, desk.params)}")
    for name in example.terms:
        if name not in (*desk.lists, "ignore", "unknown"):
            desk.refuse(f"{where}: terms", f"{name} is not a list{suggest(name, desk.lists)}")


def _level(desk: Desk, table: shape.Level, found: Series, where: str) -> Level:
    """A severity that a record can reach."""
    clauses = tuple(read_plain(desk, table.with_, table.without, found, f"{where}."))
    if table.where is None and not clauses:
        desk.refuse(where, "a level needs `where`, `with` or `without`")
    return Level(
        table.severity,
        desk.condition(table.where, desk.scope(found), f"{where}.where"),
        clauses,
        table.note,
        _due(desk, table.due, found.domain, f"{where}.due"),
    )


def _due(desk: Desk, table: shape.Due | None, domain: str, where: str) -> Due | None:
    """The clock that an alert carries; what it runs from is a date of the found record, or none."""
    if table is None:
        return None
    known = (Due.DETECTED, Due.FOUND, *(dates_of(domain) if domain in DOMAINS else ()))
    if domain in DOMAINS and table.start not in known:
        said = f"{table.start} is no date of {domain}, nor `detected` or `found`{suggest(table.start, known)}"
        desk.refuse(f"{where}.from", said)
    return Due(table.within, table.start)


def _clear(desk: Desk, table: shape.Clear | None, found: Series) -> Clear | None:
    """What ends the episode; its unit is the series' unless it names its own."""
    if table is None:
        return None
    unit = desk.unit(table.unit, "clear.unit") or found.unit
    where = desk.condition(table.where, desk.scope(replace(found, unit=unit)), "clear.where")
    return None if where is None else Clear(where, unit)


def _usual_per(file: shape.RuleFile, domain: str) -> Per:
    if file.rate is not None:
        return Per.SUBJECT
    events = domain in DOMAINS and DOMAINS[domain].record_class is RecordClass.EVENTS
    return Per.RECORD if events or file.find.rules else Per.EPISODE


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
