"""Stopping boundaries against published tables, and against a count of every outcome."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest

from monitor.statistics.boundaries import boundary, problems, score_of
from monitor.statistics.designs import Design, Method
from monitor.statistics.operating import operate
from monitor.statistics.tails import beta_tail, binomial_tail

POCOCK_30 = Design(Method.POCOCK, p0=0.2, alpha=0.1, n_max=30)
POCOCK_40 = Design(Method.POCOCK, p0=0.05, alpha=0.05, n_max=40)
BETA_30 = Design(Method.BETA_BINOMIAL, p0=0.2, alpha=0.1, n_max=30, prior=(0.6, 2.4))
SPRT_40 = Design(Method.SPRT, p0=0.1, p1=0.3, alpha=0.05, n_max=40)


def table(design: Design) -> str:
    return "; ".join(f"{each.subjects}:{each.stop_at}" for each in boundary(design).ranges)


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (POCOCK_30, "3-4:3; 5-7:4; 8-10:5; 11-13:6; 14-16:7; 17-20:8; 21-24:9; 25-27:10; 28-30:11"),
        (POCOCK_40, "2-4:2; 5-12:3; 13-21:4; 22-31:5; 32-40:6"),
        (BETA_30, "3-4:3; 5-6:4; 7-10:5; 11-13:6; 14-17:7; 18-20:8; 21-24:9; 25-28:10; 29-30:11"),
    ],
)
def test_the_tables_are_the_published_ones(design: Design, expected: str) -> None:
    assert table(design) == expected


@pytest.mark.parametrize(
    ("design", "p", "stop"),
    [
        (POCOCK_30, 0.2, 0.09915),
        (POCOCK_30, 0.3, 0.42603),
        (POCOCK_30, 0.4, 0.80577),
        (POCOCK_40, 0.05, 0.04900),
        (POCOCK_40, 0.15, 0.65650),
        (POCOCK_40, 0.25, 0.96929),
    ],
)
def test_the_chances_of_stopping_are_the_published_ones_to_all_their_digits(
    design: Design, p: float, stop: float
) -> None:
    assert round(operate(boundary(design).stops, p).stop, 5) == stop


@pytest.mark.parametrize(
    ("p", "stop", "events"),
    [
        (0.20, 0.09957367, 5.651197),
        (0.25, 0.23832301, 6.536293),
        (0.30, 0.43615256, 6.926712),
        (0.35, 0.64555222, 6.819377),
        (0.40, 0.81491087, 6.355803),
    ],
)
def test_beta_binomial_stops_and_expects_as_published(p: float, stop: float, events: float) -> None:
    found = operate(boundary(BETA_30).stops, p)
    assert (round(found.stop, 8), round(found.events, 6)) == (stop, events)


@pytest.mark.parametrize(
    ("a", "b", "p0", "x", "n", "tail"),
    [
        (0.4, 3.6, 0.1, 2, 8, 0.805442),
        (0.4, 3.6, 0.1, 3, 8, 0.950302),
        (0.4, 3.6, 0.1, 4, 8, 0.991015),
        (0.4, 3.6, 0.1, 3, 7, 0.962886),
        (0.4, 3.6, 0.1, 4, 13, 0.959573),
        (0.6, 2.4, 0.2, 4, 10, 0.886270),
        (0.6, 2.4, 0.2, 5, 10, 0.965988),
        (0.5, 0.5, 0.3, 6, 11, 0.957245),
    ],
)
def test_posterior_tails_are_the_published_ones(
    a: float, b: float, p0: float, x: int, n: int, tail: float
) -> None:
    assert round(beta_tail(p0, a + x, b + n - x), 6) == tail


def test_the_log_likelihood_ratio_of_3_in_6_is_the_published_one() -> None:
    assert round(score_of(SPRT_40)(6, 3), 5) == 2.54189


@pytest.mark.parametrize(
    ("x", "n", "p"), [(3, 12, 0.05), (0, 5, 0.5), (6, 5, 0.5), (40, 40, 0.05), (1, 1000, 0.001)]
)
def test_binomial_tails_are_the_sum_of_their_terms(x: int, n: int, p: float) -> None:
    exact = sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(max(x, 0), n + 1))
    assert binomial_tail(x, n, p) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(("p", "a", "b"), [(0.2, 3, 5), (0.9, 3, 5), (0.05, 1, 40), (0.5, 200, 200)])
def test_a_beta_tail_of_whole_numbers_is_a_binomial_sum(p: float, a: int, b: int) -> None:
    # P(Beta(a, b) <= p) = P(X >= a) for X ~ Binomial(a + b - 1, p)
    assert beta_tail(p, a, b) == pytest.approx(1 - binomial_tail(a, a + b - 1, p), abs=1e-12)


SMALL = [
    Design(Method.POCOCK, p0=0.2, alpha=0.1, n_max=9),
    Design(Method.POCOCK, p0=0.5, alpha=0.5, n_max=8),
    Design(Method.BETA_BINOMIAL, p0=0.3, alpha=0.2, n_max=9, prior=(1, 1)),
    Design(Method.SPRT, p0=0.1, p1=0.4, alpha=0.1, n_max=10),
    Design(Method.COUNT, at_least=3, n_max=9),
    Design(Method.SHARE, above=0.25, min_subjects=4, n_max=9),
]


@pytest.mark.parametrize("design", SMALL, ids=lambda design: design.method)
@pytest.mark.parametrize("p", [0.0, 0.2, 0.7, 1.0])
def test_operating_characteristics_are_those_of_every_outcome_counted_out(design: Design, p: float) -> None:
    made = boundary(design)
    stop = events = subjects = 0.0
    for outcome in product((0, 1), repeat=len(made.stops)):
        chance = 1.0
        for one in outcome:
            chance *= p if one else 1 - p
        sums = [sum(outcome[: n + 1]) for n in range(len(outcome))]
        at = next((n for n, x in enumerate(sums, start=1) if made.crossed(x, n)), None)
        stop += chance if at else 0
        events += chance * sums[(at or len(sums)) - 1]
        subjects += chance * (at or len(sums))
    found = operate(made.stops, p)
    assert (found.stop, found.events, found.subjects) == pytest.approx((stop, events, subjects), abs=1e-12)


@pytest.mark.parametrize("design", [POCOCK_30, POCOCK_40, BETA_30, SPRT_40, *SMALL[:4]], ids=str)
def test_a_calibrated_boundary_is_the_most_sensitive_that_keeps_alpha(design: Design) -> None:
    made = boundary(design)
    score, edge = score_of(design), made.edge
    assert edge is not None
    assert design.p0 is not None
    assert design.alpha is not None
    assert operate(made.stops, design.p0).stop <= design.alpha
    pairs = [(n, x) for n in range(1, len(made.stops) + 1) for x in range(1, n + 1)]
    assert all(made.crossed(x, n) == (score(n, x) > edge + 1e-12) for n, x in pairs)
    next_pair = next((n, x) for n, x in pairs if abs(score(n, x) - edge) < 1e-12)
    wider = [min(b, next_pair[1]) if n == next_pair[0] else b for n, b in enumerate(made.stops, start=1)]
    assert operate(wider, design.p0).stop > design.alpha


def test_beyond_n_max_the_boundary_of_n_max_holds_on() -> None:
    made = boundary(POCOCK_40)
    assert made.stop_at(40) == made.stop_at(41) == made.stop_at(400) == 6
    assert made.crossed(6, 41)
    assert not made.crossed(5, 400)


@pytest.mark.parametrize(
    ("x", "n", "crossed"), [(3, 12, True), (4, 21, True), (3, 13, False), (2, 5, False), (1, 1, False)]
)
def test_the_boundary_cases_of_the_trials_stopping_rule(x: int, n: int, crossed: bool) -> None:
    assert boundary(POCOCK_40).crossed(x, n) is crossed


def test_a_share_is_compared_as_it_is_written() -> None:
    made = boundary(Design(Method.SHARE, above=0.1, min_subjects=10))
    assert [made.stop_at(n) for n in (9, 10, 19, 20, 30)] == [None, 2, 2, 3, 4]


def test_a_count_needs_no_end() -> None:
    made = boundary(Design(Method.COUNT, at_least=3))
    assert [made.stop_at(n) for n in (0, 2, 3, 5000)] == [None, None, 3, 3]
    assert made.table == ()


def test_a_given_cut_off_stops_at_it() -> None:
    at_it = beta_tail(0.2, 0.6 + 4, 2.4 + 3)  # of 4 in 7
    given = Design(Method.BETA_BINOMIAL, p0=0.2, n_max=30, prior=(0.6, 2.4), cutoff=at_it)
    assert boundary(given).stop_at(7) == 4
    assert boundary(given).cutoff == at_it
    assert boundary(given).pointwise is None
    assert boundary(BETA_30).stop_at(7) == 5


@pytest.mark.parametrize(
    ("design", "named"),
    [
        (Design(Method.POCOCK), ["p0", "alpha", "n_max"]),
        (Design(Method.POCOCK, p0=0.05, alpha=0.05, n_max=40, p1=0.2), ["p1"]),
        (Design(Method.POCOCK, p0=0, alpha=1, n_max=0), ["p0", "alpha", "n_max"]),
        (Design(Method.SPRT, p0=0.3, p1=0.3, alpha=0.05, n_max=40), ["p1"]),
        (Design(Method.BETA_BINOMIAL, p0=0.2, n_max=9, prior=(1, 1)), ["alpha"]),
        (Design(Method.BETA_BINOMIAL, p0=0.2, n_max=9, prior=(1, 1), alpha=0.1, cutoff=0.9), ["cutoff"]),
        (Design(Method.BETA_BINOMIAL, p0=0.2, n_max=9, prior=(0, 1), alpha=0.1), ["prior"]),
        (Design(Method.BETA_BINOMIAL, p0=0.5, n_max=3, prior=(1, 1), cutoff=0.99), ["cutoff"]),
        (Design(Method.POCOCK, p0=0.5, alpha=0.01, n_max=3), ["alpha"]),
        (Design(Method.COUNT), ["at_least"]),
        (Design(Method.COUNT, at_least=9, n_max=5), ["at_least"]),
        (Design(Method.SHARE, above=1, min_subjects=0), ["above", "min_subjects"]),
        (Design(Method.SHARE, at_least=2), ["above", "min_subjects", "at_least"]),
    ],
)
def test_every_contradiction_of_a_design_is_named(design: Design, named: list[str]) -> None:
    assert [name for name, _ in problems(design)] == named


def test_a_boundary_that_always_stops_is_one_too() -> None:
    always = boundary(Design(Method.POCOCK, p0=0.01, alpha=0.5, n_max=5))
    assert table(always.design) == "1-5:1"
