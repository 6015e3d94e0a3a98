"""Every worked example of every shipped rule, on the reference and on DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.authoring.examples import ENGINES, Tried, run_examples
from monitor.rules.check import check_pack
from monitor.rules.rule import Rule
from monitor.rules.rulefile import Pack, load_rules, resolve_params
from tests.rules.constructs import PACKS, PAGE, page

FOLDER = Path(__file__).parents[2] / "rules"
ORDERS = ("Hold ", "Stop ", "Discontinue ", "Give ", "Reduce ", "Do not ")


@cache
def pack() -> Pack:
    return load_rules(FOLDER, PACKS)


@cache
def answers() -> Mapping[tuple[str, str, str], Tried]:
    with TemporaryDirectory() as work:
        return {(each.rule, each.example, each.engine): each for each in run_examples(pack(), Path(work))}


EXAMPLES = [(rule.id, example.name) for rule in pack().rules for example in rule.examples]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule}: {name}" for rule, name in EXAMPLES])
def test_a_worked_example_comes_out_as_its_author_says(rule: str, example: str, engine: str) -> None:
    assert answers()[rule, example, engine].said == ""


def test_each_rule_stands_behind_those_it_refers_to() -> None:
    names = [rule.id for rule in pack().rules]
    assert [other for rule in pack().rules for other in rule.refers_to if other not in names] == []
    assert all(names.index(other) < names.index(rule.id) for rule in pack().rules for other in rule.refers_to)


def test_the_page_about_the_rules_is_what_they_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.rules.constructs writes it afresh"


def test_no_number_stands_twice() -> None:
    assert check_pack(pack()) == []


@pytest.mark.parametrize("rule", [rule for rule in pack().rules if rule.action], ids=lambda rule: rule.id)
def test_an_action_advises_a_qualified_person_and_orders_nothing(rule: Rule) -> None:
    sentences = [sentence.strip() for sentence in rule.action.split(".")]
    assert not [sentence for sentence in sentences if sentence.startswith(ORDERS)]
    assert "onsider" in rule.action or "onfirm" in rule.action
    assert rule.basis


@pytest.mark.parametrize(
    ("preset", "thresholds"),
    [
        ("US-ITP", (200, 400, 200, 0)),
        ("EU-ITP", (150, 250, 150, 0)),
        ("JP-ITP", (200, 400, 200, 1)),
        ("N01-ITP", (200, 400, 200, 1)),
        ("KUTER-RCT", (250, 400, 250, 0)),
        ("AA-NSAA-N01", (100, 400, 200, 0)),
        ("AA-HETROMBOPAG", (150, 200, 150, 0)),
        ("AA-EPAG-CHILDREN", (200, 300, 100, 0)),
    ],
)
def test_a_preset_replaces_the_thresholds(preset: str, thresholds: tuple[float, ...]) -> None:
    params = resolve_params(pack(), {}, (), preset)
    names = ("plt_reduce", "plt_hold", "plt_resume", "plt_resume_inclusive")
    assert tuple(params[name].value for name in names) == thresholds


def test_every_preset_is_tried() -> None:
    assert len(list((FOLDER / "romiplostim-aa" / "presets").glob("*.toml"))) == 8
