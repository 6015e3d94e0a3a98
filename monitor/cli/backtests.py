"""How a backtest is shown: alerts as rows, and what it comes to in a few lines."""

from __future__ import annotations

from monitor.authoring.backtest import Raised
from monitor.cli.output import Row
from monitor.usecases.backtest import Backtest


def backtest_rows(found: Backtest) -> list[Row]:
    """Each alert, in the order of cut-offs; with a draft, whether it is gained, lost or in both."""
    if found.change is None:
        return [_row(each, "") for each in found.current.raised]
    gained, lost = set(found.change.gained), set(found.change.lost)
    rows = [(each, "lost" if each in lost else "both") for each in found.current.raised]
    rows += [(each, "gained") for each in found.draft.raised if each in gained] if found.draft else []
    return [_row(each, said) for each, said in sorted(rows, key=lambda item: (item[0].seen, item[0].subject))]


def _row(raised: Raised, said: str) -> Row:
    row = {
        "subject": raised.subject,
        "opened": raised.opened,
        "seen": raised.day,
        "week": raised.week,
        "severity": raised.severity,
    }
    return {**row, "draft": said} if said else row


def backtest_words(found: Backtest) -> list[str]:
    """How many alerts, on how many subjects and weeks, and what a draft would change."""
    raised = len(found.current.raised)
    weeks = [week.current for week in found.weeks]
    lines = [
        f"{found.rule} in {found.study}, {_many(found.current.cut_offs, 'cut-off')}:"
        f" {_many(raised, 'alert')} of {_many(len(found.subjects), 'subject')},"
        f" at most {max(weeks, default=0)} in a week;"
        f" {_many(found.current.cannot_tell, 'episode')} can't be told at the last cut-off.",
    ]
    if found.change and found.draft:
        lines.append(
            f"The draft: {_many(len(found.draft.raised), 'alert')}, {len(found.change.gained)} gained,"
            f" {len(found.change.lost)} lost, {found.change.kept} in both;"
            f" {_many(found.draft.cannot_tell, 'episode')} can't be told."
        )
    return lines


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
