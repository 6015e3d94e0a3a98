"""The units that are known: what each measures, and its exact size.

Sources: SI (katal, litre, pressure), CDISC controlled terminology UNIT for the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

MASS = "mass concentration"
SUBSTANCE = "substance concentration"
EQUIVALENT = "equivalent concentration"

# unit -> what it measures, and its size in that dimension's base unit.
# Bases: 1/L, g/L, mol/L, Eq/L, kat/L, U/L (units without a mass), g, mol, g/kg, mmHg, m, s, L.
UNITS: Mapping[str, tuple[str, Fraction]] = {
    "10^12/L": ("number concentration", Fraction(10**12)),
    "10^10/L": ("number concentration", Fraction(10**10)),  # 10^4/uL, usual in Japan for platelets
    "10^9/L": ("number concentration", Fraction(10**9)),
    "10^8/L": ("number concentration", Fraction(10**8)),  # 10^2/uL, usual in Japan for leukocytes
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
    "mg/g": ("mass ratio", Fraction(1, 1000)),
    "mmol/mol": ("substance ratio", Fraction(1, 1000)),
    "mg/mmol": ("mass per substance", Fraction(1)),
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
    "kg/m2": ("mass per surface", Fraction(1)),
    "g/day": ("mass per time", Fraction(1)),
    "mg/day": ("mass per time", Fraction(1, 1000)),
    "mmol": ("substance", Fraction(1, 10**3)),
    "U": ("activity", Fraction(1)),
    "mmHg": ("pressure", Fraction(1)),
    "kPa": ("pressure", Fraction(1000 * 760, 101325)),  # 1 mmHg = 101325/760 Pa
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "mm": ("length", Fraction(1, 1000)),
    "um": ("length", Fraction(1, 10**6)),
    "in": ("length", Fraction(254, 10**4)),
    "L": ("volume", Fraction(1)),
    "mL": ("volume", Fraction(1, 10**3)),
    "fL": ("volume", Fraction(1, 10**15)),
    "pg": ("mass", Fraction(1, 10**12)),
    "fmol": ("substance", Fraction(1, 10**15)),
    "mOsm/kg": ("osmolality", Fraction(1)),
    "h": ("time", Fraction(3600)),
    "min": ("time", Fraction(60)),
    "s": ("time", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    "/min": ("frequency", Fraction(1)),
    "/h": ("frequency", Fraction(1, 60)),
    "C": ("temperature", Fraction(1)),  # F has another zero, so no factor leads to it
    "F": ("temperature in F", Fraction(1)),
    "mL/min": ("flow", Fraction(1)),
    "mL/s": ("flow", Fraction(60)),
    "L/day": ("flow", Fraction(1000, 1440)),
    "mL/min/1.73m2": ("flow per surface", Fraction(1)),
}
