"""Units: one spelling each, and exact factors between those that measure the same.

A unit is known by its UCUM-like name (`10^9/L`, `umol/L`); CDISC and laboratory spellings are
read as it. Factors are exact fractions until the last step. Mass and substance concentrations
convert only for a named analyte. What is not known here is None: never a guess.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from monitor.clinical.spellings import SPELLINGS


@dataclass(frozen=True)
class Conversion:
    """A number in `unit` times `factor` is the number in the target; `analyte` None: of anything."""

    unit: str
    analyte: str | None
    factor: float


MASS = "mass concentration"
SUBSTANCE = "substance concentration"
EQUIVALENT = "equivalent concentration"

# unit -> what it measures, and its size in that dimension's base unit.
# Bases: 1/L, g/L, mol/L, Eq/L, kat/L, U/L (units without a mass), g, mol, g/kg, mmHg, m, s, L.
UNITS: Mapping[str, tuple[str, Fraction]] = {
    "10^12/L": ("number concentration", Fraction(10**12)),
    "10^9/L": ("number concentration", Fraction(10**9)),
    "10^6/L": ("number concentration", Fraction(10**6)),  # the same as 1/uL and 1/mm3
    "g/L": (MASS, Fraction(1)),
    "g/dL": (MASS, Fraction(10)),
    "mg/dL": (MASS, Fraction(1, 100)),
    "mg/L": (MASS, Fraction(1, 10**3)),
    "ug/dL": (MASS, Fraction(1, 10**5)),
    "ug/L": (MASS, Fraction(1, 10**6)),  # the same as ng/mL
    "ng/dL": (MASS, Fraction(1, 10**8)),
    "ng/L": (MASS, Fraction(1, 10**9)),  # the same as pg/mL
    "mol/L": (SUBSTANCE, Fraction(1)),
    "mmol/L": (SUBSTANCE, Fraction(1, 10**3)),
    "umol/L": (SUBSTANCE, Fraction(1, 10**6)),
    "nmol/L": (SUBSTANCE, Fraction(1, 10**9)),
    "pmol/L": (SUBSTANCE, Fraction(1, 10**12)),
    "mEq/L": (EQUIVALENT, Fraction(1, 10**3)),
    # 1 U is 1 umol/min, so 1 ukat/L = 60 U/L exactly (SI definition of the katal).
    "kU/L": ("catalytic concentration", Fraction(1000)),
    "U/L": ("catalytic concentration", Fraction(1)),
    "mU/L": ("catalytic concentration", Fraction(1, 1000)),
    "ukat/L": ("catalytic concentration", Fraction(60)),
    "nkat/L": ("catalytic concentration", Fraction(60, 1000)),
    "%": ("ratio", Fraction(1, 100)),
    "1": ("ratio", Fraction(1)),
    "kg": ("mass", Fraction(1000)),
    "g": ("mass", Fraction(1)),
    "mg": ("mass", Fraction(1, 10**3)),
    "ug": ("mass", Fraction(1, 10**6)),
    "ng": ("mass", Fraction(1, 10**9)),
    "lb": ("mass", Fraction(45359237, 10**5)),  # the international pound, 0.45359237 kg exactly
    "g/kg": ("mass per body weight", Fraction(1)),
    "mg/kg": ("mass per body weight", Fraction(1, 10**3)),
    "ug/kg": ("mass per body weight", Fraction(1, 10**6)),
    "mmol": ("substance", Fraction(1, 10**3)),
    "U": ("activity", Fraction(1)),
    "mmHg": ("pressure", Fraction(1)),
    "kPa": ("pressure", Fraction(1000 * 760, 101325)),  # 1 mmHg = 101325/760 Pa
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "mm": ("length", Fraction(1, 1000)),
    "in": ("length", Fraction(254, 10**4)),
    "L": ("volume", Fraction(1)),
    "mL": ("volume", Fraction(1, 10**3)),
    "fL": ("volume", Fraction(1, 10**15)),
    "pg": ("mass", Fraction(1, 10**12)),
    "fmol": ("substance", Fraction(1, 10**15)),
    "h": ("time", Fraction(3600)),
    "min": ("time", Fraction(60)),
    "s": ("time", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    "/min": ("frequency", Fraction(1)),
    "C": ("temperature", Fraction(1)),  # F has another zero, so no factor leads to it
    "F": ("temperature in F", Fraction(1)),
    "mL/min": ("flow", Fraction(1)),
    "mL/min/1.73m2": ("flow per surface", Fraction(1)),
}

# mmol/L in 1 mg/dL, as laboratories and the study's facts state it (1 mg/dL = 10 mg/L, so it is
# 10 divided by the molar mass, g/mol, in brackets).
MILLIMOLES: Mapping[str, Fraction] = {
    "BILI": Fraction("0.0171"),  # mg/dL x 17.1 = umol/L (584.7)
    "BILDIR": Fraction("0.0171"),
    "BILIND": Fraction("0.0171"),
    "CREAT": Fraction("0.0884"),  # mg/dL x 88.4 = umol/L (113.12)
    "MG": Fraction("0.4114"),  # (24.305)
    "CA": Fraction("0.2495"),  # (40.078)
    "CACORR": Fraction("0.2495"),
    "CAION": Fraction("0.2495"),
    "PHOS": Fraction("0.3229"),  # as phosphorus (30.974)
    "GLUC": Fraction("0.05551"),  # (180.16)
    "CHOL": Fraction("0.02586"),  # (386.65)
    "TRIG": Fraction("0.01129"),  # as triolein (885.4)
    "URATE": Fraction("0.05948"),  # mg/dL x 59.48 = umol/L (168.11)
    "UREAN": Fraction("0.357"),  # urea from its nitrogen (28.01)
    "HGB": Fraction("0.0006206"),  # g/dL x 0.6206 = mmol/L of iron, the monomer (16114)
    "CYCLSPOR": Fraction(10) / Fraction("1202.6"),  # cyclosporine: ug/L x 0.8315 = nmol/L (1202.6)
}

# Charges per particle: 1 mEq = 1 mmol divided by the charge.
VALENCE: Mapping[str, int] = {
    "K": 1,
    "SODIUM": 1,
    "CL": 1,
    "BICARB": 1,
    "MG": 2,
    "CA": 2,
    "CACORR": 2,
    "CAION": 2,
}

# What laboratories give in grams per litre; none of it is counted in 10^9/L.
WEIGHED = frozenset({"HGB", "ALB", "PROT", "GLOBUL", "FIBRINO", "MCHC", "HAPTOG", "IGA", "IGG", "IGM"})

# Other codes in use for the analytes above.
SYNONYMS: Mapping[str, str] = {
    "TBILI": "BILI",
    "BILITOT": "BILI",
    "TBIL": "BILI",
    "DBILI": "BILDIR",
    "CREATIN": "CREAT",
    "CREA": "CREAT",
    "HB": "HGB",
    "GLUCOSE": "GLUC",
    "BUN": "UREAN",
    "NA": "SODIUM",
    "CYCLOSPORINE": "CYCLSPOR",
    "CYCLOSPORIN": "CYCLSPOR",
    "CICLOSPORIN": "CYCLSPOR",
    "CSA": "CYCLSPOR",
}


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
