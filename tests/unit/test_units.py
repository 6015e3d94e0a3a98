from __future__ import annotations

from pathlib import Path

import pytest

from monitor.clinical.measures import UNITS
from monitor.clinical.sheets import read_sheet
from monitor.clinical.spellings import UNKNOWN
from monitor.clinical.units import analyte, canonical, conversions, factor
from monitor.errors import SourceError
from monitor.rules.ctcae import FILES, load_criteria
from monitor.rules.names import TESTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "spelling",
    [
        "10^9/L",
        "THOU/uL",
        "GI/L",
        "G/L",
        "10^3/uL",
        "10^3/\u00b5L",
        "10^3/\u03bcL",
        "x 109/L",
        "×10⁹/L",
        "10*9/L",
        "10**3/mm3",
        "K/uL",
        "/nL",
        " x10E9/L ",
    ],
)
def test_every_spelling_of_a_platelet_unit_is_one_unit(spelling: str) -> None:
    assert canonical(spelling) == "10^9/L"


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("g/L", "g/L"),
        ("g/l", "g/L"),
        ("G/DL", "g/dL"),
        ("/mm3", "10^6/L"),
        ("/mm³", "10^6/L"),
        ("MILL/uL", "10^12/L"),
        ("TI/L", "10^12/L"),
        ("\u03bckat/L", "ukat/L"),
        ("IU/L", "U/L"),
        ("mcg", "ug"),
        ("µg/kg", "ug/kg"),
        ("mm Hg", "mmHg"),
        ("°C", "C"),
        ("LB", "lb"),
        ("fmol(Fe)", "fmol"),
    ],
)
def test_a_spelling_is_read_as_its_unit(spelling: str, unit: str) -> None:
    assert canonical(spelling) == unit


@pytest.mark.parametrize("spelling", [None, "", "  ", "NO UNITS", "pkat/L", "furlong", "x10^8/L", "?"])
def test_what_is_not_known_has_no_unit(spelling: str | None) -> None:
    assert canonical(spelling) is None


@pytest.mark.parametrize(
    ("code", "unit", "target", "times"),
    [
        ("PLAT", "/mm3", "10^9/L", 0.001),
        ("PLAT", "THOU/uL", "10^9/L", 1.0),
        ("BILI", "mg/dL", "umol/L", 17.1),
        ("TBILI", "mg/dL", "umol/L", 17.1),
        ("CREAT", "mg/dL", "umol/L", 88.4),
        ("HGB", "g/dL", "g/L", 10.0),
        ("HGB", "g/dL", "mmol/L", 0.6206),
        ("GLUC", "mg/dL", "mmol/L", 0.05551),
        ("MG", "mg/dL", "mmol/L", 0.4114),
        ("MG", "mEq/L", "mmol/L", 0.5),
        ("K", "mEq/L", "mmol/L", 1.0),
        ("ALT", "ukat/L", "U/L", 60.0),
        ("CSA", "ng/mL", "ug/L", 1.0),
        (None, "lb", "kg", 0.45359237),
        ("ROMIPLOSTIM", "mg", "ug", 1000.0),
        ("ROMIPLOSTIM", "mg/kg", "ug/kg", 1000.0),
    ],
)
def test_factors_are_the_laboratories_own(code: str | None, unit: str, target: str, times: float) -> None:
    assert factor(code, unit, target) == times


@pytest.mark.parametrize(
    ("code", "unit", "target"),
    [
        ("PLAT", "g/L", "10^9/L"),
        ("PLAT", "mg/dL", "umol/L"),
        (None, "mg/dL", "umol/L"),
        ("K", "mg/dL", "mmol/L"),
        ("BILI", "mEq/L", "umol/L"),
        (None, "F", "C"),
        ("PLAT", None, "10^9/L"),
        ("PLAT", "10^9/L", "what"),
        (None, "mg", "ug/kg"),
    ],
)
def test_what_does_not_measure_the_same_is_not_converted(
    code: str | None, unit: str | None, target: str
) -> None:
    assert factor(code, unit, target) is None


def test_a_mass_converts_for_its_analyte_only() -> None:
    found = {(each.unit, each.analyte): each.factor for each in conversions("umol/L")}
    assert found[("mmol/L", None)] == 1000.0
    assert found[("mg/dL", "BILI")] == 17.1
    assert ("mg/dL", "PLAT") not in found
    assert ("mg/dL", None) not in found
    assert conversions("furlong") == ()


@pytest.mark.parametrize("target", sorted(UNITS))
def test_conversions_and_factor_say_the_same(target: str) -> None:
    for each in conversions(target):
        assert factor(each.analyte, each.unit, target) == each.factor
        back = factor(each.analyte, target, each.unit)
        assert back is not None
        assert back * each.factor == pytest.approx(1.0, rel=1e-12)


def test_a_unit_is_its_own_spelling() -> None:
    assert all(canonical(unit) == unit for unit in UNITS)


def test_analytes_are_known_by_their_other_codes() -> None:
    assert (analyte(" bun "), analyte("PLAT"), analyte(""), analyte(None)) == ("UREAN", "PLAT", None, None)


# How much of the first unit is how much of the second: what laboratories' own tables say.
SAME = """
PLAT     250 10^3/uL  250 10^9/L    PLAT   250000 /mm3  250 10^9/L    PLAT   25 10^4/uL    250 10^9/L
WBC      7.5 K/uL     7.5 10^9/L    WBC    75 10^2/uL   7.5 10^9/L    CD4    350 cells/uL  0.35 10^9/L
NEUT     1500 /uL     1.5 10^9/L    LYM    1.5 GI/L     1.5 10^9/L    RBC    4.5 MILL/uL   4.5 10^12/L
RETI     60 THOU/uL   60 10^9/L     HGB    13 g/dL      130 g/L       HGB    10 g/dL       6.206 mmol/L
ALB      3.5 g/dL     35 g/L        ALB    4 g/dL       602 umol/L    FIBRINO 200 mg/dL    2 g/L
FIBRINO  2 g/L        5.88 umol/L   HAPTOG 30 mg/dL     0.3 g/L       CREAT  1 mg/dL       88.4 umol/L
BILI     1 mg/dL      17.1 umol/L   BILDIR 0.2 mg/dL    3.42 umol/L   GLUC   100 mg/dL     5.551 mmol/L
CHOL     200 mg/dL    5.172 mmol/L  HDL    40 mg/dL     1.0344 mmol/L LDL    100 mg/dL     2.586 mmol/L
TRIG     150 mg/dL    1.6935 mmol/L URATE  7 mg/dL      416.36 umol/L UREAN  20 mg/dL      7.14 mmol/L
UREA     60 mg/dL     9.99 mmol/L   K      4.2 mEq/L    4.2 mmol/L    SODIUM 140 mEq/L     140 mmol/L
MG       2 mg/dL      0.8228 mmol/L MG     1.7 mEq/L    0.85 mmol/L   CA     10 mg/dL      2.495 mmol/L
CA       5 mEq/L      2.5 mmol/L    CAION  4.8 mg/dL    1.1976 mmol/L PHOS   3.5 mg/dL     1.13015 mmol/L
ALT      1 ukat/L     60 U/L        AST    0.5 μkat/L   30 U/L        LDH    4 ukat/L      240 U/L
CK       200 IU/L     200 U/L       LIPASET 1 ukat/L    60 U/L        AMYLASE 100 mU/mL    100 U/L
GGT      1000 nkat/L  60 U/L        ALP    2 ukat/L     120 U/L       CREATCLR 1.5 mL/s    90 mL/min
FERRITIN 300 ng/mL    300 ug/L      FERRITIN 100 ug/L   224.7 pmol/L  CORTISOL 10 ug/dL    275.9 nmol/L
LACTATE  18 mg/dL     1.998 mmol/L  CYCLSPOR 200 ng/mL  200 ug/L      CSA    1202.6 ug/L   1000 nmol/L
APTT     35 sec       35 s          QTCF   0.45 s       450 ms        SYSBP  16 kPa        120.0098 mmHg
WEIGHT   150 lb       68.0388555 kg WEIGHT 70000 g      70 kg         HEIGHT 70 in         177.8 cm
ROMI     0.7 mg       700 ug        ROMI   0.01 mg/kg   10 ug/kg      PULSE  70 beats/min  70 /min
"""


def same_amounts() -> list[tuple[str, float, str, float, str]]:
    words = SAME.split()
    groups = [words[place : place + 5] for place in range(0, len(words), 5)]
    return [(code, float(one), unit, float(two), target) for code, one, unit, two, target in groups]


@pytest.mark.parametrize(("code", "one", "unit", "two", "target"), same_amounts())
def test_the_usual_units_of_every_test_are_converted(
    code: str, one: float, unit: str, two: float, target: str
) -> None:
    times, back = factor(code, unit, target), factor(code, target, unit)
    assert times is not None
    assert back is not None
    assert one * times == pytest.approx(two, rel=1e-6)
    assert two * back == pytest.approx(one, rel=1e-6)


def test_every_test_of_a_grade_or_a_rule_is_among_them() -> None:
    tried = {analyte(code) for code, *_ in same_amounts()}
    unitless = {"INR", "PH", "LIPASE", "CACORR"}  # without a unit, or alike to another
    for version in FILES:
        assert set(load_criteria(ROOT / "rules", version).tests) - unitless <= tried
    assert set(TESTS) - {"DIABP", "CACORR"} <= tried


@pytest.mark.parametrize("spelling", sorted(UNKNOWN))
def test_what_is_deliberately_unknown_is_not_read(spelling: str) -> None:
    assert canonical(spelling) is None


def test_capitals_mean_grams_of_what_is_no_count() -> None:
    assert [canonical("G/L", code) for code in ("HGB", "ALB", "PLAT", None)] == [
        "g/L",
        "g/L",
        "10^9/L",
        "10^9/L",
    ]


def test_every_spelling_in_the_shared_data_is_known_or_deliberately_not() -> None:
    folder = ROOT.parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("the shared data are not here")
    spellings: set[str] = set()
    for path in (*folder.glob("*/*.xpt"), *folder.glob("*/*.csv")):
        spellings |= units_in(path)
    assert len(spellings) > 30
    assert sorted(each for each in spellings if canonical(each) is None and each not in UNKNOWN) == []


def units_in(path: Path) -> set[str]:
    """The words in the unit columns of a file."""
    try:
        sheet = read_sheet(path)
    except (SourceError, UnicodeDecodeError):
        return set()
    wanted = [
        place
        for place, name in enumerate(sheet.columns)
        if name.upper().endswith(("STRESU", "ORRESU", "DOSU", "VAMTU"))
    ]
    return {row[place].strip() for row in sheet.rows for place in wanted} - {""}
