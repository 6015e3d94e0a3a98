"""The report as one self-contained page, as Markdown, or as JSON; charts as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from monitor.reporting.facts import Course

PAGE = Path(__file__).with_name("report.html")
WIDE, TALL, LEFT = 700, 18, 90  # of the swimmer plot
DAYS = 203  # drawn: 29 weeks


def page(document: dict[str, Any], courses: Sequence[Course]) -> str:
    """The report as HTML."""
    shown = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found = shown.from_string(PAGE.read_text(encoding="utf-8"))
    return found.render(**document, swimmers=_swimmers(courses), small=[_small(each) for each in courses])


def markdown(document: dict[str, Any]) -> str:
    """The same facts as text."""
    lines = [f"# Safety report: {document['study']}", "", document["state"], ""]
    lines += [f"- {name}: {value}" for name, value in document["facts"]]
    lines += ["", "## Open alerts", ""]
    lines += [
        f"- {a['severity']} {a['rule']} {a['subject'] or 'study'} {a['kind']}" for a in document["alerts"]
    ]
    lines += ["", "## Adverse events", "", "| class | term | events | subjects | serious | highest grade |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in document["events"]]
    return "\n".join([*lines, ""])


def _swimmers(courses: Sequence[Course]) -> dict[str, Any]:
    """A lane for each subject: doses by their level, held ones, events of grade 3 or more."""
    scale = (WIDE - LEFT - 10) / DAYS
    lanes = [
        {
            "subject": each.subject,
            "y": 24 + TALL * number,
            "doses": [(round(LEFT + scale * day, 1), level) for day, level in each.doses if day <= DAYS],
            "held": [round(LEFT + scale * day, 1) for day in each.held if day <= DAYS],
            "events": [round(LEFT + scale * day, 1) for day in each.events if 0 <= day <= DAYS],
        }
        for number, each in enumerate(courses)
    ]
    weeks = [(week, round(LEFT + scale * 7 * week, 1)) for week in (0, 4, 8, 13, 17, 22, 26)]
    return {
        "lanes": lanes,
        "weeks": weeks,
        "width": WIDE,
        "height": 34 + TALL * len(lanes),
        "step": 7 * scale,
    }


def _small(course: Course) -> dict[str, Any]:
    """One subject's platelets over time, on a scale of their square root up to 500."""

    def place(day: int, count: float) -> str:
        return f"{10 + day:.0f},{96 - 84 * (min(count, 500.0) / 500) ** 0.5:.1f}"

    line = " ".join(place(day, count) for day, count in course.counts if -14 <= day <= DAYS)
    newest = f"{course.counts[-1][1]:g}" if course.counts else "none"
    return {
        "subject": course.subject,
        "line": line,
        "newest": newest,
        "limits": [(n, place(0, n).split(",")[1]) for n in (50, 200, 400)],
    }
