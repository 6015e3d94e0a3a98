"""The nouns of a mail: what is told (Story), to whom and how (Letter), and the fields in words (View)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.delivery.table import Change, Line
from monitor.records import Alert, Finding


@dataclass(frozen=True)
class Story:
    """One alert to be told: the alert, its finding, what became of it and why.

    `previous` is the finding that was told before, when something in it was corrected.
    """

    alert: Alert
    finding: Finding | None
    what: str
    reason: str
    previous: Finding | None = None


@dataclass(frozen=True)
class Letter:
    """What a mail needs besides its stories: who, when, how much may be said."""

    id: str
    kind: str
    message_id: str
    study: str
    severity: str
    sender: str
    to: str
    intended: str
    reply_to: str
    now: datetime
    timezone: str
    level: str
    test: bool
    synthetic: bool
    blinded: bool
    ledger_seq: int
    ledger_mac: str
    link: str = ""


@dataclass(frozen=True)
class Limit:
    """A parameter of the rule with its provenance."""

    name: str
    value: str
    source: str
    confirmed: bool


@dataclass(frozen=True)
class View:
    """One alert in words. Empty text means: not known, or not to be shown at this level."""

    alert: str
    kind: str
    severity: str
    study: str
    site: str
    subject: str
    rule: str
    title: str
    version: str
    state: str
    news: str
    standing: str
    first: bool
    reason: str
    due: str
    clocks: tuple[str, ...]
    detected: str
    dated: str  # what the date is of: Drawn, Began, Given
    drawn: str
    received: str
    delay: str
    doses_since: str
    fired: str
    before: str
    sentence: str
    marked: str
    lines: tuple[Line, ...]
    lines_left_out: int
    changes: tuple[Change, ...]
    causes: tuple[str, ...]
    limits: tuple[Limit, ...]
    unconfirmed: tuple[str, ...]
    action: str
    basis: tuple[str, ...]
    assumed: tuple[str, ...]
    folded: tuple[str, ...]
    subjects: str
    told: tuple[str, ...]
    onset: str
    closed: str
    finding: str
    snapshot: str
    ctcae: str
    acknowledge: str
    link: str
