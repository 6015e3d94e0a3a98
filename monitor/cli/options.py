"""The options that several commands share, and how a command opens the installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.output import Form, complain
from monitor.config import load_settings
from monitor.usecases.opening import Opened, open_monitor
from monitor.usecases.status import unreached_lines

ConfigOption = Annotated[
    Path,
    typer.Option(  # that it can't be read is told by the reader: a run then sends its emergency mail
        "--config", envvar="MONITOR_CONFIG", readable=False, help="The configuration file."
    ),
]
FormOption = Annotated[Form, typer.Option("--format", help="For people (table) or for programs (json, csv).")]
StudyOption = Annotated[str, typer.Option("--study", help="Only this study.")]
BehalfOption = Annotated[
    str, typer.Option("--on-behalf-of", help="Who decided, when it is not you; needs --reference.")
]
ReferenceOption = Annotated[str, typer.Option("--reference", help="Where that decision is written down.")]

CONFIG = Path("config.toml")


def opened(config: Path) -> Opened:
    """The installation; complains on standard error of mails that have reached nobody."""
    monitor = open_monitor(load_settings(config))
    for line in unreached_lines(monitor):
        complain(line)
    return monitor


def studies_of(monitor: Opened, study: str) -> tuple[str, ...]:
    """The study asked for, checked, or all that are configured."""
    if study:
        return (monitor.settings.study(study).id,)
    return tuple(settings.id for settings in monitor.settings.studies)
