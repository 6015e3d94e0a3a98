"""What a clause's SQL hangs on: the candidates, how far data reach, and what is told while they don't."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, Integer, String, case, false, func, literal, or_

from monitor.rules.context import Context
from monitor.rules.rule import Open, Window
from monitor.rules.sql.scope import Element, Source, Words, day, missing
from monitor.rules.sql.windows import last_second
from monitor.rules.windows import DAY, HOUR


@dataclass(frozen=True)
class Answer:
    """A clause's truth for a candidate, and the tables that must be joined to it by rown."""

    truth: Element
    joins: tuple[CTE, ...] = ()


UNKNOWN = Answer(literal(1, Integer()))


@dataclass(frozen=True)
class Frame:
    """What clauses hang on: the candidates, the name for the clause's own table, the rule's world."""

    candidates: Source
    name: str
    context: Context
    words: Words

    def under(self, part: str) -> Frame:
        """The same, for a part of the clause."""
        return Frame(self.candidates, f"{self.name}_{part}", self.context, self.words)


def joined(found: CTE) -> Element:
    """A left-joined truth: 0 where there was no other record."""
    return func.coalesce(found.c.truth, 0)


def counted(sure: Element, possible: Element, count: int) -> Element:
    """Whether there are so many: 2 when surely, 1 when possibly, else 0."""
    return case((sure >= count, 2), (possible >= count, 1), else_=0)


# ---------------------------------------------------------------- how far the data reach


@dataclass(frozen=True)
class Reach:
    """The last day that a domain's data reach, for each candidate; `always` says that it is known."""

    day: Element
    always: bool


def reach_of(domain: str, frame: Frame) -> Reach | None:
    """How far a domain's data reach, by the candidate's site; None when it was not received."""
    days = {site: last for (name, site), last in frame.context.through.items() if name == domain}
    if not days:
        return None
    rest = days.pop("", None)
    otherwise = missing(BigInteger()) if rest is None else day(rest)
    site = frame.candidates.fixed("siteid")
    named = [(site == literal(name, String()), day(last)) for name, last in sorted(days.items())]
    return Reach(case(*named, else_=otherwise) if named else otherwise, always=rest is not None)


def _not_received(reach: Reach) -> list[tuple[Element, int]]:
    """For the candidates of a site from which the domain was not received, nothing is known."""
    return [] if reach.always else [(reach.day.is_(None), 1)]


def past(window: Window, reach: Reach, found: Source) -> Element:
    """Whether the window reaches past the data; that of a date without a last day does."""
    if window.high is None:
        return false()
    last = found.fixed("day_hi")
    if window.hours:
        end = last_second(found) + day(window.high * HOUR)
        return or_(last.is_(None), end > (reach.day + 1) * DAY - 1)
    return or_(last.is_(None), last + day(window.high) > reach.day)


@dataclass(frozen=True)
class Reaching:
    """A window that may reach past the data; `lasts` says that what is true then stays true."""

    window: Window
    reach: Reach
    lasts: bool = True


def told_with(truth: Element, reaching: Reaching, frame: Frame) -> Element:
    """What is seen, as far as the data reach."""
    unreached = past(reaching.window, reaching.reach, frame.candidates)
    stays = [(truth == 2, 2)] if reaching.lasts else []
    return case(*_not_received(reaching.reach), *stays, (unreached, 1), else_=truth)


def told_without(truth: Element, reaching: Reaching, opened: Open | None, frame: Frame) -> Element:
    """The contrary of what is seen, as far as the data reach."""
    fire = opened is Open.FIRE
    unreached = false() if fire else past(reaching.window, reaching.reach, frame.candidates)
    stays = [(truth == 2, 0)] if reaching.lasts else []
    return case(*_not_received(reaching.reach), *stays, (unreached, 1), else_=2 - truth)
