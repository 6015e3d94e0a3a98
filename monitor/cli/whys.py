"""How the answer to "why" is shown: each record, its verdict, and each condition below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from monitor.authoring.why import Looked, Why
from monitor.cli.output import Row

STYLES = {"fires": "bold red", "can't tell": "yellow", "silent": "green"}


def why_rows(found: Why) -> list[Row]:
    """Each record as one row."""
    return [{"rule": found.rule, "subject": found.subject, **asdict(each)} for each in found.records]


def why_lines(found: Why) -> Iterator[tuple[str, str]]:
    """Lines for a person, each with its style."""
    yield f"{found.rule} of {found.subject}: {_ended(found)}", "bold"
    if found.parameters:
        yield f"    with {', '.join(found.parameters)}", ""
    for each in found.records:
        yield from _record(each)


def _ended(found: Why) -> str:
    if not found.records:
        return "no record in its series"
    spans = [
        f"{span.verdict} from {span.opened or 'no date'} {_until(span.closed)}" for span in found.episodes
    ]
    return "; ".join(spans) or f"silent on all of {len(found.records)} records"


def _until(closed: str) -> str:
    return f"until {closed}" if closed else "on, not ended"


def _record(each: Looked) -> Iterator[tuple[str, str]]:
    level = f", level {each.level}" if each.level else ""
    yield f"{each.day}  {each.verdict}{level}  {each.holds}  [{each.source}]", STYLES[each.verdict]
    for part in each.parts:
        rests = f"  <- {part.rests_on}" if part.rests_on else ""
        yield f"    {part.answer:<14}{part.asks}{rests}", "dim" if each.verdict == "silent" else ""
    for cause in each.causes:
        yield f"    because       {cause}", "yellow"
