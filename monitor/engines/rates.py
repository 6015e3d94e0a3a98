"""Rules about a study, a site or an arm: from episodes of subjects to findings and an outcome.

Beside the facts of every finding (monitor.engines.findings) theirs has `rate`: over, name, method and
parameters, x and n now, stop_at now, first ([x, n] of the first look at the boundary), table, untold
and outside (subjects), events ([{subject, n, day, told}] in the order of the denominator).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.engines import evidence
from monitor.engines.finder import Finder
from monitor.engines.findings import Setting, common_facts
from monitor.records import EvidenceRow, Finding, RuleRun, Truth
from monitor.rules.english import sentence
from monitor.rules.rate import Member, Over, Tally, reached_on
from monitor.rules.terms import Row

WHERE = {Over.SITE: "SITEID", Over.ARM: "ARM"}


def names(engine: Finder, over: Over, subjects: Sequence[str]) -> Callable[[str], str]:
    """The site or arm of each subject, by DM; "" for one who is not in it."""
    if over is Over.STUDY:
        return lambda subject: ""  # noqa: ARG005
    found = {str(row["USUBJID"]): str(row.get(WHERE[over]) or "") for row in engine.rows("DM", subjects)}
    return lambda subject: found.get(subject, "")


def counted(run: RuleRun, tallies: Sequence[Tally]) -> RuleRun:
    """The run with its numbers: events, subjects, those of whom it can't be told, the last entry."""
    days = [evidence.iso(tallied.members[-1].entered) for tallied in tallies if tallied.members]
    return replace(
        run,
        considered=sum(each.now.x for each in tallies),
        subjects=sum(each.now.n for each in tallies),
        newest=max(days, default=""),
        fired=sum(each.crossed is not None for each in tallies),
        cannot_tell=sum(len(each.untold) for each in tallies),
    )


def state(found: Tally) -> str:
    """Where it stands, in words: "3 of 12 subjects; the boundary is 3"."""
    of = " ".join(part for part in (_of(found), f"{found.now.x} of {found.now.n} subjects") if part)
    wanted = found.boundary.stop_at(found.now.n)
    said = f"{of}; the boundary is {wanted if wanted is not None else 'not reachable yet'}"
    if found.crossed is not None and found.crossed != found.now:
        said += f", first reached with {found.crossed.x} of {found.crossed.n}"
    return said


def _of(found: Tally) -> str:
    """The site; "" for the study. An arm is not named: who reads this may not know who is in which."""
    if found.rate.over is Over.SITE:
        return f"site {found.name or 'not known'}:"
    return "" if found.rate.over is Over.STUDY else "one arm:"


def reached(setting: Setting, found: Tally, engine: Finder) -> Finding:
    """The finding about a study, site or arm whose boundary was reached."""
    rule = setting.rule
    assert found.crossed is not None, "only a boundary that was reached is a finding"
    rows = [(member, _row(setting, member, engine)) for member in found.events]
    return Finding(
        study=setting.study,
        site=found.name if found.rate.over is Over.SITE else "",
        subject="",
        rule=rule.id,
        rule_version=rule.version,
        truth=Truth.TRUE,
        severity=rule.severity,
        level=0,
        keys=tuple(str(row["KEY"]) for _, (_, row) in rows),
        onset=evidence.iso(reached_on(found.members[: found.crossed.n])),
        closed="",
        sentence=f"{state(found)}. {sentence(rule, setting.context)}",
        evidence=tuple(_evidence(domain, row) for _, (domain, row) in rows),
        facts=_facts(setting, found),
    )


def _row(setting: Setting, member: Member, engine: Finder) -> tuple[str, Row]:
    """The record that makes the event, with its domain."""
    episode = member.first
    assert episode is not None, "an event has a record"
    rule = setting.referred.get(episode.rule, setting.rule)
    number = episode.verdicts[0].row
    rows = engine.rows(rule.series.domain, [member.subject])
    return rule.series.domain, next(row for row in rows if row["ROWN"] == number)


def _evidence(domain: str, row: Row) -> EvidenceRow:
    return evidence.evidence_row("found", domain, row, ("USUBJID",))


def _facts(setting: Setting, found: Tally) -> dict[str, Any]:
    """What the mail and the record say beside the evidence."""
    assert found.crossed is not None, "only a boundary that was reached is a finding"
    return {
        **common_facts(setting, "fired"),
        "note": "",
        "drawn": evidence.iso(reached_on(found.members[: found.crossed.n])),
        "assumed": _assumed(found),
        "subjects": [member.subject for member in found.events],
        "records": len(found.events),
        "rate": {
            "over": found.rate.over.value,
            "name": found.name,
            "method": found.rate.boundary.method.value,
            "parameters": _plain(found.rate.boundary.given),
            "x": found.now.x,
            "n": found.now.n,
            "stop_at": found.boundary.stop_at(found.now.n),
            "first": [found.crossed.x, found.crossed.n],
            "table": {each.subjects: each.stop_at for each in found.boundary.ranges},
            "untold": list(found.untold),
            "outside": list(found.outside),
            "events": _events(found),
        },
    }


def _plain(given: Mapping[str, object]) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _events(found: Tally) -> list[dict[str, Any]]:
    """Each subject with an event: the place in the denominator, the day, whether it is sure."""
    return [
        {
            "subject": member.subject,
            "n": place,
            "day": "" if member.first is None else evidence.iso(member.first.opened),
            "told": member.event is Truth.TRUE,
        }
        for place, member in enumerate(found.members, start=1)
        if member.event is not Truth.FALSE
    ]


def _assumed(found: Tally) -> list[str]:
    """What was taken for granted: unknown events, subjects left out, a boundary at its end."""
    said = []
    if found.untold:
        said.append(f"counted as events, because it can't be told: {', '.join(found.untold)}")
    if found.outside:
        said.append(f"events of subjects who are not evaluable, not counted: {', '.join(found.outside)}")
    if found.beyond:
        last = found.rate.boundary.n_max
        said.append(f"the boundary was made for {last} subjects; beyond them its last count holds on")
    return said
