"""What other rules found, and rules about a study, on the real engine: outcomes, numbers, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.records import Outcome, RuleRun, Severity, Truth
from monitor.rules.rate import Over, Rate
from monitor.rules.rule import Open, Per, Rule, Series, Window, Without
from monitor.statistics.designs import Design, Method
from tests.physical import Row, result, row
from tests.unit.test_evaluate import COUNTS, PLT, SAE, condition, dose, only, rule, run_rules

TWO = Design(Method.COUNT, at_least=2)
HIGH = rule("HIGH-1", "LB", finds=("PLT-01",), per=Per.RECORD, severity=Severity.HIGH)
DOSES = [dose(n, f"2026-01-0{n + 1}", subject=f"0{n + 1}") for n in range(3)]


def stop(over: Over = Over.STUDY, among: str = "", finds: tuple[str, ...] = ("G-01",), **more: Any) -> Rule:
    return rule("STOP-01", "AE", finds=finds, rate=Rate(over, TWO, among), severity=Severity.CRITICAL, **more)


def serious(number: int, subject: str, ser: str | None = "Y", day: str = "2026-02-01") -> Row:
    return row(number, day, subject=subject, AESER=ser)


EVENTS = [serious(0, "01"), serious(1, "03", day="2026-02-05"), serious(2, "02", "N"), serious(3, "01")]


# ---------------------------------------------------------------- find.rule


def test_a_rule_finds_the_records_with_which_another_ones_episodes_began(tmp_path: Path) -> None:
    found = run_rules(tmp_path, [PLT, HIGH], {"LB": COUNTS, "DOSE": DOSES})[1]
    assert (found.outcome, found.considered, found.subjects, found.newest) == (
        Outcome.FIRED,
        8,
        2,
        "2026-02-12",
    )
    finding = next(each for each in found.findings if each.truth is Truth.TRUE)
    assert (finding.subject, finding.keys, finding.onset) == ("01", ("key4",), "2026-01-29")
    assert finding.sentence == "A finding of PLT-01"
    assert finding.evidence[0].role == "found"


def test_nothing_found_is_clear_and_says_what_the_other_rule_looked_at(tmp_path: Path) -> None:
    found = run_rules(tmp_path, [PLT, HIGH], {"LB": COUNTS[:4]})[1]
    assert (found.outcome, found.considered, found.findings) == (Outcome.CLEAR, 4, ())


def test_it_is_blind_when_the_other_rule_is(tmp_path: Path) -> None:
    found = run_rules(tmp_path, [PLT, HIGH], {"LB": [result(0, "2026-01-01", 50, test="ALT")]})[1]
    assert (found.outcome, found.said) == (Outcome.BLIND, "it refers to PLT-01, which saw nothing")


def test_it_can_not_tell_what_the_other_rule_can_not_tell(tmp_path: Path) -> None:
    found = run_rules(tmp_path, [PLT, HIGH], {"LB": [*COUNTS[:4], result(9, "2026-01-30", 999, unit=None)]})[
        1
    ]
    assert (found.outcome, found.cannot_tell) == (Outcome.CANNOT_TELL, 1)
    assert [(cause.kind, cause.column) for cause in only(found).causes] == [
        ("episode can't be told", "PLT-01")
    ]


def test_more_can_be_asked_of_what_was_found(tmp_path: Path) -> None:
    lower = Without(Series("DOSE"), Window(0, 7), condition("DOSE < 700", "DOSE"), open=Open.WAIT)
    asked = rule("ROM-09", "LB", "LBSTRESN < 1000", lower, finds=("PLT-01",), unit="10^9/L", per=Per.RECORD)
    assert run_rules(tmp_path, [PLT, asked], {"LB": COUNTS, "DOSE": DOSES})[1].fired == 1
    reduced = [*DOSES, dose(9, "2026-02-05", 600, subject="01")]
    assert run_rules(tmp_path, [PLT, asked], {"LB": COUNTS, "DOSE": reduced})[1].outcome is Outcome.CLEAR


# ---------------------------------------------------------------- rules about a study


def of_study(folder: Path, rows: Mapping[str, Sequence[Row]], given: Rule | None = None) -> RuleRun:
    return run_rules(folder, [SAE, given or stop()], rows)[1]


def test_a_boundary_that_is_reached_is_one_finding_of_the_study(tmp_path: Path) -> None:
    run = of_study(tmp_path, {"AE": EVENTS, "DOSE": DOSES})
    assert (run.outcome, run.considered, run.subjects, run.fired) == (Outcome.FIRED, 2, 3, 1)
    finding = only(run)
    assert (finding.subject, finding.site, finding.truth, finding.severity) == (
        "",
        "",
        Truth.TRUE,
        Severity.CRITICAL,
    )
    assert (finding.keys, finding.onset, finding.closed) == (("key0", "key1"), "2026-02-05", "")
    assert finding.sentence.startswith("2 of 3 subjects; the boundary is 2. A finding of G-01; counted once")
    assert [dict(each.cells)["USUBJID"] for each in finding.evidence] == ["01", "03"]
    assert finding.facts["rate"] == {
        "over": "study",
        "name": "",
        "method": "count",
        "parameters": {"at_least": 2},
        "x": 2,
        "n": 3,
        "stop_at": 2,
        "first": [2, 3],
        "table": {},
        "untold": [],
        "outside": [],
        "events": [
            {"subject": "01", "n": 1, "day": "2026-02-01", "told": True},
            {"subject": "03", "n": 3, "day": "2026-02-05", "told": True},
        ],
    }
    assert (finding.facts["subjects"], finding.facts["assumed"]) == (["01", "03"], [])


def test_below_the_boundary_it_is_clear_and_says_where_it_stands(tmp_path: Path) -> None:
    run = of_study(tmp_path, {"AE": EVENTS[:1], "DOSE": DOSES})
    assert (run.outcome, run.said, run.findings) == (Outcome.CLEAR, "1 of 3 subjects; the boundary is 2", ())
    first = of_study(tmp_path, {"AE": EVENTS[:1], "DOSE": DOSES[:1]})
    assert first.said == "1 of 1 subjects; the boundary is not reachable yet"


def test_what_can_not_be_told_counts_and_who_never_got_a_dose_does_not(tmp_path: Path) -> None:
    events = [serious(0, "01"), serious(1, "02", None), serious(2, "09")]
    run = of_study(tmp_path, {"AE": events, "DOSE": DOSES})
    assert (run.fired, run.cannot_tell) == (1, 1)
    assert only(run).facts["assumed"] == [
        "counted as events, because it can't be told: 02",
        "events of subjects who are not evaluable, not counted: 09",
    ]


def test_without_doses_there_is_no_denominator(tmp_path: Path) -> None:
    run = of_study(tmp_path, {"AE": EVENTS})
    assert (run.outcome, run.said) == (Outcome.BLIND, "DOSE was not received")


def test_it_is_blind_when_the_rule_that_it_counts_is(tmp_path: Path) -> None:
    run = of_study(tmp_path, {"DOSE": DOSES})
    assert (run.outcome, run.said) == (Outcome.BLIND, "it refers to G-01, which saw nothing")


def test_records_that_it_asks_for_itself_are_judged_like_any(tmp_path: Path) -> None:
    own = rule("STOP-02", "AE", "AESER = 'Y'", rate=Rate(Over.STUDY, TWO))
    (run,) = run_rules(tmp_path, [own], {"AE": EVENTS, "DOSE": DOSES})
    assert (run.outcome, only(run).keys) == (Outcome.FIRED, ("key0", "key1"))
    (blind,) = run_rules(tmp_path, [own], {"AE": [], "DOSE": DOSES})
    assert blind.outcome is Outcome.BLIND


def test_findings_of_several_domains_are_counted_together(tmp_path: Path) -> None:
    counted = stop(finds=("G-01", "PLT-01"))
    rows = {"AE": EVENTS[:1], "LB": [*COUNTS, result(20, "2026-02-01", 500, subject="02")], "DOSE": DOSES}
    finding = only(run_rules(tmp_path, [SAE, PLT, counted], rows)[2])
    assert [(each.domain, dict(each.cells)["USUBJID"]) for each in finding.evidence] == [
        ("LB", "01"),
        ("LB", "02"),
    ]


def test_each_site_that_reaches_it_is_told(tmp_path: Path) -> None:
    subjects = [
        row(n, None, subject=f"0{n + 1}", site=site, ARM="A") for n, site in enumerate(("101", "102", "101"))
    ]
    rows = {"AE": EVENTS, "DOSE": DOSES, "DM": subjects}
    run = of_study(tmp_path, rows, stop(Over.SITE))
    finding = only(run)
    assert (finding.site, finding.facts["rate"]["name"], finding.facts["rate"]["n"]) == ("101", "101", 2)
    assert finding.sentence.startswith("site 101: 2 of 2 subjects; the boundary is 2. ")
    arm = only(of_study(tmp_path, rows, stop(Over.ARM)))
    assert (arm.site, arm.facts["rate"]["name"]) == ("", "A")
    assert arm.sentence.startswith("one arm: 2 of 3 subjects")  # its name could unblind


def test_a_boundary_reached_before_says_when(tmp_path: Path) -> None:
    doses = [*DOSES, dose(8, "2026-03-01", subject="08")]
    finding = only(of_study(tmp_path, {"AE": EVENTS, "DOSE": doses}))
    assert finding.sentence.startswith("2 of 4 subjects; the boundary is 2, first reached with 2 of 3. ")
