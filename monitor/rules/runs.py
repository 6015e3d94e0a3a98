"""`repeat`: which record completes an unbroken run of occasions. Applied to what was said of single records.

An occasion is the results within `occasion` days of its first one; its first dates it, its last
judges it. One that fires counts, one on which `where` is false breaks the run, one that only a
`with` or `without` keeps silent is passed over. Two runs are followed: the sure one, which is as
short as anything unknown can make it, and the possible one, which is as long as it can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from math import inf

from monitor.records import Truth, Verdict
from monitor.rules.fold import order
from monitor.rules.rule import Repeat
from monitor.rules.texts import normal


class Role(Enum):
    """What a record can do to a run."""

    COUNTS = "counts"
    BREAKS = "breaks"
    PASSES = "is passed over"


COUNTS = frozenset({Role.COUNTS})
BREAKS = frozenset({Role.BREAKS})


@dataclass(frozen=True)
class Reading:
    """What was said of a record apart from any run.

    `verdict` is without the clauses that are asked of the end of a run, which `end` says.
    `member` is the truth of `of`; `series` what tells its series from the subject's others.
    """

    verdict: Verdict
    member: Truth = Truth.TRUE
    end: Truth = Truth.TRUE
    series: tuple[str | None, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether it surely belongs to the series, on one known day."""
        return self.member is Truth.TRUE and self.verdict.days.exact

    @property
    def roles(self) -> frozenset[Role]:
        """All that it can do to a run, as far as is known."""
        truth, where = self.verdict.truth, self.verdict.where
        if truth is Truth.TRUE:
            return COUNTS
        counts = COUNTS if truth is Truth.UNKNOWN else frozenset[Role]()
        breaks = BREAKS if where is not Truth.TRUE else frozenset[Role]()
        passes = frozenset[Role]() if where is Truth.FALSE else frozenset({Role.PASSES})
        return counts | breaks | passes

    @property
    def low(self) -> float:
        """The first day that it can be of."""
        return -inf if self.verdict.days.low is None else self.verdict.days.low

    @property
    def high(self) -> float:
        """The last day that it can be of."""
        return inf if self.verdict.days.high is None else self.verdict.days.high


@dataclass(frozen=True)
class Counted:
    """What the rule says of a record once runs are counted.

    `run` are the rows of the occasions that make the run, in order, the record itself last; `doubts`
    the rows for which it can't be told; `gap`: two occasions lie too far apart to tell.
    """

    verdict: Verdict
    run: tuple[int, ...] = ()
    doubts: tuple[int, ...] = ()
    gap: bool = False


def counted(repeat: Repeat, readings: Iterable[Reading]) -> dict[int, Counted]:
    """What a rule with `repeat` says of each record, by its row, for the records of any subjects."""
    said: dict[int, Counted] = {}
    for own in _by_series(readings):
        for one in _Line(repeat, own).counted():
            before = said.get(one.verdict.row)
            if before is None or one.verdict.truth > before.verdict.truth:
                said[one.verdict.row] = one
    return said


def _by_series(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    """The records of each series of each subject, in order; one that may belong to several is in each."""
    subjects: dict[str, list[Reading]] = {}
    for reading in sorted(readings, key=lambda reading: order(reading.verdict)):
        subjects.setdefault(reading.verdict.subject, []).append(reading)
    for own in subjects.values():
        for key in dict.fromkeys(_key(reading) for reading in own):
            yield [reading for reading in own if _belongs(reading, key)]


def _key(reading: Reading) -> tuple[str | None, ...]:
    return tuple(None if text is None else normal(text) for text in reading.series)


def _belongs(reading: Reading, key: tuple[str | None, ...]) -> bool:
    if reading.member is Truth.TRUE:
        return _key(reading) == key
    return all(None in (own, other) or own == other for own, other in zip(_key(reading), key, strict=True))


# ---------------------------------------------------------------- one series of one subject


@dataclass(frozen=True)
class Occasion:
    """Results that count as one: dated by the first, judged by the last."""

    records: tuple[Reading, ...]
    chain: tuple[float, float]  # the days within which other records could change where it begins

    @property
    def last(self) -> Reading:
        """The record that judges it."""
        return self.records[-1]

    @property
    def day(self) -> float:
        """Its date."""
        return self.records[0].low


@dataclass(frozen=True)
class Stretch:
    """What lies between two sure breaks: from one day to another, with the records that may count."""

    start: float
    end: float
    units: tuple[Reading, ...]


class _Line:
    """One series of one subject, in order."""

    def __init__(self, repeat: Repeat, readings: Sequence[Reading]) -> None:
        self.repeat = repeat
        self.vague = [reading for reading in readings if not reading.sure]
        self.occasions = occasions([reading for reading in readings if reading.sure], repeat.occasion)
        self.stretches = list(self._stretches())

    def counted(self) -> Iterator[Counted]:
        """What is said of each record."""
        run: list[Occasion] = []
        for occasion in self.occasions:
            last, gap = occasion.last, False
            if last.roles == COUNTS:
                gap = bool(run) and self._too_far(run[-1], occasion)
                run = [occasion] if gap else [*run, occasion]
            elif Role.BREAKS in last.roles:
                run = []
            for record in occasion.records[:-1]:
                yield self._inner(record, occasion)
            yield self._told(last, run if last.roles == COUNTS else [])
        for reading in self.vague:
            yield self._possible(reading)

    def _too_far(self, before: Occasion, occasion: Occasion) -> bool:
        return self.repeat.max_gap is not None and occasion.day - before.day > self.repeat.max_gap

    def _inner(self, record: Reading, occasion: Occasion) -> Counted:
        """A record that does not judge its occasion says nothing, unless it may judge it after all."""
        if self.repeat.occasion and self._disturbed(occasion):
            return self._possible(record)
        return Counted(_said(record, Truth.FALSE, where=occasion.last.verdict.where))

    def _told(self, last: Reading, run: Sequence[Occasion]) -> Counted:
        if len(run) >= self.repeat.times and not self._spoiled(run[-self.repeat.times :]):
            rows = tuple(occasion.last.verdict.row for occasion in run)
            doubts = (last.verdict.row,) if last.end is Truth.UNKNOWN else ()
            return Counted(_said(last, last.end), rows, doubts)
        return self._possible(last)

    def _spoiled(self, run: Sequence[Occasion]) -> bool:
        """Whether a record whose day or series is not known could break the run or cut it otherwise."""
        reach = self.repeat.occasion
        low, high = run[0].chain[0] - reach, run[-1].last.high + reach
        return any(
            reading.low <= high and reading.high >= low and not self._is_harmless(reading)
            for reading in self.vague
        )

    def _is_harmless(self, reading: Reading) -> bool:
        """Whether it counts on whatever day it is of: then it can't shorten a run."""
        sure = reading.member is reading.end is Truth.TRUE and reading.roles == COUNTS
        return sure and not self.repeat.occasion

    # ------------------------------------------------------------ the possible run

    def _disturbed(self, occasion: Occasion) -> bool:
        """Whether a record whose day or series is not known could be one of its results."""
        reach = self.repeat.occasion
        low, high = occasion.chain[0] - reach, occasion.chain[1] + reach
        return any(reading.low <= high and reading.high >= low for reading in self.vague)

    def _stretches(self) -> Iterator[Stretch]:
        start, units = -inf, list[Reading]()
        for occasion in self.occasions:
            disturbed = self._disturbed(occasion)
            if occasion.last.roles == BREAKS and not disturbed:
                yield Stretch(start, occasion.day, tuple(units))
                start, units = occasion.last.high, []
            loose = disturbed and self.repeat.occasion
            judging = occasion.records if loose else (occasion.last,)
            units += [reading for reading in judging if Role.COUNTS in reading.roles]
        yield Stretch(start, inf, tuple(units))

    def _possible(self, reading: Reading) -> Counted:
        """A record on which a run is complete at most possibly."""
        runs = [self._run(stretch, reading) for stretch in self.stretches if _overlap(reading, stretch)]
        longest = max(runs, key=len, default=[])
        if Role.COUNTS not in reading.roles or len(longest) < self.repeat.times:
            return Counted(_said(reading, Truth.FALSE))
        truth = min(Truth.UNKNOWN, reading.end)
        rows = tuple(one.verdict.row for one in longest)
        return Counted(_said(reading, truth), rows, self._doubts(longest), gap=self._has_gap(longest))

    def _run(self, stretch: Stretch, last: Reading) -> list[Reading]:
        """The longest run in a stretch that a record could complete."""
        before = [unit for unit in stretch.units if order(unit.verdict) <= order(last.verdict)]
        if not last.sure:
            before = [unit for unit in stretch.units if unit.low <= last.high]
        others = [
            one
            for one in self.vague
            if Role.COUNTS in one.roles
            and _overlap(one, stretch)
            and one.low <= last.high
            and one is not last
        ]
        own = [] if last in before else [last]
        return [*sorted((*before, *others), key=lambda one: order(one.verdict)), *own]

    def _doubts(self, run: Sequence[Reading]) -> tuple[int, ...]:
        """The rows for which a possible run is not a sure one."""
        low, high = min(one.low for one in run), max(one.high for one in run)
        between = [occasion.last for occasion in self.occasions if low <= occasion.last.low <= high]
        unsure = [one for one in between if len(one.roles) > 1]
        ends = [run[-1]] if run[-1].end is Truth.UNKNOWN else []
        rows = (one.verdict.row for one in (*unsure, *self.vague, *ends))
        return tuple(dict.fromkeys(rows))

    def _has_gap(self, run: Sequence[Reading]) -> bool:
        held = {one.verdict.row for one in run}
        counted = [occasion for occasion in self.occasions if occasion.last.verdict.row in held]
        return any(self._too_far(one, other) for one, other in pairwise(counted))


def _overlap(reading: Reading, stretch: Stretch) -> bool:
    return reading.low <= stretch.end and reading.high >= stretch.start


def _said(reading: Reading, truth: Truth, where: Truth | None = None) -> Verdict:
    """The verdict with another truth; what is silent has no level."""
    verdict = reading.verdict
    return replace(
        verdict,
        truth=truth,
        where=verdict.where if where is None else where,
        level=verdict.level if truth is not Truth.FALSE else 0,
    )


def occasions(readings: Sequence[Reading], within: int) -> list[Occasion]:
    """Records of known days, in order, as occasions of `within` days after their first."""
    found: list[list[Reading]] = []
    for reading in readings:
        if found and reading.low - found[-1][0].low <= within:
            found[-1].append(reading)
        else:
            found.append([reading])
    chains: list[list[float]] = []
    for one in found:
        if chains and one[0].low - chains[-1][1] <= within:
            chains[-1][1] = one[-1].low
            chains.append(chains[-1])
        else:
            chains.append([one[0].low, one[-1].low])
    return [Occasion(tuple(one), (chain[0], chain[1])) for one, chain in zip(found, chains, strict=True)]
