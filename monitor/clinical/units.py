"""Units: one spelling each, and exact factors between those that measure the same.

A unit is known by its UCUM-like name (`10^9/L`, `umol/L`); CDISC and laboratory spellings are
read as it. Factors are exact fractions until the last step. Mass and substance concentrations
convert only for a named analyte. What is not known here is None: never a guess.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from monitor.clinical.measures import EQUIVALENT, MASS, SUBSTANCE, UNITS
from monitor.clinical.molar import MILLIMOLES, SYNONYMS, VALENCE, WEIGHED
from monitor.clinical.spellings import SPELLINGS

NONE = "1"  # the unit of what has none: a ratio, a score


@dataclass(frozen=True)
class Conversion:
    """A number in `unit` times `factor` is the number in the target; `analyte` None: of anything."""

    unit: str
    analyte: str | None
    factor: float


def _plain(spelling: str) -> str:
    """One form of what looks alike: micro signs, superscripts, multiplication signs, blanks."""
    text = unicodedata.normalize("NFKC", spelling).replace("\u03bc", "u").replace("×", "x")
    return "".join(text.split()).replace("**", "^").replace("*", "^")


def canonical(spelling: str | None, code: str | None = None) -> str | None:
    """The unit that a spelling stands for, a key of UNITS; None when it is not known.

    Case counts where it tells units apart: `G/L` is 10^9/L and `g/L` is grams per litre. Of a
    test that is no count (`code`), `G/L` can only be grams, written in capitals.
    """
    plain = _plain(spelling or "")
    if plain == "G/L" and analyte(code) in WEIGHED:
        return "g/L"
    if plain in UNITS:
        return plain
    found = SPELLINGS.get(plain)
    return found if found is not None else SPELLINGS.get(plain.lower())


def analyte(code: str | None) -> str | None:
    """The analyte that a test code or drug stands for, as MILLIMOLES and VALENCE name it."""
    plain = (code or "").strip().upper()
    return SYNONYMS.get(plain, plain) or None


def _in_moles(name: str, dimension: str) -> Fraction | None:
    """How many mol/L one base unit of a concentration is, for an analyte."""
    millimoles, charge = MILLIMOLES.get(name), VALENCE.get(name)
    if dimension == SUBSTANCE:
        return Fraction(1)
    if dimension == MASS and millimoles:
        return millimoles / 10
    if dimension == EQUIVALENT and charge:
        return Fraction(1, charge)
    return None


def _exact(code: str | None, unit: str, target: str) -> Fraction | None:
    """The factor as a fraction, both units canonical."""
    (dimension, size), (wanted, base) = UNITS[unit], UNITS[target]
    if dimension == wanted:
        return size / base
    name = analyte(code)
    if name is None:
        return None
    source, sink = _in_moles(name, dimension), _in_moles(name, wanted)
    return None if source is None or sink is None else size / base * source / sink


def factor(code: str | None, unit: str | None, target: str | None) -> float | None:
    """What a number in `unit` is multiplied by to be in `target`, for a test code (or None).

    Any known spelling is taken. None: one is not known, or they don't measure the same.
    """
    source, sink = canonical(unit), canonical(target)
    if source is None or sink is None:
        return None
    exact = _exact(code, source, sink)
    return None if exact is None else float(exact)


@cache
def conversions(target: str) -> tuple[Conversion, ...]:
    """All that can be converted to `target`, those without an analyte first; () if it is unknown."""
    sink = canonical(target)
    if sink is None:
        return ()
    general = [(unit, _exact(None, unit, sink)) for unit in UNITS]
    known = {unit for unit, found in general if found is not None}
    special = [
        (unit, name, _exact(name, unit, sink))
        for unit in UNITS
        if unit not in known
        for name in sorted({*MILLIMOLES, *VALENCE})
    ]
    return tuple(
        Conversion(unit, None, float(found)) for unit, found in general if found is not None
    ) + tuple(Conversion(unit, name, float(found)) for unit, name, found in special if found is not None)
