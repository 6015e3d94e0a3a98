"""rules list, check, test, explain and sql, as the command line calls them."""

# ruff: noqa: E501 - a sentence is one line

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.authoring import examples
from monitor.cli.app import app
from monitor.config import Settings
from monitor.errors import RuleError, UsageError
from monitor.records import Days, day_number
from monitor.rules.rulefile import load_rules
from monitor.usecases import rules
from monitor.usecases.why import explain_examples
from tests.rulefolders import EXAMPLE, RULE, write_rules

STUDY = {"id": "A", "source": "a", "rules": ("p",), "ctcae": "5.0", "blinded": False, "mail": "coded"}


def settings(root: Path, **study: object) -> Settings:
    return Settings.model_validate(
        {
            "monitor": {"stage": "test", "timezone": "UTC"},
            "mail": {"transport": "folder", "sender": "a@example.org"},
            "study": [{**STUDY, **study}, {**STUDY, "id": "B"}],
            "route": [{"severity": ["critical"], "to": ["a@example.org"]}],
            "base": root,
        }
    )


def test_rules_are_listed_once_with_the_studies_that_use_them(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE})
    (listed,) = rules.list_rules(settings(tmp_path))
    assert (listed.id, listed.pack, listed.severity, listed.studies, listed.examples) == (
        "X-01",
        "p",
        "high",
        ("A", "B"),
        1,
    )


def test_check_is_silent_when_all_is_well(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE})
    assert rules.check_rules(settings(tmp_path)) == ()


def test_check_tells_what_the_rules_and_the_studies_have_wrong(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE.replace(":hold", "400")})
    found = rules.check_rules(settings(tmp_path, params={"hld": 1}, terms={"relatd": ("X",)}))
    assert [str(problem) for problem in found] == [
        "rules/p/X-01.toml: 400 is the value of :hold too; write :hold in its place",
        "A: study.params.hld: this is not a parameter of the study's rules; did you mean hold?",
        "A: study.terms.relatd: there is no list of this name; did you mean related?",
    ]


def test_check_tells_each_problem_of_a_file_once(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE.replace("LBSTRESN >", "LBSTRSN >")})
    assert len(rules.check_rules(settings(tmp_path))) == 1


def test_a_rule_is_explained_with_the_numbers_of_a_study(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE})
    given = settings(tmp_path, params={"hold": 250})
    first, second = rules.explain_rule(given, "X-01"), rules.explain_rule(given, "X-01", "B")
    assert (first.study, first.sentence) == ("A", "Platelets (PLAT) above 250 10^9/L, in LB")
    assert (second.study, second.sentence) == ("B", "Platelets (PLAT) above 400 10^9/L, in LB")
    assert (first.unconfirmed, second.unconfirmed) == ((), ("hold",))
    assert first.action == "Consider 200 10^9/L."
    assert first.clear == "Platelets (PLAT) below 200 10^9/L, in all results of a later day"
    assert first.examples == ("one",)


def test_the_sql_of_a_rule_is_for_reading(tmp_path: Path) -> None:
    text = RULE.replace("LBTESTCD = 'PLAT'", "LBTESTCD in ('PLAT') and LBCAT in @related")
    write_rules(tmp_path, {"X-01": text})
    sql = rules.rule_sql(settings(tmp_path), "X-01")
    assert "SELECT" in sql
    assert "'PLAT'" in sql
    assert "400" in sql


@pytest.mark.parametrize("ask", [rules.explain_rule, rules.rule_sql, rules.test_rules])
def test_a_rule_that_no_study_uses_is_a_usage_error(tmp_path: Path, ask: object) -> None:
    write_rules(tmp_path, {"X-01": RULE})
    assert callable(ask)
    with pytest.raises(UsageError, match="X-09 is not a rule of any study; there is X-01"):
        ask(settings(tmp_path), "X-09")


def test_the_self_test_runs_each_example_on_both_engines(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE, "X-02": RULE.replace("X-01", "X-02")})
    tried = rules.test_rules(settings(tmp_path), None)
    assert [(each.rule, each.engine, each.passed) for each in tried] == [
        ("X-01", "reference", True),
        ("X-01", "duckdb", True),
        ("X-02", "reference", True),
        ("X-02", "duckdb", True),
    ]
    assert {each.rule for each in rules.test_rules(settings(tmp_path), "X-02")} == {"X-02"}


def test_the_self_test_says_what_came_out_otherwise(tmp_path: Path) -> None:
    text = RULE.replace(
        'fires = ["01 2026-01-07"]', 'fires = ["02 2026-01-07"]\ncannot_tell = ["01 2026-01-07"]'
    )
    more = EXAMPLE.replace('"one"', '"two"').replace(
        'fires = ["01 2026-01-07"]', 'fires = ["01 2026-01-07 low"]'
    )
    third = EXAMPLE.replace('"one"', '"three"') + 'clears = ["01 2026-01-07"]\n'
    write_rules(tmp_path, {"X-01": text + more + third})
    said = {(each.example, each.engine): each.said for each in rules.test_rules(settings(tmp_path), "X-01")}
    for engine in examples.ENGINES:
        assert said["one", engine] == (
            "expected 02 2026-01-07 to fire, and it did not; did not expect 01 2026-01-07 to fire, and it did;"
            " expected 01 2026-01-07 not to be told, and it did not"
        )
        assert said["two", engine] == (
            "expected 01 2026-01-07 low to fire, and it did not; did not expect 01 2026-01-07 high to fire, and it did"
        )
        assert said["three", engine] == "expected 01 2026-01-07 to clear, and it did not"


def test_an_example_that_comes_out_otherwise_says_why_record_by_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rules(tmp_path, {"X-01": RULE.replace('fires = ["01 2026-01-07"]', 'fires = ["01 2026-01-08"]')})
    told, *_ = explain_examples(settings(tmp_path), "X-01", ["one"])["one"]
    assert [(told.subject, each.day, each.verdict) for each in told.records] == [
        ("01", "2026-01-07", "fires")
    ]
    with pytest.raises(UsageError, match="X-01 has no example nine; there is one"):
        explain_examples(settings(tmp_path), "X-01", ["nine"])

    monkeypatch.setattr("monitor.cli.rules.load_settings", lambda _: settings(tmp_path))
    said = CliRunner().invoke(app, ["rules", "test"])
    assert said.exit_code == 1
    assert "X-01, example one" in said.stdout
    assert "2026-01-07  fires" in said.stdout
    asked = CliRunner().invoke(app, ["rules", "explain", "X-01", "--example", "one", "--format", "json"])
    assert [row["verdict"] for row in json.loads(asked.stdout)] == ["fires", "silent"]


def test_a_rule_that_can_not_be_loaded_can_not_be_tested(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": "id = 1"})
    with pytest.raises(RuleError):
        rules.test_rules(settings(tmp_path), None)
    with pytest.raises(RuleError):
        load_rules(tmp_path / "rules", ("p",))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-01-07", "2026-01-07", "2026-01-07"),
        ("2026-01-01", "2026-01-31", "2026-01"),
        ("2026-01-01", "2026-12-31", "2026"),
        ("", "", "no date"),
    ],
)
def test_a_date_is_said_as_far_as_it_is_known(first: str, last: str, words: str) -> None:
    low, high = (day_number(date.fromisoformat(each)) if each else None for each in (first, last))
    assert examples.day_words(Days(low, high)) == words
