"""Keys of a clause that mean nothing together: which, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.rules import shape
from monitor.rules.rule import State, Window

Refusal = tuple[str, str]  # the key, what is wrong with it

OF_RULE = ("rule", "same_day", "state", "window", "count", "open", "run_end")
ONLY_OF_RULE = ("same_day", "state")


def check_rule_keys(table: shape.With | shape.Without, window: Window | None) -> Iterator[Refusal]:
    """What is wrong with a clause about another rule's episodes."""
    for key in sorted(table.model_fields_set - set(OF_RULE)):
        name = "in" if key == "domain" else key
        yield name, "beside `rule` only `same_day`, `state`, `window`, `count` and `run_end` have a meaning"
    if table.state not in (None, State.OPEN) and table.window is None:
        yield "window", f'this key is required: in which days the episode {table.state}, as "-7d..0d"'
    if table.same_day and (window is not None or table.state not in (None, State.OPEN)):
        yield "same_day", "this is about an episode that is open at the found record: leave it out"
    if window is not None and window.hours:
        yield "window", "episodes begin and end on days: write the window in days"


def check_record_keys(table: shape.With | shape.Without, window: Window) -> Iterator[Refusal]:
    """What is wrong with a clause about other records."""
    for key in ONLY_OF_RULE:
        if key in table.model_fields_set:
            yield key, "this key has a meaning only beside `rule`"
    yield from _check_together(table)
    if table.linked:
        yield from _check_linked(table)
    elif table.tie is not None:
        yield from _check_tie(window)


def _check_together(table: shape.With) -> Iterator[Refusal]:
    """What several records say together is one of: their number, their sum, the latest."""
    if table.count is not None and table.sum is not None:
        yield "count", "a sum is over all such records, however many: leave one of them out"
    if table.count is not None and table.latest:
        yield "count", "only one record is the latest: leave one of them out"
    if table.sum is not None and table.latest:
        yield "latest", "a sum is over all such records, not of the latest: leave one of them out"
    if table.latest and table.where is None:
        yield "where", "this key is required: what is asked of the latest record"


def _check_linked(table: shape.With) -> Iterator[Refusal]:
    """A linked record is found by RELREC, not by its date."""
    for key in ("window", "at", "tie"):
        if getattr(table, key) is not None:
            yield key, "a linked record is the one that RELREC names, whenever it was: leave it out"


def _check_tie(window: Window) -> Iterator[Refusal]:
    if window.hours:
        yield "tie", "a window in hours goes by the times of day themselves: leave it out"
    elif (window.low == 0) is (window.high == 0):
        yield "tie", "it speaks of a window with 0d at one of its ends, as -7d..0d: leave it out"


def check_open(table: shape.Without, window: Window | None) -> Iterator[Refusal]:
    """Whether a `without` says what holds until its window's end, where that is needed."""
    ahead = window is not None and (window.high is None or window.high > 0)
    if ahead and table.open is None:
        said = "the window reaches past the found record: say `wait` or `fire` for the time until then"
        yield "open", said
    if table.open is not None and not ahead:
        yield "open", "the window does not reach past the found record, so there is nothing to wait for"
