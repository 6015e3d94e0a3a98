"""A rule as an English sentence, with a study's numbers in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from monitor.rules.build import PLACEHOLDER
from monitor.rules.clause_words import clause_words
from monitor.rules.context import Context, Parameter
from monitor.rules.params import STUDY
from monitor.rules.record_words import record_words
from monitor.rules.rule import Clause, Due, Param, Repeat, Rule, Series
from monitor.rules.study_words import found_words, rate_words
from monitor.rules.wording import Speech, quantity

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
    clauses = [_clause(clause, rule.series, context) for clause in rule.clauses]
    run = [run_words(rule.repeat)] if rule.repeat else []
    rate = [rate_words(rule.rate.in_study(context.params))] if rule.rate else []
    return "; ".join([found_words(rule, speech), *run, *clauses, *rate])


def _clause(clause: Clause, found: Series, context: Context) -> str:
    words = clause_words(clause, found, context)
    return f"{words} (asked of the last of them)" if clause.run_end else words


def run_words(repeat: Repeat) -> str:
    """How often in a row: "3 times in a row, results within 5 days counting as one"."""
    said = [f"{repeat.times} times in a row"]
    if repeat.occasion:
        said.append(f"results within {_days(repeat.occasion)} counting as one")
    if repeat.max_gap is not None:
        said.append(f"not more than {_days(repeat.max_gap)} apart")
    return ", ".join(said)


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


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
    due = [due_words(level.due)] if level.due else []
    return f"{level.severity}: {'; '.join([*note, *own, *clauses, *due])}"


def due_words(due: Due | None) -> str:
    """The clock that an alert carries: "due within 7 calendar days of AEDT"; "" when it has none."""
    if due is None:
        return ""
    number, hours = int(due.within[:-1]), due.within.endswith("h")
    unit = "hour" if hours else "calendar day"
    start = {Due.DETECTED: "detection", Due.FOUND: "the found record's date"}.get(due.start, due.start)
    return f"due within {number} {unit}{'' if number == 1 else 's'} of {start}"


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
    own = _param_names((rule.series.of, rule.where, rule.clauses, rule.levels, rule.clear, rule.rate))
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
