"""The rows of SAS transport version 5, a column at a time: each different value of a piece is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from monitor.clinical.staging import BLANKS, said_of_number

ROWS = 100_000
NUMBER = 8  # bytes of a number that is not cut
MISSING = np.frombuffer(
    b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8
)  # first bytes of SAS's missing values
MIXER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it loses nothing
Shown = Callable[[Any, str], Any]  # numbers as SAS shows them by their format


@dataclass(frozen=True)
class Field:
    """A column: where it lies in a record, and its SAS format."""

    start: int
    length: int
    number: bool
    form: str


def pieces(
    path: Path, place: tuple[int, int, int], fields: Sequence[Field], encoding: str, shown: Shown
) -> Iterator[pd.DataFrame]:
    """The file's rows in pieces, all of it text; `place` is where they begin, their length, their number.

    Raises UnicodeDecodeError for a text that is not of the encoding.
    """
    start, length, rows = place
    with path.open("rb") as stream:
        stream.seek(start)
        while rows > 0:
            count = min(rows, ROWS)
            block = np.frombuffer(stream.read(count * length), dtype=np.uint8).reshape(count, length)
            listed = {number: _column(block, field, encoding, shown) for number, field in enumerate(fields)}
            yield pd.DataFrame(listed)
            rows -= count


def _column(block: Any, field: Field, encoding: str, shown: Shown) -> Any:
    """A column's texts, each kept once."""
    words = _words(block[:, field.start : field.start + field.length])
    codes, first = _told_apart(words)
    values = words[first]
    texts = _numbers(values, field, shown) if field.number else _texts(values, field.length, encoding)
    found, uniques = pd.factorize(np.array(texts, dtype=object))
    return pd.Categorical.from_codes(found[codes], categories=pd.Index(uniques, dtype="str"))


def _words(cells: Any) -> Any:
    """Cells of bytes as numbers of eight bytes, filled up with zeros."""
    rows, length = cells.shape
    padded = np.zeros((rows, -(-length // NUMBER) * NUMBER), dtype=np.uint8)
    padded[:, :length] = cells
    return padded.view(">u8").astype(np.uint64)


def _told_apart(words: Any) -> tuple[Any, Any]:
    """For each row the number of its value, and for each value the row in which it comes first."""
    mixed = words[:, 0]
    for place in range(1, words.shape[1]):
        mixed = (mixed * MIXER) ^ (mixed >> np.uint64(29)) ^ words[:, place]
    codes, uniques = pd.factorize(mixed)
    first = _first(codes, len(uniques))
    if words.shape[1] > 1 and not np.array_equal(words[first[codes]], words):  # two values, one mixture
        uniques, codes = np.unique(words, axis=0, return_inverse=True)
        codes = codes.reshape(-1)
        first = _first(codes, len(uniques))
    return codes, first


def _first(codes: Any, count: int) -> Any:
    first = np.empty(count, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def _texts(words: Any, length: int, encoding: str) -> list[str | None]:
    """Texts without the blanks around them; None for one that is empty, or NaN."""
    width = words.shape[1] * NUMBER
    whole = words.astype(">u8").tobytes()
    said = (
        whole[at : at + length].rstrip(b"\0").decode(encoding).rstrip().strip(BLANKS)
        for at in range(0, len(whole), width)
    )
    return [None if each in ("", "NaN") else each for each in said]


def _numbers(words: Any, field: Field, shown: Shown) -> list[str | None]:
    """IBM's numbers: a sign, an exponent of 16 beyond 64, and 56 bits of a fraction."""
    bits = words[:, 0]
    fraction = bits & np.uint64((1 << 56) - 1)
    beginning = (bits >> np.uint64(56)).astype(np.uint8)
    power = ((beginning & 0x7F).astype(np.int32) - 64) * 4 - 56
    numbers = np.ldexp(fraction.astype(np.float64), power)
    numbers[beginning >= 0x80] *= -1
    numbers[(fraction == 0) & np.isin(beginning, MISSING)] = np.nan
    listed = shown(pd.Series(numbers), field.form)
    return [
        None if pd.isna(each) else each if isinstance(each, str) else said_of_number(each) for each in listed
    ]
