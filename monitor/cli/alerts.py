"""alerts, alert, ack, close: what people see and do of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from monitor.alerts.lifecycle import OUTCOMES
from monitor.cli.options import (
    CONFIG,
    BehalfOption,
    ConfigOption,
    FormOption,
    ReferenceOption,
    StudyOption,
    opened,
)
from monitor.cli.output import Form, Row, say, show
from monitor.clock import now
from monitor.usecases import acknowledge
from monitor.usecases.actor import this_caller
from monitor.usecases.alerts import as_json, list_alerts, show_alert

COLUMNS = ("severity", "id", "study", "site", "subject", "rule", "onset", "status", "standing", "due")

AlertArgument = Annotated[str, typer.Argument(help="The alert's id, or a unique beginning of it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger for good.")]


def alerts(
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """List the alerts, the most severe first."""
    monitor = opened(config)
    rows = list_alerts(monitor, now(), studies=(study,) if study else None, everything=everything)
    if study and not rows:
        monitor.settings.study(study)  # a name that is wrong is no silence
    show(for_people(rows) if form is Form.TABLE else rows, form, columns=COLUMNS, empty="No open alert.")


def for_people(rows: Sequence[Row]) -> list[Row]:
    """Times shortened to minutes, and an overdue one said so."""
    shortened: list[Row] = []
    for row in rows:
        due = str(row["due"])
        when = datetime.fromisoformat(due).strftime("%Y-%m-%d %H:%MZ") if due else ""
        kind = "" if row["kind"] == "finding" else f" ({str(row['kind']).replace('_', ' ')})"
        folded = f" (and {', '.join(row['folded'])}, folded into it)" if row.get("folded") else ""
        when = f"{when} overdue" if row["overdue"] else when
        shortened.append({**row, "due": when, "rule": f"{row['rule']}{kind}{folded}"})
    return shortened


def alert(alert: AlertArgument, config: ConfigOption = CONFIG, form: FormOption = Form.TABLE) -> None:
    """Show everything about one alert: its evidence, who was told, its history."""
    shown = show_alert(opened(config), alert, now())
    if form is not Form.TABLE:
        show(
            [{**shown.alert, "finding": shown.finding, "told": shown.told, "history": shown.history}],
            form,
            columns=(),
        )
        return
    about = shown.alert
    say(f"{about['severity'].upper()}  {about['rule']}  {about['study']} {about['subject']}", "bold")
    for name, value in about.items():
        if value not in ("", [], None):
            say(f"  {name.replace('_', ' '):<15} {', '.join(value) if isinstance(value, list) else value}")
    if shown.finding:
        say(f"\n{shown.finding['sentence']}\n")
        show(
            list(map(_evidence, shown.finding["evidence"])),
            form,
            columns=("role", "domain", "day", "received", "content"),
        )
    show(list(map(_step, shown.history)), form, columns=("seq", "at", "actor", "what"), title="History")


def _evidence(row: Row) -> Row:
    return {**row, "content": "  ".join(f"{name} {value}" for name, value in row["cells"])}


def _step(entry: Row) -> Row:
    data = entry["data"]
    said = " · ".join(
        str(data[key]) for key in ("what", "recipient", "state", "outcome", "reason") if data.get(key)
    )
    return {**entry, "what": f"{entry['kind']}: {said}" if said else entry["kind"]}


def ack(
    alert: AlertArgument,
    reason: ReasonOption,
    config: ConfigOption = CONFIG,
    on_behalf_of: BehalfOption = "",
    reference: ReferenceOption = "",
) -> None:
    """Acknowledge an alert: from now on you own it."""
    actor = this_caller(on_behalf_of=on_behalf_of, reference=reference)
    done = acknowledge.ack(opened(config), alert, reason, actor, now())
    say(f"{done.id} is acknowledged by {done.owner}.")


def close(
    alert: AlertArgument,
    reason: ReasonOption,
    outcome: Annotated[str, typer.Option("--outcome", help=f"One of: {', '.join(OUTCOMES)}.")],
    config: ConfigOption = CONFIG,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day of outcome `expected`.")
    ] = None,
    on_behalf_of: BehalfOption = "",
    reference: ReferenceOption = "",
) -> None:
    """Close an alert with its outcome."""
    actor = this_caller(on_behalf_of=on_behalf_of, reference=reference)
    last = until.date() if until else None
    done = acknowledge.close(opened(config), alert, reason, outcome, actor, now(), last)
    say(f"{done.id} is closed: {as_json(done, now())['outcome']}.")
