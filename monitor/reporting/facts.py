"""What a report says of a study: counted out of its records and of what its rules found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.records import Episode, Truth
from monitor.statistics.intervals import clopper_pearson

Row = Mapping[str, Any]
Episodes = Mapping[str, Sequence[Episode]]
CLASSES = {"SAA": "CLASS-SAA", "TD-NSAA": "CLASS-TD", "NTD-NSAA": "CLASS-NTD"}
ANSWERS = {"response": ("RSP-PR", "RSP-CR"), "complete response": ("RSP-CR",)}
WEEKS, WINDOW = (13, 26), 7  # days around the visit; the trial's windows are not public
WITHDRAWN = ("DIS-01", "DIS-01B")


@dataclass(frozen=True)
class Share:
    """So many of so many, with the exact 95 % interval; `untold` of them can't be told, and don't count."""

    x: int
    n: int
    untold: int = 0

    @property
    def said(self) -> str:
        """As a person reads it."""
        if not self.n:
            return "nobody to count yet"
        low, high = clopper_pearson(self.x, self.n)
        text = f"{self.x}/{self.n} ({self.x / self.n:.1%}; 95 % CI {100 * low:.1f}-{100 * high:.1f} %)"
        return f"{text}; {self.untold} can't be told" if self.untold else text


@dataclass(frozen=True)
class Course:
    """One subject: days are since the first dose; doses as (day, level), counts as (day, platelets)."""

    subject: str
    doses: tuple[tuple[int, float], ...]
    held: tuple[int, ...]
    counts: tuple[tuple[int, float], ...]
    events: tuple[int, ...]


def who(episodes: Episodes, rules: Iterable[str], truth: Truth = Truth.TRUE) -> set[str]:
    """The subjects of whom one of these rules says this."""
    return {one.subject for rule in rules for one in episodes.get(rule, ()) if one.truth is truth}


def entries(episodes: Episodes, subjects: set[str]) -> dict[str, int] | None:
    """How many subjects are of each class at entry; None when no rule tells."""
    if CLASSES["SAA"] not in episodes:
        return None
    told = {name: who(episodes, (rule,)) & subjects for name, rule in CLASSES.items()}
    found = {name: len(subjects_) for name, subjects_ in told.items()}
    return found | {"can't be told": len(subjects - set().union(*told.values()))}


def answered(
    episodes: Episodes, counts: Sequence[Row], first: Mapping[str, int], subjects: set[str]
) -> dict[str, Share] | None:
    """Response and complete response at weeks 13 and 26, of these subjects; None without the rules."""
    if not all(rule in episodes for rules in ANSWERS.values() for rule in rules):
        return None
    shares = {}
    for week in WEEKS:
        nearest = _nearest(counts, first, week)
        for name, rules in ANSWERS.items():
            sure, perhaps = (_keys(episodes, rules, truth) for truth in (Truth.TRUE, Truth.UNKNOWN))
            keys = {subject: nearest.get(subject) for subject in subjects}
            yes = sum(key in sure for key in keys.values())
            untold = sum(key is None or (key in perhaps and key not in sure) for key in keys.values())
            shares[f"{name}, week {week}"] = Share(yes, len(subjects), untold)
    return shares


def _keys(episodes: Episodes, rules: Iterable[str], truth: Truth) -> set[str]:
    return {
        verdict.key
        for rule in rules
        for one in episodes[rule]
        for verdict in one.verdicts
        if verdict.truth is truth
    }


def _nearest(counts: Sequence[Row], first: Mapping[str, int], week: int) -> dict[str, str]:
    """For each subject the key of the count nearest to a week's visit, within its window."""
    best: dict[str, tuple[int, str]] = {}
    for row in counts:
        subject, day = row["USUBJID"], row["DAY_LO"]
        if subject in first and day is not None and day == row["DAY_HI"]:
            away = abs(day - first[subject] - 7 * week)
            if away <= WINDOW and away < best.get(subject, (WINDOW + 1, ""))[0]:
                best[subject] = (away, row["KEY"])
    return {subject: key for subject, (_, key) in best.items()}


def courses(
    doses: Sequence[Row], counts: Sequence[Row], events: Sequence[Row], first: Mapping[str, int]
) -> tuple[Course, ...]:
    """Each dosed subject's doses, counts and events of grade 3 or more."""
    return tuple(
        Course(
            subject,
            tuple(
                (day, row["LEVEL"])
                for row, day in _of(doses, subject, start)
                if row["GIVEN"] == "Y" and row["LEVEL"]
            ),
            tuple(day for row, day in _of(doses, subject, start) if row["GIVEN"] == "HELD"),
            tuple(
                (day, row["LBSTRESN"])
                for row, day in _of(counts, subject, start)
                if row["LBSTRESN"] is not None
            ),
            tuple(day for row, day in _of(events, subject, start) if str(row.get("AETOXGR") or "") >= "3"),
        )
        for subject, start in sorted(first.items())
    )


def _of(rows: Sequence[Row], subject: str, start: int) -> list[tuple[Row, int]]:
    return [
        (row, row["DAY_LO"] - start)
        for row in rows
        if row["USUBJID"] == subject and row["DAY_LO"] is not None
    ]


def events_by_term(events: Sequence[Row]) -> list[dict[str, object]]:
    """Adverse events by organ class and coded term: events, subjects, serious ones, the highest grade.

    Reported words are never shown: they can name a person.
    """
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in events:
        term = str(row.get("AEBODSYS") or ""), str(row.get("AEDECOD") or "not coded")
        grouped.setdefault(term, []).append(row)
    return [
        {
            "soc": soc,
            "term": term,
            "events": len(own),
            "subjects": len({row["USUBJID"] for row in own}),
            "serious": sum(row.get("AESER") == "Y" for row in own),
            "grade": max((str(row.get("AETOXGR") or "") for row in own), default=""),
        }
        for (soc, term), own in sorted(grouped.items())
    ]
