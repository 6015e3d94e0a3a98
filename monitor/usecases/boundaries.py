"""monitor boundaries: a stopping boundary's table, and how it behaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monitor.errors import Problem, UsageError
from monitor.statistics.boundaries import Boundary, Range, boundary, problems
from monitor.statistics.designs import Design
from monitor.statistics.operating import Operating, operate

MULTIPLES = (0.5, 1, 1.5, 2, 3, 4, 5)  # of the acceptable probability, where none are named
USUAL = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # where the method knows no probability
OPTIONS = {"n_max": "--n"}  # what a number is called on the command line; the others by their name


@dataclass(frozen=True)
class Shown:
    """A boundary, and what happens at each of some event probabilities."""

    boundary: Boundary
    operating: tuple[Operating, ...]

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The table in short."""
        return self.boundary.ranges

    @property
    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        found = self.boundary
        return {
            "method": found.design.method.value,
            "parameters": found.design.given,
            "pointwise": found.pointwise,
            "cutoff": found.cutoff,
            "calibrated": found.edge is not None,
            "table": [{"n": n, "stop_at": count} for n, count in found.table],
            "operating": [asdict(each) for each in self.operating],
        }


def show_boundary(design: Design, at: Sequence[float] = ()) -> Shown:
    """The boundary and its operating characteristics at the probabilities in `at` (default: around p0).

    Raises UsageError with everything that is wrong.
    """
    wrong = [(OPTIONS.get(name, f"--{name.replace('_', '-')}"), said) for name, said in problems(design)]
    if design.n_max is None and not any(name == "--n" for name, _ in wrong):
        wrong.append(("--n", "up to how many subjects the table goes"))
    wrong += [("--p", f"{p:g} is not a probability from 0 to 1") for p in at if not 0 <= p <= 1]
    if wrong:
        raise UsageError("\n".join(str(Problem(where, said)) for where, said in wrong))
    made = boundary(design)
    return Shown(made, characteristics(made, at))


def characteristics(made: Boundary, at: Sequence[float] = ()) -> tuple[Operating, ...]:
    """How a boundary with a table behaves at the probabilities in `at` (default: around p0)."""
    return tuple(operate(made.stops, p) for p in dict.fromkeys(at or usual(made.design)))


def usual(design: Design) -> tuple[float, ...]:
    """Probabilities worth looking at: p0 with its multiples, and p1."""
    middle = design.above if design.p0 is None else design.p0
    if not middle:
        return USUAL
    around = {round(middle * factor, 12) for factor in MULTIPLES if middle * factor < 1}
    return tuple(sorted(around | ({design.p1} if design.p1 else set())))
