"""What `inspect` recognises by names, forms and words."""

from __future__ import annotations

import tomllib

import pytest

from monitor.clinical.sql import connect, table_of
from monitor.config import StudySettings
from monitor.inspection.guess import propose
from monitor.inspection.names import domain_words, test_code
from monitor.inspection.profile import Column, Table, profile
from monitor.inspection.proposal import toml
from monitor.inspection.words import sorted_words

code_of = test_code
del test_code  # pytest would take it for a test

STUDY = StudySettings(id="S", source="x", rules=("generic",), ctcae="5.0", blinded=True, mail="link")
LISTS = {"related": {"related", "possibly related"}, "unrelated": {"not related"}, "yes": {"y"}, "no": {"n"}}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PLT", "PLAT"),
        ("Platelet count", "PLAT"),
        ("血小板", "PLAT"),
        ("Neutrophils", "NEUT"),
        ("Neutrophils (%)", "NEUTLE"),
        ("ALT (SGPT)", "ALT"),
        ("Aminotransferase, alanine (ALT)", "ALT"),
        ("Albumin-QT", "ALB"),
        ("Albumin/Creatinine", None),
        ("dose", None),
    ],
)
def test_tests_are_known_by_the_names_that_laboratories_use(name: str, code: str | None) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(
    ("name", "domains"),
    [
        ("rawplus_lb_subset", {"LB"}),
        ("Adverse Events 2026", {"AE"}),
        ("血常规", {"LB"}),
        ("dosing", {"EX"}),
        ("vital-signs", {"VS"}),
        ("readme", set()),
    ],
)
def test_files_speak_of_domains_by_their_words(name: str, domains: set[str]) -> None:
    assert domain_words(name) == domains


def column(name: str, *values: str | None) -> Column:
    with connect() as connection:
        table_of(
            connection, "raw", {name: "VARCHAR", "#ROW": "BIGINT"}, [(v, n) for n, v in enumerate(values)]
        )
        found = profile(connection, STUDY, ("f.csv", "f.csv", ""), "raw").column(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("values", "form", "note"),
    [
        (["2026-01-31", "2026-01", "-----"], "", ""),
        (["31/01/2026", "02/03/2026"], "dd/mm/yyyy", "the first number goes beyond 12: it is the day"),
        (["01/31/2026", "02/03/2026"], "mm/dd/yyyy", "the second number goes beyond 12: it is the day"),
        (["01.02.2026"], None, "day or month first: nothing in the file tells"),
        (["13/01/2026", "01/13/2026"], None, "the first and the second number both go beyond 12"),
        (["01/02/26"], None, "a year of two digits"),
        (["12-MAR-2026", "UN-MAR-2026"], "dd-mmm-yyyy", ""),
        (["2026/01/31"], "yyyy/mm/dd", ""),
        (["20260131"], "yyyymmdd", ""),
        (["31/01/2026", "12-MAR-2026"], None, "several forms"),
    ],
)
def test_forms_of_dates_are_told_and_only_decided_by_the_data(
    values: list[str], form: str | None, note: str
) -> None:
    found = column("SAMPLE_DATE", *values)
    assert (found.kind, found.form) == ("date", form)
    assert found.note.startswith(note)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("AEREL", ["A"] * 3 + ["B"] * 3, ("A", "B")),
        ("AETERM", ["Rash"] * 9, ()),
        ("COMMENT", ["well"] * 9, ()),
        ("PATIENT", ["P"] * 9, ()),
        ("SITE_ID", ["X"] * 9, ()),
        ("AEREL", ["A", "B", "C"], ()),
        ("ROOM", ["ward 1234"] * 9, ()),
        ("LBSTRESU", ["x 1012 cells/L"] * 9, ("x 1012 cells/L",)),
        ("ANY", ["x" * 61] * 9, ()),
    ],
)
def test_only_the_words_of_codes_are_kept(name: str, values: list[str], words: tuple[str, ...]) -> None:
    assert tuple(word for word, _ in column(name, *values).words) == words


def test_columns_without_values_of_persons_and_of_numbers_are_told_apart() -> None:
    assert column("X", None, None).kind == "empty"
    assert column("INITIALS", "AB").kind == "personal"
    assert column("X", "1", "2.5").kind == "number"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (("12,5", "<0,3", "7", "high", "1"), '[study.read."f.csv"]\ndecimal = ","\n'),
        (("1,200", "40,123"), '# decimal = ","  # DECIDE: numbers with a comma before three digits'),
        (("1.5", "2"), ""),
        (("a,b", "1,5"), ""),
    ],
)
def test_decimal_commas_are_found_and_proposed(values: tuple[str, ...], line: str) -> None:
    found = column("PLT", *values)
    table = Table("f.csv", "f.csv", "", "raw", len(values), (column("SUBJID", "1"), found))
    said = toml("data", ["generic"], propose([table]), [], [])
    assert line in said
    assert ("study.read" in said) == bool(line)
    assert tomllib.loads(said)["study"][0]["map"]["LB"]["wide"]["PLT"]["test"] == "PLAT"


@pytest.mark.parametrize(
    ("name", "word", "found"),
    [
        ("AEREL", "Related", ("related", "")),
        ("AEREL", "Surely not", ("", "unrelated")),
        ("AEREL1", "Perhaps related", ("", "related")),
        ("AEREL", "Unknown", ("", "unknown")),
        ("AEREL", "purple", ("", "")),
        ("AEACN", "Dose held", ("", "not-withdrawn")),
        ("AEACN", "Permanently stopped", ("", "withdrawn")),
        ("AESER", "Y", ("yes", "")),
        ("AESER", "Yes", ("", "yes")),
    ],
)
def test_words_are_sorted_by_the_lists_or_by_how_they_look(
    name: str, word: str, found: tuple[str, str]
) -> None:
    [one] = sorted_words(name, {word: 3}, LISTS)
    assert (one.list, one.proposed) == found
