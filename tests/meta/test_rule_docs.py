"""docs/rule-language.md names every key of a rule file and every function of conditions."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.clinical.domains import DOMAINS
from monitor.rules import shape
from monitor.rules.operands import FUNCTIONS
from monitor.rules.rulefile import load_rules
from tests.rulefolders import write_rules

TEXT = (Path(__file__).parents[2] / "docs" / "rule-language.md").read_text("utf-8")
SHAPES = (
    shape.RuleFile,
    shape.Find,
    shape.With,
    shape.Without,
    shape.Level,
    shape.Clear,
    shape.Rate,
    shape.StoppingBoundary,
    shape.Due,
    shape.Repeat,
    shape.WorkedExample,
)
KEYS = sorted({field.alias or name for each in SHAPES for name, field in each.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_rule_file_is_documented(key: str) -> None:
    assert (
        f"`{key}`" in TEXT
        or f"{key} " in TEXT.split("## Keys")[0]
        or f".{key}`" in TEXT
        or f"[{key}]" in TEXT
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_documented(function: str) -> None:
    assert f"`{function}(" in TEXT


def test_every_domain_is_documented() -> None:
    assert [name for name in DOMAINS if name not in TEXT and name != "RELREC"] == []


def test_the_rule_in_the_manual_is_one_that_loads(tmp_path: Path) -> None:

    rule = TEXT.split("```toml")[1].split("```")[0]
    params = "\n".join(
        f'{name} = {{ value = {value}, unit = "10^9/L", from = "label" }}'
        for name, value in {"plt_hold": 400, "plt_resume": 200, "plt_extreme": 1000}.items()
    )
    pack = load_rules(write_rules(tmp_path, {"PLT-01": rule}, params), ("p",))
    assert pack.rules[0].id == "PLT-01"
