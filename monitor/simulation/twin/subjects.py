"""Who is in the invented trial: sixteen subjects, eleven of whom have finished 26 weeks at the data cut.

The table that the trial's public abstract gives is built in: of the eleven six have severe aplastic
anaemia (SAA), one is transfusion-dependent (TD-NSAA), four are not (NTD-NSAA); nine respond by
week 13 and still do at week 26, of them one completely by week 13 and two by week 26. The seed only
decides who they are and moves the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

SUBJECTS, COMPLETED, SITES = 16, 11, 4
DATA_END = 399  # days from the first subject's first dose to the data cut
COMPLETED_EVERY = 19  # days from one of the eleven to the next
WEEKS_SO_FAR = (21, 16, 12, 8, 4)  # of the five who have not finished
EASY = (52, 76)  # kg; in steps of 1 kg every level is a whole number of 5 µg


class Entry(StrEnum):
    """Class of the disease at entry."""

    SAA = "SAA"
    TD = "TD-NSAA"
    NTD = "NTD-NSAA"


class Answer(StrEnum):
    """What the treatment does."""

    NONE = "none"
    PARTIAL = "partial"
    COMPLETE = "complete"  # by week 13
    LATE = "late"  # partial by week 13, complete by week 26


SAA, TD, NTD = Entry.SAA, Entry.TD, Entry.NTD
NONE, PARTIAL, COMPLETE, LATE = Answer.NONE, Answer.PARTIAL, Answer.COMPLETE, Answer.LATE
FINISHED = (
    *((SAA, answer) for answer in (NONE, NONE, PARTIAL, PARTIAL, PARTIAL, LATE)),
    (TD, PARTIAL),
    *((NTD, answer) for answer in (PARTIAL, PARTIAL, PARTIAL, COMPLETE)),
)
UNDER_WAY = ((SAA, PARTIAL), (NTD, PARTIAL), (TD, PARTIAL), (SAA, NONE), (NTD, NONE))


@dataclass(frozen=True)
class Subject:
    """One invented person. Counts are in 10^9/L, hemoglobin in g/L, all before the first dose."""

    code: str  # as in USUBJID: site-number
    site: str
    sex: str
    age: int
    weight: int  # kg
    entry: Entry
    answer: Answer
    platelets: int
    neutrophils: float
    reticulocytes: int
    hemoglobin: int
    onset: int  # the week of the first count that answers the treatment
    plateau: int  # where the platelets settle under treatment
    cyclosporine: int  # mg for each of two doses a day
    diagnosed: date
    consented: date
    first_dose: date

    @property
    def severe(self) -> bool:
        """Whether it is severe aplastic anaemia."""
        return self.entry is SAA


def data_end(start: date) -> date:
    """The day the data end, of a trial whose first subject starts at `start`."""
    return start + timedelta(days=DATA_END)


def enrol(rng: Random, start: date) -> tuple[Subject, ...]:
    """The sixteen in the order of their first doses, over four sites in turn."""
    finished = list(FINISHED)
    rng.shuffle(finished)
    kinds = (*finished, *UNDER_WAY)
    return tuple(_subject(rng, number, start, *kinds[number]) for number in range(SUBJECTS))


def _subject(rng: Random, number: int, start: date, entry: Entry, answer: Answer) -> Subject:
    site = f"{number % SITES + 1:02d}"
    first_dose = _first_dose(number, start)
    severe = entry is SAA
    platelets = _between(rng, 13, 18) if severe else _between(rng, 20, 28)
    if severe and rng.random() < 0.4:
        platelets = _between(rng, 6, 8)  # none is near 10, where a rule begins to look
    weight = _between(rng, *EASY)
    return Subject(
        code=f"{site}-{number // SITES + 1:03d}",
        site=site,
        sex="F" if rng.random() < 0.5 else "M",
        age=_between(rng, 21, 68),
        weight=weight,
        entry=entry,
        answer=answer,
        platelets=platelets,
        neutrophils=round(rng.uniform(0.25, 0.44) if severe else rng.uniform(0.75, 1.3), 2),
        reticulocytes=_between(rng, 12, 35) if severe else _between(rng, 30, 52),
        hemoglobin=_between(rng, 62, 70) if entry is TD else _between(rng, 68, 84),
        onset=_between(rng, 3, 6),
        plateau=_between(rng, 118, 160) if answer in (COMPLETE, LATE) else platelets + _between(rng, 36, 62),
        cyclosporine=25 * round(rng.uniform(3.7, 4.4) * weight / 2 / 25),
        diagnosed=first_dose - timedelta(days=_between(rng, 300, 2200)),
        consented=first_dose - timedelta(days=_between(rng, 9, 16)),
        first_dose=first_dose,
    )


def _first_dose(number: int, start: date) -> date:
    """Visits are from Tuesday to Friday, blood the day before."""
    if number < COMPLETED:
        day = start + timedelta(days=COMPLETED_EVERY * number)
    else:
        day = data_end(start) - timedelta(weeks=WEEKS_SO_FAR[number - COMPLETED], days=1)
    return day if day.weekday() in range(1, 5) else day + timedelta(days=(1 - day.weekday()) % 7)


def _between(rng: Random, low: int, high: int) -> int:
    return low + int((high - low + 1) * rng.random())
