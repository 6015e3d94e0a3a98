from __future__ import annotations

from datetime import date

import pytest

from monitor.clinical.dates import Read, read_date
from monitor.records import day_number


def days(first: str, last: str) -> tuple[int, int]:
    return day_number(date.fromisoformat(first)), day_number(date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "first", "last", "second"),
    [
        ("2014-01-31", "2014-01-31", "2014-01-31", None),
        (" 2014-01-31 ", "2014-01-31", "2014-01-31", None),
        ("2014-02", "2014-02-01", "2014-02-28", None),
        ("2014", "2014-01-01", "2014-12-31", None),
        ("2014-10--", "2014-10-01", "2014-10-31", None),
        ("2014-10-", "2014-10-01", "2014-10-31", None),
        ("2014-10-UN", "2014-10-01", "2014-10-31", None),
        ("2017----", "2017-01-01", "2017-12-31", None),
        ("2013-UN-UN", "2013-01-01", "2013-12-31", None),
        ("2013-un-unk", "2013-01-01", "2013-12-31", None),
        ("2013---15", "2013-01-01", "2013-12-31", None),
        ("2014-01-31T09:16", "2014-01-31", "2014-01-31", 9 * 3600 + 16 * 60),
        ("2014-01-31 09:16:05", "2014-01-31", "2014-01-31", 9 * 3600 + 16 * 60 + 5),
        ("2014-01-31T09:16:05.5+08:00", "2014-01-31", "2014-01-31", 9 * 3600 + 16 * 60 + 5),
        ("2014-01-31T09", "2014-01-31", "2014-01-31", None),
        ("2014-01-31T-:30", "2014-01-31", "2014-01-31", None),
        ("2014-01T09:16", "2014-01-01", "2014-01-31", None),
        ("2014-01-30/2014-02-02", "2014-01-30", "2014-02-02", None),
    ],
)
def test_a_date_is_the_days_that_it_can_mean(text: str, first: str, last: str, second: int | None) -> None:
    assert read_date(text) == Read(*days(first, last), second)


@pytest.mark.parametrize(
    "text", ["-----", "--", "-", "UN", "UNK", "UN-UN-UN", "--12-15", "---T10:30", "UNKNOWN"]
)
def test_a_date_without_a_year_is_missing(text: str) -> None:
    assert read_date(text) == Read()


@pytest.mark.parametrize(
    "text",
    ["31/12/2014", "31-DEC-2014", "2014-02-30", "2014-13", "2014-00-10", "20140131", "soon", "",
     "2014-01-31T25:00", "2014-01-31Tnoon", "0000-01-01", "2014-02-02/2014-01-30", "2014-01/soon", "1/2"],
)  # fmt: skip
def test_what_is_no_date_can_not_be_read(text: str) -> None:
    assert read_date(text) is None
