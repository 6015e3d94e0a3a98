"""A clause as words: which other record or episode, how many, and when."""

from __future__ import annotations

from functools import singledispatch

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules.context import Context
from monitor.rules.phrases import NUMBERS, describe
from monitor.rules.record_words import record_words
from monitor.rules.rule import (
    AnyOf,
    At,
    Clause,
    Each,
    OfRule,
    Open,
    Other,
    Series,
    State,
    Tie,
    Window,
    With,
    Without,
    WithoutRule,
    WithRule,
)
from monitor.rules.wording import Speech, joined, value


@singledispatch
def clause_words(clause: Clause, found: Series, context: Context) -> str:
    """A clause as words."""
    kind = type(clause).__name__
    raise AssertionError(f"for {found.domain} on day {context.as_of}, a clause without words: {kind}")


@clause_words.register
def _(clause: With, found: Series, context: Context) -> str:
    return f"with {_other(clause, found, context)}"


@clause_words.register
def _(clause: Without, found: Series, context: Context) -> str:
    return f"without {_other(clause, found, context)}{_waits(clause.open)}"


@clause_words.register
def _(clause: WithRule, found: Series, context: Context) -> str:  # noqa: ARG001
    since = "the same day on" if clause.same_day else "the day after its first record on"
    if clause.window is None and clause.count == 1:
        return f"while an episode of {clause.rule} is open, from {since}"
    if clause.window is None:
        return f"while {clause.count} or more episodes of {clause.rule} are open, from {since}"
    return f"with {_episodes(clause)}"


@clause_words.register
def _(clause: WithoutRule, found: Series, context: Context) -> str:  # noqa: ARG001
    since = (
        "on the day of its first record too" if clause.same_day else "from the day after its first record on"
    )
    if clause.window is None and clause.count == 1:
        return f"while no episode of {clause.rule} is open, {since}"
    if clause.window is None:
        return f"while fewer than {clause.count} episodes of {clause.rule} are open, {since}"
    return f"without {_episodes(clause)}{_waits(clause.open)}"


@clause_words.register
def _(clause: AnyOf, found: Series, context: Context) -> str:
    return f"and one of: {joined([f'({clause_words(item, found, context)})' for item in clause.items], 'or')}"


def _waits(opened: Open | None) -> str:
    if opened is None:
        return ""
    return " (told at once)" if opened is Open.FIRE else " (told once the data have passed it)"


# ---------------------------------------------------------------- which


def _other(clause: Other, found: Series, context: Context) -> str:
    series = clause.series
    speech = Speech(series.domain, series.unit, found.domain, context.params)
    words = f"{_many(clause, speech)}{record_words(series, clause.where, speech)}"
    if clause.latest:
        words = (
            f"{record_words(series, None, speech)}, of which the latest satisfies: {_asked(clause, speech)}"
        )
    if clause.linked:
        return f"{words}, in {series.domain}, linked to the found record"
    when = f"{_part(clause)}{window_words(clause.window)}{tie_words(clause.tie, context)}"
    return f"{words}, in {series.domain}, {when}"


def _many(clause: Other, speech: Speech) -> str:
    """How many, or what their sum is."""
    if clause.sum is not None:
        asked = clause.sum.where
        over = " on one day" if clause.sum.per is Each.DAY else ""
        limit = f"{NUMBERS[asked.comparator]} {value(asked.right, speech)}"
        return f"a sum{over} of {value(asked.left, speech)} {limit}, over: "
    return f"{clause.count} or more of: " if clause.count > 1 else ""


def _asked(clause: Other, speech: Speech) -> str:
    return "" if clause.where is None else str(describe(clause.where, speech))


def _part(clause: Other) -> str:
    lasts = DOMAINS[clause.series.domain].record_class in (RecordClass.INTERVENTIONS, RecordClass.EVENTS)
    return f"its {clause.at} " if lasts and clause.at is not At.ANY else ""


STATES = {State.OPEN: "open on a day", State.OPENED: "opened", State.CLOSED: "closed"}


def _episodes(clause: OfRule) -> str:
    assert clause.window is not None, "without a window it is told how it is open at the found record"
    many = f"{clause.count} or more episodes" if clause.count > 1 else "an episode"
    return f"{many} of {clause.rule} {STATES[clause.state]} {window_words(clause.window)}"


# ---------------------------------------------------------------- when


def window_words(window: Window) -> str:
    """When, counted from the found record."""
    unit = "hour" if window.hours else "day"
    here = "the same time" if window.hours else "the same day"
    if window.previous:
        until = "on" if window.high is None else f"to {_distance(window.high, unit, here)}"
        first = f"{window.low} day{'' if window.low == 1 else 's'} after" if window.low else "the day of"
        return f"from {first} the record before it {until}"
    return _between(window, unit, here)


def _between(window: Window, unit: str, here: str) -> str:
    """From one distance to another."""
    match window:
        case Window(None, None):
            return "at any time"
        case Window(0, 0):
            return f"{'at' if window.hours else 'on'} {here}"
        case Window(None, int(high)):
            return f"up to {_distance(high, unit, here)}"
        case Window(int(low), None):
            return f"from {_distance(low, unit, here)} on"
        case Window(int(low), int(high)) if low == -high and low < 0:
            return f"within {high} {unit}{'' if high == 1 else 's'} before or after"
    first, last = window.low or 0, window.high or 0
    return f"from {_distance(first, unit, here)} to {_distance(last, unit, here)}"


def _distance(size: int, unit: str, here: str) -> str:
    if size == 0:
        return here
    plural = "" if abs(size) == 1 else "s"
    return f"{abs(size)} {unit}{plural} {'before' if size < 0 else 'after'}"


def tie_words(tie: Tie | None, context: Context) -> str:
    """What holds on the found record's own day."""
    if tie is None:
        return ""
    where = context.same_day if tie is Tie.STUDY else tie
    otherwise = (
        "it can't be told" if where == Tie.CANNOT_TELL else f"the other record is taken to come {where}"
    )
    return f" (on the same day the times of day decide; without them {otherwise})"
