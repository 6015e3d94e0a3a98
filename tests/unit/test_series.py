"""Earlier records of a series: what is refused, how they are said, which of them are evidence."""

from __future__ import annotations

import pytest

from monitor.errors import RuleError
from monitor.records import Kind, Severity, Truth
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Context
from monitor.rules.phrases import describe
from monitor.rules.reference import judge
from monitor.rules.rule import Rule, Series
from monitor.rules.scope import Scope
from monitor.rules.series import partition_of
from monitor.rules.terms import kind_of
from monitor.rules.wording import Speech
from tests.physical import result, row

LB = Scope("LB", unit="10^9/L")
INSIDE = Scope("LB", "10^9/L", found_domain="LB", found_unit="10^9/L")
CONTEXT = Context(as_of=20_500, through={("LB", ""): 20_500})


@pytest.mark.parametrize(
    ("text", "scope", "said"),
    [
        ("prev() > 1", LB, "prev takes one column of the record: prev(COL)"),
        ("prev(3) > 1", LB, "prev takes one column of the record: prev(COL)"),
        ("prev(LBSTRESN + 1) > 1", LB, "prev takes one column of the record: prev(COL)"),
        ("prev(this.LBSTRESN) > 1", INSIDE, "prev takes one column of the record: prev(COL)"),
        ("prev(LBSTRESN, LBSTNRHI) > 1", LB, "prev takes one column of the record: prev(COL)"),
        ("nth(LBSTRESN) = 1", LB, "nth takes nothing: nth()"),
        ("highest(LBTESTCD) = 'A'", LB, "highest takes a column of numbers; LBTESTCD is a text"),
        ("lowest(LBDT) = :as_of", LB, "lowest takes a column of numbers; LBDT is a date"),
        ("previous(LBSTRESN) > 1", LB, "previous is not a function; did you mean prev?"),
        ("nth() = 1", Scope("LB", no_past="has no meaning here"), "nth has no meaning here"),
        ("since(LBSTRESN) > 3", LB, "since(LBSTRESN) is a date and 3 a number"),
        ("days_since_prev() > LBSTRESN", LB, "has no unit, and LBSTRESN is a quantity"),
        ("prev(LBSTRESN) > LBSTRESN", Scope("LB", unit=""), "so this series needs its `unit`"),
    ],
)
def test_what_can_not_be_asked_is_refused(text: str, scope: Scope, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(text, "LB", scope=scope)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("prev(LBSTRESN) > 400", Kind.QUANTITY, "the previous result is above 400 10^9/L"),
        ("highest(LBSTRESN) > 400", Kind.NUMBER, "the highest earlier result is above 400 10^9/L"),
        ("nth() >= 2", Kind.NUMBER, "the record's number in its series is at least 2"),
        ("days_since_prev() > 7", Kind.NUMBER, "the number of days since the previous record is above 7"),
        (
            "since(LBSTRESN) < :as_of",
            Kind.DATE,
            "the day since which result had not changed is before the data cut-off",
        ),
        ("prev(LBDT) = :as_of", Kind.DATE, "the previous date (LBDT) is on the data cut-off"),
        ("prev(LBSPEC) = 'BLOOD'", Kind.TEXT, "the previous LBSPEC is BLOOD"),
    ],
)
def test_each_function_has_a_kind_and_words(text: str, kind: Kind, words: str) -> None:
    condition = parse_condition(text, "LB", scope=LB)
    assert kind_of(condition.left) is kind  # type: ignore[union-attr]
    assert str(describe(condition, Speech("LB", "10^9/L"))) == words


def test_a_series_is_of_one_test_and_specimen_or_one_treatment() -> None:
    blood = result(0, "2026-01-01", 5, LBSPEC="Blood ")
    assert partition_of("LB", blood) == ("plat", "blood")
    assert partition_of("CM", row(0, None, CMTRT="Sandimmun", CMDECOD="CICLOSPORIN")) == ("ciclosporin",)
    assert partition_of("CM", row(0, None, CMTRT="Sandimmun", CMDECOD=None)) == ("sandimmun",)
    assert partition_of("AE", row(0, None)) == ()


def rule(where: str) -> Rule:
    return Rule(
        id="R",
        pack="p",
        title="",
        severity=Severity.LOW,
        action="",
        series=Series("LB", None, "10^9/L"),
        where=parse_condition(where, "LB", scope=LB),
    )


def test_the_earlier_records_that_were_asked_for_are_used() -> None:
    rows = [result(n, f"2026-01-0{n + 1}", value) for n, value in enumerate((5, 5, 7, 6))]
    used = {
        name: [one.row["ROWN"] for one in judge(rule(where), {"LB": rows}, CONTEXT, {})[-1].used]
        for name, where in {
            "prev": "LBSTRESN < prev(LBSTRESN)",
            "highest": "LBSTRESN < highest(LBSTRESN)",
            "lowest": "LBSTRESN > lowest(LBSTRESN)",
            "since": "days(since(LBSTRESN), LBDT) = 1",
            "nth": "nth() = 4",
        }.items()
    }
    assert used == {"prev": [3, 2], "highest": [3, 2], "lowest": [3, 0], "since": [3, 2], "nth": [3]}


@pytest.mark.parametrize(
    ("first", "where", "kind"),
    [
        (None, "LBSTRESN > prev(LBSTRESN)", "no earlier record"),
        (result(0, "2026-01-01", "<5"), "LBSTRESN > prev(LBSTRESN)", "censored"),
        (result(0, "2026-01-01", 5, unit=None), "LBSTRESN > highest(LBSTRESN)", "unit"),
        (result(0, "2026-01-01/2026-01-31", 5), "nth() = 2", "order can't be told"),
    ],
)
def test_why_it_can_not_be_told_is_said(first: dict[str, object] | None, where: str, kind: str) -> None:
    rows = [*([first] if first else []), result(1, "2026-01-08", 6)]
    last = judge(rule(where), {"LB": rows}, CONTEXT, {})[-1]
    assert last.verdict.truth is Truth.UNKNOWN
    assert [cause.kind for cause in last.causes] == [kind]
