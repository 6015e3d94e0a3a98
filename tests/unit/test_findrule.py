"""`find.rule` and `[rate]` in rule files: what is read, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import RuleError
from monitor.rules.context import Context
from monitor.rules.english import sentence, unconfirmed
from monitor.rules.findrule import rate_in
from monitor.rules.rate import Over, Rate
from monitor.rules.rule import Param, Per
from monitor.statistics.designs import Design, Method
from tests.rulefolders import EXAMPLE, RULE, loaded, problems_of

HEAD = """
id       = "X-02"
title    = "A title"
severity = "high"
action   = "Consider."
"""
FOUND = HEAD + '[find]\nrule = "X-01"\n' + EXAMPLE
AE = '''
id       = "X-03"
title    = "Serious"
severity = "low"
action   = "Consider."
[find]
in    = "AE"
where = "AESER = 'Y'"
[[example]]
name = "one"
data = """
USUBJID | AESTDT     | AESER
01      | 2026-01-07 | Y
02      | 2026-01-07 | N
"""
fires = ["01 2026-01-07"]
'''
POCOCK = '{ method = "pocock", p0 = 0.05, alpha = 0.05, n_max = 40 }'


def study(
    boundary: str = POCOCK,
    over: str = "study",
    find: str = 'rule = "X-01"',
    more: str = "",
    fires: str = "study 2/2",
) -> str:
    return f'''{HEAD}
{more}
[find]
{find}
[rate]
over     = "{over}"
among    = {{ rule = "X-01" }}
boundary = {boundary}
[[example]]
name = "fires"
data = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
"""
fires = ["{fires}"]
[[example]]
name = "silent"
data = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
"""
fires = []
'''


def problems(root: Path, *texts: str) -> list[str]:
    return [each.removeprefix("rules/p/X-02.toml: ") for each in problems_of(root, RULE, *texts)]


def test_what_other_rules_found_is_a_series_of_their_domain(tmp_path: Path) -> None:
    rule = loaded(tmp_path, RULE, FOUND).rule("X-02")
    assert (rule.finds, rule.refers_to, rule.series.domain, rule.per) == (
        ("X-01",),
        ("X-01",),
        "LB",
        Per.RECORD,
    )
    assert sentence(rule, Context(0)) == "A finding of X-01"


def test_also_through_other_rules_and_whatever_their_files_are_called(tmp_path: Path) -> None:
    third = FOUND.replace("X-01", "X-02").replace('id       = "X-02"', 'id       = "X-03"')
    pack = loaded(tmp_path, RULE, FOUND, third)
    assert pack.rule("X-03").series.domain == "LB"
    assert [rule.id for rule in pack.rules] == ["X-01", "X-02", "X-03"]


def test_a_rule_about_a_study_is_read(tmp_path: Path) -> None:
    rule = loaded(tmp_path, RULE, study()).rule("X-02")
    assert rule.rate == Rate(Over.STUDY, Design(Method.POCOCK, p0=0.05, alpha=0.05, n_max=40), "X-01")
    assert rule.version != loaded(tmp_path, RULE, study(POCOCK.replace("40", "41"))).rule("X-02").version
    said = sentence(rule, Context(0))
    assert said.startswith("A finding of X-01; counted once for each subject among those of whom X-01 fires")
    assert said.endswith("up to 40 subjects): 2 of 2-4, 3 of 5-12, 4 of 13-21, 5 of 22-31, 6 of 32-40")


@pytest.mark.parametrize(
    ("boundary", "words"),
    [
        ('{ method = "count", at_least = 3 }', "told when at one site at least 3 subjects are counted"),
        (
            '{ method = "share", above = 0.1, min_subjects = 2 }',
            "told when at one site more than 10 % are counted, of at least 2 subjects",
        ),
        (
            '{ method = "beta-binomial", p0 = 0.2, prior = [0.6, 2.4], n_max = 4, cutoff = 0.9 }',
            "told when the count at one site reaches the beta-binomial boundary (acceptable probability 0.2, "
            "up to 4 subjects, prior Beta(0.6, 2.4), cut-off 0.9): 2 of 2, 3 of 3-4",
        ),
    ],
)
def test_each_boundary_has_words(tmp_path: Path, boundary: str, words: str) -> None:
    rule = loaded(tmp_path, RULE, study(boundary, "site", fires="site 101 2/2")).rule("X-02")
    assert sentence(rule, Context(0)).endswith(words)


SPRT = '{ method = "sprt", p0 = 0.1, p1 = ":factor", alpha = 0.05, n_max = 40 }'


def test_a_boundarys_numbers_can_be_parameters_and_say_where_they_are_from(tmp_path: Path) -> None:
    counted = study('{ method = "count", at_least = ":factor" }')
    pack = loaded(tmp_path, RULE, counted)
    rule = pack.rule("X-02")
    assert rule.rate is not None
    assert (rule.rate.boundary.at_least, rule.rate.params) == (3, (("at_least", Param("factor")),))
    usual = Context(0, params=pack.params)
    assert [each.name for each in unconfirmed(rule, usual)] == ["factor"]
    given = Context(
        0, params={**pack.params, "factor": replace(pack.params["factor"], value=5, confirmed=True)}
    )
    assert "at least 5 subjects" in sentence(rule, given)
    assert rate_in(rule, given).boundary.at_least == 5
    assert unconfirmed(rule, given) == ()


def test_a_studys_number_that_contradicts_a_boundary_is_refused(tmp_path: Path) -> None:
    pack = loaded(tmp_path, RULE, study('{ method = "count", at_least = ":factor" }'))
    half = Context(0, params={**pack.params, "factor": replace(pack.params["factor"], value=2.5)})
    with pytest.raises(RuleError, match=r"rate\.boundary\.at_least: 2\.5 is not a number of subjects"):
        rate_in(pack.rule("X-02"), half)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (study(SPRT), "rate.boundary.p1: 3 is not between 0 and 1"),
        (
            study(SPRT.replace("factor", "facto")),
            "rate.boundary.p1: facto is not a parameter; did you mean factor?",
        ),
        (
            study(SPRT.replace(":factor", ":hold")),
            "rate.boundary.p1: hold has a unit, and a boundary's numbers have none",
        ),
        (
            study(SPRT.replace(":factor", "0.3")),
            "rate.boundary.p1: '0.3' is no number: write it without quotes, or a parameter as \":name\"",
        ),
        (
            FOUND.replace('rule = "X-01"', 'rule = "X-11"'),
            "find.rule: X-11 is not a rule of these packs; did you mean X-01?",
        ),
        (
            FOUND.replace("[find]", '[find]\nin = "LB"'),
            "find.in: `rule` stands in place of a domain: write one of both",
        ),
        (
            FOUND.replace('rule = "X-01"', ""),
            "find.in: this key is required: a domain, or `rule` in its place",
        ),
        (
            FOUND + "[clear]\nwhere = \"LBTESTCD = 'X'\"",
            "clear: what `find.rule` finds are findings: each is one of its own, and none is ended",
        ),
        (
            FOUND.replace("[find]", 'per = "episode"\n[find]'),
            "per: what `find.rule` finds are findings: one for each record, or one per subject",
        ),
        (
            FOUND.replace("[find]", "[find]\nrepeat = { times = 2 }"),
            "find.repeat: what `find.rule` finds are findings: ask for runs in the rules that find",
        ),
        (
            FOUND.replace('rule = "X-01"', 'rule = "X-02"'),
            "rules: with.rule: these rules refer to each other in a circle: X-02",
        ),
        (study(POCOCK.replace("alpha = 0.05, ", "")), "rate.boundary.alpha: pocock needs this number"),
        (
            study('{ method = "sprt", p0 = 0.3, p1 = 0.1, alpha = 0.05, n_max = 40 }'),
            "rate.boundary.p1: 0.1 must be above p0 = 0.3: it is the probability not to be missed",
        ),
        (study('{ method = "count" }'), "rate.boundary.at_least: count needs this number"),
        (
            study('{ method = "count", at_least = 2, p0 = 0.1 }'),
            "rate.boundary.p0: count does not know this number; it takes at_least",
        ),
        (
            study(POCOCK.replace("n_max", "n_mx")),
            "rate.boundary.n_mx: this key is not known here; did you mean n_max?",
        ),
        (
            study('{ method = "obf" }'),
            "rate.boundary.method: Input should be 'count', 'share', 'pocock', 'beta-binomial' or 'sprt' "
            "(given: 'obf')",
        ),
        (study(over="country"), "rate.over: Input should be 'study', 'site' or 'arm' (given: 'country')"),
        (
            study().replace('among    = { rule = "X-01" }', 'among    = { rule = "X-9" }'),
            "rate.among.rule: X-9 is not a rule of these packs",
        ),
        (
            study(more='per = "subject"'),
            "per: a rule about a study has no `per`: it counts each subject once",
        ),
        (
            study(fires="01 2026-01-07"),
            "example 'fires': fires: '01 2026-01-07': write the first count that reaches the boundary, "
            '"study 3/12"',
        ),
        (
            study(fires="study 2/2", over="site"),
            "example 'fires': fires: 'study 2/2': write the first count that reaches the boundary, "
            '"site NAME 3/12"',
        ),
        (
            study().replace("fires = []", 'fires = []\ncannot_tell = ["01 2026-01-07"]'),
            "example 'silent': cannot_tell: a rule about a study counts what can't be told as an event, "
            "and nothing clears it",
        ),
        (
            study().replace("fires = []", 'fires = ["study 1/1"]'),
            "example: no example stays silent: give one just below the boundary",
        ),
        (
            study().replace('fires = ["study 2/2"]', "fires = []"),
            "example: no example fires: give one that does",
        ),
    ],
)
def test_what_can_not_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in problems(tmp_path, text)


def test_records_of_several_domains_can_only_be_counted(tmp_path: Path) -> None:
    several = FOUND.replace('rule = "X-01"', 'rule = ["X-01", "X-03"]')
    said = "these rules find records of LB, AE: one domain, or only counted by [rate]"
    assert problems(tmp_path, several, AE) == [f"find.rule: {said}"]
    counted = study(find='rule = ["X-01", "X-03"]')
    assert problems(tmp_path, counted, AE) == []
    asked = study(find='rule = ["X-01", "X-03"]\nwhere = "LBTESTCD = \'PLAT\'"')
    assert problems(tmp_path, asked, AE) == [f"find.rule: {said}"]


def test_nothing_refers_to_a_rule_about_a_study(tmp_path: Path) -> None:
    third = FOUND.replace("X-01", "X-02").replace('id       = "X-02"', 'id       = "X-03"')
    said = "X-02 is about a study, site or arm: it finds nothing of a subject"
    assert problems_of(tmp_path, RULE, study(), third) == [f"rules/p/X-03.toml: find.rule: {said}"]


def test_the_rules_in_the_manual_are_read(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "rule-language.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in text.split("```toml")]
    found = next(block for block in blocks if '[find]\nrule = "PLT-01"' in block)
    counted = next(block for block in blocks if "\n[rate]\n" in block)
    assert problems(tmp_path, HEAD + found.replace("PLT-01", "X-01") + EXAMPLE) == []
    given = study().split("[[example]]", 1)[1]
    counted = counted.replace("DIS-01", "X-01").replace("EVALUABLE", "X-01")
    assert problems(tmp_path, f"{HEAD}{counted}[[example]]{given}") == []
