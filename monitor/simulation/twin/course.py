"""What happens to the subjects week by week: blood counts, and the dose that follows from them.

Doses follow the public abstract of the trial: 10 µg/kg weekly, 5 more every two weeks without a
response, at most 20, for 26 weeks; cyclosporine 3 to 5 mg/kg a day. A response is here what the
rules take for one: platelets 20 above the baseline on two visits a week apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from monitor.simulation.twin.subjects import Answer, Subject

WEEKS = 26  # of treatment; a subject's last dose is in the 26th, the visit of week 26 after it
FOLLOWED = 2  # weeks behind it
FIRST_LEVEL, STEP, LAST_LEVEL = 10, 5, 20  # µg/kg
RISE = 24  # 10^9/L above baseline: with the first count of a response no doubt is left
RAMP = 5  # weeks from there to the plateau
SECOND_ONSET = 15  # week in which a late complete response begins
FIRST_PLATEAU = 60  # 10^9/L, of a late complete response before that


@dataclass(frozen=True)
class Week:
    """One weekly visit: blood is drawn on `drawn`, the dose is due the day after."""

    number: int
    drawn: date
    due: date
    platelets: int  # 10^9/L
    neutrophils: float  # 10^9/L
    reticulocytes: int  # 10^9/L
    hemoglobin: int  # g/L
    level: int  # µg/kg; 0: not given


def course(rng: Random, subject: Subject, until: date) -> tuple[Week, ...]:
    """The subject's weekly visits up to the day the data end, those after the treatment included."""
    weeks: list[Week] = []
    for number in range(WEEKS + FOLLOWED + 1):
        due = subject.first_dose + timedelta(weeks=number)
        if due > until:
            break
        weeks.append(_week(rng, subject, number, due, weeks))
    return tuple(weeks)


def _week(rng: Random, subject: Subject, number: int, due: date, before: list[Week]) -> Week:
    platelets = _platelets(rng, subject, number)
    share = _share(number, subject.onset + 1) if subject.answer is not Answer.NONE else 0.0
    late = _share(number, SECOND_ONSET) if subject.answer is Answer.LATE else share
    whole = late if subject.answer in (Answer.COMPLETE, Answer.LATE) else 0.0
    normal = max(0.62, subject.neutrophils * 1.2)
    neutrophils = subject.neutrophils + (normal - subject.neutrophils) * share + (1.9 - normal) * whole
    return Week(
        number=number,
        drawn=due - timedelta(days=1),
        due=due,
        platelets=platelets,
        neutrophils=round(neutrophils * _noise(rng, 0.06 if number else 0), 2),
        reticulocytes=round(_grown(subject.reticulocytes, 72, share) * _noise(rng, 0.05 if number else 0)),
        hemoglobin=round(
            _grown(subject.hemoglobin, subject.hemoglobin + 10, share)
            + (116 - subject.hemoglobin - 10) * whole
            + (3 * (rng.random() - 0.5) if number else 0)
        ),
        level=_level(subject, number, before, platelets),
    )


def _grown(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


def _noise(rng: Random, spread: float) -> float:
    return 1 + spread * (2 * rng.random() - 1)


def _share(week: int, onset: int) -> float:
    """How much of a rise that begins in a week is reached: from 0 to 1."""
    return max(0.0, min(1.0, (week - onset + 1) / RAMP))


def _platelets(rng: Random, subject: Subject, week: int) -> int:
    """Flat before the response, never near its limits behind it."""
    base = subject.platelets
    if week == 0:
        return base
    if subject.answer is Answer.NONE or week < subject.onset:
        return base + round(base / 10 * (2 * rng.random() - 1))
    top = FIRST_PLATEAU if subject.answer is Answer.LATE else subject.plateau
    count = _grown(base + RISE, top, min(1.0, (week - subject.onset) / RAMP))
    if subject.answer is Answer.LATE:
        count += (subject.plateau - top) * _share(week, SECOND_ONSET)
    return max(base + RISE, round(count * _noise(rng, 0.05)))


def _level(subject: Subject, week: int, before: list[Week], platelets: int) -> int:
    """The level given in µg/kg: raised after two doses of one level without a confirmed response."""
    if week >= WEEKS:
        return 0
    if not before:
        return FIRST_LEVEL
    level = before[-1].level
    answered = min(platelets, before[-1].platelets) >= subject.platelets + RISE
    due_up = len(before) >= 2 and before[-2].level == level
    return min(LAST_LEVEL, level + STEP) if due_up and not answered else level
