"""The self-test of rules: every worked example through derivation, the reference and DuckDB.

Examples of one setting are judged together: each one's subjects get its number in front, so that
the test of a whole pack is a few scans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from monitor.config import StudySettings
from monitor.derive import Derived, derive_rows
from monitor.engines.duckdb import Engine
from monitor.records import Days, Episode, Severity, Truth, day_date, day_number
from monitor.rules.context import Context
from monitor.rules.fold import fold
from monitor.rules.lists import ignored
from monitor.rules.reference import judge
from monitor.rules.rule import Example, Rule
from monitor.rules.rulefile import Pack, resolve_params, words_for

AS_OF = date(2026, 12, 31)  # to when the data of an example reach, unless it says so itself
ENGINES = ("reference", "duckdb")


@dataclass(frozen=True)
class Tested:
    """One example on one engine; `said` is what differs from what its author expects, "" if nothing."""

    rule: str
    example: str
    engine: str
    said: str

    @property
    def passed(self) -> bool:
        """Whether all came out as expected."""
        return not self.said


@dataclass(frozen=True)
class Case:
    """An example with its rule and the prefix that its subjects get."""

    rule: Rule
    example: Example
    prefix: str


def run_examples(pack: Pack, work: Path) -> tuple[Tested, ...]:
    """Every example of the pack on both engines; `work` is a folder for derived tables."""
    cases = [
        Case(rule, example, f"{number:03d}/")
        for number, (rule, example) in enumerate(
            ((rule, example) for rule in pack.rules for example in rule.examples), start=1
        )
    ]
    tested: list[Tested] = []
    for number, together in enumerate(_by_setting(cases).values()):
        tested += _judge_together(pack, together, work / str(number))
    order = {(case.rule.id, case.example.name): number for number, case in enumerate(cases)}
    return tuple(sorted(tested, key=lambda each: (order[each.rule, each.example], each.engine)))


def _by_setting(cases: Iterable[Case]) -> dict[object, list[Case]]:
    """Cases that can be judged together: equal settings, and the same columns received."""
    groups: dict[object, list[Case]] = {}
    for case in cases:
        example = case.example
        columns = frozenset(
            (domain, name) for domain, rows in example.rows for row in rows for name, _ in row
        )
        domains = frozenset(domain for domain, _ in example.rows)
        events = frozenset(item for item in columns if item[0] == "AE")
        key = (example.params, example.terms, example.as_of, example.same_day, domains, events)
        groups.setdefault(key, []).append(case)
    return groups


def _judge_together(pack: Pack, cases: Sequence[Case], folder: Path) -> list[Tested]:
    """All cases of one setting, from one derived set of tables."""
    study = _study(pack, cases[0].example)
    derived = derive_rows(_rows(cases), study, folder)
    context = _context(pack, cases[0].example, derived)
    wanted = _needed(pack, {case.rule.id for case in cases})
    with Engine(derived.tables, threads=1) as engine:
        subjects = sorted({row["USUBJID"] for rows in _rows(cases).values() for row in rows})
        answers = {
            "duckdb": _on_duckdb(engine, wanted, context),
            "reference": _on_reference(engine, subjects, wanted, context),
        }
    return [
        Tested(case.rule.id, case.example.name, name, _difference(case, answers[name][case.rule.id]))
        for case in cases
        for name in ENGINES
    ]


# ---------------------------------------------------------------- the data of the examples


def _study(pack: Pack, example: Example) -> StudySettings:
    """A study that has nothing but what the example sets."""
    return StudySettings(
        id="EXAMPLES",
        source="examples of rules",
        rules=tuple(sorted({rule.pack for rule in pack.rules})),
        ctcae="5.0",
        blinded=False,
        mail="full",
        terms=dict(example.terms),
        same_day=example.same_day,
    )


def _rows(cases: Iterable[Case]) -> Mapping[str, list[dict[str, str]]]:
    """The rows of all cases by domain, each subject with its case's prefix."""
    rows: dict[str, list[dict[str, str]]] = {}
    for case in cases:
        for domain, found in case.example.rows:
            for row in found:
                cells = dict(row)
                cells["USUBJID"] = case.prefix + cells.get("USUBJID", "")
                rows.setdefault(domain, []).append(cells)
    return rows


def _context(pack: Pack, example: Example, derived: Derived) -> Context:
    last = day_number(date.fromisoformat(example.as_of) if example.as_of else AS_OF)
    params = {
        **resolve_params(pack, {}),
        **{name: replace(pack.params[name], value=value) for name, value in example.params},
    }
    terms = dict(example.terms)
    return Context(
        as_of=last,
        params=params,
        lists=words_for(pack, terms),
        ignored=ignored(terms),
        through={(domain, ""): last for domain in derived.tables},
        columns=derived.columns,
        same_day=example.same_day,
    )


# ---------------------------------------------------------------- the two engines


def _needed(pack: Pack, identifiers: set[str]) -> list[Rule]:
    """The rules in question and those that they refer to, in order."""
    wanted = set(identifiers)
    for rule in reversed(pack.rules):
        if rule.id in wanted:
            wanted |= set(rule.refers_to)
    return [rule for rule in pack.rules if rule.id in wanted]


def _on_duckdb(engine: Engine, rules: Sequence[Rule], context: Context) -> Mapping[str, Sequence[Episode]]:
    episodes: dict[str, Sequence[Episode]] = {}
    for rule in rules:
        referred = [episode for name in rule.refers_to for episode in episodes[name]]
        episodes[rule.id] = fold(rule, engine.find(rule, context, referred).verdicts)
    return episodes


def _on_reference(
    engine: Engine, subjects: Sequence[str], rules: Sequence[Rule], context: Context
) -> Mapping[str, Sequence[Episode]]:
    rows = {domain: engine.rows(domain, subjects) for domain in context.columns}
    episodes: dict[str, Sequence[Episode]] = {}
    for rule in rules:
        judged = judge(rule, rows, context, episodes)
        episodes[rule.id] = fold(rule, [each.verdict for each in judged])
    return episodes


# ---------------------------------------------------------------- what came out


def _difference(case: Case, episodes: Sequence[Episode]) -> str:
    """What differs from the author's expectation, in his words; "" when nothing does."""
    own = [episode for episode in episodes if episode.subject.startswith(case.prefix)]
    sure = [episode for episode in own if episode.truth is Truth.TRUE]
    unsure = [episode for episode in own if episode.truth is Truth.UNKNOWN]
    named = any(line.split(" ")[-1] in set(Severity) for line in case.example.fires)
    fires = [_line(case, episode, episode.opened, severity=named) for episode in sure]
    clears = [_line(case, episode, episode.closed) for episode in sure if episode.closed]
    said = [
        *_compare("to fire", case.example.fires, fires),
        *_compare("not to be told", case.example.cannot_tell, [_line(case, each, each.opened) for each in unsure]),
    ]
    if case.rule.clear is not None:
        said += _compare("to clear", case.example.clears, clears)
    return "; ".join(said)


def _compare(what: str, expected: Sequence[str], found: Sequence[str]) -> list[str]:
    missing = [f"expected {line} {what}, and it did not" for line in sorted(set(expected) - set(found))]
    more = [f"did not expect {line} {what}, and it did" for line in sorted(set(found) - set(expected))]
    return missing + more


def _line(case: Case, episode: Episode, days: Days, *, severity: bool = False) -> str:
    subject = episode.subject.removeprefix(case.prefix)
    words = [subject, day_words(days)]
    return " ".join([*words, _severity(case.rule, episode)] if severity else words)


def _severity(rule: Rule, episode: Episode) -> Severity:
    """The severity of the episode's most severe firing record."""
    firing = [verdict for verdict in episode.verdicts if verdict.truth is Truth.TRUE]
    severities = [rule.levels[each.level - 1].severity if each.level else rule.severity for each in firing]
    return max(severities, key=lambda each: each.rank)


def day_words(days: Days) -> str:
    """A date as an example writes it: 2026-01-07, 2026-01, 2026, or "no date"."""
    if days.low is None or days.high is None:
        return "no date"
    first, last = day_date(days.low).isoformat(), day_date(days.high).isoformat()
    if first == last:
        return first
    return first[:7] if first[:7] == last[:7] else first[:4]
