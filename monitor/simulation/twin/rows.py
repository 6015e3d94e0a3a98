"""What the rows of several domains are made of."""

from __future__ import annotations

from datetime import date

from monitor.simulation.twin.course import WEEKS, Week
from monitor.simulation.twin.subjects import Subject

ROMIPLOSTIM = "ROMIPLOSTIM N01"
Row = dict[str, str]


def number(value: float) -> str:
    """A number as it is written, without a rest of zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def study_day(first_dose: date, day: date) -> str:
    """SDTM's study day: the day of the first dose is 1, the day before it -1."""
    days = (day - first_dose).days
    return str(days + 1 if days >= 0 else days)


def visit(week: Week) -> Row:
    """VISITNUM and VISIT."""
    name = "BASELINE" if week.number == 0 else f"WEEK {week.number}"
    return {
        "VISITNUM": str(week.number + 1),
        "VISIT": name if week.number <= WEEKS else f"FOLLOW-UP {week.number}",
    }


def injection(subject: Subject, week: Week) -> Row:
    """One weekly injection; the syringe is marked at 0.01 mL of 500 µg/mL, so doses go by 5 µg."""
    when = f"{week.due.isoformat()}T{9 + week.number % 5:02d}:{15 * (week.number % 4):02d}"
    return {
        "EXTRT": ROMIPLOSTIM,
        "EXDOSE": str(5 * round(week.level * subject.weight / 5)),
        "EXDOSU": "ug",
        "EXDOSFRM": "INJECTION",
        "EXDOSFRQ": "ONCE",
        "EXROUTE": "SUBCUTANEOUS",
        "EXADJ": "",
        "EXSTDTC": when,
        "EXENDTC": when,
        "EXSTDY": study_day(subject.first_dose, week.due),
        **visit(week),
    }
