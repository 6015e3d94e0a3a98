"""What a stopping boundary is asked for: the method and its numbers, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MOST_SUBJECTS = 1000  # calibrating takes seconds there, and grows with the square


class Method(StrEnum):
    """How the boundary is made."""

    COUNT = "count"
    SHARE = "share"
    POCOCK = "pocock"
    BETA_BINOMIAL = "beta-binomial"
    SPRT = "sprt"

    @property
    def is_calibrated(self) -> bool:
        """Whether a cut-off is solved for a chance of ever stopping; counts and shares are given."""
        return self not in (Method.COUNT, Method.SHARE)


NEEDED = {
    Method.COUNT: ("at_least",),
    Method.SHARE: ("above", "min_subjects"),
    Method.POCOCK: ("p0", "alpha", "n_max"),
    Method.BETA_BINOMIAL: ("p0", "prior", "n_max"),
    Method.SPRT: ("p0", "p1", "alpha", "n_max"),
}
ALSO = {Method.BETA_BINOMIAL: ("alpha", "cutoff")}  # one of them


@dataclass(frozen=True)
class Design:
    """A boundary's method and numbers; those that the method does not know are None.

    `p0` is the event probability that is still acceptable, `p1` one that is not; `alpha` the chance
    of ever stopping by `n_max` at p0; `prior` the (a, b) of a Beta distribution; `cutoff` a posterior
    probability given in place of alpha. `count` stops at `at_least` subjects, `share` above the share
    `above` of at least `min_subjects`.
    """

    method: Method
    p0: float | None = None
    p1: float | None = None
    alpha: float | None = None
    n_max: int | None = None
    prior: tuple[float, float] | None = None
    cutoff: float | None = None
    at_least: int | None = None
    above: float | None = None
    min_subjects: int | None = None

    @property
    def given(self) -> dict[str, object]:
        """The numbers that are set, by name, in the order of the fields."""
        return {name: value for name, value in vars(self).items() if name != "method" and value is not None}


def contradictions(design: Design) -> list[tuple[str, str]]:
    """Everything that can't be: (name of the number, what is wrong and what to write)."""
    return [*_named(design), *_in_range(design), *_ordered(design)]


def _named(design: Design) -> Iterator[tuple[str, str]]:
    """Numbers that the method needs, and numbers that it does not know."""
    needed, also = NEEDED[design.method], ALSO.get(design.method, ())
    for name in needed:
        if name not in design.given:
            yield name, f"{design.method} needs this number"
    for name in design.given:
        counted = name == "n_max" and not design.method.is_calibrated
        if name not in (*needed, *also) and not counted:
            wanted = ", ".join((*needed, *also))
            yield name, f"{design.method} does not know this number; it takes {wanted}"
    if also and not any(name in design.given for name in also):
        yield also[0], f"{design.method} needs {' or '.join(also)}"
    if also and all(name in design.given for name in also):
        yield also[1], f"give {' or '.join(also)}, not both"


def _in_range(design: Design) -> Iterator[tuple[str, str]]:
    for name in ("p0", "p1", "alpha", "cutoff"):
        value = getattr(design, name)
        if value is not None and not 0 < value < 1:
            yield name, f"{value:g} is not between 0 and 1"
    if design.above is not None and not 0 <= design.above < 1:
        yield "above", f"{design.above:g} is not a share from 0 to below 1"
    for name in ("n_max", "at_least", "min_subjects"):
        count = getattr(design, name)
        if count is not None and (not 1 <= count <= MOST_SUBJECTS or count != int(count)):
            yield name, f"{count:g} is not a number of subjects from 1 to {MOST_SUBJECTS}"
    if design.prior is not None and not all(part > 0 for part in design.prior):
        yield "prior", f"both parts of a Beta prior are above 0, and {design.prior} was given"


def _ordered(design: Design) -> Iterator[tuple[str, str]]:
    """Numbers that are right one by one, and wrong together."""
    if design.p0 is not None and design.p1 is not None and design.p1 <= design.p0:
        yield "p1", f"{design.p1:g} must be above p0 = {design.p0:g}: it is the probability not to be missed"
    for name in ("at_least", "min_subjects"):
        count = getattr(design, name)
        if count is not None and design.n_max is not None and count > design.n_max:
            yield name, f"{count} is more than the {design.n_max} subjects of n_max: it could never stop"
