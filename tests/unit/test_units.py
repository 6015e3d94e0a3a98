from __future__ import annotations

import pytest

from monitor.clinical.units import UNITS, analyte, canonical, conversions, factor


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
