"""The command line: which commands there are, and how an error ends one."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer

import monitor
from monitor.cli import (
    alerts,
    boundaries,
    daily,
    grading,
    inspecting,
    proof,
    reports,
    rules,
    snapshots,
    tools,
)
from monitor.cli.output import complain, say
from monitor.errors import MonitorError

app = typer.Typer(
    name="monitor",
    help="A safety pharmacovigilance monitor for clinical trials.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (
    daily.demo,
    daily.init,
    daily.migrate,
    daily.load,
    daily.scan,
    daily.send,
    daily.run,
    daily.status,
    alerts.alerts,
    alerts.alert,
    alerts.ack,
    alerts.close,
    proof.log,
    proof.verify,
    inspecting.inspect,
    reports.report,
    tools.simulate,
    boundaries.boundaries,
    grading.grade,
):
    app.command()(command)
app.add_typer(snapshots.snapshots, name="snapshots")
app.add_typer(rules.rules, name="rules")
app.add_typer(tools.mail, name="mail")


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A safety pharmacovigilance monitor for clinical trials."""


@app.command()
def version() -> None:
    """Print the program's version."""
    say(monitor.__version__)


def main() -> None:
    """Run a command. Exit 0 fine, 1 something failed and was reported, 2 usage, configuration or rules."""
    sys.exit(ended(app))


def ended(command: Callable[[], object]) -> int:
    """Run a command and say what ended it, in lines for a person; the exit code. Never a traceback."""
    try:
        command()
    except MonitorError as error:
        complain(str(error))
        return error.exit_code
    except OSError as error:
        complain(f"the system refuses: {error}")
        return 1
    except Exception as error:  # noqa: BLE001 the last place to say it; its text may hold patients' values
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno} in {place.name}"
        complain(f"an unforeseen error, {type(error).__name__} at {where}: a fault of the program, report it")
        return 1
    return 0
