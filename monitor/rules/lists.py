"""Word lists, `rules/lists/<list>.txt`, and the words that a study adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.errors import Problem, RuleError
from monitor.rules.scope import suggest
from monitor.rules.shape import text_of

IGNORE = "ignore"  # words of coded columns that no rule of the study is about
UNKNOWN = "unknown"  # words that mean missing


def read_lists(folder: Path, problems: list[Problem]) -> dict[str, frozenset[str]]:
    """Each list of the folder by its name; one term a line, `#` begins a comment."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        text = text_of(path, f"rules/lists/{path.name}", problems)
        if text is not None:
            found[path.stem] = terms(text.splitlines())
    for name, words in found.items():
        if not words:
            problems.append(Problem(f"rules/lists/{name}.txt", "the list has no term"))
    return found


def terms(lines: Iterable[str]) -> frozenset[str]:
    """The terms as they are compared: without case, comments and surrounding blanks."""
    return frozenset(term for line in lines if (term := line.split("#")[0].strip().casefold()))


def add_terms(
    lists: Mapping[str, frozenset[str]], study_terms: Mapping[str, Iterable[str]]
) -> dict[str, frozenset[str]]:
    """The lists with the study's own words of [study.terms] added.

    Raises RuleError when the study names a list that the rules don't have.
    """
    named = [name for name in study_terms if name not in (IGNORE, UNKNOWN)]
    known = (*lists, IGNORE, UNKNOWN)
    problems = [
        Problem(f"study.terms.{name}", f"there is no list of this name{suggest(name, known)}")
        for name in named
        if name not in lists
    ]
    if problems:
        raise RuleError(problems)
    return {name: words | terms(study_terms.get(name, ())) for name, words in lists.items()}


def ignored(study_terms: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The words of coded columns that the study says no rule is about."""
    return terms(study_terms.get(IGNORE, ()))
