"""Stopping boundaries: for each number of subjects the count at which to stop.

"Stop" means at least that many, as in Ivanova et al. 2005 and R's stoppingrule; clinfun writes the
largest count that does *not* stop. Counts are compared with the table, never a probability with a
cut-off: rounding would decide the edge.

A calibrated method gives each pair (events, subjects) a score that rises with the events: the binomial
tail (pocock), the posterior probability (beta-binomial), the log-likelihood ratio (sprt). Of all
cut-offs for which the chance of ever stopping at p0 is at most alpha, the boundary is that of the
most sensitive. Such cut-offs fill an interval in which the boundary is the same; `edge` is its open
end: the score of the first pair that must not stop any more.

R's stoppingrule 0.5.2 has the same tables and probabilities, and prints constants that lie up to 4e-7
beside the edge (.037663446 for .037663443, .020353939 for .020353899, .9630823055 for .9630826917),
because its root finder stops within 1e-4 of a count. `tests/unit/test_published_constants.py` gets all
their printed digits in that way. With the exact tails they would let one more pair stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from math import floor, log, log1p

from monitor.statistics.designs import Design, Method, contradictions
from monitor.statistics.operating import stop_probability
from monitor.statistics.tails import beta_tail, binomial_tail

HALVINGS = 60  # an interval of length 1 to less than the distance of two scores
SAME = 1e-12  # scores that differ by less are of pairs that are equally extreme

Score = Callable[[int, int], float]  # of (n, x)


@dataclass(frozen=True)
class Range:
    """Numbers of subjects, both ends included, with the same count at which to stop."""

    first: int
    last: int
    stop_at: int

    @property
    def subjects(self) -> str:
        """The numbers of subjects: "5-12", or "13"."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Boundary:
    """A design with its table. `stops[n - 1]` is the count at which to stop at n; n + 1: none is possible.

    `edge` is the score of the first pair that does not stop, None where nothing was calibrated.
    Without n_max (count, share) the table is empty and goes on for ever.
    """

    design: Design
    stops: tuple[int, ...]
    edge: float | None = None

    def stop_at(self, n: int) -> int | None:
        """The count at which to stop with n subjects; None when none is possible.

        Beyond n_max the count of n_max holds on: no method says anything there, and a study that
        goes on has not become safer.
        """
        if not self.design.method.is_calibrated:
            wanted = _counted(self.design, n)
        else:
            wanted = self.stops[min(n, len(self.stops)) - 1]
        return wanted if n >= 1 and wanted <= n else None

    def crossed(self, x: int, n: int) -> bool:
        """Whether x events among n subjects reach the boundary."""
        wanted = self.stop_at(n)
        return wanted is not None and x >= wanted

    @property
    def table(self) -> tuple[tuple[int, int], ...]:
        """(n, stop at) for every n at which stopping is possible, up to n_max."""
        return tuple((n, count) for n, count in enumerate(self.stops, start=1) if count <= n)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The table in short."""
        groups = [list(rows) for _, rows in groupby(self.table, key=lambda row: row[1])]
        return tuple(Range(rows[0][0], rows[-1][0], rows[0][1]) for rows in groups)

    @property
    def pointwise(self) -> float | None:
        """Of pocock: the alpha of each single look, the open end of the interval (see above)."""
        return None if self.edge is None or self.design.method is not Method.POCOCK else -self.edge

    @property
    def cutoff(self) -> float | None:
        """Of beta-binomial and sprt: the cut-off, given or calibrated (then stopping is above it)."""
        if self.design.method is Method.POCOCK:
            return None
        return self.design.cutoff if self.edge is None else self.edge


def problems(design: Design) -> list[tuple[str, str]]:
    """Everything that keeps a design from having a boundary: (name of the number, what is wrong)."""
    found = contradictions(design)
    if found or not design.method.is_calibrated or boundary(design).table:
        return found
    name = "alpha" if design.cutoff is None else "cutoff"
    return [(name, f"no count of events within {design.n_max} subjects reaches it: it would never stop")]


@lru_cache(maxsize=64)
def boundary(design: Design) -> Boundary:
    """The boundary of a design without contradictions. Calibrated ones can turn out never to stop."""
    if not design.method.is_calibrated:
        stops = tuple(min(_counted(design, n), n + 1) for n in range(1, (design.n_max or 0) + 1))
        return Boundary(design, stops)
    score = score_of(design)
    assert design.n_max is not None, "a calibrated design has n_max"
    if design.cutoff is not None:
        cutoff = design.cutoff
        return Boundary(design, _walk(design.n_max, lambda n, x: score(n, x) >= cutoff))
    stops, edge = _calibrated(design, score, design.n_max)
    return Boundary(design, stops, edge)


def _counted(design: Design, n: int) -> int:
    """The count at which `count` or `share` stops with n subjects; above n when it can't."""
    if design.method is Method.COUNT:
        assert design.at_least is not None, "count has at_least"
        return design.at_least
    assert design.min_subjects is not None, "share has min_subjects"
    # the share as it is written: 0.1 of 30 subjects is 3, whatever a float makes of it
    return n + 1 if n < design.min_subjects else floor(Fraction(str(design.above)) * n) + 1


# ---------------------------------------------------------------- scores


def score_of(design: Design) -> Score:
    """How much x events among n subjects speak against p0; rises with x, falls with n."""
    p0 = design.p0
    assert p0 is not None, "a calibrated design has p0"
    if design.method is Method.POCOCK:
        return lru_cache(maxsize=None)(lambda n, x: -binomial_tail(x, n, p0))
    if design.method is Method.BETA_BINOMIAL:
        assert design.prior is not None, "beta-binomial has a prior"
        a, b = design.prior
        return lru_cache(maxsize=None)(lambda n, x: beta_tail(p0, a + x, b + n - x))
    assert design.p1 is not None, "sprt has p1"
    event, none = log(design.p1 / p0), log1p(-design.p1) - log1p(-p0)
    return lambda n, x: x * event + (n - x) * none


# ---------------------------------------------------------------- calibration


def _walk(n_max: int, stops: Callable[[int, int], bool]) -> tuple[int, ...]:
    """For each n the smallest count of at least 1 that stops; it never falls as n grows."""
    found: list[int] = []
    count = 1
    for n in range(1, n_max + 1):
        while count <= n and not stops(n, count):
            count += 1
        found.append(count)
    return tuple(found)


def _calibrated(design: Design, score: Score, n_max: int) -> tuple[tuple[int, ...], float]:
    """The most sensitive boundary whose chance of ever stopping at p0 is at most alpha; and its edge."""
    p0, alpha = design.p0, design.alpha
    assert p0 is not None, "a calibrated design has p0"
    assert alpha is not None, "a design without a cut-off has alpha"
    low, high = score(n_max, 0), score(n_max, n_max)  # all pairs lie between
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        stops = _above(n_max, score, middle)
        low, high = (low, middle) if stop_probability(stops, p0) <= alpha else (middle, high)
    stops = _above(n_max, score, high)
    while True:  # from there pair by pair, so that the end is exact
        edge = max(score(n, min(count - 1, n)) for n, count in enumerate(stops, start=1))
        wider = _above(n_max, score, edge - SAME * abs(edge))
        if wider == stops or stop_probability(wider, p0) > alpha:
            return stops, edge
        stops = wider


def _above(n_max: int, score: Score, cutoff: float) -> tuple[int, ...]:
    """The boundary of all pairs whose score is above a cut-off."""
    return _walk(n_max, lambda n, x: score(n, x) > cutoff)
