"""inspect: what is in a folder of unknown files, and how it could be mapped."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable
from rich.text import Text

from monitor.cli.output import STYLES, Drawn, draw, progress, say, text_of, write
from monitor.clock import now
from monitor.inspection.profile import Column
from monitor.shipped import root
from monitor.usecases.inspect import Inspection, Looked
from monitor.usecases.inspect import inspect as look

MOST_ODD = 20  # things that are odd of which each is shown
WORDS = 8  # words of a column that are shown


class Form(StrEnum):
    """What `inspect` can print."""

    TEXT = "text"
    TOML = "toml"
    JSON = "json"


def inspect(
    folder: Annotated[Path, typer.Argument(help="The folder with the files, or one file.")],
    rules: Annotated[
        str, typer.Option("--rules", help="The packs whose sight is told.")
    ] = "generic,romiplostim-aa",
    form: Annotated[
        Form, typer.Option("--format", help="For people (text), for config.toml (toml), for programs (json).")
    ] = Form.TEXT,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file.")] = None,
    rules_dir: Annotated[
        Path | None,
        typer.Option("--rules-dir", help="The folder of the packs; else rules/ here, or the shipped."),
    ] = None,
) -> None:
    """Look at unknown files: what they hold, how they could be mapped, what rules would see."""
    packs = [name.strip() for name in rules.split(",") if name.strip()]
    here = rules_dir or (Path("rules") if Path("rules").is_dir() else root() / "rules")
    with progress("looking") as step:
        seen = look(str(folder), packs, here, now(), step)
    if form is Form.TEXT and out is not None and out.suffix == ".toml":
        form = Form.TOML
    if out is not None:
        out.write_text(_written(seen, form), encoding="utf-8")
        say(f"{out} was written; {seen.decisions} lines in it need a decision.")
    elif form is Form.TEXT:
        draw(_drawn(seen))
    else:
        write(_written(seen, form))


def _written(seen: Inspection, form: Form) -> str:
    if form is Form.TOML:
        return seen.toml
    if form is Form.JSON:
        return json.dumps(asdict(seen), ensure_ascii=False, indent=2, default=str) + "\n"
    return text_of(_drawn(seen))


# ---------------------------------------------------------------- for people


def _drawn(seen: Inspection) -> Drawn:
    for looked in seen.tables:
        yield from _table(looked)
    for ignored in seen.ignored:
        yield Text(f"not read: {ignored.name}: {ignored.reason}", style="dim")
    for problem in seen.problems:
        yield Text(f"can't be read: {problem}", style="red")
    yield from _odd(seen)
    yield from _rules(seen)
    said = f"{seen.decisions} decisions are a person's" if seen.decisions else "nothing is left to decide"
    yield Text(f"\nThe proposed maps: monitor inspect {seen.source} --format toml ({said})", style="bold")


def _table(looked: Looked) -> Drawn:
    table = looked.table
    what = ", ".join(looked.domains) or "no domain that rules read"
    as_is = ", needs no map" if looked.native else ""
    of = f" · {_many(looked.subjects, 'subject')}" if looked.subjects else ""
    about = f" · {_many(table.rows, 'row')}{of} · {what}{as_is}"
    yield Text.assemble((f"\n{table.name}", "bold"), about)
    shown = [column for column in table.columns if _is_shown(looked, column)]
    if shown:
        grid = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
        for name in ("column", "kind", "filled", "distinct", "becomes", "forms and words"):
            grid.add_column(
                name, justify="right" if name in ("filled", "distinct") else "left", overflow="fold"
            )
        for column in shown:
            counts = (f"{column.filled:,}", f"{column.distinct:,}")
            becomes = ", ".join(dict.fromkeys(looked.becomes.get(column.name, ())))
            grid.add_row(column.name, column.kind, *counts, becomes, _told(column))
        yield grid
    rest = [column.name for column in table.columns if not _is_shown(looked, column)]
    if rest:
        yield Text(f"  not used: {', '.join(rest)}", style="dim")


def _is_shown(looked: Looked, column: Column) -> bool:
    """What is proposed for something, or stays outside; all of a table that is proposed for nothing."""
    return column.kind == "personal" or bool(looked.becomes.get(column.name)) or not looked.domains


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _told(column: Column) -> Text:
    if column.kind == "date":
        forms = ", ".join(column.forms)
        told = (
            column.note
            if column.form is None
            else f"read as {column.form}: {column.note}"
            if column.note
            else ""
        )
        style = "bold yellow" if column.form is None else ""
        return Text(f"{forms}{'; ' if told else ''}{told}", style=style)
    if column.note:
        return Text(column.note, style="yellow")
    words = ", ".join(f"{word} ({rows:,})" for word, rows in column.words[:WORDS])
    more = len(column.words) - WORDS
    return Text(words + (f" and {more} more" if more > 0 else ""))


def _odd(seen: Inspection) -> Drawn:
    """What of the values would be kept though it is odd, or rejected."""
    if seen.trial.odd:
        yield Text("\nWhat is odd", style="bold")
    for line in seen.trial.odd[:MOST_ODD]:
        yield Text(f"  {line}", style="yellow")
    if len(seen.trial.odd) > MOST_ODD:
        yield Text(f"  and {len(seen.trial.odd) - MOST_ODD} more: --format json lists all", style="dim")


def _rules(seen: Inspection) -> Drawn:
    yield Text(f"\nWhat the rules of {', '.join(seen.packs)} would see", style="bold")
    for problem in seen.trial.problems:
        yield Text(f"  not yet loadable: {problem}", style="red")
    if not seen.trial.seen:
        return
    grid = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in ("rule", "title", "sees", "what keeps it from seeing or telling"):
        grid.add_column(name, overflow="fold")
    for one in seen.trial.seen:
        sees = (
            "nothing"
            if one.outcome in ("blind", "broken") and not one.records
            else (f"{_many(one.records, 'record')} of {_many(one.subjects, 'subject')}")
        )
        told = f"; can't tell {one.cannot_tell:,}" if one.cannot_tell else ""
        style = STYLES.get(one.outcome, "") if one.outcome in ("blind", "broken", "cannot_tell") else ""
        grid.add_row(one.rule, one.title, Text(sees + told, style=style), one.keeps)
    yield grid
