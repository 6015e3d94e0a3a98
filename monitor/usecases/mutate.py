"""`monitor rules mutate`: whether the examples of rules would notice a slip in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.survivors import CASES, Mutation, mutate
from monitor.config import Settings
from monitor.rules.rulefile import load_rules
from monitor.usecases.rules import rule_of

EQUIVALENT = 0.05  # more mutants than this share may not be the same rule: then it is said in too many words


def mutate_rules(
    settings: Settings, rule: str = "", cases: int = CASES, step: Callable[[str], None] = lambda _: None
) -> Iterator[Mutation]:
    """What each rule's examples (of all studies, or one rule's) notice of its mutants.

    `cases` generated records decide whether a survivor is the same rule. Raises UsageError when
    no study uses the rule.
    """
    if rule:
        rule_of(settings, rule, None)
    done: set[str] = set()
    for packs in dict.fromkeys(study.rules for study in settings.studies):
        pack = load_rules(settings.path(settings.monitor.rules_dir), packs)
        for each in pack.rules:
            if each.id not in done and rule in ("", each.id):
                done.add(each.id)
                step(each.id)
                with TemporaryDirectory(prefix="monitor-rules-") as folder:
                    yield mutate(pack, each, Path(folder), cases, step)


def passed(found: Mutation) -> bool:
    """Whether the examples notice every mutant that is another rule, and few are the same rule."""
    return not found.missed and len(found.equivalent) <= EQUIVALENT * found.mutants
