"""Weekly blood counts and chemistry of the invented subjects, all but platelets without a story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from monitor.simulation.course import Subject, Week


@dataclass(frozen=True)
class Test:
    """One laboratory test: its unit, its normal limits for men and women, and how it varies here."""

    code: str
    name: str
    category: str
    specimen: str
    unit: str
    men: tuple[float, float]
    women: tuple[float, float]
    typical: float  # as a share of the upper limit
    spread: float  # each value lies within this share around the subject's own
    digits: int

    def limits(self, sex: str) -> tuple[float, float]:
        """Lower and upper normal limit."""
        return self.women if sex == "F" else self.men

    def indicator(self, value: float | None, sex: str) -> str:
        """LBNRIND: LOW, NORMAL, HIGH; empty without a value."""
        low, high = self.limits(sex)
        if value is None:
            return ""
        return "LOW" if value < low else "HIGH" if value > high else "NORMAL"


COUNT, CHEMISTRY = "HEMATOLOGY", "CHEMISTRY"
TESTS = (
    Test("PLAT", "Platelets", COUNT, "BLOOD", "10^9/L", (125, 350), (125, 350), 0, 0, 0),
    Test("NEUT", "Neutrophils", COUNT, "BLOOD", "10^9/L", (1.8, 6.3), (1.8, 6.3), 0.16, 0.5, 2),
    Test("HGB", "Hemoglobin", COUNT, "BLOOD", "g/L", (130, 175), (115, 150), 0.52, 0.12, 0),
    Test("ALT", "Alanine Aminotransferase", CHEMISTRY, "SERUM", "U/L", (9, 50), (7, 40), 0.7, 0.6, 0),
    Test("AST", "Aspartate Aminotransferase", CHEMISTRY, "SERUM", "U/L", (15, 40), (13, 35), 0.65, 0.5, 0),
    Test("BILI", "Bilirubin", CHEMISTRY, "SERUM", "umol/L", (5, 23), (5, 23), 0.7, 0.5, 1),
    Test("ALP", "Alkaline Phosphatase", CHEMISTRY, "SERUM", "U/L", (45, 125), (45, 125), 0.6, 0.3, 0),
    Test("CREAT", "Creatinine", CHEMISTRY, "SERUM", "umol/L", (57, 97), (41, 73), 0.75, 0.16, 0),
)


def lab_values(rng: Random, subject: Subject, weeks: tuple[Week, ...]) -> tuple[Mapping[str, float], ...]:
    """For each visit the value of each test in its unit; a test that was not done is absent."""
    own = {test.code: test.typical * (0.85 + 0.3 * rng.random()) for test in TESTS}
    return tuple(_visit(rng, subject, week, own) for week in weeks)


def _visit(rng: Random, subject: Subject, week: Week, own: Mapping[str, float]) -> dict[str, float]:
    values: dict[str, float] = {}
    for test in TESTS:
        if test.code != "PLAT":
            share = own[test.code] * (1 + test.spread * (rng.random() - 0.5))
            values[test.code] = round(share * test.limits(subject.sex)[1], test.digits)
    if week.platelets is not None:
        values["PLAT"] = float(week.platelets)
    return values
