"""What a rule means, one construct after the other, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from monitor.records import Cause, Days, Episode, Kind, Severity, Truth
from monitor.rules.answers import Judged
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Context, Parameter
from monitor.rules.reference import judge
from monitor.rules.rule import (
    AnyOf,
    At,
    Clause,
    Clear,
    Column,
    Comparator,
    Compare,
    Condition,
    Level,
    Open,
    Param,
    Rule,
    Series,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.scope import Scope
from tests.physical import Row, day, interval, result, row

F, U, T = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
CONTEXT = Context(
    as_of=day("2026-03-01"),
    params={
        "plt_hold": Parameter("plt_hold", 400, "10^9/L", "label"),
        "low": Parameter("low", 0.4, "10^12/L", "label"),
        "bili": Parameter("bili", 2, "mg/dL", "label"),
        "wrong": Parameter("wrong", 2, "mg", "label"),
        "percent": Parameter("percent", 25, "", "label"),
    },
    lists={
        "romiplostim": frozenset({"romiplostim", "n01"}),
        "cyclosporine": frozenset({"ciclosporin"}),
        "clots": frozenset({"thrombosis", "! ruled out"}),
    },
    ignored=frozenset({"vitamin d"}),
    through={(domain, ""): day("2026-12-31") for domain in ("LB", "AE", "EX", "DOSE", "CM")},
)


def rule(domain: str, where: str = "", *clauses: Clause, of: str = "", unit: str = "", **more: Any) -> Rule:
    series = Series(domain, parse_condition(of, domain) if of else None, unit)
    return Rule(
        id="R-01",
        pack="test",
        title="",
        severity=Severity.HIGH,
        action="",
        series=series,
        where=parse_condition(where, domain, scope=Scope(domain, params=CONTEXT.params)) if where else None,
        clauses=clauses,
        **more,
    )


def where(text: str, domain: str, found: str | None = None) -> Condition:
    return parse_condition(text, domain, found)


def judged(
    given: Rule,
    rows: Mapping[str, Sequence[Row]] | Sequence[Row],
    context: Context = CONTEXT,
    episodes: Mapping[str, Sequence[Episode]] | None = None,
) -> list[Judged]:
    by_domain = rows if isinstance(rows, Mapping) else {given.series.domain: rows}
    return judge(given, by_domain, context, episodes or {})


def truths(*args: Any) -> list[Truth]:
    return [one.verdict.truth for one in judged(*args)]


def one(*args: Any) -> Judged:
    (only,) = judged(*args)
    return only


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (401, T),
        (400.1, T),
        (400, F),
        (400 * (1 + 1e-15), F),
        (None, U),
        (">1000", T),
        (">400", T),
        (">=400", U),
        (">399", U),
        ("<5", F),
        ("<=400", F),
        ("<401", U),
    ],
)
def test_a_count_above_the_threshold_fires(value: float | str | None, expected: Truth) -> None:
    above = rule("LB", "LBSTRESN > :plt_hold", unit="10^9/L")
    assert truths(above, [result(0, "2026-01-07", value)]) == [expected]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(401, "10^9/L", T), (0.401, "10^12/L", T), (401_000, "10^6/L", T), (400, "10^6/L", F), (401, None, U)],
)
def test_a_count_is_converted_to_the_unit_of_the_rule(
    value: float, unit: str | None, expected: Truth
) -> None:
    above = rule("LB", "LBSTRESN > 400", unit="10^9/L")
    assert truths(above, [result(0, "2026-01-07", value, unit=unit)]) == [expected]


def test_a_unit_that_does_not_measure_the_same_is_not_converted() -> None:
    above = rule("LB", "LBSTRESN > 400", unit="10^9/L")
    answer = one(above, [result(0, "2026-01-07", 401, unit="g/L")])
    assert answer.verdict.truth is U
    assert answer.causes == (Cause("unit", "LB", "LBSTRESN", "g/L"),)


def test_a_censored_count_is_converted_with_its_bounds() -> None:
    above = rule("LB", "LBSTRESN > 400", unit="10^9/L")
    assert truths(above, [result(0, "2026-01-07", ">1", unit="10^12/L")]) == [T]
    assert truths(above, [result(0, "2026-01-07", ">1", unit=None)]) == [U]


@pytest.mark.parametrize(
    ("test", "value", "unit", "expected"),
    [
        ("BILI", 34.3, "umol/L", T),
        ("BILI", 34.2, "umol/L", F),
        ("BILI", 2.1, "mg/dL", T),
        ("XXX", 2.1, "mg/dL", U),
    ],
)
def test_mass_and_substance_are_converted_for_a_known_analyte(
    test: str, value: float, unit: str, expected: Truth
) -> None:
    above = rule("LB", "LBSTRESN > :bili", unit="umol/L")
    assert truths(above, [result(0, "2026-01-07", value, test=test, unit=unit)]) == [expected]


def test_a_parameter_in_another_unit_is_converted() -> None:
    assert truths(rule("LB", "LBSTRESN > :low", unit="10^9/L"), [result(0, "2026-01-07", 401)]) == [T]
    assert truths(rule("LB", "LBSTRESN > :low", unit="10^9/L"), [result(0, "2026-01-07", 400)]) == [F]


def test_a_parameter_that_can_not_be_converted_is_missing() -> None:
    above = Compare(Comparator.GT, Column("LBSTRESN", Kind.QUANTITY), Param("wrong"))
    answer = one(replace(rule("LB", unit="10^9/L"), where=above), [result(0, "2026-01-07", 401)])
    assert answer.causes == (Cause("unit", "LB", ":wrong", "mg"),)


def test_without_a_unit_of_the_rule_quantities_stay_as_they_are() -> None:
    times_limit = rule("LB", "LBSTRESN >= 3 * LBSTNRHI")
    rows = [
        result(0, "2026-01-07", 120, unit=None, LBSTNRHI=40.0),
        result(1, "2026-01-08", 119.9, unit=None, LBSTNRHI=40.0),
        result(2, "2026-01-09", 119.9, unit=None, LBSTNRHI=None),
    ]
    assert truths(times_limit, rows) == [T, F, U]


def test_limits_and_changes_are_converted_like_the_result() -> None:
    rows = [result(0, "2026-01-07", 0.5, unit="10^12/L", LBSTNRHI=0.4, BASE=0.1, CHG=0.4, PCHG=400.0)]
    for text in ("LBSTNRHI = 400", "BASE = 100", "CHG = 400", "PCHG = 400", "PCHG > :percent"):
        assert truths(rule("LB", text, unit="10^9/L"), rows) == [T], text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LBSTNRHI * 3 > LBSTRESN", F),  # 0.1 * 3 > 0.3
        ("LBSTNRHI * 3 = LBSTRESN", T),
        ("LBSTNRHI + LBSTNRHI + LBSTNRHI = LBSTRESN", T),
        ("LBSTRESN - 3 * LBSTNRHI = 0", T),
        ("LBSTRESN / LBSTNRHI = 3", T),
        ("LBSTRESN / LBSTNRLO > 0", U),
        ("not LBSTRESN / LBSTNRLO > 0", U),
        ("abs(LBSTNRHI - LBSTRESN) > 0.19", T),
        ("abs(LBSTNRHI - LBSTRESN) > 0.21", F),
        ("abs(3 * LBSTNRHI - LBSTRESN) > 0", F),
        ("coalesce(3 * LBSTNRHI - LBSTRESN, BASE) > 0", F),
        ("coalesce(BASE, LBSTRESN) = 0.3", T),
        ("coalesce(LBSTNRHI, LBSTRESN) = 0.1", T),
        ("coalesce(BASE, CHG) = 0.1", U),
        ("abs(BASE) > 0", U),
        ("BASE + 1 > 0", U),
        ("LBSTRESN between 0.3 and 0.4", T),
        ("LBSTRESN between 0.31 and 0.4", F),
        ("LBSTRESN != 0.3", F),
    ],
)
def test_arithmetic_is_exact_to_twelve_digits_and_missing_stays_missing(text: str, expected: Truth) -> None:
    rows = [result(0, "2026-01-07", 0.3, LBSTNRHI=0.1, LBSTNRLO=0.0, BASE=None, CHG=None)]
    assert truths(rule("LB", text, unit="10^9/L"), rows) == [expected]


def test_in_arithmetic_a_censored_value_is_missing() -> None:
    rows = [result(0, "2026-01-07", ">1000")]
    assert truths(rule("LB", "LBSTRESN > 400", unit="10^9/L"), rows) == [T]
    assert truths(rule("LB", "LBSTRESN + 0 > 400", unit="10^9/L"), rows) == [U]
    assert truths(rule("LB", "coalesce(LBSTRESN, 1) = 1", unit="10^9/L"), rows) == [U]


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("start", "text", "expected"),
    [
        ("2026-01-07", "LBDT = date '2026-01-07'", T),
        ("2026-01-07", "LBDT < date '2026-01-08'", T),
        ("2026-01-01/2026-01-31", "LBDT < date '2026-01-08'", U),
        ("2026-01-01/2026-01-31", "LBDT < date '2026-02-01'", T),
        ("2026-01-01/2026-01-31", "LBDT is null", F),
        ("2026-01-07", "LBDT <= :as_of", T),
        ("2026-01-07", "days(LBDT, :as_of) = 53", T),
        ("2026-01-07", "days(LBDT, :as_of) > 53", F),
        ("2026-01-07", "days(:as_of, LBDT) = -53", T),
        ("2026-01-01/2026-01-31", "days(LBDT, :as_of) > 0", U),
        (None, "LBDT <= :as_of", U),
        (None, "LBDT is null", T),
        (None, "days(LBDT, :as_of) > 0", U),
    ],
)
def test_dates(start: str | None, text: str, expected: Truth) -> None:
    assert truths(rule("LB", text), [result(0, start, 1)]) == [expected]


# ---------------------------------------------------------------- texts and lists


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("LBTESTCD = 'PLAT'", " plat ", T),
        ("LBTESTCD = 'PLAT'", "ALT", F),
        ("LBTESTCD = 'PLAT'", None, U),
        ("LBTESTCD != 'PLAT'", "ALT", T),
        ("LBTESTCD != 'PLAT'", "PLAT", F),
        ("LBTESTCD != 'PLAT'", None, U),
        ("LBTESTCD in ('ALT', 'ast')", "AST", T),
        ("LBTESTCD in ('ALT', 'AST')", "BILI", F),
        ("LBTESTCD in ('ALT', 'AST')", None, U),
        ("LBTESTCD not in ('ALT', 'AST')", "BILI", T),
        ("LBTESTCD not in ('ALT', 'AST')", None, U),
        ("LBTESTCD like 'PL%'", "plat", T),
        ("LBTESTCD like 'PL%'", "APLAT", F),
        ("LBTESTCD like 'PL%'", None, U),
        ("LBTESTCD = LBORRES", "x", F),
        ("LBTESTCD is null", None, T),
        ("LBTESTCD is null", "", F),
        ("LBTESTCD is not null", None, F),
    ],
)
def test_texts(text: str, value: str | None, expected: Truth) -> None:
    given = rule("LB", text)
    assert truths(given, [result(0, "2026-01-07", 1, test=value)]) == [expected]


@pytest.mark.parametrize(
    ("drug", "expected"),
    [
        ("Romiplostim", T),
        (" N01", T),
        ("CICLOSPORIN", F),
        ("vitamin D", F),
        ("aspirin", U),
        ("thrombosis", F),
        ("! ruled out", U),
        (None, U),
    ],
)
def test_a_list_is_closed(drug: str | None, expected: Truth) -> None:
    given = rule("EX", "EXTRT in @romiplostim")
    assert truths(given, [row(0, "2026-01-07", EXTRT=drug)]) == [expected]
    assert truths(rule("EX", "EXTRT not in @romiplostim"), [row(0, "2026-01-07", EXTRT=drug)]) == [
        Truth(2 - expected)
    ]


@pytest.mark.parametrize(
    ("term", "decoded", "expected"),
    [
        ("Deep vein thrombosis", None, T),
        ("leg swollen", "Thrombosis", T),
        ("Thrombocytosis", "Thrombocytosis", F),
        ("Port thrombosis ruled out", None, U),
        ("leg swollen, clot ruled out", "thrombosis", U),
        ("headache, tumour ruled out", None, F),
        (None, None, U),
    ],
)
def test_keywords_are_looked_for_in_all_the_texts_together(
    term: str | None, decoded: str | None, expected: Truth
) -> None:
    given = rule("AE", "AETERM matches @clots")
    assert truths(given, [row(0, "2026-01-07", AETERM=term, AEDECOD=decoded)]) == [expected]


def test_a_column_that_was_not_received_is_missing() -> None:
    assert truths(rule("AE", "AESER = 'Y'"), [row(0, "2026-01-07")]) == [U]
    assert truths(rule("AE", "AESER is null"), [row(0, "2026-01-07")]) == [T]
    assert truths(rule("AE", "AGE > 65"), [row(0, "2026-01-07")]) == [U]


@pytest.mark.parametrize(("value", "expected"), [(5, F), ("<5", F), (None, T)])
def test_a_censored_result_is_not_missing(value: float | str | None, expected: Truth) -> None:
    assert truths(rule("LB", "LBSTRESN is null"), [result(0, "2026-01-07", value)]) == [expected]


# ---------------------------------------------------------------- logic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AESER = 'Y' and AESEV = 'SEVERE'", F),  # unknown and false
        ("AESER = 'Y' and AEOUT = 'FATAL'", U),
        ("AESER = 'Y' or AEOUT = 'FATAL'", T),
        ("AESER = 'Y' or AESEV = 'SEVERE'", U),
        ("not AESER = 'Y'", U),
        ("not AESEV = 'SEVERE'", T),
        ("AESER = 'Y' or AESER != 'Y'", U),  # no law of the excluded middle
    ],
)
def test_logic_is_three_valued(text: str, expected: Truth) -> None:
    rows = [row(0, "2026-01-07", AESER=None, AESEV="MILD", AEOUT="FATAL")]
    assert truths(rule("AE", text), rows) == [expected]


# ---------------------------------------------------------------- the series


def test_only_records_of_the_series_are_judged() -> None:
    rows = [
        result(0, "2026-01-07", 401),
        result(1, "2026-01-07", 500, test="ALT"),
        result(2, "2026-01-07", 500, test=None),
        result(3, "2026-01-07", 500, VALID=False),
        result(4, "2026-01-08", 100),
    ]
    answers = judged(rule("LB", "LBSTRESN > 400", of="LBTESTCD = 'PLAT'", unit="10^9/L"), rows)
    assert [(answer.verdict.row, answer.verdict.truth) for answer in answers] == [(0, T), (2, U), (4, F)]
    assert answers[1].causes == (Cause("missing value", "LB", "LBTESTCD"),)


def test_records_are_judged_in_order_of_subject_and_row() -> None:
    rows = [
        result(3, "2026-01-07", 1, USUBJID="02"),
        result(1, "2026-01-07", 1, USUBJID="01"),
        result(0, "2026-01-09", 1, USUBJID="01"),
    ]
    assert [(a.verdict.subject, a.verdict.row) for a in judged(rule("LB"), rows)] == [
        ("01", 0),
        ("01", 1),
        ("02", 3),
    ]


def test_a_rule_without_where_is_every_record_of_the_series() -> None:
    assert truths(rule("LB"), [result(0, None, None)]) == [T]


def test_a_verdict_carries_where_and_when() -> None:
    verdict = one(rule("LB"), [result(7, "2026-01-01/2026-01-31", 1, USUBJID="05", SECOND=60)]).verdict
    assert (verdict.subject, verdict.row, verdict.key, verdict.second) == ("05", 7, "key7", 60)
    assert verdict.days == Days(day("2026-01-01"), day("2026-01-31"))


def test_no_rows_give_no_verdicts() -> None:
    assert judged(rule("LB"), {}) == []


# ---------------------------------------------------------------- clear and levels


def with_clear(text: str, unit: str = "") -> Rule:
    return rule(
        "LB",
        "LBSTRESN > 400",
        of="LBTESTCD = 'PLAT'",
        unit="10^9/L",
        clear=Clear(where(text, "LB"), unit),
    )


@pytest.mark.parametrize(("value", "expected"), [(199, T), (200, F), (None, U), ("<5", T), (">100", U)])
def test_clear_is_judged_on_each_record(value: float | str | None, expected: Truth) -> None:
    assert one(with_clear("LBSTRESN < 200"), [result(0, "2026-01-07", value)]).verdict.clear is expected


def test_clear_may_have_a_unit_of_its_own() -> None:
    assert one(with_clear("LBSTRESN < 0.2", "10^12/L"), [result(0, "2026-01-07", 199)]).verdict.clear is T


def test_a_record_that_may_not_be_of_the_series_clears_nothing() -> None:
    answer = one(with_clear("LBSTRESN < 200"), [result(0, "2026-01-07", 10, test=None)])
    assert answer.verdict.clear is U
    assert (answer.verdict.where, answer.verdict.truth) == (F, F)


def test_a_record_that_is_silent_has_no_level() -> None:
    given = rule("LB", "LBSTRESN > 5000", unit="10^9/L", levels=LEVELS)
    assert one(given, [result(0, "2026-01-07", 1000)]).verdict.level == 0


def test_a_rule_without_clear_never_clears() -> None:
    assert one(rule("LB"), [result(0, "2026-01-07", 10)]).verdict.clear is F


LEVELS = (
    Level(Severity.MEDIUM, where("LBSTRESN > 100", "LB")),
    Level(Severity.CRITICAL, where("LBSTRESN >= 1000", "LB")),
    Level(Severity.CRITICAL, where("LBSTRESN >= 2000", "LB")),
    Level(Severity.LOW, where("LBSTRESN > 1", "LB")),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 0), (2, 4), (101, 1), (1000, 2), (2000, 3), (">2000", 3), (">1500", 2), (None, 0)],
)
def test_of_the_levels_that_hold_the_most_severe_counts_then_the_last(
    value: float | str | None, expected: int
) -> None:
    given = rule("LB", unit="10^9/L", levels=LEVELS)
    assert one(given, [result(0, "2026-01-07", value)]).verdict.level == expected


def test_a_level_may_ask_for_another_record() -> None:
    cholestatic = With(
        Series("LB", where("LBTESTCD = 'ALP'", "LB")), Window(0, 0), where("LBSTRESN >= 240", "LB")
    )
    given = rule("LB", of="LBTESTCD = 'ALT'", levels=(Level(Severity.MEDIUM, None, (cholestatic,)),))
    alt = result(0, "2026-01-07", 121, test="ALT")
    with_alp = one(given, [alt, result(1, "2026-01-07", 300, test="ALP")])
    assert with_alp.verdict.level == 1
    assert [used.row["ROWN"] for used in with_alp.used] == [0, 1]
    assert one(given, [alt, result(1, "2026-01-07", 100, test="ALP")]).verdict.level == 0
    assert one(given, [alt]).verdict.level == 0


# ---------------------------------------------------------------- with


def bilirubin(low: int | None = -30, high: int | None = 30, **more: Any) -> With:
    return With(
        Series("LB", where("LBTESTCD = 'BILI'", "LB")),
        Window(low, high),
        where("LBSTRESN > 2 * LBSTNRHI", "LB"),
        **more,
    )


HYS_LAW = rule("LB", "LBSTRESN >= 3 * LBSTNRHI", bilirubin(), of="LBTESTCD in ('ALT', 'AST')")


def alt(number: int, start: str | None, value: float | None = 121) -> Row:
    return result(number, start, value, test="ALT", unit="U/L", LBSTNRHI=40.0)


def bili(number: int, start: str | None, value: float | None = 41) -> Row:
    return result(number, start, value, test="BILI", unit="umol/L", LBSTNRHI=20.0)


@pytest.mark.parametrize(
    ("start", "value", "expected"),
    [
        ("2026-02-01", 41, T),
        ("2026-01-02", 41, T),  # 30 days before
        ("2026-01-01", 41, F),  # 31
        ("2026-03-03", 41, T),
        ("2026-03-04", 41, F),
        ("2026-02-01", 40, F),
        ("2026-02-01", None, U),
        ("2026-01-01", None, F),
        (None, 41, U),
        (None, 40, F),
        ("2026-02-01/2026-02-28", 41, T),
        ("2026-03-01/2026-03-31", 41, U),
        ("2026-03-04/2026-03-31", 41, F),
        ("2026-01-01/2026-01-31", 41, U),
        ("2025-12-01/2026-01-01", 41, F),
    ],
)
def test_another_record_must_lie_in_the_window(
    start: str | None, value: float | None, expected: Truth
) -> None:
    assert truths(HYS_LAW, [alt(0, "2026-02-01"), bili(1, start, value)]) == [expected]


def test_among_several_others_any_true_makes_true_else_any_unknown_unknown() -> None:
    found = alt(0, "2026-02-01")
    no, maybe, yes = bili(1, "2026-02-01", 1), bili(2, "2026-02-01", None), bili(3, "2026-02-02")
    assert truths(HYS_LAW, [found, no]) == [F]
    assert truths(HYS_LAW, [found, no, maybe]) == [U]
    assert truths(HYS_LAW, [found, no, maybe, yes]) == [T]
    assert truths(HYS_LAW, [found]) == [F]


def test_only_the_same_subject_counts() -> None:
    assert truths(HYS_LAW, [alt(0, "2026-02-01"), {**bili(1, "2026-02-01"), "USUBJID": "02"}]) == [F]


def test_the_rows_that_made_it_true_are_named() -> None:
    answer = one(
        HYS_LAW,
        [alt(0, "2026-02-01"), bili(1, "2026-02-01", 1), bili(2, "2026-02-03"), bili(3, "2026-02-05")],
    )
    assert [(used.role, used.domain, used.row["ROWN"]) for used in answer.used] == [
        ("found", "LB", 0),
        ("with", "LB", 2),
        ("with", "LB", 3),
    ]
    assert answer.found["ROWN"] == 0
    assert answer.causes == ()


def test_a_found_record_without_a_date_has_no_window() -> None:
    assert truths(HYS_LAW, [alt(0, None), bili(1, "2026-02-01")]) == [U]
    assert truths(
        rule("LB", "", bilirubin(None, None), of="LBTESTCD = 'ALT'"), [alt(0, None), bili(1, None)]
    ) == [T]


@pytest.mark.parametrize(
    ("low", "high", "start", "expected"),
    [
        (None, 0, "2020-01-01", T),
        (None, 0, "2026-02-01", T),
        (None, 0, "2026-02-02", F),
        (0, None, "2030-01-01", T),
        (1, None, "2026-02-01", F),
        (None, None, None, T),
        (None, 0, None, U),
    ],
)
def test_a_window_may_be_unbounded(
    low: int | None, high: int | None, start: str | None, expected: Truth
) -> None:
    given = rule("LB", "", bilirubin(low, high), of="LBTESTCD = 'ALT'")
    assert truths(given, [alt(0, "2026-02-01"), bili(1, start)]) == [expected]


def test_the_other_record_is_never_the_found_one() -> None:
    again = With(Series("LB"), Window(0, 0))
    assert truths(rule("LB", "", again), [result(0, "2026-01-07", 1)]) == [F]
    assert truths(rule("LB", "", again), [result(0, "2026-01-07", 1), result(1, "2026-01-07", 1)]) == [T, T]
    assert truths(rule("LB", "", Without(Series("LB"), Window(0, 0))), [result(0, "2026-01-07", 1)]) == [T]


def test_a_record_of_another_domain_with_the_same_number_is_another() -> None:
    given = rule("LB", "", With(Series("EX"), Window(0, 0)))
    assert truths(given, {"LB": [result(0, "2026-01-07", 1)], "EX": [row(0, "2026-01-07")]}) == [T]


@pytest.mark.parametrize(
    ("at", "expected"),
    [(At.ANY, (T, T, F, U, T)), (At.START, (F, F, F, F, F)), (At.END, (T, F, F, U, U))],
)
def test_which_part_of_the_other_record_lies_in_the_window(at: At, expected: tuple[Truth, ...]) -> None:
    given = rule("LB", "", With(Series("EX"), Window(-2, 0), at=at))
    others = [
        row(0, "2026-01-01", end="2026-01-07"),
        row(0, "2026-01-01", end="2026-01-31"),
        row(0, "2026-01-01", end="2026-01-04"),
        row(0, "2026-01-01", end="2026-01-01/2026-01-07"),
        {**row(0, "2026-01-01"), "END_LO": day("2026-01-06"), "END_HI": None},
    ]
    found = tuple(truths(given, {"LB": [result(0, "2026-01-07", 1)], "EX": [other]})[0] for other in others)
    assert found == expected


def test_a_treatment_that_has_not_ended_may_reach_into_a_later_window() -> None:
    given = rule("LB", "", With(Series("EX"), Window(-2, 0)))
    ongoing = {**row(0, "2026-01-01", EXTRT="x"), "END_HI": None}
    answer = one(given, {"LB": [result(0, "2026-01-07", 1)], "EX": [ongoing]})
    assert answer.verdict.truth is U
    assert answer.causes == (Cause("missing value", "EX", "EXENDT"),)


def test_this_names_the_found_record() -> None:
    tripled = With(
        Series("LB", where("LBTESTCD = 'PLAT'", "LB"), "10^9/L"),
        Window(-10, -5),
        where("this.LBSTRESN >= 3 * LBSTRESN", "LB", "LB"),
    )
    given = rule("LB", "LBSTRESN > 150", tripled, of="LBTESTCD = 'PLAT'", unit="10^9/L")
    assert truths(given, [result(0, "2026-01-01", 50), result(1, "2026-01-08", 150.1)]) == [F, T]
    assert truths(given, [result(0, "2026-01-01", 60), result(1, "2026-01-08", 179)]) == [F, F]
    assert truths(given, [result(0, "2026-01-01", 0.05, unit="10^12/L"), result(1, "2026-01-08", 150.1)]) == [
        F,
        T,
    ]
    lost = one(given, [result(0, "2026-01-08", 151, unit=None)], reaching("2026-01-01"))
    assert lost.causes == (Cause("unit", "LB", "LBSTRESN"), Cause("window open", "LB"))


# ---------------------------------------------------------------- how far the data reach


def reaching(to: str, site: str = "") -> Context:
    return replace(CONTEXT, through={("LB", site): day(to)})


def test_a_with_that_is_not_true_is_unknown_while_its_window_is_open() -> None:
    found = alt(0, "2026-02-01")
    assert truths(HYS_LAW, [found], reaching("2026-03-03")) == [F]
    answer = one(HYS_LAW, [found], reaching("2026-03-02"))
    assert answer.verdict.truth is U
    assert answer.causes == (Cause("window open", "LB"),)
    assert truths(HYS_LAW, [found, bili(1, "2026-02-01")], reaching("2026-03-02")) == [T]


def test_the_reach_is_that_of_the_site() -> None:
    context = replace(CONTEXT, through={("LB", ""): day("2026-12-31"), ("LB", "S1"): day("2026-02-02")})
    assert truths(HYS_LAW, [alt(0, "2026-02-01")], context) == [U]
    assert truths(HYS_LAW, [{**alt(0, "2026-02-01"), "SITEID": "S2"}], context) == [F]


def test_an_unbounded_window_never_reaches_past_the_data() -> None:
    given = rule("LB", "", bilirubin(0, None), of="LBTESTCD = 'ALT'")
    assert truths(given, [alt(0, "2026-02-01")], reaching("2026-02-01")) == [F]


def test_a_domain_that_was_not_received_is_unknown() -> None:
    context = replace(CONTEXT, through={("LB", ""): day("2026-12-31")})
    for clause in (With(Series("CM"), Window(-7, 0)), Without(Series("CM"), Window(-7, 0))):
        answer = one(rule("LB", "", clause), [alt(0, "2026-02-01")], context)
        assert answer.verdict.truth is U
        assert answer.causes == (Cause("domain not received", "CM"),)


# ---------------------------------------------------------------- without


def no_bilirubin(low: int, high: int, opened: Open | None) -> Rule:
    clause = Without(Series("LB", where("LBTESTCD = 'BILI'", "LB")), Window(low, high), open=opened)
    return rule("LB", "", clause, of="LBTESTCD = 'ALT'")


@pytest.mark.parametrize(
    ("start", "expected"), [(None, U), ("2026-02-02", F), ("2026-02-09", T), ("2026-02-05/2026-02-20", U)]
)
def test_without_is_the_opposite_of_with(start: str | None, expected: Truth) -> None:
    given = no_bilirubin(1, 7, Open.WAIT)
    assert truths(given, [alt(0, "2026-02-01"), bili(1, start)]) == [expected]


@pytest.mark.parametrize(
    ("opened", "expected", "kind"), [(Open.WAIT, U, "waiting"), (Open.FIRE, T, ""), (None, U, "window open")]
)
def test_what_without_says_while_its_window_is_open(opened: Open | None, expected: Truth, kind: str) -> None:
    answer = one(no_bilirubin(1, 7, opened), [alt(0, "2026-02-01")], reaching("2026-02-07"))
    assert answer.verdict.truth is expected
    assert [cause.kind for cause in answer.causes] == ([kind] if kind else [])


@pytest.mark.parametrize("opened", list(Open))
def test_a_record_in_the_open_window_decides_without(opened: Open) -> None:
    rows = [alt(0, "2026-02-01"), bili(1, "2026-02-02")]
    assert truths(no_bilirubin(1, 7, opened), rows, reaching("2026-02-07")) == [F]


def test_an_uncertain_record_is_uncertain_for_without_too() -> None:
    rows = [alt(0, "2026-02-01"), bili(1, None)]
    assert truths(no_bilirubin(1, 7, Open.FIRE), rows, reaching("2026-02-07")) == [U]


def test_a_lagging_transfer_never_makes_a_rule_fire() -> None:
    given = rule("EX", "", Without(Series("LB"), Window(-7, 0)))
    context = replace(CONTEXT, through={("LB", ""): day("2026-01-31"), ("EX", ""): day("2026-03-01")})
    answer = one(given, {"EX": [row(0, "2026-02-01")]}, context)
    assert answer.verdict.truth is U
    assert answer.causes == (Cause("window open", "LB"),)


# ---------------------------------------------------------------- any


def test_one_of_a_group_must_hold() -> None:
    group = AnyOf((bilirubin(), With(Series("EX"), Window(0, 0))))
    given = rule("LB", "", group, of="LBTESTCD = 'ALT'")
    found, dose = alt(0, "2026-02-01"), row(5, "2026-02-01")
    assert truths(given, {"LB": [found]}) == [F]
    assert truths(given, {"LB": [found], "EX": [dose]}) == [T]
    assert truths(given, {"LB": [found, bili(1, "2026-02-01")]}) == [T]
    assert truths(given, {"LB": [found, bili(1, "2026-02-01", None)]}) == [U]
    assert truths(given, {"LB": [found, bili(1, "2026-02-01", None)], "EX": [dose]}) == [T]


def test_every_clause_must_hold() -> None:
    given = rule("LB", "", bilirubin(), With(Series("EX"), Window(0, 0)), of="LBTESTCD = 'ALT'")
    rows = {"LB": [alt(0, "2026-02-01"), bili(1, "2026-02-01")], "EX": [row(0, "2026-02-01")]}
    assert truths(given, rows) == [T]
    assert truths(given, {**rows, "EX": []}) == [F]


# ---------------------------------------------------------------- with rule


def episode(
    opened: str | None,
    closed: str | None = None,
    truth: Truth = T,
    second: int | None = None,
    subject: str = "01",
) -> Episode:
    ended = Days(*interval(closed)) if closed else None
    return Episode("PLT-01", subject, truth, (), Days(*interval(opened)), second, ended)


def open_truth(
    found: Row, episodes: list[Episode], *, same_day: bool = False, setting: str = "cannot tell"
) -> Truth:
    given = rule("DOSE", "", WithRule("PLT-01", same_day))
    context = replace(CONTEXT, same_day=setting)
    return one(given, [found], context, {"PLT-01": episodes}).verdict.truth


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-01-06", F),
        ("2026-01-07", F),
        ("2026-01-08", T),
        ("2026-01-20", T),
        ("2026-01-21", F),
        ("2026-01-22", F),
        ("2026-01-07/2026-01-09", U),
        ("2026-01-08/2026-01-20", T),
        ("2026-01-19/2026-01-25", U),
        ("2026-01-21/2026-01-25", F),
        ("2026-01-01/2026-01-07", F),
        (None, U),
    ],
)
def test_an_episode_is_open_from_the_day_after_it_opened_to_the_day_before_it_closed(
    start: str | None, expected: Truth
) -> None:
    assert open_truth(row(0, start), [episode("2026-01-07", "2026-01-21")]) is expected


def test_an_episode_that_has_not_closed_is_open() -> None:
    assert open_truth(row(0, "2030-01-01"), [episode("2026-01-07")]) is T


@pytest.mark.parametrize(
    ("dose", "count", "setting", "expected"),
    [
        (None, None, "before", T),
        (None, None, "after", F),
        (None, None, "cannot tell", U),
        (3600, None, "before", T),
        (3600, None, "after", F),
        (3600, 1800, "after", T),
        (1800, 3600, "before", F),
        (3600, 3600, "before", T),
        (3600, 3600, "after", F),
        (3600, 3600, "cannot tell", U),
    ],
)
def test_on_the_day_itself_the_times_decide_then_the_study(
    dose: int | None, count: int | None, setting: str, expected: Truth
) -> None:
    found = row(0, "2026-01-07", second=dose)
    opened = [episode("2026-01-07", second=count)]
    assert open_truth(found, opened, same_day=True, setting=setting) is expected
    assert open_truth(found, opened, same_day=False, setting=setting) is F


@pytest.mark.parametrize(("setting", "expected"), [("before", T), ("after", U), ("cannot tell", U)])
def test_an_uncertain_day_that_may_be_the_opening_day(setting: str, expected: Truth) -> None:
    found = row(0, "2026-01-07/2026-01-09")
    assert open_truth(found, [episode("2026-01-07")], same_day=True, setting=setting) is expected


def test_an_episode_that_opened_on_an_uncertain_day() -> None:
    opened = [episode("2026-01-01/2026-01-31")]
    assert open_truth(row(0, "2026-02-01"), opened) is T
    assert open_truth(row(0, "2026-01-15"), opened) is U
    assert open_truth(row(0, "2026-01-01"), opened) is F
    assert open_truth(row(0, "2025-12-31"), opened, same_day=True) is F
    assert open_truth(row(0, "2026-01-15"), [episode(None)]) is U


def test_an_episode_that_can_not_be_told_makes_unknown() -> None:
    found = row(0, "2026-01-10")
    assert open_truth(found, [episode("2026-01-07", truth=U)]) is U
    assert open_truth(found, [episode("2026-01-07", truth=U), episode("2026-01-08")]) is T
    assert open_truth(found, [episode("2026-01-11", truth=U)]) is F
    assert open_truth(found, [episode("2026-01-07", subject="02")]) is F
    assert open_truth(found, []) is F


def test_an_episode_that_can_not_be_told_is_the_cause() -> None:
    given = rule("DOSE", "", WithRule("PLT-01"))
    answer = one(given, [row(0, "2026-01-10")], CONTEXT, {"PLT-01": [episode("2026-01-07", truth=U)]})
    assert answer.causes == (Cause("episode can't be told", "", "PLT-01"),)


# ---------------------------------------------------------------- why it can't be told


@pytest.mark.parametrize(
    ("domain", "text", "unit", "found", "expected"),
    [
        (
            "LB",
            "LBSTRESN > 4",
            "10^9/L",
            result(0, "2026-01-07", None),
            Cause("missing value", "LB", "LBSTRESN"),
        ),
        (
            "LB",
            "LBSTRESN > 4",
            "10^9/L",
            result(0, "2026-01-07", "<5"),
            Cause("censored", "LB", "LBSTRESN", "<5"),
        ),
        (
            "LB",
            "LBSTRESN > 100",
            "10^9/L",
            {**result(0, "2026-01-07", None, LBORRES="40"), "LBSTRESN_LO": 40.0, "LBSTRESN_HI": 400.0},
            Cause("original and standard result contradict", "LB", "LBSTRESN", "40"),
        ),
        (
            "LB",
            "LBSTRESN > 4",
            "10^9/L",
            result(0, "2026-01-07", 5, unit=None, LBSTRESU="THOU"),
            Cause("unit", "LB", "LBSTRESN", "THOU"),
        ),
        (
            "LB",
            "LBDT > date '2026-01-05'",
            "",
            result(0, "2026-01-01/2026-01-31", 5, LBDTC="2026-01"),
            Cause("partial date", "LB", "LBDT", "2026-01"),
        ),
        ("LB", "LBDT > date '2026-01-05'", "", result(0, None, 5), Cause("missing value", "LB", "LBDT")),
        (
            "EX",
            "EXTRT in @romiplostim",
            "",
            row(0, None, EXTRT="Aspirin"),
            Cause("unsorted word", "EX", "EXTRT", "Aspirin"),
        ),
        ("EX", "EXTRT in @romiplostim", "", row(0, None, EXTRT=None), Cause("missing value", "EX", "EXTRT")),
        ("EX", "EXTRT like 'A%'", "", row(0, None, EXTRT=None), Cause("missing value", "EX", "EXTRT")),
        ("EX", "EXTRT in ('A')", "", row(0, None, EXTRT=None), Cause("missing value", "EX", "EXTRT")),
        (
            "AE",
            "AETERM matches @clots",
            "",
            row(0, None, AETERM="thrombosis ruled out"),
            Cause("negated term", "AE", "AETERM", "ruled out"),
        ),
        (
            "LB",
            "1 / LBSTNRHI > 0",
            "",
            result(0, None, 5, LBSTNRHI=0.0),
            Cause("missing value", "LB", "", "division by zero"),
        ),
    ],
)
def test_the_cause_of_an_unknown_is_named(
    domain: str, text: str, unit: str, found: Row, expected: Cause
) -> None:
    if text.startswith("1 /"):
        text = "LBSTRESN / LBSTNRHI > 0"
    answer = one(rule(domain, text, unit=unit), [found])
    assert answer.verdict.truth is U
    assert answer.causes == (expected,)


def test_only_what_is_unknown_is_a_cause() -> None:
    answer = one(rule("AE", "AESER = 'Y' and AEOUT = 'FATAL'"), [row(0, None, AEOUT="FATAL")])
    assert answer.causes == (Cause("missing value", "AE", "AESER"),)
    assert one(rule("AE", "AESER = 'Y' and AEOUT = 'FATAL'"), [row(0, None, AEOUT="x")]).causes == ()


def test_the_same_cause_is_named_once() -> None:
    answer = one(rule("AE", "not (AESER = 'Y' or AESER = 'N')"), [row(0, None)])
    assert answer.causes == (Cause("missing value", "AE", "AESER"),)


def test_no_text_at_all_is_a_missing_value() -> None:
    answer = one(rule("AE", "AETERM matches @clots"), [row(0, None)])
    assert {cause.kind for cause in answer.causes} == {"missing value"}


def test_a_window_that_can_not_be_told_names_the_date() -> None:
    unsure = {**bili(1, "2026-03-01/2026-03-31"), "LBDTC": "2026-03"}
    answer = one(HYS_LAW, [alt(0, "2026-02-01"), unsure])
    assert answer.causes == (Cause("partial date", "LB", "LBDT", "2026-03"),)
    assert [used.row["ROWN"] for used in answer.used] == [0, 1]
    found = one(HYS_LAW, [alt(0, None), bili(1, "2026-03-01")])
    assert Cause("missing value", "LB", "LBDT") in found.causes


def test_the_other_record_of_a_clause_is_a_cause() -> None:
    answer = one(HYS_LAW, [alt(0, "2026-02-01"), bili(1, "2026-02-01", None)])
    assert answer.causes == (Cause("missing value", "LB", "LBSTRESN"),)
