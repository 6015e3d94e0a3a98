"""[study.map.<DOMAIN>]: how tables that are not SDTM become a domain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

# Tokens of a date's form, longest first; what stands between them is taken as written.
TOKENS = ("yyyy", "20yy", "19yy", "mmm", "dd", "mm", "d", "m")
TIME_TOKENS = ("hh", "mm", "ss", "h")
PERCENT = {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%b": "mmm", "%B": "mmm", "%H": "hh", "%M": "mm", "%S": "ss"}
DAYS, MONTHS, YEARS = ("dd", "d"), ("mmm", "mm", "m"), ("yyyy", "20yy", "19yy")
SERIALS = ("excel", "sas")  # days since 1899-12-30, and since 1960-01-01
EXAMPLES = "'dd/mm/yyyy', 'mm/dd/yyyy', 'dd-mmm-yyyy', 'yyyymmdd', 'dd/mm/yyyy hh:mm', 'excel' or 'sas'"


def plain_form(text: str) -> str:
    """A date's form in small letters, with %d and its like as dd."""
    plain = text.strip()
    for sign, word in PERCENT.items():
        plain = plain.replace(sign, word)
    return plain.lower()


def split_form(form: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pieces of a plain form: those of the day, and those of the time, separators among them."""
    day, time = form, ""
    found = re.search(r"[t ]?h", form)
    if found:
        day, time = form[: found.start()], form[found.start() :]
    return _pieces(day, TOKENS), _pieces(time, TIME_TOKENS)


def _pieces(text: str, tokens: tuple[str, ...]) -> tuple[str, ...]:
    pattern = "|".join(map(re.escape, tokens))
    return tuple(re.findall(rf"{pattern}|.", text))


def _date_form(text: str) -> str:
    """A form that says which part is the day, the month and the year."""
    form = plain_form(text)
    if form in SERIALS:
        return form
    day, _ = split_form(form)
    if re.search(r"(?<![0-9y])yy(?!y)|%y", form):
        raise ValueError(f"{text!r}: of a year of two digits the century can't be told; write 20yy or 19yy")
    counts = [sum(piece in kinds for piece in day) for kinds in (DAYS, MONTHS, YEARS)]
    if counts != [1, 1, 1] or re.search(r"[a-z%]", _rest(day)):
        raise ValueError(f"{text!r} is not the form of a date; write one such as {EXAMPLES}")
    return form


def _rest(pieces: tuple[str, ...]) -> str:
    return "".join(piece for piece in pieces if piece not in TOKENS)


def _taken(given: object) -> object:
    """The ways in which a condition of `where` can be written, as one."""
    if isinstance(given, TakenWords) or (isinstance(given, Mapping) and set(given) == {"words", "but"}):
        return given  # settings that were settings before
    but = isinstance(given, Mapping) and set(given) == {"not"}
    words = given["not"] if but and isinstance(given, Mapping) else given
    listed = [words] if isinstance(words, str) else words
    if not isinstance(listed, list | tuple) or not all(isinstance(word, str) for word in listed):
        raise ValueError('write a word, a list of words, "*" (filled in), "" (empty) or { not = ["word"] }')
    return {"words": tuple(listed), "but": but}


DateForm = Annotated[str, AfterValidator(_date_form)]


class _Part(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WideSettings(_Part):
    """[study.map.<DOMAIN>.wide.<column>]: a column of results that becomes a row for each filled cell."""

    test: str = Field(min_length=1)
    name: str = ""
    unit: str = ""
    specimen: str = ""
    low: float | None = None
    high: float | None = None


class TakenWords(_Part):
    """A condition of `where`: a cell has one of these words, or (`but`) none of them."""

    words: tuple[str, ...]
    but: bool = False


Taken = Annotated[TakenWords, BeforeValidator(_taken)]


class MapSettings(_Part):
    """[study.map.<DOMAIN>]: one way from a table to rows of a domain.

    `file` and `sheet` are patterns of names. `columns` gives each SDTM column its column of the
    table, or a text with columns in braces such as "{site}-{patient}"; "" leaves it out. A column
    that has its SDTM name already needs no line. `where` keeps rows: a word, a list of words,
    "*" (filled in), "" (empty) or { not = [...] }.
    """

    file: str = Field(min_length=1)
    sheet: str = "*"
    where: dict[str, Taken] = {}
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dates: dict[str, DateForm] = {}
    units: dict[str, str] = {}
    wide: dict[str, WideSettings] = {}


def _several(given: Any) -> Any:
    """Each domain's maps as a list; one that stands alone is a list of one."""
    if not isinstance(given, Mapping):
        return given
    return {
        str(domain).upper(): [each] if isinstance(each, Mapping) else each for domain, each in given.items()
    }


Maps = Annotated[dict[str, tuple[MapSettings, ...]], BeforeValidator(_several)]


def _pattern(text: str) -> str:
    """A regular expression that can be read."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
