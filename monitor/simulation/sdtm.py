"""The invented trial as SDTM domains: rows of text, ready to be written as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from monitor.simulation.adverse import Event, adverse_event
from monitor.simulation.course import RASH_WEEK, WEEKS, WITHDRAWAL, Subject, Week, course, data_end, enrol
from monitor.simulation.events import events
from monitor.simulation.laboratory import TESTS, lab_values

STUDYID = "ROMI-AA-SYNTHETIC"
ROMIPLOSTIM, CYCLOSPORINE = "ROMIPLOSTIM N01", "CYCLOSPORINE"
ARM = "Romiplostim N01 + cyclosporine (SYNTHETIC DATA, NO REAL PERSON)"
Row = Mapping[str, str]


@dataclass(frozen=True)
class Lived:
    """One subject with everything that happened until the data end."""

    subject: Subject
    until: date
    weeks: tuple[Week, ...]
    labs: tuple[Mapping[str, float], ...]  # by week: test → value in the test's unit
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Trial:
    """The invented trial; `domains` by name, each a list of rows with the same columns."""

    until: date
    domains: Mapping[str, Sequence[Row]]


def make_trial(seed: int, start: date) -> Trial:
    """The trial of this seed, its first subject enrolled at `start`. Same arguments, same trial."""
    subjects = enrol(Random(seed), start)  # noqa: S311 - invented data, no secret
    until = data_end(subjects)
    lives = [_live(seed, subject, until) for subject in subjects]
    makers = {"DM": _dm, "EX": _ex, "AE": _ae, "LB": _lb, "DS": _ds, "VS": _vs}
    domains = {
        name: [row for life in lives for row in _numbered(name, life, maker(life))]
        for name, maker in makers.items()
    }
    return Trial(until, domains)


def _live(seed: int, subject: Subject, until: date) -> Lived:
    # One subject's numbers don't move another's.
    rng = Random(f"{seed}/{subject.code}")  # noqa: S311 - invented data, no secret
    weeks = course(rng, subject, until)
    labs = lab_values(rng, subject, weeks)
    return Lived(subject, until, weeks, labs, events(rng, subject, weeks, until))


def _numbered(domain: str, life: Lived, rows: Iterator[dict[str, str]]) -> Iterator[Row]:
    """Rows with what every SDTM row begins with, and the --SEQ that all but DM carry."""
    for number, row in enumerate(rows, start=1):
        common = {"STUDYID": STUDYID, "DOMAIN": domain, "USUBJID": life.subject.code}
        yield common | row if domain == "DM" else common | {f"{domain}SEQ": str(number)} | row


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _study_day(life: Lived, day: date) -> str:
    days = (day - life.subject.first_dose).days
    return str(days + 1 if days >= 0 else days)


def _visit(week: Week) -> dict[str, str]:
    name = "BASELINE" if week.number == 0 else f"WEEK {week.number}"
    return {"VISITNUM": str(week.number + 1), "VISIT": name}


def _dm(life: Lived) -> Iterator[dict[str, str]]:
    one = life.subject
    finished = len(life.weeks) > WEEKS
    given = [week.due for week in life.weeks if week.level]
    yield {
        "SUBJID": one.code.split("-")[1],
        "RFSTDTC": one.first_dose.isoformat(),
        "RFENDTC": life.weeks[-1].due.isoformat() if finished else "",
        "RFXSTDTC": one.first_dose.isoformat(),
        "RFXENDTC": given[-1].isoformat() if finished else "",
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
        "DMDY": _study_day(life, one.consented),
    }


def _ex(life: Lived) -> Iterator[dict[str, str]]:
    for week in life.weeks:
        if week.level or week.held:
            yield _injection(life, week)
    for week in life.weeks[:WEEKS:4]:  # capsules are dispensed every four weeks
        end = week.due + timedelta(days=27)
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
            "EXSTDY": _study_day(life, week.due),
            **_visit(week),
        }


def _injection(life: Lived, week: Week) -> dict[str, str]:
    """One weekly injection; the syringe is marked at 0.01 mL of 500 µg/mL, so doses go by 5 µg."""
    when = "" if week.held else f"T{9 + week.number % 5:02d}:{15 * (week.number % 4):02d}"
    return {
        "EXTRT": ROMIPLOSTIM,
        "EXDOSE": str(5 * round(week.level * life.subject.weight / 5)),
        "EXDOSU": "ug",
        "EXDOSFRM": "INJECTION",
        "EXDOSFRQ": "ONCE",
        "EXROUTE": "SUBCUTANEOUS",
        "EXADJ": "PLATELETS ABOVE 400: DOSE HELD" if week.held else "",
        "EXSTDTC": week.due.isoformat() + when,
        "EXENDTC": week.due.isoformat() + when,
        "EXSTDY": _study_day(life, week.due),
        **_visit(week),
    }


def _ae(life: Lived) -> Iterator[dict[str, str]]:
    for number, event in enumerate(life.events, start=1):
        yield adverse_event(event, number, _study_day(life, event.start))


def _lb(life: Lived) -> Iterator[dict[str, str]]:
    for week, values in zip(life.weeks, life.labs, strict=True):
        for test in TESTS:
            value = values.get(test.code)
            low, high = test.limits(life.subject.sex)
            shown = "" if value is None else _number(value)
            yield {
                "LBTESTCD": test.code,
                "LBTEST": test.name,
                "LBCAT": test.category,
                "LBORRES": shown,
                "LBORRESU": test.unit if shown else "",
                "LBORNRLO": _number(low),
                "LBORNRHI": _number(high),
                "LBSTRESC": shown,
                "LBSTRESN": shown,
                "LBSTRESU": test.unit if shown else "",
                "LBSTNRLO": _number(low),
                "LBSTNRHI": _number(high),
                "LBNRIND": test.indicator(value, life.subject.sex),
                "LBSTAT": "" if shown else "NOT DONE",
                "LBREASND": "" if shown else "SAMPLE CLOTTED",
                "LBSPEC": test.specimen,
                "LBLOBXFL": "Y" if week.number == 0 else "",
                "LBDTC": f"{week.drawn.isoformat()}T{7 + week.number % 3:02d}:{10 * (week.number % 6):02d}",
                "LBDY": _study_day(life, week.drawn),
                **_visit(week),
            }


def _disposed(
    life: Lived,
    day: date,
    decod: str,
    term: str,
    kind: str,
    part: str = "",
) -> dict[str, str]:
    return {
        "DSTERM": term,
        "DSDECOD": decod,
        "DSCAT": kind,
        "DSSCAT": part,
        "DSSTDTC": day.isoformat(),
        "DSSTDY": _study_day(life, day),
    }


def _ds(life: Lived) -> Iterator[dict[str, str]]:
    consent = "INFORMED CONSENT OBTAINED"
    yield _disposed(life, life.subject.consented, consent, consent, "PROTOCOL MILESTONE")
    withdrawn = life.subject.code == WITHDRAWAL
    if withdrawn:
        day = life.weeks[RASH_WEEK + 1].due  # the first dose that is not given
        reason = "ADVERSE EVENT: DRUG ERUPTION"
        yield _disposed(life, day, "ADVERSE EVENT", reason, "DISPOSITION EVENT", f"TREATMENT: {ROMIPLOSTIM}")
    if len(life.weeks) > WEEKS:
        for drug in (ROMIPLOSTIM, CYCLOSPORINE)[withdrawn:]:
            day = life.weeks[WEEKS].due
            yield _disposed(life, day, "COMPLETED", "COMPLETED", "DISPOSITION EVENT", f"TREATMENT: {drug}")


def _vs(life: Lived) -> Iterator[dict[str, str]]:
    for week in life.weeks[::4]:
        weight = _number(life.subject.weight + 0.1 * (week.number % 3))
        yield {
            "VSTESTCD": "WEIGHT",
            "VSTEST": "Weight",
            "VSORRES": weight,
            "VSORRESU": "kg",
            "VSSTRESC": weight,
            "VSSTRESN": weight,
            "VSSTRESU": "kg",
            "VSLOBXFL": "Y" if week.number == 0 else "",
            "VSDTC": week.drawn.isoformat(),
            "VSDY": _study_day(life, week.drawn),
            **_visit(week),
        }
