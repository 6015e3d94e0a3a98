"""House numbers: what keeps every module small enough to read at one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "monitor").rglob("*.py"))
LINES_OF_A_MODULE, LINES_OF_A_FUNCTION, METHODS_OF_A_CLASS = 300, 40, 12
OF_A_GRAMMAR = ("Interpreter", "Operands")  # one method for each rule of the grammar
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, FUNCTIONS):
            yield node


def own_methods(node: ast.ClassDef) -> Iterator[str]:
    """The methods that a class was given, without those that the language calls (`__enter__` …)."""
    names = (item.name for item in node.body if isinstance(item, FUNCTIONS))
    return (name for name in names if not name.startswith("__"))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    said = ast.get_docstring(ast.parse(text)) or ""
    assert len(text.splitlines()) <= LINES_OF_A_MODULE
    assert said.split("\n\n")[0].strip(), "a module begins with one line that says what it is for"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_and_classes_are_small(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    ]
    wide = [
        f"{node.name}: {len(methods)} methods"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and not any(ast.unparse(base).startswith(OF_A_GRAMMAR) for base in node.bases)
        and len(methods := list(own_methods(node))) > METHODS_OF_A_CLASS
    ]
    assert long + wide == []


def test_half_of_all_functions_are_a_dozen_lines_or_less() -> None:
    lengths = sorted((node.end_lineno or 0) - node.lineno + 1 for path in MODULES for node in functions(path))
    assert lengths[len(lengths) // 2] <= 12


def test_only_the_clock_reads_the_time() -> None:
    reads = ("datetime.now", "date.today", "time.time(", "utcnow")
    readers = {name(path) for path in MODULES for word in reads if word in path.read_text()}
    assert readers <= {"monitor/clock.py"}


def test_no_test_waits_or_is_skipped_without_a_condition() -> None:
    forbidden = ("time." + "sleep(", "@pytest.mark." + "skip\n", "mock." + "patch", "@pytest.mark." + "skip(")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text()
        assert [word for word in forbidden if word in text] == [], name(path)


def test_every_exclusion_from_coverage_and_every_ignored_warning_gives_its_reason() -> None:
    for path in MODULES:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if "pragma: no cover" in line or "pragma: no branch" in line:
                reason = line.split("pragma: no", 1)[1].partition(" ")[2]
                assert len(reason.split()) >= 3, f"{name(path)}:{number}: say why it can't be covered"
