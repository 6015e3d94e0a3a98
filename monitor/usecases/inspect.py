"""`monitor inspect`: looks at unknown files, proposes maps, and says what rules would see."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.clinical.archives import datasets
from monitor.clinical.readers import read
from monitor.clinical.sources import Ignored, receive
from monitor.clinical.sql import Connection, connect
from monitor.config import LimitSettings, StudySettings
from monitor.errors import Problem, SourceError, UsageError
from monitor.inspection.drugs import drugs
from monitor.inspection.guess import Proposal, propose, subject_column
from monitor.inspection.profile import Table, profile
from monitor.inspection.proposal import toml
from monitor.inspection.seeing import Trial, see
from monitor.inspection.words import Word, is_sorted_column, sorted_words
from monitor.rules.rulefile import Pack, load_rules, words_for

TRIED = "INSPECTED"


@dataclass(frozen=True)
class Looked:
    """One table: its profile, its subjects, the domains proposed, and what each column becomes there."""

    table: Table
    subjects: int
    domains: tuple[str, ...]
    native: bool
    becomes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Inspection:
    """All that was seen of a folder, and what is proposed for it."""

    source: str
    tables: tuple[Looked, ...]
    ignored: tuple[Ignored, ...]
    problems: tuple[Problem, ...]
    words: tuple[Word, ...]
    toml: str
    decisions: int
    packs: tuple[str, ...]
    trial: Trial


def inspect(
    source: str, packs: Sequence[str], rules: Path, now: datetime, step: Callable[[str], None]
) -> Inspection:
    """Look at every table of a folder. `rules` is the folder of the packs; `step` is told what is looked at.

    Nothing is kept. Raises SourceError when nothing can be read, RuleError for packs that can't be used.
    """
    pack = load_rules(rules, packs)
    with TemporaryDirectory(prefix="monitor-inspect-") as made, connect() as connection:
        folder = Path(made)
        tables, ignored, problems = _read(connection, source, folder, step)
        proposals = propose(tables)
        words = _words(pack, proposals)
        found = drugs(connection, proposals)
        text = toml(source, packs, proposals, words, found)
        step("the rules")
        trial = see(_tried(text, proposals), Path.cwd(), pack, folder / "trial", now)
        looked = tuple(_looked(table, tables, proposals) for table in tables)
    return Inspection(
        source, looked, ignored, problems, words, text, text.count("DECIDE") - 1, tuple(packs), trial
    )  # fmt: skip


def _read(
    connection: Connection, source: str, folder: Path, step: Callable[[str], None]
) -> tuple[tuple[Table, ...], tuple[Ignored, ...], tuple[Problem, ...]]:
    """The profile of every table that can be read; what can't is listed."""
    if not Path(source).exists():
        raise UsageError(f"{source}: there is no such folder or file")
    files, folders = receive(source, Path.cwd(), folder / "files")
    found, ignored = datasets(files, folder / "members", LimitSettings(), lambda _: "")
    plain = _study({}, source)
    tables, problems = [], []
    for number, dataset in enumerate(found):
        step(dataset.name)
        table = f"raw_{number}"
        wrong = read(connection, dataset, table)
        problems += wrong
        if not wrong:
            names = (dataset.name, dataset.file, dataset.sheet)
            tables.append(profile(connection, plain, names, table))
    if not tables:
        said = "\n".join(str(problem) for problem in problems) or f"{source}: no table in any file there"
        raise SourceError(said)
    return tuple(tables), (*folders, *ignored), tuple(problems)


def _looked(table: Table, tables: Sequence[Table], proposals: Sequence[Proposal]) -> Looked:
    """A table with its subjects counted and its domains."""
    own = [each for each in proposals if each.table is table]
    person = next((each.source for one in own for each in one.columns if each.target == "USUBJID"), "")
    column = table.column(person or subject_column(tables))
    domains = tuple(each.domain if each.sure else f"perhaps {each.domain}" for each in own)
    native = bool(own) and all(each.native for each in own)
    becomes: dict[str, tuple[str, ...]] = {}
    for each in own:
        filled = [(one.source, one.target) for one in each.columns]
        tests = [(source, f"{each.domain}TESTCD {code}") for source, code in each.wide.items()]
        for source, target in (*filled, *tests):
            becomes[source] = (*becomes.get(source, ()), target)
    return Looked(table, column.distinct if column else 0, domains, native, becomes)


def _words(pack: Pack, proposals: Sequence[Proposal]) -> tuple[Word, ...]:
    """The words of causality, action and flags, in the lists of the rules."""
    lists = words_for(pack, {})
    counted: dict[str, dict[str, int]] = {}
    for proposal in proposals:
        for each in proposal.columns:
            column = proposal.table.column(each.source)
            if proposal.sure and column and is_sorted_column(each.target):
                for word, rows in column.words:
                    own = counted.setdefault(each.target, {})
                    own[word] = own.get(word, 0) + rows
    return tuple(word for column, words in counted.items() for word in sorted_words(column, words, lists))


# ---------------------------------------------------------------- the trial


def _study(given: Mapping[str, Any], source: str) -> StudySettings:
    """A study that is only looked at."""
    fixed = {"id": TRIED, "source": source, "ctcae": "5.0", "blinded": True, "mail": "link"}
    return StudySettings.model_validate({"rules": ("generic",), **given, **fixed})


def _tried(text: str, proposals: Sequence[Proposal]) -> StudySettings:
    """The proposal as a study, with what a person has yet to decide filled in so that rules can look.

    Of an undecided date any order will do, as a rule's sight does not depend on it; a drug or a
    date that nothing tells is left out.
    """
    given = tomllib.loads(text)["study"][0]
    maps: dict[str, Any] = given.get("map", {})
    for proposal in proposals:
        if proposal.native or not proposal.sure:
            continue
        own = maps[proposal.domain]
        mine = next(each for each in own if _is_of(each, proposal)) if isinstance(own, list) else own
        _fill(mine, proposal)
    return _study(given, given["source"])


def _is_of(given: Mapping[str, Any], proposal: Proposal) -> bool:
    file = proposal.table.file.rsplit("/", 1)[-1]
    return bool(given["file"] == file and given.get("sheet", "") == proposal.table.sheet)


def _fill(given: dict[str, Any], proposal: Proposal) -> None:
    for each in proposal.columns:
        column = proposal.table.column(each.source)
        if column is None or column.form is not None:
            continue
        form = column.forms[0]
        if form.startswith("??") and form[2:3]:
            sign = form[2]
            year = "yyyy" if "yyyy" in form else "20yy"
            given.setdefault("dates", {})[each.target] = f"dd{sign}mm{sign}{year}"
        if "beyond 12" in column.note or "several" in column.note:
            given.get("dates", {}).pop(each.target, None)
            given.setdefault("columns", {})[each.target] = ""
    treatment = f"{proposal.domain}TRT"
    if treatment in proposal.missing:
        given.setdefault("constants", {})[treatment] = "UNNAMED"
