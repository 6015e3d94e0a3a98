"""Supplemental qualifiers become columns of their records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.sql import connect, query
from monitor.derive import derive
from tests.unit.test_mapping import received, refused, rows, study

AE = (
    "USUBJID,AESEQ,AETERM,AEACN,AESPID\n01,1,Rash,MULTIPLE,E1\n01,2,Fever,DRUG WITHDRAWN,E01\n"
    "02,1,Rash,DOSE NOT CHANGED,E1\n"
)
HEAD = "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL\n"


def supp(*lines: str) -> str:
    return HEAD + "".join(f"AE,{line}\n" for line in lines)


def test_a_qualifier_finds_its_record_by_number_code_or_subject(tmp_path: Path) -> None:
    given = supp(
        "01,AESEQ,1.0,AEREL1,x,RELATED",
        "01,AESPID,E01,AEREL1,x,NOT RELATED",
        "02,,,AETRTEM,x,Y",
    )
    taken = received(tmp_path, {"ae.csv": AE, "suppae.csv": given})
    assert rows(taken, "AE", "USUBJID, AESEQ, AEREL1, AETRTEM") == [
        ("01", "1", "RELATED", None),
        ("01", "2", "NOT RELATED", None),
        ("02", "1", None, "Y"),
    ]
    assert taken.manifest["mapping"]["supplements"] == [
        {"file": "suppae.csv", "received": 3, "joined": 3, "orphans": 0}
    ]
    assert taken.manifest["domains"]["AE"]["files"] == ["ae.csv", "suppae.csv"]


def test_a_column_that_is_there_keeps_its_values_and_is_only_filled(tmp_path: Path) -> None:
    given = supp("01,AESEQ,1,AESER,x,Y", "01,AESEQ,2,AESER,x,N", "02,AESEQ,1,AESER,x,Y")
    parent = "USUBJID,AESEQ,AETERM,AESER\n01,1,Rash,\n01,2,Fever,Y\n02,1,Rash,Y\n"
    taken = received(tmp_path, {"ae.csv": parent, "suppae.csv": given})
    assert rows(taken, "AE", "USUBJID, AESEQ, AESER") == [
        ("01", "1", "Y"),
        ("01", "2", "Y"),
        ("02", "1", "Y"),
    ]
    said = [(each["column"], each["said"], each["row"]) for each in taken.manifest["issues"]]
    assert said == [("AESER", "SUPPAE says otherwise: the record's own value counts", 3)]


def test_lines_without_a_record_with_a_bad_name_or_twice_are_listed(tmp_path: Path) -> None:
    given = supp(
        "01,AESEQ,9,AEREL1,x,RELATED",
        "03,,,AEREL1,x,RELATED",
        "01,AEXX,1,AEREL1,x,RELATED",
        "01,AESEQ,1,not a name,x,RELATED",
        "01,AESEQ,1,USUBJID,x,99",
        "01,AESEQ,1,INITIALS,x,AB",
        "01,AESEQ,2,AEREL1,x,RELATED",
        "01,AESEQ,2,AEREL1,x,NOT RELATED",
    )
    taken = received(tmp_path, {"ae.csv": AE, "suppae.csv": given})
    said = {(each["column"], each["said"]) for each in taken.manifest["issues"]}
    assert said == {
        ("IDVARVAL", "no record with this AESEQ: a qualifier without its record"),
        ("IDVARVAL", "no record of this subject: a qualifier without its record"),
        ("IDVARVAL", "no record with this AEXX: a qualifier without its record"),
        ("QNAM", "not the name of a new column: its lines are not used"),
        ("QNAM", "dropped at the door, as it may tell who a person is"),
        ("AEREL1", "several values in SUPPAE: the first one counts"),
    }
    assert rows(taken, "AE", "USUBJID, AESEQ, AEREL1")[1] == ("01", "2", "RELATED")
    assert "INITIALS" not in taken.columns["AE"]
    assert taken.manifest["mapping"]["supplements"][0]["orphans"] == 3


def test_the_parts_of_a_split_domain_share_their_qualifiers(tmp_path: Path) -> None:
    one = "USUBJID,LBSEQ,LBTESTCD,LBSTRESN\n01,1,PLAT,5\n"
    two = "USUBJID,LBSEQ,LBTESTCD,LBSTRESN\n01,2,ALT,6\n"
    lines = "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nLB,01,LBSEQ,2,LBX,a\nLB,01,LBSEQ,1,LBX,b\n"
    taken = received(tmp_path, {"lbhe.csv": one, "lbch.csv": two, "supplb.csv": lines})
    assert rows(taken, "LB", "LBTESTCD, LBX") == [("ALT", "a"), ("PLAT", "b")]


def test_qualifiers_without_their_domain_are_ignored_with_the_reason(tmp_path: Path) -> None:
    taken = received(tmp_path, {"ae.csv": AE, "supplb.csv": HEAD})
    assert taken.manifest["ignored"] == [
        {"name": "supplb.csv", "reason": "no table of LB came for its qualifiers"}
    ]


def test_qualifiers_that_lack_a_column_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, {"ae.csv": AE, "suppae.csv": "USUBJID,IDVAR,QNAM,QVAL\n"})
    assert "suppae.csv: column IDVARVAL: is missing" in said


@pytest.mark.parametrize("kind", ["single", "continuous"])
def test_an_action_per_drug_in_suppae_is_seen_by_drug(tmp_path: Path, kind: str) -> None:
    drugs: dict[str, Any] = {
        "romiplostim": {"names": ["N01"], "kind": kind, "number": 1},
        "cyclosporine": {"names": ["CSA"], "kind": "continuous", "number": 2},
    }
    given = supp(
        "01,AESEQ,1,AEACN1,x,DRUG WITHDRAWN",
        "01,AESEQ,1,AEACN2,x,DOSE NOT CHANGED",
        "01,AESEQ,1,AEREL1,x,RELATED",
    )
    taken = received(tmp_path, {"ae.csv": AE, "suppae.csv": given}, drugs=drugs)
    derived = derive(taken.tables, taken.columns, study(drugs=drugs), tmp_path / "derived")
    with connect() as connection:
        path = derived.tables["AEDRUG"]
        found = query(connection, f"SELECT USUBJID, AETERM, DRUG, ACN, REL FROM read_parquet('{path}')")
    assert ("01", "Rash", "romiplostim", "DRUG WITHDRAWN", "RELATED") in found
    assert ("01", "Rash", "cyclosporine", "DOSE NOT CHANGED", None) in found
    assert ("01", "Fever", None, "DRUG WITHDRAWN", None) in found
