"""report: a study's state as a page for a safety board."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption, opened
from monitor.cli.output import say
from monitor.clock import now
from monitor.files import write_atomic
from monitor.reporting.page import markdown, page
from monitor.usecases.report import report as make_report


class ReportForm(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


def report(
    study: Annotated[str, typer.Argument(help="The study's id.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file; without it, standard output.")] = None,
    form: Annotated[ReportForm, typer.Option("--format", help="html, markdown or json.")] = ReportForm.HTML,
    config: ConfigOption = CONFIG,
) -> None:
    """Write a study's report: one self-contained file, with subject codes and no arm."""
    monitor = opened(config)
    document, courses = make_report(monitor, monitor.settings.study(study), now())
    if form is ReportForm.HTML:
        text = page(document, courses)
    elif form is ReportForm.MARKDOWN:
        text = markdown(document)
    else:
        text = json.dumps(document, indent=1, ensure_ascii=False)
    if out is None:
        say(text)
        return
    write_atomic(out, text.encode())
    say(f"wrote {out}")
