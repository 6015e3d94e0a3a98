"""The self-test of rules: every worked example through derivation, the reference and DuckDB.

Examples of one setting are judged together: each one's subjects get its number in front, so that
the test of a whole pack is a few scans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from monitor.clinical.snapshots import FOLLOWS
from monitor.config import StudySettings
from monitor.derive import Derived, derive_rows
from monitor.engines.duckdb import Engine
from monitor.records import Days, Episode, Severity, Truth, day_date, day_number
from monitor.rules.context import Context
from monitor.rules.fold import fold
from monitor.rules.lists import UNKNOWN, ignored
from monitor.rules.reference import judge
from monitor.rules.rule import Example, Rule
from monitor.rules.rulefile import Pack, resolve_params, words_for
from monitor.rules.terms import Row

AS_OF = date(2026, 12, 31)  # to when the data of an example reach, unless it says so itself
ENGINES = ("reference", "duckdb")
PER_DRUG = re.compile(r"^AE(ACN|REL)\d$")  # events with such columns are one record for each drug


@dataclass(frozen=True)
class Tried:
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


def run_examples(pack: Pack, work: Path, only: Collection[str] = ()) -> tuple[Tried, ...]:
    """Every example of the pack's rules (or of those in `only`) on both engines.

    `work` is a folder for derived tables.
    """
    asked = [rule for rule in pack.rules if not only or rule.id in only]
    numbered = enumerate(((rule, example) for rule in asked for example in rule.examples), start=1)
    cases = [Case(rule, example, f"{number:03d}/") for number, (rule, example) in numbered]
    tested: dict[tuple[str, str], list[Tried]] = {}
    for together in _grouped(cases, lambda case: _received(pack, case)):
        for each in _judge_together(pack, together, work):
            tested.setdefault((each.rule, each.example), []).append(each)
    return tuple(each for case in cases for each in tested.pop((case.rule.id, case.example.name), ()))


def _grouped(cases: Iterable[Case], key: Callable[[Case], object]) -> list[list[Case]]:
    groups: dict[object, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    return list(groups.values())


def _received(pack: Pack, case: Case) -> object:
    """What decides which examples can share their tables.

    The domains that the rule misses in its example, columns that change how others are read,
    and the words that mean missing.
    """
    given = {domain for domain, _ in case.example.rows}
    asked = {domain for rule in _needed(pack, {case.rule.id}) for domain in rule.domains}
    absent = frozenset(domain for domain in asked if not given & {domain, *FOLLOWS.get(domain, ())})
    columns = {name for _, rows in case.example.rows for row in rows for name, _ in row}
    unknown = dict(case.example.terms).get(UNKNOWN, ())
    return absent, any(PER_DRUG.match(name) for name in columns), unknown


def _judge_together(pack: Pack, cases: Sequence[Case], work: Path) -> list[Tried]:
    """All cases that share their tables; those of one setting in one scan."""
    rows = _rows(cases)
    derived = derive_rows(rows, _study(pack, cases[0].example), work)
    subjects = sorted({row["USUBJID"] for found in rows.values() for row in found})
    with Engine(derived.tables, threads=1) as engine:
        received = {domain: engine.rows(domain, subjects) for domain in derived.tables}
        return [
            tested
            for setting in _grouped(cases, lambda case: _setting(case.example))
            for tested in _judge_setting(pack, setting, engine, received, derived)
        ]


def _setting(example: Example) -> object:
    return example.params, example.terms, example.as_of, example.same_day


def _judge_setting(
    pack: Pack, cases: Sequence[Case], engine: Engine, rows: Mapping[str, Sequence[Row]], derived: Derived
) -> list[Tried]:
    """All cases of one setting on both engines."""
    context = _context(pack, cases[0].example, derived)
    wanted = _needed(pack, {case.rule.id for case in cases})
    prefixes = tuple(case.prefix for case in cases)
    own = {
        domain: [row for row in found if row["USUBJID"].startswith(prefixes)]
        for domain, found in rows.items()
    }
    answers = {
        "reference": _on_reference(own, wanted, context),
        "duckdb": _on_duckdb(engine, wanted, context),
    }
    return [
        Tried(case.rule.id, case.example.name, name, _difference(case, answers[name][case.rule.id]))
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
    rows: Mapping[str, Sequence[Row]], rules: Sequence[Rule], context: Context
) -> Mapping[str, Sequence[Episode]]:
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
        *_compare(
            "not to be told", case.example.cannot_tell, [_line(case, each, each.opened) for each in unsure]
        ),
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
