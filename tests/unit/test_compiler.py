"""The compiler: what it writes, what it never writes, and the traps between engines, one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.domains import DOMAINS, columns_of
from monitor.engines.duckdb import Engine
from monitor.records import Kind, Severity, Truth
from monitor.rules.compiler import compile_rule, sql_text
from monitor.rules.context import Context, Parameter
from monitor.rules.rule import (
    And,
    Arithmetic,
    At,
    Clear,
    Column,
    Comparator,
    Compare,
    Condition,
    InList,
    InWords,
    IsNull,
    Level,
    Like,
    Matches,
    Not,
    Number,
    Open,
    Operator,
    Param,
    Rule,
    Series,
    Text,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.sql.clauses import compile_clause
from monitor.rules.sql.conditions import compile_condition
from monitor.rules.sql.expressions import compile_expression
from monitor.rules.sql.frame import Frame
from monitor.rules.sql.scope import Scope, Source, factor_name, received_source
from tests.physical import day, named_columns, result, row, write_tables

F, U, T = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
VALUE = Column("LBSTRESN", Kind.QUANTITY)
TEST = Column("LBTESTCD", Kind.TEXT)
PLATELETS = Series("LB", Compare(Comparator.EQ, TEST, Text("PLAT")), "10^9/L")
HIGH = Compare(Comparator.GT, VALUE, Param("hold"))
NOTHING_DATED = Context(as_of=0)


def rule_of(where: Condition | None = None, series: Series = PLATELETS, **more: Any) -> Rule:
    """A rule with only what its test is about."""
    return Rule("T-01", "test", "", Severity.HIGH, "", series, where, **more)


def context_of(tables: dict[str, list[dict[str, Any]]], **more: Any) -> Context:
    """All tables received, with data to the end of March."""
    context = Context(
        as_of=day("2026-03-31"),
        params={"hold": Parameter("hold", 400.0, "10^9/L", "label")},
        through={(domain, ""): day("2026-03-31") for domain in tables},
        columns={domain: named_columns(domain, rows) for domain, rows in tables.items()},
    )
    return replace(context, **more)


def truths(
    rule: Rule, folder: Path, tables: dict[str, list[dict[str, Any]]], **more: Any
) -> dict[int, Truth]:
    """The truth of each record that is told, by row number."""
    with Engine(write_tables(folder, tables), threads=1) as engine:
        found = engine.find(rule, context_of(tables, **more))
    return {verdict.row: verdict.truth for verdict in found.verdicts}


def no_words(domain: str, column: str) -> tuple[str, ...]:
    """A study without texts."""
    return ()


# ---------------------------------------------------------------- the text


def whole_rule() -> Rule:
    """A rule that uses everything that a select can hold."""
    dosed = Series("EX", Like(Column("EXTRT", Kind.TEXT), "romi%"), "ug")
    given = Compare(Comparator.GT, Column("EXDOSE", Kind.QUANTITY), Number(0))
    higher = Compare(Comparator.GT, VALUE, Column("LBSTRESN", Kind.QUANTITY, of_found=True))
    ratio = Arithmetic(Operator.DIVIDE, VALUE, Number(0.0004))
    return rule_of(
        HIGH,
        clauses=(
            With(dosed, Window(-28, 0), given),
            Without(PLATELETS, Window(1, 7), higher, At.START, Open.WAIT),
            WithRule("PLT-01", same_day=True),
        ),
        levels=(Level(Severity.CRITICAL, Compare(Comparator.GE, ratio, Number(1000))),),
        clear=Clear(Compare(Comparator.LT, VALUE, Number(200))),
    )


EVERYTHING = {"LB": frozenset({"LBTESTCD", "LBSTRESN"}), "EX": frozenset({"EXTRT", "EXDOSE"})}
RECEIVED = Context(
    as_of=0,
    params={"hold": Parameter("hold", 400.0, "10^9/L", "label")},
    through={("LB", ""): 0, ("EX", "S1"): 0},
    columns=EVERYTHING,
)


@pytest.mark.parametrize(
    "never",
    ["LIKE", "LATERAL", "VALUES", "FLOAT", "NUMERIC", "round(", "lower(", "upper(", "EXISTS", "%%", ":", '"'],
)
def test_what_engines_read_differently_is_never_written(never: str) -> None:
    text = sql_text(compile_rule(whole_rule(), RECEIVED, lambda *_: ("100% Romi", "PLAT", "10^9/L")))
    assert never not in text


def test_numbers_are_doubles_whatever_the_engine_takes_a_decimal_for() -> None:
    text = sql_text(compile_rule(rule_of(Compare(Comparator.GT, VALUE, Number(0.1))), RECEIVED, no_words))
    assert "CAST('0.1' AS DOUBLE PRECISION)" in text
    assert not re.search(r"[^'\d]\d+\.\d", text)


def test_the_text_of_a_rule_is_always_the_same() -> None:
    texts = {sql_text(compile_rule(whole_rule(), RECEIVED, no_words)) for _ in range(3)}
    assert len(texts) == 1


def test_no_part_of_a_rule_is_written_twice_at_each_depth() -> None:
    condition: Condition = HIGH
    lengths = []
    for _ in range(4):
        condition = And((condition, Compare(Comparator.LT, VALUE, Number(900))))
        lengths.append(len(sql_text(compile_rule(rule_of(condition), RECEIVED, no_words))))
    steps = [later - sooner for sooner, later in pairwise(lengths)]
    assert len(set(steps)) == 1, "the text grows by the same length with each condition"


@pytest.mark.parametrize("compiler", [compile_expression, compile_condition, compile_clause])
def test_a_node_without_sql_is_a_bug_that_shows(compiler: Callable[[object, object], object]) -> None:
    with pytest.raises(AssertionError, match="no SQL for"):
        compiler(object(), None)


def test_this_outside_a_clause_is_a_bug_that_shows() -> None:
    source = received_source("LB", [], [], NOTHING_DATED, no_words)
    scope = Scope(NOTHING_DATED, no_words, source, "")
    with pytest.raises(AssertionError, match=r"this\.COL"):
        compile_condition(IsNull(Column("LBTESTCD", Kind.TEXT, of_found=True)), scope)


def test_texts_that_are_no_columns_or_words_are_a_bug_that_shows() -> None:
    source = received_source("LB", [], [], NOTHING_DATED, no_words)
    with pytest.raises(AssertionError, match="columns or quoted"):
        compile_condition(
            Compare(Comparator.EQ, Text("a"), Number(1)), Scope(NOTHING_DATED, no_words, source, "")
        )


def test_a_clause_over_a_domain_that_was_not_received_needs_no_table() -> None:
    source = received_source("LB", [], [], NOTHING_DATED, no_words)
    answer = compile_clause(
        With(Series("CM"), Window(0, 0)),
        Frame(Source("LB", source.relation, frozenset()), "c", NOTHING_DATED, no_words),
    )
    assert answer.joins == ()


def test_units_make_names_that_need_no_quotes() -> None:
    names = {factor_name(unit) for unit in ("10^9/L", "10^6/L", "mL/min/1.73m2", "%", "ug/dL", "mg/dL")}
    assert len(names) == 6
    assert all(re.fullmatch(r"[a-z_0-9]+", name) for name in names)


# ---------------------------------------------------------------- names and words


@pytest.mark.parametrize("domain", [name for name in DOMAINS if name != "RELREC"])
def test_every_column_of_every_domain_can_be_named(domain: str, tmp_path: Path) -> None:
    kinds = columns_of(domain)
    named = [Column(name, kind) for name, kind in kinds.items()]
    where = And(tuple(IsNull(column) for column in named))
    physical: dict[str, Any] = {}
    for name, kind in kinds.items():
        endings = ("_LO", "_HI") if kind is Kind.DATE else ("",)
        physical |= {name + ending: None for ending in endings}
    for name in DOMAINS[domain].censored:
        physical |= {f"{name}{ending}": None for ending in ("_LO", "_HI", "_LO_OPEN", "_HI_OPEN")}
    record = {**physical, **row(0, "2026-03-01")}
    found = truths(rule_of(where, Series(domain)), tmp_path, {domain: [record]})
    assert found == {}, "USUBJID is not missing"
    rest = And(
        tuple(IsNull(column) for column in named if column.name not in record or record[column.name] is None)
    )
    assert truths(rule_of(rest, Series(domain)), tmp_path, {domain: [record]}) == {0: T}


@pytest.mark.parametrize(
    "word",
    [
        "it's",
        "5%",
        "a\\b",
        "\\",
        ":x",
        "?",
        "$1",
        '"quoted"',
        "a;--b",
        "line\nbreak",
        "肺栓塞",
        "Straße",
        "{}",
    ],
)
def test_any_word_is_compared_as_it_is(word: str, tmp_path: Path) -> None:
    rows = [result(0, "2026-03-01", 1.0, test=word), result(1, "2026-03-01", 1.0, test="other")]
    where = InWords(TEST, (word,))
    assert truths(rule_of(where, Series("LB")), tmp_path, {"LB": rows}) == {0: T, 1: F}
    same = Compare(Comparator.EQ, TEST, Text(f"  {word.upper()} "))
    assert truths(rule_of(same, Series("LB")), tmp_path, {"LB": rows}) == {0: T, 1: F}


def test_two_columns_are_the_same_text_whatever_their_case(tmp_path: Path) -> None:
    rows = [
        row(number, "2026-03-01", AETERM=term, AEDECOD=coded)
        for number, (term, coded) in enumerate(
            [("Nausea", "NAUSEA"), (" nausea", "Nausea"), ("Nausea", "Rash"), ("Rash", None)]
        )
    ]
    where = Compare(Comparator.EQ, Column("AETERM", Kind.TEXT), Column("AEDECOD", Kind.TEXT))
    assert truths(rule_of(where, Series("AE")), tmp_path, {"AE": rows}) == {0: T, 1: T, 2: F, 3: U}


def test_a_record_that_may_be_of_the_series_belongs_to_it(tmp_path: Path) -> None:
    rows = [
        row(n, "2026-03-01", AEREL=word) for n, word in enumerate(["WHO KNOWS", "RELATED", "UNRELATED", None])
    ]
    unrelated = Not(InList(Column("AEREL", Kind.TEXT), "related"))
    lists = {"related": frozenset({"related"}), "unrelated": frozenset({"unrelated"})}
    assert truths(rule_of(None, Series("AE", unrelated)), tmp_path, {"AE": rows}, lists=lists) == {
        0: U,
        2: T,
        3: U,
    }
    other = rule_of(None, Series("AE"), clauses=(With(Series("AE", unrelated), Window(0, 0)),))
    alone = [rows[0], {**rows[1], "USUBJID": "02"}]
    assert truths(other, tmp_path, {"AE": [*rows[:2]]}, lists=lists) == {0: F, 1: U}
    assert truths(other, tmp_path, {"AE": alone}, lists=lists) == {}


# ---------------------------------------------------------------- numbers


def test_a_quantity_is_converted_or_it_is_unknown(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-03-01", 401.0),
        result(1, "2026-03-02", 401_000.0, unit="10^6/L"),
        result(2, "2026-03-03", 401.0, unit=None),
        result(3, "2026-03-04", 401.0, unit="mg/dL"),
        result(4, "2026-03-05", 400_000.0, unit="10^6/L"),
    ]
    assert truths(rule_of(HIGH), tmp_path, {"LB": rows}) == {0: T, 1: T, 2: U, 3: U, 4: F}


def test_mass_becomes_substance_for_its_analyte_alone(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-03-01", 2.1, test="BILI", unit="mg/dL"),  # 35.9 umol/L
        result(1, "2026-03-02", 2.0, test="BILI", unit="mg/dL"),  # 34.2 umol/L
        result(2, "2026-03-03", 2.1, test="XYZ", unit="mg/dL"),
    ]
    series = Series("LB", None, "umol/L")
    where = Compare(Comparator.GT, VALUE, Number(34.2))
    assert truths(rule_of(where, series), tmp_path, {"LB": rows}) == {0: T, 1: F, 2: U}


def test_a_parameter_in_another_unit_is_converted_with_the_analyte(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-03-01", 35.0, test="BILI", unit="umol/L"),
        result(1, "2026-03-01", 35.0, test="XYZ", unit="umol/L"),
    ]
    params = {"limit": Parameter("limit", 2.0, "mg/dL", "protocol")}
    rule = rule_of(Compare(Comparator.GT, VALUE, Param("limit")), Series("LB", None, "umol/L"))
    assert truths(rule, tmp_path, {"LB": rows}, params=params) == {0: T, 1: U}


@pytest.mark.parametrize(
    ("value", "limit", "truth"),
    [("<5", 5, F), ("<5", 4, U), (">400", 400, T), (">=400", 400, U), (">1000", 400, T), ("<=400", 400, F)],
)
def test_a_censored_result_is_all_that_it_can_be(
    value: str, limit: float, truth: Truth, tmp_path: Path
) -> None:
    rows = [result(0, "2026-03-01", value), result(1, "2026-03-02", 10_000.0)]
    where = Compare(Comparator.GT, VALUE, Number(limit))
    assert truths(rule_of(where), tmp_path, {"LB": rows}) == {0: truth, 1: T}


# ---------------------------------------------------------------- clauses


def test_a_site_whose_domain_did_not_arrive_is_unknown(tmp_path: Path) -> None:
    results = [result(0, "2026-03-01", 401.0), result(1, "2026-03-01", 401.0, subject="02", site="S2")]
    doses = [row(0, "2026-03-01", EXTRT="ROMI"), row(1, "2026-03-01", subject="02", site="S2", EXTRT="ROMI")]
    rule = rule_of(HIGH, clauses=(With(Series("EX"), Window(0, 0)),))
    through = {("LB", ""): day("2026-03-31"), ("EX", "S1"): day("2026-03-31")}
    assert truths(rule, tmp_path, {"LB": results, "EX": doses}, through=through) == {0: T, 1: U}


def test_a_clause_asks_for_another_record(tmp_path: Path) -> None:
    rows = [result(0, "2026-03-01", 401.0), result(1, "2026-03-09", 401.0), result(2, "2026-03-10", 401.0)]
    rule = rule_of(HIGH, clauses=(With(PLATELETS, Window(-1, 0), HIGH),))
    assert truths(rule, tmp_path, {"LB": rows}) == {0: F, 1: F, 2: T}


@pytest.mark.parametrize(("opened", "first"), [(Open.WAIT, U), (Open.FIRE, T), (None, U)])
def test_what_has_not_come_yet_is_waited_for_or_taken_for_absent(
    opened: Open | None, first: Truth, tmp_path: Path
) -> None:
    rows = [result(0, "2026-03-30", 401.0), result(1, "2026-03-01", 401.0)]
    rule = rule_of(HIGH, clauses=(Without(PLATELETS, Window(1, 7), open=opened),))
    assert truths(rule, tmp_path, {"LB": rows}) == {0: first, 1: T}


@pytest.mark.parametrize(
    ("start", "truth"), [("2026-03-24", F), ("2026-03-25", U), (None, U), ("2026-03-01/2026-03-25", U)]
)
def test_a_window_is_open_while_it_can_end_after_the_data(
    start: str | None, truth: Truth, tmp_path: Path
) -> None:
    rows = [result(0, start, 401.0), result(1, "2026-03-01", 401.0, subject="02")]
    nothing = Without(Series("LB", IsNull(TEST)), Window(-1, 7))
    rule = rule_of(HIGH, clauses=(With(Series("LB", IsNull(TEST)), Window(1, 7)),))
    found = truths(rule, tmp_path, {"LB": rows})
    assert found.get(0, F) is truth
    assert truths(replace(rule, clauses=(nothing,)), tmp_path, {"LB": rows})[0] is Truth(2 - truth)


def test_what_may_be_there_makes_without_unknown(tmp_path: Path) -> None:
    rows = [result(0, "2026-03-01", 401.0), result(1, "2026-03-02", 500.0, unit=None)]
    rule = rule_of(HIGH, clauses=(Without(PLATELETS, Window(1, 7), HIGH),))
    assert truths(rule, tmp_path, {"LB": rows})[0] is U


def test_a_negation_makes_a_term_unknown_and_nothing_else(tmp_path: Path) -> None:
    terms = ["Embolism", "Embolism ruled out", "Fracture ruled out", "Rash"]
    rows = [row(n, "2026-03-01", AETERM=term) for n, term in enumerate(terms)]
    rule = rule_of(
        Matches((Column("AETERM", Kind.TEXT), Column("AEDECOD", Kind.TEXT)), "clots"), Series("AE")
    )
    lists = {"clots": frozenset({"embolism", "! ruled out"})}
    assert truths(rule, tmp_path, {"AE": rows}, lists=lists) == {0: T, 1: U, 2: F, 3: F}


def test_a_record_that_may_be_of_another_series_clears_nothing(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-03-01", 401.0),
        result(1, "2026-03-02", 100.0),
        result(2, "2026-03-03", 100.0, test=None),
    ]
    rule = rule_of(HIGH, clear=Clear(Compare(Comparator.LT, VALUE, Number(200))))
    with Engine(write_tables(tmp_path, {"LB": rows}), threads=1) as engine:
        found = engine.find(rule, context_of({"LB": rows}))
    assert [verdict.clear for verdict in found.verdicts] == [F, T, U]


def test_the_most_severe_level_counts_and_of_equals_the_last(tmp_path: Path) -> None:
    def above(limit: float) -> Condition:
        return Compare(Comparator.GT, VALUE, Number(limit))

    levels = (
        Level(Severity.CRITICAL, above(1000)),
        Level(Severity.MEDIUM, above(500)),
        Level(Severity.MEDIUM, above(600)),
    )
    rows = [
        result(n, f"2026-03-0{n + 1}", value) for n, value in enumerate([401.0, 550.0, 650.0, 1001.0, 100.0])
    ]
    with Engine(write_tables(tmp_path, {"LB": rows}), threads=1) as engine:
        found = engine.find(rule_of(HIGH, levels=levels), context_of({"LB": rows}))
    assert [verdict.level for verdict in found.verdicts] == [0, 2, 3, 1, 0]
