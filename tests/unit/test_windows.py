"""Windows with an end that is not there, around dates with an end that is not there."""

from __future__ import annotations

import pytest

from monitor.records import Days, Truth
from monitor.rules.rule import At, Window
from monitor.rules.windows import in_window

BEFORE_104 = Days(None, 104)
FROM_104 = Days(104, None)


@pytest.mark.parametrize(
    ("window", "found", "start", "end", "truth"),
    [
        (Window(-3, None), BEFORE_104, Days(106, 106), Days(109, 109), Truth.TRUE),
        (Window(None, 3), FROM_104, Days(106, 106), Days(109, 109), Truth.TRUE),
        (Window(-3, None), FROM_104, Days(106, 106), Days(109, 109), Truth.UNKNOWN),
        (Window(None, 3), BEFORE_104, Days(108, 108), Days(109, 109), Truth.FALSE),
        (Window(-3, None), FROM_104, Days(90, 90), Days(100, 100), Truth.FALSE),
        (Window(None, None), Days(None, None), Days(None, None), Days(None, None), Truth.TRUE),
    ],
)
def test_a_bound_that_is_not_there_excludes_nothing(
    window: Window, found: Days, start: Days, end: Days, truth: Truth
) -> None:
    assert in_window(window, At.ANY, found, start, end) is truth
