"""Tail probabilities, in plain Python: binomial, and the Beta distribution."""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p

TINY = 1e-300  # in place of a zero denominator of the continued fraction
CLOSE = 1e-16
MOST_STEPS = 10_000


def binomial_tail(x: int, n: int, p: float) -> float:
    """P(X >= x) for X ~ Binomial(n, p), with 0 < p < 1; the smaller terms are added first."""
    if x <= 0:
        return 1.0
    if x > n:
        return 0.0
    return min(1.0, fsum(binomial_term(k, n, p) for k in range(x, n + 1)))


def binomial_term(x: int, n: int, p: float) -> float:
    """P(X = x) for X ~ Binomial(n, p), with 0 < p < 1."""
    choose = lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1)
    return exp(choose + x * log(p) + (n - x) * log1p(-p))


def beta_tail(p: float, a: float, b: float) -> float:
    """P(P > p) for P ~ Beta(a, b), with 0 < p < 1 and a, b > 0; to about 14 digits."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(p) + b * log1p(-p))
    # the fraction converges fast below the mean, so the other tail is asked above it
    if p < (a + 1) / (a + b + 2):
        return 1.0 - front * _fraction(p, a, b) / a
    return front * _fraction(1.0 - p, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    c, d = 1.0, 1.0 / _never_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1.0 / _never_zero(1.0 + term * d)
            c = _never_zero(1.0 + term / c)
            step = d * c
            value *= step
        if abs(step - 1.0) < CLOSE:
            break
    return value


def _never_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
