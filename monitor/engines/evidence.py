"""The records that a finding rests on, as a person may want to see them: rows, doses, dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from monitor.clinical.delivery import CARRIED_OVER
from monitor.records import Days, EvidenceRow, day_date
from monitor.rules.case import start_of
from monitor.rules.series import partition_of
from monitor.rules.terms import Row

# SDTM variables, without the domain's letters, that belong in evidence: what was measured, in
# which unit, between which limits, when; the event, what was done about it, how it is related.
# Free text is among them: each cell names its column, so that a mail can leave it out.
_PARTS = """
    TESTCD TEST SPEC ORRES ORRESU STRESN STRESC STRESU STNRLO STNRHI ORNRLO ORNRHI NRIND STAT REASND TPT
    TERM MODIFY DECOD SEV TOXGR SER SCAN SCONG SDISAB SDTH SHOSP SLIFE SOD SMIE
    ACN ACN1 ACN2 ACN3 ACN4 REL REL1 REL2 REL3 REL4 RELNST OUT CAT SCAT
    TRT DOSE DOSU DOSFRQ ROUTE ADJ INDC DTC STDTC ENDTC
"""
_NAMES = """
    VISIT DRUG GIVEN REASON DOSE DOSEU DOSEKG LEVEL PREVLEVEL DOSEDTC DOSEENDTC DAILYDTC DAILYU
    ACN REL BASE CHG PCHG INVALID BNRIND BASENOTE ATOXGRL ATOXGRH BTOXGRL BTOXGRH
"""
PARTS = tuple(_PARTS.split())
NAMES = tuple(_NAMES.split())
PREVIOUS = 3  # values of the series that are shown before the first that fires
LISTED = 6  # doses that are listed one by one


def evidence_row(role: str, domain: str, row: Row, also: Iterable[str] = ()) -> EvidenceRow:
    """A row of a derived table as evidence; `also` are further columns, such as those the rule names."""
    wanted = dict.fromkeys((*(domain[:2] + part for part in PARTS), *NAMES, *also))
    cells = tuple((name, said(row[name])) for name in wanted if row.get(name) is not None)
    if str(row.get("SOURCE") or "").startswith(CARRIED_OVER):
        cells += (("CARRIED", CARRIED_OVER.removesuffix(": ")),)
    return EvidenceRow(
        role=role,
        domain=domain,
        key=str(row["KEY"]),
        version=str(row.get("VERSION") or ""),
        day=iso(start_of(row)),
        received=moment(row.get("RECEIVED")),
        cells=cells,
    )


def said(value: object) -> str:
    """A cell as text; numbers with at most 12 significant digits."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def moment(seconds: int | None) -> str:
    """Epoch seconds as ISO 8601 in UTC; "" when not known."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def iso(days: Days) -> str:
    """A date as ISO 8601: a day, a month, a year, else first/last; "" when it is missing."""
    if days.low is None or days.high is None:
        known = days.low if days.low is not None else days.high
        return "" if known is None else day_date(known).isoformat()
    first, last, after = day_date(days.low), day_date(days.high), day_date(days.high + 1)
    if days.exact:
        return first.isoformat()
    if first.day == 1 and after.day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    if (first.month, first.day) == (1, 1) and (last.month, last.day) == (12, 31) and first.year == last.year:
        return f"{first:%Y}"
    return f"{first.isoformat()}/{last.isoformat()}"


def drawn(days: Days, second: int | None) -> str:
    """When a record was made: its date, with the site's time of day if it has one."""
    if second is None or not days.exact:
        return iso(days)
    hours, minutes, rest = second // 3600, second // 60 % 60, second % 60
    return f"{iso(days)}T{hours:02}:{minutes:02}:{rest:02}"


# ---------------------------------------------------------------- the same series


def series_key(domain: str, row: Row) -> tuple[object, ...]:
    """What tells one series of a subject from another: test and specimen, or drug; () for events."""
    return partition_of(domain, row)


def same_series(domain: str, row: Row, others: Sequence[Row]) -> list[Row]:
    """Those of the records that have the same test and specimen (or drug) as a record.

    Events make no series: none.
    """
    key = series_key(domain, row)
    return [other for other in others if series_key(domain, other) == key] if key else []


def previous(domain: str, row: Row, series: Sequence[Row]) -> list[Row]:
    """The three records of its series before a record. `series` is in order."""
    before = [other for other in same_series(domain, row, series) if other["ROWN"] < row["ROWN"]]
    return before[-PREVIOUS:]


def baseline(domain: str, row: Row, series: Sequence[Row]) -> list[Row]:
    """The record of the series that is flagged as the baseline, if there is one."""
    flags = (f"{domain[:2]}LOBXFL", f"{domain[:2]}BLFL")
    flagged = [
        other for other in same_series(domain, row, series) if any(other.get(flag) == "Y" for flag in flags)
    ]
    return [other for other in flagged if other["ROWN"] != row["ROWN"]][-1:]


# ---------------------------------------------------------------- doses


def dose_at(doses: Sequence[Row], days: Days) -> list[Row]:
    """For each drug the last record of DOSE that began on or before a day. `doses` are in order."""
    if days.low is None:
        return []
    last = {row.get("DRUG"): row for row in doses if row["DAY_LO"] is not None and row["DAY_LO"] <= days.low}
    return sorted(last.values(), key=lambda row: int(row["ROWN"]))


def given(doses: Sequence[Row]) -> list[Row]:
    """The doses that were given one by one: a drug that is taken continuously tells nothing here."""
    return [
        row
        for row in doses
        if row.get("GIVEN") == "Y" and (row.get("DOSE") or 0) > 0 and row.get("DRUGKIND") != "continuous"
    ]


def doses_since(doses: Sequence[Row], days: Days) -> list[str] | str:
    """The doses given after a day, each as `2026-03-03 romiplostim 700 ug`; many as a number and dates."""
    after = [
        row
        for row in given(doses)
        if days.high is not None and row["DAY_LO"] is not None and row["DAY_LO"] > days.high
    ]
    if len(after) > LISTED:
        return f"{len(after)} ({iso(start_of(after[0]))} to {iso(start_of(after[-1]))})"
    return [_dose(row) for row in after]


def _dose(row: Row) -> str:
    unit = row.get("DOSEU") or row.get("UNIT")
    parts = (iso(start_of(row)), row.get("DRUG"), said(row.get("DOSE")), unit)
    return " ".join(str(part) for part in parts if part)


def last_dose(doses: Sequence[Row]) -> str:
    """The date of the last dose that was given, "" when there is none."""
    days = [row["DAY_LO"] for row in given(doses) if row["DAY_LO"] is not None]
    return day_date(max(days)).isoformat() if days else ""
