"""log, verify: what an auditor asks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from monitor.audit.export import LogFilter
from monitor.cli.options import CONFIG, ConfigOption, FormOption, StudyOption
from monitor.cli.output import Form, Row, progress, say, show
from monitor.config import load_settings
from monitor.usecases.log import log as read_log
from monitor.usecases.verify import read_anchor
from monitor.usecases.verify import verify as verify_all

SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Only from this day on.")
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Only up to this day.")
]


def log(
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    rule: Annotated[str, typer.Option("--rule", help="Only this rule.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="Only this subject code.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="Only this kind; ending in '.' all that begin so.")
    ] = "",
    since: SinceOption = None,
    until: UntilOption = None,
    last: Annotated[int, typer.Option("--last", min=0, help="Only the newest n entries; 0 is all.")] = 0,
    form: FormOption = Form.TABLE,
) -> None:
    """Read the ledger: every step, who, when and why."""
    settings = load_settings(config)
    wanted = LogFilter(
        study=study or None,
        rule=rule or None,
        subject=subject or None,
        kind=kind or None,
        first_day=since.date() if since else None,
        last_day=until.date() if until else None,
        zone=settings.monitor.timezone,
        last=last or None,
    )
    rows = [asdict(row) for row in read_log(settings, wanted)]
    columns = ("seq", "at", "actor", "kind", "study", "subject", "rule", "said")
    if study and not rows:
        settings.study(study)  # a name that is wrong is no silence
    show([_readable(row) for row in rows] if form is Form.TABLE else rows, form, columns=columns)


def _readable(row: Row) -> Row:
    """The entry's data as one line."""
    said = ", ".join(
        f"{name} {_brief(value)}" for name, value in row["data"].items() if value not in ("", [], {})
    )
    return {**row, "said": said if len(said) <= 200 else said[:199] + "…"}


def _brief(value: object) -> str:
    text = str(value)
    return text[:12] + "…" if len(text) == 64 and text.isalnum() else text


def verify(
    config: ConfigOption = CONFIG,
    anchor: Annotated[
        list[str] | None, typer.Option("--anchor", help="NUMBER:SEAL as a mail carries it; may be repeated.")
    ] = None,
) -> None:
    """Prove that the ledger and all it speaks of are unchanged; else exit 1 and the first broken place."""
    settings = load_settings(config)
    with progress("Verifying") as step:
        verdict = verify_all(settings, map(read_anchor, anchor or []), lambda read: step(f"{read} entries"))
    if verdict.intact:
        say(
            f"Intact: {verdict.entries} entries, {verdict.rows} rows and {verdict.files} files agree. "
            f"Head {verdict.head.seq}:{verdict.head.mac}",
            "green",
        )
        return
    say(f"NOT INTACT: {len(verdict.problems)} problem(s); the first is named first.", "bold red")
    for problem in verdict.problems:
        say(f"  entry {problem.seq}: {problem.what}" if problem.seq is not None else f"  {problem.what}")
    raise typer.Exit(1)
