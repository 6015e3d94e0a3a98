"""Adverse events of invented subjects in SDTM's words: what is usual, and an event as a row of AE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

UNRELATED, UNLIKELY, POSSIBLE, RELATED = "NOT RELATED", "UNLIKELY RELATED", "POSSIBLY RELATED", "RELATED"
UNCHANGED, REDUCED, INTERRUPTED = "DOSE NOT CHANGED", "DOSE REDUCED", "DRUG INTERRUPTED"
WITHDRAWN = "DRUG WITHDRAWN"
SEVERITY = {1: "MILD", 2: "MODERATE", 3: "SEVERE"}  # one sponsor's habit, not a standard
NO = ("AESER", "AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESMIE")


@dataclass(frozen=True)
class Event:
    """One adverse event; drug 1 is romiplostim N01, drug 2 is cyclosporine."""

    term: str
    decod: str
    soc: str
    grade: int
    start: date
    end: date | None
    action1: str = UNCHANGED
    relation1: str = UNRELATED
    action2: str = UNCHANGED
    relation2: str = UNRELATED


# term, MedDRA-like preferred term, system organ class, relation to romiplostim, to cyclosporine
COMMON = (
    ("headache", "Headache", "Nervous system disorders", POSSIBLE, UNLIKELY),
    ("painful knees", "Arthralgia", "Musculoskeletal and connective tissue disorders", POSSIBLE, UNRELATED),
    ("redness at injection site", "Injection site erythema", "General disorders", RELATED, UNRELATED),
    ("swollen gums", "Gingival hyperplasia", "Gastrointestinal disorders", UNRELATED, RELATED),
    ("fine tremor of the hands", "Tremor", "Nervous system disorders", UNLIKELY, RELATED),
    ("more body hair", "Hypertrichosis", "Skin and subcutaneous tissue disorders", UNRELATED, RELATED),
    ("common cold", "Nasopharyngitis", "Infections and infestations", UNRELATED, UNLIKELY),
    ("tired", "Fatigue", "General disorders", UNLIKELY, UNLIKELY),
    ("nausea after capsules", "Nausea", "Gastrointestinal disorders", UNRELATED, POSSIBLE),
)


def common(rng: Random, doses: Sequence[date], until: date) -> Event:
    """One of the usual events, some days after one of the doses; without an end when it is still going on."""
    term, decod, soc, relation1, relation2 = COMMON[int(len(COMMON) * rng.random())]
    start = doses[int(len(doses) * rng.random())] + timedelta(days=1 + int(5 * rng.random()))
    start = min(start, until)
    end = start + timedelta(days=2 + int(20 * rng.random()))
    grade = 2 if rng.random() < 0.25 else 1
    return Event(
        term,
        decod,
        soc,
        grade,
        start,
        end if end <= until else None,
        relation1=relation1,
        relation2=relation2,
    )


def first_of_each(told: Iterable[Event]) -> tuple[Event, ...]:
    """Of each term the first, in order of their start."""
    by_term = {event.term: event for event in sorted(told, key=lambda event: event.start, reverse=True)}
    return tuple(sorted(by_term.values(), key=lambda event: (event.start, event.term)))


def adverse_event(event: Event, number: int, day: str) -> dict[str, str]:
    """An event as a row of AE, not serious; `day` is its study day."""
    same = event.action1 == event.action2
    return {
        "AESPID": f"AE{number:02d}",
        "AETERM": event.term.upper(),
        "AEDECOD": event.decod,
        "AEBODSYS": event.soc,
        "AESEV": SEVERITY[event.grade],
        **dict.fromkeys(NO, "N"),
        "AEACN": event.action1 if same else "MULTIPLE",
        "AEACN1": event.action1,
        "AEREL1": event.relation1,
        "AEACN2": event.action2,
        "AEREL2": event.relation2,
        "AEOUT": "RECOVERED/RESOLVED" if event.end else "NOT RECOVERED/NOT RESOLVED",
        "AETOXGR": str(event.grade),
        "AESTDTC": event.start.isoformat(),
        "AEENDTC": event.end.isoformat() if event.end else "",
        "AESTDY": day,
    }
