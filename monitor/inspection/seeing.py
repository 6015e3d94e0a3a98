"""What each rule of the chosen packs would see of tables mapped as proposed: a trial, thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from monitor.clinical.quarantine import Issue, told
from monitor.clinical.snapshots import Snapshot, take_snapshot
from monitor.config import StudySettings
from monitor.derive import derive
from monitor.engines.duckdb import Engine
from monitor.engines.evaluate import evaluate
from monitor.errors import MonitorError
from monitor.records import Cause, Outcome, RuleRun, day_number
from monitor.rules import causes as because
from monitor.rules.context import Context
from monitor.rules.lists import ignored
from monitor.rules.rulefile import Pack, resolve_params, words_for

SAID = {
    because.MISSING_VALUE: "{column} is missing",
    because.UNIT: "the unit of {column} is unknown{given}",
    because.PARTIAL_DATE: "the date is partial or missing",
    because.CENSORED: "the result is beyond a limit of the method",
    because.CONTRADICTION: "the original and the standard result contradict each other",
    because.UNSORTED_WORD: "{column} has a word of no list{given}",
    because.NEGATED_TERM: "{column} says that something is not so",
    because.WINDOW_OPEN: "later data may still decide",
    because.WAITING: "later data decide",
    because.NOT_RECEIVED: "{domain} was not received",
    because.EPISODE: "the rule {column} can't tell",
}
LONGEST = 40  # characters of a word that is told
MOST = 4  # causes of one rule


@dataclass(frozen=True)
class Seen:
    """What a rule would see: `sees` and `keeps` are for people, the counts are of records."""

    rule: str
    title: str
    severity: str
    outcome: str
    records: int
    subjects: int
    fires: int
    cannot_tell: int
    keeps: str


@dataclass(frozen=True)
class Trial:
    """The rules' views, or why the proposal can't be read as it stands; `odd` is what is kept or rejected."""

    seen: tuple[Seen, ...]
    problems: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


def see(study: StudySettings, base: Path, pack: Pack, folder: Path, now: datetime) -> Trial:
    """Load the study into `folder`, run all rules, and say what they saw.

    Nothing of a patient is told: counts, columns, and words of coded columns.
    """
    try:
        taken = take_snapshot(study, base, folder, None, now)
    except MonitorError as error:
        return Trial((), tuple(str(error).splitlines()))
    derived = derive(taken.tables, taken.columns, study, folder / "derived")
    through, criteria = _through(taken), pack.criteria.get(study.ctcae)
    context = Context(
        as_of=max(through.values(), default=day_number(now.date())),
        params=resolve_params(pack, study.params, study.confirmed, study.preset),
        lists=words_for(pack, study.terms),
        ignored=ignored(study.terms),
        through=through,
        columns=derived.columns,
        same_day=study.same_day,
        ctcae=study.ctcae,
        criteria=criteria,
    )
    with Engine(derived.tables, criteria=criteria) as engine:
        runs = evaluate(engine, pack.rules, context, study.id, taken.id)
    titles = {rule.id: rule.title for rule in pack.rules}
    odd = (*_rejected(taken), *told(Issue(**each) for each in taken.manifest["issues"]))
    return Trial(tuple(_seen(run, titles[run.rule]) for run in runs), odd=odd)


def _rejected(taken: Snapshot) -> Iterator[str]:
    """How many rows of each file would be rejected, by reason."""
    counted = Counter((each["file"], each["reason"]) for each in taken.manifest["rejects"])
    yield from (f"{file}: {rows} rows would be rejected: {why}" for (file, why), rows in counted.items())


def _through(taken: Snapshot) -> dict[tuple[str, str], int]:
    return {
        (domain, site): day_number(date.fromisoformat(day))
        for domain, sites in taken.manifest["data_through"].items()
        for site, day in sites.items()
    }


def _seen(run: RuleRun, title: str) -> Seen:
    keeps = _keeps(run)
    return Seen(
        run.rule, title, run.severity.value, run.outcome.value, run.considered, run.subjects, run.fired,
        run.cannot_tell, keeps,
    )  # fmt: skip


def _keeps(run: RuleRun) -> str:
    """What keeps a rule from seeing, or from telling; "" for nothing."""
    if run.outcome in (Outcome.BLIND, Outcome.BROKEN):
        return run.said.split(";")[0]  # what follows names words that are there, which may be free text
    counted = Counter(cause for finding in run.findings for cause in _told(finding.causes))
    return "; ".join(said for said, _ in counted.most_common(MOST))


def _told(causes: Iterable[Cause]) -> set[str]:
    return {
        SAID.get(cause.kind, cause.kind).format(column=cause.column, domain=cause.domain, given=_given(cause))
        for cause in causes
    }


def _given(cause: Cause) -> str:
    """A unit or a coded word; anything longer is no code."""
    if cause.kind not in (because.UNIT, because.UNSORTED_WORD) or not 0 < len(cause.given) <= LONGEST:
        return ""
    return f" ({cause.given})"
