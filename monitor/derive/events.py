"""AEDRUG: one record per adverse event and study drug, with that drug's action and causality."""

from __future__ import annotations

import re
from collections.abc import Collection

from monitor.clinical.domains import columns_of
from monitor.clinical.sql import columns, query, text
from monitor.derive.stage import Input


def numbers(given: Input) -> list[int]:
    """The n of the columns AEACNn and AERELn that were received."""
    found = {re.fullmatch(r"AE(?:ACN|REL)(\d)", column) for column in given.columns["AE"]}
    return sorted({int(match[1]) for match in found if match and match[0] in columns_of("AE")})


def add_drugs(given: Input) -> None:
    """Make `final_AEDRUG` from `stage_AE`; KEY is the event's, so one event is one finding.

    With numbered columns there is one record for each of them; DRUG is the study drug that
    declares this number. An event whose numbered columns are all empty, and every event where
    there are none, is one record of AEACN and AEREL; DRUG then is the study's only drug. An event
    whose AEACN none of its drugs says has such a record as well, of no drug: a withdrawal that is
    said once must not be lost.
    """
    own = numbers(given)
    there = columns(given.connection, "stage_AE")
    names = {n: (_held(there, f"AEACN{n}"), _held(there, f"AEREL{n}")) for n in own}
    filled = [f"coalesce({action}, {causality}) IS NOT NULL" for action, causality in names.values()]
    any_filled = f"({' OR '.join(filled)})" if filled else "false"
    parts = [_part(*pair, drug=_drug(given, n), number=n, where=any_filled) for n, pair in names.items()]
    only = next(iter(given.study.drugs)) if len(given.study.drugs) == 1 else None
    parts.append(_part("AEACN", "AEREL", drug=only, number=0, where=f"NOT {any_filled}"))
    said = " OR ".join(f"coalesce({action} = AEACN, false)" for action, _ in names.values()) or "false"
    unsaid = f"{any_filled} AND AEACN IS NOT NULL AND upper(AEACN) <> 'MULTIPLE' AND NOT ({said})"
    parts.append(_part("AEACN", "AEREL", drug=None, number=0, where=unsaid))
    query(
        given.connection,
        "CREATE TEMP TABLE final_AEDRUG AS SELECT row_number() OVER (ORDER BY event, n) - 1 AS ROWN,"
        f" * EXCLUDE (event, n) FROM ({' UNION ALL '.join(parts)}) ORDER BY ROWN",
    )


def _held(there: Collection[str], column: str) -> str:
    return column if column in there else "CAST(NULL AS VARCHAR)"


def _drug(given: Input, number: int) -> str | None:
    return next((drug for drug, settings in given.study.drugs.items() if settings.number == number), None)


def _part(action: str, causality: str, *, drug: str | None, number: int, where: str) -> str:
    """SQL of the events' records for one drug."""
    name = "CAST(NULL AS VARCHAR)" if drug is None else text(drug)
    return (
        f"SELECT ROWN AS event, {number} AS n, * EXCLUDE (ROWN), {name} AS DRUG,"
        f" CAST({action} AS VARCHAR) AS ACN, CAST({causality} AS VARCHAR) AS REL"
        f" FROM stage_AE WHERE {where}"
    )
