"""Vital signs, transfusions and other medication, cyclosporine troughs, and the marrow that was taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from monitor.simulation.twin.course import WEEKS, Week
from monitor.simulation.twin.rows import Row, number, study_day, visit
from monitor.simulation.twin.subjects import Entry, Subject

RED_CELLS = "RED BLOOD CELL TRANSFUSION"
BEFORE = (132, 104, 76, 48)  # days before the first dose, of transfusion-dependent subjects
MARROW = ("BONE MARROW BIOPSY", "CYTOGENETIC ANALYSIS", "PNH FLOW CYTOMETRY")
# code, name, unit, lowest, highest, digits
SIGNS = (
    ("SYSBP", "Systolic Blood Pressure", "mmHg", 104, 134, 0),
    ("DIABP", "Diastolic Blood Pressure", "mmHg", 62, 86, 0),
    ("TEMP", "Temperature", "C", 36.2, 37.1, 1),
)


def vitals(rng: Random, subject: Subject, weeks: tuple[Week, ...]) -> Iterator[Row]:
    """Blood pressure and temperature at each visit, the weight every four weeks."""
    for week in weeks:
        if week.number % 4 == 0:
            yield _sign(subject, week, ("WEIGHT", "Weight", "kg"), subject.weight + 0.1 * (week.number % 3))
        for code, name, unit, low, high, digits in SIGNS:
            yield _sign(subject, week, (code, name, unit), round(rng.uniform(low, high), digits))


def _sign(subject: Subject, week: Week, test: tuple[str, str, str], value: float) -> Row:
    code, name, unit = test
    return {
        "VSTESTCD": code,
        "VSTEST": name,
        "VSORRES": number(value),
        "VSORRESU": unit,
        "VSSTRESC": number(value),
        "VSSTRESN": number(value),
        "VSSTRESU": unit,
        "VSLOBXFL": "Y" if week.number == 0 else "",
        "VSDTC": week.drawn.isoformat(),
        "VSDY": study_day(subject.first_dose, week.drawn),
        **visit(week),
    }


def medication(rng: Random, subject: Subject, weeks: tuple[Week, ...]) -> Iterator[Row]:
    """Transfusions of those who depend on them, until they answer the treatment; an analgesic."""
    if subject.entry is Entry.TD:
        for days in BEFORE:
            yield _taken(subject, subject.first_dose - timedelta(days=days), "Packed red cells", RED_CELLS)
        for week in weeks[1 : subject.onset : 2]:
            yield _taken(subject, week.due, "Packed red cells", RED_CELLS)
    week = weeks[int(len(weeks) * rng.random())]
    yield _taken(subject, week.due, "Paracetamol", "PARACETAMOL")


def _taken(subject: Subject, day: date, name: str, decod: str) -> Row:
    return {
        "CMTRT": name,
        "CMDECOD": decod,
        "CMROUTE": "INTRAVENOUS" if decod == RED_CELLS else "ORAL",
        "CMSTDTC": day.isoformat(),
        "CMENDTC": day.isoformat(),
        "CMSTDY": study_day(subject.first_dose, day),
    }


def troughs(rng: Random, subject: Subject, weeks: tuple[Week, ...]) -> Iterator[Row]:
    """Cyclosporine before the morning's capsules, every second week."""
    for week in weeks[2 : WEEKS + 1 : 2]:
        value = number(round(rng.uniform(168, 236)))
        yield {
            "PCTESTCD": "CSA",
            "PCTEST": "Cyclosporine",
            "PCORRES": value,
            "PCORRESU": "ng/mL",
            "PCSTRESC": value,
            "PCSTRESN": value,
            "PCSTRESU": "ng/mL",
            "PCSPEC": "BLOOD",
            "PCTPT": "TROUGH",
            "PCDTC": f"{week.drawn.isoformat()}T07:30",
            "PCDY": study_day(subject.first_dose, week.drawn),
            **visit(week),
        }


def procedures(subject: Subject, weeks: tuple[Week, ...]) -> Iterator[Row]:
    """Marrow, karyotype and PNH clone before the first dose and at week 26."""
    for week in weeks[::WEEKS][:2]:
        day = week.drawn if week.number else week.drawn - timedelta(days=3)
        for name in MARROW:
            yield {
                "PRTRT": name,
                "PRDECOD": name,
                "PRSTDTC": day.isoformat(),
                "PRENDTC": day.isoformat(),
                "PRSTDY": study_day(subject.first_dose, day),
                **visit(week),
            }
