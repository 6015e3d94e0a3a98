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
X (quantity)        DOUBLE    null when missing or censored
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
LEVEL, PREVLEVEL) are in UNIT per kg.

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
from dataclasses import dataclass
from enum import StrEnum

from monitor.records import Kind


class RecordClass(StrEnum):
    """SDTM's general observation classes, as far as rules care."""

    EVENTS = "events"
    INTERVENTIONS = "interventions"
    FINDINGS = "findings"
    SUBJECTS = "subjects"
    RELATIONS = "relations"


@dataclass(frozen=True)
class Domain:
    """One domain: the kind of each column, where its dates come from, what identifies a record.

    `columns` are the domain's own (columns_of adds DM's). `start` and `end` are --DTC columns.
    `key` are the columns that, with USUBJID, identify a record across transfers; where
    `sponsor_id` is filled in it stands for them. `series` are the columns that tell one series
    of a subject from another, the test first. `censored` are quantities with bounds.
    """

    name: str
    label: str
    record_class: RecordClass
    columns: Mapping[str, Kind]
    start: str  # the --DTC column of the start
    end: str  # the --DTC column of the end, or ""
    key: tuple[str, ...]
    censored: tuple[str, ...] = ()
    sponsor_id: str = ""
    series: tuple[str, ...] = ()
    unit: str = ""  # the column with the unit of the record's quantities
    derived: bool = False  # made by monitor.derive, never received

    @property
    def dates(self) -> Mapping[str, str]:
        """Each date column that rules may name, and the --DTC column that it comes from.

        Where there is no --DTC column, as in EX, EXDT stands for the start's date.
        """
        own = {name[:-1]: name for name in self.columns if name.endswith("DTC")}
        return {f"{self.name}DT": self.start, **own} if self.start else own


def _columns(prefix: str, **words: str) -> dict[str, Kind]:
    """Columns by kind; a word without a prefix of its own (after `=`) gets the domain's."""
    kinds: dict[str, Kind] = {}
    for kind, names in words.items():
        for name in names.split():
            kinds[name[1:] if name.startswith("=") else prefix + name] = Kind(kind)
    return kinds


# CTCAE grades, low and high, and of the baseline: made when they are asked for, not stored.
GRADES = ("ATOXGRL", "ATOXGRH", "BTOXGRL", "BTOXGRH")
VISITS = "=VISITNUM =VISITDY"
# The day (UTC) on which an event was first received as it is now: what a rule about missing news asks.
RECEIVED_ON = "RECEIVEDDTC"
TEXTS = "=STUDYID =DOMAIN =USUBJID =EPOCH =VISIT SPID REFID GRPID CAT SCAT STAT REASND"
RESULT_TEXTS = (
    "TESTCD TEST ORRES ORRESU ORNRLO ORNRHI STRESC STRESU NRIND SPEC METHOD LOC POS BLFL LOBXFL"
    " FAST NAM TPT TPTREF ELTM EVAL CLSIG DRVFL DTC TOX"
)
DOSE_TEXTS = (
    "TRT DOSTXT DOSU DOSFRM DOSFRQ ROUTE LOC LOT ADJ FAST TPT STDTC ENDTC PRESP OCCUR MODIFY DECOD REASOC"
)
EVENT_TEXTS = "TERM MODIFY DECOD LLT HLT HLGT BODSYS SOC STDTC ENDTC DTC PRESP OCCUR ENRF ENRTPT ENTPT LOC"


def _findings(name: str, label: str, more: str = "", numbers: str = "") -> Domain:
    """A findings domain: one result for each test, specimen and time."""
    columns = _columns(
        name,
        text=f"{TEXTS} {RESULT_TEXTS} =BNRIND =BASENOTE {more}",
        number=f"{VISITS} SEQ DY TPTNUM TOXGR LLOQ =PCHG {numbers}",
        quantity="STRESN STNRLO STNRHI =BASE =CHG =BNRLO =BNRHI",
    )
    series = tuple(name + part for part in ("TESTCD", "SPEC", "CAT", "POS"))
    return Domain(
        name,
        label,
        RecordClass.FINDINGS,
        columns,
        start=f"{name}DTC",
        end="",
        key=(*series, f"{name}DTC", f"{name}TPT", "VISITNUM"),
        censored=(f"{name}STRESN",),
        series=series,
        unit=f"{name}STRESU",
    )


def _interventions(name: str, label: str, more: str = "") -> Domain:
    """An interventions domain: treatments from a start to an end."""
    columns = _columns(
        name,
        text=f"{TEXTS} {DOSE_TEXTS} CLAS INDC ENRF ENRTPT {more}",
        number=f"{VISITS} SEQ DY STDY ENDY TPTNUM DOSTOT",
        quantity="DOSE",
    )
    return Domain(
        name,
        label,
        RecordClass.INTERVENTIONS,
        columns,
        start=f"{name}STDTC",
        end=f"{name}ENDTC",
        key=(f"{name}TRT", f"{name}STDTC", f"{name}TPT", f"{name}MOOD"),
        series=(f"{name}TRT",),
        unit=f"{name}DOSU",
    )


def _events(name: str, label: str, more: str = "", *, key: str, end: bool = True) -> Domain:
    """An events domain."""
    texts = f"{TEXTS} {EVENT_TEXTS} ={RECEIVED_ON} {more}"
    columns = _columns(name, text=texts, number=f"{VISITS} SEQ DY STDY ENDY TOXGR")
    return Domain(
        name,
        label,
        RecordClass.EVENTS,
        columns,
        start=f"{name}STDTC",
        end=f"{name}ENDTC" if end else "",
        key=tuple(name + part for part in key.split()),
        sponsor_id=f"{name}SPID",
        series=(),
    )


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
    _columns(
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
    _columns("", text="STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID"),
    start="",
    end="",
    key=("RDOMAIN", "IDVAR", "IDVARVAL", "RELID"),
)
SV = Domain(
    "SV",
    "Subject Visits",
    RecordClass.EVENTS,
    _columns(
        "SV",
        text="=STUDYID =DOMAIN =USUBJID =EPOCH =VISIT STDTC ENDTC UPDES",
        number=f"{VISITS} SEQ DY STDY ENDY",
    ),
    start="SVSTDTC",
    end="SVENDTC",
    key=("VISITNUM", "SVSTDTC"),
)
AE = _events("AE", "Adverse Events", AE_TEXTS, key="TERM STDTC")
DOSE = Domain(
    "DOSE",
    "Doses, one record per administration",
    RecordClass.INTERVENTIONS,
    _columns(
        "DOSE",
        text="=STUDYID =DOMAIN =USUBJID =EPOCH =VISIT =DRUG =DRUGKIND =TRT =GIVEN =REASON U FRQ DTC ENDTC",
        number=f"{VISITS} DY ENDY",
        quantity=" KG =LEVEL =PREVLEVEL",
    )
    | {"DOSE": Kind.QUANTITY},
    start="DOSEDTC",
    end="DOSEENDTC",
    key=("DRUG", "TRT", "DOSEDTC"),
    series=("DRUG",),
    unit="DOSEU",
    derived=True,
)
AEDRUG = Domain(
    "AEDRUG",
    "Adverse events, one record per event and drug",
    RecordClass.EVENTS,
    {**AE.columns, **_columns("", text="DRUG ACN REL")},
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
        _interventions("EX", "Exposure", "VAMT VAMTU"),
        _interventions("EC", "Exposure as Collected", "MOOD VAMT VAMTU"),
        _findings("LB", "Laboratory Test Results", "LOINC", " ".join(f"={grade}" for grade in GRADES)),
        _findings("VS", "Vital Signs"),
        _events("DS", "Disposition", key="DECOD CAT SCAT STDTC", end=False),
        _interventions("CM", "Concomitant Medications"),
        _events("MH", "Medical History", "SEV", key="TERM STDTC"),
        _interventions("PR", "Procedures", "INDC"),
        SV,
        _findings("EG", "ECG Test Results"),
        _findings("PC", "Pharmacokinetic Concentrations"),
        RELREC,
        DOSE,
        AEDRUG,
    )
}


def dates_of(domain: str) -> Mapping[str, str]:
    """Each date column of a domain, DM's too, with the --DTC column that it comes from."""
    known = DOMAINS[domain]
    own = {**DM.dates, **known.dates}
    return {**own, "DT": known.start} if domain == "DOSE" else own


def columns_of(domain: str) -> Mapping[str, Kind]:
    """All columns that a rule may name in a domain: its own, its dates, and DM's."""
    dates = dict.fromkeys(dates_of(domain), Kind.DATE)
    return {**DM.columns, **DOMAINS[domain].columns, **dates}


def kind_of(domain: str, column: str) -> Kind | None:
    """What a column yields; None when the domain, or the column in it, is not known."""
    return columns_of(domain).get(column) if domain in DOMAINS else None
