"""Which rows are read for judging: all that may be of a series, few others."""

from __future__ import annotations

import pytest

from monitor.engines.part import EVERY, part_sql
from monitor.rules.belonging import belonging, words_asked
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Context
from monitor.rules.rule import Series
from tests.physical import result

CONTEXT = Context(as_of=0, lists={"platelets": frozenset({"plat"})})


def series(of: str) -> Series:
    return Series("LB", parse_condition(of, "LB") if of else None)


def words(_domain: str, column: str) -> tuple[str, ...]:
    return {"LBTESTCD": ("ALT", "it's", "plat ", "PLAT"), "LBSPEC": ()}.get(column, ())


@pytest.mark.parametrize(
    ("of", "sql"),
    [
        ("LBTESTCD = 'PLAT'", "((\"lbtestcd\" IN ('plat ', 'PLAT') OR \"lbtestcd\" IS NULL))"),
        (
            "LBTESTCD = 'PLAT' and LBSTRESN > 1",
            "((\"lbtestcd\" IN ('plat ', 'PLAT') OR \"lbtestcd\" IS NULL))",
        ),
        ("not LBTESTCD = 'PLAT'", "((\"lbtestcd\" IN ('ALT', 'it''s') OR \"lbtestcd\" IS NULL))"),
        ("LBTESTCD is null", '(("lbtestcd" IS NULL))'),
        ("LBTESTCD = 'PLAT' or LBSTRESN > 1", EVERY),
        ("LBSPEC = 'BLOOD'", EVERY),
        ("", EVERY),
    ],
)
def test_rows_are_left_out_only_where_a_word_says_that_they_are_of_no_series(of: str, sql: str) -> None:
    assert part_sql([series(of)], CONTEXT, words) == sql


def test_one_series_that_takes_all_rows_takes_all() -> None:
    assert part_sql([series("LBTESTCD = 'ALT'"), series("")], CONTEXT, words) == EVERY


def test_belonging_is_decided_once_for_each_word_unless_more_than_words_decide() -> None:
    of_words, of_numbers = belonging(series("LBTESTCD = 'PLAT'"), CONTEXT), series("LBSTRESN > 1").of
    truths = [
        of_words(result(n, "2026-01-01", 5, test=test)) for n, test in enumerate(["PLAT", "ALT", "PLAT"])
    ]
    assert (truths, len(of_words.known)) == ([2, 0, 2], 2)
    assert of_words({**result(0, "2026-01-01", 5), "VALID": False}) == 0
    assert words_asked(of_numbers) is None
