"""Findings of one rule in one study: what fires, with its evidence and facts.

Facts of a finding, all JSON: outcome (fired, cannot_tell, blind), title, action, note (of the
level that is reached), basis, tags, family, params ({name: {value, unit, source, confirmed}}),
not_protocol_confirmed (names), ctcae, snapshot and derived (ids); of what fires also drawn (the
first firing record), complete (the day of the last record that it needed), received, delay_days
(from complete to received), clocks (of monitor.deadlines), doses_since (texts), last_dose, assumed
(texts); of what is about several subjects subjects, records, rows_not_shown; of what is blind
instead ([{column, words}]).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor.engines import evidence
from monitor.engines.clocks import clocks_of
from monitor.engines.named import clauses, columns
from monitor.records import (
    Days,
    Episode,
    EvidenceRow,
    Finding,
    Severity,
    Truth,
    Verdict,
    day_number,
)
from monitor.rules.answers import Judged, Used
from monitor.rules.case import moment_of, start_of
from monitor.rules.context import Context
from monitor.rules.english import action_words, parameters, sentence, unconfirmed
from monitor.rules.reference import series_rows
from monitor.rules.rule import OfRule, Other, Rule, State, Tie
from monitor.rules.terms import Row
from monitor.rules.windows import in_state


@dataclass(frozen=True)
class Setting:
    """A rule in a study: under what it is judged, and on which data. `derived` may be ""."""

    rule: Rule
    context: Context
    study: str
    snapshot: str
    derived: str
    # The rules that it refers to and their episodes, by id.
    referred: Mapping[str, Rule]
    episodes: Mapping[str, Sequence[Episode]]


@dataclass(frozen=True)
class Subject:
    """What was judged of one subject: the records that decide, in order, and the rows around them."""

    name: str
    judged: Sequence[Judged]
    rows: Mapping[str, Sequence[Row]]

    def of(self, verdict: Verdict) -> Judged:
        """What was judged of one record."""
        return next(one for one in self.judged if one.verdict.row == verdict.row)


def common_facts(setting: Setting, outcome: str) -> dict[str, Any]:
    """What every finding of a rule says: what to do, on which grounds, with which numbers."""
    rule, context = setting.rule, setting.context
    return {
        "outcome": outcome,
        "title": rule.title,
        "action": action_words(rule, context),
        "basis": list(rule.basis),
        "tags": list(rule.tags),
        "family": rule.family,
        "params": {
            used.name: {
                "value": used.value,
                "unit": used.unit,
                "source": used.source,
                "confirmed": used.confirmed,
            }
            for used in parameters(rule, context)
        },
        "not_protocol_confirmed": [used.name for used in unconfirmed(rule, context)],
        "ctcae": context.ctcae,
        "snapshot": setting.snapshot,
        "derived": setting.derived,
    }


# ---------------------------------------------------------------- what fires


def fired(setting: Setting, episode: Episode, subject: Subject) -> Finding:
    """The finding of one episode that fires."""
    rule = setting.rule
    firing = [subject.of(verdict) for verdict in episode.verdicts if verdict.truth is Truth.TRUE]
    severity, level = most_severe(rule, [one.verdict for one in firing])
    return Finding(
        study=setting.study,
        site=str(firing[0].found.get("SITEID") or ""),
        subject=subject.name,
        rule=rule.id,
        rule_version=rule.version,
        truth=Truth.TRUE,
        severity=severity,
        level=level,
        keys=episode.keys,
        onset=evidence.iso(episode.opened),
        closed="" if episode.closed is None else evidence.iso(episode.closed),
        sentence=sentence(rule, setting.context),
        evidence=tuple(_evidence(setting, episode, subject, firing)),
        facts=_fired_facts(setting, episode, subject, firing, level),
    )


def most_severe(rule: Rule, verdicts: Iterable[Verdict]) -> tuple[Severity, int]:
    """The severity and level of the most severe record; of equals the highest level."""
    reached = [
        (rule.levels[verdict.level - 1].severity if verdict.level else rule.severity, verdict.level)
        for verdict in verdicts
    ]
    return max(reached, key=lambda item: (item[0].rank, item[1]))


def _fired_facts(
    setting: Setting, episode: Episode, subject: Subject, firing: Sequence[Judged], level: int
) -> dict[str, Any]:
    doses = subject.rows.get("DOSE", ())
    first, clocks = firing[0], clocks_of(setting.rule, firing, level)
    facts = {
        **common_facts(setting, "fired"),
        "note": setting.rule.levels[level - 1].note if level else "",
        "drawn": evidence.drawn(first.verdict.days, first.verdict.second),
        **_arrival(first),
        "assumed": assumed(setting),
    }
    if clocks:
        facts["clocks"] = clocks
    if doses:
        facts["doses_since"] = evidence.doses_since(doses, episode.opened)
        facts["last_dose"] = evidence.last_dose(doses)
    return facts


def _arrival(first: Judged) -> dict[str, Any]:
    """When the rule could first fire: the last record that it needed, and when all had been received."""
    earlier = (used.row for used in first.used if used.role == "earlier")
    needed = [first.found, *_earliest(first), *earlier]
    last = max((day.high for row in needed if (day := start_of(row)).high is not None), default=None)
    received = max((row["RECEIVED"] for row in needed if row.get("RECEIVED")), default=None)
    facts: dict[str, Any] = {
        "complete": evidence.iso(Days(last, last)),
        "received": evidence.moment(received),
    }
    if last is not None and received is not None:
        arrived = datetime.fromtimestamp(received, UTC).date()
        facts["delay_days"] = day_number(arrived) - last
    return facts


def _earliest(one: Judged) -> list[Row]:
    """Of the other records that made it fire those that it needed, and of others the first of a series."""
    first: dict[tuple[object, ...], Row] = {}
    others = [used for used in one.used if used.role == "with"]
    needed = [used.row for used in others if used.needed]
    others = [used for used in others if not used.needed]
    for used in sorted(others, key=lambda used: int(used.row["ROWN"])):
        first.setdefault((used.domain, *evidence.series_key(used.domain, used.row)), used.row)
    return [*needed, *first.values()]


def assumed(setting: Setting) -> list[str]:
    """What was taken for granted: the order of two records of one day without times."""
    order = setting.context.same_day
    orders = [order if tie is Tie.STUDY else tie for tie in _ties(setting.rule)]
    return [
        f"of two records on one day without times, the other is taken to come {each} the one found"
        for each in dict.fromkeys(str(each) for each in orders)
        if each != Tie.CANNOT_TELL
    ]


def _ties(rule: Rule) -> Iterator[Tie]:
    """What each clause that asks for an order within one day says of it."""
    for clause in clauses(rule):
        if isinstance(clause, Other) and clause.tie is not None:
            yield clause.tie
        elif isinstance(clause, OfRule) and clause.same_day:
            yield Tie.STUDY


# ---------------------------------------------------------------- evidence


def _evidence(
    setting: Setting, episode: Episode, subject: Subject, firing: Sequence[Judged]
) -> list[EvidenceRow]:
    """Each row once, under its weightiest role, in order of role, domain and row."""
    rule = setting.rule
    domain, found = rule.series.domain, firing[0].found
    series = series_rows(rule, subject.rows[domain], setting.context, _own(setting, subject))
    used = [item for verdict in episode.verdicts for item in subject.of(verdict).used]
    chosen = [
        *(item for item in used if item.role == "found"),
        *(item for item in used if item.role == "with"),
        *(item for item in used if item.role == "run"),
        *(item for item in used if item.role == "earlier"),
        *(item for one in firing for item in opening(setting, one, subject)),
        *(Used("clear", domain, one.found) for one in _clearing(episode, subject)),
        *(Used("dose", "DOSE", row) for row in _dose(domain, episode, subject)),
        *(Used("previous", domain, row) for row in evidence.previous(domain, found, series)),
        *(Used("baseline", domain, row) for row in evidence.baseline(domain, found, series)),
    ]
    return rows_of(chosen, named_columns(rule))


def _own(setting: Setting, subject: Subject) -> dict[str, list[Episode]]:
    return {
        name: [episode for episode in episodes if episode.subject == subject.name]
        for name, episodes in setting.episodes.items()
    }


def _dose(domain: str, episode: Episode, subject: Subject) -> list[Row]:
    return [] if domain == "DOSE" else evidence.dose_at(subject.rows.get("DOSE", ()), episode.opened)


def _clearing(episode: Episode, subject: Subject) -> list[Judged]:
    """The records that ended the episode."""
    if episode.closed is None:
        return []
    same_day = [one for one in subject.judged if one.verdict.days == episode.closed]
    return [one for one in same_day if one.verdict.clear is Truth.TRUE or one.verdict.where is Truth.FALSE]


def opening(setting: Setting, one: Judged, subject: Subject) -> list[Used]:
    """The records that opened the other rules' episodes in which a record lies."""
    asked = (clause for clause in clauses(setting.rule) if isinstance(clause, OfRule))
    return [used for clause in asked for used in _opening(setting, clause, one, subject)]


def _opening(setting: Setting, clause: OfRule, one: Judged, subject: Subject) -> list[Used]:
    """The first record of each episode that is as the clause asks; of one that ended, all."""
    context, domain = setting.context, setting.referred[clause.rule].series.domain
    reach = context.reach(domain, str(one.found.get("SITEID") or "")) or 0
    part = slice(None) if clause.state is State.CLOSED else slice(1)
    shown = {
        verdict.row
        for episode in setting.episodes[clause.rule]
        if episode.subject == subject.name
        and in_state(clause, episode, moment_of(one.found), context.same_day, reach)
        for verdict in episode.verdicts[part]
    }
    return [Used("with", domain, row) for row in subject.rows.get(domain, ()) if row["ROWN"] in shown]


def named_columns(rule: Rule) -> dict[str, list[str]]:
    """The columns that the rule names, by domain: they belong in its evidence."""
    named: dict[str, list[str]] = {}
    for domain, column in columns(rule):
        named.setdefault(domain, []).append(column.name)
    return named


def rows_of(used: Iterable[Used], also: Mapping[str, Sequence[str]]) -> list[EvidenceRow]:
    """Rows as evidence, each once; the first role that a row has counts."""
    roles: dict[tuple[str, int], Used] = {}
    for item in used:
        roles.setdefault((item.domain, item.row["ROWN"]), item)
    return [
        evidence.evidence_row(item.role, item.domain, item.row, also.get(item.domain, ()))
        for item in roles.values()
    ]
