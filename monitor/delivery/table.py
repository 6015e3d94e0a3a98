"""Evidence rows in words: what was measured, its value, and which columns a mail may show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.evidence import identity, is_of_study
from monitor.records import EvidenceRow, Finding

# Column endings (without the domain's two letters) that hold codes, numbers, dates and units.
# A mail of level `coded` shows these only; everything else may hold somebody's free words.
_CODED = """
    TESTCD TEST STRESN STRESU ORRESU STNRLO STNRHI ORNRLO ORNRHI NRIND SPEC STAT BLFL FAST TPT
    VISITNUM DOSE DOSU DOSFRQ ROUTE DOSFRM DECOD SOC BODSYS SEV SER ACN REL OUT TOXGR TOXGRL TOXGRH
    ACN1 ACN2 ACN3 ACN4 REL1 REL2 REL3 REL4 RELNST
    SOD SCAN SDTH SLIFE SHOSP SDISAB SCONG SMIE DTC STDTC ENDTC DT STDT ENDT DY STDY ENDY CAT SCAT
"""
CODED = frozenset(_CODED.split())
_CODED_NAMES = """
    VISIT VISITNUM EPOCH DRUG DT DOSE DOSEU DOSEKG GIVEN LEVEL PREVLEVEL ACN REL BASE CHG PCHG
    INVALID BNRIND BASENOTE ATOXGRL ATOXGRH BTOXGRL BTOXGRH UNIT SITEID CARRIED
"""
CODED_NAMES = frozenset(_CODED_NAMES.split())
RESULTS = frozenset({"STRESC", "ORRES"})  # shown when they are a number or one short code
SHORT_RESULT = re.compile(r"[<>=≤≥~]*\s*[-+]?[\d.,]+(\s*[eE][-+]?\d+)?|[A-Za-z+\-]{1,12}")
ARMS = frozenset({"ARM", "ARMCD", "ACTARM", "ACTARMCD", "ARMNRS"})
TREATMENT = frozenset({"EX", "EC", "DOSE", "DAILY"})  # domains that tell which treatment was given
ROLES = {
    "found": "fires",
    "with": "together with",
    "run": "earlier in the run",
    "earlier": "before",
    "previous": "before",
    "dose": "dose at the time",
    "dose_since": "dose since",
    "baseline": "baseline",
    "clear": "cleared by",
}


@dataclass(frozen=True)
class Line:
    """One line of the evidence table. `note` is range, baseline, grade; `strong` marks what fires."""

    day: str
    record: str
    value: str
    note: str
    role: str
    strong: bool


@dataclass(frozen=True)
class Change:
    """What a correction changed: one value of one record, or the record itself."""

    day: str
    record: str
    old: str
    new: str


def shown(row: EvidenceRow, level: str, *, blinded: bool) -> dict[str, str]:
    """The cells of a row that a mail of this level may show (link: none)."""
    return {
        name: text
        for name, text in row.cells
        if text.strip() and permitted(row.domain, name, text, level, blinded=blinded)
    }


def permitted(domain: str, name: str, text: str, level: str, *, blinded: bool) -> bool:
    """Whether a mail of this level may show this text of this column."""
    if level == "link" or (blinded and (domain in TREATMENT or name in ARMS)):
        return False
    return level == "full" or _coded(domain, name, text)


def _coded(domain: str, name: str, text: str) -> bool:
    """Whether a cell is a code, number, date or unit and not somebody's words."""
    if name in CODED_NAMES:
        return True
    ending = name.removeprefix(domain[:2])
    if ending in RESULTS:
        return SHORT_RESULT.fullmatch(text.strip()) is not None
    return ending != name and ending in CODED


def _cell(row: EvidenceRow, cells: Mapping[str, str], *endings: str) -> str:
    """The first of these columns that is there, with or without the domain's letters."""
    for ending in endings:
        for name in (row.domain[:2] + ending, ending):
            if cells.get(name):
                return cells[name]
    return ""


def record_name(row: EvidenceRow, cells: Mapping[str, str]) -> str:
    """What kind of record it is: the test, the event (for which drug), or the drug; else the domain."""
    if row.domain == "AEDRUG":
        event, drug = _cell(row, cells, "DECOD", "TERM"), cells.get("DRUG", "")
        return f"{event or 'event'} ({drug})" if drug else event or row.domain
    name = _cell(row, cells, "TESTCD", "DRUG", "TRT", "DECOD", "TERM")
    if name:
        return name
    return "dose" if row.domain in TREATMENT else row.domain


def value(row: EvidenceRow, cells: Mapping[str, str]) -> str:
    """The row's value as a person reads it: 412 10^9/L, 10 ug/kg, DRUG WITHDRAWN."""
    result = _cell(row, cells, "STRESN", "STRESC", "ORRES")
    if result:
        standard = _cell(row, cells, "STRESN", "STRESC") != ""
        unit = _cell(row, cells, *(("STRESU", "UNIT") if standard else ("ORRESU",)))
        return f"{result} {unit}".strip()
    dose = _cell(row, cells, "DOSE", "DOSEKG")
    if dose:
        return f"{dose} {_cell(row, cells, 'DOSU', 'DOSEU', 'UNIT')}".strip()
    if _cell(row, cells, "STAT"):
        return _cell(row, cells, "STAT")
    if row.domain == "AEDRUG":  # the drug's own columns, not the event's AEACN and AEREL
        said = [cells.get("ACN", ""), _related(cells.get("REL", ""))]
    else:
        said = [_cell(row, cells, ending) for ending in ("ACN", "ACN1", "ACN2")]
        said += [_related(_cell(row, cells, ending)) for ending in ("REL", "REL1", "REL2")]
        said.append(_cell(row, cells, "GIVEN"))
    return ", ".join(dict.fromkeys(text for text in said if text))


def _related(text: str) -> str:
    """A word of the relationship with its name, without which NONE or POSSIBLE says nothing."""
    return text if not text or "RELATED" in text.upper() else f"related: {text}"


def _note(row: EvidenceRow, cells: Mapping[str, str]) -> str:
    """Normal range, baseline, grade and seriousness, as far as they are there and not said already."""
    low, high = _cell(row, cells, "STNRLO"), _cell(row, cells, "STNRHI")
    original = _cell(row, cells, "ORRES")
    received = f"{original} {_cell(row, cells, 'ORRESU')}".strip() if original else ""
    said = value(row, cells)
    noted = [(word, _cell(row, cells, ending)) for word, ending in _NOTES]
    parts = [
        f"normal {low}–{high}" if low and high else f"ULN {high}" if high else f"LLN {low}" if low else "",
        f"as received {received}" if received and received != said else "",
        *(f"{word} {found}" for word, found in noted if found and (word in _ALWAYS or found not in said)),
        f"change {_rounded(cells['PCHG'])} %" if cells.get("PCHG") else "",
        *(word for word, ending in _CRITERIA if _cell(row, cells, ending).upper() == "Y"),
        cells.get("CARRIED", ""),
    ]
    return " · ".join(part for part in parts if part)


_NOTES = (
    ("baseline", "BASE"),
    ("baseline is a fallback:", "BASENOTE"),
    ("no value:", "INVALID"),
    ("CTCAE low", "ATOXGRL"),
    ("CTCAE high", "ATOXGRH"),
    ("grade", "TOXGR"),
    ("severity", "SEV"),
    ("serious", "SER"),
    ("related", "REL"),
    ("action", "ACN"),
    ("outcome", "OUT"),
    ("level", "LEVEL"),
)
_ALWAYS = frozenset({"baseline", "CTCAE low", "CTCAE high", "grade", "serious"})
_CRITERIA = (
    ("death", "SDTH"),
    ("life-threatening", "SLIFE"),
    ("hospitalization", "SHOSP"),
    ("disability", "SDISAB"),
    ("congenital anomaly", "SCONG"),
    ("cancer", "SCAN"),
    ("overdose", "SOD"),
    ("other important medical event", "SMIE"),
)


def _rounded(text: str) -> str:
    """A computed number, short enough to read: four digits."""
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def _whose(finding: Finding, row: EvidenceRow) -> str:
    """The subject of a record, in a finding about several."""
    subject = dict(row.cells).get("USUBJID", "") if is_of_study(finding) else ""
    return f"{subject} " if subject else ""


def lines(finding: Finding, level: str, *, blinded: bool, fires: bool = True) -> tuple[Line, ...]:
    """All evidence of a finding in order of date; what fires is strong.

    `fires` is False when the records fired once, and as they are now no longer do.
    """
    roles = ROLES if fires else ROLES | {"found": "fired before"}
    rows = sorted(finding.evidence, key=lambda row: (row.day, row.role == "found", row.domain))
    found = []
    for row in rows:
        cells = shown(row, level, blinded=blinded)
        found.append(
            Line(
                day=row.day or "no date",
                record=_whose(finding, row) + record_name(row, cells),
                value=value(row, cells) or ("given" if row.domain in TREATMENT else ""),
                note=_note(row, cells),
                role=roles.get(row.role, row.role.replace("_", " ")),
                strong=row.role == "found",
            )
        )
    return tuple(found)


def changes(
    previous: Finding | None, finding: Finding | None, level: str, *, blinded: bool
) -> tuple[Change, ...]:
    """What differs between two findings of one alert: old and new value of each record that fired."""
    if previous is None:
        return ()
    now = {identity(row): row for row in finding.evidence} if finding else {}
    found: list[Change] = []
    for row in previous.evidence:
        after = now.get(identity(row))
        if after is None and row.role == "found":
            found.append(_change(row, None, level, blinded=blinded))
        elif after is not None and after.version != row.version and row.role in {"found", "with", "earlier"}:
            found.append(_change(row, after, level, blinded=blinded))
    return tuple(found)


def _change(row: EvidenceRow, after: EvidenceRow | None, level: str, *, blinded: bool) -> Change:
    """One record before and after; when its value is the same, the columns that differ."""
    cells = shown(row, level, blinded=blinded)
    old = value(row, cells)
    if after is None:
        return Change(row.day, record_name(row, cells), old or "was there", "no longer fires or is gone")
    new_cells = shown(after, level, blinded=blinded)
    new = value(after, new_cells)
    if old == new and row.day == after.day:
        names = [n for n in dict.fromkeys([*cells, *new_cells]) if cells.get(n) != new_cells.get(n)]
        old = ", ".join(f"{n} {cells.get(n) or 'missing'}" for n in names) or "changed"
        new = ", ".join(f"{n} {new_cells.get(n) or 'missing'}" for n in names) or "changed (not shown)"
    elif row.day != after.day:
        old, new = f"{old} on {row.day}", f"{new} on {after.day}"
    return Change(row.day, record_name(row, cells), old, new)


def aligned(table: Iterable[Line]) -> str:
    """The lines as plain text in columns; what fires begins with >. Chinese letters count double."""
    rows = [
        (">" if line.strong else " ", line.day, line.record, line.value, line.role, line.note)
        for line in table
    ]
    widths = [max((_width(row[i]) for row in rows), default=0) for i in range(5)]
    return "\n".join(
        "  ".join(
            [*(text + " " * (widths[i] - _width(text)) for i, text in enumerate(row[:5])), row[5]]
        ).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
