"""The report: exact intervals, and a page that shows coded words only."""

from __future__ import annotations

import pytest

from monitor.reporting.facts import Course, Share, events_by_term
from monitor.reporting.page import markdown, page
from monitor.statistics.intervals import clopper_pearson


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(0, 11, 0, 28.5), (9, 11, 48.2, 97.7), (0, 16, 0, 20.6), (0, 40, 0, 8.8), (11, 11, 71.5, 100)],
)
def test_intervals_are_the_known_ones(x: int, n: int, low: float, high: float) -> None:
    found = clopper_pearson(x, n)
    assert [round(100 * each, 1) for each in found] == [low, high]


def test_a_share_says_its_interval_and_what_cannot_be_told() -> None:
    assert Share(9, 11, 1).said == "9/11 (81.8%; 95 % CI 48.2-97.7 %); 1 can't be told"
    assert Share(0, 0).said == "nobody to count yet"


def test_the_page_is_one_file_and_shows_no_reported_words() -> None:
    events = events_by_term(
        [{"USUBJID": "01", "AETERM": "seen by Dr Brown", "AEDECOD": None, "AETOXGR": "3", "AESER": "Y"}]
    )
    document = {
        "study": "S<1>",
        "synthetic": True,
        "state": "Data until today.",
        "critical": 1,
        "facts": [("enrolled", "1")],
        "alerts": [],
        "events": events,
        "snapshot": "1",
        "derived": "d",
        "rules": "r",
        "cutoff": "2026-01-01",
        "window": 7,
    }
    course = Course("01", ((0, 10.0), (7, 20.0)), (14,), ((0, 12.0), (7, 450.0)), (9,))
    for courses in ([course], []):
        shown = page(document, courses)
        assert "S&lt;1&gt;" in shown
        assert "SYNTHETIC" in shown
        assert ("<polyline" in shown) == bool(courses)
        assert "<script" not in shown
        assert "http" not in shown
        assert "Brown" not in shown + markdown(document)
