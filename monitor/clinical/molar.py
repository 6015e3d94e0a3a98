"""From mass to amount of substance, analyte by analyte, and the codes that analytes go by.

Sources. "usual": the factor that laboratories and CTCAE tables print, rounded as they print it
(SI conversion factors of the AMA Manual of Style; the project's facts for bilirubin, creatinine
and magnesium). "mass": 10 divided by the molar mass in g/mol, from IUPAC's standard atomic
weights or, for proteins, from the mass that SI tables take.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction


def _mass(grams_per_mole: str) -> Fraction:
    """The factor of an analyte of this molar mass: 1 mg/dL is 10 mg/L."""
    return 10 / Fraction(grams_per_mole)


_CALCIUM = Fraction("0.2495")  # usual (40.078)
_CHOLESTEROL = Fraction("0.02586")  # usual (386.65)
_BILIRUBIN = Fraction("0.0171")  # usual: mg/dL x 17.1 = umol/L (584.7)

# mmol/L in 1 mg/dL; the molar mass in brackets.
MILLIMOLES: Mapping[str, Fraction] = {
    "BILI": _BILIRUBIN,
    "BILDIR": _BILIRUBIN,
    "BILIND": _BILIRUBIN,
    "CREAT": Fraction("0.0884"),  # usual: mg/dL x 88.4 = umol/L (113.12)
    "MG": Fraction("0.4114"),  # usual (24.305)
    "CA": _CALCIUM,
    "CACORR": _CALCIUM,
    "CAION": _CALCIUM,
    "PHOS": Fraction("0.3229"),  # usual, as phosphorus (30.974)
    "GLUC": Fraction("0.05551"),  # usual (180.16)
    "CHOL": _CHOLESTEROL,
    "HDL": _CHOLESTEROL,
    "LDL": _CHOLESTEROL,
    "VLDL": _CHOLESTEROL,
    "TRIG": Fraction("0.01129"),  # usual, as triolein (885.4)
    "URATE": Fraction("0.05948"),  # usual: mg/dL x 59.48 = umol/L (168.11)
    "UREAN": Fraction("0.357"),  # usual, urea from its nitrogen (28.01)
    "UREA": Fraction("0.1665"),  # usual (60.06)
    "HGB": Fraction("0.0006206"),  # usual: g/dL x 0.6206 = mmol/L of iron, the monomer (16114)
    "ALB": Fraction("0.0001505"),  # usual: g/dL x 150.5 = umol/L (66.4 kDa)
    "FIBRINO": Fraction("0.0000294"),  # usual: mg/dL x 0.0294 = umol/L (340 kDa)
    "LACTICAC": Fraction("0.111"),  # usual (90.08)
    "IRON": Fraction("0.1791"),  # usual: ug/dL x 0.1791 = umol/L (55.845)
    "AMMONIA": Fraction("0.5872"),  # usual: ug/dL x 0.5872 = umol/L (17.03)
    "FERRITIN": Fraction("0.00002247"),  # usual: ng/mL x 2.247 = pmol/L (445 kDa)
    "CORTISOL": Fraction("0.02759"),  # usual: ug/dL x 27.59 = nmol/L (362.46)
    "VITB12": Fraction("0.007378"),  # usual: pg/mL x 0.7378 = pmol/L (1355.4)
    "FOLATE": Fraction("0.02266"),  # usual: ng/mL x 2.266 = nmol/L (441.4)
    "CYCLSPOR": _mass("1202.6"),  # cyclosporine: ug/L x 0.8315 = nmol/L
    "TACROLMS": _mass("804.02"),  # tacrolimus
    "SIROLIMS": _mass("914.17"),  # sirolimus
    "VORICONA": _mass("349.31"),  # voriconazole
}

# Charges per particle: 1 mEq = 1 mmol divided by the charge.
VALENCE: Mapping[str, int] = {
    **{"K": 1, "SODIUM": 1, "CL": 1, "BICARB": 1, "CO2": 1},
    **{"MG": 2, "CA": 2, "CACORR": 2, "CAION": 2},
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
    "CHOLES": "CHOL",
    "LACTATE": "LACTICAC",
    "TACROLIMUS": "TACROLMS",
    "SIROLIMUS": "SIROLIMS",
    "VORICONAZOLE": "VORICONA",
    "CYCLOSPORINE": "CYCLSPOR",
    "CYCLOSPORIN": "CYCLSPOR",
    "CICLOSPORIN": "CYCLSPOR",
    "CSA": "CYCLSPOR",
}
