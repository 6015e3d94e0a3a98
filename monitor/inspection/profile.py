"""A table at a glance: its columns, their kinds, the forms of dates, and words that are no person's.

Values are looked at and not kept: what is told are counts, forms, and the words of coded columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clinical.dates import read_date
from monitor.clinical.door import is_personal
from monitor.clinical.sql import Connection, columns, query, quoted
from monitor.clinical.staging import COMMA
from monitor.config import StudySettings
from monitor.inspection.names import FINDINGS, SUBJECT, plain

MOST_WORDS = 60  # distinct words of a coded column
OFTEN = 3  # rows that a word has on average, so that it is a code and not a text
SAMPLE = 4000  # distinct values that are looked at for their form
LONGEST = 60  # characters of a word
MOSTLY = 0.8
# Texts that people write, or that lead to a person: their words are never shown.
FREE = re.compile(
    r"TERM|VERBATIM|COMMENT|CMT|DESC|SPEC?IFY|OTH|NAME|NOTE|TEXT|MODIFY|INVID|SCRN|CASE|RECORD|PAGE"
)
CODED = frozenset(
    prefix + word
    for role in ("TESTCD", "TEST", "ORRESU", "STRESU", "SPEC")
    for word in FINDINGS[role].split()
    for prefix in ("", "LB", "VS", "EG")
)
NUMBERED = re.compile(r"(ID|NO|NUM|NUMBER|SEQ|KEY|CODE|REF)$")
SEPARATED = re.compile(r"(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4}|\d\d)(?:[ T:]+(\d\d?:\d\d(?::\d\d)?).*)?")
NAMED = re.compile(
    r"(\d{1,2}|UNK?|NK|XX)([/.\- ]?)([A-Za-z]{3,9}|UNK)\2(\d{4})(?:[ T:]+\d.*)?", re.IGNORECASE
)
YEAR_FIRST = re.compile(r"(19|20)\d\d([/.])\d{1,2}\2\d{1,2}(?:[ T].*)?")
NUMBER = re.compile(r"[<>=≤≥]{0,2}\s*[+-]?\d+(\.\d+)?")
DECIMAL = "numbers with a decimal comma"
THOUSANDS = "numbers with a comma before three digits: decimals, or thousands"
COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
DATED = re.compile(r"D(A?TE?|TC|AY)?$|DATE|_DT|日期")


@dataclass(frozen=True)
class Column:
    """One column. `kind` is empty, date, number, text or personal; `forms` are those of its dates.

    `form` is what [study.map] would declare: "" for ISO 8601, None when a person must decide.
    `words` with their rows, only where they are codes.
    """

    name: str
    kind: str
    filled: int
    distinct: int
    forms: tuple[str, ...] = ()
    form: str | None = ""
    words: tuple[tuple[str, int], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a file: "labs.xlsx" and its sheet, its rows and columns."""

    name: str
    file: str
    sheet: str
    table: str
    rows: int
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """A column by its name."""
        return next((each for each in self.columns if each.name == name), None)


def profile(connection: Connection, study: StudySettings, names: tuple[str, str, str], table: str) -> Table:
    """A raw table's profile; `names` are those of the table, its file and its sheet."""
    there = [name for name in columns(connection, quoted(table)) if not name.startswith("#")]
    rows = int(query(connection, f"SELECT count(*) FROM {quoted(table)}")[0][0])
    return Table(*names, table, rows, tuple(_column(connection, study, table, name) for name in there))


def _column(connection: Connection, study: StudySettings, table: str, name: str) -> Column:
    column = quoted(name)
    filled, distinct, numbers = query(
        connection,
        f"SELECT count({column}), count(DISTINCT {column}), count(TRY_CAST({column} AS DOUBLE))"
        f" FROM {quoted(table)}",
    )[0]
    if is_personal(study, name):
        return Column(name, "personal", filled, distinct, note="dropped at the door")
    if not filled:
        return Column(name, "empty", 0, 0)
    values = query(
        connection,
        f"SELECT {column}, count(*) FROM {quoted(table)} WHERE {column} IS NOT NULL"
        f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SAMPLE}",
    )
    found = _dates(name, values)
    if found is not None:
        return Column(name, "date", filled, distinct, *found)
    kind = "number" if numbers == filled else "text"
    commas = _commas([str(value) for value, _ in values])
    if kind == "text" and commas:
        return Column(name, "number", filled, distinct, note=commas)
    return Column(name, kind, filled, distinct, words=_words(name, kind, values, filled, distinct))


def _commas(values: Sequence[str]) -> str:
    """A note on a column of numbers some of which have a comma; "" for any other."""
    numbers = [value for value in values if re.fullmatch(COMMA, value) or NUMBER.fullmatch(value)]
    marked = [value for value in numbers if "," in value]
    if not marked or len(numbers) < MOSTLY * len(values):
        return ""
    return THOUSANDS if all(re.fullmatch(r"\D*\d{1,3},\d{3}", value) for value in marked) else DECIMAL


def _words(
    name: str, kind: str, values: Sequence[tuple[str, int]], filled: int, distinct: int
) -> tuple[tuple[str, int], ...]:
    """The words of a column when they are codes: few, repeated, and no person's."""
    bare = plain(name)
    coded = bare in CODED
    hidden = bare in SUBJECT or (not coded and (FREE.search(bare) or NUMBERED.search(bare)))
    if kind != "text" or hidden or distinct > MOST_WORDS or distinct * OFTEN > filled:
        return ()
    if any(len(word) > LONGEST or (not coded and re.search(r"\d{3}", word)) for word, _ in values):
        return ()
    return tuple((str(word), int(rows)) for word, rows in values)


Form = tuple[tuple[str, ...], str | None, tuple[tuple[str, int], ...], str]


def _dates(name: str, values: Sequence[tuple[str, int]]) -> Form | None:
    """Forms, the form to declare, no words, and a note; None when the column is not of dates."""
    forms: dict[str, int] = {}
    first = second = 0
    for value, rows in values:
        form, one, two = _form(str(value), hinted=DATED.search(name) is not None)
        forms[form] = forms.get(form, 0) + rows
        first, second = max(first, one), max(second, two)
    known = {form: rows for form, rows in forms.items() if form}
    if not known or sum(known.values()) < MOSTLY * sum(forms.values()):
        return None
    told = tuple(sorted(known, key=lambda form: -known[form]))
    other = [form for form in told if not form.startswith("yyyy-mm-dd")]
    if not other:
        return told, "", (), ""
    if len({form.split(" ")[0] for form in other}) > 1:
        return told, None, (), "several forms: part the files, or have them written alike"
    return told, *_decided(other[0], first, second)


def _decided(form: str, first: int, second: int) -> tuple[str | None, tuple[tuple[str, int], ...], str]:
    if "??" not in form:
        return form, (), ""
    sign = form[2]
    year = "yyyy" if form.split(" ", maxsplit=1)[0].endswith("yyyy") else ""
    if not year:
        return None, (), "a year of two digits: say the century, such as 20yy"
    if first > 12 and second > 12:
        return None, (), "the first and the second number both go beyond 12: two forms in one column"
    if first > 12:
        return f"dd{sign}mm{sign}{year}", (), "the first number goes beyond 12: it is the day"
    if second > 12:
        return f"mm{sign}dd{sign}{year}", (), "the second number goes beyond 12: it is the day"
    return None, (), "day or month first: nothing in the file tells"


def _form(value: str, *, hinted: bool) -> tuple[str, int, int]:
    """The form of one value, "" for none; of numbers parted by signs, the first two."""
    text = value.strip()
    found = SEPARATED.fullmatch(text)
    if found:
        sign, time = found[2], " hh:mm" if found[5] else ""
        return f"??{sign}??{sign}{'yyyy' if len(found[4]) == 4 else 'yy'}{time}", int(found[1]), int(found[3])
    named = NAMED.fullmatch(text)
    if named:
        return f"dd{named[2]}mmm{named[2]}yyyy", 0, 0
    year = YEAR_FIRST.fullmatch(text)
    if year:
        return f"yyyy{year[2]}mm{year[2]}dd", 0, 0
    if hinted and COMPACT.fullmatch(text):
        return "yyyymmdd", 0, 0
    read = read_date(text) if ("-" in text and text[:4].isdigit()) or set(text) == {"-"} else None
    if read is None:
        return "", 0, 0
    partial = read.low is None or read.low != read.high
    return "yyyy-mm-dd, partial" if partial else "yyyy-mm-dd with time" if "T" in text else "yyyy-mm-dd", 0, 0
