"""The reference judges every subject of whom something is told; the engine must say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from monitor.engines.finder import Finder, Found
from monitor.engines.findings import Setting, Subject
from monitor.records import Verdict
from monitor.rules.reference import judge

TOGETHER = 40  # subjects whose rows are judged at a time, so that memory stays small
SHOWN_ROWS = 20  # rows that are named when the engines disagree

Item = TypeVar("Item")


class Disagreement(Exception):
    """The engine and the reference say different things of some rows."""


def judged(setting: Setting, engine: Finder, found: Found) -> Iterator[Subject]:
    """Every subject of whom something may be told, judged by the reference.

    Raises Disagreement when the engine says anything else of a record.
    """
    rule, context = setting.rule, setting.context
    verdicts = _grouped(found.verdicts, lambda verdict: verdict.subject)
    names = sorted(verdicts)
    for start in range(0, len(names), TOGETHER):
        batch = names[start : start + TOGETHER]
        rows = {domain: engine.rows(domain, batch) for domain in _domains(setting)}
        answers = judge(rule, rows, context, setting.episodes)
        _compare([one.verdict for one in answers], [each for name in batch for each in verdicts[name]])
        judged_of = _grouped(answers, lambda one: one.verdict.subject)
        rows_of = {domain: _grouped(given, lambda row: str(row["USUBJID"])) for domain, given in rows.items()}
        for name in batch:
            own = {domain: given.get(name, []) for domain, given in rows_of.items()}
            yield Subject(name, judged_of[name], own)


def _grouped(items: Iterable[Item], subject: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(subject(item), []).append(item)
    return groups


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
