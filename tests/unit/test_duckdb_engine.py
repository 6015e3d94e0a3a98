"""The embedded engine: words, rows, what a rule found, and how it fails."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from monitor.engines.duckdb import Engine
from monitor.errors import EngineError
from monitor.records import Days, Episode, Kind, Severity, Truth, Verdict
from monitor.rules.context import Context
from monitor.rules.rule import Column, Comparator, Compare, Number, Rule, Series, WithRule
from tests.physical import day, named_columns, result, write_tables

ROWS = [
    result(0, "2026-03-01", 401.0),
    result(1, "2026-03-08/2026-03-10", 100.0),
    result(2, "2026-03-02", 100.0, subject="02"),
    result(3, None, 500.0, subject="03", unit=None, test=" plat"),
]
CONTEXT = Context(
    as_of=day("2026-03-31"),
    through={("LB", ""): day("2026-03-31")},
    columns={"LB": named_columns("LB", ROWS)},
)
HIGH = Compare(Comparator.GT, Column("LBSTRESN", Kind.QUANTITY), Number(400))
RULE = Rule("T-01", "test", "", Severity.HIGH, "", Series("LB", None, "10^9/L"), HIGH)


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    return write_tables(tmp_path, {"LB": ROWS})


def test_all_records_of_a_subject_are_told_when_one_fires(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        found = engine.find(RULE, CONTEXT)
    assert [(one.subject, one.row, one.truth) for one in found.verdicts] == [
        ("01", 0, Truth.TRUE),
        ("01", 1, Truth.FALSE),
        ("03", 3, Truth.UNKNOWN),
    ]
    assert found.verdicts[1].days == Days(day("2026-03-08"), day("2026-03-10"))
    assert (found.considered, found.subjects, found.fired, found.cannot_tell) == (4, 3, 1, 1)
    assert found.newest == "2026-03-08"


def test_a_rule_over_a_domain_that_was_not_received_finds_nothing(tables: dict[str, Path]) -> None:
    rule = Rule("T-02", "test", "", Severity.HIGH, "", Series("AE"), None)
    with Engine(tables) as engine:
        found = engine.find(rule, CONTEXT)
    assert (found.verdicts, found.considered, found.newest) == ((), 0, "")


def test_words_are_distinct_sorted_and_without_the_missing(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        assert engine.words("LB", "LBTESTCD") == (" plat", "PLAT")
        assert engine.words("LB", "UNIT") == ("10^9/L",)
        assert engine.words("LB", "LBSPEC") == ()
        assert engine.words("CM", "CMTRT") == ()


def test_words_are_counted(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        assert engine.counts("LB", "LBTESTCD") == {"PLAT": 3, " plat": 1}
        assert engine.counts("LB", "LBSPEC") == {}


def test_rows_are_those_of_the_subjects_as_they_stand(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        assert engine.rows("LB", ["03", "01", "nobody"]) == [ROWS[0], ROWS[1], ROWS[3]]
        assert engine.rows("LB", []) == []
        assert engine.rows("CM", ["01"]) == []


def test_episodes_of_one_question_are_forgotten_before_the_next(tables: dict[str, Path]) -> None:
    rule = Rule("T-03", "test", "", Severity.HIGH, "", Series("LB"), None, clauses=(WithRule("T-01"),))
    open_since = Episode("T-01", "01", Truth.TRUE, (), Days(day("2026-02-01"), day("2026-02-01")))
    with Engine(tables) as engine:
        assert engine.find(rule, CONTEXT, [open_since]).fired == 2
        assert engine.find(rule, CONTEXT).fired == 0


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] * ? folder"
    folder.mkdir()
    with Engine(write_tables_by_hand(folder)) as engine:
        assert engine.find(RULE, CONTEXT).considered == 4


def write_tables_by_hand(folder: Path) -> dict[str, Path]:
    plain = write_tables(folder.parent, {"LB": ROWS})
    (folder / "LB.parquet").write_bytes(plain["LB"].read_bytes())
    return {"LB": folder / "LB.parquet"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="LB is not there"):
        Engine({"LB": tmp_path / "LB.parquet"})


def test_a_file_that_is_no_parquet_is_an_engine_error(tmp_path: Path) -> None:
    path = tmp_path / "LB.parquet"
    path.write_bytes(b"no parquet at all")
    with pytest.raises(EngineError, match="opening LB"):
        Engine({"LB": path})


def test_an_error_names_the_rule_and_no_value(tmp_path: Path) -> None:
    path = tmp_path / "LB.parquet"
    rows = [{**row, "LBSTRESN": "secret of patient 01"} for row in ROWS]
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE given (usubjid VARCHAR, lbstresn VARCHAR)")
        connection.executemany(
            "INSERT INTO given VALUES (?, ?)", [[row["USUBJID"], row["LBSTRESN"]] for row in rows]
        )
        connection.execute(f"COPY given TO '{path.as_posix()}' (FORMAT parquet)")
    with Engine({"LB": path}) as engine, pytest.raises(EngineError) as raised:
        engine.find(RULE, CONTEXT)
    assert "T-01" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_threads_and_memory_are_limited(tables: dict[str, Path]) -> None:
    with Engine(tables, threads=1, memory_limit="64MiB") as engine:
        assert engine.find(RULE, CONTEXT).fired == 1
    with pytest.raises(EngineError, match="a lot"):
        Engine(tables, memory_limit="a lot")


def test_an_engine_is_closed_when_its_block_ends(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        pass
    with pytest.raises(EngineError, match="Connection"):
        engine.rows("LB", ["01"])


def test_a_verdict_is_what_the_row_says(tables: dict[str, Path]) -> None:
    with Engine(tables) as engine:
        first = engine.find(RULE, CONTEXT).verdicts[0]
    exact = Days(day("2026-03-01"), day("2026-03-01"))
    assert first == Verdict("01", 0, "key0", exact, None, Truth.TRUE, Truth.TRUE, Truth.FALSE, 0)
