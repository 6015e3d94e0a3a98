"""`monitor rules mutate`: whether the examples of rules would notice a slip in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.survivors import CASES, Mutation, mutate
from monitor.config import Settings
from monitor.rules.rulefile import load_rules
from monitor.usecases.rules import rule_of

EQUIVALENT = 0.05  # more mutants than this share may not be the same rule: then it is said in too many words


def mutate_rules(
    settings: Settings,
    rule: str = "",
    cases: int = CASES,
    step: Callable[[str], None] = lambda _: None,
    jobs: int = 1,
) -> Iterator[Mutation]:
    """What each rule's examples (of all studies, or one rule's) notice of its mutants.

    `cases` generated records decide whether a survivor is the same rule; `jobs` rules are looked at
    at a time, each in a process of its own. Raises UsageError when no study uses the rule.
    """
    if rule:
        rule_of(settings, rule, None)
    folder = settings.path(settings.monitor.rules_dir)
    asked: dict[str, tuple[str, ...]] = {}
    for packs in dict.fromkeys(study.rules for study in settings.studies):
        for each in load_rules(folder, packs).rules:
            if rule in ("", each.id):
                asked.setdefault(each.id, packs)
    if jobs == 1 or len(asked) == 1:
        for name, packs in asked.items():
            step(name)
            yield _mutated(folder, packs, name, cases, step)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        works = [pool.submit(_mutated, folder, packs, name, cases) for name, packs in asked.items()]
        for number, work in enumerate(works, 1):
            yield work.result()
            step(f"{number} of {len(works)} rules")


def _mutated(
    folder: Path, packs: Sequence[str], rule: str, cases: int, step: Callable[[str], None] = lambda _: None
) -> Mutation:
    """What the examples of one rule notice."""
    pack = load_rules(folder, packs)
    found = next(each for each in pack.rules if each.id == rule)
    with TemporaryDirectory(prefix="monitor-rules-") as work:
        return mutate(pack, found, Path(work), cases, step)


def passed(found: Mutation) -> bool:
    """Whether the examples notice every mutant that is another rule, and few are the same rule."""
    return not found.missed and len(found.equivalent) <= EQUIVALENT * found.mutants
