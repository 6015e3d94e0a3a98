"""A slip in a shipped rule is noticed by its examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.authoring.survivors import mutate
from monitor.rules.rulefile import load_rules
from tests.rules.constructs import PACKS, ROOT

FEW = ("DIS-01", "G-01", "G-03", "TE-01", "BL-01", "STOP-02")
CASES = 300  # generated records on which a survivor must agree with its rule


@pytest.mark.parametrize("name", FEW)
def test_every_slip_in_a_rule_is_noticed(name: str, tmp_path: Path) -> None:
    pack = load_rules(ROOT / "rules", PACKS)
    assert mutate(pack, pack.rule(name), tmp_path, CASES).missed == ()
