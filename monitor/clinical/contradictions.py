"""Results that contradict themselves: --ORRES, converted, is not what --STRESN says in its own unit.

Nobody can tell which of both is right. So both are kept, people are told, and a rule that asks of such
a result gets an answer only where both values give the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from monitor.clinical import units
from monitor.clinical.quarantine import CONTRADICTS
from monitor.clinical.sql import Connection, query, quoted, table_of

# Both may differ by as much, and by what either was rounded to: laboratories round, and convert by
# rounded factors. In the CDISC pilot and SDTM-MSG v2, of 169,000 results, none differs by more.
SHARE = 0.1
PARTS = ("TESTCD", "ORRES", "ORRESU", "STRESN", "STRESU")
SAID = f"{CONTRADICTS} in its own unit: rules can tell only where both say the same"


def compared(connection: Connection, name: str, there: Collection[str], relation: str) -> bool:
    """Make `factors_<name>` (code, given, target, factor) for the units in `relation`; whether any is known.

    False, and no table, when a column is lacking without which nothing can be compared.
    """
    if not {f"{name}{part}" for part in PARTS} <= set(there):
        return False
    code, given, target = (quoted(name + part) for part in ("TESTCD", "ORRESU", "STRESU"))
    held = query(
        connection, f"SELECT DISTINCT {code}, {given}, {target} FROM {relation} WHERE {_unlike(name)}"
    )
    rows = [(*each, factor) for each in held if (factor := units.factor(*each)) is not None]
    kinds = {"code": "VARCHAR", "given": "VARCHAR", "target": "VARCHAR", "factor": "DOUBLE"}
    table_of(connection, f"factors_{name}", kinds, rows)
    return bool(rows)


def joined(name: str, row: str = "r") -> str:
    """SQL of the join that gives the rows `row` their factor, `k.factor`."""
    code, given, target = (f"{row}.{quoted(name + part)}" for part in ("TESTCD", "ORRESU", "STRESU"))
    return (
        f"LEFT JOIN {quoted('factors_' + name)} k ON k.code = {code} AND k.given = {given}"
        f" AND k.target = {target}"
    )


def contradict(name: str, row: str = "r") -> str:
    """SQL: whether both results of a row, joined with its factor, can't be one; unknown is false."""
    texts = [f"{row}.{quoted(name + part)}" for part in ("ORRES", "STRESN")]
    original, standard = (f"TRY_CAST({each} AS DOUBLE)" for each in texts)
    one, other = f"({original} * k.factor)", standard
    rounding = f"0.5 * ({_last(texts[0])} * k.factor + {_last(texts[1])})"
    beyond = f"abs({one} - {other}) - {SHARE} * greatest(abs({one}), abs({other}))"
    numbers = f"isfinite({one}) AND isfinite({other})"
    return f"coalesce({_unlike(name, f'{row}.')} AND {numbers} AND {beyond} > {rounding}, false)"


def _unlike(name: str, row: str = "") -> str:
    """SQL: whether both results are not written alike; most are, and need no arithmetic."""
    results, spelled = (
        f"{row}{quoted(name + original)} <> {row}{quoted(name + standard)}"
        for original, standard in (("ORRES", "STRESN"), ("ORRESU", "STRESU"))
    )
    return f"({results} OR {spelled})"


def _last(number: str) -> str:
    """SQL of what the last digit of a number's text is worth."""
    return (
        f"CASE WHEN contains({number}, '.') THEN pow(10, strpos({number}, '.') - length({number})) ELSE 1 END"
    )


def found(
    connection: Connection, name: str, there: Collection[str], table: str
) -> Iterator[tuple[str, int, int]]:
    """File, first row and number of the rows of a table whose results contradict themselves."""
    if compared(connection, name, there, quoted(table)):
        unlike = f"(SELECT * FROM {quoted(table)} WHERE {_unlike(name)})"
        rows = f"SELECT r.* FROM {unlike} r {joined(name)} WHERE {contradict(name)}"
        yield from query(connection, f'SELECT "#FILE", min("#ROW"), count(*) FROM ({rows}) GROUP BY 1')
