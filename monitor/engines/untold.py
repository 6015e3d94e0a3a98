"""What can't be told of a rule in a study, gathered: per subject, per cause, or once for all."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from monitor.engines import doubts
from monitor.engines.blindness import Emptiness
from monitor.engines.findings import Setting, Subject, named_columns, rows_of
from monitor.records import Cause, EvidenceRow, Finding, Severity, Truth
from monitor.rules import causes as because
from monitor.rules.answers import Judged

# Of these causes each given word is a cause of its own: a person sorts words and maps units.
BY_WORD = (because.UNIT, because.UNSORTED_WORD)


@dataclass
class Group:
    """The records of one cause."""

    keys: list[str] = field(default_factory=list)
    subjects: dict[str, None] = field(default_factory=dict)
    rows: list[EvidenceRow] = field(default_factory=list)
    causes: dict[Cause, None] = field(default_factory=dict)


@dataclass
class Untold:
    """Takes subjects one after the other, and gives the findings at the end.

    A cause of the whole study (an empty column, a domain that was not received) is told once,
    in one finding; what else can't be told per subject for critical and high rules, else once for
    each cause. Records that only wait for a window to end are not told.
    """

    setting: Setting
    emptiness: Emptiness
    wide: Group = field(default_factory=Group)
    single: list[Finding] = field(default_factory=list)
    groups: dict[Cause, Group] = field(default_factory=dict)

    def add(self, subject: Subject, told: Set[int]) -> None:
        """One subject; `told` are the rows of records in episodes that fire."""
        unknown = [one for one in subject.judged if one.verdict.truth is Truth.UNKNOWN and not waits(one)]
        pending = [one for one in unknown if not self._is_wide(one) and one.verdict.row not in told]
        if pending and self.setting.rule.severity.rank >= Severity.HIGH.rank:
            self.single.append(doubts.untold(self.setting, subject, pending))
            return
        for one in pending:
            for cause in told_causes(one):
                self._keep(self.groups.setdefault(_group_of(cause), Group()), one, [cause])

    def _is_wide(self, one: Judged) -> bool:
        """Whether a cause of the whole study keeps the record from being told; it then is kept."""
        wide = [cause for cause in one.causes if self.emptiness.is_study_wide(cause)]
        if wide:
            self._keep(self.wide, one, wide)
        return bool(wide)

    def _keep(self, group: Group, one: Judged, causes: list[Cause]) -> None:
        group.keys.append(one.verdict.key)
        group.subjects[one.verdict.subject] = None
        group.causes.update(dict.fromkeys(causes))
        if len(group.rows) < doubts.SHOWN:
            group.rows += rows_of(one.used[:1], named_columns(self.setting.rule))

    def findings(self) -> Iterator[Finding]:
        """The finding about the study first, then those of subjects, then those of causes."""
        if self.wide.causes:
            # Without keys: it speaks of every record of the study.
            yield self._finding(self.wide, list(self.wide.causes), keys=[])
        yield from self.single
        for cause in sorted(self.groups, key=_order):
            yield self._finding(self.groups[cause], [cause], keys=self.groups[cause].keys)

    def _finding(self, group: Group, causes: list[Cause], keys: list[str]) -> Finding:
        return doubts.study_wide(
            self.setting,
            sorted(causes, key=_order),
            keys=keys,
            subjects=group.subjects,
            records=len(group.keys),
            rows=group.rows,
        )


def waits(one: Judged) -> bool:
    """Whether a record can't be told only because the data have not passed the end of a window."""
    return bool(one.causes) and all(cause.kind == because.WAITING for cause in one.causes)


def told_causes(one: Judged) -> list[Cause]:
    """The causes that are told; waiting is none."""
    return [cause for cause in one.causes if cause.kind != because.WAITING]


def _group_of(cause: Cause) -> Cause:
    given = cause.given if cause.kind in BY_WORD else ""
    return Cause(cause.kind, cause.domain, cause.column, given)


def _order(cause: Cause) -> tuple[str, str, str, str]:
    return (cause.kind, cause.domain, cause.column, cause.given)
