"""The rules of a whole protocol, said in the language: which constructs each one needs.

`python -m tests.rules.constructs` writes docs/constructs.md afresh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from monitor.rules.rule import Rule, Window
from monitor.rules.rulefile import load_rules

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "constructs.md"
PACKS = ("generic", "romiplostim-aa", "ecg", "negative-control")
ELSEWHERE = {
    "G-04": "the alert's life: a follow-up that makes an event serious or fatal opens a further clock",
    "G-16": "the monitor's own alerts: a held or missing transfer, a missed run, an alert not acknowledged",
}
# Nodes whose name an author does not write; the rest are called what he writes.
SILENT = {
    "Rule",
    "Series",
    "Column",
    "Number",
    "Text",
    "Param",
    "And",
    "Or",
    "Compare",
    "Window",
    "Clear",
    "Example",
}
WRITTEN = {
    "With": "with",
    "Without": "without",
    "WithRule": "with.rule",
    "WithoutRule": "without.rule",
    "AnyOf": "any",
    "Level": "level",
    "InList": "in @list",
    "InWords": "in (…)",
    "IsNull": "is null",
    "Matches": "matches @list",
    "DaysBetween": "days()",
    "AsOf": ":as_of",
    "Not": "not",
    "Arithmetic": "arithmetic",
    "Absolute": "abs()",
}
MARKS = ("run_end", "same_day", "linked", "latest")
NUMBERED = ("count", "sum", "tie", "state", "open")


def constructs(rule: Rule) -> list[str]:
    """What of the language a rule uses, in a fixed order, each once."""
    return sorted(set(_named(rule)))


def _named(node: Any) -> Iterator[str]:
    for item in node if isinstance(node, tuple) else ():
        yield from _named(item)
    if is_dataclass(node) and not isinstance(node, type):
        yield from _of_node(node)
        for field in fields(node):
            if field.name != "examples":
                yield from _named(getattr(node, field.name))


def _of_node(node: Any) -> Iterator[str]:
    """What an author writes for a node and its keys."""
    name = type(node).__name__
    if name == "SeriesFunction":
        yield f"{node.function.value}()"
    elif name not in SILENT:
        yield WRITTEN.get(name, name.lower())
    if isinstance(node, Window):
        yield from _window(node)
    if isinstance(node, Rule) and node.finds:
        yield "find.rule"
    for field in fields(node):
        value = getattr(node, field.name)
        if field.name in MARKS and value is True:
            yield field.name
        if field.name in NUMBERED and value not in (None, field.default):
            yield field.name


def _window(window: Window) -> Iterator[str]:
    if "prev" in (str(window.low), str(window.high)):
        yield "window prev"
    if str(getattr(window, "unit", "")).startswith("h"):
        yield "hours"


def page() -> str:
    """docs/constructs.md: a table of the rules and what they need."""
    rules = load_rules(ROOT / "rules", PACKS).rules
    lines = [
        "# A protocol's rules in the language",
        "",
        "Every rule of the shipped packs, and what of the language it needs. Each is a file of `rules`, with",
        "worked examples that the tests run on both engines. This page is written from those files by",
        "`python -m tests.rules.constructs`. A severity of none records, and alerts nobody.",
        "",
        "| rule | pack | severity | says | looks at | constructs |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_line(rule) for rule in sorted(rules, key=lambda each: each.id)),
        "",
        "Not rules, because no record of the trial's data says them:",
        "",
        *(f"- {name}: {why}." for name, why in ELSEWHERE.items()),
    ]
    return "\n".join(lines) + "\n"


def _line(rule: Rule) -> str:
    used = ", ".join(f"`{each}`" for each in constructs(rule))
    looked = ", ".join(rule.domains)
    return f"| {rule.id} | {rule.pack} | {rule.severity} | {rule.title} | {looked} | {used} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
