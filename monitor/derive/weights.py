"""The weight that a dose per kg is of: at the start of treatment, or at the time of the dose."""

from __future__ import annotations

from monitor.clinical.sql import query, table_of
from monitor.clinical.units import factor
from monitor.derive.stage import Input

# The baseline: of all records of a subject it is the same, so any day will do.
AT_START = (
    "SELECT USUBJID, arg_max(BASE, ROWN), arg_max(UNIT, ROWN), NULL, NULL FROM final_VS"
    " WHERE VSTESTCD = 'WEIGHT' AND BASE > 0 AND UNIT IS NOT NULL GROUP BY USUBJID"
)
# Each weight from its day until the next; of several of one day the last.
CURRENT = (
    "SELECT USUBJID, kg, UNIT, DAY_LO,"
    " lead(DAY_LO, 1, 2147483647) OVER (PARTITION BY USUBJID ORDER BY DAY_LO)"
    " FROM (SELECT USUBJID, arg_max(VSSTRESN, ROWN) AS kg, arg_max(UNIT, ROWN) AS UNIT, DAY_LO FROM final_VS"
    " WHERE VSTESTCD = 'WEIGHT' AND VALID AND VSSTRESN > 0 AND UNIT IS NOT NULL AND DAY_LO = DAY_HI"
    " GROUP BY USUBJID, DAY_LO)"
)


def weights(given: Input) -> None:
    """Make `weights` (USUBJID, kg, since, until): each subject's weight, as [study] weight says.

    `since` null: at all times. Without one on or before its day a dose has no weight.
    """
    rows: list[tuple[object, ...]] = []
    if "VS" in given.columns:
        found = query(given.connection, CURRENT if given.study.weight == "current" else AT_START)
        factors = {unit: factor(None, unit, "kg") for _, _, unit, _, _ in found}
        rows = [
            (subject, value * times, since, until)
            for subject, value, unit, since, until in found
            if (times := factors[unit]) is not None
        ]
    kinds = {"USUBJID": "VARCHAR", "kg": "DOUBLE", "since": "INTEGER", "until": "INTEGER"}
    table_of(given.connection, "weights", kinds, rows)
