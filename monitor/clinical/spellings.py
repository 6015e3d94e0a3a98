"""Spellings of units: CDISC controlled terminology, UCUM and what laboratories write.

Looked up as written, then in lower case; before that, `units` has removed blanks, turned every
micro sign into `u`, `*` into `^`, and superscripts into digits.
"""

from __future__ import annotations

from collections.abc import Mapping

# What can be said in any case is listed in lower case; where case tells units apart, as written.
_ALL: Mapping[str, str] = {
    "10^12/L": "10^12/l x10^12/l x10e12/l 10e12/l 1012/l 10e+12/l tera/l ti/l mill/ul 10^6/ul x10^6/ul"
    " x10e6/ul 10e6/ul x106/ul 106/ul 10^6/mm3 10^6/mm^3 x10^6/mm3 m/ul mil/ul /pl 1/pl million/ul"
    " 10^6/mcl x1012/l x1012cells/l 10^12cells/l T/L",
    "10^10/L": "10^4/ul x10^4/ul 10e4/ul x104/ul 10^4/mm3 10^10/l 万/ul",
    "10^9/L": "10^9/l x10^9/l x10e9/l x109/l 109/l 10e+9/l 10e+09/l giga/l gi/l thou/ul thous/ul thou/mcl"
    " 10^3/ul x10^3/ul x10e3/ul 10e3/ul x103/ul 103/ul 10^3/mcl x10^3/mcl 10^3/mm3 10^3/mm^3 x10^3/mm3"
    " x10^3/mm^3 k/ul k/mm3 k/cumm k/mcl th/ul 1000/ul 1000/mm3 tsd/ul thousand/ul /nl 1/nl G/L"
    " 10e9/l [10^3]/ul 10^9cells/l x109cells/l x10^9cells/l 10^3cells/ul x10^3cells/ul cells/nl",
    "10^8/L": "10^2/ul x10^2/ul 10e2/ul 10^8/l 10^2/mm3",
    "10^6/L": "10^6/l x10^6/l x10e6/l 10e6/l x106/l 106/l /ul 1/ul cells/ul cells/mcl cell/ul /mcl /mm3 /mm^3"
    " 1/mm3 cells/mm3 cells/mm^3 /cumm cells/cumm 10^3/ml mega/l",
    "g/L": "gm/l gram/l mg/ml",
    "g/dL": "g/dl gm/dl g% g/100ml",
    "mg/dL": "mg/dl mg% mg/100ml",
    "mg/L": "mg/l ug/ml mcg/ml",
    "ug/dL": "ug/dl mcg/dl",
    "ug/L": "ug/l mcg/l ng/ml",
    "ng/dL": "ng/dl",
    "ng/L": "ng/l pg/ml",
    "mol/L": "mol/l",
    "mmol/L": "mmol/l mmole/l umol/ml",
    "umol/L": "umol/l mcmol/l micromol/l umole/l nmol/ml",
    "nmol/L": "nmol/l pmol/ml",
    "pmol/L": "pmol/l",
    "mEq/L": "meq/l meq(1)/l",
    "kU/L": "ku/l kiu/l u/ml iu/ml [iu]/ml",
    "U/L": "u/l iu/l [iu]/l [u]/l units/l mu/ml miu/ml",
    "mU/L": "miu/l uiu/ml uu/ml m[iu]/l u[iu]/ml mu/l",
    "ukat/L": "ukat/l mckat/l microkat/l",
    "nkat/L": "nkat/l",
    "%": "percent pct",
    "1": "fraction ratio l/l proportionof1",
    "kg": "kg kilogram kilograms",
    "g": "gm gram grams g",
    "mg": "mg milligram milligrams",
    "ug": "ug mcg microgram micrograms",
    "ng": "ng",
    "pg": "pg",
    "lb": "lb lbs pound pounds [lb_av]",
    "g/kg": "g/kg",
    "mg/kg": "mg/kg",
    "ug/kg": "ug/kg mcg/kg",
    "mmol": "mmol",
    "fmol": "fmol fmol(fe)",
    "U": "u iu [iu] units",
    "mmHg": "mmhg mm[hg] mmofhg mm/hg",
    "kPa": "kpa",
    "m": "m",
    "cm": "cm",
    "mm": "mm",
    "in": "in inch inches [in_i]",
    "L": "L l liter litre",
    "mL": "ml",
    "fL": "fl um3 um^3",
    "h": "h hr hour hours",
    "min": "min minute minutes",
    "s": "s sec second seconds",
    "ms": "ms msec",
    "/min": "/min beats/min beats/minute bpm breaths/min breaths/minute 1/min",
    "/h": "/h 1/h",
    "mg/g": "mg/g",
    "mmol/mol": "mmol/mol",
    "mg/mmol": "mg/mmol g/mol",
    "kg/m2": "kg/m2 kg/m^2",
    "g/day": "g/day g/d g/24h g/24hr",
    "mg/day": "mg/day mg/d mg/24h mg/24hr",
    "mOsm/kg": "mosm/kg mosmol/kg",
    "um": "um micron microns",
    "mL/s": "ml/s ml/sec",
    "L/day": "l/day l/d l/24h",
    "C": "c degc cel °c degreescelsius celsius",
    "F": "f degf [degf] °f fahrenheit",
    "mL/min": "ml/min",
    "mL/min/1.73m2": "ml/min/1.73m2 ml/min/1.73m^2 ml/min/{1.73_m2} ml/min/1.73",
}

# Both G/L (10^9/L) and g/L (grams) are in use; in lower case it is grams.
SPELLINGS: Mapping[str, str] = {word: unit for unit, words in _ALL.items() for word in words.split()} | {
    "g/l": "g/L"
}

# Spellings that are seen and are no units here, with the reason: of results in them nothing is concluded.
UNKNOWN: Mapping[str, str] = {
    "pkat/L": "seen where ukat/L was meant; a million-fold wrong value would be silent",
    "NO UNITS": "a word for none, also of tests that have a unit elsewhere",
    "1/DIL": "a dilution step, not a quantity",
    "titer": "a dilution step, not a quantity",
    "CFU/mL": "colonies; no rule is about them",
    "h*ug/ml": "an area under a curve; no rule is about it",
    "mm2": "an area; no rule is about it",
    "mEq": "without the volume it says nothing of a concentration",
    "Caliper unit": "a scale of its own",
    "YEARS": "an age or a duration of education",
    "% (v/v)": "a concentration of a medicine",
    **dict.fromkeys(
        ("CAPSULE", "TABLET", "PUFF", "SPRAY", "SYRINGE", "VIAL", "gtt", "oz", "tsp", "Tbsp"),
        "an amount of a preparation: how much of the drug is in it is not said",
    ),
}
