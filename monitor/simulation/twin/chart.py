"""One invented subject's rows, in the order of time, where something is about to be planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from monitor.simulation.twin.course import RISE
from monitor.simulation.twin.rows import ROMIPLOSTIM, Row, number
from monitor.simulation.twin.sdtm import Trial

LEVELS = (10, 15, 20)  # µg/kg
SETTLED = (15, 22)  # weeks in which a finished subject's course is asked by nobody
LEAST = 11  # visits of a subject of whom a week can be chosen
SPARE = 4  # visits that follow a chosen one


@dataclass(frozen=True)
class Chart:
    """One subject. Its rows are those of the trial: what is changed here is changed there."""

    code: str
    trial: Trial

    def rows(self, domain: str, **wanted: str) -> list[Row]:
        """The subject's rows of a domain that have these values."""
        return [
            row
            for row in self.trial.domains[domain]
            if row["USUBJID"] == self.code and all(row[column] == value for column, value in wanted.items())
        ]

    @property
    def counts(self) -> list[Row]:
        """Platelet counts, one for each week from 0."""
        return self.rows("LB", LBTESTCD="PLAT")

    @property
    def doses(self) -> list[Row]:
        """Doses of romiplostim, one for each week from 0."""
        return self.rows("EX", EXTRT=ROMIPLOSTIM)

    @property
    def weight(self) -> float:
        """Weight before the first dose, in kg."""
        return float(self.rows("VS", VSTESTCD="WEIGHT")[0]["VSSTRESN"])

    @property
    def first_dose(self) -> date:
        """The day of the first dose."""
        return date.fromisoformat(self.rows("DM")[0]["RFSTDTC"])

    @property
    def under_way(self) -> bool:
        """Whether the 26 weeks are not over."""
        return not self.rows("DS", DSDECOD="COMPLETED")

    def count(self, week: int) -> float:
        """The platelets of a week."""
        return float(self.counts[week]["LBSTRESN"])

    def answered(self, week: int) -> bool:
        """Whether the platelets of a week answer the treatment."""
        return self.count(week) >= self.count(0) + RISE

    def level(self, week: int) -> int:
        """The level of a week's dose in µg/kg."""
        return min(LEVELS, key=lambda level: abs(level - float(self.doses[week]["EXDOSE"]) / self.weight))

    def week(self, rng: Random) -> int | None:
        """A week in the middle of the treatment; None for a subject who has not come so far."""
        visits = len(self.counts)
        if visits < LEAST:
            return None
        low, high = SETTLED if not self.under_way else (6, visits - SPARE)
        return low + int((high - low + 1) * rng.random())


def charts(trial: Trial) -> tuple[Chart, ...]:
    """The subjects in their order."""
    return tuple(Chart(row["USUBJID"], trial) for row in trial.domains["DM"])


def set_result(row: Row, value: float) -> None:
    """Another value of a laboratory result, and what follows from it."""
    row.update({column: number(value) for column in ("LBORRES", "LBSTRESC", "LBSTRESN")})
    if row["LBSTNRLO"]:
        low, high = float(row["LBSTNRLO"]), float(row["LBSTNRHI"])
        row["LBNRIND"] = "LOW" if value < low else "HIGH" if value > high else "NORMAL"


def set_level(chart: Chart, week: int, level: float, reason: str = "") -> None:
    """Another dose of a week: in µg/kg, 0 for one that is held."""
    chart.doses[week].update(EXDOSE=str(5 * round(level * chart.weight / 5)), EXADJ=reason)


def day_of(rows: Sequence[Row], week: int, column: str) -> str:
    """The ISO date of a week's row."""
    return rows[week][column][:10]
