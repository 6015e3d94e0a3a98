"""monitor snapshots: what was received, what is held and what a person decides about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.cli.differences import DiffForm, show_diff
from monitor.cli.options import (
    CONFIG,
    BehalfOption,
    ConfigOption,
    FormOption,
    ReferenceOption,
    StudyOption,
    opened,
)
from monitor.cli.output import Form, Row, complain, progress, say, show
from monitor.clock import now
from monitor.usecases.actor import this_caller
from monitor.usecases.differences import diff
from monitor.usecases.load import Loaded, list_snapshots
from monitor.usecases.proving import prove
from monitor.usecases.snapshots import Shown, decide_transfer, find_snapshot, show_snapshot

snapshots = typer.Typer(
    help="What was received: list (without a further word), show, accept, reject.",
    rich_markup_mode=None,
)
Asked = Annotated[str, typer.Argument(metavar="ID", help="Its number, or the beginning of its id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: it is recorded with your name.")]
COLUMNS = ("study", "number", "snapshot", "received_at", "received", "rejected", "issues", "state", "domains")
SHARED = "Records with one natural key: all are kept"
PROOFS = ("bytes", "rows", "tables", "derived")
DOMAIN_COLUMNS = (
    "domain",
    "rows",
    "received",
    "kept",
    "rejected",
    "collapsed",
    "carried",
    "shared_keys",
    "through",
)


@snapshots.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    form: FormOption = Form.TABLE,
) -> None:
    """List what was received, study by study; or say more with one of the words below."""
    if context.invoked_subcommand is not None:
        return
    monitor = opened(config)
    found = list_snapshots(monitor, study)
    if study and not found:
        monitor.settings.study(study)  # a name that is wrong is no silence
    show([snapshot_row(each) for each in found], form, columns=COLUMNS, empty="Nothing was loaded yet.")
    for each in found:
        if each.state == "held":
            complain(f"{each.study}: snapshot {each.number} is {each.attention}")


def snapshot_row(loaded: Loaded) -> Row:
    """A snapshot as one row; `domains` is rows by domain."""
    return {
        "study": loaded.study,
        "number": loaded.number,
        "snapshot": loaded.snapshot[:12],
        "received_at": loaded.received_at,
        "received": loaded.received,
        "rejected": loaded.rejected,
        "shared": loaded.shared,
        "issues": loaded.issues,
        "state": loaded.state,
        "domains": " ".join(f"{each.domain} {each.rows}" for each in loaded.domains),
    }


@snapshots.command("show")
def show_one(
    asked: Asked, config: ConfigOption = CONFIG, study: StudyOption = "", form: FormOption = Form.TABLE
) -> None:
    """Show one snapshot: files, domains, rejected rows, what was ignored, dropped or odd."""
    found = show_snapshot(opened(config), asked, study)
    if form is not Form.TABLE:
        one = found.transfer
        told = {
            "study": one.study,
            "number": one.number,
            "state": one.state,
            "by": one.by,
            "reason": one.reason,
            "attention": found.attention,
            "shared": [asdict(each) for each in found.shared],
        }
        show([{**found.manifest, **told}], form, columns=("study", "number"))
        return
    _show(found)


def _show(found: Shown) -> None:
    """A snapshot's manifest as tables for a person."""
    one, manifest = found.transfer, found.manifest
    say(f"{one.study}, snapshot {one.number} ({one.id})", "bold")
    say(f"received {one.received_at:%Y-%m-%d %H:%M} UTC, {manifest.get('delivery', 'full')} transfer")
    if found.attention:
        complain(found.attention)
    if one.state == "accepted":
        say(f"It was held, and accepted by {one.by}: {one.reason}")
    reach = one.through or manifest["received_through"]
    domains = [
        {"domain": name, **each, "through": _reach(reach, name)} for name, each in manifest["domains"].items()
    ]
    show(domains, Form.TABLE, columns=DOMAIN_COLUMNS, title="Domains")
    _table(manifest["files"], ("name", "size", "modified", "owner", "hash"), "Files")
    _table(manifest["ignored"], ("name", "reason"), "Not read")
    _table(manifest["rejects"], ("file", "row", "reason"), "Rejected rows")
    _table(manifest["issues"], ("file", "column", "shape", "said", "row", "rows"), "Kept, but odd")
    _table([asdict(each) for each in found.shared], ("domain", "subject", "record", "rows"), SHARED)
    dropped = manifest.get("mapping", {}).get("dropped", [])
    _table(dropped, ("file", "column", "cells"), "Columns left at the door")


def _table(rows: object, columns: tuple[str, ...], title: str) -> None:
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list | tuple) else []
    if listed:
        show(listed, Form.TABLE, columns=columns, title=title)


def _reach(reach: object, domain: str) -> str:
    days = reach.get(domain, {}) if isinstance(reach, dict) else {}
    return ", ".join(f"{site} {day}".strip() for site, day in sorted(days.items()))


@snapshots.command("diff")
def differ(
    before: Annotated[str, typer.Argument(metavar="A", help="A number, or the beginning of an id.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    domain: Annotated[str, typer.Option("--domain", help="Only this domain.")] = "",
    form: Annotated[DiffForm, typer.Option("--format", help="html is a page to be opened in a browser.")] = (
        DiffForm.TABLE
    ),
) -> None:
    """Show which records are new, changed (and how) or removed between two snapshots of a study."""
    show_diff(diff(opened(config), before, after, study, domain), form)


@snapshots.command()
def verify(
    asked: Annotated[str, typer.Argument(metavar="[ID]", help="Its number or id; all, unless given.")] = "",
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Prove that snapshots still follow from the bytes as received; else exit 1, and say what differs."""
    monitor = opened(config)
    with progress("Verifying") as step:
        proved = prove(monitor, asked, study, step)
    rows = [
        {"study": one.study, "number": one.number, "snapshot": one.snapshot[:12], "same": one.same}
        | {name: str(getattr(one, name)) for name in PROOFS}
        for one in proved
    ]
    show(rows, form, columns=("study", "number", "snapshot", *PROOFS), empty="Nothing was loaded yet.")
    if not all(one.same for one in proved):
        raise typer.Exit(1)


@snapshots.command()
def accept(
    asked: Asked,
    reason: ReasonOption,
    study: StudyOption = "",
    on_behalf_of: BehalfOption = "",
    reference: ReferenceOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Take a held transfer as the truth: what it lacks is gone. The next run goes by it."""
    _decide("accepted", asked, reason, study, (on_behalf_of, reference), config)


@snapshots.command()
def reject(
    asked: Asked,
    reason: ReasonOption,
    study: StudyOption = "",
    on_behalf_of: BehalfOption = "",
    reference: ReferenceOption = "",
    config: ConfigOption = CONFIG,
) -> None:
    """Put a held transfer aside, as if it had not come. The next run goes on with the one before."""
    _decide("rejected", asked, reason, study, (on_behalf_of, reference), config)


def _decide(
    what: Literal["accepted", "rejected"],
    asked: str,
    reason: str,
    study: str,
    behalf: tuple[str, str],
    config: Path,
) -> None:
    monitor = opened(config)
    one = find_snapshot(monitor, asked, study)
    done = decide_transfer(
        monitor, one, what, reason, this_caller(on_behalf_of=behalf[0], reference=behalf[1]), now()
    )
    say(f"{done.study}: snapshot {done.number} is {done.state}. The next `monitor run` goes by it.")
