"""The bench on which rules are tried: the data of their worked examples, derived once and put together.

Examples that can share their tables do: each one's subjects get its number in front, so that the
test of a whole pack is a few scans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from monitor.clinical.reach import FOLLOWS
from monitor.config import StudySettings
from monitor.derive import Derived, derive_rows
from monitor.engines.duckdb import Engine
from monitor.records import Episode, day_number
from monitor.rules.asked import RELREC
from monitor.rules.context import Context
from monitor.rules.lists import UNKNOWN, ignored
from monitor.rules.rule import RELATION, Example, Rule
from monitor.rules.rulefile import Pack, resolve_params, words_for
from monitor.rules.terms import Row

AS_OF = date(2026, 12, 31)  # to when the data of an example reach, unless it says so itself
CTCAE: Literal["5.0", "6.0"] = "5.0"  # the version by which examples are graded
PER_DRUG = re.compile(r"^AE(ACN|REL)\d$")  # events with such columns are one record for each drug
# What derivation makes unless the rows of a domain say it: then it is taken as it stands.
BY_HAND = frozenset(
    ("BASE", "CHG", "PCHG", "BNRIND", "BNRLO", "BNRHI", "DOSEKG", "LEVEL", "PREVLEVEL", "WEIGHT")
)
Episodes = Mapping[str, Sequence[Episode]]


@dataclass(frozen=True)
class Case:
    """An example with its rule and the prefix that its subjects get."""

    rule: Rule
    example: Example
    prefix: str


@dataclass(frozen=True)
class Bench:
    """Examples of one setting with the tables that they share.

    `rows` are the derived rows by domain, `rules` those in question and those that they refer to,
    in their order.
    """

    cases: tuple[Case, ...]
    rows: Mapping[str, Sequence[Row]]
    context: Context
    rules: tuple[Rule, ...]


def cases_of(pack: Pack, only: Collection[str] = ()) -> list[Case]:
    """Every example of the pack's rules, or of those in `only`."""
    asked = [rule for rule in pack.rules if not only or rule.id in only]
    numbered = enumerate(((rule, example) for rule in asked for example in rule.examples), start=1)
    return [Case(rule, example, f"{number:03d}/") for number, (rule, example) in numbered]


def benches(pack: Pack, cases: Sequence[Case], work: Path) -> Iterator[tuple[Bench, Engine]]:
    """The cases on as few benches as can be, each with an engine over its tables, open until the next.

    `work` is a folder for derived tables.
    """
    for together in _grouped(cases, lambda case: _received(pack, case)):
        rows = _raw_rows(together)
        derived = derive_rows(rows, _study(pack, together[0].example), work, pack.invalid)
        subjects = sorted({row["USUBJID"] for found in rows.values() for row in found})
        criteria = pack.criteria.get(CTCAE)
        with Engine(derived.tables, threads=1, criteria=criteria) as engine:
            received = {domain: engine.rows(domain, subjects) for domain in derived.tables}
            for setting in _grouped(together, lambda case: _setting(case.example)):
                yield _bench(pack, setting, received, derived), engine


def _bench(pack: Pack, cases: Sequence[Case], rows: Mapping[str, Sequence[Row]], derived: Derived) -> Bench:
    prefixes = tuple(case.prefix for case in cases)
    own = {
        domain: [row for row in found if row["USUBJID"].startswith(prefixes)]
        for domain, found in rows.items()
    }
    wanted = needed(pack, {case.rule.id for case in cases})
    return Bench(tuple(cases), own, _context(pack, cases[0].example, derived), tuple(wanted))


def needed(pack: Pack, identifiers: set[str]) -> list[Rule]:
    """The rules in question and those that they refer to, in order."""
    wanted = set(identifiers)
    for rule in reversed(pack.rules):
        if rule.id in wanted:
            wanted |= set(rule.refers_to)
    return [rule for rule in pack.rules if rule.id in wanted]


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
    asked = {_source(name) for rule in needed(pack, {case.rule.id}) for name in rule.tables}
    absent = frozenset(domain for domain in asked if not given & {domain, *FOLLOWS.get(domain, ())})
    columns = {name for _, rows in case.example.rows for row in rows for name, _ in row}
    unknown = dict(case.example.terms).get(UNKNOWN, ())
    by_hand = frozenset(given & FOLLOWS.keys()), frozenset(columns & BY_HAND)
    return absent, by_hand, any(PER_DRUG.match(name) for name in columns), unknown


def _source(table: str) -> str:
    """The domain that a table is made of."""
    return RELREC if table == RELATION else table


def _setting(example: Example) -> object:
    return example.params, example.terms, example.as_of, example.same_day


def _study(pack: Pack, example: Example) -> StudySettings:
    """A study that has nothing but what the example sets."""
    return StudySettings(
        id="EXAMPLES",
        source="examples of rules",
        rules=tuple(sorted({rule.pack for rule in pack.rules})),
        ctcae=CTCAE,
        blinded=False,
        mail="full",
        terms=dict(example.terms),
    )


def _raw_rows(cases: Iterable[Case]) -> Mapping[str, list[dict[str, str]]]:
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
