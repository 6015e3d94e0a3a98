"""The rules of one study as they are used there: parameters, lists, and a version that says so."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitor.config import Settings, StudySettings
from monitor.rules.context import Parameter
from monitor.rules.ctcae import Criteria
from monitor.rules.invalid import Invalid
from monitor.rules.lists import IGNORE, UNKNOWN, ignored
from monitor.rules.nodes import nodes
from monitor.rules.rule import AsOf, InList, Matches, Param, Rule, Series
from monitor.rules.rulefile import Pack, asks_grades, load_rules, resolve_params, words_for

VERSION_DIGITS = 16
RULE_SETS = 8  # kept in memory: the studies of one installation share a few


@dataclass(frozen=True)
class Asked:
    """What a rule's tree names. `lists` are those of `matches`; `closed` says that it asks `in @list`."""

    params: frozenset[str]
    lists: frozenset[str]
    domains: frozenset[str]
    closed: bool
    as_of: bool
    grades: bool


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
    asked: Mapping[str, Asked] = field(default_factory=dict)  # by rule


def study_rules(settings: Settings, study: StudySettings) -> Ruleset:
    """The rules of a study. Raises RuleError with every problem of its packs and its own settings."""
    folder = settings.path(settings.monitor.rules_dir)
    pack, asked = _read(folder, tuple(study.rules), _stamp(folder) if folder.is_dir() else ())
    params = resolve_params(pack, study.params, study.confirmed, study.preset)
    lists = words_for(pack, study.terms)
    criteria = pack.criteria.get(study.ctcae)
    texts: dict[str, str] = {}
    for rule in pack.rules:
        refers_to = {name: _digest(texts[name]) for name in rule.refers_to}
        given = _meaning(rule, asked[rule.id], study, params, lists)
        meaning = {**given, "invalid": [each.text for each in pack.invalid], "refers_to": refers_to}
        if criteria is not None and asked[rule.id].grades:
            meaning["criteria"] = criteria.digest
        texts[rule.id] = json.dumps(meaning, ensure_ascii=False, sort_keys=True)
    rules = tuple(replace(rule, version=_digest(texts[rule.id])) for rule in pack.rules)
    return Ruleset(rules, params, lists, ignored(study.terms), texts, pack.invalid, criteria, asked)


def _stamp(folder: str | Path) -> tuple[tuple[str, int, int, int], ...]:
    """What tells that a file below a rules folder was written: its name, times and size."""
    found: list[tuple[str, int, int, int]] = []
    with os.scandir(folder) as entries:  # not pathlib: this is done for each study of each scan
        for entry in entries:
            if entry.is_dir():
                found += _stamp(entry.path)
            else:
                stat = entry.stat()
                found.append((entry.path, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size))
    return tuple(sorted(found))


@lru_cache(maxsize=RULE_SETS)
def _read(folder: Path, packs: tuple[str, ...], _stamp: object) -> tuple[Pack, Mapping[str, Asked]]:
    """The packs as their files are at `_stamp`: read once for all studies that use them."""
    pack = load_rules(folder, packs)
    return pack, {rule.id: _asked(rule, pack.params) for rule in pack.rules}


def _asked(rule: Rule, params: Mapping[str, Parameter]) -> Asked:
    inside = tuple(nodes(rule))
    named = {node.name for node in inside if isinstance(node, Param)}
    return Asked(
        params=frozenset(named | {name for name in params if f"{{{name}}}" in rule.action}),
        lists=frozenset(node.list for node in inside if isinstance(node, Matches)),
        domains=frozenset(node.domain for node in inside if isinstance(node, Series)),
        closed=any(isinstance(node, InList) for node in inside),
        as_of=any(isinstance(node, AsOf) for node in inside),
        grades=asks_grades(rule),
    )


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
    asked: Asked,
    study: StudySettings,
    params: Mapping[str, Parameter],
    lists: Mapping[str, frozenset[str]],
) -> dict[str, Any]:
    """Everything that decides what a rule means in this study."""
    used = {name for name in lists if asked.closed or name in asked.lists}
    return {
        "rule": rule.version,
        "params": {name: [params[name].value, params[name].unit] for name in sorted(asked.params)},
        "lists": {name: sorted(lists[name]) for name in sorted(used)},
        "ignore": sorted(study.terms.get(IGNORE, ())) if asked.closed else [],
        "unknown": sorted(study.terms.get(UNKNOWN, ())),
        "drugs": {name: drug.model_dump() for name, drug in sorted(study.drugs.items())},
        "baseline": {name: item.model_dump() for name, item in sorted(study.baseline.items())},
        "same_day": study.same_day,
        "ctcae": study.ctcae,
        "weight": study.weight,
        "cutoff": study.cutoff if study.cutoff[:1].isdigit() else "",
    }
