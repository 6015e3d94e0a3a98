"""The invented trial as SDTM domains: rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from monitor.simulation.adverse import Event, adverse_event, common, first_of_each
from monitor.simulation.twin.care import medication, procedures, troughs, vitals
from monitor.simulation.twin.course import FOLLOWED, WEEKS, Week, course
from monitor.simulation.twin.laboratory import Test, lab_values
from monitor.simulation.twin.rows import Row, injection, number, study_day, visit
from monitor.simulation.twin.subjects import Subject, data_end, enrol

STUDYID = "ROMI-AA-SYNTHETIC"
CYCLOSPORINE = "CYCLOSPORINE"
ARM = "Romiplostim N01 + cyclosporine (SYNTHETIC DATA, NO REAL PERSON)"
DISEASE = {True: "SEVERE APLASTIC ANAEMIA", False: "NON-SEVERE APLASTIC ANAEMIA"}


@dataclass(frozen=True)
class Lived:
    """One subject with everything that happened until the data end."""

    subject: Subject
    until: date
    weeks: tuple[Week, ...]
    labs: tuple[tuple[Week, Test, float], ...]
    events: tuple[Event, ...]
    rng: Random

    @property
    def finished(self) -> bool:
        """Whether the visit of week 26 has been."""
        return len(self.weeks) > WEEKS


@dataclass(frozen=True)
class Trial:
    """The invented trial; `domains` by name, each a list of rows with the same columns."""

    until: date
    domains: Mapping[str, list[Row]]


def make_trial(seed: int, start: date) -> Trial:
    """The trial of this seed, its first subject starting at `start`. Same arguments, same trial."""
    subjects = enrol(Random(seed), start)  # noqa: S311 - invented data, no secret
    until = data_end(start)
    lives = [_live(seed, subject, until) for subject in subjects]
    makers: dict[str, Callable[[Lived], Iterator[Row]]] = {
        "DM": _dm,
        "EX": _ex,
        "AE": _ae,
        "LB": _lb,
        "DS": _ds,
        "VS": lambda life: vitals(life.rng, life.subject, life.weeks),
        "CM": lambda life: medication(life.rng, life.subject, life.weeks),
        "MH": _mh,
        "PC": lambda life: troughs(life.rng, life.subject, life.weeks),
        "PR": lambda life: procedures(life.subject, life.weeks),
    }
    domains = {
        name: [row for life in lives for row in numbered(name, life.subject.code, maker(life))]
        for name, maker in makers.items()
    }
    return Trial(until, domains)


def _live(seed: int, subject: Subject, until: date) -> Lived:
    # One subject's numbers don't move another's.
    rng = Random(f"{seed}/{subject.code}")  # noqa: S311 - invented data, no secret
    weeks = course(rng, subject, until)
    labs = tuple(lab_values(rng, subject, weeks))
    return Lived(subject, until, weeks, labs, _events(rng, weeks, until), rng)


def _events(rng: Random, weeks: tuple[Week, ...], until: date) -> tuple[Event, ...]:
    doses = [week.due for week in weeks]
    return first_of_each(common(rng, doses, until) for _ in range(1 + int(3 * rng.random())))


def numbered(domain: str, subject: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Rows with what every SDTM row begins with, and the --SEQ that all but DM carry."""
    for count, row in enumerate(rows, start=1):
        common = {"STUDYID": STUDYID, "DOMAIN": domain, "USUBJID": subject}
        yield common | row if domain == "DM" else common | {f"{domain}SEQ": str(count)} | row


def _dm(life: Lived) -> Iterator[Row]:
    one = life.subject
    given = [week.due for week in life.weeks if week.level]
    yield {
        "SUBJID": one.code.split("-")[1],
        "RFSTDTC": one.first_dose.isoformat(),
        "RFENDTC": life.weeks[WEEKS].due.isoformat() if life.finished else "",
        "RFXSTDTC": one.first_dose.isoformat(),
        "RFXENDTC": given[-1].isoformat() if life.finished else "",
        "RFICDTC": one.consented.isoformat(),
        "SITEID": one.site,
        "AGE": str(one.age),
        "AGEU": "YEARS",
        "SEX": one.sex,
        "ARMCD": "ROMICSA",
        "ARM": ARM,
        "ACTARMCD": "ROMICSA",
        "ACTARM": ARM,
        "COUNTRY": "CHN",
        "DMDTC": one.consented.isoformat(),
        "DMDY": study_day(one.first_dose, one.consented),
    }


def _ex(life: Lived) -> Iterator[Row]:
    for week in life.weeks:
        if week.level:
            yield injection(life.subject, week)
    for week in life.weeks[:WEEKS:4]:  # capsules are dispensed every four weeks
        end = min(week.due + timedelta(days=27), life.subject.first_dose + timedelta(weeks=WEEKS, days=-1))
        yield {
            "EXTRT": CYCLOSPORINE,
            "EXDOSE": str(life.subject.cyclosporine),
            "EXDOSU": "mg",
            "EXDOSFRM": "CAPSULE",
            "EXDOSFRQ": "BID",
            "EXROUTE": "ORAL",
            "EXADJ": "",
            "EXSTDTC": week.due.isoformat(),
            "EXENDTC": end.isoformat() if end <= life.until else "",
            "EXSTDY": study_day(life.subject.first_dose, week.due),
            **visit(week),
        }


def _ae(life: Lived) -> Iterator[Row]:
    return (
        adverse_event(event, count, study_day(life.subject.first_dose, event.start))
        for count, event in enumerate(life.events, start=1)
    )


def _lb(life: Lived) -> Iterator[Row]:
    for week, test, value in life.labs:
        limits = test.limits(life.subject.sex)
        low, high = map(number, limits) if limits else ("", "")
        yield {
            "LBTESTCD": test.code,
            "LBTEST": test.name,
            "LBCAT": test.category,
            "LBORRES": number(value),
            "LBORRESU": test.unit,
            "LBORNRLO": low,
            "LBORNRHI": high,
            "LBSTRESC": number(value),
            "LBSTRESN": number(value),
            "LBSTRESU": test.unit,
            "LBSTNRLO": low,
            "LBSTNRHI": high,
            "LBNRIND": test.indicator(value, life.subject.sex),
            "LBSTAT": "",
            "LBREASND": "",
            "LBSPEC": test.specimen,
            "LBLOBXFL": "Y" if week.number == 0 else "",
            "LBDTC": f"{week.drawn.isoformat()}T{7 + week.number % 3:02d}:{10 * (week.number % 6):02d}",
            "LBDY": study_day(life.subject.first_dose, week.drawn),
            **visit(week),
        }


def _disposed(life: Lived, day: date, decod: str, kind: str, part: str = "") -> Row:
    return {
        "DSTERM": decod,
        "DSDECOD": decod,
        "DSCAT": kind,
        "DSSCAT": part,
        "DSSTDTC": day.isoformat(),
        "DSSTDY": study_day(life.subject.first_dose, day),
    }


def _ds(life: Lived) -> Iterator[Row]:
    yield _disposed(life, life.subject.consented, "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE")
    parts = {"TREATMENT: ROMIPLOSTIM N01": WEEKS, "TREATMENT: CYCLOSPORINE": WEEKS}
    for part, week in {**parts, "STUDY PARTICIPATION": WEEKS + FOLLOWED}.items():
        if len(life.weeks) > week:
            yield _disposed(life, life.weeks[week].due, "COMPLETED", "DISPOSITION EVENT", part)


def _mh(life: Lived) -> Iterator[Row]:
    disease = DISEASE[life.subject.severe]
    yield {
        "MHTERM": f"{disease}, REFRACTORY",
        "MHDECOD": disease.capitalize(),
        "MHCAT": "PRIMARY DIAGNOSIS",
        "MHSCAT": life.subject.entry.value,
        "MHSTDTC": life.subject.diagnosed.isoformat(),
        "MHENDTC": "",
    }
