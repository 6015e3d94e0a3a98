"""How a boundary behaves: exact probabilities and expectations, subject by subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True)
class Operating:
    """At an event probability `p`: the chance of ever stopping, and what is expected by then.

    `events` and `subjects` are expected numbers when the boundary is reached, or at the end of the table.
    """

    p: float
    stop: float
    events: float
    subjects: float


def operate(stops: Sequence[int], p: float) -> Operating:
    """What happens at an event probability of 0 to 1. `stops[n - 1]` is the count at which to stop at n."""
    last = len(stops)
    stopped = list(_stopped(stops, p))
    ended = [(n, x, mass) for n, x, mass, crossed in stopped if crossed]
    rest = [(n, x, mass) for n, x, mass, crossed in stopped if not crossed]
    return Operating(
        p=p,
        stop=fsum(mass for _, _, mass in ended),
        events=fsum(x * mass for _, x, mass in (*ended, *rest)),
        subjects=fsum([*(n * mass for n, _, mass in ended), *(last * mass for _, _, mass in rest)]),
    )


def stop_probability(stops: Sequence[int], p: float) -> float:
    """The chance of ever reaching the boundary."""
    return fsum(mass for _, _, mass, crossed in _stopped(stops, p) if crossed)


def _stopped(stops: Sequence[int], p: float) -> Iterator[tuple[int, int, float, bool]]:
    """(subjects, events, probability, whether the boundary was reached) of all ways in which it ends."""
    going = [1.0]  # the probability of each number of events, without having stopped
    for n, count in enumerate(stops, start=1):
        grown = [0.0] * (len(going) + 1)
        for x, mass in enumerate(going):
            grown[x] += mass * (1 - p)
            grown[x + 1] += mass * p
        for x in range(count, len(grown)):
            yield n, x, grown[x], True
        going = grown[:count]
    for x, mass in enumerate(going):
        yield len(stops), x, mass, False
