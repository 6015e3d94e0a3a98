"""What a pack may not contain although each of its rules can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from monitor.errors import Problem
from monitor.rules.context import Parameter
from monitor.rules.rule import Number, Rule
from monitor.rules.rulefile import Pack

TRIVIAL = (0.0, 1.0)  # "more than none" and "yes" are nobody's threshold


def check_pack(pack: Pack) -> list[Problem]:
    """Numbers that stand in a rule although its own pack has them as a parameter.

    Another pack's number of the same value means something else.
    """
    own = {name: {each: pack.params[each] for each in sorted(names)} for name, names in pack.own.items()}
    return [problem for rule in pack.rules for problem in _repeated(rule, own.get(rule.pack, {}))]


def _repeated(rule: Rule, params: Mapping[str, Parameter]) -> list[Problem]:
    """A number written twice: changing the parameter would leave the rule behind."""
    address = f"rules/{rule.pack}/{rule.id}.toml"
    by_value = {param.value: name for name, param in sorted(params.items(), reverse=True)}
    return [
        Problem(
            address,
            f"{value:g} is the value of :{by_value[value]} too; write :{by_value[value]} in its place",
        )
        for value in dict.fromkeys(_numbers(_meaning(rule)))
        if value in by_value and value not in TRIVIAL
    ]


def _meaning(rule: Rule) -> tuple[object, ...]:
    """The parts of a rule in which numbers stand."""
    return (rule.series, rule.where, rule.clauses, rule.levels, rule.clear)


def _numbers(node: object) -> Iterator[float]:
    if isinstance(node, Number):
        yield node.value
    elif isinstance(node, tuple):
        for item in node:
            yield from _numbers(item)
    elif is_dataclass(node):
        for key in fields(node):
            yield from _numbers(getattr(node, key.name))
