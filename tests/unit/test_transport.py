"""SAS transport version 5, read a column at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.clinical.transport import MIXER, Field, _told_apart, pieces

NUMBERS = {
    "4110000000000000": "1",
    "C276A00000000000": "-118.625",
    "0000000000000000": "0",
    "401999999999999A": "0.1",
    "4D38D7EA4C680000": "1e+15",
    "2E00000000000000": None,
    "4100000000000000": None,  # .A
    "5A00000000000000": None,
}


def read(tmp_path: Path, rows: bytes, length: int, fields: list[Field], encoding: str = "utf-8") -> list[Any]:
    """The rows as tuples of text."""
    path = tmp_path / "rows"
    path.write_bytes(b"header" + rows)
    place = 6, length, len(rows) // length
    frames = list(pieces(path, place, fields, encoding, lambda numbers, _: numbers))
    return [
        tuple(None if each != each else each for each in row)
        for frame in frames
        for row in frame.astype(object).itertuples(index=False)
    ]


def test_ibm_numbers_are_written_as_everywhere_and_what_sas_calls_missing_is_missing(tmp_path: Path) -> None:
    rows = b"".join(bytes.fromhex(each) for each in NUMBERS)
    found = read(tmp_path, rows, 8, [Field(0, 8, True, "")])
    assert [each for (each,) in found] == list(NUMBERS.values())


def test_a_number_of_fewer_bytes_is_filled_with_zeros(tmp_path: Path) -> None:
    assert read(tmp_path, bytes.fromhex("C276A0"), 3, [Field(0, 3, True, "")]) == [("-118.625",)]


def test_texts_lose_their_blanks_and_an_empty_one_is_missing(tmp_path: Path) -> None:
    rows = b"AB  long text \xc3\xa9    " + b"    " + b" " * 16 + b"NaN " + b"x" * 16
    fields = [Field(0, 4, False, ""), Field(4, 16, False, "")]
    assert read(tmp_path, rows, 20, fields) == [("AB", "long text é"), (None, None), (None, "x" * 16)]
    with pytest.raises(UnicodeDecodeError):
        read(tmp_path, b"AB\xe9 ", 4, [Field(0, 4, False, "")])


def test_two_values_of_one_mixture_stay_two() -> None:
    first = np.array([1, 2], dtype=np.uint64)
    mixed = (first * MIXER) ^ (first >> np.uint64(29))
    words = np.column_stack([first, mixed ^ np.uint64(7)])[[0, 1, 0]]
    codes, rows = _told_apart(words)
    assert np.array_equal(words[rows[codes]], words)
    assert len(rows) == 2
