"""The author's tools on rules about a study: mutants, the history of its alerts, its words."""

from __future__ import annotations

from pathlib import Path

from monitor.authoring.backtest import history
from monitor.authoring.mutants import mutants
from monitor.authoring.survivors import mutate
from monitor.rules.rulefile import load_rules
from tests.integration.test_study_rules import RULES
from tests.physical import day, write_tables
from tests.rulefolders import write_rules
from tests.spec.manual import LISTS, PARAMS
from tests.unit.test_evaluate import SAE, context_of, dose
from tests.unit.test_evaluate_studies import EVENTS, stop


def test_each_slip_in_a_boundary_is_a_mutant_that_examples_must_notice(tmp_path: Path) -> None:
    params = PARAMS + 'stop_p0 = { value = 0.05, from = "default" }\n'
    rules = {**RULES, "STOP-01": RULES["STOP-01"].replace("p0 = 0.05", 'p0 = ":stop_p0"')}
    pack = load_rules(write_rules(tmp_path, rules, params, LISTS), ("p",))
    rule = pack.rule("STOP-01")
    found = [str(each).split(":")[0] for each in mutants(rule, pack.params)]
    assert {"rate.over", "rate.boundary.n_max", ""} <= set(found)
    assert "per" not in found
    made = mutate(pack, rule, tmp_path / "derived", cases=3)
    assert made.mutants == len(found)
    assert {str(each.mutant).split(" ")[0] for each in made.survivors} <= {"rate.boundary.n_max:"}


def test_the_history_of_a_boundary_is_one_alert(tmp_path: Path) -> None:
    doses = [dose(n, f"2026-01-0{n + 1}", subject=f"0{n + 1}") for n in range(3)]
    rows = {"AE": EVENTS, "DOSE": doses}
    days = [day("2026-02-01"), day("2026-02-05"), day("2026-03-01")]
    found = history([SAE, stop()], write_tables(tmp_path, rows), context_of(rows), days)
    assert [(each.subject, each.opened, each.seen) for each in found.raised] == [
        ("study", "2026-02-05", days[1])
    ]
