"""docs/manual.md is what tests/spec says, and tests/spec says something of every part of a rule."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest

from monitor.rules.operands import FUNCTIONS
from monitor.rules.rule import (
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
)
from monitor.rules.rulefile import load_rules
from tests.rulefolders import write_rules
from tests.spec.book import CHAPTERS, PAGE, Expected, rendered
from tests.spec.manual import LISTS, PARAMS, ROOT

NODES = [*get_args(Expression), *get_args(Condition), *get_args(Clause), Level, Clear, Repeat]
WORDS = [word for kind in (Comparator, Operator, At, Open, Per, State, Tie, Each, Function) for word in kind]
# Said nowhere in a rule: they are what a key left out means.
SILENT = {Tie.STUDY}


def test_the_manual_is_what_the_spec_tests_say() -> None:
    assert PAGE.read_text("utf-8") == rendered(), "docs/manual.md is stale: run `make manual`"


def test_every_chapter_of_the_spec_tests_is_in_the_manual() -> None:
    there = {path.stem for path in (ROOT / "tests" / "spec").glob("test_*.py")}
    assert there == {chapter.module.__name__.split(".")[-1] for chapter in CHAPTERS}


def test_no_two_cases_of_a_chapter_have_one_title() -> None:
    for chapter in CHAPTERS:
        titles = [case.title for case in chapter.cases]
        assert sorted(set(titles)) == sorted(titles)


def test_a_line_of_an_example_is_its_subject_day_and_severity() -> None:
    line = Expected("01 2026-01-07 critical", "fires")
    assert (line.subject, line.day, line.severity) == ("01", "2026-01-07", "critical")
    assert Expected("01 no date", "fires").is_of("01", "")


# ---------------------------------------------------------------- every part of a rule


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    """The rules of all chapters."""
    found: list[Rule] = []
    for chapter in CHAPTERS:
        numbered = enumerate(chapter.whole or chapter.cases, 1)
        files = {f"S-{number:02d}": case.text(f"S-{number:02d}") for number, case in numbered}
        with TemporaryDirectory() as folder:
            written = write_rules(Path(folder), files | dict(chapter.others), PARAMS, LISTS)
            shutil.copytree(ROOT / "rules/ctcae", written / "ctcae")
            found += load_rules(written, ("p",)).rules
    return found


@pytest.fixture(scope="module")
def parts(rules: list[Rule]) -> set[object]:
    """Every class of node, and every word, in the rules of the manual."""
    return {part for rule in rules for part in _parts(rule)}


def _parts(item: object) -> Iterator[object]:
    if isinstance(item, tuple):
        for part in item:
            yield from _parts(part)
    elif isinstance(item, Enum):
        yield item
    elif is_dataclass(item):
        yield type(item)
        for each in fields(item):
            yield from _parts(getattr(item, each.name))


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_every_node_has_a_spec_test(node: type, parts: set[object]) -> None:
    assert node in parts, f"no case of tests/spec has {node.__name__}"


@pytest.mark.parametrize("word", [word for word in WORDS if word not in SILENT], ids=str)
def test_every_word_has_a_spec_test(word: Enum, parts: set[object]) -> None:
    assert word in parts, f"no case of tests/spec says {word!r}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_spec_test(function: str) -> None:
    assert any(f"{function}(" in case.rule for chapter in CHAPTERS for case in chapter.cases)
