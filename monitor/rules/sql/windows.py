"""Windows as SQL: whether another record lies in the window around the found one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, and_, case, cast, false, or_, true

from monitor.rules.rule import At, Window
from monitor.rules.sql.scope import Element, Source, day
from monitor.rules.windows import DAY, in_seconds


@dataclass(frozen=True)
class Span:
    """The first and last day (or second) that a date can be, and the time of day, if there is one."""

    low: Element
    high: Element
    second: Element | None = None

    @property
    def dated(self) -> Element:
        """Whether something is known of it."""
        return or_(self.low.is_not(None), self.high.is_not(None))

    @property
    def exact(self) -> Element:
        """Whether it is one known day."""
        return self.low == self.high


def start_of(record: Source) -> Span:
    """The start of a record."""
    return Span(record.fixed("day_lo"), record.fixed("day_hi"), record.relation.c.get("second"))


def end_of(record: Source) -> Span:
    """The end of a record; its time is known of what ends as it begins."""
    start, low, high = start_of(record), record.fixed("end_lo"), record.fixed("end_hi")
    if start.second is None:
        return Span(low, high)
    return Span(low, high, case((and_(low == start.low, high == start.high), start.second)))


def in_window(window: Window, at: At, found: Source, other: Source, tie: str | None = None) -> Element | None:
    """Whether another record lies in the window around the found one, three-valued; None: always.

    `tie` as in `monitor.rules.windows.lies_in`.
    """
    here = start_of(found)
    start, end = start_of(other), end_of(other)
    start, end = end if at is At.END else start, start if at is At.START else end
    lies = within(window.until, here, start, end, tie)
    return since_previous(window, found, start, end, lies) if window.previous else lies


def apart(window: Window, at: At, found: Source, other: Source) -> Element | None:
    """Days that are surely out of the window, cheap to ask before all else; None: there are none."""
    here, start, end = start_of(found), start_of(other), end_of(other)
    start, end = end if at is At.END else start, start if at is At.START else end
    low, high = window.until.low, window.high
    if window.hours and low is not None and high is not None:
        low, high = low // 24, -(-high // 24)
    never: list[Element] = []
    if high is not None:
        never.append(start.low > here.high + day(high))
    if low is not None:
        never.append(end.high < here.low + day(low))
    if window.previous:
        nth, days = (found.relation.c[name] for name in PREVIOUS)
        never += [nth == 1, end.high < here.low - days + day(window.low or 0)]
    return and_(start.dated, or_(*never)) if never else None


def within(window: Window, here: Span, start: Span, end: Span, tie: str | None = None) -> Element | None:
    """Whether what lasts from `start` to `end` meets the window around `here`; None: always."""
    if window.low is None and window.high is None:
        return None
    if window.hours:
        return within(in_seconds(window), _seconds(here), _seconds(start), _seconds(end))
    surely: list[Element] = []
    never: list[Element] = [false()]
    if window.high is not None:
        sides = _before(start, here, tie) if tie and window.high == 0 else _up_to(start, here, window.high)
        surely.append(sides[0])
        never.append(sides[1])
    if window.low is not None:
        sides = _after(end, here, tie) if tie and window.low == 0 else _from(end, here, window.low)
        surely.append(sides[0])
        never.append(sides[1])
    dated = and_(start.dated, here.dated)
    return case((and_(dated, *surely), true()), (and_(dated, or_(*never)), false()))


PREVIOUS = (
    "previous_nth",
    "previous_days",
)  # the number of a record in its series, days since the one before


def since_previous(window: Window, found: Source, start: Span, end: Span, lies: Element | None) -> Element:
    """Whether it lies as `lies` says, and in a window that begins with the record before the found one."""
    nth, days = (found.relation.c[name] for name in PREVIOUS)
    first = start_of(found).low - days + day(window.low or 0)
    since = case(
        (and_(start.dated, end.low >= first), true()), (and_(start.dated, end.high < first), false())
    )
    return case((nth == 1, false()), else_=since if lies is None else and_(since, lies))


Sides = tuple[Element, Element]  # surely on this side of a window's end, surely not


def _up_to(start: Span, here: Span, high: int) -> Sides:
    return start.high <= here.low + day(high), start.low > here.high + day(high)


def _from(end: Span, here: Span, low: int) -> Sides:
    return end.low >= here.high + day(low), end.high < here.low + day(low)


def _before(start: Span, here: Span, tie: str) -> Sides:
    """Whether it begins before the found record: of one day by the times, else as `tie` says."""
    first = _comes_before(start, here, tie)
    surely = or_(start.high < here.low, and_(first, start.high <= here.low))
    return surely, or_(start.low > here.high, and_(~first, start.low >= here.high))


def _after(end: Span, here: Span, tie: str) -> Sides:
    """Whether it ends after the found record."""
    first = _comes_before(end, here, tie)
    surely = or_(end.low > here.high, and_(~first, end.low >= here.high))
    return surely, or_(end.high < here.low, and_(first, end.high <= here.low))


def _comes_before(one: Span, here: Span, tie: str) -> Element:
    """Whether a record counts as before the found one, if both are of one day."""
    assert one.second is not None, "the times of day were not carried along"
    assert here.second is not None, "the times of day were not carried along"
    exact = and_(one.exact, here.exact)
    times: list[tuple[Element, Element]] = [
        (and_(exact, one.second < here.second), true()),
        (and_(exact, one.second > here.second), false()),
    ]
    otherwise: dict[str, Element] = {"before": true(), "after": false()}
    return case(*times, else_=otherwise[tie]) if tie in otherwise else case(*times)


# ---------------------------------------------------------------- times of day


def _seconds(span: Span) -> Span:
    """The seconds that a date can be: all those of its days when its time is not known."""
    assert span.second is not None, "the times of day were not carried along"
    timed = and_(span.exact, span.second.is_not(None))
    first, last = cast(span.low, BigInteger()) * DAY, cast(span.high, BigInteger()) * DAY
    return Span(
        case((timed, first + span.second), else_=first),
        case((timed, last + span.second), else_=last + (DAY - 1)),
        span.second,
    )


def last_second(record: Source) -> Element:
    """The last second at which a record can begin."""
    return _seconds(start_of(record)).high
