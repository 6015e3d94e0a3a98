"""A finding's result as a quantity: which value, in which unit, within which limits."""

from __future__ import annotations

from collections.abc import Collection

from monitor.clinical.contradictions import contradict, joined
from monitor.clinical.molar import WEIGHED
from monitor.clinical.sql import quoted, text

# <5, >= 1000: the sign and the number.
SIGN = r"^\s*(<=|>=|<|>|≤|≥)\s*[-+.0-9eE]+\s*$"
AMOUNT = r"^\s*(?:<=|>=|<|>|≤|≥)\s*([-+.0-9eE]+)\s*$"
# How far a limit converted from the original units may lie from the one given in standard units
# and still be the same limit, rounded.
ROUNDING = 0.1


def rows(name: str, received: Collection[str], source: str, *, factors: bool = False) -> str:
    """SQL of the rows of `source` with what `measures` needs, each computed once.

    `factors` says that the table is there from which contradictory results are known.
    """

    def part(column: str) -> str:
        return quoted(name + column) if name + column in received else "CAST(NULL AS VARCHAR)"

    read = {
        "n_standard": f"num({part('STRESN')})",
        "n_text": f"num({part('STRESC')})",
        "n_original": f"num({part('ORRES')})",
        "b_standard": f"coalesce({_bound(part('STRESC'))}, {_bound(part('STRESN'))})",
        "b_original": _bound(part("ORRES")),
    }
    for limit in ("LO", "HI"):
        read |= {f"n_{limit}": f"num({part(f'STNR{limit}')})", f"o_{limit}": f"num({part(f'ORNR{limit}')})"}
    source = _compared(name, source, factors=factors)
    own = "f_b_standard IS NULL AND f_n_standard IS NULL AND f_n_text IS NULL"
    both = "f_b_standard IS NULL AND f_n_standard IS NOT NULL AND f_n_original IS NOT NULL"
    chosen = {
        "own": f"({own})",
        "exact": f"CASE WHEN f_b_standard IS NULL AND NOT (f_contrary AND {both})"
        " THEN coalesce(f_n_standard, f_n_text, f_n_original) END",
        "doubtful": f"CASE WHEN f_contrary AND {both} THEN digits(f_n_original * f_factor) END",
        "bound": f"CASE WHEN {own} THEN f_b_original ELSE f_b_standard END",
    }
    for limit in ("LO", "HI"):
        chosen[f"c_{limit}"] = f"digits(f_o_{limit} * f_n_standard / nullif(f_n_original, 0))"
    cut = {
        "amount": f"num(regexp_extract(f_bound, {text(AMOUNT)}, 1))",
        "sign": f"regexp_extract(f_bound, {text(SIGN)}, 1)",
    }
    for step in (read, chosen, cut):
        source = (
            f"(SELECT *, {', '.join(f'{sql} AS f_{alias}' for alias, sql in step.items())} FROM {source})"
        )
    return source


def _compared(name: str, source: str, *, factors: bool) -> str:
    """SQL of the rows with the factor between their units, and whether their results contradict."""
    if not factors:
        return f"(SELECT *, CAST(NULL AS DOUBLE) AS f_factor, false AS f_contrary FROM {source})"
    told = f"k.factor AS f_factor, {contradict(name, 's')} AS f_contrary"
    return f"(SELECT s.*, {told} FROM {source} s {joined(name, 's')})"


def measures(name: str, received: Collection[str], *, capitals: bool = False) -> dict[str, str]:
    """SQL of UNIT, --STRESN with its bounds, and the limits, for `rows` r and units `u`, `o`.

    The standard result counts; where it is missing, a number (or `<5`) of --STRESC, else of
    --ORRES in its own unit. --STRESC, or else --STRESN, saying `<5` is censored, whatever
    number stands beside it. One that contradicts --ORRES in its own unit is known to lie between both.

    A reference limit in original units decides, because the standard one is often rounded
    (creatinine 1.6 mg/dL is 141.44 umol/L, its limit 1.6 mg/dL was given as 141): it is converted
    as the result itself was. Where that is not a matter of rounding, the standard limit stands.

    `capitals` says that some spelling, such as G/L, means another unit for a test given in grams.
    """
    weighed = f"c.analyte IN ({', '.join(text(test) for test in sorted(WEIGHED))})"
    unit = f"CASE WHEN {weighed} THEN {{0}}.weighed ELSE {{0}}.unit END" if capitals else "{0}.unit"
    units = [
        unit.format(alias) if name + part in received else "CAST(NULL AS VARCHAR)"
        for alias, part in (("u", "STRESU"), ("o", "ORRESU"))
    ]
    made = {
        "UNIT": f"CASE WHEN f_own THEN {units[1]} ELSE {units[0]} END",
        f"{name}STRESN": "f_exact",
        f"{name}STRESN_LO": "coalesce(f_exact, CASE WHEN f_doubtful IS NOT NULL THEN least(f_doubtful,"
        " f_n_standard) WHEN f_sign IN ('>', '>=', '≥') THEN f_amount END)",
        f"{name}STRESN_HI": "coalesce(f_exact, CASE WHEN f_doubtful IS NOT NULL THEN greatest(f_doubtful,"
        " f_n_standard) WHEN f_sign IN ('<', '<=', '≤') THEN f_amount END)",
        f"{name}STRESN_LO_OPEN": "coalesce(f_sign = '>', false)",
        f"{name}STRESN_HI_OPEN": "coalesce(f_sign = '<', false)",
    }
    for limit in ("LO", "HI"):
        given, converted = f"f_n_{limit}", f"f_c_{limit}"
        near = f"abs({converted} - {given}) <= {ROUNDING} * abs({given})"
        made[f"{name}STNR{limit}"] = (
            f"CASE WHEN f_own THEN f_o_{limit} WHEN {given} IS NULL OR {near}"
            f" THEN coalesce({converted}, {given}) ELSE {given} END"
        )
    return made


def _bound(sql: str) -> str:
    """SQL: the text when it is a censored result, else null."""
    first = f"left({sql}, 1) IN ('<', '>', '≤', '≥')"
    return f"CASE WHEN {first} AND regexp_matches({sql}, {text(SIGN)}) THEN {sql} END"
