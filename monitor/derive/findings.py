"""A finding's result as a quantity: which value, in which unit, within which limits."""

from __future__ import annotations

from collections.abc import Collection

from monitor.clinical.sql import quoted, text

# <5, >= 1000: the sign and the number.
SIGN = r"^\s*(<=|>=|<|>|≤|≥)\s*[-+.0-9eE]+\s*$"
AMOUNT = r"^\s*(?:<=|>=|<|>|≤|≥)\s*([-+.0-9eE]+)\s*$"
# How far a limit converted from the original units may lie from the one given in standard units
# and still be the same limit, rounded.
ROUNDING = 0.1


def measures(name: str, received: Collection[str]) -> dict[str, str]:
    """SQL of UNIT, --STRESN with its bounds, and the limits, for the row `r` and units `u`, `o`.

    The standard result counts; where it is missing, a number (or `<5`) of --STRESC, else of
    --ORRES in its own unit. --STRESC, or else --STRESN, saying `<5` is censored, whatever
    number stands beside it.
    """

    def part(column: str) -> str:
        return f"r.{quoted(name + column)}" if name + column in received else "CAST(NULL AS VARCHAR)"

    standard = f"coalesce(num({part('STRESN')}), num({part('STRESC')}))"
    said = f"coalesce({_bound(part('STRESC'))}, {_bound(part('STRESN'))})"
    own = f"({said} IS NULL AND {standard} IS NULL)"
    original = f"CASE WHEN {own} THEN num({part('ORRES')}) END"
    bound = f"CASE WHEN {own} THEN {_bound(part('ORRES'))} ELSE {said} END"
    exact = f"CASE WHEN {said} IS NULL THEN coalesce({standard}, {original}) END"
    amount = f"num(regexp_extract({bound}, {text(AMOUNT)}, 1))"
    sign = f"regexp_extract({bound}, {text(SIGN)}, 1)"
    units = ["u.unit" if f"{name}STRESU" in received else "CAST(NULL AS VARCHAR)"]
    units.append("o.unit" if f"{name}ORRESU" in received else "CAST(NULL AS VARCHAR)")
    made = {
        "UNIT": f"CASE WHEN {own} THEN {units[1]} ELSE {units[0]} END",
        f"{name}STRESN": exact,
        f"{name}STRESN_LO": f"coalesce({exact}, CASE WHEN {sign} IN ('>', '>=', '≥') THEN {amount} END)",
        f"{name}STRESN_HI": f"coalesce({exact}, CASE WHEN {sign} IN ('<', '<=', '≤') THEN {amount} END)",
        f"{name}STRESN_LO_OPEN": f"coalesce({sign} = '>', false)",
        f"{name}STRESN_HI_OPEN": f"coalesce({sign} = '<', false)",
    }
    for limit in ("LO", "HI"):
        made[f"{name}STNR{limit}"] = _limit(
            own, part(f"STNR{limit}"), part(f"ORNR{limit}"), part("STRESN"), part("ORRES")
        )
    return made


def _bound(sql: str) -> str:
    """SQL: the text when it is a censored result, else null."""
    return f"CASE WHEN regexp_matches({sql}, {text(SIGN)}) THEN {sql} END"


def _limit(own: str, standard: str, original: str, result: str, given: str) -> str:
    """SQL of a reference limit in the unit of the result.

    The limit in original units decides, because the standard one is often rounded (creatinine
    1.6 mg/dL is 141.44 umol/L, its limit 1.6 mg/dL was given as 141): it is converted as the
    result itself was. Where that is not a matter of rounding, the standard limit stands.
    """
    converted = f"num(printf('%.12g', num({original}) * num({result}) / nullif(num({given}), 0)))"
    near = f"abs({converted} - num({standard})) <= {ROUNDING} * abs(num({standard}))"
    return (
        f"CASE WHEN {own} THEN num({original}) WHEN num({standard}) IS NULL OR {near}"
        f" THEN coalesce({converted}, num({standard})) ELSE num({standard}) END"
    )
