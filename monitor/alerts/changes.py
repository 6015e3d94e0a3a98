"""What became of the records that a finding rests on: corrected, vanished, or judged anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from monitor.evidence import Identity, identity
from monitor.records import EvidenceRow, Finding

# The records that make a rule fire; the others (previous, dose, baseline) only explain.
FIRING_ROLES = ("found", "with", "run", "earlier")

# SDTM variables, without the domain's two letters, that say what somebody thinks of an event:
# causality, seriousness and its criteria, severity, toxicity grade (SDTMIG 3.4, 6.2).
_JUDGEMENT = re.compile(r"REL\d*|RELNST|SER|SEV|TOXGR|S(CAN|CONG|DISAB|DTH|HOSP|LIFE|OD|MIE)")

# SDTM variables that hold what was measured or given, and when.
_RESULT = re.compile(r"ORRES|ORRESU|STRES[NCU]|DOSE|DOSU|DTC|STDTC")

VANISHED = "no longer there"

CARRIED = "CARRIED"  # the cell of a record that is judged although the held transfer lacks it


@dataclass(frozen=True)
class Change:
    """One column of one record: as told, and as it is now. `column` is "" when the record vanished."""

    domain: str
    key: str
    role: str
    column: str
    was: str
    now: str


def changes(before: Finding | None, rows: Mapping[Identity, EvidenceRow]) -> tuple[Change, ...]:
    """What changed in the firing records of `before`. `rows` are the present ones by identity."""
    found: list[Change] = []
    for told in before.evidence if before is not None else ():
        if told.role in FIRING_ROLES:
            found.extend(_changed(told, rows.get(identity(told))))
    return tuple(found)


def _changed(told: EvidenceRow, row: EvidenceRow | None) -> Iterable[Change]:
    if row is None:
        was = ", ".join(f"{column} {value}" for column, value in told.cells if value)
        yield Change(told.domain, told.key, told.role, "", was, VANISHED)
    elif row.version != told.version:
        now = dict(row.cells)
        for column, value in told.cells:
            if column != CARRIED and now.get(column, "") != value:
                yield Change(told.domain, told.key, told.role, column, value, now.get(column, ""))


def as_it_is(before: Finding, rows: Mapping[Identity, EvidenceRow]) -> Finding:
    """A finding with its firing records as they are now, without those that vanished: for the mail."""
    now = [rows.get(identity(row)) if row.role in FIRING_ROLES else row for row in before.evidence]
    kept = tuple(
        replace(row, role=told.role)
        for row, told in zip(now, before.evidence, strict=True)
        if row is not None
    )
    return replace(before, evidence=kept)


def vanished(found: Iterable[Change]) -> bool:
    """Whether one of the records is no longer there."""
    return any(not change.column for change in found)


def only_judged_anew(found: Iterable[Change]) -> bool:
    """Whether a judgement (causality, seriousness, grade) changed, and nothing that was measured or given."""
    given = tuple(found)
    return any(_is(_JUDGEMENT, change) for change in given) and not any(
        not change.column or _is(_RESULT, change) for change in given
    )


def results(found: Iterable[Change]) -> tuple[Change, ...]:
    """The changes of what was measured or given."""
    return tuple(change for change in found if change.role == "found" and _is(_RESULT, change))


def named(found: Iterable[Change]) -> str:
    """The changed columns, without their values: reasons are kept for ever, values are not."""
    return ", ".join(dict.fromkeys(change.column or f"a record of {change.domain}" for change in found))


def _is(pattern: re.Pattern[str], change: Change) -> bool:
    """Whether a column is of this sort; derived domains name columns without the domain's letters."""
    bare = change.column.removeprefix(change.domain[:2])
    return bool(pattern.fullmatch(change.column) or pattern.fullmatch(bare))
