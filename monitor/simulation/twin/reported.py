"""Planted among what the invented subjects report: adverse events, and the withdrawal for one."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from monitor.simulation.adverse import POSSIBLE, UNCHANGED, UNRELATED, WITHDRAWN, Event, adverse_event
from monitor.simulation.twin.chart import Chart, day_of
from monitor.simulation.twin.planted import Planted, planted
from monitor.simulation.twin.rows import ROMIPLOSTIM, study_day
from monitor.simulation.twin.sdtm import numbered

VESSELS, NERVES, SKIN = (
    "Vascular disorders",
    "Nervous system disorders",
    "Skin and subcutaneous tissue disorders",
)
LASTS = timedelta(days=12)


def thrombosis(rng: Random, chart: Chart) -> Planted | None:
    """A deep vein thrombosis, not serious, possibly related."""
    week = chart.week(rng)
    if week is None:
        return None
    start = _reported(
        chart,
        week,
        "deep vein thrombosis of the left leg",
        "Deep vein thrombosis",
        VESSELS,
        2,
        (POSSIBLE, UNCHANGED),
    )
    return planted("thrombosis", chart, start, ("TE-01",))


def bleeding(rng: Random, chart: Chart) -> Planted | None:
    """An intracranial haemorrhage that led to hospital, not related."""
    week = chart.week(rng)
    if week is None:
        return None
    start = _reported(chart, week, "intracranial haemorrhage", "Haemorrhage intracranial", NERVES, 3)
    chart.rows("AE")[-1].update(AESER="Y", AESHOSP="Y")
    return planted("bleeding", chart, start, ("BL-01", "G-01"))


def contradiction(rng: Random, chart: Chart) -> Planted | None:
    """An event that led to hospital and is said not to be serious."""
    week = chart.week(rng)
    if week is None:
        return None
    start = _reported(chart, week, "fainted at home", "Syncope", NERVES, 2)
    chart.rows("AE")[-1].update(AESHOSP="Y")
    return planted("contradiction", chart, start, ("G-08",), ("G-01",))


def related_withdrawal(rng: Random, chart: Chart) -> Planted | None:
    """Romiplostim withdrawn for a rash that is possibly related; cyclosporine goes on."""
    week = chart.week(rng)
    if week is None or not chart.under_way:
        return None
    start = _reported(
        chart, week, "itching rash after injection", "Drug eruption", SKIN, 2, (POSSIBLE, WITHDRAWN)
    )
    later = [id(row) for row in chart.doses[week + 1 :]]
    stopped = chart.doses[week + 1]["EXSTDTC"][:10]  # the first dose that is not given
    exposure = chart.trial.domains["EX"]
    exposure[:] = [row for row in exposure if id(row) not in later]
    last = chart.rows("DS")[-1]
    disposed = {
        **last,
        "DSSEQ": str(int(last["DSSEQ"]) + 1),
        "DSTERM": "ADVERSE EVENT: DRUG ERUPTION",
        "DSDECOD": "ADVERSE EVENT",
        "DSCAT": "DISPOSITION EVENT",
        "DSSCAT": f"TREATMENT: {ROMIPLOSTIM}",
        "DSSTDTC": stopped,
        "DSSTDY": study_day(chart.first_dose, date.fromisoformat(stopped)),
    }
    chart.trial.domains["DS"].append(disposed)
    return planted("related-withdrawal", chart, start, ("DIS-01",))


def _reported(
    chart: Chart,
    week: int,
    term: str,
    decod: str,
    soc: str,
    grade: int,
    judged: tuple[str, str] = (UNRELATED, UNCHANGED),
) -> str:
    """An event two days after a week's dose, with relation and action; the day of its start."""
    start = date.fromisoformat(day_of(chart.doses, week, "EXSTDTC")) + timedelta(days=2)
    known = chart.rows("AE")
    event = Event(term, decod, soc, grade, start, start + LASTS, action1=judged[1], relation1=judged[0])
    made = adverse_event(event, len(known) + 1, study_day(chart.first_dose, event.start))
    (row,) = numbered("AE", chart.code, iter([made]))
    chart.trial.domains["AE"].append({**row, "AESEQ": str(len(known) + 1)})
    return start.isoformat()
