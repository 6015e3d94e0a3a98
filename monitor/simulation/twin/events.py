"""What the invented subjects report: adverse events in SDTM's words, none of them serious or severe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from monitor.simulation.twin.course import Week

UNRELATED, UNLIKELY, POSSIBLE, RELATED = "NOT RELATED", "UNLIKELY RELATED", "POSSIBLY RELATED", "RELATED"
UNCHANGED, WITHDRAWN = "DOSE NOT CHANGED", "DRUG WITHDRAWN"
SEVERITY = {1: "MILD", 2: "MODERATE", 3: "SEVERE"}  # one sponsor's habit, not a standard


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


def events(rng: Random, weeks: tuple[Week, ...], until: date) -> tuple[Event, ...]:
    """The subject's events in order of their start; what is still going on has no end."""
    told = [_common(rng, weeks, until) for _ in range(1 + int(3 * rng.random()))]
    by_term = {event.term: event for event in _latest_first(told)}  # of each term the first
    return tuple(sorted(by_term.values(), key=lambda event: (event.start, event.term)))


def _latest_first(told: Iterable[Event]) -> list[Event]:
    return sorted(told, key=lambda event: event.start, reverse=True)


def _common(rng: Random, weeks: tuple[Week, ...], until: date) -> Event:
    term, decod, soc, relation1, relation2 = COMMON[int(len(COMMON) * rng.random())]
    start = weeks[int(len(weeks) * rng.random())].due + timedelta(days=1 + int(5 * rng.random()))
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
