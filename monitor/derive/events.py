"""AEDRUG: one record per adverse event and study drug, with that drug's action and causality."""

from __future__ import annotations

import re

from monitor.clinical.domains import columns_of
from monitor.clinical.sql import query, text
from monitor.derive.stage import Input


def numbers(given: Input) -> list[int]:
    """The n of the columns AEACNn and AERELn that were received."""
    found = {re.fullmatch(r"AE(?:ACN|REL)(\d)", column) for column in given.columns["AE"]}
    return sorted({int(match[1]) for match in found if match and match[0] in columns_of("AE")})


def add_drugs(given: Input) -> None:
    """Make `final_AEDRUG` from `stage_AE`; KEY is the event's, so one event is one finding.

    With numbered columns there is one record for each of them; DRUG is the study drug that
    declares this number. An event whose numbered columns are all empty, and every event where
    there are none, is one record of AEACN and AEREL; DRUG then is the study's only drug.
    """
    own = numbers(given)
    filled = [f"coalesce(AEACN{n}, AEREL{n}) IS NOT NULL" for n in own]
    any_filled = f"({' OR '.join(filled)})" if filled else "false"
    parts = [_part(f"AEACN{n}", f"AEREL{n}", _drug(given, n), n, any_filled) for n in own]
    drugs = list(given.study.drugs)
    parts.append(_part("AEACN", "AEREL", drugs[0] if len(drugs) == 1 else None, 0, f"NOT {any_filled}"))
    query(
        given.connection,
        "CREATE TEMP TABLE final_AEDRUG AS SELECT row_number() OVER (ORDER BY event, n) - 1 AS ROWN,"
        f" * EXCLUDE (event, n) FROM ({' UNION ALL '.join(parts)}) ORDER BY ROWN",
    )


def _drug(given: Input, number: int) -> str | None:
    return next((drug for drug, settings in given.study.drugs.items() if settings.number == number), None)


def _part(action: str, causality: str, drug: str | None, number: int, where: str) -> str:
    """SQL of the events' records for one drug."""
    name = "CAST(NULL AS VARCHAR)" if drug is None else text(drug)
    return (
        f"SELECT ROWN AS event, {number} AS n, * EXCLUDE (ROWN), {name} AS DRUG, {action} AS ACN,"
        f" {causality} AS REL FROM stage_AE WHERE {where}"
    )
