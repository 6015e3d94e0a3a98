"""A rule as an English sentence, with a study's numbers in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import singledispatch

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules.build import PLACEHOLDER
from monitor.rules.context import Context, Parameter
from monitor.rules.desk import tests_of
from monitor.rules.names import RECORDS, test_name
from monitor.rules.params import STUDY
from monitor.rules.phrases import alternatives, describe
from monitor.rules.rule import (
    AnyOf,
    At,
    Clause,
    Compare,
    Condition,
    InList,
    InWords,
    Or,
    Param,
    Rule,
    Series,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.wording import Speech, joined, quantity

PROTOCOL = "protocol"
SOURCES = {
    PROTOCOL: "from the protocol",
    "label": "from a label",
    "guideline": "from a guideline",
    "default": "a default without a source",
    STUDY: "set by the study's configuration",
}


def sentence(rule: Rule, context: Context) -> str:
    """The rule's condition: "Platelets (PLAT) above 400 10^9/L, in LB"."""
    speech = Speech(rule.series.domain, rule.series.unit, params=context.params)
    clauses = [clause_words(clause, rule.series, context) for clause in rule.clauses]
    record = f"{record_words(rule.series, rule.where, speech)}, in {rule.series.domain}"
    return "; ".join([record, *clauses])


def clear_sentence(rule: Rule, context: Context) -> str:
    """What ends the episode, or "" when nothing but the records themselves does."""
    if rule.clear is None:
        return ""
    speech = Speech(rule.series.domain, rule.clear.unit, params=context.params)
    return f"{record_words(rule.series, rule.clear.where, speech)}, in all results of a later day"


def level_sentence(rule: Rule, number: int, context: Context) -> str:
    """What the level with this number (from 1) says, beside the rule's own condition."""
    level = rule.levels[number - 1]
    speech = Speech(rule.series.domain, rule.series.unit, params=context.params)
    own = [record_words(rule.series, level.where, speech)] if level.where else []
    clauses = [clause_words(clause, rule.series, context) for clause in level.clauses]
    note = [level.note] if level.note else []
    return f"{level.severity}: {'; '.join([*note, *own, *clauses])}"


def action_words(rule: Rule, context: Context) -> str:
    """The rule's action with its parameters' values in place of {name}."""

    def filled(match: re.Match[str]) -> str:
        known = context.params.get(match[1])
        return quantity(known) if known else match[0]

    return PLACEHOLDER.sub(filled, rule.action)


# ---------------------------------------------------------------- parameters


def parameters(rule: Rule, context: Context, rules: Iterable[Rule] = ()) -> tuple[Parameter, ...]:
    """The parameters that decide what the rule says, each once, in the order of the rule.

    Those of the rules that it refers to, as far as they are among `rules`, come last.
    """
    others = [other for other in rules if other.id in rule.refers_to]
    own = _param_names((rule.series.of, rule.where, rule.clauses, rule.levels, rule.clear))
    known = {name: context.params[name] for name in own if name in context.params}
    for other in others:
        known |= {parameter.name: parameter for parameter in parameters(other, context, rules)}
    return tuple(known.values())


def provenance(parameter: Parameter) -> str:
    """Where a number is from: "plt_hold = 400 10^9/L, from a label, NOT PROTOCOL-CONFIRMED"."""
    said = f"{parameter.name} = {quantity(parameter)}, {SOURCES[parameter.source]}"
    if parameter.source in (PROTOCOL, STUDY):
        return said
    return f"{said}, {'confirmed for this study' if parameter.confirmed else 'NOT PROTOCOL-CONFIRMED'}"


def unconfirmed(rule: Rule, context: Context, rules: Iterable[Rule] = ()) -> tuple[Parameter, ...]:
    """Those of `parameters` that neither the protocol nor the study's configuration confirms."""
    return tuple(
        parameter
        for parameter in parameters(rule, context, rules)
        if parameter.source != PROTOCOL and not parameter.confirmed
    )


def _param_names(node: object) -> Iterator[str]:
    if isinstance(node, Param):
        yield node.name
    elif isinstance(node, tuple):
        for item in node:
            yield from _param_names(item)
    elif is_dataclass(node):
        for key in fields(node):
            yield from _param_names(getattr(node, key.name))


# ---------------------------------------------------------------- records and clauses


def record_words(series: Series, where: Condition | None, speech: Speech) -> str:
    """A record of a series for which a condition holds: "Platelets (PLAT) above 400 10^9/L"."""
    head, rest = series_words(series)
    said = [str(describe(rest, speech))] if rest else []
    if where is not None:
        phrase = describe(where, speech)
        if phrase.subject == "result" and not said:
            return f"{head} {phrase.said}"
        said.append(_numbered(where, speech) or str(phrase))
    return f"{head}: {', and '.join(said)}" if said else head


def _numbered(where: Condition, speech: Speech) -> str:
    """Three and more conditions, one of which must hold, some of several parts; else ""."""
    phrases = alternatives(where, speech) if isinstance(where, Or) else []
    if len(phrases) < 3 or not any(phrase.several for phrase in phrases):
        return ""
    return "one of " + ", or ".join(f"({number}) {phrase}" for number, phrase in enumerate(phrases, 1))


def series_words(series: Series) -> tuple[str, Condition | None]:
    """What the records are called, and what of the series' condition that does not yet say."""
    codes = tuple(tests_of(series.of))
    if codes and isinstance(series.of, Compare | InWords):
        return joined([test_name(code) for code in codes], "or"), None
    noun = RECORDS.get(series.domain) or DOMAINS[series.domain].label
    if isinstance(series.of, InList):
        return f"{noun} of {series.of.list.replace('-', ' ').replace('_', ' ')}", None
    return noun, series.of


@singledispatch
def clause_words(clause: Clause, found: Series, context: Context) -> str:
    """A clause as words."""
    kind = type(clause).__name__
    raise AssertionError(f"for {found.domain} on day {context.as_of}, a clause without words: {kind}")


@clause_words.register
def _(clause: With, found: Series, context: Context) -> str:
    return f"with {_other(clause, found, context)}"


@clause_words.register
def _(clause: Without, found: Series, context: Context) -> str:
    waits = ""
    if clause.open is not None:
        waits = " (told at once)" if clause.open == "fire" else " (told once the data have passed it)"
    return f"without {_other(clause, found, context)}{waits}"


@clause_words.register
def _(clause: WithRule, found: Series, context: Context) -> str:  # noqa: ARG001
    since = "the same day on" if clause.same_day else "the day after its first record on"
    return f"while an episode of {clause.rule} is open, from {since}"


@clause_words.register
def _(clause: AnyOf, found: Series, context: Context) -> str:
    return f"and one of: {joined([f'({clause_words(item, found, context)})' for item in clause.items], 'or')}"


def _other(clause: With | Without, found: Series, context: Context) -> str:
    series = clause.series
    speech = Speech(series.domain, series.unit, found.domain, context.params)
    words = record_words(series, clause.where, speech)
    return f"{words}, in {series.domain}, {_part(clause)}{window_words(clause.window)}"


def _part(clause: With | Without) -> str:
    lasts = DOMAINS[clause.series.domain].record_class in (RecordClass.INTERVENTIONS, RecordClass.EVENTS)
    return f"its {clause.at} " if lasts and clause.at is not At.ANY else ""


def window_words(window: Window) -> str:
    """When, counted from the found record."""
    match window:
        case Window(None, None):
            return "at any time"
        case Window(0, 0):
            return "on the same day"
        case Window(None, int(high)):
            return f"up to {_day(high)}"
        case Window(int(low), None):
            return f"from {_day(low)} on"
        case Window(int(low), int(high)) if low == -high and low < 0:
            return f"within {high} days before or after"
    return f"from {_day(window.low or 0)} to {_day(window.high or 0)}"


def _day(days: int) -> str:
    if days == 0:
        return "the same day"
    plural = "" if abs(days) == 1 else "s"
    return f"{abs(days)} day{plural} {'before' if days < 0 else 'after'}"
