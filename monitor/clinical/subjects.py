"""Subject codes that look like people: names, ID numbers, dates of birth, e-mail addresses.

Only forms are looked at, and only forms are told. [study] subject_pattern says which codes are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from monitor.clinical.quarantine import shape
from monitor.clinical.surnames import with_names
from monitor.errors import Problem

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
CHINESE_ID = re.compile(r"\d{6}((?:19|20)\d{6})\d{3}[\dXx]|\d{6}(\d{6})\d{3}")
SOCIAL_SECURITY = re.compile(r"\d{3}-\d{2}-\d{4}")
DATE = re.compile(r"((?:19|20)\d\d)[-/.]?(\d\d)[-/.]?(\d\d)|(\d\d)[-/.]?(\d\d)[-/.]?((?:19|20)\d\d)")
DOTTED = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
INITIALS = re.compile(r"[A-Za-z]{2,4}[-_ .]?([\d\-/.]{6,10})")
WORDS = re.compile(r"[^\W\d_]{3,}(?:[ ,.'\-]+[^\W\d_]+)*|[^\W\d_]+(?:[ ,.']+[^\W\d_]+)+|[\u4e00-\u9fff·]{2,}")

CERTAIN = {EMAIL: "e-mail addresses", WORDS: "names", SOCIAL_SECURITY: "social security numbers"}


@dataclass(frozen=True)
class Code:
    """A subject's code and the first row that has it."""

    value: str
    file: str
    row: int


def suspicion(code: str) -> tuple[str, bool]:
    """What a code looks like, "" for nothing; and whether that is sure of one code by itself.

    Numbers may be dates by chance; that many of them are is none.
    """
    text = code.strip()
    for form, kind in CERTAIN.items():
        if form.fullmatch(text):
            return kind, True
    found = CHINESE_ID.fullmatch(text)
    if found and _is_day(found[1] or f"19{found[2]}"):
        return "numbers of identity cards", True
    if _is_date(text):
        return "dates of birth", DOTTED.fullmatch(text) is not None
    initials = INITIALS.fullmatch(text)
    if initials and (_is_date(initials[1]) or _is_short_date(initials[1])):
        return "initials with a date", False
    return "", False


def _is_date(text: str) -> bool:
    found = DATE.fullmatch(text)
    if found is None:
        return False
    if found[1]:
        return _is_day("".join(found.group(1, 2, 3)))
    return any(
        _is_day(f"{found[6]}{month}{day}") for month, day in ((found[5], found[4]), (found[4], found[5]))
    )


def _is_short_date(text: str) -> bool:
    """Yymmdd or ddmmyy."""
    digits = re.sub(r"\D", "", text)
    turned = digits[4:] + digits[2:4] + digits[:2]
    return len(digits) == 6 and any(_is_day(f"19{each}") for each in (digits, turned))


def _is_day(digits: str) -> bool:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return 1900 <= day.year <= 2030


def refused(codes: Iterable[Code], column: str, pattern: str) -> Iterator[Problem]:
    """A problem for each file and form of codes that look like people. Codes of the pattern are right."""
    seen = [each for each in codes if not (pattern and re.fullmatch(pattern, each.value.strip()))]
    found: dict[tuple[str, str], list[Code]] = {}
    totals: dict[str, int] = {}
    certain: set[tuple[str, str]] = set()
    named = with_names({each.value.strip() for each in seen})
    for each in seen:
        totals[each.file] = totals.get(each.file, 0) + 1
        kind, sure = suspicion(each.value)
        if not kind and each.value.strip() in named:
            kind, sure = "names", True
        if kind:
            found.setdefault((each.file, kind), []).append(each)
            if sure:
                certain.add((each.file, kind))
    for (file, kind), listed in sorted(found.items()):
        if (file, kind) in certain or 2 * len(listed) > totals[file] > 1:
            first = min(listed, key=lambda each: each.row)
            told = f"{shape(first.value)} in row {first.row}"
            said = f"{len(listed)} of {totals[file]} codes look like {kind} ({told})"
            yield Problem(
                f"{file}: column {column}",
                f"{said}; send coded subjects, or say their form in [study] subject_pattern",
            )
