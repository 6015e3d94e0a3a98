"""The generated comparison is worth what its strategies can make: every node, and every trap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType
from typing import get_args

import pytest
from hypothesis import given, settings

from monitor.records import Truth
from monitor.rules.nodes import nodes
from monitor.rules.rule import (
    RELATION,
    At,
    Clause,
    Clear,
    Comparator,
    Condition,
    Each,
    Expression,
    Function,
    Level,
    Open,
    Operator,
    Per,
    Repeat,
    Rule,
    State,
    Tie,
    With,
    Without,
)
from monitor.rules.terms import Row
from tests.generative.budgets import FEW
from tests.generative.strategies import COLUMNS, LISTS, NOT_RECEIVED, World, worlds

MANY = settings(FEW, max_examples=400)  # only generated, never run: without an engine this is quick
NODES = [*get_args(Expression), *get_args(Condition), *get_args(Clause), Level, Clear, Repeat]
WORDS = [word for kind in (Comparator, Operator, At, Open, Per, State, Tie, Each, Function) for word in kind]


@pytest.fixture(scope="module")
def generated() -> list[World]:
    made: list[World] = []

    @MANY
    @given(world=worlds())
    def collect(world: World) -> None:
        made.append(world)

    collect()
    return made


@pytest.fixture(scope="module")
def parts(generated: list[World]) -> set[object]:
    """Every class of node, and every word, in the generated rules."""
    return {part for world in generated for rule in world.rules for part in parts_of(rule)}


def parts_of(item: object) -> Iterator[object]:
    if isinstance(item, tuple):
        for part in item:
            yield from parts_of(part)
    elif isinstance(item, Enum):
        yield item
    elif is_dataclass(item):
        yield type(item)
        for field in fields(item):
            yield from parts_of(getattr(item, field.name))


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_every_node_is_generated(node: type, parts: set[object]) -> None:
    assert node in parts, f"tests/generative/strategies.py never makes {node.__name__}"


@pytest.mark.parametrize("word", WORDS, ids=str)
def test_every_word_of_the_tree_is_generated(word: Enum, parts: set[object]) -> None:
    assert word in parts, f"tests/generative/strategies.py never says {word!r}"


def test_a_new_node_is_noticed(parts: set[object]) -> None:
    class Since:
        """A node that nobody has taught the strategies."""

    assert Since not in parts
    assert NoneType not in NODES


def rows(world: World) -> list[Row]:
    return [row for domain, table in world.tables.items() if domain != RELATION for row in table]


def windows_end_after_the_data(world: World, rule: Rule) -> bool:
    highs = [part.window.high for part in nodes(rule) if isinstance(part, With | Without)]
    reach = min(world.context.through.values(), default=0)
    return any(
        high is not None and row["DAY_HI"] and row["DAY_HI"] + high > reach
        for high in highs
        for row in rows(world)
    )


def same_subject_and_day(world: World) -> bool:
    seen = [(row["USUBJID"], row["DAY_LO"]) for row in rows(world) if row["DAY_LO"] is not None]
    return len(seen) > len(set(seen))


def sorted_words() -> set[str]:
    return {word for words in LISTS.values() for word in words}


TRAPS: dict[str, Callable[[World], bool]] = {
    "a tie on one day": same_subject_and_day,
    "two times on one day": lambda w: (
        len({(r["USUBJID"], r["DAY_LO"], r["SECOND"]) for r in rows(w) if r["SECOND"]}) > 1
    ),
    "a partial date": lambda w: any(
        None not in (r["DAY_LO"], r["DAY_HI"]) and r["DAY_LO"] < r["DAY_HI"] for r in rows(w)
    ),
    "a missing date": lambda w: any(r["DAY_LO"] is None and r["DAY_HI"] is None for r in rows(w)),
    "a date with one end": lambda w: any((r["DAY_LO"] is None) != (r["DAY_HI"] is None) for r in rows(w)),
    "an open end": lambda w: any(r["END_LO"] is not None and r["END_HI"] is None for r in rows(w)),
    "a gap between records": lambda w: len({r["DAY_LO"] for r in rows(w) if r["DAY_LO"]}) > 2,
    "a result below a limit": lambda w: any(r.get("LBSTRESN_HI_OPEN") for r in rows(w)),
    "a result above a limit": lambda w: any(r.get("LBSTRESN_LO_OPEN") for r in rows(w)),
    "a missing unit": lambda w: any(r["UNIT"] is None for r in rows(w)),
    "a unit that needs an analyte": lambda w: any(
        r["UNIT"] == "mg/dL" and r["ANALYTE"] == "BILI" for r in rows(w)
    ),
    "what is not a value": lambda w: any(not r["VALID"] for r in rows(w)),
    "an unsorted word": lambda w: any(str(r.get("AEREL")).lower() not in sorted_words() for r in rows(w)),
    "a missing text": lambda w: any("AEREL" in r and r["AEREL"] is None for r in rows(w)),
    "an absent column": lambda w: any(
        "LBTESTCD" not in columns for d, columns in w.context.columns.items() if d == "LB"
    ),
    "a domain that was not received": lambda w: not set(COLUMNS) <= set(w.context.columns),
    "a clause over a domain unknown to the study": lambda w: any(
        getattr(part, "domain", "") == NOT_RECEIVED for rule in w.rules for part in nodes(rule)
    ),
    "a site that was not received": lambda w: any(
        (d, "") not in w.context.through for d in w.context.columns
    ),
    "a window that ends after the data": lambda w: any(
        windows_end_after_the_data(w, rule) for rule in w.rules
    ),
    "an episode asked for": lambda w: any(rule.refers_to for rule in w.rules) and bool(w.episodes),
    "an episode that can't be told": lambda w: any(e.truth is Truth.UNKNOWN for e in w.episodes),
    "an event in two rows": lambda w: (
        len({r["KEY"][:-2] for r in w.tables.get("AE", ())}) < len(w.tables.get("AE", ()))
    ),
    "records counted": lambda w: any(getattr(part, "count", 1) > 1 for r in w.rules for part in nodes(r)),
    "the latest record": lambda w: any(getattr(p, "latest", False) for r in w.rules for p in nodes(r)),
    "a linked record": lambda w: (
        bool(w.tables[RELATION]) and any(getattr(p, "linked", False) for r in w.rules for p in nodes(r))
    ),
    "an episode that is closed": lambda w: any(e.closed is not None for e in w.episodes),
    "several subjects": lambda w: len({r["USUBJID"] for r in rows(w)}) > 2,
    "several domains": lambda w: sum(bool(table) for table in w.tables.values()) > 2,
}


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_is_laid(trap: str, generated: list[World]) -> None:
    assert any(TRAPS[trap](world) for world in generated), f"no generated study has {trap}"
