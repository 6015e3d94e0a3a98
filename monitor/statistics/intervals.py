"""Exact confidence intervals of a proportion."""

from __future__ import annotations

from monitor.statistics.tails import binomial_tail

HALVINGS = 60  # of an interval from 0 to 1: exact beyond what is printed


def clopper_pearson(x: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of x of n: 0 of 11 is 0 to 0.285. Needs 0 <= x <= n and n > 0."""
    half = (1 - level) / 2
    low = 0.0 if x == 0 else _where(x, n, half)
    high = 1.0 if x == n else _where(x + 1, n, 1 - half)
    return low, high


def _where(x: int, n: int, tail: float) -> float:
    """The p at which P(X >= x) is `tail`."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(x, n, middle) < tail else (low, middle)
    return (low + high) / 2
