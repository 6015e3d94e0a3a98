"""mail test, simulate: what operators use now and then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import CONFIG, ConfigOption
from monitor.cli.output import say
from monitor.clock import now
from monitor.config import load_settings
from monitor.usecases.mail_test import mail_test
from monitor.usecases.twin import simulate as write_trial

mail = typer.Typer(help="Try the mail server.", no_args_is_help=True)


@mail.command("test")
def mail_to(
    address: Annotated[str, typer.Argument(help="Who gets the test mail.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Send one test mail and print every reply; says what to ask IT for when it fails."""
    tried = mail_test(load_settings(config), address, now())
    for step in tried.steps:
        say(f"{step.step:<10} {step.reply}")
    say(tried.advice, "green" if tried.accepted else "bold red")
    if not tried.accepted:
        raise typer.Exit(1)


def simulate(
    trial: Annotated[str, typer.Argument(help="The trial, such as romiplostim-aa.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write, empty or new.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    start: Annotated[
        datetime | None,
        typer.Option("--start", formats=["%Y-%m-%d"], help="The day the first subject starts."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv, json (Dataset-JSON) or xpt.")] = "csv",
    inject: Annotated[
        list[str] | None, typer.Option("--inject", help="Plant an event of this kind, or all; repeatable.")
    ] = None,
) -> None:
    """Write a synthetic trial, marked as such."""
    made = write_trial(
        trial, seed, out, start.date() if start else None, form=form, inject=tuple(inject or ())
    )
    counted = ", ".join(f"{domain} {rows}" for domain, rows in made.rows.items())
    say(f"{made.folder}: {counted}; data until {made.until}.")
