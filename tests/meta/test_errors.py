"""Every error class has a test that names it, a message of its own and an exit code."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from monitor import errors

TESTS = Path(__file__).parents[1]
CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.MonitorError) and found.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: str(error.__name__))
def test_an_error_says_itself_and_ends_a_command_with_one_or_two(error: type[errors.MonitorError]) -> None:
    assert inspect.getdoc(error)
    assert error.exit_code in (1, 2)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: str(error.__name__))
def test_an_error_is_named_by_a_test_outside_this_folder(error: type[errors.MonitorError]) -> None:
    if error in (errors.MonitorError, errors.Invalid):
        return  # bases: never raised themselves
    texts = [path.read_text() for path in TESTS.rglob("test_*.py") if path.parent.name != "meta"]
    assert any(error.__name__ in text for text in texts)
