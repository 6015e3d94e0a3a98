"""How a difference of two snapshots is shown: as a table, CSV, JSON, or a page to be read in a browser."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby, islice

import jinja2

from monitor.cli.output import Form, Row, say, show, show_document, write, write_csv
from monitor.clinical.differences import Difference
from monitor.clinical.domains import DOMAINS
from monitor.usecases.differences import Diff

MOST_ROWS = 100  # in a terminal
MOST_ON_PAGE = 5_000
STYLES = {"new": "green", "changed": "yellow", "removed": "red"}
# What is told of a new or removed record: the endings of the columns that hold what happened.
TOLD = (
    "ORRES",
    "ORRESU",
    "STRESC",
    "STRESN",
    "STRESU",
    "TERM",
    "DECOD",
    "SEV",
    "SER",
    "REL",
    "ACN",
    "TRT",
    "DOSE",
    "DOSU",
)
ALSO = {"DM": ("SITEID", "ARM", "SEX", "AGE")}


class DiffForm(StrEnum):
    """The forms of a difference."""

    TABLE = "table"
    CSV = "csv"
    HTML = "html"
    JSON = "json"


def show_diff(diff: Diff, form: DiffForm) -> None:
    """Print a difference."""
    printers = {DiffForm.CSV: _csv, DiffForm.HTML: _html, DiffForm.JSON: _json, DiffForm.TABLE: _table}
    printers[form](diff)


def _table(diff: Diff) -> None:
    for one in (diff.before, diff.after):
        state = f", {one.state}" if one.state else ""
        received = f"{one.received_at:%Y-%m-%d %H:%M} UTC"
        say(f"{one.study}, snapshot {one.number} ({one.id[:12]}{state}), received {received}")
    if diff.same:
        say("Nothing differs: both hold the same records.", "green")
        return
    show(
        [{**asdict(each), "same": each.same} for each in diff.counts],
        Form.TABLE,
        columns=("domain", "before", "after", "same", "new", "changed", "removed"),
    )
    rows = [_line(each) for each in islice(diff.records, MOST_ROWS)]
    show(rows, Form.TABLE, columns=("domain", "what", "subject", "record", "columns"))
    left_out = sum(each.new + each.changed + each.removed for each in diff.counts) - len(rows)
    if left_out:
        say(f"… and {left_out} more: --domain, --format csv, or --format html > diff.html")


def _line(each: Difference) -> Row:
    return {**asdict(each), "columns": "; ".join(_cells(each))}


def _cells(each: Difference) -> Iterable[str]:
    """The columns of a record in words."""
    for cell in each.cells:
        if each.what == "changed":
            yield f"{cell.column}: {_said(cell.was)} → {_said(cell.now)}"
        elif cell.column in told(each.domain):
            yield f"{cell.column}: {_said(cell.now if each.what == 'new' else cell.was)}"


def _said(value: str | None) -> str:
    return "missing" if value is None else value


def told(domain: str) -> frozenset[str]:
    """The columns that are shown of a new or removed record."""
    return frozenset(
        {*(f"{domain}{ending}" for ending in TOLD), *ALSO.get(domain, ())} - {*DOMAINS[domain].key}
    )


def _json(diff: Diff) -> None:
    out = {
        "before": asdict(diff.before),
        "after": asdict(diff.after),
        "counts": [{**asdict(each), "same": each.same} for each in diff.counts],
        "records": [asdict(each) for each in diff.records],
    }
    show_document(out)


def _csv(diff: Diff) -> None:
    """A line for each column that differs; of a new or removed record for each that it has."""
    header = ("domain", "what", "subject", "record", "key", "column", "was", "now")
    write_csv(
        header,
        (
            (each.domain, each.what, each.subject, each.record, each.key, cell.column, cell.was, cell.now)
            for each in diff.records
            for cell in each.cells
        ),
    )


def _html(diff: Diff) -> None:
    page = jinja2.Environment(
        loader=jinja2.PackageLoader("monitor.cli", "."), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("diff.html")
    shown = list(islice(diff.records, MOST_ON_PAGE))
    write(
        page.render(
            diff=diff,
            records=[(domain, list(rows)) for domain, rows in groupby(shown, lambda row: row.domain)],
            labels={each.domain: DOMAINS[each.domain].label for each in diff.counts},
            told={each.domain: told(each.domain) for each in diff.counts},
            left_out=sum(each.new + each.changed + each.removed for each in diff.counts) - len(shown),
        )
    )
