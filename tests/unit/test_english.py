"""Rules as sentences: what a clinician reads, in the words of the tree."""

# ruff: noqa: E501 - a sentence is one line

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from monitor.clinical.domains import DOMAINS
from monitor.rules import english
from monitor.rules.clause_words import clause_words, window_words
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Context, Parameter
from monitor.rules.names import RECORDS, column_name
from monitor.rules.names import test_name as name_of_test
from monitor.rules.phrases import describe
from monitor.rules.rule import Clause, Condition, Expression, Series, Window
from monitor.rules.rulefile import load_rules, resolve_params
from monitor.rules.wording import Speech, value
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, PARAMS, RULE, loaded, rule_of

PACK = load_rules(Path(__file__).parents[2] / "rules", ("generic", "romiplostim-aa"))
SHIPPED = Context(as_of=0, params=resolve_params(PACK, {}), lists=PACK.lists)
WORDS = {"hold": Parameter("hold", 400, "10^9/L", "label"), "on": Parameter("on", 0, "", "label")}


def said(text: str, domain: str = "LB", found: str = "", unit: str = "10^9/L") -> str:
    return str(describe(parse_condition(text, domain, found), Speech(domain, unit, found, WORDS)))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("PLT-01", "Platelets (PLAT) above 400 10^9/L, in LB"),
        (
            "DIS-01",
            "Adverse event, for one drug: action taken with the drug (ACN) is in the list “withdrawn”, and"
            " relationship to the drug (REL) is missing or not in the list “unrelated”, in AEDRUG",
        ),
        (
            "ROM-08",
            "Dose of romiplostim: given (GIVEN) is Y and dose (DOSE) is above 0, in DOSE; while an episode of"
            " PLT-01 is open, from the same day on",
        ),
        (
            "G-01",
            "Adverse event: any of serious (AESER), death (AESDTH), life-threatening (AESLIFE), hospitalization"
            " (AESHOSP), disability (AESDISAB), congenital anomaly (AESCONG), other important medical event"
            " (AESMIE), cancer (AESCAN) or overdose (AESOD) is in the list “yes”, or outcome (AEOUT) is FATAL, in AE",
        ),
        (
            "G-05",
            "ALT or AST at least 3 × the upper limit of normal, in LB; with Bilirubin (BILI) above 2 × the upper"
            " limit of normal, in LB, within 30 days before or after",
        ),
    ],
)
def test_a_shipped_rule_reads_like_a_clinicians_sentence(rule: str, sentence: str) -> None:
    assert english.sentence(PACK.rule(rule), SHIPPED) == sentence


def test_three_and_more_alternatives_are_numbered() -> None:
    sentence = english.sentence(PACK.rule("G-08"), SHIPPED)
    assert sentence.startswith(
        "Adverse event: one of (1) serious (AESER) is missing or not Y, and any of death"
    )
    assert sentence.endswith(
        "or (5) toxicity grade (AETOXGR) is 5, and outcome (AEOUT) is missing or not FATAL, in AE"
    )


def test_what_ends_an_episode_and_what_a_level_says() -> None:
    rule = PACK.rule("PLT-01")
    assert (
        english.clear_sentence(rule, SHIPPED)
        == "Platelets (PLAT) below 200 10^9/L, in all results of a later day"
    )
    assert english.clear_sentence(PACK.rule("G-01"), SHIPPED) == ""
    assert english.level_sentence(rule, 1, SHIPPED) == (
        "critical: Extreme thrombocytosis; Platelets (PLAT) at least 1000 10^9/L"
    )
    assert english.level_sentence(PACK.rule("G-05"), 1, SHIPPED) == (
        "medium: Cholestatic: alkaline phosphatase is raised too; with Alkaline phosphatase (ALP) at least"
        " 2 × the upper limit of normal, in LB, within 7 days before or after"
    )


def test_a_preset_that_includes_the_limit_is_said() -> None:
    japan = Context(as_of=0, params=resolve_params(PACK, {}, (), "JP-ITP"), lists=PACK.lists)
    assert english.clear_sentence(PACK.rule("PLT-01"), japan) == (
        "Platelets (PLAT) below 200 10^9/L or equal to 200 10^9/L, in all results of a later day"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("LBSTRESN > 400", "result is above 400 10^9/L"),
        ("LBSTRESN = 0", "result is equal to 0"),
        ("LBSTRESN != :hold", "result is not equal to 400 10^9/L"),
        ("LBSTRESN < :other", "result is below :other"),
        ("LBSTRESN <= 2 * LBSTNRHI", "result is at most 2 × the upper limit of normal"),
        ("abs(CHG) >= 5", "the size of change from baseline (CHG) is at least 5 10^9/L"),
        ("LBSTRESN / LBSTNRHI > 3", "result ÷ the upper limit of normal is above 3"),
        ("LBSTRESN / 2 > 3", "result ÷ 2 is above 3 10^9/L"),
        ("(LBSTRESN - BASE) * 2 > 3", "(result − baseline (BASE)) × 2 is above 3 10^9/L"),
        (
            "coalesce(BASE, LBSTNRHI) > 3",
            "baseline (BASE), or if missing the upper limit of normal is above 3 10^9/L",
        ),
        ("AGE = 65", "age (AGE) is 65"),
        ("AGE != 65", "age (AGE) is not 65"),
        ("days(LBDT, :as_of) > 14", "the days from date (LBDT) to the data cut-off is above 14"),
        ("LBDT < date '2026-01-31'", "date (LBDT) is before 2026-01-31"),
        ("LBDT >= :as_of", "date (LBDT) is not before the data cut-off"),
        ("LBTESTCD in ('A', 'B')", "test (LBTESTCD) is A or B"),
        ("LBTESTCD not in ('A')", "test (LBTESTCD) is not A"),
        ("LBTESTCD in @related", "test (LBTESTCD) is in the list “related”"),
        ("LBTESTCD like 'A%'", "test (LBTESTCD) is like “A%”"),
        ("LBMETHOD is null", "LBMETHOD is missing"),
        ("LBMETHOD is not null", "LBMETHOD is not missing"),
        ("LBCAT matches @x", "LBCAT contains a term of the list “x”"),
        ("not LBCAT matches @x", "it is not so that LBCAT contains a term of the list “x”"),
        ("not (AGE = 1 or SEX = 'F')", "it is not so that age (AGE) is 1 or sex (SEX) is F"),
        ("not (SEX is null or SEX != 'F')", "it is not so that sex (SEX) is missing or not F"),
        ("not (not AGE = 1)", "it is not so that age (AGE) is not 1"),
        ("BASE > 3 or CHG > 3", "any of baseline (BASE) or change from baseline (CHG) is above 3 10^9/L"),
        ("LBSTRESN between 1 and 2", "result is at least 1 10^9/L and at most 2 10^9/L"),
        ("SEX = 'F' and (AGE = 1 or ARM = 'A')", "sex (SEX) is F, and (age (AGE) is 1 or arm (ARM) is A)"),
        ("SEX = 'F' or (AGE = 1 and ARM = 'A')", "sex (SEX) is F or (age (AGE) is 1 and arm (ARM) is A)"),
        ("SEX = 'F' and AGE = 1 and ARM = 'A'", "sex (SEX) is F, age (AGE) is 1 and arm (ARM) is A"),
        ("AGE is not null and AGE = 1", "age (AGE) is 1"),
        ("LBDT is not null and AGE = 1", "date (LBDT) is not missing and age (AGE) is 1"),
        ("AGE = 1 or :on = 1", "age (AGE) is 1"),
        ("AGE = 1 or (:on = 1 and SEX = 'F')", "age (AGE) is 1"),
        ("AGE = 1 and :on = 0", "age (AGE) is 1"),
        ("AGE = 1 and (:on = 0 and :on = 0)", "age (AGE) is 1"),
        (":on = 1", "0 is 1"),
        (":hold = 1", "400 10^9/L is 1"),
        ("coalesce(CHG, 0) > 1", "change from baseline (CHG), or if missing 0 is above 1 10^9/L"),
    ],
)
def test_a_condition_in_words(text: str, words: str) -> None:
    assert said(text) == words


def test_the_found_record_is_named() -> None:
    assert said("this.LBSTRESN > LBSTRESN", found="LB") == "result of the found record is above result"
    assert said("AETERM matches @x", "AE") == (
        "reported term (AETERM), AEMODIFY or coded term (AEDECOD) contains a term of the list “x”"
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, None, "at any time"),
        (0, 0, "on the same day"),
        (None, 0, "up to the same day"),
        (None, -1, "up to 1 day before"),
        (-3, None, "from 3 days before on"),
        (-30, 30, "within 30 days before or after"),
        (-28, 0, "from 28 days before to the same day"),
        (1, 14, "from 1 day after to 14 days after"),
        (0, 7, "from the same day to 7 days after"),
    ],
)
def test_a_window_in_words(low: int | None, high: int | None, words: str) -> None:
    assert window_words(Window(low, high)) == words


def test_clauses_in_words(tmp_path: Path) -> None:
    text = """
[[without]]
in = "EX"
at = "start"
window = "1d..7d"
open = "wait"
[[without]]
in = "AE"
window = "0d..7d"
open = "fire"
[[any]]
with = [{ rule = "X-02" }]
without = [{ in = "EX", window = "-7d..0d" }]
"""
    pack = loaded(tmp_path, HEAD + FIND + text + CLEAR + EXAMPLE, RULE.replace("X-01", "X-02"))
    context = Context(as_of=0, params=pack.params)
    assert english.sentence(pack.rule("X-01"), context).split("; ")[1:] == [
        "without Exposure, in EX, its start from 1 day after to 7 days after (told once the data have passed it)",
        "without Adverse event, in AE, its start from the same day to 7 days after (told at once)",
        "and one of: (while an episode of X-02 is open, from the day after its first record on) or (without"
        " Exposure, in EX, from 7 days before to the same day)",
    ]


@pytest.mark.parametrize(
    ("find", "sentence"),
    [
        ("in = 'LB'", "Laboratory result, in LB"),
        ("in = 'LB'\nof = \"LBTESTCD = 'PLAT' and LBSPEC = 'BLOOD'\"", "Laboratory result: test (LBTESTCD) is PLAT and LBSPEC is BLOOD, in LB"),
        ("in = 'LB'\nof = \"LBTESTCD in ('PLAT', 'XYZ')\"", "Platelets (PLAT) or XYZ, in LB"),
        ("in = 'LB'\nof = \"LBSPEC = 'BLOOD'\"\nwhere = \"LBSTRESN > LBSTNRHI\"", "Laboratory result: LBSPEC is BLOOD, and result is above the upper limit of normal, in LB"),
        ("in = 'LB'\nof = \"LBTESTCD = 'PLAT'\"\nwhere = \"AGE > 65\"", "Platelets (PLAT): age (AGE) is above 65, in LB"),
        ("in = 'LB'\nwhere = \"AGE = 1 or (AGE = 2 and SEX = 'F')\"", "Laboratory result: age (AGE) is 1 or (age (AGE) is 2 and sex (SEX) is F), in LB"),
    ],
)  # fmt: skip
def test_a_series_in_words(tmp_path: Path, find: str, sentence: str) -> None:
    rule = rule_of(tmp_path, HEAD.replace('"high"', '"low"') + f"[find]\n{find}\n" + EXAMPLE)
    assert english.sentence(rule, Context(as_of=0)) == sentence


def test_every_domain_has_a_name_in_a_sentence() -> None:
    assert all(RECORDS.get(name) or domain.label for name, domain in DOMAINS.items())
    assert (column_name("LB", "LBSTNRHI"), column_name("LB", "XYZ")) == ("the upper limit of normal", "XYZ")
    assert (name_of_test("PLAT"), name_of_test("ALT"), name_of_test("XYZ")) == (
        "Platelets (PLAT)",
        "ALT",
        "XYZ",
    )


# ---------------------------------------------------------------- parameters


def test_each_number_says_where_it_is_from(tmp_path: Path) -> None:
    pack = loaded(tmp_path, RULE)
    context = Context(as_of=0, params=resolve_params(pack, {"resume": 150}, ()))
    assert [english.provenance(each) for each in english.parameters(pack.rule("X-01"), context)] == [
        "hold = 400 10^9/L, from a label, NOT PROTOCOL-CONFIRMED",
        "resume = 150 10^9/L, set by the study's configuration",
    ]
    assert [each.name for each in english.unconfirmed(pack.rule("X-01"), context)] == ["hold"]
    confirmed = resolve_params(pack, {}, ("hold",))
    assert (
        english.provenance(confirmed["hold"]) == "hold = 400 10^9/L, from a label, confirmed for this study"
    )
    assert english.provenance(confirmed["resume"]) == "resume = 200 10^9/L, from the protocol"
    assert "from" in PARAMS


def test_the_numbers_of_a_rule_that_is_referred_to_count_too() -> None:
    names = [each.name for each in english.parameters(PACK.rule("ROM-08"), SHIPPED, PACK.rules)]
    assert names == [each.name for each in english.parameters(PACK.rule("PLT-01"), SHIPPED)]
    assert english.parameters(PACK.rule("ROM-08"), SHIPPED) == ()


def test_an_action_is_read_with_its_numbers() -> None:
    assert english.action_words(PACK.rule("PLT-01"), SHIPPED).endswith("once platelets are below 200 10^9/L.")
    assert "{plt_resume}" in english.action_words(PACK.rule("PLT-01"), Context(as_of=0))


@pytest.mark.parametrize(
    ("words", "nodes", "given"),
    [
        (value, Expression, (Speech("LB"),)),
        (describe, Condition, (Speech("LB"),)),
        (clause_words, Clause, (Series("LB"), SHIPPED)),
    ],
)
def test_every_node_of_the_tree_has_words(words: Any, nodes: object, given: tuple[object, ...]) -> None:
    assert set(get_args(nodes)) <= set(words.registry)
    with pytest.raises(AssertionError, match="without words: str"):
        words("no node", *given)
