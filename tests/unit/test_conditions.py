"""Condition text becomes a tree, or problems that say where and what to write instead."""

from __future__ import annotations

import pytest

from monitor.errors import RuleError
from monitor.records import Kind
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Parameter
from monitor.rules.operands import FUNCTIONS
from monitor.rules.rule import (
    Absolute,
    And,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    Comparator,
    Compare,
    DateLiteral,
    DaysBetween,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Number,
    Operator,
    Or,
    Param,
    Text,
)
from monitor.rules.scope import Scope

RESULT = Column("LBSTRESN", Kind.QUANTITY)
LIMIT = Column("LBSTNRHI", Kind.QUANTITY)
TEST = Column("LBTESTCD", Kind.TEXT)
AGE = Column("AGE", Kind.NUMBER)
DATE = Column("LBDT", Kind.DATE)
PARAMS = {
    "hold": Parameter("hold", 400, "10^9/L", "label"),
    "factor": Parameter("factor", 3, "", "guideline"),
    "dose": Parameter("dose", 10, "ug/kg", "protocol"),
}
LISTS = {"related", "romiplostim"}
LB = Scope("LB", unit="10^9/L", params=PARAMS, lists=LISTS)
BARE = Scope("LB", unit="", params=PARAMS, lists=LISTS)
INSIDE = Scope("LB", "10^9/L", found_domain="LB", found_unit="10^9/L", params=PARAMS, lists=LISTS)


def problems(text: str, scope: Scope = LB) -> list[str]:
    with pytest.raises(RuleError) as caught:
        parse_condition(text, scope.domain, address="find.where", scope=scope)
    return [str(problem).removeprefix("find.where: ") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("LBSTRESN > :hold", Compare(Comparator.GT, RESULT, Param("hold"))),
        (
            "LBSTRESN>=3*LBSTNRHI",
            Compare(Comparator.GE, RESULT, Arithmetic(Operator.MULTIPLY, Number(3), LIMIT)),
        ),
        ("AGE < -1.5", Compare(Comparator.LT, AGE, Number(-1.5))),
        ("AGE != 2", Compare(Comparator.NE, AGE, Number(2))),
        ("AGE <= 2 - 1", Compare(Comparator.LE, AGE, Arithmetic(Operator.SUBTRACT, Number(2), Number(1)))),
        ("lbtestcd = 'it''s'", Compare(Comparator.EQ, TEST, Text("it's"))),
        ("LBDT = date '1970-01-11'", Compare(Comparator.EQ, DATE, DateLiteral(10))),
        ("LBDT < :as_of", Compare(Comparator.LT, DATE, AsOf())),
        ("days(LBDT, :as_of) > 14", Compare(Comparator.GT, DaysBetween(DATE, AsOf()), Number(14))),
        (
            "abs(AGE - 3) > 1",
            Compare(Comparator.GT, Absolute(Arithmetic(Operator.SUBTRACT, AGE, Number(3))), Number(1)),
        ),
        ("coalesce(AGE, 1) = 1", Compare(Comparator.EQ, Coalesce((AGE, Number(1))), Number(1))),
        ("LBTESTCD in ('A', 'B')", InWords(TEST, ("A", "B"))),
        ("LBTESTCD not in ('A')", Not(InWords(TEST, ("A",)))),
        (
            "AGE in (1, 2)",
            Or((Compare(Comparator.EQ, AGE, Number(1)), Compare(Comparator.EQ, AGE, Number(2)))),
        ),
        ("LBTESTCD in @related", InList(TEST, "related")),
        ("LBTESTCD not in @related", Not(InList(TEST, "related"))),
        ("LBTESTCD like 'PL%'", Like(TEST, "PL%")),
        ("LBDT is null", IsNull(DATE)),
        ("LBDT is not null", Not(IsNull(DATE))),
        ("LBCAT matches @related", Matches((Column("LBCAT", Kind.TEXT),), "related")),
    ],
)
def test_a_text_becomes_this_tree(text: str, tree: object) -> None:
    assert parse_condition(text, "LB", scope=LB) == tree


def test_between_includes_both_ends() -> None:
    assert parse_condition("AGE between 1 and 3", "LB") == And(
        (Compare(Comparator.GE, AGE, Number(1)), Compare(Comparator.LE, AGE, Number(3)))
    )


def test_and_binds_more_closely_than_or_and_not_most_closely() -> None:
    a, b, c = (Compare(Comparator.EQ, AGE, Number(n)) for n in (1, 2, 3))
    assert parse_condition("AGE = 1 or not AGE = 2 and AGE = 3", "LB") == Or((a, And((Not(b), c))))
    assert parse_condition("(AGE = 1 OR AGE = 2) AND AGE = 3", "LB") == And((Or((a, b)), c))


def test_multiplication_binds_more_closely_than_addition() -> None:
    product = Arithmetic(Operator.MULTIPLY, Number(2), Number(3))
    quotient = Arithmetic(Operator.DIVIDE, Arithmetic(Operator.ADD, Number(2), Number(3)), Number(4))
    assert parse_condition("AGE > 1 + 2 * 3", "LB") == Compare(
        Comparator.GT, AGE, Arithmetic(Operator.ADD, Number(1), product)
    )
    assert parse_condition("AGE > (2 + 3) / 4", "LB") == Compare(Comparator.GT, AGE, quotient)


def test_brackets_may_hold_a_value_or_a_condition() -> None:
    assert parse_condition("((AGE) = (1))", "LB") == Compare(Comparator.EQ, AGE, Number(1))


def test_a_column_may_begin_like_a_word_of_the_language() -> None:
    assert parse_condition("INVID = 'Y'", "DM") == Compare(
        Comparator.EQ, Column("INVID", Kind.TEXT), Text("Y")
    )


def test_free_text_is_searched_in_the_term_and_in_its_coded_forms() -> None:
    columns = tuple(Column(name, Kind.TEXT) for name in ("AETERM", "AEMODIFY", "AEDECOD"))
    assert parse_condition("AEDECOD matches @related", "AE") == Matches(columns, "related")


def test_this_means_the_found_record() -> None:
    found = Column("LBSTRESN", Kind.QUANTITY, of_found=True)
    difference = Arithmetic(Operator.SUBTRACT, found, RESULT)
    assert parse_condition("this.LBSTRESN - LBSTRESN >= 26.5", "LB", scope=INSIDE) == Compare(
        Comparator.GE, difference, Number(26.5)
    )
    texts = parse_condition("this.LBTESTCD = AETERM", "AE", "LB")
    assert texts == Compare(Comparator.EQ, Column("LBTESTCD", Kind.TEXT, True), Column("AETERM", Kind.TEXT))


def test_free_text_of_the_found_record_can_be_searched_too() -> None:
    columns = tuple(Column(name, Kind.TEXT, True) for name in ("AETERM", "AEMODIFY", "AEDECOD"))
    assert parse_condition("this.AETERM matches @related", "LB", "AE") == Matches(columns, "related")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LBSTRSN > 3", "column 1: LBSTRSN is not a column of LB; did you mean LBSTRESN?"),
        ("QQQ > 3", "column 1: QQQ is not a column of LB"),
        ("LBSTRESN > :hld", "column 12: :hld is not a parameter; did you mean hold?"),
        ("LBTESTCD in @relatd", "column 13: @relatd is not a list of rules/lists; did you mean related?"),
        ("AGE = day(LBDT)", "column 7: day is not a function; did you mean days?"),
        (
            "AGE = sqrt(3)",
            f"column 7: sqrt is not a function; known: {', '.join(FUNCTIONS)}",
        ),
        ("days(LBDT) = 1", "column 1: days takes two dates: days(from, to)"),
        ("days(LBDT, AGE) = 1", "column 1: days takes two dates: days(from, to)"),
        ("abs(LBDT) = 1", "column 1: abs takes one number"),
        ("coalesce(AGE) = 1", "column 1: coalesce takes two or more numbers or quantities"),
        ("LBDT > '2026-01-01'", "column 8: LBDT is a date and '2026-01-01' a text"),
        ("LBDT > date '2026-13-01'", "column 8: '2026-13-01' is not a date; write it as '2026-01-31'"),
        ("LBDT + 1 > :as_of", "column 1: LBDT is a date, and arithmetic needs numbers: use days(a, b)"),
        ("LBTESTCD * 2 > 1", "column 1: LBTESTCD is a text, and arithmetic needs numbers"),
        ("LBTESTCD > 'A'", "column 1: LBTESTCD is a text: it can only be = or != to another"),
        ("LBTESTCD in (1)", "column 1: LBTESTCD is a text: its words stand in single quotes"),
        ("AGE in ('A')", "column 9: AGE is a number and 'A' a text"),
        ("AGE in @related", "column 1: AGE is not a text column"),
        ("AGE like '1%'", "column 1: AGE is not a text column"),
        ("LBSTRSN is null", "column 1: LBSTRSN is not a column of LB; did you mean LBSTRESN?"),
        ("LBSTRSN in (1)", "column 1: LBSTRSN is not a column of LB; did you mean LBSTRESN?"),
        ("LBTESTD like 'A'", "column 1: LBTESTD is not a column of LB; did you mean LBTESTCD?"),
        ("LBTESTD matches @related", "column 1: LBTESTD is not a column of LB; did you mean LBTESTCD?"),
        ("AGE between AGF and 3", "column 13: AGF is not a column of LB; did you mean AGE?"),
        ("AGE > 2 * AGF", "column 11: AGF is not a column of LB; did you mean AGE?"),
        ("AGE > 2 - AGF", "column 11: AGF is not a column of LB; did you mean AGE?"),
        ("AGE > abs(AGF)", "column 11: AGF is not a column of LB; did you mean AGE?"),
        ("AGE + 1 is null", "column 1: AGE + 1 is not a column: only a column can be null"),
        ("this.LBTESTCD = 'A'", "column 1: `this.` has a meaning only inside `with` and `without`"),
        ("LBSTRESN", "column 9: the condition ends too early"),
        ("AGE > 3 and", "column 12: the condition ends too early"),
        ("AGE > > 3", "column 7: '>' can't stand here"),
        ("AGE ~ 3", "column 5: '~' has no meaning here"),
        ('LBTESTCD = "A"', "column 12: '\"' has no meaning here; texts stand in single quotes"),
        ("AGE = 1\nand AGF = 2", "line 2, column 5: AGF is not a column of LB; did you mean AGE?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_a_way_out(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_all_problems_of_a_text_come_at_once() -> None:
    assert (
        len(problems("LBSTRSN > 1 and (AGF = 2 or LBTESTCD in @x) and abs(LBDT, :y) between AGX and 3")) == 5
    )


@pytest.mark.parametrize(
    "text",
    [
        "LBSTRESN >= :factor * LBSTNRHI",
        "LBSTRESN / LBSTNRHI >= 3",
        "LBSTRESN > BASE + LBSTNRHI",
        "LBSTRESN > 2 * (LBSTNRHI - LBSTNRLO) / 3",
        "LBSTRESN > 0",
        "0 < abs(CHG)",
        "coalesce(BASE, LBSTNRLO) > LBSTNRHI",
        "AGE > :factor",
    ],
)
def test_quantities_of_one_record_meet_without_a_unit(text: str) -> None:
    parse_condition(text, "LB", scope=BARE)


@pytest.mark.parametrize(
    "text",
    [
        "LBSTRESN > 400",
        "LBSTRESN > :hold",
        "LBSTRESN - LBSTNRHI > 5",
        "LBSTRESN > LBSTNRHI + 1",
        "CHG between 1 and 2",
    ],
)
def test_a_quantity_meets_a_number_only_in_a_series_with_a_unit(text: str) -> None:
    assert "needs its `unit`" in problems(text, BARE)[0]
    parse_condition(text, "LB", scope=LB)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "LBSTRESN > :factor",
            ":factor has no unit, and LBSTRESN is a quantity: give the parameter its unit",
        ),
        ("LBSTRESN > AGE", "AGE has no unit, and LBSTRESN is a quantity"),
        ("AGE > :hold", "AGE has no unit, and :hold is a quantity"),
        ("LBSTRESN > days(LBDT, :as_of)", "days(LBDT, :as_of) has no unit, and LBSTRESN is a quantity"),
        ("LBSTRESN * LBSTNRHI > 3", "LBSTRESN * LBSTNRHI has a unit of its own; rules can't name it"),
        ("3 / LBSTRESN > 3", "3 / LBSTRESN has a unit of its own; rules can't name it"),
        ("LBSTRESN > :dose", ":dose is in ug/kg, and its ug can't be converted to 10^9/L"),
    ],
)
def test_what_has_no_unit_never_meets_a_quantity(text: str, said: str) -> None:
    assert problems(text)[0].split(": ", 1)[1] == said


def test_quantities_of_two_records_need_one_unit() -> None:
    other = Scope("LB", "umol/L", found_domain="LB", found_unit="mg/dL", params=PARAMS)
    none = Scope("LB", "", found_domain="LB", found_unit="mg/dL", params=PARAMS)
    assert (
        "the found record has mg/dL and this series umol/L" in problems("this.LBSTRESN > LBSTRESN", other)[0]
    )
    assert "needs its `unit`" in problems("this.LBSTRESN > LBSTRESN", none)[0]


def test_without_a_scope_units_and_names_are_not_checked() -> None:
    parse_condition("LBSTRESN > 400 and LBTESTCD in @any and LBSTRESN / 2 > :n", "LB")
