"""Sixteen invented subjects on romiplostim N01 and cyclosporine, and what happens to each week by week.

The story is fixed, the seed only moves the numbers: 01-003 has platelets above 400 in week 16, is dosed
once before the result is read, and is then held until the data end; 03-002 stops romiplostim for a
related rash in week 9; everybody else stays quiet. Doses follow the public abstract of the trial:
10 µg/kg weekly, +5 every two weeks without a response, at most 20; cyclosporine 3 to 5 mg/kg a day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

SUBJECTS = 16
SITES = 4
WEEKS = 26
FIRST_LEVEL, STEP, LAST_LEVEL = 10, 5, 20  # µg/kg
RESPONSE = 20  # 10^9/L above baseline: a platelet response, so no escalation
QUIET_PLATELETS = 195  # nobody but the one in the story comes near a platelet rule

THROMBOCYTOSIS, WITHDRAWAL, CLOTTED = "01-003", "03-002", "02-001"
HIGH_WEEK, HIGH_COUNTS = 16, (428, 467, 352)  # not below 200 again before the data end
RASH_WEEK = 9
CLOTTED_WEEK = 5


@dataclass(frozen=True)
class Subject:
    """One invented person; `plateau` is where the platelets settle under treatment."""

    code: str  # as in USUBJID: site-number
    site: str
    sex: str
    age: int
    weight: float  # kg, before the first dose
    baseline: int  # platelets, 10^9/L
    plateau: int
    half_week: float  # the week in which half of the rise is reached
    cyclosporine: int  # mg for each of two doses a day
    consented: date
    first_dose: date


@dataclass(frozen=True)
class Week:
    """One weekly visit: blood is drawn on `drawn`, the dose is due the day after."""

    number: int
    drawn: date
    due: date
    platelets: int | None  # None: the tube had clotted
    level: int  # µg/kg; 0: not given
    held: bool


def enrol(rng: Random, start: date) -> tuple[Subject, ...]:
    """Sixteen subjects, one about every eleven days, over four sites in turn."""
    return tuple(_subject(rng, number, start) for number in range(SUBJECTS))


def _subject(rng: Random, number: int, start: date) -> Subject:
    site = f"{number % SITES + 1:02d}"
    code = f"{site}-{number // SITES + 1:03d}"
    baseline = 7 + int(21 * rng.random())  # below 30: refractory severe aplastic anaemia
    responds = rng.random() < 0.75
    rise = 45 + 110 * rng.random() if responds else 3 + 9 * rng.random()
    weight = round(48 + 38 * rng.random(), 1)
    first_dose = _weekday(start + timedelta(days=max(1, 11 * number - 1)))
    return Subject(
        code=code,
        site=site,
        sex="F" if rng.random() < 0.5 else "M",
        age=21 + int(48 * rng.random()),
        weight=weight,
        baseline=baseline,
        plateau=round(baseline + (150 if code == THROMBOCYTOSIS else rise)),
        half_week=5 + 5 * rng.random(),
        cyclosporine=_capsules(weight, 3.6 + 0.9 * rng.random()),
        consented=first_dose - timedelta(days=8 + int(9 * rng.random())),
        first_dose=first_dose,
    )


def _weekday(day: date) -> date:
    """The same day, or the next Tuesday: visits are from Tuesday to Friday, blood the day before."""
    return day if day.weekday() in range(1, 5) else day + timedelta(days=(1 - day.weekday()) % 7)


def _capsules(weight: float, wanted: float) -> int:
    """Mg of one of two daily doses in 25 mg capsules, the day's total within 3 to 5 mg/kg."""
    return 25 * round(wanted * weight / 2 / 25)


def data_end(subjects: tuple[Subject, ...]) -> date:
    """The day the data end: just after the third high count, while its episode is open."""
    (one,) = (subject for subject in subjects if subject.code == THROMBOCYTOSIS)
    return one.first_dose + timedelta(weeks=HIGH_WEEK + len(HIGH_COUNTS) - 1, days=1)


def course(rng: Random, subject: Subject, until: date) -> tuple[Week, ...]:
    """The subject's weekly visits up to the day the data end, the end-of-treatment visit included."""
    weeks: list[Week] = []
    for number in range(WEEKS + 1):
        due = subject.first_dose + timedelta(weeks=number)
        if due > until:
            break
        platelets = _platelets(rng, subject, number)
        level, held = _dose(subject, number, platelets, weeks)
        weeks.append(Week(number, due - timedelta(days=1), due, platelets, level, held))
    return tuple(weeks)


def _platelets(rng: Random, subject: Subject, week: int) -> int | None:
    noise = 1 + 0.16 * (rng.random() - 0.5)
    if subject.code == THROMBOCYTOSIS and week >= HIGH_WEEK:
        return HIGH_COUNTS[week - HIGH_WEEK]
    if subject.code == CLOTTED and week == CLOTTED_WEEK:
        return None
    treated = min(week, RASH_WEEK) if subject.code == WITHDRAWAL else week
    fading = max(0.0, 1 - (week - treated) / 4)
    share = fading / (1 + math.exp((subject.half_week - treated) / 1.3)) if week else 0.0
    count = (subject.baseline + (subject.plateau - subject.baseline) * share) * noise
    return min(QUIET_PLATELETS, round(count)) if week else subject.baseline


def _dose(subject: Subject, week: int, platelets: int | None, before: list[Week]) -> tuple[int, bool]:
    """The level given in µg/kg, and whether it was held; the first dose in the hold is the mistake."""
    if week >= WEEKS or (subject.code == WITHDRAWAL and week > RASH_WEEK):
        return 0, False
    if subject.code == THROMBOCYTOSIS and week > HIGH_WEEK:
        return 0, True
    if not before:
        return FIRST_LEVEL, False
    level = before[-1].level
    answered = platelets is None or platelets >= subject.baseline + RESPONSE
    due_up = len(before) >= 2 and before[-2].level == level
    raised = min(LAST_LEVEL, level + STEP) if due_up and not answered else level
    return raised, False
