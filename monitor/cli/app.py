"""The command line: which commands there are, and how an error ends one."""

from __future__ import annotations

import sys

import typer

import monitor
from monitor.cli import alerts, daily, proof, tools
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
    proof.snapshots,
    tools.simulate,
):
    app.command()(command)
app.add_typer(tools.rules, name="rules")
app.add_typer(tools.mail, name="mail")


@app.command()
def version() -> None:
    """Print the program's version."""
    say(monitor.__version__)


def main() -> None:
    """Run a command. Exit 0 fine, 1 something failed and was reported, 2 usage, configuration or rules."""
    try:
        app()
    except MonitorError as error:
        complain(str(error))
        sys.exit(error.exit_code)
