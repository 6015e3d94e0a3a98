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
SOURCE              VARCHAR   file and row as received, "lb.csv:17"; in delimited text the header
                              is row 1
USUBJID, SITEID     VARCHAR   SITEID is "" when DM does not know the subject
VALID               BOOLEAN   false for what is not a value (NOT DONE); never in a series
UNIT                VARCHAR   unit of the record's quantities, a key of units.py; null: unknown
ANALYTE             VARCHAR   what is measured, for conversions between mass and substance
DAY_LO, DAY_HI      INTEGER   the record's (start) date as an interval; null: missing
END_LO, END_HI      INTEGER   its end; equal to the start for findings; null HI: not ended
SECOND              INTEGER   time of day of the start, seconds; null: no time
X (text)            VARCHAR   null when missing or one of the study's `unknown` words
X (number)          DOUBLE    null when missing
X (quantity)        DOUBLE    null when missing, censored, or given as two that contradict
X_LO, X_HI          DOUBLE    censorable quantities: bounds, equal to X when exact; null: without
                              a bound on this side; both null: missing
X_LO_OPEN,          BOOLEAN   true when the bound itself is excluded
X_HI_OPEN
XDT_LO, XDT_HI      INTEGER   each date column of the domain (columns of kind DATE), as days
==================  ========  ==========================================================

Every column of `columns_of` is there, null throughout when it was not received; only the GRADES
of LB are made by the engine that opens the table. Columns of DM
(SITEID, ARM, SEX, AGE …) stand in every domain. The KEY of an administration that was one of an
interval is that of its record, "/" and the days since the interval's start. Doses per kg (DOSEKG,
LEVEL, PREVLEVEL) are in UNIT per kg of WEIGHT, the kg that the study names.

The table RELATION beside them is no domain: rules don't name its columns. It has one row for each
pair of related records (RELREC), in both directions, and is always there, empty without RELREC:

==================  ========  ==========================================================
ROWN                BIGINT    0 … n-1, in the order of the other columns
USUBJID             VARCHAR   the subject of both records
DOMAIN_A, DOMAIN_B  VARCHAR   their domains, "AE"; also DOSE and AEDRUG, related as EX and AE are
ROW_A, ROW_B        BIGINT    their ROWN in the table of that domain
==================  ========  ==========================================================

Whether anything could be related is told by "RELREC" among the received domains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from monitor.clinical.domain import (
    GRADES,
    RECEIVED_ON,
    VISITS,
    Domain,
    RecordClass,
    events,
    findings,
    interventions,
    own_columns,
)
from monitor.records import Kind

__all__ = [
    "DM",
    "DOMAINS",
    "GRADES",
    "RECEIVED_ON",
    "Domain",
    "RecordClass",
    "columns_of",
    "dates_of",
    "kind_of",
]


HOURS_TO_SPONSOR = "AERCVHR"
AE_TEXTS = (
    "SEV SER ACN ACN1 ACN2 ACN3 ACN4 REL REL1 REL2 REL3 REL4 RELNST OUT SCAN SCONG SDISAB SDTH SHOSP SLIFE"
    " SOD SMIE CONTRT ACNOTH ACNDEV PATT HLTCD LLTCD PTCD BDSYCD SOCCD HLGTCD PTFL"
    # Beside SDTM, for SUPPAE or a mapping: when the site was aware, when the sponsor had it, and the
    # sponsor's own view of causality.
    " AWDTC RCVDTC RELSP"
)
DM = Domain(
    "DM",
    "Demographics",
    RecordClass.SUBJECTS,
    own_columns(
        "",
        text="STUDYID DOMAIN USUBJID SUBJID SITEID INVID INVNAM AGEU SEX RACE ETHNIC ARMCD ARM ACTARMCD"
        " ACTARM ARMNRS ACTARMUD COUNTRY DTHFL RFSTDTC RFENDTC RFXSTDTC RFXENDTC RFICDTC RFPENDTC BRTHDTC"
        " DTHDTC DMDTC",
        number="AGE DMDY",
    ),
    start="RFSTDTC",
    end="RFENDTC",
    key=(),
)
RELREC = Domain(
    "RELREC",
    "Related Records",
    RecordClass.RELATIONS,
    own_columns("", text="STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID"),
    start="",
    end="",
    key=("RDOMAIN", "IDVAR", "IDVARVAL", "RELID"),
)
SV = Domain(
    "SV",
    "Subject Visits",
    RecordClass.EVENTS,
    own_columns(
        "SV",
        text="=STUDYID =DOMAIN =USUBJID =EPOCH =VISIT STDTC ENDTC UPDES",
        number=f"{VISITS} SEQ DY STDY ENDY",
    ),
    start="SVSTDTC",
    end="SVENDTC",
    key=("VISITNUM", "SVSTDTC"),
)
AE = events("AE", "Adverse Events", AE_TEXTS, key="TERM STDTC")
# Hours from the site's awareness (AEAWDTC) to the sponsor's receipt (AERCVDTC); without both times missing.
AE = replace(AE, columns={**AE.columns, HOURS_TO_SPONSOR: Kind.NUMBER})
DOSE = Domain(
    "DOSE",
    "Doses, one record per administration",
    RecordClass.INTERVENTIONS,
    own_columns(
        "DOSE",
        text="=STUDYID =DOMAIN =USUBJID =EPOCH =VISIT =DRUG =DRUGKIND =TRT =GIVEN =REASON U FRQ DTC ENDTC",
        number=f"{VISITS} DY ENDY =WEIGHT",
        quantity=" KG =LEVEL =PREVLEVEL",
    )
    | {"DOSE": Kind.QUANTITY},
    start="DOSEDTC",
    end="DOSEENDTC",
    key=("DRUG", "TRT", "DOSEDTC"),
    series=("DRUG",),
    partition=(("DRUG",),),
    unit="DOSEU",
    derived=True,
)
DAILY = Domain(
    "DAILY",
    "Doses, one record per drug and day",
    RecordClass.INTERVENTIONS,
    own_columns(
        "DAILY",
        text="=STUDYID =DOMAIN =USUBJID =EPOCH =DRUG =DRUGKIND U DTC",
        number="DY =WEIGHT",
        quantity="=DOSE =DOSEKG",
    ),
    start="DAILYDTC",
    end="",
    key=("DRUG", "DAILYDTC"),
    series=("DRUG",),
    partition=(("DRUG",),),
    unit="DAILYU",
    derived=True,
)
AEDRUG = Domain(
    "AEDRUG",
    "Adverse events, one record per event and drug",
    RecordClass.EVENTS,
    {**AE.columns, **own_columns("", text="DRUG ACN REL")},
    start="AESTDTC",
    end="AEENDTC",
    key=AE.key,
    sponsor_id=AE.sponsor_id,
    derived=True,
)

DOMAINS: Mapping[str, Domain] = {
    domain.name: domain
    for domain in (
        DM,
        AE,
        interventions("EX", "Exposure", "VAMT VAMTU"),
        interventions("EC", "Exposure as Collected", "MOOD VAMT VAMTU"),
        findings("LB", "Laboratory Test Results", "LOINC SPCCND", " ".join(f"={grade}" for grade in GRADES)),
        findings("VS", "Vital Signs"),
        events("DS", "Disposition", key="DECOD CAT SCAT STDTC", end=False),
        interventions("CM", "Concomitant Medications"),
        events("MH", "Medical History", "SEV", key="TERM STDTC"),
        interventions("PR", "Procedures", "INDC"),
        SV,
        findings("EG", "ECG Test Results"),
        findings("PC", "Pharmacokinetic Concentrations"),
        RELREC,
        DOSE,
        DAILY,
        AEDRUG,
    )
}


# Quantities that are doses per kg of body weight.
DOSES_PER_KG = ("DOSEKG", "LEVEL", "PREVLEVEL")


@cache
def dates_of(domain: str) -> Mapping[str, str]:
    """Each date column of a domain, DM's too, with the --DTC column that it comes from."""
    known = DOMAINS[domain]
    own = {**DM.dates, **known.dates}
    return MappingProxyType({**own, "DT": known.start} if domain in ("DOSE", "DAILY") else own)


@cache
def columns_of(domain: str) -> Mapping[str, Kind]:
    """All columns that a rule may name in a domain: its own, its dates, and DM's."""
    dates = dict.fromkeys(dates_of(domain), Kind.DATE)
    return MappingProxyType({**DM.columns, **DOMAINS[domain].columns, **dates})


def kind_of(domain: str, column: str) -> Kind | None:
    """What a column yields; None when the domain, or the column in it, is not known."""
    return columns_of(domain).get(column) if domain in DOMAINS else None
