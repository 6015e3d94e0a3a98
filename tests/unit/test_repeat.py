"""`repeat` of a rule file: what is refused, how it is said, and what a finding rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.records import Outcome, Truth
from monitor.rules.build import version
from monitor.rules.context import Context
from monitor.rules.english import sentence
from monitor.rules.rule import Repeat
from tests.physical import result
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, loaded, problems_of, rule_of
from tests.unit.test_evaluate import PLT, only, roles, run_one

RUN = "repeat = { times = 2 }\n"
EMPTY = Context(as_of=0, params={}, lists={})
TWICE = '''
[[example]]
name  = "twice"
data  = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L
"""
fires = ["01 2026-01-14"]
'''
ASKED = '\n[[with]]\nin = "AE"\nwindow = "0d..0d"\nrun_end = true\n'


@pytest.mark.parametrize(
    ("repeat", "said"),
    [
        ("{ times = 1 }", "find.repeat.times: Input should be greater than or equal to 2 (given: 1)"),
        (
            '{ times = 2, occasion = "5" }',
            "find.repeat.occasion: '5' is not a number of days: write it as \"5d\"",
        ),
        (
            '{ times = 2, max_gap = "two" }',
            "find.repeat.max_gap: 'two' is not a number of days: write it as \"5d\"",
        ),
        (
            '{ times = 2, occasion = "5d", max_gap = "5d" }',
            "find.repeat.max_gap: 5d is not above the occasion's 5d: no two occasions lie so near",
        ),
        (
            '{ times = 2, ocasion = "5d" }',
            "find.repeat.ocasion: this key is not known here; did you mean occasion?",
        ),
    ],
)
def test_a_run_that_means_nothing_is_refused(tmp_path: Path, repeat: str, said: str) -> None:
    assert problems_of(tmp_path, HEAD + FIND + f"repeat = {repeat}\n" + CLEAR + TWICE) == [said]


def test_run_end_needs_a_run_and_stands_in_the_rules_own_clauses(tmp_path: Path) -> None:
    assert problems_of(tmp_path, HEAD + FIND + ASKED + CLEAR + EXAMPLE) == [
        "with[1].run_end: only a rule with find.repeat has a run: leave this key out, or write find.repeat"
    ]
    level = '[[level]]\nseverity = "low"\n' + ASKED.replace("[[with]]", "[[level.with]]")
    assert problems_of(tmp_path, HEAD + FIND + RUN + level + CLEAR + TWICE) == [
        "level[1].with[1].run_end: this key belongs to a with, without or any of the rule itself"
    ]


def test_a_run_is_read_and_said(tmp_path: Path) -> None:
    text = HEAD + FIND + 'repeat = { times = 3, occasion = "1d", max_gap = "14d" }\n' + ASKED + CLEAR + TWICE
    found = rule_of(tmp_path, text)
    assert found.repeat == Repeat(3, 1, 14)
    assert found.clauses[0].run_end
    assert sentence(found, EMPTY).endswith(
        "; 3 times in a row, results within 1 day counting as one, not more than 14 days apart"
        "; with Adverse event, in AE, its start on the same day (asked of the last of them)"
    )


def test_a_rule_without_a_run_keeps_its_version(tmp_path: Path) -> None:
    plain = loaded(tmp_path / "a", HEAD + FIND + CLEAR + EXAMPLE).rules[0]
    assert "repeat" not in repr(plain.version)
    assert version(plain) == plain.version
    assert loaded(tmp_path / "b", HEAD + FIND + RUN + CLEAR + TWICE).rules[0].version != plain.version


def test_every_counted_occasion_is_evidence(tmp_path: Path) -> None:
    rows = {
        "LB": [
            result(0, "2026-01-01", 399.0),
            result(1, "2026-01-07", 401.0),
            result(2, "2026-01-14", 402.0),
            result(3, "2026-01-21", 403.0),
        ]
    }
    told = only(run_one(tmp_path, replace(PLT, repeat=Repeat(3)), rows))
    assert told.truth is Truth.TRUE
    assert [role for role, _, _ in roles(told)] == ["found", "run", "run", "previous"]
    assert told.keys == ("key3",)


def test_a_run_that_can_not_be_told_says_why(tmp_path: Path) -> None:
    rows = {
        "LB": [
            result(0, "2026-01-07", 401.0),
            result(1, "2026-01-14", "<500"),
            result(2, "2026-01-21", 403.0),
            result(3, "2026-06-21", 404.0),
        ]
    }
    run = run_one(tmp_path, replace(PLT, repeat=Repeat(3, 0, 30)), rows)
    assert run.outcome is Outcome.CANNOT_TELL
    assert [cause.kind for cause in only(run).causes] == ["censored", "gap in the run"]
