"""The nouns that pass between the rooms, all frozen. Days are integers since 1970-01-01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days from 1970-01-01 to `day`."""
    return (day - EPOCH).days


def day_date(number: int) -> date:
    """The date that lies `number` days after 1970-01-01."""
    return EPOCH + timedelta(days=number)


class Truth(IntEnum):
    """Three-valued logic, ordered so that `or` is max, `and` is min and `not x` is 2 - x."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


class Kind(StrEnum):
    """What an expression yields."""

    NUMBER = "number"  # without a dimension
    QUANTITY = "quantity"  # in the unit of its series
    TEXT = "text"
    DATE = "date"


class Severity(StrEnum):
    """How urgent a finding is, as the rule's author says it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"

    @property
    def rank(self) -> int:
        """4 for critical down to 0 for none."""
        return 4 - list(Severity).index(self)

    @property
    def one_lower(self) -> Severity:
        """One severity lower; `low` stays `low`."""
        order = list(Severity)
        return order[min(order.index(self) + 1, order.index(Severity.LOW))]


class Outcome(StrEnum):
    """How one rule's run in one study ended."""

    BROKEN = "broken"
    FIRED = "fired"
    CANNOT_TELL = "cannot_tell"
    BLIND = "blind"
    CLEAR = "clear"


@dataclass(frozen=True)
class Days:
    """A date that may be partial: the first and last day that it can be; None is unbounded."""

    low: int | None
    high: int | None

    @property
    def exact(self) -> bool:
        """Whether it is one known day."""
        return self.low is not None and self.low == self.high


@dataclass(frozen=True)
class Verdict:
    """What a rule says of one record of its series.

    `row` is the record's row number in the derived table (ROWN), `key` its identity across
    transfers. `truth` is of the whole rule (where, with, without), `where` of the condition
    on the record alone, `clear` of the clear condition. `level` is 0 for the rule's own
    severity, else the number (from 1) of the [[level]] that holds.
    """

    subject: str
    row: int
    key: str
    days: Days
    second: int | None
    truth: Truth
    where: Truth
    clear: Truth
    level: int = 0


@dataclass(frozen=True)
class Cause:
    """Why a record can't be told. `given` is what was received: for mails, never for logs."""

    kind: str
    domain: str
    column: str = ""
    given: str = ""


@dataclass(frozen=True)
class Episode:
    """A run of firing records of one subject and rule.

    `truth` is TRUE when at least one record fires and UNKNOWN when some can only not be told.
    `opened` is the first day, `closed` the day on which the data cleared it (None: still open).
    `second` is the time of day of the opening record, if it has one.
    """

    rule: str
    subject: str
    truth: Truth
    verdicts: tuple[Verdict, ...]
    opened: Days
    second: int | None = None
    closed: Days | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its records, each once, in order."""
        return tuple(dict.fromkeys(verdict.key for verdict in self.verdicts))


@dataclass(frozen=True)
class EvidenceRow:
    """A record that a finding rests on, as received. `role` says why it is here.

    Roles: found, with, run (an occasion), earlier (asked for), previous, dose, baseline, clear.
    """

    role: str
    domain: str
    key: str
    version: str
    day: str
    received: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Finding:
    """Immutable evidence that a rule fires, or can't tell, for one subject (or the study).

    `id` is the hash of its canonical JSON. `severity` and `level` are those of the most
    severe record. `onset` is the ISO date (perhaps partial) of the first firing record.
    """

    study: str
    site: str
    subject: str
    rule: str
    rule_version: str
    truth: Truth
    severity: Severity
    level: int
    keys: tuple[str, ...]
    onset: str
    closed: str
    sentence: str
    evidence: tuple[EvidenceRow, ...] = ()
    causes: tuple[Cause, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleRun:
    """One rule's run in one study. Counts are of records of the rule's series."""

    study: str
    rule: str
    version: str
    severity: Severity
    outcome: Outcome
    considered: int
    subjects: int
    newest: str
    fired: int
    cannot_tell: int
    findings: tuple[Finding, ...] = ()
    said: str = ""
    seconds: float = 0.0

    @property
    def could_see(self) -> bool:
        """Whether it judged the study: not broken, and blind at most for the subjects of a finding's keys."""
        blind = self.outcome is Outcome.BLIND
        return any(finding.keys for finding in self.findings) if blind else self.outcome is not Outcome.BROKEN


@dataclass(frozen=True)
class Entry:
    """A step to be written in the ledger, before it has its number, time and actor."""

    kind: str
    data: Mapping[str, Any]
    study: str = ""
    subject: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Actor:
    """Who does something: the operating-system user, and how that is known (`auth`)."""

    name: str
    auth: str
    on_behalf_of: str = ""
    reference: str = ""


class AlertKind(StrEnum):
    """What an alert is about."""

    FINDING = "finding"
    CANNOT_TELL = "cannot_tell"
    BLIND = "blind"
    BROKEN = "broken"
    DATA = "data"
    RUN = "run"
    HELD = "held"


class AlertStatus(StrEnum):
    """What people have done about an alert; data never change it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Standing(StrEnum):
    """What the data say of an alert now, beside what people have done."""

    PRESENT = "present"
    CLEARED = "cleared"
    WITHDRAWN = "withdrawn"
    GONE = "gone"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class Alert:
    """A conversation about one episode. Times are aware, in UTC.

    `keys` are the record keys that it rests on; `finding` the id of its newest finding; `told` the
    addresses that were told; `standing` what the data say now (GONE: a person must withdraw it).
    """

    id: str
    kind: AlertKind
    study: str
    site: str
    subject: str
    rule: str
    rule_version: str
    severity: Severity
    level: int
    status: AlertStatus
    standing: Standing
    keys: tuple[str, ...]
    finding: str
    onset: str
    detected_at: datetime
    due: datetime | None
    told: tuple[str, ...] = ()
    owner: str = ""
    closed_outcome: str = ""
    backfill: bool = False


@dataclass(frozen=True)
class Decision:
    """What becomes of one alert in one scan, and why; also the decision to stay silent.

    `what` is a word of the alert's story (opened, grew, level reached, corrected, unchanged …).
    `alert` is the alert as it is afterwards. `tell` says whether a mail goes out at once,
    `summary` whether it belongs in the first scan's one summary.
    """

    what: str
    reason: str
    alert: Alert
    finding: Finding | None
    tell: bool
    summary: bool = False
