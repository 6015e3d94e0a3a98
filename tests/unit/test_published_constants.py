"""Why published calibration constants differ from ours in the seventh digit.

R's stoppingrule takes for each n the real count at which the tail equals the constant, rounded up. Its
root finder, uniroot, stops within 1.22e-4 of that count. Done the same way, with Brent's method and
the same tolerance, all printed digits come out; and with the exact tails the constant lets one more
pair stop, so that the table printed beside it would not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import pytest

from monitor.statistics.boundaries import boundary
from monitor.statistics.designs import Design, Method
from monitor.statistics.operating import stop_probability
from monitor.statistics.tails import beta_tail, binomial_tail

EPSILON = 2.0**-52
TOLERANCE = EPSILON**0.25  # uniroot's default

Curve = Callable[[float], float]


def root(f: Curve, a: float, b: float) -> float:
    """Brent's method (Brent 1973, zeroin), with the tolerance of R's uniroot."""
    fa, fb = f(a), f(b)
    c, fc = a, fa
    while True:
        before = b - a
        if abs(fc) < abs(fb):
            a, b, c, fa, fb, fc = b, c, b, fb, fc, fb
        near = 2 * EPSILON * abs(b) + TOLERANCE / 2
        step = (c - b) / 2
        if abs(step) <= near or fb == 0:
            return b
        if abs(before) >= near and abs(fa) > abs(fb):
            step = interpolated(a, b, c, (fa, fb, fc), before, near)
        a, fa = b, fb
        b += step if abs(step) >= near else (near if step > 0 else -near)
        fb = f(b)
        if fb * fc > 0:
            c, fc = a, fa


def interpolated(
    a: float, b: float, c: float, values: tuple[float, float, float], before: float, near: float
) -> float:
    """The step by interpolation where it is safe, else half the interval."""
    fa, fb, fc = values
    whole = c - b
    if a == c:
        p, q = whole * fb / fa, 1 - fb / fa
    else:
        r, s, t = fa / fc, fb / fc, fb / fa
        p, q = t * (whole * r * (r - s) - (b - a) * (s - 1)), (r - 1) * (s - 1) * (t - 1)
    p, q = (p, -q) if p > 0 else (-p, q)
    safe = p < 0.75 * whole * q - abs(near * q) / 2 and p < abs(before * q / 2)
    return p / q if safe else whole / 2


def pocock(n_max: int, p0: float, constant: float) -> list[int]:
    found = []
    for n in range(1, n_max + 1):
        tail: Curve = lambda y, n=n: 1 - beta_tail(p0, y, n - y + 1) - constant  # type: ignore[misc]  # noqa: E731
        found.append(n + 1 if p0**n >= constant else ceil(root(tail, 1e-4, n)))
    return found


def beta_binomial(n_max: int, p0: float, constant: float, a: float, b: float) -> list[int]:
    found = []
    for n in range(1, n_max + 1):
        tail: Curve = lambda y, n=n: beta_tail(p0, a + y, b + n - y) - constant  # type: ignore[misc]  # noqa: E731
        found.append(ceil(root(tail, 0, n + b - 1e-12)))
    return found


def calibrated(stops: Callable[[float], list[int]], p0: float, alpha: float) -> float:
    low, high = 0.5, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        keeps = stop_probability(stops(middle), p0) <= alpha
        low, high = (low, middle) if keeps else (middle, high)
    return high


@pytest.mark.parametrize(
    ("n_max", "p0", "alpha", "printed"), [(30, 0.2, 0.1, 0.037663446), (40, 0.05, 0.05, 0.020353939)]
)
def test_the_printed_pointwise_alphas_are_ours_through_a_coarse_root_finder(
    n_max: int, p0: float, alpha: float, printed: float
) -> None:
    found = 1 - calibrated(lambda constant: pocock(n_max, p0, 1 - constant), p0, alpha)
    assert round(found, 9) == printed
    ours = boundary(Design(Method.POCOCK, p0=p0, alpha=alpha, n_max=n_max))
    assert ours.pointwise == pytest.approx(printed, abs=5e-8)
    assert tuple(pocock(n_max, p0, printed)) == ours.stops


def test_the_printed_cut_off_is_ours_through_a_coarse_root_finder() -> None:
    found = calibrated(lambda constant: beta_binomial(30, 0.2, constant, 0.6, 2.4), 0.2, 0.1)
    assert round(found, 10) == 0.9630823055
    ours = boundary(Design(Method.BETA_BINOMIAL, p0=0.2, alpha=0.1, n_max=30, prior=(0.6, 2.4)))
    assert ours.cutoff == pytest.approx(0.9630823055, abs=5e-7)


def test_with_exact_tails_the_printed_constants_would_change_their_own_tables() -> None:
    assert binomial_tail(5, 32, 0.05) < 0.020353939  # printed: at 32 subjects 6 stop, not 5
    assert binomial_tail(7, 17, 0.2) < 0.037663446  # printed: at 17 subjects 8 stop, not 7
    assert beta_tail(0.2, 0.6 + 4, 2.4 + 3) > 0.9630823055  # printed: at 7 subjects 5 stop, not 4
