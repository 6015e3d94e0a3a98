"""What the invented subjects report: adverse events, in SDTM's words, none of them serious."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from monitor.simulation.adverse import INTERRUPTED, POSSIBLE, RELATED, WITHDRAWN, Event, common, first_of_each
from monitor.simulation.course import HIGH_WEEK, RASH_WEEK, THROMBOCYTOSIS, WITHDRAWAL, Subject, Week


def events(rng: Random, subject: Subject, weeks: tuple[Week, ...], until: date) -> tuple[Event, ...]:
    """The subject's events in order of their start; what is still going on has no end."""
    doses = [week.due for week in weeks]
    told = [common(rng, doses, until) for _ in range(1 + int(3 * rng.random()))]
    return first_of_each([*told, *_story(subject, weeks, until)])


def _story(subject: Subject, weeks: tuple[Week, ...], until: date) -> list[Event]:
    """The events that the fixed story needs."""
    if subject.code == WITHDRAWAL and len(weeks) > RASH_WEEK:
        start = weeks[RASH_WEEK].due + timedelta(days=2)
        return [
            Event(
                "widespread itching rash after injection",
                "Drug eruption",
                "Skin and subcutaneous tissue disorders",
                3,
                start,
                min(start + timedelta(days=17), until),
                action1=WITHDRAWN,
                relation1=POSSIBLE,
            )
        ]
    if subject.code == THROMBOCYTOSIS:
        return [
            Event(
                "high platelet count",
                "Platelet count increased",
                "Investigations",
                1,
                weeks[HIGH_WEEK].due + timedelta(days=1),
                None,
                action1=INTERRUPTED,
                relation1=RELATED,
            )
        ]
    return []
