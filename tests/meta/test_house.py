"""House numbers: what keeps every module small enough to read at one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "monitor").rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in MODULES}
LINES_OF_A_MODULE, LINES_OF_A_FUNCTION, METHODS_OF_A_CLASS = 300, 40, 12
OF_A_GRAMMAR = ("Interpreter", "Operands")  # one method for each rule of the grammar
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(TREES[path]) if isinstance(node, FUNCTIONS))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def own_methods(node: ast.ClassDef) -> Iterator[str]:
    """The methods that a class was given, without those that the language calls (`__enter__` …)."""
    names = (item.name for item in node.body if isinstance(item, FUNCTIONS))
    return (name for name in names if not name.startswith("__"))


def test_every_module_is_short_and_says_what_it_is() -> None:
    wrong = []
    for path, tree in TREES.items():
        lines = len(path.read_text().splitlines())
        if lines > LINES_OF_A_MODULE:
            wrong.append(f"{name(path)}: {lines} lines")
        if not (ast.get_docstring(tree) or "").split("\n\n")[0].strip():
            wrong.append(f"{name(path)}: begin with one line that says what it is for")
    assert wrong == []


def test_functions_are_short() -> None:
    long = [
        f"{name(path)}: {node.name}: {length(node)} lines"
        for path in MODULES
        for node in functions(path)
        if length(node) > LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_classes_have_few_methods() -> None:
    wide = [
        f"{name(path)}: {node.name}: {len(methods)} methods"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and not any(ast.unparse(base).startswith(OF_A_GRAMMAR) for base in node.bases)
        and len(methods := list(own_methods(node))) > METHODS_OF_A_CLASS
    ]
    assert wide == []


def test_half_of_all_functions_are_a_dozen_lines_or_less() -> None:
    lengths = sorted(length(node) for path in MODULES for node in functions(path))
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
