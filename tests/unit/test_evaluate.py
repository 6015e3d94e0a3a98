"""A study's rules on the real engine: outcomes, findings, evidence, what can't be told, what is broken."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.engines.duckdb import Engine
from monitor.engines.evaluate import evaluate
from monitor.engines.finder import Finder, Found
from monitor.errors import EngineError
from monitor.evidence import canonical
from monitor.records import Cause, Episode, Finding, Outcome, RuleRun, Severity, Truth
from monitor.rules.conditions import parse_condition
from monitor.rules.context import Context, Parameter
from monitor.rules.rule import (
    Clause,
    Clear,
    Condition,
    Level,
    Open,
    Per,
    Rule,
    Series,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.scope import Scope
from tests.physical import Row, day, named_columns, result, row, write_tables

PARAMS = {
    "plt_hold": Parameter("plt_hold", 400, "10^9/L", "label"),
    "plt_resume": Parameter("plt_resume", 200, "10^9/L", "protocol"),
    "times": Parameter("times", 3, "", "guideline", confirmed=True),
}


def condition(text: str, domain: str) -> Condition:
    return parse_condition(text, domain, scope=Scope(domain, params=PARAMS))


def rule(
    name: str, domain: str, where: str = "", *clauses: Clause, of: str = "", unit: str = "", **more: Any
) -> Rule:
    return Rule(
        id=name,
        pack="test",
        title=f"title of {name}",
        severity=more.pop("severity", Severity.CRITICAL),
        action=more.pop("action", "Consider a call."),
        series=Series(domain, condition(of, domain) if of else None, unit),
        where=condition(where, domain) if where else None,
        clauses=clauses,
        version="v1",
        **more,
    )


PLT = rule(
    "PLT-01",
    "LB",
    "LBSTRESN > :plt_hold",
    of="LBTESTCD = 'PLAT'",
    unit="10^9/L",
    action="Hold until below {plt_resume}.",
    levels=(Level(Severity.CRITICAL, condition("LBSTRESN >= 1000", "LB"), note="Extreme"),),
    clear=Clear(condition("LBSTRESN < :plt_resume", "LB")),
    basis=("label",),
    tags=("dose-hold",),
)
DOSED = rule("ROM-08", "DOSE", "DOSE > 0", WithRule("PLT-01"), of="DRUG in @romiplostim", per=Per.RECORD)
SAE = rule("G-01", "AE", "AESER = 'Y'", severity=Severity.MEDIUM, per=Per.RECORD)


def dose(number: int, start: str | None, amount: float = 700.0, drug: str = "N01", **more: Any) -> Row:
    columns = {"DRUG": drug, "GIVEN": "Y", "DOSE": amount, "DOSEU": "ug", "DRUGKIND": "single"}
    return row(number, start, unit="ug", **{**columns, **more})


def context_of(rows: Mapping[str, Sequence[Row]], **changed: Any) -> Context:
    basis = Context(
        as_of=day("2026-12-31"),
        params=PARAMS,
        lists={"romiplostim": frozenset({"n01"}), "unrelated": frozenset({"not related"})},
        through={(domain, ""): day("2026-12-31") for domain in rows},
        columns={domain: named_columns(domain, given) for domain, given in rows.items()},
    )
    return replace(basis, **changed)


def run_rules(
    folder: Path, rules: Sequence[Rule], rows: Mapping[str, Sequence[Row]], **changed: Any
) -> tuple[RuleRun, ...]:
    with Engine(write_tables(folder, rows), threads=1) as engine:
        return evaluate(engine, rules, context_of(rows, **changed), "S1", "snap", derived="deri")


def run_one(folder: Path, given: Rule, rows: Mapping[str, Sequence[Row]], **changed: Any) -> RuleRun:
    (run,) = run_rules(folder, [given], rows, **changed)
    return run


def only(run: RuleRun) -> Finding:
    (finding,) = run.findings
    return finding


def roles(finding: Finding) -> list[tuple[str, str, str]]:
    return [(row.role, row.domain, row.key) for row in finding.evidence]


COUNTS = [
    result(0, "2026-01-01", 50),
    result(1, "2026-01-08", 150),
    result(2, "2026-01-15", 250),
    result(3, "2026-01-22", 350),
    result(4, "2026-01-29", 401, SECOND=8 * 3600),
    result(5, "2026-02-05", 1100),
    result(6, "2026-02-12", 190),
    result(7, "2026-01-29", 100, subject="02"),
]
DOSES = [dose(0, "2026-01-20"), dose(1, "2026-01-28"), dose(2, "2026-02-03"), dose(3, "2026-02-10")]


# ---------------------------------------------------------------- outcomes


def test_a_rule_that_fires(tmp_path: Path) -> None:
    run = run_one(tmp_path, PLT, {"LB": COUNTS})
    assert run.outcome is Outcome.FIRED
    assert (run.considered, run.subjects, run.newest) == (8, 2, "2026-02-12")
    assert (run.fired, run.cannot_tell, run.said) == (2, 0, "")
    assert (run.study, run.rule, run.version, run.severity) == ("S1", "PLT-01", "v1", Severity.CRITICAL)


def test_a_rule_that_is_clear_counts_what_it_saw(tmp_path: Path) -> None:
    run = run_one(tmp_path, PLT, {"LB": COUNTS[:4]})
    assert (run.outcome, run.findings) == (Outcome.CLEAR, ())
    assert (run.considered, run.subjects, run.newest) == (4, 1, "2026-01-22")


def test_a_rule_without_a_record_is_blind_and_names_what_is_there(tmp_path: Path) -> None:
    rows = [result(n, "2026-01-01", 50, test="PLT" if n < 3 else "ALT") for n in range(4)]
    run = run_one(tmp_path, PLT, {"LB": rows})
    assert run.outcome is Outcome.BLIND
    assert run.said == "no record of Platelets (PLAT); LBTESTCD has PLT (3 rows), ALT (1 rows)"
    finding = only(run)
    assert finding.sentence == run.said
    assert finding.facts["instead"] == [{"column": "LBTESTCD", "words": [["PLT", 3], ["ALT", 1]]}]
    assert (finding.truth, finding.subject, finding.keys, finding.severity) == (
        Truth.UNKNOWN,
        "",
        (),
        Severity.HIGH,
    )


def test_a_rule_whose_domain_was_not_received_is_blind(tmp_path: Path) -> None:
    run = run_one(tmp_path, SAE, {"LB": COUNTS})
    assert (run.outcome, run.said, run.considered) == (Outcome.BLIND, "AE was not received", 0)


def test_a_rule_whose_list_matches_nothing_is_blind_though_its_records_are_unknown(tmp_path: Path) -> None:
    rows = {"DOSE": [dose(0, "2026-01-01", drug="ROMI"), dose(1, "2026-01-08", drug="ROMI")]}
    given = rule("ROM-01", "DOSE", "DOSE > 0", of="DRUG in @romiplostim")
    run = run_one(tmp_path, given, rows)
    assert run.outcome is Outcome.BLIND
    assert run.cannot_tell == 2
    assert run.said == "no DRUG is in the list romiplostim; DRUG has ROMI (2 rows)"
    assert only(run).facts["outcome"] == "blind"


def test_a_column_that_was_not_received_is_blind_when_nothing_else_is_told(tmp_path: Path) -> None:
    given = rule("G-08", "AE", "AESER = 'Y' and AESDTH = 'Y'")
    run = run_one(tmp_path, given, {"AE": [row(0, "2026-01-01", AESER="N")]})
    assert (run.outcome, run.said) == (Outcome.BLIND, "not received: AE.AESDTH")


def test_a_column_whose_absence_the_rule_foresees_is_not_missed(tmp_path: Path) -> None:
    given = rule("G-08", "AE", "AESER = 'Y' and AESDTH is not null and AESDTH = 'Y'")
    run = run_one(tmp_path, given, {"AE": [row(0, "2026-01-01", AESER="N")]})
    assert (run.outcome, run.said) == (Outcome.CLEAR, "")


def test_a_subject_on_treatment_without_a_count_is_told_whatever_the_others_say(tmp_path: Path) -> None:
    given = [dose(0, "2026-01-01", subject="01"), dose(1, "2026-01-01", subject="09")]
    held = dose(2, "2026-01-01", subject="03", GIVEN="HELD")
    quiet = run_one(tmp_path, PLT, {"LB": COUNTS[:3], "DOSE": [*given, held]})
    said = "no record of Platelets (PLAT) of 1 subject(s) to whom a dose was given: 09"
    assert (quiet.outcome, quiet.could_see, quiet.considered) == (Outcome.BLIND, True, 3)
    assert (only(quiet).keys, only(quiet).facts["outcome"], quiet.said) == (("09",), "blind", said)
    fires = run_one(tmp_path, PLT, {"LB": COUNTS, "DOSE": given})
    assert fires.outcome is Outcome.FIRED
    assert [finding.truth for finding in fires.findings] == [Truth.TRUE, Truth.UNKNOWN]
    not_done = result(9, "2026-01-01", None, subject="09", VALID=False)
    assert run_one(tmp_path, PLT, {"LB": [*COUNTS[:3], not_done], "DOSE": given}).outcome is Outcome.BLIND
    event = rule("G-01", "AE", "AESER = 'Y'")
    assert run_one(tmp_path, event, {"AE": [row(0, "2026-01-01", AESER="N")], "DOSE": given}).findings == ()


def test_of_free_texts_one_is_enough(tmp_path: Path) -> None:
    given = rule("TE-01", "AE", "AETERM matches @unrelated")
    assert run_one(tmp_path, given, {"AE": [row(0, "2026-01-01", AETERM="x")]}).outcome is Outcome.CLEAR
    assert run_one(tmp_path, given, {"AE": [row(0, "2026-01-01", AESER="N")]}).outcome is Outcome.CANNOT_TELL


def test_what_fires_wins_over_what_can_not_be_told(tmp_path: Path) -> None:
    rows = [*COUNTS, result(8, "2026-01-29", None, subject="03")]
    run = run_one(tmp_path, PLT, {"LB": rows})
    assert (run.outcome, run.fired, run.cannot_tell) == (Outcome.FIRED, 2, 1)
    assert [finding.truth for finding in run.findings] == [Truth.TRUE, Truth.UNKNOWN]


def test_a_recording_rule_finds_and_tells_nothing(tmp_path: Path) -> None:
    run = run_one(tmp_path, replace(PLT, severity=Severity.NONE), {"LB": COUNTS})
    assert (run.outcome, run.fired, run.findings) == (Outcome.FIRED, 2, ())


def test_a_recording_rule_about_subjects_is_judged_on_all_records_of_whom_it_fires(tmp_path: Path) -> None:
    once = replace(PLT, severity=Severity.NONE, per=Per.SUBJECT, clear=None, levels=())
    run = run_one(tmp_path, once, {"LB": COUNTS})
    assert (run.outcome, run.fired, run.findings, run.said) == (Outcome.FIRED, 2, (), "")


def test_the_seconds_are_those_of_the_timer(tmp_path: Path) -> None:
    ticks = itertools.count(step=2)
    with Engine(write_tables(tmp_path, {"LB": COUNTS}), threads=1) as engine:
        runs = evaluate(
            engine, [PLT, SAE], context_of({"LB": COUNTS}), "S1", "snap", timer=lambda: float(next(ticks))
        )
    assert [run.seconds for run in runs] == [2.0, 2.0]


# ---------------------------------------------------------------- what fires


def test_an_episode_is_one_finding_with_all_its_records(tmp_path: Path) -> None:
    finding = only(run_one(tmp_path, PLT, {"LB": COUNTS}))
    assert (finding.study, finding.site, finding.subject) == ("S1", "S1", "01")
    assert (finding.onset, finding.closed) == ("2026-01-29", "2026-02-12")
    assert finding.keys == ("key4", "key5")
    assert finding.truth is Truth.TRUE
    assert "above 400 10^9/L" in finding.sentence
    assert roles(finding) == [
        ("found", "LB", "key4"),
        ("found", "LB", "key5"),
        ("clear", "LB", "key6"),
        ("previous", "LB", "key1"),
        ("previous", "LB", "key2"),
        ("previous", "LB", "key3"),
    ]


def test_the_most_severe_record_makes_the_level(tmp_path: Path) -> None:
    finding = only(run_one(tmp_path, PLT, {"LB": COUNTS}))
    assert (finding.severity, finding.level, finding.facts["note"]) == (Severity.CRITICAL, 1, "Extreme")
    first = only(run_one(tmp_path, PLT, {"LB": COUNTS[:5]}))
    assert (first.level, first.facts["note"], first.closed) == (0, "", "")


def test_a_level_may_be_less_severe_than_the_rule(tmp_path: Path) -> None:
    level = Level(Severity.MEDIUM, condition("LBSTRESN < 500", "LB"))
    lower = replace(PLT, levels=(level,))
    assert only(run_one(tmp_path, lower, {"LB": COUNTS[:5]})).severity is Severity.MEDIUM
    assert only(run_one(tmp_path, lower, {"LB": COUNTS[:6]})).severity is Severity.CRITICAL


def test_the_facts_say_what_to_do_and_on_which_grounds(tmp_path: Path) -> None:
    facts = only(run_one(tmp_path, PLT, {"LB": COUNTS})).facts
    assert facts["outcome"] == "fired"
    assert facts["title"] == "title of PLT-01"
    assert facts["action"] == "Hold until below 200 10^9/L."
    assert facts["basis"] == ["label"]
    assert facts["tags"] == ["dose-hold"]
    assert facts["params"] == {
        "plt_hold": {"value": 400, "unit": "10^9/L", "source": "label", "confirmed": False},
        "plt_resume": {"value": 200, "unit": "10^9/L", "source": "protocol", "confirmed": False},
    }
    assert facts["not_protocol_confirmed"] == ["plt_hold"]
    assert (facts["snapshot"], facts["derived"], facts["ctcae"]) == ("snap", "deri", "5.0")


def test_the_facts_say_when_it_was_drawn_and_received(tmp_path: Path) -> None:
    received = 1_770_000_000  # 2026-02-02T02:40:00Z
    facts = only(run_one(tmp_path, PLT, {"LB": COUNTS})).facts
    assert facts["drawn"] == "2026-01-29T08:00:00"
    assert facts["complete"] == "2026-01-29"
    assert facts["received"] == "2026-02-02T02:40:00+00:00"
    assert facts["delay_days"] == 4
    assert received == COUNTS[0]["RECEIVED"]


def test_doses_stand_beside_what_fires(tmp_path: Path) -> None:
    continuous = dose(4, "2026-01-28", 200.0, "CSA", DRUGKIND="continuous")
    held = dose(5, "2026-02-04", 0.0, GIVEN="HELD")
    finding = only(run_one(tmp_path, PLT, {"LB": COUNTS, "DOSE": [*DOSES, continuous, held]}))
    assert [key for role, _, key in roles(finding) if role == "dose"] == ["key1", "key4"]
    assert finding.facts["doses_since"] == ["2026-02-03 N01 700 ug", "2026-02-10 N01 700 ug"]
    assert finding.facts["last_dose"] == "2026-02-10"


def test_many_doses_are_a_number(tmp_path: Path) -> None:
    doses = [dose(n, f"2026-02-{n + 1:02}") for n in range(8)]
    facts = only(run_one(tmp_path, PLT, {"LB": COUNTS, "DOSE": doses})).facts
    assert facts["doses_since"] == "8 (2026-02-01 to 2026-02-08)"


def test_without_doses_nothing_is_said_of_them(tmp_path: Path) -> None:
    facts = only(run_one(tmp_path, PLT, {"LB": COUNTS})).facts
    assert "doses_since" not in facts
    assert "last_dose" not in facts


def test_a_flagged_baseline_is_evidence(tmp_path: Path) -> None:
    flagged = [{**COUNTS[0], "LBBLFL": "Y"}, *COUNTS[1:]]
    assert ("baseline", "LB", "key0") in roles(only(run_one(tmp_path, PLT, {"LB": flagged})))


def test_evidence_shows_what_was_received(tmp_path: Path) -> None:
    rows = [{**COUNTS[4], "LBSTRESU": "10^9/L", "LBTEST": "Platelets"}]
    (shown,) = only(run_one(tmp_path, PLT, {"LB": rows})).evidence
    assert (shown.day, shown.version, shown.received) == (
        "2026-01-29",
        "version4",
        "2026-02-02T02:40:00+00:00",
    )
    assert shown.cells == (
        ("LBTESTCD", "PLAT"),
        ("LBTEST", "Platelets"),
        ("LBORRES", "401"),
        ("LBSTRESN", "401"),
        ("LBSTRESU", "10^9/L"),
        ("LBDTC", "2026-01-29"),
    )


def test_the_other_records_of_a_with_are_evidence_and_complete_it(tmp_path: Path) -> None:
    alt = result(0, "2026-01-10", 121, test="ALT", unit="U/L", LBSTNRHI=40.0)
    bilis = [
        result(n, start, value, test="BILI", unit="umol/L", LBSTNRHI=20.0, RECEIVED=1_770_000_000 + n)
        for n, start, value in ((1, "2026-01-05", 10), (2, "2026-01-15", 41), (3, "2026-01-20", 45))
    ]
    bili = With(
        Series("LB", condition("LBTESTCD = 'BILI'", "LB")),
        Window(-30, 30),
        condition("LBSTRESN > 2 * LBSTNRHI", "LB"),
    )
    hy = rule("G-05", "LB", "LBSTRESN >= 3 * LBSTNRHI", bili, of="LBTESTCD = 'ALT'")
    finding = only(run_one(tmp_path, hy, {"LB": [alt, *bilis]}))
    assert roles(finding) == [("found", "LB", "key0"), ("with", "LB", "key2"), ("with", "LB", "key3")]
    assert finding.facts["complete"] == "2026-01-15"
    assert finding.facts["received"] == "2026-02-02T02:40:02+00:00"
    assert finding.facts["delay_days"] == 18


def test_findings_come_in_the_order_of_subjects_and_days(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-01-01", 500, subject="02"),
        result(1, "2026-01-05", 500, subject="01"),
        result(2, "2026-01-09", 100, subject="01"),
        result(3, "2026-01-20", 500, subject="01"),
    ]
    run = run_one(tmp_path, PLT, {"LB": rows})
    assert [(f.subject, f.onset) for f in run.findings] == [
        ("01", "2026-01-05"),
        ("01", "2026-01-20"),
        ("02", "2026-01-01"),
    ]


def test_more_subjects_than_are_judged_together(tmp_path: Path) -> None:
    rows = [result(n, "2026-01-01", 500, subject=f"{n:03}") for n in range(95)]
    run = run_one(tmp_path, PLT, {"LB": rows})
    assert [finding.subject for finding in run.findings] == [f"{n:03}" for n in range(95)]


@pytest.mark.parametrize(
    ("start", "onset"),
    [
        ("2026-01-01/2026-01-31", "2026-01"),
        ("2026-01-01/2026-12-31", "2026"),
        ("2026-01-05/2026-01-08", "2026-01-05/2026-01-08"),
        (None, ""),
    ],
)
def test_a_partial_date_stays_partial(tmp_path: Path, start: str | None, onset: str) -> None:
    finding = only(run_one(tmp_path, PLT, {"LB": [result(0, start, 500)]}))
    assert (finding.onset, finding.facts["drawn"]) == (onset, onset)


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    rows = {"LB": [*COUNTS, result(8, "2026-01-29", None, subject="03")], "DOSE": DOSES}
    first, second = (run_rules(tmp_path, [PLT, DOSED], rows) for _ in range(2))
    assert [[canonical(f) for f in run.findings] for run in first] == [
        [canonical(f) for f in run.findings] for run in second
    ]


# ---------------------------------------------------------------- rules that refer to rules


def test_a_rule_sees_the_episodes_of_another(tmp_path: Path) -> None:
    plt, dosed = run_rules(tmp_path, [PLT, DOSED], {"LB": COUNTS, "DOSE": DOSES})
    assert plt.outcome is Outcome.FIRED
    assert [finding.onset for finding in dosed.findings] == ["2026-02-03", "2026-02-10"]
    # The count that opened the hold is evidence, and the doses before.
    assert roles(dosed.findings[0]) == [
        ("found", "DOSE", "key2"),
        ("with", "LB", "key4"),
        ("previous", "DOSE", "key0"),
        ("previous", "DOSE", "key1"),
    ]


def test_a_same_day_order_that_was_assumed_is_said(tmp_path: Path) -> None:
    same = replace(DOSED, clauses=(WithRule("PLT-01", same_day=True),))
    rows = {"LB": [result(0, "2026-01-29", 500)], "DOSE": [dose(0, "2026-01-29")]}
    _, told = run_rules(tmp_path, [PLT, same], rows, same_day="before")
    (assumed,) = only(told).facts["assumed"]
    assert "come before the one found" in assumed
    _, unsure = run_rules(tmp_path, [PLT, same], rows)
    assert unsure.outcome is Outcome.CANNOT_TELL
    assert only(unsure).causes == (Cause("episode can't be told", "", "PLT-01"),)
    assert ("with", "LB", "key0") in roles(only(unsure))


def test_a_rule_that_refers_to_a_broken_one_is_broken(tmp_path: Path) -> None:
    (alone,) = run_rules(tmp_path, [DOSED], {"DOSE": DOSES})
    assert (alone.outcome, alone.said) == (Outcome.BROKEN, "it refers to PLT-01, which is broken")


def test_a_rule_that_refers_to_a_blind_one_is_blind(tmp_path: Path) -> None:
    alts = [result(0, "2026-01-01", 5, test="ALT")]
    plt, dosed = run_rules(tmp_path, [PLT, DOSED], {"LB": alts, "DOSE": DOSES})
    assert plt.outcome is Outcome.BLIND
    assert (dosed.outcome, dosed.said) == (Outcome.BLIND, "it refers to PLT-01, which saw nothing")


def test_what_can_not_be_told_of_the_whole_study_is_not_told_again_for_each_dose(tmp_path: Path) -> None:
    rows = {
        "LB": [result(n, "2026-01-01", 500, subject=f"0{n}", unit=None) for n in range(3)],
        "DOSE": [dose(n, "2026-01-08", subject=f"0{n}") for n in range(3)],
    }
    plt, dosed = run_rules(tmp_path, [replace(PLT, severity=Severity.NONE), DOSED], rows)
    assert (plt.outcome, plt.findings) == (Outcome.CANNOT_TELL, ())
    finding = only(dosed)
    assert (finding.subject, finding.facts["records"]) == ("", 3)


# ---------------------------------------------------------------- what can't be told


def test_for_a_critical_rule_it_is_told_per_subject_one_severity_lower(tmp_path: Path) -> None:
    rows = [
        result(0, "2026-01-01", 500, unit=None, LBORRESU="THOU"),
        result(1, "2026-01-08", None),
        result(2, "2026-01-01", 300, subject="02"),
        result(3, "2026-01-08", "<500", subject="02"),
    ]
    run = run_one(tmp_path, PLT, {"LB": rows})
    assert run.outcome is Outcome.CANNOT_TELL
    first, second = run.findings
    assert (first.subject, first.site, first.onset) == ("01", "S1", "2026-01-01")
    assert (first.severity, first.truth, first.keys) == (Severity.HIGH, Truth.UNKNOWN, ("key0", "key1"))
    assert first.causes == (Cause("unit", "LB", "LBSTRESN", "THOU"), Cause("missing value", "LB", "LBSTRESN"))
    assert first.facts["records"] == 2
    assert second.causes == (Cause("censored", "LB", "LBSTRESN", "<500"),)


def test_for_a_medium_rule_it_is_told_once_for_each_cause(tmp_path: Path) -> None:
    rows = [
        row(0, "2026-01-01", AESER="N"),
        *(row(n, "2026-01-01", subject=f"0{n}", AESER=None) for n in range(1, 4)),
    ]
    finding = only(run_one(tmp_path, SAE, {"AE": rows}))
    assert finding.causes == (Cause("missing value", "AE", "AESER"),)
    assert (finding.subject, finding.severity) == ("", Severity.LOW)
    assert finding.keys == ("key1", "key2", "key3")
    assert finding.facts["subjects"] == ["01", "02", "03"]
    assert (finding.facts["records"], finding.facts["rows_not_shown"]) == (3, 0)


def test_each_unsorted_word_is_a_cause_and_each_partial_date_is_not(tmp_path: Path) -> None:
    related = rule("DIS", "AE", "AEREL in @unrelated", severity=Severity.LOW)
    words = ["MAYBE", "PERHAPS", "MAYBE", "not related"]
    rows = [row(n, "2026-01-01", AEREL=word) for n, word in enumerate(words)]
    told = run_one(tmp_path, related, {"AE": rows}).findings
    unknown = [finding for finding in told if finding.truth is Truth.UNKNOWN]
    assert [finding.causes[0].given for finding in unknown] == ["MAYBE", "PERHAPS"]
    assert [finding.facts["records"] for finding in unknown] == [2, 1]
    late = rule("LATE", "AE", "AESTDT > date '2026-01-15'", severity=Severity.LOW)
    dated = [
        row(
            n,
            "2026-01-01/2026-01-31",
            AESTDTC=f"2026-01--{n}",
            AESTDT_LO=day("2026-01-01"),
            AESTDT_HI=day("2026-01-31"),
        )
        for n in range(3)
    ]
    assert only(run_one(tmp_path, late, {"AE": dated})).causes == (Cause("partial date", "AE", "AESTDT"),)


def test_a_column_that_is_empty_everywhere_is_told_once(tmp_path: Path) -> None:
    given = rule("DIS-01", "AE", "AEACN = 'DRUG WITHDRAWN' and (AEREL is null or AEREL not in @unrelated)")
    rows = [row(n, "2026-01-01", subject=f"{n:02}", AEACN=None, AEREL=["X", None][n % 2]) for n in range(20)]
    run = run_one(tmp_path, given, {"AE": rows})
    finding = only(run)
    assert (run.outcome, run.cannot_tell) == (Outcome.CANNOT_TELL, 20)
    assert finding.causes == (Cause("missing value", "AE", "AEACN"),)
    assert (finding.subject, finding.keys, finding.severity) == ("", (), Severity.HIGH)
    assert (finding.facts["records"], len(finding.facts["subjects"])) == (20, 20)
    assert len(finding.evidence) == 10
    assert finding.facts["rows_not_shown"] == 10


def test_a_column_that_is_empty_only_in_the_series_is_told_once(tmp_path: Path) -> None:
    limit = rule("LIM", "LB", "LBSTRESN > LBSTNRHI", of="LBTESTCD = 'PLAT'")
    rows = [
        result(0, "2026-01-01", 5, LBSTNRHI=None),
        result(1, "2026-01-01", 5, subject="02", LBSTNRHI=None),
        result(2, "2026-01-01", 5, test="ALT", LBSTNRHI=3.0),
    ]
    finding = only(run_one(tmp_path, limit, {"LB": rows}))
    assert finding.causes == (Cause("missing value", "LB", "LBSTNRHI"),)
    assert finding.subject == ""
    rows.append(result(3, "2026-01-01", 5, subject="03", LBSTNRHI=9.0))
    assert [f.subject for f in run_one(tmp_path, limit, {"LB": rows}).findings] == ["01", "02"]


def test_units_that_are_missing_everywhere_are_told_once(tmp_path: Path) -> None:
    rows = [result(n, "2026-01-01", 500, subject=f"0{n}", unit=None) for n in range(3)]
    finding = only(run_one(tmp_path, PLT, {"LB": rows}))
    assert (finding.subject, finding.causes) == ("", (Cause("unit", "LB", "LBSTRESN"),))


def test_dates_that_are_missing_everywhere_are_told_once(tmp_path: Path) -> None:
    given = rule("EXP", "LB", "", With(Series("DOSE"), Window(-7, 0)), of="LBTESTCD = 'PLAT'")
    rows = {
        "LB": [result(n, "2026-01-01", 5, subject=f"0{n}") for n in range(2)],
        "DOSE": [dose(n, None, subject=f"0{n}") for n in range(2)],
    }
    finding = only(run_one(tmp_path, given, rows))
    assert finding.causes == (Cause("missing value", "DOSE", "DOSEDT"),)
    assert finding.subject == ""


def test_a_domain_that_was_not_received_is_told_once(tmp_path: Path) -> None:
    given = rule("CM", "LB", "", Without(Series("CM"), Window(-7, 0)), of="LBTESTCD = 'PLAT'")
    rows = {"LB": [result(n, "2026-01-01", 5, subject=f"0{n}") for n in range(2)]}
    finding = only(run_one(tmp_path, given, rows))
    assert (finding.subject, finding.causes) == ("", (Cause("domain not received", "CM"),))


def test_a_record_that_only_waits_is_not_told_and_not_clear(tmp_path: Path) -> None:
    later = Without(Series("LB", condition("LBTESTCD = 'PLAT'", "LB")), Window(1, 7), open=Open.WAIT)
    given = rule("CSA", "LB", "", later, of="LBTESTCD = 'CREAT'")
    rows = {"LB": [result(0, "2026-12-30", 5, test="CREAT")]}
    run = run_one(tmp_path, given, rows)
    assert (run.outcome, run.cannot_tell, run.findings) == (Outcome.CANNOT_TELL, 1, ())


def test_an_unknown_record_of_an_episode_that_fires_is_not_told_again(tmp_path: Path) -> None:
    rows = [result(0, "2026-01-01", 500), result(1, "2026-01-08", None)]
    finding = only(run_one(tmp_path, PLT, {"LB": rows}))
    assert (finding.truth, finding.keys) == (Truth.TRUE, ("key0", "key1"))


def test_many_records_that_can_not_be_told_are_counted(tmp_path: Path) -> None:
    rows = [result(0, "2026-01-01", 5), *(result(n, f"2026-01-{n + 1:02}", None) for n in range(1, 16))]
    finding = only(run_one(tmp_path, PLT, {"LB": rows}))
    assert len(finding.evidence) == 10
    assert (finding.facts["records"], finding.facts["rows_not_shown"]) == (15, 5)


# ---------------------------------------------------------------- broken


class Wrong:
    """The real engine, with something of its answer changed."""

    def __init__(self, engine: Finder, change: Any) -> None:
        self.engine, self.change = engine, change

    def words(self, domain: str, column: str) -> Sequence[str]:
        return self.engine.words(domain, column)

    def counts(self, domain: str, column: str) -> Mapping[str, int]:
        return self.engine.counts(domain, column)

    def rows(self, domain: str, subjects: Iterable[str], **asked: Any) -> Sequence[Row]:
        return [dict(row) for row in self.engine.rows(domain, subjects, **asked)]

    def unseen(self, rule: Rule, context: Context) -> Sequence[str]:
        return self.engine.unseen(rule, context)

    def fires(self, given: Rule, context: Context) -> bool:
        return self.engine.fires(given, context)

    def find(
        self, given: Rule, context: Context, episodes: Iterable[Episode] = (), *, first: bool = False
    ) -> Found:
        found: Found = self.change(self.engine.find(given, context, episodes, first=first))
        return found


def raising(error: Exception) -> Any:
    def change(_found: Any) -> Any:
        raise error

    return change


def other_truth(found: Any) -> Any:
    verdicts = [replace(v, truth=Truth.UNKNOWN) if v.row == 4 else v for v in found.verdicts]
    return replace(found, verdicts=tuple(verdicts))


def other_clear(found: Any) -> Any:
    return replace(found, verdicts=tuple(replace(v, clear=Truth.UNKNOWN) for v in found.verdicts))


def one_less(found: Any) -> Any:
    return replace(found, verdicts=found.verdicts[1:])


def one_twice(found: Any) -> Any:
    return replace(found, verdicts=(*found.verdicts, found.verdicts[0]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_truth, "the engine and the reference disagree on 1 records: rows 4"),
        (other_clear, "the engine and the reference disagree on 7 records: rows 0, 1, 2, 3, 4, 5, 6"),
        (one_less, "the engine and the reference disagree on 1 records: rows 0"),
        (one_twice, "the engine and the reference disagree on 0 records: rows "),
        (
            raising(EngineError("DuckDB failed when running PLT-01: BinderException")),
            "DuckDB failed when running",
        ),
        (raising(KeyError("401 of 01-003")), "KeyError in test_evaluate.py"),
    ],
)
def test_a_rule_on_which_the_engines_disagree_is_broken_and_the_others_go_on(
    tmp_path: Path, change: Any, said: str
) -> None:
    rows = {"LB": COUNTS, "AE": [row(0, "2026-01-01", AESER="N")]}

    def only_platelets(found: Any) -> Any:
        return change(found) if found.considered == len(COUNTS) else found

    with Engine(write_tables(tmp_path, rows), threads=1) as engine:
        broken, fine = evaluate(Wrong(engine, only_platelets), [PLT, SAE], context_of(rows), "S1", "snap")
    assert broken.outcome is Outcome.BROKEN
    assert broken.said.startswith(said)
    assert "01-003" not in broken.said
    assert broken.findings == ()
    assert fine.outcome is Outcome.CLEAR


def test_a_parameter_that_nobody_gave_is_a_broken_rule(tmp_path: Path) -> None:
    run = run_one(tmp_path, PLT, {"LB": COUNTS}, params={})
    assert run.outcome is Outcome.BROKEN
    assert run.said.startswith("KeyError in ")
