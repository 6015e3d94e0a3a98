"""Many small studies side by side in one, and many rules over it: as many cases, far fewer selects.

A subject is judged by its own records alone (tests/generative/test_meaning.py), so that each of
the studies is a case of its own for each rule; a select over eight costs little more than over one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from monitor.records import Episode
from monitor.rules.context import Context
from monitor.rules.rule import RELATION, Rule
from monitor.rules.terms import Row
from tests.generative.strategies import World, contexts, episodes, rules, tables, world_of

STUDIES = 8  # in one; each is a case for each rule
RULES = 6
APART = 1_000  # between the row numbers of two studies

Tables = dict[str, list[Row]]


@st.composite
def crowds(draw: st.DrawFn) -> World:
    """Eight studies of one context, as one with eight times the subjects, and six rules."""
    study = st.tuples(tables(), st.lists(episodes(), max_size=4))
    context = draw(contexts())
    studies = draw(st.lists(study, min_size=STUDIES, max_size=STUDIES))
    return _crowd(context, studies, draw(st.lists(rules(), min_size=RULES, max_size=RULES)))


def _crowd(
    context: Context, studies: Sequence[tuple[Tables, list[Episode]]], wanted: Sequence[Rule]
) -> World:
    whole: Tables = {}
    found: list[Episode] = []
    for number, (made, held) in enumerate(studies):
        for domain, rows in made.items():
            whole.setdefault(domain, []).extend(_moved(domain, row, number) for row in rows)
        found += [_moved_episode(episode, number) for episode in held]
    whole[RELATION] = [{**row, "ROWN": place} for place, row in enumerate(whole.get(RELATION, ()))]
    return world_of(context, whole, found, wanted)


def _subject(name: object, number: int) -> str:
    """The studies' subjects in order: those of the first study first."""
    return f"{number}{name}"


def _moved(domain: str, row: Row, number: int) -> Row:
    """A row as that of another subject, with a row number and a key of its own."""
    subject = _subject(row["USUBJID"], number)
    if domain == RELATION:
        ways = {name: int(row[name]) + number * APART for name in ("ROW_A", "ROW_B")}
        return {**row, "USUBJID": subject, **ways}
    place = int(row["ROWN"])
    key = f"{domain}-{(number * APART + place) // 2:016x}-{place % 2 + 1}"
    return {**row, "USUBJID": subject, "ROWN": place + number * APART, "KEY": key}


def _moved_episode(episode: Episode, number: int) -> Episode:
    rows = tuple(replace(one, row=one.row + number * APART) for one in episode.verdicts)
    return replace(episode, subject=_subject(episode.subject, number), verdicts=rows)
