"""The self-test of rules: every worked example through derivation, the reference and DuckDB."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.authoring.bench import Bench, Case, benches, cases_of
from monitor.authoring.studies import episodes_of, on_reference
from monitor.engines.duckdb import Engine
from monitor.records import Days, Episode, Severity, Truth, day_date
from monitor.rules.fold import fold
from monitor.rules.rule import Rule
from monitor.rules.rulefile import Pack

ENGINES = ("reference", "duckdb")


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


def run_examples(pack: Pack, work: Path, only: Collection[str] = ()) -> tuple[Tried, ...]:
    """Every example of the pack's rules (or of those in `only`) on both engines.

    `work` is a folder for derived tables.
    """
    cases = cases_of(pack, only)
    tested: dict[tuple[str, str], list[Tried]] = {}
    for bench, engine in benches(pack, cases, work):
        for each in _judged(bench, engine):
            tested.setdefault((each.rule, each.example), []).append(each)
    return tuple(each for case in cases for each in tested.pop((case.rule.id, case.example.name), ()))


def _judged(bench: Bench, engine: Engine) -> list[Tried]:
    """All cases of one bench on both engines."""
    answers = {"reference": on_reference(bench, {}, bench.rules), "duckdb": _on_duckdb(bench, engine)}
    return [
        Tried(case.rule.id, case.example.name, name, difference(case, answers[name][case.rule.id]))
        for case in bench.cases
        for name in ENGINES
    ]


def _on_duckdb(bench: Bench, engine: Engine) -> Mapping[str, Sequence[Episode]]:
    found: dict[str, Sequence[Episode]] = {}

    def own(rule: Rule) -> Sequence[Episode]:
        referred = [episode for name in rule.refers_to for episode in found[name]]
        return fold(rule, engine.find(rule, bench.context, referred).verdicts)

    for rule in bench.rules:
        found[rule.id] = episodes_of(rule, bench, found, own)
    return found


# ---------------------------------------------------------------- what came out


def difference(case: Case, episodes: Sequence[Episode]) -> str:
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
    words = [subject] if case.rule.rate else [subject, day_words(days)]
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
