"""Whether a rule could see at all: its records, its columns, its lists; and columns that are empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.clinical.domains import DOMAINS, RecordClass, dates_of
from monitor.engines.finder import Finder, Found
from monitor.engines.named import columns, inside, lists_asked, needed
from monitor.records import Cause, Kind
from monitor.rules import causes as because
from monitor.rules.context import Context
from monitor.rules.record_words import record_words
from monitor.rules.rule import Column, Comparator, Compare, Condition, IsNull, Not, Per, Rule, Series
from monitor.rules.truth import is_word
from monitor.rules.wording import Speech

# Columns that every derived table has (monitor.clinical.domains).
ALWAYS = frozenset({"USUBJID", "SITEID", "UNIT", "ANALYTE"})
MOST_WORDS = 20  # words that are named in place of those that were looked for


def not_received(rule: Rule, context: Context) -> str:
    """Says that the rule's domain was not received; "" when it was."""
    domain = rule.series.domain
    return "" if domain in context.columns else f"{domain} was not received"


def series_unseen(rule: Rule, context: Context, engine: Finder, found: Found) -> str:
    """Says why the series has no record that surely belongs to it; "" when it has."""
    if found.considered == 0:
        return f"no record of {_series(rule)}{_there(rule, engine)}"
    for asked in lists_asked(rule.series.of):
        words = context.lists[asked.list]
        there = engine.words(rule.series.domain, asked.column.name)
        if not any(is_word(word, words) for word in there):
            return f"no {asked.column.name} is in the list {asked.list}{_there(rule, engine)}"
    return ""


def subjects_unseen(rule: Rule, context: Context, engine: Finder) -> tuple[str, ...]:
    """The subjects on treatment of whom nothing was measured that the rule looks at.

    Only of findings: a subject without an event, or without a dose, is nothing to wonder about.
    """
    measured = DOMAINS[rule.series.domain].record_class is RecordClass.FINDINGS
    return tuple(engine.unseen(rule, context)) if measured and "DOSE" in context.columns else ()


def columns_unseen(rule: Rule, context: Context) -> str:
    """Names the columns of the rule that the received domains don't have; "" when all are there."""
    absent = [
        f"{domain}.{'/'.join(names)}"
        for domain, names in needed(rule)
        if domain in context.columns and not any(_has(context, domain, name) for name in names)
    ]
    return f"not received: {', '.join(absent)}" if absent else ""


def _has(context: Context, domain: str, name: str) -> bool:
    return name in context.columns[domain] or name in ALWAYS


def _series(rule: Rule) -> str:
    return record_words(rule.series, None, Speech(rule.series.domain, rule.series.unit))


def _there(rule: Rule, engine: Finder) -> str:
    """What is there instead, for people: `; LBTESTCD has PLT (512 rows)`."""
    parts = [
        f"; {column} has {', '.join(f'{word} ({count} rows)' for word, count in counts.items()) or 'nothing'}"
        for column, counts in words_instead(rule, engine)
    ]
    return "".join(parts)


def words_instead(rule: Rule, engine: Finder) -> list[tuple[str, Mapping[str, int]]]:
    """The most frequent words of the columns that make the series, with their rows."""
    found: list[tuple[str, Mapping[str, int]]] = []
    texts = (column for column in inside(rule.series.of, Column) if column.kind is Kind.TEXT)
    for name in dict.fromkeys(column.name for column in texts):
        counts = engine.counts(rule.series.domain, name)
        first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
        found.append((name, dict(first)))
    return found


# ---------------------------------------------------------------- empty everywhere


@dataclass
class Emptiness:
    """Which columns of a rule have no usable value in the whole of their series. Asks once for each.

    `untold` are the rules that it refers to of which nothing can be told in the whole study.
    """

    rule: Rule
    context: Context
    engine: Finder
    untold: frozenset[str] = frozenset()
    known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def is_study_wide(self, cause: Cause) -> bool:
        """Whether a cause is none of single records, but of the study: told once."""
        if cause.kind == because.NOT_RECEIVED or cause.column.startswith(":"):
            return True
        if cause.kind == because.EPISODE:
            return cause.column in self.untold
        if cause.kind not in (because.MISSING_VALUE, because.UNIT) or not cause.column:
            return False
        key = (cause.domain, cause.column)
        if key not in self.known:
            self.known[key] = self._is_empty(*key)
        return self.known[key]

    def _is_empty(self, domain: str, name: str) -> bool:
        named = columns(self.rule)
        places = [
            (column, series)
            for (where, column), given in named.items()
            if (where, column.name) == (domain, name)
            for series in given
        ]
        if not places:  # the date of a record, asked for by a window
            return not self.engine.words(domain, dates_of(domain).get(name, name))
        return not any(self._has_value(column, series) for column, series in places)

    def _has_value(self, column: Column, series: Series) -> bool:
        """Whether a record of the series has a value in the column (in the unit of the series)."""
        probe = replace(
            self.rule,
            series=series,
            where=usable(column),
            clauses=(),
            levels=(),
            clear=None,
            per=Per.RECORD,
            repeat=None,
        )
        return self.engine.fires(probe, self.context)


def usable(column: Column) -> Condition:
    """True when the column has a value; of a number, one that can be compared."""
    if column.kind in (Kind.NUMBER, Kind.QUANTITY):
        return Compare(Comparator.EQ, column, column)
    return Not(IsNull(column))
