"""`monitor report STUDY`: the study's state as a page for a safety board. Writes nothing, alerts nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitor.config import StudySettings
from monitor.database.transactions import reading
from monitor.engines.duckdb import Engine
from monitor.records import Episode, Truth, day_date
from monitor.reporting import facts
from monitor.reporting.facts import ANSWERS, CLASSES, WITHDRAWN, Course, Share
from monitor.rules.fold import fold
from monitor.rules.rule import Rule
from monitor.usecases.alerts import list_alerts
from monitor.usecases.computing import Prepared, newest_snapshot, prepared
from monitor.usecases.opening import Opened
from monitor.usecases.ruleset import closure

EVALUABLE = "EVALUABLE"
ASKED = frozenset(
    {*CLASSES.values(), *(rule for each in ANSWERS.values() for rule in each), *WITHDRAWN, EVALUABLE}
)


def report(opened: Opened, study: StudySettings, now: datetime) -> tuple[dict[str, Any], tuple[Course, ...]]:
    """The report's facts as JSON, and each dosed subject's course.

    Raises SourceError when nothing was received.
    """
    with reading(opened.engine, "report.look") as connection:
        taken = newest_snapshot(connection, opened.settings.data_dir, study.id)
    alerts = list_alerts(opened, now, studies=[study.id])
    with prepared(opened.settings, study, taken, now) as ready, ready.engine() as engine:
        episodes = _episodes(engine, ready)
        return _document(engine, ready, episodes, alerts)


def _episodes(engine: Engine, ready: Prepared) -> dict[str, Sequence[Episode]]:
    """What the rules that the report asks found; a rule that the study does not use is left out."""
    found: dict[str, Sequence[Episode]] = {}
    for rule in closure(ready.ruleset.rules, ASKED):
        given = [one for name in rule.refers_to for one in found[name]]
        found[rule.id] = fold(rule, engine.find(rule, ready.context, given).verdicts)
    return found


def _document(
    engine: Engine, ready: Prepared, episodes: dict[str, Sequence[Episode]], alerts: list[dict[str, Any]]
) -> tuple[dict[str, Any], tuple[Course, ...]]:
    enrolled = sorted({name for domain in engine.tables for name in engine.words(domain, "USUBJID")})
    main = next(iter(ready.study.drugs), "")
    doses = [row for row in engine.rows("DOSE", enrolled) if not main or row["DRUG"] == main]
    counts = [r for r in engine.rows("LB", enrolled) if r["LBTESTCD"] == "PLAT" and r["VALID"]]
    events = engine.rows("AE", enrolled)
    first: dict[str, int] = {}
    for row in doses:
        if row["GIVEN"] == "Y" and row["DAY_LO"] is not None:
            first[row["USUBJID"]] = min(row["DAY_LO"], first.get(row["USUBJID"], row["DAY_LO"]))
    critical = sum(alert["severity"] == "critical" for alert in alerts)
    cutoff = day_date(ready.context.as_of).isoformat()
    state = f"Data until {cutoff}. {len(alerts)} open alerts, {critical} of them critical."
    document = {
        "study": ready.study.id,
        "synthetic": ready.study.synthetic,
        "state": state,
        "critical": critical,
        "facts": _facts(episodes, enrolled, first, counts),
        "alerts": alerts,
        "events": facts.events_by_term(events),
        "snapshot": f"{ready.snapshot.number}, {ready.snapshot.id[:12]}",
        "derived": ready.derived[:12],
        "rules": _ruleset(ready.ruleset.rules),
        "cutoff": cutoff,
        "window": facts.WINDOW,
    }
    return document, facts.courses(doses, counts, events, first)


def _facts(
    episodes: dict[str, Sequence[Episode]],
    enrolled: list[str],
    first: dict[str, int],
    counts: Sequence[facts.Row],
) -> list[tuple[str, str]]:
    """The table of the trial, line by line; what no rule tells is said so."""
    told = [("enrolled", str(len(enrolled))), ("dosed", str(len(first)))]
    if EVALUABLE not in episodes:
        return [*told, ("class, response, discontinuation", "no rule of this study tells them")]
    stopped = facts.who(episodes, WITHDRAWN)
    done = facts.who(episodes, (EVALUABLE,))
    told.append(("evaluable (26 weeks, or an event that ended the treatment)", str(len(done))))
    classes = facts.entries(episodes, done)
    told += [(f"class at entry: {name}", str(count)) for name, count in (classes or {}).items()]
    shares = facts.answered(episodes, counts, first, done)
    told += [(name, share.said) for name, share in (shares or {}).items()]
    untold = facts.who(episodes, WITHDRAWN, Truth.UNKNOWN) - stopped
    share = Share(len(stopped), len(first), len(untold))
    return [*told, ("related adverse events leading to discontinuation, of all dosed", share.said)]


def _ruleset(rules: Sequence[Rule]) -> str:
    text = ",".join(sorted(f"{rule.id}={rule.version}" for rule in rules))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
