"""A window as it is written, `-28d..0d`, `-48h..0h`, `prev..0d`: text → window, or what is wrong with it."""

from __future__ import annotations

import re

from monitor.rules.rule import Window

WRITTEN = re.compile(r"^(?P<low>start|prev(\+\d+d)?|-?\d+[dh])\.\.(?P<high>end|-?\d+[dh])$")
ADVICE = 'write days or hours, both ends included, as "-28d..0d", "start..0d" or "-48h..0h"'
NONE = Window(None, None)


def read_window(text: str | None) -> tuple[Window, str]:
    """The window, and what is wrong with the text ("": nothing)."""
    if not text:
        return NONE, f"this key is required: {ADVICE}"
    match = WRITTEN.match(text)
    if match is None:
        return NONE, f"{text!r} is not a window: {ADVICE}"
    low, high = match["low"], match["high"]
    previous = low.startswith("prev")
    low = low.removeprefix("prev").removeprefix("+") or "start"
    units = {end[-1] for end in (low, high) if end not in ("start", "end")}
    if len(units) > 1:
        return NONE, f"{text!r} mixes days and hours: give both ends in one of them"
    if units == {"h"} and (low == "start" or high == "end"):
        return NONE, f"{text!r}: a window in hours has a number at both ends; for an open one write days"
    window = Window(
        None if low == "start" else int(low[:-1]),
        None if high == "end" else int(high[:-1]),
        hours=units == {"h"},
        previous=previous,
    )
    if not previous and window.low is not None and window.high is not None and window.low > window.high:
        return window, f"{text!r} ends before it begins"
    return window, ""
