"""What one domain is: its columns by kind, its dates, what identifies a record and what makes a series."""

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

    `partition` is what tells one series from another for the functions of conditions (`prev`,
    `nth` …) and for the previous values in evidence: the test and specimen, the treatment. Of
    each group of columns the first that is not missing counts; without a group all records of a
    subject are one series.
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
    partition: tuple[tuple[str, ...], ...] = ()
    unit: str = ""  # the column with the unit of the record's quantities
    derived: bool = False  # made by monitor.derive, never received

    @property
    def dates(self) -> Mapping[str, str]:
        """Each date column that rules may name, and the --DTC column that it comes from.

        Where there is no --DTC column, as in EX, EXDT stands for the start's date.
        """
        own = {name[:-1]: name for name in self.columns if name.endswith("DTC")}
        return {f"{self.name}DT": self.start, **own} if self.start else own


def own_columns(prefix: str, **words: str) -> dict[str, Kind]:
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


def findings(name: str, label: str, more: str = "", numbers: str = "") -> Domain:
    """A findings domain: one result for each test, specimen and time."""
    columns = own_columns(
        name,
        text=f"{TEXTS} {RESULT_TEXTS} =BNRIND =BASENOTE =INVALID {more}",
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
        partition=((f"{name}TESTCD",), (f"{name}SPEC",)),
        unit=f"{name}STRESU",
    )


def interventions(name: str, label: str, more: str = "") -> Domain:
    """An interventions domain: treatments from a start to an end."""
    columns = own_columns(
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
        # A medication is known by its coded name; what was studied, by the name it is given there.
        partition=((f"{name}TRT",) if name in ("EX", "EC") else (f"{name}DECOD", f"{name}TRT"),),
        unit=f"{name}DOSU",
    )


def events(name: str, label: str, more: str = "", *, key: str, end: bool = True) -> Domain:
    """An events domain."""
    texts = f"{TEXTS} {EVENT_TEXTS} ={RECEIVED_ON} {more}"
    columns = own_columns(name, text=texts, number=f"{VISITS} SEQ DY STDY ENDY TOXGR")
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
