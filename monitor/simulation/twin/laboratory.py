"""The tests of the invented laboratory: blood counts each week, chemistry every second, marrow twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from monitor.simulation.twin.course import WEEKS, Week
from monitor.simulation.twin.subjects import Subject

Limits = tuple[float, float]


@dataclass(frozen=True)
class Test:
    """One laboratory test: its unit, its normal limits for men and women, and how it varies here."""

    code: str
    name: str
    category: str
    specimen: str
    unit: str
    men: Limits | None = None
    women: Limits | None = None
    typical: float = 0.0  # as a share of the upper limit
    spread: float = 0.0  # each value lies within this share around the subject's own
    digits: int = 0

    def limits(self, sex: str) -> Limits | None:
        """Lower and upper normal limit; None where there are none."""
        return self.women if sex == "F" else self.men

    def indicator(self, value: float, sex: str) -> str:
        """LBNRIND: LOW, NORMAL, HIGH; empty without limits."""
        limits = self.limits(sex)
        if limits is None:
            return ""
        return "LOW" if value < limits[0] else "HIGH" if value > limits[1] else "NORMAL"


COUNT, CHEMISTRY, MARROW = "HEMATOLOGY", "CHEMISTRY", "BONE MARROW"
COUNTS = (
    Test("PLAT", "Platelets", COUNT, "BLOOD", "10^9/L", (125, 350), (125, 350)),
    Test("NEUT", "Neutrophils", COUNT, "BLOOD", "10^9/L", (1.8, 6.3), (1.8, 6.3), digits=2),
    Test("HGB", "Hemoglobin", COUNT, "BLOOD", "g/L", (130, 175), (115, 150)),
    Test("RETI", "Reticulocytes", COUNT, "BLOOD", "10^9/L", (24, 84), (24, 84)),
)
CHEMICAL = (
    Test("ALT", "Alanine Aminotransferase", CHEMISTRY, "SERUM", "U/L", (9, 50), (7, 40), 0.6, 0.5),
    Test("AST", "Aspartate Aminotransferase", CHEMISTRY, "SERUM", "U/L", (15, 40), (13, 35), 0.65, 0.4),
    Test("BILI", "Bilirubin", CHEMISTRY, "SERUM", "umol/L", (5, 23), (5, 23), 0.6, 0.4, 1),
    Test("ALP", "Alkaline Phosphatase", CHEMISTRY, "SERUM", "U/L", (45, 125), (45, 125), 0.6, 0.3),
    Test("CREAT", "Creatinine", CHEMISTRY, "SERUM", "umol/L", (57, 97), (41, 73), 0.75, 0.14),
    Test("K", "Potassium", CHEMISTRY, "SERUM", "mmol/L", (3.5, 5.3), (3.5, 5.3), 0.8, 0.12, 1),
    Test("MG", "Magnesium", CHEMISTRY, "SERUM", "mmol/L", (0.7, 1.05), (0.7, 1.05), 0.8, 0.14, 2),
    Test("BLASTLE", "Blasts/Leukocytes", COUNT, "BLOOD", "%"),
)
MARROWS = (
    Test("CELLULAR", "Cellularity", MARROW, "BONE MARROW", "%"),
    Test("RETICUL", "Reticulin Fibrosis Grade", MARROW, "BONE MARROW", ""),
)


def lab_values(rng: Random, subject: Subject, weeks: tuple[Week, ...]) -> Iterator[tuple[Week, Test, float]]:
    """Each visit's values, each in its test's unit."""
    own = {test.code: test.typical * (0.9 + 0.2 * rng.random()) for test in CHEMICAL}
    cellularity = round(5 + 15 * rng.random()) if subject.severe else round(28 + 15 * rng.random())
    for week in weeks:
        for test, value in zip(COUNTS, _counts(week), strict=True):
            yield week, test, value
        if week.number % 2 == 0:
            yield from ((week, test, _chemistry(rng, subject, test, own)) for test in CHEMICAL)
        if week.number in (0, WEEKS):
            yield from zip((week, week), MARROWS, (cellularity, 0), strict=True)


def _counts(week: Week) -> tuple[float, ...]:
    return week.platelets, week.neutrophils, week.hemoglobin, week.reticulocytes


def _chemistry(rng: Random, subject: Subject, test: Test, own: Mapping[str, float]) -> float:
    limits = test.limits(subject.sex)
    if limits is None:
        return 0.0
    share = own[test.code] * (1 + test.spread * (rng.random() - 0.5))
    return round(share * limits[1], test.digits)
