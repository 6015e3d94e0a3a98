"""Which records RELREC says belong together."""

from pathlib import Path

import pytest

from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from monitor.derive.derived import derive_rows

STUDY = StudySettings(id="S", source="x", rules=("generic",), ctcae="5.0", blinded=False, mail="coded")
AE = [
    {"USUBJID": "01", "AETERM": "A", "AESTDTC": "2026-01-01", "AESEQ": "1", "AESPID": "E1", "AELNKID": "k"},
    {"USUBJID": "01", "AETERM": "B", "AESTDTC": "2026-01-02", "AESEQ": "2", "AESPID": "E01"},
    {"USUBJID": "02", "AETERM": "C", "AESTDTC": "2026-01-03", "AESEQ": "1", "AESPID": "E1", "AELNKID": "k"},
]
CM = [
    {"USUBJID": "01", "CMTRT": "X", "CMSTDTC": "2026-01-01", "CMSEQ": "1", "CMGRPID": "G", "CMLNKGRP": "k"},
    {"USUBJID": "01", "CMTRT": "Y", "CMSTDTC": "2026-01-02", "CMSEQ": "2", "CMGRPID": "G"},
]


def line(domain: str, variable: str, value: str, relation: str, subject: str = "01") -> dict[str, str]:
    """One line of RELREC."""
    return {
        "RDOMAIN": domain,
        "USUBJID": subject,
        "IDVAR": variable,
        "IDVARVAL": value,
        "RELID": relation,
    }


def related(folder: Path, *lines: dict[str, str], **more: list[dict[str, str]]) -> set[tuple[object, ...]]:
    """The pairs as subject, domain and row, twice."""
    made = derive_rows(
        {"AE": AE, "CM": CM, **({"RELREC": list(lines)} if lines else {}), **more}, STUDY, folder
    )
    with connect() as connection:
        select = f"SELECT * EXCLUDE (ROWN) FROM read_parquet('{made.tables['RELATION']}')"
        return set(query(connection, select))


def both(subject: str, *pairs: tuple[str, int, str, int]) -> set[tuple[object, ...]]:
    """Each pair in both directions."""
    return {each for a, m, b, n in pairs for each in ((subject, a, m, b, n), (subject, b, n, a, m))}


@pytest.mark.parametrize(
    ("lines", "pairs"),
    [
        ([line("AE", "AESEQ", "1", "R"), line("CM", "CMSEQ", "2", "R")], [("AE", 0, "CM", 1)]),
        ([line("AE", "AESEQ", "1.0", "R"), line("CM", "CMSEQ", "2", "R")], [("AE", 0, "CM", 1)]),
        ([line("AE", "AESPID", "E01", "R"), line("CM", "CMSEQ", "2", "R")], [("AE", 1, "CM", 1)]),
        ([line("AE", "AESEQ", "1", "R"), line("CM", "CMSEQ", "2", "Q")], []),
        ([line("AE", "AESEQ", "9", "R"), line("CM", "CMSEQ", "2", "R")], []),
        ([line("AE", "AESEQ", "1", "R", "02"), line("CM", "CMSEQ", "2", "R")], []),
        ([line("AE", "AELNKID", "", "R", ""), line("CM", "CMLNKGRP", "", "R", "")], [("AE", 0, "CM", 0)]),
        ([line("XX", "XXSEQ", "1", "R"), line("CM", "CMSEQ", "2", "R")], []),
    ],
)
def test_records_of_one_relation_are_paired_in_both_directions(
    tmp_path: Path, lines: list[dict[str, str]], pairs: list[tuple[str, int, str, int]]
) -> None:
    found = {pair for pair in related(tmp_path, *lines) if "AEDRUG" not in pair}
    assert found == both("01", *pairs)


def test_a_group_is_related_record_by_record(tmp_path: Path) -> None:
    found = related(tmp_path, line("AE", "AESEQ", "1", "R"), line("CM", "CMGRPID", "G", "R"))
    expected = [("AE", 0, "CM", 0), ("AE", 0, "CM", 1), ("CM", 0, "CM", 1)]
    assert {pair for pair in found if "AEDRUG" not in pair} == both("01", *expected)


def test_what_is_made_of_a_record_is_related_as_the_record_is(tmp_path: Path) -> None:
    ex = {"USUBJID": "01", "EXTRT": "X", "EXDOSE": "1", "EXSTDTC": "2026-01-01", "EXENDTC": "2026-01-02"}
    found = related(
        tmp_path,
        line("AE", "AESEQ", "1", "R"),
        line("EX", "EXSEQ", "7", "R"),
        EX=[{**ex, "EXDOSFRQ": "QD", "EXSEQ": "7"}],
    )
    pairs = [("AE", 0, "EX", 0), ("AE", 0, "DOSE", 0), ("AE", 0, "DOSE", 1)]
    assert found == both("01", *pairs, *(("AEDRUG", *pair[1:]) for pair in pairs))


def test_without_relrec_nothing_is_related_and_the_table_is_there(tmp_path: Path) -> None:
    assert related(tmp_path) == set()
