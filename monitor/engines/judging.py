"""The reference judges every record of those of whom a rule fires, and what can't be told of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from monitor.engines.finder import Finder, Found
from monitor.engines.findings import Setting, Subject
from monitor.engines.named import series_of
from monitor.engines.part import part_sql
from monitor.records import Episode, Truth, Verdict
from monitor.rules.histories import asks_series
from monitor.rules.reference import judge
from monitor.rules.rule import Series
from monitor.rules.terms import Row

TOGETHER = 200  # subjects whose rows are judged at a time, so that memory stays small
SHOWN_ROWS = 20  # rows that are named when the engines disagree

Item = TypeVar("Item")


class Disagreement(Exception):
    """The engine and the reference say different things of some rows."""


@dataclass(frozen=True)
class Asked:
    """What is judged of some subjects: all records of those `firing`, of others those that can't be told."""

    subjects: Sequence[str]
    firing: frozenset[str]
    untold: Mapping[str, frozenset[int]]

    def includes(self, verdict: Verdict) -> bool:
        """Whether a record is judged."""
        return verdict.subject not in self.untold or verdict.row in self.untold[verdict.subject]


def judged(setting: Setting, engine: Finder, found: Found, episodes: Iterable[Episode]) -> Iterator[Subject]:
    """Every subject of whom something may be told, judged by the reference.

    `episodes` are what is told of. Raises Disagreement when the engine says anything else of a record.
    """
    rule = setting.rule
    verdicts = _grouped(found.verdicts, lambda verdict: verdict.subject)
    firing = frozenset(episode.subject for episode in episodes if episode.truth is Truth.TRUE)
    names = sorted(verdicts)
    for start in range(0, len(names), TOGETHER):
        batch = names[start : start + TOGETHER]
        untold = {} if rule.repeat else {name: told(verdicts[name]) for name in batch if name not in firing}
        asked = Asked(batch, firing & set(batch), untold)
        rows = _rows(setting, engine, asked)
        answers = judge(rule, rows, setting.context, setting.episodes, untold)
        said = [each for name in batch for each in verdicts[name] if asked.includes(each)]
        _compare([one.verdict for one in answers], said)
        judged_of = _grouped(answers, lambda one: one.verdict.subject)
        rows_of = {domain: _grouped(given, lambda row: str(row["USUBJID"])) for domain, given in rows.items()}
        for name in batch:
            own_rows = {domain: given.get(name, []) for domain, given in rows_of.items()}
            yield Subject(name, judged_of.get(name, []), own_rows)


def _grouped(items: Iterable[Item], subject: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(subject(item), []).append(item)
    return groups


def told(verdicts: Iterable[Verdict]) -> frozenset[int]:
    """The rows of the records that fire or can't be told."""
    return frozenset(each.row for each in verdicts if each.truth is not Truth.FALSE)


def _rows(setting: Setting, engine: Finder, asked: Asked) -> dict[str, Sequence[Row]]:
    """The rows of each domain that is there which decide, and those that evidence shows beside them."""
    found: dict[str, Sequence[Row]] = {}
    for domain in _domains(setting):
        series = _series(setting, domain)
        own = domain == setting.rule.series.domain
        decides = asks_series(setting.rule) if own else domain in setting.rule.tables
        subjects = asked.subjects if decides or setting.referred else asked.firing
        rows = [row for each in asked.untold.values() for row in each] if own else []
        part = part_sql(series, setting.context, engine.words)
        found[domain] = engine.rows(domain, subjects, part=part, numbers=rows)
    return found


def _series(setting: Setting, domain: str) -> list[Series]:
    """The series whose rows are asked of a domain; none: all rows, as evidence shows all doses."""
    if domain == "DOSE":
        return []
    rules = (setting.rule, *setting.referred.values())
    return [series for rule in rules for series in series_of(rule) if series.domain == domain]


def _domains(setting: Setting) -> list[str]:
    """The domains whose rows are needed to judge, and for evidence: those that are there."""
    others = [rule.series.domain for rule in setting.referred.values()]
    wanted = dict.fromkeys((*setting.rule.tables, *others, "DOSE"))
    return [domain for domain in wanted if domain in setting.context.columns]


def _compare(reference: Sequence[Verdict], engine: Sequence[Verdict]) -> None:
    """Record by record: truth, where, clear and level must be the same."""
    expected = {verdict.row: verdict for verdict in reference}
    got = {verdict.row: verdict for verdict in engine}
    rows = sorted(row for row in expected.keys() | got.keys() if expected.get(row) != got.get(row))
    if rows or len(got) != len(engine):
        named = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        raise Disagreement(
            f"the engine and the reference disagree on {len(rows)} records: rows {named}{more}"
        )
