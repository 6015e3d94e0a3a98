"""Dates in a form that a study declares, as SQL that writes them in ISO 8601; and forms recognised.

Parts of a date that are unknown (UN/03/2014) stay unknown: 2014-03. What does not have the declared
form is left as it stands, so that it is listed as unreadable; ISO 8601 needs no declaration.
"""

from __future__ import annotations

import re

from monitor.clinical.sql import text
from monitor.config.maps import DAYS, MONTHS, YEARS, split_form

UNKNOWN = r"UNK?|NK|XX|--?|\?\?"
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
PARTS = {
    "dd": rf"(\d\d?|{UNKNOWN})",
    "d": rf"(\d\d?|{UNKNOWN})",
    "mm": rf"(\d\d?|{UNKNOWN})",
    "m": rf"(\d\d?|{UNKNOWN})",
    "mmm": rf"((?:{'|'.join(MONTH_NAMES)})[A-Z]{{0,6}}\.?|{UNKNOWN})",
    "yyyy": r"(\d{4})",
    "20yy": r"(\d\d)",
    "19yy": r"(\d\d)",
}
FIXED = {"dd": rf"(\d\d|{UNKNOWN})", "mm": rf"(\d\d|{UNKNOWN})"}  # where no sign parts them
EPOCHS = {"excel": "1899-12-30", "sas": "1960-01-01"}
# What a person could read in two ways, or that is no ISO 8601 whatever the order.
THREE_NUMBERS = r"\s*\d{1,2}[/.\- ]\d{1,2}[/.\- ](\d{4}|\d\d)([ T].*)?"
MONTH_NAMED = r"\s*(\d{1,2}|UNK?|NK|XX)[/.\- ]?[A-Za-z]{3,9}\.?[/.\- ]?(\d{4}|\d\d)([ T:].*)?"
UNDECLARED = rf"{THREE_NUMBERS}|{MONTH_NAMED}"


def iso(sql: str, form: str) -> str:
    """SQL of a text in ISO 8601, when it has the form (as `monitor.config.maps` writes it)."""
    if form in EPOCHS:
        return _serial(sql, EPOCHS[form])
    pieces, time = split_form(form)
    joined = all(piece in PARTS for piece in pieces)
    pattern, names = "", []
    for piece in pieces:
        known = (FIXED.get(piece) if joined else None) or PARTS.get(piece)
        pattern += known or re.escape(piece)
        names += [_part(piece)] if known else []
    whole = (
        rf"^{pattern}(?:[ T:]\s*(\d\d?:\d\d(?::\d\d(?:\.\d+)?)?))?$"
        if not time or ":" in "".join(time)
        else (rf"^{pattern}(?:[ T]?(\d{{4}}(?:\d\d)?))?$")
    )
    # The lambda has the parts read once for each value.
    found = f"regexp_extract(upper(trim({sql})), {text(whole)}, {[*names, 't']!r})"
    written = f"CASE WHEN part.y = '' THEN {sql} ELSE {_written('part', pieces)} END"
    return f"list_transform([{found}], lambda part: {written})[1]"


def _part(piece: str) -> str:
    return "d" if piece in DAYS else "m" if piece in MONTHS else "y"


def _written(found: str, pieces: tuple[str, ...]) -> str:
    """SQL of the parts as one ISO text; a time only beside a whole date."""
    century = next((piece[:2] for piece in pieces if piece in YEARS and piece != "yyyy"), "")
    year = f"{text(century)} || {found}.y" if century else f"{found}.y"
    month = f"{found}.m"
    if "mmm" in pieces:
        names = ", ".join(text(name) for name in MONTH_NAMES)
        month = f"CAST(nullif(list_position([{names}], left({found}.m, 3)), 0) AS VARCHAR)"
    number = "regexp_full_match(coalesce({}, ''), '[0-9]+')"
    day = f"{found}.d"
    time = f"{found}.t"
    hours = f"CASE WHEN {time} LIKE '_:%' THEN '0' ELSE '' END"
    clock = f"CASE WHEN {time} = '' THEN '' ELSE 'T' || {hours} || {time} END"
    return (
        f"{year} || CASE WHEN {number.format(month)} THEN '-' || lpad({month}, 2, '0')"
        f" || CASE WHEN {number.format(day)} THEN '-' || lpad({day}, 2, '0') || {clock} ELSE '' END"
        " ELSE '' END"
    )


def _serial(sql: str, epoch: str) -> str:
    """SQL of a day's number since an epoch; a fraction of the day is its time."""
    number = f"TRY_CAST({sql} AS DOUBLE)"
    moment = f"TIMESTAMP {text(epoch)} + to_seconds(round({number} * 86400))"
    return (
        f"CASE WHEN {number} BETWEEN 1 AND 100000 THEN CASE WHEN {number} = floor({number})"
        f" THEN strftime({moment}, '%Y-%m-%d') ELSE strftime({moment}, '%Y-%m-%dT%H:%M:%S') END"
        f" ELSE {sql} END"
    )
