"""What a scan computes before it writes anything: the data, the context, and each rule's run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy import Connection

import monitor
from monitor.clinical.reach import declared
from monitor.clinical.snapshots import Snapshot, open_known
from monitor.config import MonitorSettings, Settings, StudySettings
from monitor.derive import Derived, derive
from monitor.engines.cutoff import Cut, cut, newest_day
from monitor.engines.duckdb import Engine
from monitor.errors import SourceError
from monitor.records import day_number
from monitor.rules.context import Context
from monitor.usecases.ruleset import Ruleset, study_rules
from monitor.usecases.transfers import current, transfers


@dataclass(frozen=True)
class Prepared:
    """One study's data and rules, ready to be evaluated.

    `tables` are the derived ones up to the cut-off, by domain, and `derived` is their id. `hidden`
    counts the records of each domain that a cut-off date hides, `invalid` its results that are no
    values. `inputs` maps a rule to the hash of everything that its run depends on.
    """

    study: StudySettings
    snapshot: Snapshot
    ruleset: Ruleset
    context: Context
    tables: Mapping[str, Path]
    derived: str
    hidden: Mapping[str, int]
    invalid: Mapping[str, Mapping[str, int]]
    inputs: Mapping[str, str]
    limits: MonitorSettings

    def engine(self) -> AbstractContextManager[Engine]:
        """The engine on the tables: asked for only when a rule must run, as it takes time to start."""
        return Engine(
            self.tables,
            threads=self.limits.threads,
            memory_limit=self.limits.memory_limit,
            criteria=self.ruleset.criteria,
        )


def newest_snapshot(
    connection: Connection, data_dir: Path, study: str, known_at: datetime | None = None
) -> Snapshot:
    """The snapshot that counts now, or counted at `known_at`. Raises SourceError for none.

    One that is held comes with the tables that are judged meanwhile.
    """
    found = current(transfers(connection, study, known_at))
    if found is None:
        when = f" by {known_at.isoformat()}" if known_at else ""
        raise SourceError(f"{study}: nothing was received{when}; run `monitor load`")
    return open_known(data_dir, study, found.ref)


@contextmanager
def prepared(
    settings: Settings, study: StudySettings, taken: Snapshot, now: datetime, as_of: date | None = None
) -> Iterator[Prepared]:
    """A study's data derived, with its rules; the tables are there until the end.

    `as_of` is a what-if in place of the cut-off.
    """
    ruleset = study_rules(settings, study)
    derived = derived_of(ruleset, study, taken, settings.data_dir / "derived" / study.id)
    zone = ZoneInfo(settings.monitor.timezone)
    with TemporaryDirectory(prefix="monitor-cut-") as folder:
        day = as_of or _fixed(study.cutoff)
        shown = cut(derived.tables, day_number(day), Path(folder)) if day else Cut(derived.tables, {})
        context = Context(
            as_of=day_number(day) if day else _cutoff(study.cutoff, taken, derived, now, zone),
            params=ruleset.params,
            lists=ruleset.lists,
            ignored=ruleset.ignored,
            through=_through(taken, study),
            columns=derived.columns,
            same_day=study.same_day,
            ctcae=study.ctcae,
            criteria=ruleset.criteria,
        )
        inputs = _inputs(ruleset, context, derived.id, study)
        yield Prepared(
            study,
            taken,
            ruleset,
            context,
            shown.tables,
            derived.id,
            shown.hidden,
            derived.invalid,
            inputs,
            settings.monitor,
        )


def derived_of(ruleset: Ruleset, study: StudySettings, taken: Snapshot, folder: Path) -> Derived:
    """A snapshot's derived tables below `folder`, as a scan under these rules and settings uses them."""
    through = _through(taken, study)
    ends = {site: day for (domain, site), day in through.items() if domain == "DOSE"}
    return derive(taken.tables, taken.columns, study, folder, ruleset.invalid, ends)


def _fixed(cutoff: str) -> date | None:
    """The cut-off when it is a date."""
    return date.fromisoformat(cutoff) if cutoff[:1].isdigit() else None


def _cutoff(cutoff: str, taken: Snapshot, derived: Derived, now: datetime, zone: ZoneInfo) -> int:
    """The cut-off day: today, the day of receipt, or the newest day of the data up to that day."""
    if cutoff == "today":
        return day_number(now.astimezone(zone).date())
    received = day_number(taken.received_at.astimezone(zone).date())
    if cutoff == "extract":
        return received
    # DAILY goes on to where the data reach although nothing new was recorded.
    newest = [day for domain, day in derived.newest.items() if domain != "DAILY"]
    if all(day <= received for day in newest):
        return max(newest, default=received)
    return newest_day({name: path for name, path in derived.tables.items() if name != "DAILY"}, received)


def _through(taken: Snapshot, study: StudySettings) -> dict[tuple[str, str], int]:
    """How far each domain and site reach, as received or as the study declares by now."""
    reach = declared(taken.manifest["received_through"], study.through)
    return {
        (domain, site): day_number(date.fromisoformat(day))
        for domain, sites in reach.items()
        for site, day in sites.items()
    }


def _inputs(ruleset: Ruleset, context: Context, derived: str, study: StudySettings) -> dict[str, str]:
    """For each rule the hash of all that its run depends on: equal means that nothing can have changed.

    The derived tables count as a whole: the evidence of a finding rests on more domains than
    its rule names. The cut-off counts where the rule asks for it or records are hidden by it.
    """
    common = {
        "derived": derived,
        "through": sorted([*key, day] for key, day in context.through.items()),
        "params": {name: [p.value, p.unit, p.source, p.confirmed] for name, p in context.params.items()},
        "programs": [monitor.__version__, duckdb.__version__],
        "cutoff": context.as_of if _fixed(study.cutoff) else "",
    }
    shared = hashlib.sha256(json.dumps(common, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    found: dict[str, str] = {}
    for rule in ruleset.rules:
        own = {
            "common": shared,
            "version": rule.version,
            "refers_to": [found[name] for name in rule.refers_to],
            "as_of": context.as_of if ruleset.asked[rule.id].as_of else "",
        }
        text = json.dumps(own, sort_keys=True, ensure_ascii=False)
        found[rule.id] = hashlib.sha256(text.encode()).hexdigest()
    return found
