"""`monitor rules backtest`: what a rule, or a draft of it, would have done over a study's history."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.backtest import Change, History, change, cut_offs, history
from monitor.clinical.sql import connect
from monitor.config import Settings, StudySettings
from monitor.database.transactions import reading
from monitor.errors import Problem, RuleError, UsageError
from monitor.rules.context import Context
from monitor.rules.rule import Rule
from monitor.usecases.computing import newest_snapshot, prepared
from monitor.usecases.opening import Opened
from monitor.usecases.ruleset import closure, study_rules

Step = Callable[[str], None]


@dataclass(frozen=True)
class Week:
    """One week of a backtest; `draft` is None when only the current version was asked."""

    week: str
    current: int
    draft: int | None


@dataclass(frozen=True)
class Backtest:
    """A rule over a study's history. `change` is what a draft would change, if one was given."""

    study: str
    rule: str
    snapshot: int
    version: str
    current: History
    draft: History | None
    change: Change | None

    @property
    def weeks(self) -> tuple[Week, ...]:
        """New alerts by week, for each week with one."""
        now = Counter(each.week for each in self.current.raised)
        then = Counter(each.week for each in self.draft.raised) if self.draft else None
        known = sorted({*now, *(then or ())})
        return tuple(Week(week, now[week], then[week] if then is not None else None) for week in known)

    @property
    def subjects(self) -> dict[str, int]:
        """New alerts of the current version by subject."""
        return dict(sorted(Counter(each.subject for each in self.current.raised).items()))


def backtest(
    opened: Opened,
    study: StudySettings,
    rule: str,
    now: datetime,
    *,
    draft: Path | None = None,
    weekly: bool = False,
    step: Step = lambda _: None,
) -> Backtest:
    """Run a rule at every cut-off of the newest snapshot; writes nothing, alerts nobody.

    `draft` is a rule file that stands for the one of the same name, or a whole rules folder.
    Raises UsageError for a rule that the study does not use, RuleError for a draft that does not
    load, SourceError when nothing was received.
    """
    with reading(opened.engine, "backtest.look") as connection:
        taken = newest_snapshot(connection, opened.settings.data_dir, study.id)
    with prepared(opened.settings, study, taken, now) as ready:
        tables, context = ready.tables, ready.context
        chosen = _chosen(ready.ruleset.rules, rule, study)
        asked = {domain for each in chosen for domain in each.domains} & tables.keys()
        days = cut_offs(_days([tables[domain] for domain in asked], context.as_of), weekly=weekly)
        current = history(chosen, tables, context, days, step)
        changed = None
        if draft is not None:
            drafted, other = _drafted(opened.settings, study, rule, draft, context)
            changed = history(drafted, tables, other, days, lambda said: step(f"draft, {said}"))
    compared = change(current, changed) if changed else None
    return Backtest(study.id, rule, taken.number, chosen[-1].version, current, changed, compared)


def _chosen(rules: Iterable[Rule], rule: str, study: StudySettings) -> tuple[Rule, ...]:
    """The rule, behind those that it refers to."""
    known = tuple(rules)
    if rule not in {each.id for each in known}:
        raise UsageError(
            f"{rule} is not a rule of {study.id}; there is {', '.join(each.id for each in known)}"
        )
    return closure(known, frozenset({rule}))


def _days(tables: Iterable[Path], last: int) -> set[int]:
    """The days on which a record begins, up to the cut-off."""
    with connect() as connection:
        return {
            row[0]
            for path in tables
            if "DAY_LO" in connection.read_parquet(str(path)).columns
            for row in connection.execute(
                "SELECT DISTINCT DAY_LO FROM read_parquet(?) WHERE DAY_LO <= ?", [str(path), last]
            ).fetchall()
        }


def _drafted(
    settings: Settings, study: StudySettings, rule: str, draft: Path, context: Context
) -> tuple[tuple[Rule, ...], Context]:
    """The rules with the draft among them, and the context with its parameters and lists."""
    with TemporaryDirectory(prefix="monitor-rules-") as work:
        folder = Path(work) / "rules"
        shutil.copytree(draft if draft.is_dir() else settings.path(settings.monitor.rules_dir), folder)
        if not draft.is_dir():
            _put(draft, folder, rule)
        place = settings.monitor.model_copy(update={"rules_dir": folder})
        ruleset = study_rules(settings.model_copy(update={"monitor": place}), study)
    other = replace(context, params=ruleset.params, lists=ruleset.lists, ignored=ruleset.ignored)
    return _chosen(ruleset.rules, rule, study), other


def _put(draft: Path, folder: Path, rule: str) -> None:
    """The draft in place of the rule's file."""
    places = sorted(folder.glob(f"*/{rule}.toml"))
    if len(places) != 1 or not draft.is_file():
        said = (
            "there is no such file"
            if not draft.is_file()
            else f"no pack has a rule {rule} that it could replace"
        )
        raise RuleError([Problem(str(draft), f"{said}; name a rule file, or a whole rules folder")])
    shutil.copyfile(draft, places[0])
