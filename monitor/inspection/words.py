"""The words of coded columns and the lists of the rules: which are sorted, and where others may belong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

# In this order: "NOT RELATED" is told before "RELATED".
HINTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AEREL": (
        ("unknown", r"UNKNOWN|NOT ASSESS|UNASSESS|MISSING|NOT APPLICABLE|^N/?A$|不明|无法"),
        ("unrelated", r"\bNOT\b|\bUN(RELATED|CONNECTED)|\bNONE\b|无关"),
        ("related", r"RELATED|POSSIB|PROBAB|DEFINIT|CERTAIN|LIKELY|SUSPECT|REMOTE|有关|可能"),
    ),
    "AEACN": (
        ("unknown", r"UNKNOWN|MISSING|不明"),
        (
            "not-withdrawn",
            r"NOT CHANGED|NO CHANGE|REDUC|INCREAS|INTERRUPT|HELD|DELAY|NONE|NOT APPLICABLE|不变|减量|暂停",
        ),
        ("withdrawn", r"WITHDR|DISCONT|PERMANENT|STOPPED|停药|终止"),
    ),
}
FLAGS = (
    ("yes", r"^(Y|YES|TRUE|1|是|有)$"),
    ("no", r"^(N|NO|FALSE|0|否|无)$"),
    ("unknown", r"^(U|UNK|UNKNOWN|NA|N/A|不详)$"),
)


@dataclass(frozen=True)
class Word:
    """A word of a coded column: its rows, the list that has it, or the one that is proposed."""

    column: str
    word: str
    rows: int
    list: str
    proposed: str


def lists_of(column: str) -> tuple[str, ...]:
    """The lists that sort a column's words."""
    hints = next((hints for name, hints in HINTS.items() if column.startswith(name)), FLAGS)
    return tuple(name for name, _ in hints if name != "unknown")


def sorted_words(
    column: str, words: Mapping[str, int], lists: Mapping[str, Collection[str]]
) -> tuple[Word, ...]:
    """Each word of a column, with the list that it is in, or that it looks like."""
    hints = next((hints for name, hints in HINTS.items() if column.startswith(name)), FLAGS)
    found = []
    for word, rows in sorted(words.items(), key=lambda item: (-item[1], item[0])):
        known = next(
            (name for name in lists_of(column) if word.strip().casefold() in lists.get(name, ())), ""
        )
        hint = next((name for name, pattern in hints if re.search(pattern, word.upper())), "")
        found.append(Word(column, word, rows, known, "" if known else hint))
    return tuple(found)


def is_sorted_column(column: str) -> bool:
    """Whether the words of a column are sorted by lists: causality, action, and yes or no."""
    return bool(re.fullmatch(r"AE(REL|ACN)\d?|AESER|AES(DTH|HOSP|LIFE|DISAB|CONG|MIE)", column))
