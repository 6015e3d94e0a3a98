"""The domains that rules may name: their columns, dates and record keys (SDTMIG 3.4).

Physical form of a derived table, one Parquet file for each domain of a study. All engines
and the reference read exactly this:

==================  ========  ==========================================================
column              type      meaning
==================  ========  ==========================================================
ROWN                BIGINT    row number, 0 … n-1, in the table's order: USUBJID, first
                              day, time, file order
KEY                 VARCHAR   identity of the record across transfers (natural key, ordinal)
VERSION             VARCHAR   hash of the record's canonical content as received
RECEIVED            BIGINT    when this version was first received, epoch seconds UTC
SOURCE              VARCHAR   file and row as received, "lb.csv:17"
USUBJID, SITEID     VARCHAR   SITEID is "" when DM does not know the subject
VALID               BOOLEAN   false for what is not a value (NOT DONE); never in a series
UNIT                VARCHAR   unit of the record's quantities, a key of units.py; null: unknown
ANALYTE             VARCHAR   what is measured, for conversions between mass and substance
DAY_LO, DAY_HI      INTEGER   the record's (start) date as an interval; null: missing
END_LO, END_HI      INTEGER   its end; equal to the start for findings; null HI: not ended
SECOND              INTEGER   time of day of the start, seconds; null: no time
X (text)            VARCHAR   null when missing or one of the study's `unknown` words
X (number)          DOUBLE    null when missing
X (quantity)        DOUBLE    null when missing or censored
X_LO, X_HI          DOUBLE    censorable quantities: bounds, equal to X when exact
X_LO_OPEN,          BOOLEAN   true when the bound itself is excluded
X_HI_OPEN
XDT_LO, XDT_HI      INTEGER   each date column of the domain, as days
==================  ========  ==========================================================

Columns of DM (SITEID, ARM, SEX, AGE …) stand in every domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.records import Kind


class RecordClass(StrEnum):
    """SDTM's general observation classes, as far as rules care."""

    EVENTS = "events"
    INTERVENTIONS = "interventions"
    FINDINGS = "findings"
    SUBJECTS = "subjects"


@dataclass(frozen=True)
class Domain:
    """One domain: the kind of each column, where its dates come from, what identifies a record."""

    name: str
    label: str
    record_class: RecordClass
    columns: dict[str, Kind]
    start: str  # the --DTC column of the start
    end: str  # the --DTC column of the end, or ""
    key: tuple[str, ...]
    censored: tuple[str, ...] = ()
