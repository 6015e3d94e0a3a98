"""LB with the CTCAE grades of its records: SQL of a view that computes them only where they are asked for."""

from __future__ import annotations

from collections.abc import Collection

from monitor.clinical.domains import GRADES
from monitor.rules.ctcae import Direction
from monitor.rules.sql.grades import RECORD, Table, factors_to, grade_sql


def graded_view(stored: str, there: Collection[str], graded: Table) -> str:
    """The select of a stored LB, whose columns are `there`, with the columns of GRADES.

    A grade that the table brings along (the worked example of a rule) stands.
    """
    factors = factors_to(graded)
    scaled = "".join(f", {sql} AS {name}" for name, sql in factors.items())
    made = []
    for name in GRADES:
        direction = Direction.LOW if name.endswith("L") else Direction.HIGH
        sql = grade_sql(graded, direction, baseline=name.startswith("B"))
        made.append(f"{f'coalesce({RECORD}.{name}, {sql})' if name in there else sql} AS {name}")
    hidden = [*factors, *(name for name in GRADES if name in there)]
    kept = f"* EXCLUDE ({', '.join(hidden)})" if hidden else "*"
    return f"SELECT {kept}, {', '.join(made)} FROM (SELECT *{scaled} FROM {stored}) AS {RECORD}"
