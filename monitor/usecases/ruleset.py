"""The rules of one study as they are used there: parameters, lists, and a version that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from monitor.config import Settings, StudySettings
from monitor.rules.context import Parameter
from monitor.rules.ctcae import Criteria
from monitor.rules.invalid import Invalid
from monitor.rules.lists import IGNORE, UNKNOWN, ignored
from monitor.rules.rule import InList, Matches, Param, Rule
from monitor.rules.rulefile import asks_grades, load_rules, resolve_params, words_for

VERSION_DIGITS = 16


@dataclass(frozen=True)
class Ruleset:
    """Rules in an order in which each stands behind those that it refers to.

    Each rule's `version` here is that of its file together with all that it means in this study:
    parameters, lists, terms, drugs, baselines, CTCAE. `texts` holds that meaning as JSON.
    """

    rules: tuple[Rule, ...]
    params: Mapping[str, Parameter]
    lists: Mapping[str, frozenset[str]]
    ignored: frozenset[str]
    texts: Mapping[str, str]
    invalid: tuple[Invalid, ...] = ()  # which results are no values (rules/series)
    criteria: Criteria | None = None  # CTCAE's, in the study's version, when a rule asks for grades


def study_rules(settings: Settings, study: StudySettings) -> Ruleset:
    """The rules of a study. Raises RuleError with every problem of its packs and its own settings."""
    pack = load_rules(settings.path(settings.monitor.rules_dir), study.rules)
    params = resolve_params(pack, study.params, study.confirmed, study.preset)
    lists = words_for(pack, study.terms)
    criteria = pack.criteria.get(study.ctcae)
    texts: dict[str, str] = {}
    for rule in pack.rules:
        refers_to = {name: _digest(texts[name]) for name in rule.refers_to}
        meaning = {**_meaning(rule, study, params, lists, pack.invalid), "refers_to": refers_to}
        if criteria is not None and asks_grades(rule):
            meaning["criteria"] = criteria.digest
        texts[rule.id] = json.dumps(meaning, ensure_ascii=False, sort_keys=True)
    rules = tuple(replace(rule, version=_digest(texts[rule.id])) for rule in pack.rules)
    return Ruleset(rules, params, lists, ignored(study.terms), texts, pack.invalid, criteria)


def closure(rules: Sequence[Rule], wanted: frozenset[str]) -> tuple[Rule, ...]:
    """The wanted rules with those that they refer to, in their order."""
    needed = set(wanted)
    for rule in reversed(rules):
        if rule.id in needed:
            needed.update(rule.refers_to)
    return tuple(rule for rule in rules if rule.id in needed)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _meaning(
    rule: Rule,
    study: StudySettings,
    params: Mapping[str, Parameter],
    lists: Mapping[str, frozenset[str]],
    invalid: Sequence[Invalid],
) -> dict[str, Any]:
    """Everything that decides what a rule means in this study."""
    nodes = tuple(walk(rule))
    named = {node.name for node in nodes if isinstance(node, Param)}
    named |= {name for name in params if f"{{{name}}}" in rule.action}
    closed = any(isinstance(node, InList) for node in nodes)
    free = {node.list for node in nodes if isinstance(node, Matches)}
    return {
        "rule": rule.version,
        "params": {name: [params[name].value, params[name].unit] for name in sorted(named)},
        "lists": {name: sorted(words) for name, words in sorted(lists.items()) if closed or name in free},
        "ignore": sorted(study.terms.get(IGNORE, ())) if closed else [],
        "unknown": sorted(study.terms.get(UNKNOWN, ())),
        "drugs": {name: drug.model_dump() for name, drug in sorted(study.drugs.items())},
        "baseline": {name: item.model_dump() for name, item in sorted(study.baseline.items())},
        "same_day": study.same_day,
        "ctcae": study.ctcae,
        "weight": study.weight,
        "invalid": [each.text for each in invalid],
        "cutoff": study.cutoff if study.cutoff[:1].isdigit() else "",
    }


def walk(node: Any) -> Iterator[Any]:
    """Every node of a rule tree."""
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in fields(node):
            yield from walk(getattr(node, field.name))
