"""What a mail says, as plain fields: made from the stored finding and the alert, for the templates.

The facts of a finding that are used here are listed in monitor.engines.findings; each may be absent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.deadlines import clock_words, clocks
from monitor.delivery.letter import Letter, Limit, Story, View
from monitor.delivery.table import changes, lines, permitted
from monitor.records import Alert, AlertKind, AlertStatus, EvidenceRow, Finding, Standing

MOST_LINES = 16
MOST_SUBJECTS = 20
STATES = {
    "opened": "first report",
    "grew": "more of the same",
    "level reached": "more severe than told before",
    "dosed since": "the drug was given since the last mail",
    "fired again": "fires again",
    "clear no longer holds": "open again",
    "cleared": "cleared by the data",
    "corrected": "the data were corrected",
    "withdrawn": "withdrawn: the data were corrected",
    "disputed": "disputed: newer data say less",
    "can't be told": "can't be told any more; stays open",
}
KINDS = {
    AlertKind.FINDING: "",
    AlertKind.CANNOT_TELL: "cannot tell",
    AlertKind.BLIND: "rule saw nothing",
    AlertKind.BROKEN: "rule is broken",
    AlertKind.DATA: "data problem",
    AlertKind.RUN: "run failed",
    AlertKind.HELD: "transfer held",
}
STANDINGS = {
    Standing.PRESENT: "ongoing in the data",
    Standing.CLEARED: "cleared in the data",
    Standing.WITHDRAWN: "withdrawn",
    Standing.GONE: "its record was corrected or is gone",
    Standing.DISPUTED: "disputed by newer data",
}

DATED = {RecordClass.FINDINGS: "Drawn", RecordClass.EVENTS: "Began", RecordClass.INTERVENTIONS: "Given"}
NO_LONGER = (Standing.WITHDRAWN, Standing.GONE, Standing.DISPUTED)  # its records fired, and do no more


def one_line(text: str) -> str:
    """Text without line breaks, control and direction characters: fit for a header."""
    kept = "".join(" " if unicodedata.category(c) in _BREAKING else c for c in text)
    return " ".join(kept.split())


_BREAKING = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def view(story: Story, letter: Letter) -> View:
    """The fields of one alert, as much as the letter's level allows."""
    alert, finding = story.alert, story.finding
    facts: Mapping[str, Any] = finding.facts if finding else {}
    first = story.what in {"opened", ""}
    shown = View(
        alert=alert.id,
        kind=KINDS[alert.kind],
        severity=alert.severity.value,
        study=alert.study,
        site=alert.site,
        subject=_short_subject(alert),
        rule=alert.rule,
        version=alert.rule_version[:12],
        state=STATES.get(story.what, story.what or STATES["opened"]),
        news="" if first else story.what,
        standing=_standing(alert),
        first=first,
        reason=story.reason,
        due=moment(alert.due, letter.timezone),
        clocks=_clocks(alert, finding, letter),
        detected=moment(alert.detected_at, letter.timezone),
        **_times(finding, facts, letter.timezone),
        doses_since="" if letter.blinded else _doses(facts.get("doses_since")),
        **_evidence(story, letter),
        **_rule(facts),
        subjects=_subjects(facts, blinded=letter.blinded),
        told=tuple(person for person in alert.told if person != letter.intended),
        sentence=finding.sentence if finding else "",
        onset=finding.onset if finding else alert.onset,
        closed=finding.closed if finding else "",
        finding=alert.finding,
        acknowledge=f'monitor ack {alert.id} --reason "…"',
        link=letter.link,
    )
    return _link_only(shown) if letter.level == "link" else shown


def _rule(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the rule and its parameters say, as they were when it fired."""
    limits = _limits(facts.get("params", {}))
    return {
        "title": ": ".join(str(facts[name]) for name in ("title", "note") if facts.get(name)),
        "limits": limits,
        "unconfirmed": tuple(f"{one.name} = {one.value}" for one in limits if not one.confirmed),
        "action": str(facts.get("action", "")),
        "basis": _texts(facts.get("basis")),
        "assumed": _texts(facts.get("assumed")),
        "folded": tuple(
            f"{one['rule']} {one['title']} ({one['severity']})" for one in facts.get("folded", ())
        ),
        "snapshot": str(facts.get("snapshot", "")),
        "ctcae": str(facts.get("ctcae", "")),
    }


def _link_only(full: View) -> View:
    """Without anything clinical: study, severity, the alert's id, until when and how to act."""
    kept = {"alert", "study", "severity", "due", "acknowledge", "link"}
    empty: dict[type, Any] = {str: "", tuple: (), int: 0, bool: full.first}
    values = {name: value if name in kept else empty[type(value)] for name, value in vars(full).items()}
    return View(**values)


def _clocks(alert: Alert, finding: Finding | None, letter: Letter) -> tuple[str, ...]:
    """Each clock that the rule sets, as words."""
    zone = ZoneInfo(letter.timezone)
    found = clocks(finding) if finding else ()
    return tuple(clock_words(clock, alert.detected_at, zone) for clock in found)


def _short_subject(alert: Alert) -> str:
    """The subject code without the study's id in front, which the mail shows already."""
    prefix = f"{alert.study}-"
    return alert.subject.removeprefix(prefix) or alert.subject


def _subjects(facts: Mapping[str, Any], *, blinded: bool) -> str:
    """Of a finding about several subjects: how many, how many records, and the first of them."""
    rate = facts.get("rate", {})
    arm = f"arm {rate['name']}: " if rate.get("over") == "arm" and not blinded else ""
    names = [str(name) for name in facts.get("subjects", ())]
    if not names:
        return ""
    more = f" and {len(names) - MOST_SUBJECTS} more" if len(names) > MOST_SUBJECTS else ""
    records = f", {facts['records']} records" if facts.get("records") else ""
    return f"{arm}{len(names)} subjects{records}: {', '.join(names[:MOST_SUBJECTS])}{more}"


def _standing(alert: Alert) -> str:
    """What the data say now, and what people have done."""
    if alert.kind is not AlertKind.FINDING and alert.standing is Standing.PRESENT:
        said = "ongoing"
    else:
        said = STANDINGS[alert.standing]
    return said if alert.status is AlertStatus.OPEN else f"{said}; {alert.status.value}"


def moment(when: datetime | None, timezone: str) -> str:
    """A time in the receiving organisation's zone: 2026-03-02 10:15 UTC+08:00."""
    if when is None:
        return ""
    offset = f"{when.astimezone(ZoneInfo(timezone)):%z}"
    return f"{when.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} UTC{offset[:3]}:{offset[3:]}"


def _times(finding: Finding | None, facts: Mapping[str, Any], timezone: str) -> dict[str, Any]:
    """When the newest firing record was drawn, when it was received, and the days between."""
    found = [row for row in finding.evidence if row.role == "found"] if finding else []
    newest = max(found, key=lambda row: row.day, default=None)
    drawn, received = str(facts.get("drawn", "")), str(facts.get("received", ""))
    delay = _days(facts["delay_days"]) if "delay_days" in facts else _delay(drawn, received)
    if newest and (not drawn or newest.day > drawn[:10]):  # the facts are those of the first
        drawn, received = newest.day, newest.received
        delay = _delay(drawn, received)
    return {
        "dated": _dated(newest),
        "drawn": _time(drawn, timezone),
        "received": _time(received, timezone),
        "delay": delay,
    }


def _dated(row: EvidenceRow | None) -> str:
    """What a record's date is of: a result was drawn, an event began, a dose was given."""
    known = DOMAINS.get(row.domain) if row else None
    return DATED.get(known.record_class, "Dated") if known else "Drawn"


def _time(text: str, timezone: str) -> str:
    """A time with a zone in the organisation's; a time without one (of a site) and a date as they are."""
    if "T" not in text:
        return text
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(when, timezone) if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"


def _delay(drawn: str, received: str) -> str:
    """How many days after the record the data came; empty when a date is partial."""
    try:
        return _days((date.fromisoformat(received[:10]) - date.fromisoformat(drawn[:10])).days)
    except ValueError:
        return ""


def _days(days: int) -> str:
    return "the same day" if days == 0 else f"{days} day{'' if abs(days) == 1 else 's'} later"


def _doses(given: Any) -> str:
    """Doses after the firing record: 'none', a number, or each of them."""
    if given is None:
        return ""
    if isinstance(given, (list, tuple)):
        return f"{len(given)} ({', '.join(map(_dose, given))})" if given else "none"
    return "none" if given == 0 else str(given)


def _dose(given: Any) -> str:
    return (
        " ".join(str(part) for part in given.values() if part) if isinstance(given, Mapping) else str(given)
    )


def _evidence(story: Story, letter: Letter) -> dict[str, Any]:
    """The table, its newest lines if it is long, and what a correction changed."""
    fires = story.alert.standing not in NO_LONGER
    table = lines(story.finding, letter.level, blinded=letter.blinded, fires=fires) if story.finding else ()
    facts: Mapping[str, Any] = story.finding.facts if story.finding else {}
    one_subject = story.finding is not None and story.finding.subject
    fired = [line for line in table if line.strong and one_subject]
    same = [line for line in table if fired and line.record == fired[-1].record and line.role == "before"]
    return {
        "fired": f"{fired[-1].record} {fired[-1].value}".strip() if fired else "",
        "before": ", ".join(line.value.split(" ")[0] for line in same[-3:] if line.value),
        "causes": tuple(_causes(story.finding, letter)),
        "marked": "can't be told" if KINDS[story.alert.kind] else "fires" if fires else "fired before",
        "lines": table[-MOST_LINES:],
        "lines_left_out": max(0, len(table) - MOST_LINES) + int(facts.get("rows_not_shown", 0)),
        "changes": changes(story.previous, story.finding, letter.level, blinded=letter.blinded),
    }


def _causes(finding: Finding | None, letter: Letter) -> Iterable[str]:
    """Why something can't be told, with what was received where the level allows it."""
    for cause in dict.fromkeys(finding.causes) if finding else ():
        where = " ".join(part for part in (cause.domain, cause.column) if part)
        said = f"{cause.kind} ({where})" if where else cause.kind
        harmless = permitted(cause.domain, cause.column, cause.given, letter.level, blinded=letter.blinded)
        yield f"{said}: {cause.given}" if cause.given and harmless else said


def _limits(given: Any) -> tuple[Limit, ...]:
    """Parameters as they stand in the finding: a mapping by name, or a list."""
    named = given.items() if isinstance(given, Mapping) else ((item["name"], item) for item in given)
    return tuple(
        Limit(
            name=str(name),
            value=f"{_number(item['value'])} {item.get('unit', '')}".strip(),
            source=str(item.get("source", "default")),
            confirmed=bool(item.get("confirmed")) or item.get("source") == "protocol",
        )
        for name, item in named
    )


def _number(given: Any) -> str:
    return f"{given:.12g}" if isinstance(given, (int, float)) else str(given)


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(str(item) for item in given or ())
