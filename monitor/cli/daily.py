"""init, migrate, load, scan, send, run, status: the daily life of whoever operates the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from monitor import shipped
from monitor.cli.alerts import COLUMNS, for_people
from monitor.cli.options import CONFIG, ConfigOption, FormOption, StudyOption, opened, studies_of
from monitor.cli.output import Form, Row, complain, progress, say, show
from monitor.cli.receipts import attention, load_row, rows_to_look_at
from monitor.clock import now
from monitor.config import load_settings
from monitor.errors import SourceError
from monitor.records import Actor, Outcome, Severity
from monitor.usecases.actor import this_caller
from monitor.usecases.alerts import list_alerts
from monitor.usecases.emergency import last_resort
from monitor.usecases.init import init_folder
from monitor.usecases.load import Loaded
from monitor.usecases.load import load as load_study
from monitor.usecases.migrate import migrate as migrate_database
from monitor.usecases.opening import Opened
from monitor.usecases.run import Ran, working_on
from monitor.usecases.run import run as run_all
from monitor.usecases.scan import Scanned, what_if
from monitor.usecases.scan import scan as scan_study
from monitor.usecases.send import Sent
from monitor.usecases.send import send as send_due
from monitor.usecases.status import status as read_status
from monitor.usecases.verify import verify

MOST_ALERTS = 30  # shown after a run, the most severe first
AGE_COLUMNS = ("study", "domain", "site", "through", "days", "news", "silent", "state")
RULE_COLUMNS = (
    "study",
    "rule",
    "severity",
    "outcome",
    "considered",
    "subjects",
    "fired",
    "cannot_tell",
    "newest",
    "seconds",
)


def init(
    folder: Annotated[Path, typer.Argument(help="Where: here, unless said otherwise.")] = Path(),
) -> None:
    """Make a working installation: configuration, rules, templates, database, key and ledger."""
    made = init_folder(folder, now(), this_caller(), shipped.copy_to)
    for path in made.copied:
        say(f"wrote {path}")
    if made.copied and not shipped.has_pilot():
        say(f"The CDISC pilot study is left out of {CONFIG}: the package {shipped.PILOT} is not here.")
    say(f"Database, key and ledger are in {made.data_dir}; instance {made.instance}, key {made.key_id}.")
    say(f"Keep a copy of {made.data_dir / 'key'} where only its custodian can read it. Next: monitor run")


def migrate(config: ConfigOption = CONFIG) -> None:
    """Bring the database of an older version to this one. Back it up first."""
    done = migrate_database(load_settings(config), now(), this_caller())
    say(f"The database had schema {done.before}; it has {done.after} now.")


def load(config: ConfigOption = CONFIG, study: StudyOption = "", form: FormOption = Form.TABLE) -> None:
    """Receive the data of the studies; the same data again change nothing.

    A study whose data can't be read is said, and keeps none of the others from being loaded.
    """
    monitor, actor = opened(config), this_caller()
    loaded, failed = [], []
    with progress("Loading") as step:
        for each in _each(studies_of(monitor, study), step):
            try:
                loaded.append(_load(monitor, each, actor))
            except SourceError as error:
                failed.append(f"{each}: {error}")
    show(
        [load_row(each) for each in loaded],
        form,
        columns=("study", "number", "said", "received", "rejected", "shared", "domains"),
    )
    rows_to_look_at(loaded, odd=form is Form.TABLE)
    for said in failed:
        complain(said)
    if attention(loaded) or failed:
        raise typer.Exit(1)


def _load(monitor: Opened, study: str, actor: Actor) -> Loaded:
    with working_on(monitor, study) as lease:
        return load_study(monitor, study, now(), actor, lease)


def scan(
    config: ConfigOption = CONFIG,
    study: StudyOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, alert nobody.")] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", formats=["%Y-%m-%d"], help="What if: hide what is dated later. Alerts nobody."
        ),
    ] = None,
    known_at: Annotated[
        datetime | None,
        typer.Option("--known-at", help="What if: hide what came later (UTC). Alerts nobody."),
    ] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Judge the newest data by every rule of each study."""
    monitor = opened(config)
    day = as_of.date() if as_of else None
    known = known_at.replace(tzinfo=UTC) if known_at else None
    with progress("Scanning") as step:
        scanned = [
            what_if(
                monitor, monitor.settings.study(each), now(), as_of=day, known_at=known, timer=perf_counter
            )
            if dry_run or day or known
            else _scan(monitor, each)
            for each in _each(studies_of(monitor, study), step)
        ]
    _scanned(scanned, form)


def _scan(monitor: Opened, study: str) -> Scanned:
    with working_on(monitor, study) as lease:
        return scan_study(
            monitor, monitor.settings.study(study), this_caller(), now(), lease, timer=perf_counter
        )


def send(config: ConfigOption = CONFIG) -> None:
    """Hand over every mail that is due."""
    monitor = opened(config)
    sent = send_due(monitor, this_caller(), now)
    _sent(monitor, sent)
    if not sent.fine:
        raise typer.Exit(1)


def run(config: ConfigOption = CONFIG) -> None:
    """Load, test itself, scan, send, ping: the line for cron. Exit 1 when something failed and was told."""
    if not _ran(config):
        raise typer.Exit(1)


def _ran(config: Path) -> bool:
    """Run everything and print it; whether all was fine."""
    with last_resort(config, now, complain):
        monitor = opened(config)
        with progress("Running") as step:
            ran = run_all(monitor, this_caller(), now, step)
    report(monitor, ran)
    return ran.fine


def status(config: ConfigOption = CONFIG, form: FormOption = Form.TABLE) -> None:
    """Show what the installation holds, and what waits for a person; exit 1 when something is overdue."""
    found = read_status(opened(config), now())
    rows = [
        {**asdict(each), "outcomes": _pairs(each.outcomes), "open_alerts": _pairs(each.open_alerts)}
        for each in found.studies
    ]
    columns = ("study", "loaded", "rows", "rejected", "scanned", "outcomes", "open_alerts", "overdue")
    show(rows if form is Form.TABLE else [asdict(found)], form, columns=columns)
    if form is Form.TABLE:
        ages = [{"study": each.study, **asdict(age)} for each in found.studies for age in each.ages]
        title = "Data: how far they reach, and when something new last came"
        show(ages, form, columns=AGE_COLUMNS, title=title, empty="No data yet.")
        for each in found.studies:
            if each.attention:
                complain(f"{each.study}: the last transfer is {each.attention}")
        say(f"Stage {found.stage}. Mails: {_pairs(found.outbox) or 'none'}.")
        say(f"Ledger head {found.head.seq}:{found.head.mac}")
    if found.unreached or any(each.overdue or each.held for each in found.studies):
        raise typer.Exit(1)


def demo(config: ConfigOption = CONFIG) -> None:
    """Run two trials through the whole chain: no mail leaves this machine."""
    base = config.resolve().parent
    settings = load_settings(config) if config.exists() else None
    if settings is None or not (settings.data_dir / "key").exists():
        init_folder(base, now(), this_caller(), shipped.copy_to)
    fine = _ran(config)
    verdict = verify(load_settings(config))
    said = f"{verdict.entries} entries, {verdict.rows} rows, {verdict.files} files"
    if verdict.intact:
        say(f"Ledger: intact ({said}; head {verdict.head.seq}:{verdict.head.mac[:12]}…).", "green")
    else:
        complain(f"Ledger: NOT INTACT: {verdict.first}")
    if not (fine and verdict.intact):
        raise typer.Exit(1)


def report(monitor: Opened, ran: Ran) -> None:
    """Print what a run did: data, rules, alerts, mails, and plainly what failed."""
    loads = [load_row(each.loaded) for each in ran.studies if each.loaded]
    show(loads, Form.TABLE, columns=("study", "said", "received", "rejected", "domains"), title="Data")
    loaded = [each.loaded for each in ran.studies if each.loaded]
    rows_to_look_at(loaded)
    attention(loaded)
    _scanned([each.scanned for each in ran.studies if each.scanned], Form.TABLE)
    rows = list_alerts(monitor, now())
    title = f"Alerts that wait for a person: {len(rows)}"
    show(for_people(rows[:MOST_ALERTS]), Form.TABLE, columns=COLUMNS, title=title, empty="No open alert.")
    if len(rows) > MOST_ALERTS:
        say(f"… and {len(rows) - MOST_ALERTS} less severe ones: monitor alerts")
    _sent(monitor, ran.sent)
    for failure in (
        *ran.failures,
        *(f"{each.study}: {each.failure}" for each in ran.studies if each.failure),
    ):
        complain(failure)


def _each(studies: Sequence[str], step: Callable[[str], None]) -> Iterator[str]:
    """The studies, each named to the progress display as its turn comes."""
    for study in studies:
        step(study)
        yield study


def _scanned(scanned: Sequence[Scanned], form: Form) -> None:
    """Every rule's run; for people those that say something, and how many were quiet."""
    rows = [
        {name: value for name, value in asdict(result).items() if name != "decisions"}
        for each in scanned
        for result in each.results
    ]
    told = [row for row in rows if form is not Form.TABLE or _tells(row)]
    show(told, form, columns=RULE_COLUMNS, title="Rules", empty="No rule has anything to tell.")
    if len(told) < len(rows):
        quiet = [row["severity"] == Severity.NONE for row in rows if not _tells(row)]
        say(
            f"Not shown: {quiet.count(False)} clear, {quiet.count(True)} that only record for other rules"
            " (monitor scan --format json)."
        )


def _tells(row: Row) -> bool:
    """Whether a person wants to see a rule's run: it is not clear, and does not only record for others."""
    if row["outcome"] == Outcome.BROKEN:
        return True
    return bool(row["outcome"] != Outcome.CLEAR and row["severity"] != Severity.NONE)


def _sent(monitor: Opened, sent: Sent) -> None:
    """Where the mails are, in one or two lines."""
    settings = monitor.settings
    if settings.mail.transport == "folder":
        folder = settings.path(settings.mail.folder)
        say(f"{sent.written} mail(s) written to {folder}; no mail left this machine.")
    else:
        say(f"{sent.sent} mail(s) sent, {sent.retry} to be tried again, {sent.failed} failed.")
    for line in (*map(str, sent.broken_templates), *sent.problems):
        complain(line)


def _pairs(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
