"""Which rows of a domain can be of some series: SQL over words, each of which the reference has judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from monitor.records import Truth
from monitor.rules.belonging import words_asked
from monitor.rules.context import Context
from monitor.rules.rule import And, Condition, Series
from monitor.rules.terms import Scope
from monitor.rules.truth import truth_of

Words = Callable[[str, str], Sequence[str]]

EVERY = "true"
# Of each subject the first of the surest records of a compiled rule, in the order of monitor.rules.fold.
FIRST = """
QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY truth DESC, day_lo NULLS LAST,
    second NULLS FIRST, day_hi NULLS LAST, rown) = 1 ORDER BY rown
"""
MOST_WORDS = 200  # of a column with more, such as a free text, rows are not chosen by words


def part_sql(series: Iterable[Series], context: Context, words: Words) -> str:
    """SQL that is true of every row that may be of one of the series; it may be true of others."""
    parts = dict.fromkeys(_may_be(each, context, words) for each in series)
    return EVERY if EVERY in parts or not parts else " OR ".join(f"({part})" for part in parts)


def _may_be(series: Series, context: Context, words: Words) -> str:
    tests = series.of.items if isinstance(series.of, And) else (series.of,)
    known = [sql for test in tests if (sql := _words_of(test, series, context, words))]
    return " AND ".join(known) or EVERY


def _words_of(test: Condition | None, series: Series, context: Context, words: Words) -> str:
    """The words of one column for which a test is not false; "" when more than those decide it."""
    names = words_asked(test) if test is not None else None
    if test is None or names is None or len(names) != 1:
        return ""
    (name,) = names
    there = words(series.domain, name)
    if not there or len(there) > MOST_WORDS:
        return ""

    def possible(word: str | None) -> bool:
        return truth_of(test, Scope(context, series.domain, {name: word})) is not Truth.FALSE

    column = f'"{name.lower()}"'
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in there if possible(word))
    parts = [f"{column} IN ({listed})"] if listed else []
    parts += [f"{column} IS NULL"] if possible(None) else []
    return f"({' OR '.join(parts)})" if parts else "false"


def chosen(part: str, subjects: Iterable[str], numbers: Iterable[int]) -> tuple[str, list[Sequence[object]]]:
    """SQL for the rows of subjects in a part of a table, and for rows by number; with its values."""
    asked: dict[str, Sequence[object]] = {
        f"usubjid IN (SELECT unnest(?)) AND ({part})": sorted(set(subjects)),
        "rown IN (SELECT unnest(?::BIGINT[]))": sorted(set(numbers)),
    }
    tests = [f"({test})" for test, values in asked.items() if values]
    return " OR ".join(tests), [values for values in asked.values() if values]
