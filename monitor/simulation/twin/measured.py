"""Planted in the invented trial's counts, chemistry and doses."""

from __future__ import annotations

from random import Random

from monitor.simulation.twin.chart import Chart, day_of, set_level, set_result
from monitor.simulation.twin.planted import Planted, planted

HIGH, HIGHER, STILL_HIGH, RESUMED = 428, 467, 352, 180  # 10^9/L
LAST_QUIET = 195  # no rule looks at a count up to 200
STEEP = 2.8  # below the rise that is one by itself
HELD = "PLATELETS ABOVE 400: DOSE HELD"
PLATELETS = ("PLT-03", "PLT-04")  # of the same records, and of the same family


def thrombocytosis(rng: Random, chart: Chart) -> Planted | None:
    """A count above 400, two doses held, then resumed one step lower below 200."""
    week = chart.week(rng)
    if week is None or not _risen(chart, week):
        return None
    for offset, count in enumerate((HIGH, STILL_HIGH, RESUMED)):
        set_result(chart.counts[week + offset], count)
    lower = chart.level(week) - 5
    for each in range(week, len(chart.doses)):
        held = each < week + 2
        set_level(chart, each, 0 if held else lower, HELD if held else "PLATELETS: ONE STEP LOWER")
    return planted("thrombocytosis", chart, day_of(chart.counts, week, "LBDTC"), ("PLT-01",), PLATELETS)


def dosed_during_hold(_: Random, chart: Chart) -> Planted | None:
    """A count above 400 in the last weeks, one dose given all the same, the next two held."""
    week = len(chart.counts) - 3
    if not chart.under_way or week < 6 or len(chart.doses) != week + 3 or not _risen(chart, week):
        return None
    for offset, count in enumerate((HIGH, HIGHER, STILL_HIGH)):
        set_result(chart.counts[week + offset], count)
    for each in (week + 1, week + 2):
        set_level(chart, each, 0, HELD)
    date = day_of(chart.doses, week, "EXSTDTC")
    return planted("dosed-during-hold", chart, date, ("PLT-01", "ROM-08"), PLATELETS)


def _risen(chart: Chart, week: int) -> bool:
    """The count before a high one made one that leads there; False where that can't be."""
    before = chart.count(week - 2)
    if not chart.answered(week - 2) or before * STEEP < HIGH / STEEP or before > LAST_QUIET:
        return False
    set_result(chart.counts[week - 1], min(LAST_QUIET, int(before * STEEP)))
    return True


def early_escalation(_: Random, chart: Chart) -> Planted | None:
    """The second dose already one step higher, and all steps a week too early."""
    if len(chart.doses) < 7 or chart.level(4) != 20:
        return None
    doses = [row["EXDOSE"] for row in chart.doses]
    for row, dose in zip(chart.doses[1:], [*doses[2:], doses[-1]], strict=True):
        row["EXDOSE"] = dose
    return planted("early-escalation", chart, day_of(chart.doses, 1, "EXSTDTC"), ("ROM-04",))


def overdose(_: Random, chart: Chart) -> Planted | None:
    """One dose of 24 µg/kg where 20 was meant."""
    week = len(chart.doses) - 2
    if week < 7 or chart.level(week) != 20 or chart.answered(week):
        return None
    set_level(chart, week, 24)
    return planted("overdose", chart, day_of(chart.doses, week, "EXSTDTC"), ("ROM-02",), ("ROM-03",))


def creatinine_rise(rng: Random, chart: Chart) -> Planted | None:
    """Creatinine a third above the baseline, and back two weeks later."""
    week = chart.week(rng)
    rows = chart.rows("LB", LBTESTCD="CREAT")
    if week is None or len(rows) < week // 2 + 2:
        return None
    set_result(rows[week // 2], round(1.33 * float(rows[0]["LBSTRESN"])))
    return planted("creatinine-rise", chart, day_of(rows, week // 2, "LBDTC"), ("CSA-02",))


def liver_injury(rng: Random, chart: Chart) -> Planted | None:
    """Transaminases above three times, bilirubin above two times the upper limit, in one sample."""
    week = chart.week(rng)
    if week is None:
        return None
    for code, times in (("ALT", 4.0), ("AST", 3.5), ("BILI", 2.6)):
        row = chart.rows("LB", LBTESTCD=code)[week // 2]
        set_result(row, round(times * float(row["LBSTNRHI"])))
    date = day_of(chart.rows("LB", LBTESTCD="ALT"), week // 2, "LBDTC")
    return planted("liver-injury", chart, date, ("G-05",), ("G-06",))


def blasts(rng: Random, chart: Chart) -> Planted | None:
    """Blasts in the blood, twice."""
    week = chart.week(rng)
    rows = chart.rows("LB", LBTESTCD="BLASTLE")
    if week is None or len(rows) < week // 2 + 3:
        return None
    for row in rows[week // 2 : week // 2 + 2]:
        set_result(row, 2)
    return planted("blasts", chart, day_of(rows, week // 2 + 1, "LBDTC"), ("CLO-01",))


def missing_counts(rng: Random, chart: Chart) -> Planted | None:
    """Three weeks without a blood count, dosed all the same."""
    week = chart.week(rng)
    if week is None or (chart.under_way and week in range(9, 15)):  # week 13 is a visit of its own
        return None
    gone = {day_of(chart.counts, week + offset, "LBDTC") for offset in range(3)}
    counted = chart.rows("LB", LBCAT="HEMATOLOGY")
    lost = [id(row) for row in counted if row["LBDTC"][:10] in gone]
    chart.trial.domains["LB"][:] = [row for row in chart.trial.domains["LB"] if id(row) not in lost]
    date = day_of(chart.doses, week, "EXSTDTC")
    return planted("missing-counts", chart, date, ("PLT-05",), ("MON-01", "MON-02"))


def wrong_unit(rng: Random, chart: Chart) -> Planted | None:
    """A platelet count in g/L."""
    week = chart.week(rng)
    if week is None:
        return None
    chart.counts[week].update(LBORRESU="g/L", LBSTRESU="g/L")
    return planted("wrong-unit", chart, day_of(chart.counts, week, "LBDTC"), ("G-15",))


def late_correction(_: Random, chart: Chart) -> Planted | None:
    """The newest count came as 428, a slip, and is right in the next transfer."""
    if not chart.under_way or len(chart.doses) != len(chart.counts):
        return None
    last = chart.counts[-1]
    dose = chart.doses[-1]  # not given before the count was clear
    chart.trial.domains["EX"][:] = [row for row in chart.trial.domains["EX"] if row is not dose]
    set_result(last, HIGH)
    return planted("late-correction", chart, last["LBDTC"][:10], ("PLT-01",), PLATELETS)
