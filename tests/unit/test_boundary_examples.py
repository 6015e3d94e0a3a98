"""Examples proposed from a rule itself: below, at and above each number, and what data bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.authoring.boundaries import NAME, Proposal, propose
from monitor.config import Settings
from monitor.errors import UsageError
from monitor.rules.rulefile import load_rules
from monitor.usecases.boundary_examples import accept_examples, propose_examples
from monitor.usecases.rules import test_rules as run_all
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, RULE, loaded, write_rules
from tests.unit.test_rules_usecases import settings

WITH = """
[[with]]
in     = "AE"
where  = "AESER = 'Y'"
window = "-7d..0d"
"""
EVENT = EXAMPLE.replace(
    '"""\nfires',
    '''
USUBJID | AESTDT     | AESER | AETERM
01      | 2026-01-05 | Y     | Rash
"""
fires''',
)


def proposed(tmp_path: Path, rule: str) -> tuple[Proposal, dict[str, str]]:
    pack = loaded(tmp_path, rule)
    found = propose(pack, pack.rules[0], tmp_path / "work")
    assert found is not None
    return found, {each.said: each.verdict for each in found.variants}


def test_each_number_is_tried_below_at_and_above_unless_an_example_holds_it(tmp_path: Path) -> None:
    _, said = proposed(tmp_path, RULE)
    assert said["LBSTRESN 399"] == "silent"
    assert "LBSTRESN 400" not in said, "an example holds it already"
    assert said["no LBSTRESN"] == "can't tell 2026-01-07"
    assert said["no unit"] == "can't tell 2026-01-07"
    assert said["in 10^12/L"] == "fires 2026-01-07"
    assert said["known to the month"] == "fires 2026-01"


def test_the_ends_of_an_episode_are_tried(tmp_path: Path) -> None:
    found, said = proposed(tmp_path, RULE)
    assert said["then LBSTRESN 199 on the next day"] == "fires 2026-01-07"
    assert '"' in found.text
    assert "clears" in found.text


def test_the_ends_of_a_window_and_a_day_beyond_are_tried(tmp_path: Path) -> None:
    _, said = proposed(tmp_path, HEAD + FIND + CLEAR + WITH + EVENT)
    assert (said["-7 days"], said["-8 days"]) == ("fires 2026-01-07", "silent")
    assert (said["+0 days"], said["+1 days"]) == ("fires 2026-01-07", "silent")
    assert said["no such record in AE"] == "silent"


def test_what_was_proposed_can_be_accepted_and_comes_out_as_it_says(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE})
    chosen: Settings = settings(tmp_path)
    path = accept_examples(chosen, propose_examples(chosen, "X-01"))
    assert NAME in path.read_text("utf-8")
    assert [each.said for each in run_all(chosen, "X-01")] == [""] * 4, "two examples on two engines"
    assert len(load_rules(tmp_path / "rules", ("p",)).rules[0].examples) == 2
    assert propose_examples(chosen, "X-01").variants == ()


def test_a_rule_whose_examples_all_set_something_has_nothing_to_start_from(tmp_path: Path) -> None:
    write_rules(tmp_path, {"X-01": RULE + "\nparams = { hold = 300 }\n"})
    with pytest.raises(UsageError, match="write one"):
        propose_examples(settings(tmp_path), "X-01")
