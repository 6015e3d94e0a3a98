"""grade: CTCAE grades for the results of a table, without any study or configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.output import Form, show, write_csv
from monitor.usecases.grade import MADE, grade_file

SHOWN = ("LBTESTCD", "LBSTRESN", "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "BASE", "BNRIND", *MADE)


def grade(
    file: Annotated[Path, typer.Argument(help="The table: .csv, .tsv, .parquet or .xpt.")],
    ctcae: Annotated[str, typer.Option("--ctcae", help="The version of the criteria: 5.0 or 6.0.")],
    form: Annotated[Form, typer.Option("--format", help="For people (table) or for programs.")] = Form.TABLE,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", help="A folder with criteria in ctcae/, in place of the shipped."),
    ] = None,
) -> None:
    """Grade laboratory results by CTCAE: a row out for each row in, with ATOXGRL and ATOXGRH."""
    graded = grade_file(file, ctcae, rules)
    if form is Form.CSV:
        write_csv(graded.columns, ([row[name] for name in graded.columns] for row in graded.rows))
        return
    columns = [name for name in graded.columns if name.strip().upper() in SHOWN]
    show(list(graded.rows), form, columns=columns, empty="The table has no rows.")
