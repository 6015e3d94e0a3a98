"""Mutants: one change each, and what notices them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.authoring.mutants import mutants, steps
from monitor.authoring.survivors import Mutation, mutate
from tests.rulefolders import CLEAR, EXAMPLE, FIND, HEAD, RULE, loaded

BOTH_SIDES = '''
[[example]]
name   = "each boundary, and each end"
data   = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 400.1    | 10^9/L
01      | 2026-01-14 | PLAT     | 200      | 10^9/L
01      | 2026-01-21 | PLAT     | 450      | 10^9/L
01      | 2026-01-28 | PLAT     | 199.9    | 10^9/L
01      | 2026-02-04 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L
02      | 2026-01-07 | WBC      | 500      | 10^9/L
"""
fires  = ["01 2026-01-07", "01 2026-02-04"]
clears = ["01 2026-01-28"]
'''


def tried(tmp_path: Path, rule: str, cases: int = 400) -> Mutation:
    pack = loaded(tmp_path, rule)
    return mutate(pack, pack.rules[0], tmp_path / "work", cases)


@pytest.mark.parametrize(
    ("value", "below", "above"), [(400, 399, 401), (0.5, 0.4, 0.6), (0, -1, 1), (2.25, 2.24, 2.26)]
)
def test_the_smallest_step_of_a_number_is_one_of_its_last_digit(
    value: float, below: float, above: float
) -> None:
    assert steps(value) == (below, above)


def test_each_mutant_has_one_change_and_none_is_the_rule(tmp_path: Path) -> None:
    pack = loaded(tmp_path, RULE)
    found = list(mutants(pack.rules[0], pack.params))
    assert {str(each) for each in found} == {
        "find.of: LBTESTCD = 'PLAT'  →  LBTESTCD != 'PLAT'",
        "find.where: LBSTRESN > :hold  →  LBSTRESN >= :hold",
        "clear: clear(LBSTRESN < :resume, 10^9/L)  →  nothing",
        "clear.where: LBSTRESN < :resume  →  LBSTRESN <= :resume",
        "per: episode  →  record",
        "per: episode  →  subject",
        ":hold: 400  →  399",
        ":hold: 400  →  401",
        ":resume: 200  →  199",
        ":resume: 200  →  201",
    }
    assert all(each.rule != pack.rules[0] or each.params for each in found)


@pytest.mark.parametrize(
    ("find", "slips"),
    [
        ("LBSTRESN > :hold or LBSTRESN < :resume", "and"),
        ("not (LBSTRESN > :hold)", "LBSTRESN > :hold"),
        ("LBSTRESN > 3 * LBSTNRHI", "(4 * LBSTNRHI)"),
        ("LBSTRESN > 3 * LBSTNRHI", "(3 / LBSTNRHI)"),
        ("LBSTRESN > :hold and VISITNUM is not null", "VISITNUM is null"),
        ("LBSPEC in ('BLOOD', 'SERUM') and LBSTRESN > :hold", "LBSPEC in ('SERUM')"),
        ("abs(LBSTRESN) > :hold", "LBSTRESN > :hold"),
        ("coalesce(LBSTRESN, LBSTNRHI) > :hold", "LBSTNRHI > :hold"),
    ],
)
def test_a_slip_in_a_condition_is_among_the_mutants(tmp_path: Path, find: str, slips: str) -> None:
    text = RULE.replace("LBSTRESN > :hold", find)
    pack = loaded(tmp_path, text)
    assert any(slips in each.becomes for each in mutants(pack.rules[0], pack.params))


def test_a_part_that_is_dropped_and_a_window_that_shifts_are_mutants(tmp_path: Path) -> None:
    other = """
[[with]]
in     = "AE"
where  = "AESER = 'Y'"
window = "-7d..0d"
"""
    pack = loaded(tmp_path, HEAD + FIND + CLEAR + other + EXAMPLE)
    said = {str(each) for each in mutants(pack.rules[0], pack.params)}
    assert "with[1].window.low: -7  →  -8" in said
    assert "with[1].window.high: 0  →  1" in said
    assert any(line.startswith("with[1]: ") and line.endswith("→  nothing") for line in said)
    assert any(line == "with[1].at: start  →  any" for line in said)


def test_examples_at_every_boundary_notice_every_mutant(tmp_path: Path) -> None:
    found = tried(tmp_path, HEAD + FIND + CLEAR + BOTH_SIDES)
    assert (found.killed, found.survivors) == (found.mutants, ())


def test_a_weak_example_is_shown_what_it_misses_in_the_fewest_records(tmp_path: Path) -> None:
    weak = HEAD + FIND + CLEAR + EXAMPLE.replace("400 ", "300 ")
    found = tried(tmp_path, weak)
    missed = {each.mutant: each.differs for each in found.missed}
    said = missed["find.where: LBSTRESN > :hold  →  LBSTRESN >= :hold"]
    assert "400.0" in said
    assert said.count("LB ") == 1, "one record is enough to tell them apart"


def test_a_mutant_that_is_the_same_rule_is_called_so(tmp_path: Path) -> None:
    twice = RULE.replace("LBSTRESN > :hold", "LBSTRESN > :hold and LBSTRESN > :resume").replace(
        EXAMPLE, BOTH_SIDES
    )
    found = tried(tmp_path, twice)
    same = {each.mutant for each in found.equivalent}
    assert "find.where[2]: LBSTRESN > :resume  →  LBSTRESN >= :resume" in same
