"""What a person asks about rules: which there are, whether they can be used, what one means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.authoring.examples import Tried, run_examples
from monitor.clinical.domains import DOMAINS, columns_of
from monitor.config import Settings, StudySettings
from monitor.delivery.samples import checked_templates
from monitor.errors import ConfigError, Invalid, Problem, RuleError, UsageError
from monitor.rules import english
from monitor.rules.check import check_pack
from monitor.rules.compiler import compile_rule, sql_text
from monitor.rules.context import Context
from monitor.rules.findrule import rate_in
from monitor.rules.lists import ignored
from monitor.rules.rule import InWords, Rule, Text
from monitor.rules.rulefile import Pack, load_rules, resolve_params, words_for
from monitor.statistics.boundaries import boundary
from monitor.usecases.boundaries import Shown, characteristics


@dataclass(frozen=True)
class Listed:
    """One rule of the configured studies."""

    id: str
    pack: str
    version: str
    severity: str
    title: str
    tags: tuple[str, ...]
    studies: tuple[str, ...]
    examples: int


@dataclass(frozen=True)
class Explained:
    """A rule in words, with the numbers of one study. `parameters` say where each is from."""

    id: str
    pack: str
    version: str
    title: str
    severity: str
    study: str
    sentence: str
    per: str
    clear: str
    due: str
    levels: tuple[str, ...]
    parameters: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    action: str
    basis: tuple[str, ...]
    tags: tuple[str, ...]
    refers_to: tuple[str, ...]
    examples: tuple[str, ...]
    boundary: Mapping[str, Any] | None = None  # of a rule about a study, as `monitor boundaries` says it

    @property
    def chances(self) -> tuple[str, ...]:
        """How likely the boundary is to be reached, a line for each event probability."""
        return tuple(
            f"at an event probability of {each['p']:g} reached with probability {each['stop']:.4f}; expected"
            f" by then, or at the end, are {each['events']:.2f} events in {each['subjects']:.1f} subjects"
            for each in (self.boundary or {}).get("operating", ())
        )


def rules_of(settings: Settings, study: StudySettings) -> Pack:
    """The rules of one study. Raises RuleError with all problems."""
    return load_rules(settings.path(settings.monitor.rules_dir), study.rules)


def study_context(pack: Pack, study: StudySettings, as_of: int = 0) -> Context:
    """The study's parameters and words, without anything of its data. Raises RuleError."""
    return Context(
        as_of=as_of,
        params=resolve_params(pack, study.params, study.confirmed, study.preset),
        lists=words_for(pack, study.terms),
        ignored=ignored(study.terms),
        same_day=study.same_day,
        ctcae=study.ctcae,
        criteria=pack.criteria.get(study.ctcae),
    )


def list_rules(settings: Settings) -> tuple[Listed, ...]:
    """The rules of all configured studies, in the order in which they run."""
    rules: dict[str, Rule] = {}
    studies: dict[str, list[str]] = {}
    for study in settings.studies:
        for rule in rules_of(settings, study).rules:
            rules[rule.id] = rule
            studies.setdefault(rule.id, []).append(study.id)
    return tuple(
        Listed(
            rule.id,
            rule.pack,
            rule.version,
            rule.severity,
            rule.title,
            rule.tags,
            tuple(studies[rule.id]),
            len(rule.examples),
        )
        for rule in rules.values()
    )


def check_templates(settings: Settings) -> tuple[Problem, ...]:
    """Everything wrong with the mails' templates; () is fine."""
    try:
        checked_templates(settings.path(settings.monitor.templates_dir))
    except ConfigError as error:
        return error.problems
    return ()


def check_rules(settings: Settings) -> tuple[Problem, ...]:
    """Everything wrong with the rules and with what each study sets for them; () is fine."""
    found: dict[Problem, None] = {}
    for study in settings.studies:
        for problem in _problems(settings, study):
            found[problem] = None
    return tuple(found)


def _problems(settings: Settings, study: StudySettings) -> list[Problem]:
    try:
        pack = rules_of(settings, study)
    except RuleError as error:
        return list(error.problems)
    problems = check_pack(pack)
    for made in (
        lambda: resolve_params(pack, study.params, study.confirmed, study.preset),
        lambda: words_for(pack, study.terms),
        lambda: _rates(pack, study),
    ):
        try:
            made()
        except Invalid as error:
            problems += [Problem(f"{study.id}: {each.address}", each.said) for each in error.problems]
    return problems


def _rates(pack: Pack, study: StudySettings) -> None:
    """Raises RuleError when a study's parameters contradict a boundary."""
    context = Context(0, params=resolve_params(pack, study.params, study.confirmed, study.preset))
    wrong: list[Problem] = []
    for rule in pack.rules:
        try:
            if rule.rate is not None:
                rate_in(rule, context)
        except RuleError as error:
            wrong += error.problems
    if wrong:
        raise RuleError(wrong)


def test_rules(settings: Settings, rule: str | None) -> tuple[Tried, ...]:
    """The self-test: each worked example of all studies' rules (None), or of one, on both engines.

    Raises UsageError when no study uses the rule.
    """
    if rule is not None:
        rule_of(settings, rule, None)
    tested: dict[tuple[str, str, str], Tried] = {}
    for packs in dict.fromkeys(study.rules for study in settings.studies):
        pack = load_rules(settings.path(settings.monitor.rules_dir), packs)
        with TemporaryDirectory(prefix="monitor-rules-") as folder:
            for each in run_examples(pack, Path(folder), (rule,) if rule else ()):
                tested.setdefault((each.rule, each.example, each.engine), each)
    return tuple(tested.values())


def explain_rule(settings: Settings, rule: str, study: str | None = None) -> Explained:
    """A rule in words, with the numbers of a study (default: the first that uses it)."""
    chosen, pack, found = rule_of(settings, rule, study)
    context = study_context(pack, chosen)
    return Explained(
        id=found.id,
        pack=found.pack,
        version=found.version,
        title=found.title,
        severity=found.severity,
        study=chosen.id,
        sentence=english.sentence(found, context),
        per=found.per,
        clear=english.clear_sentence(found, context),
        due=english.due_words(found.due),
        levels=tuple(english.level_sentence(found, n, context) for n in range(1, len(found.levels) + 1)),
        parameters=tuple(english.provenance(each) for each in english.parameters(found, context, pack.rules)),
        unconfirmed=tuple(each.name for each in english.unconfirmed(found, context, pack.rules)),
        action=english.action_words(found, context),
        basis=found.basis,
        tags=found.tags,
        refers_to=found.refers_to,
        examples=tuple(example.name for example in found.examples),
        boundary=_boundary(found, context),
    )


def _boundary(rule: Rule, context: Context) -> Mapping[str, Any] | None:
    """The table and operating characteristics of a rule about a study, with its numbers."""
    if rule.rate is None:
        return None
    made = boundary(rate_in(rule, context).boundary)
    return Shown(made, characteristics(made) if made.stops else ()).document


def rule_sql(settings: Settings, rule: str, study: str | None = None) -> str:
    """The select that finds the rule's records, as a person can read it.

    Tests of text are resolved over the words of a study's data; here over the words that the
    rule and the lists name.
    """
    chosen, pack, found = rule_of(settings, rule, study)
    columns = {name: frozenset(columns_of(name)) for name in DOMAINS}
    context = replace(study_context(pack, chosen), columns=columns)
    named = tuple(
        dict.fromkeys([*_texts(found), *(word for words in context.lists.values() for word in sorted(words))])
    )
    return sql_text(compile_rule(found, context, lambda domain, column: named))  # noqa: ARG005


def _texts(node: object) -> Iterator[str]:
    """The texts that a rule's conditions name."""
    if isinstance(node, Text):
        yield node.value
    elif isinstance(node, InWords):
        yield from node.words
    elif isinstance(node, tuple):
        for item in node:
            yield from _texts(item)
    elif is_dataclass(node):
        for key in fields(node):
            yield from _texts(getattr(node, key.name))


def rule_of(settings: Settings, rule: str, study: str | None) -> tuple[StudySettings, Pack, Rule]:
    """The study, its rules and the rule. Raises UsageError when no study uses the rule."""
    studies = (settings.study(study),) if study else settings.studies
    known: dict[str, None] = {}
    for settings_of in studies:
        pack = rules_of(settings, settings_of)
        for found in pack.rules:
            if found.id == rule:
                return settings_of, pack, found
            known[found.id] = None
    raise UsageError(f"{rule} is not a rule of {study or 'any study'}; there is {', '.join(known)}")
