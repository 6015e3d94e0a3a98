"""The case of one found record: everything that a clause can ask for, and when its records are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.records import Days, Episode, Truth
from monitor.rules.context import Context
from monitor.rules.rule import Rule, Series, Tie, Window
from monitor.rules.series import History
from monitor.rules.terms import Row, Scope
from monitor.rules.truth import holds
from monitor.rules.windows import Moment

ORDINAL = re.compile(r"(?<=-[0-9a-f]{16})-\d+$")  # of KEY, as monitor.clinical.identity makes it


@dataclass(frozen=True)
class Case:
    """One found record, with everything that a clause can ask for."""

    rule: Rule
    context: Context
    row: Row
    others: Mapping[str, Sequence[Row]]  # the subject's rows, by domain
    episodes: Mapping[str, Sequence[Episode]]  # the subject's, by rule
    histories: Mapping[Series, History] = field(default_factory=dict)  # those that are asked for
    members: Mapping[Series, Sequence[Row]] = field(default_factory=dict)  # rows possibly of clauses' series

    @cached_property
    def scope(self) -> Scope:
        """The found record, as a condition sees it."""
        return self.scope_in(self.rule.series.unit)

    def scope_in(self, unit: str) -> Scope:
        """The found record, with numbers in a unit."""
        series = self.rule.series
        return Scope(self.context, series.domain, self.row, unit, history=self.histories.get(series))

    @cached_property
    def days(self) -> Days:
        """The found record's date."""
        return start_of(self.row)

    @cached_property
    def moment(self) -> Moment:
        """When the found record is."""
        return moment_of(self.row)

    @property
    def site(self) -> str:
        """The found record's site: how far data reach depends on it."""
        return self.row.get("SITEID") or ""

    def since_previous(self, window: Window) -> Window | Truth:
        """Where a window begins that asks for the record before the found one, without an end.

        False where there is none before it, unknown where that can't be told.
        """
        earlier = self.histories[self.rule.series].earlier(self.row)
        if earlier is None:
            return Truth.UNKNOWN
        if not earlier:
            return Truth.FALSE
        return Window(earlier[-1]["DAY_LO"] - self.row["DAY_LO"] + (window.low or 0), None)

    def tie(self, tie: Tie | None) -> str | None:
        """Where a record of the same day lies when times don't say it: `study` is as it is configured."""
        return self.context.same_day if tie is Tie.STUDY else tie


def start_of(row: Row) -> Days:
    """The start of a record."""
    return Days(row.get("DAY_LO"), row.get("DAY_HI"))


def end_of(row: Row) -> Days:
    """The end of a record."""
    return Days(row.get("END_LO"), row.get("END_HI"))


def moment_of(row: Row) -> Moment:
    """When a record is."""
    return Moment(start_of(row), end_of(row), row.get("SECOND"))


def event_of(domain: str, row: Row) -> str:
    """What tells one record from another: of events the natural key, of others the row.

    An event that was delivered in several rows (one for each drug, or for each visit at which it
    went on) is one event; the ordinal at the end of KEY tells its rows apart.
    """
    known = DOMAINS.get(domain)
    if known is None or known.record_class is not RecordClass.EVENTS:
        return str(row["ROWN"])
    return natural_key(row["KEY"])


def natural_key(key: str) -> str:
    """A KEY without the ordinal that tells the rows of one event apart."""
    return ORDINAL.sub("", key)


def in_series(series: Series, scope: Scope) -> Truth:
    """Whether a record belongs to a series; what is not a value belongs to none."""
    return holds(series.of, scope) if scope.row.get("VALID", True) else Truth.FALSE
