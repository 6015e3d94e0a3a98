"""Every error that the monitor raises, and the exit code that it ends a command with.

Exit codes: 0 fine, 1 something failed and was reported, 2 usage, configuration or rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong, with its address (file, key or line) and what to do about it."""

    address: str
    said: str

    def __str__(self) -> str:
        return f"{self.address}: {self.said}"


class MonitorError(Exception):
    """Something failed and was reported."""

    exit_code = 1

    def __init__(self, said: str = "") -> None:
        super().__init__(said or type(self).__doc__ or type(self).__name__)


def said_of(error: Exception) -> str:
    """What an error says to people; of an unforeseen one only its kind, as its text may hold values."""
    if isinstance(error, MonitorError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"an unforeseen error, {type(error).__name__}"


class Invalid(MonitorError):
    """What a person wrote can't be used; all its problems at once."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(Invalid):
    """The configuration can't be used."""


class RuleError(Invalid):
    """A rule file can't be used."""


class UsageError(MonitorError):
    """The command was called wrongly."""

    exit_code = 2


class NotInitialised(MonitorError):
    """There is no database, key or ledger here: run `monitor init` first."""

    exit_code = 2


class DatabaseError(MonitorError):
    """The state database can't be reached, read or written."""


class SourceError(MonitorError):
    """A study's data could not be read."""


class EngineError(MonitorError):
    """The engine could not evaluate a rule."""


class LeaseHeld(MonitorError):
    """Another process is working on this study."""


class LeaseLost(MonitorError):
    """The lease on the study was lost; nothing was committed."""


class LedgerError(MonitorError):
    """The ledger can't be written or does not verify; without it no step happens."""


class DeliveryError(MonitorError):
    """A mail could not be handed over; `permanent` says that trying again is no use."""

    def __init__(self, said: str, *, permanent: bool, code: int | None = None) -> None:
        super().__init__(said)
        self.permanent = permanent
        self.code = code
