"""One study through every format, shuffled, split and packed: one snapshot."""

from __future__ import annotations

import random
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from monitor.clinical.snapshots import Snapshot, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from tests import mutants
from tests.mutants import Table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DM: Table = [
    ["USUBJID", "SITEID", "ARM"],
    *[[f"{n:02d}", str(n % 3), "A" if n % 2 else "B"] for n in range(9)],
]
NUMBERS = ("LBSTRESN",)
Writer = Callable[[str, Table, Path], None]


def labs() -> Table:
    """Results with partial dates, censored and missing values, repeats, and fractions that don't end."""
    rng = random.Random(1)
    rows = []
    for number in range(60):
        value = rng.choice(["", str(number / 7), f"{number}.50", "401"])
        row = [f"{number % 9:02d}", rng.choice(["PLAT", "ALT"]), value, value or "<40"]
        rows.append([*row, rng.choice(["2026-01", "2026-01-07T08:30", "2026-01-07", ""])])
    return [["USUBJID", "LBTESTCD", "LBSTRESN", "LBSTRESC", "LBDTC"], *rows, rows[0]]


def shuffled(table: Table) -> Table:
    """The same rows and columns in another order."""
    rng = random.Random(2)
    order = list(range(len(table[0])))
    rng.shuffle(order)
    header, *rows = [[row[place] for place in order] for row in table]
    rng.shuffle(rows)
    return [header, *rows]


def typed(table: Table) -> list[list[Any]]:
    """The rows with numbers as numbers."""
    places = [place for place, name in enumerate(table[0]) if name in NUMBERS]

    def cells(row: list[str]) -> list[Any]:
        return [
            (float(cell) if cell else None) if n in places else (cell or None) for n, cell in enumerate(row)
        ]

    return [table[0], *[cells(row) for row in table[1:]]]


def frame(table: Table) -> Any:
    header, *rows = typed(table)
    return pd.DataFrame(rows, columns=header).astype(dict.fromkeys(set(header) & set(NUMBERS), float))


def write_xpt(name: str, table: Table, folder: Path, version: Any = 5) -> None:
    given = frame(table)
    texts = [column for column in given if column not in NUMBERS]
    given[texts] = given[texts].fillna("")
    pyreadstat.write_xport(given, str(folder / f"{name}.xpt"), file_format_version=version)


def write_parts(name: str, table: Table, folder: Path) -> None:
    half = len(table) // 2
    (folder / f"{name}1.csv").write_bytes(mutants.as_csv(table[:half]))
    (folder / f"{name}2.tsv").write_text(mutants.text([table[0], *table[half:]], "\t"))


def write_zip(name: str, table: Table, folder: Path) -> None:
    with zipfile.ZipFile(folder / "study.zip", "a") as archive:
        archive.writestr(f"SDTM/{name}.csv", mutants.as_csv(table))


WRITERS: dict[str, Writer] = {
    "csv": lambda name, table, folder: void((folder / f"{name}.csv").write_bytes(mutants.as_csv(table))),
    "tsv": lambda name, table, folder: void((folder / f"{name}.tsv").write_text(mutants.text(table, "\t"))),
    "utf-16": lambda name, table, folder: void(
        (folder / f"{name}.txt").write_bytes(mutants.text(table, ";").encode("utf-16"))
    ),
    "xpt5": write_xpt,
    "xpt8": lambda name, table, folder: write_xpt(name, table, folder, 8),
    "parquet": lambda name, table, folder: void(frame(table).to_parquet(folder / f"{name}.parquet")),
    "xlsx": lambda name, table, folder: mutants.as_xlsx(
        typed(table), folder / f"{name}.xlsx", (name.upper(),)
    ),
    "json": lambda name, table, folder: void(
        (folder / f"{name}.json").write_bytes(mutants.as_json(typed(table)))
    ),
    "ndjson": lambda name, table, folder: void(
        (folder / f"{name}.ndjson").write_bytes(mutants.ndjson(typed(table)))
    ),
    "dsjc": lambda name, table, folder: void(
        (folder / f"{name}.dsjc").write_bytes(zlib.compress(mutants.ndjson(typed(table))))
    ),
    "zip": write_zip,
    "parts": write_parts,
}


def void(given: object) -> None:
    """A writer gives nothing."""


def taken(source: str, folder: Path, **more: Any) -> Snapshot:
    study = StudySettings(
        id="S", source=source, rules=("x",), ctcae="5.0", blinded=False, mail="coded", **more
    )
    return take_snapshot(study, folder, folder / "var", None, NOW)


def rows(snapshot: Snapshot) -> list[tuple[Any, ...]]:
    """Every row with its key and version, in no order."""
    with connect() as connection:
        return sorted(
            (domain, *row)
            for domain in ("DM", "LB")
            for row in query(
                connection, f"SELECT KEY, VERSION, RECEIVED FROM read_parquet('{snapshot.tables[domain]}')"
            )
        )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("first")
    WRITERS["csv"]("lb", labs(), folder)
    WRITERS["csv"]("dm", DM, folder)
    return taken(".", folder)


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_shuffled_ends_in_the_same_snapshot(form: str, first: Snapshot, tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.mkdir()
    for name, table in (("lb", labs()), ("dm", DM)):
        WRITERS[form](name, shuffled(table), source)
    again = taken("data", tmp_path)
    assert again.id == first.id
    assert rows(again) == rows(first)
    domain = again.manifest["domains"]["LB"]
    assert (domain["received"], domain["collapsed"]) == (61, first.manifest["domains"]["LB"]["collapsed"])


def test_a_database_ends_in_the_same_snapshot(first: Snapshot, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "edc.db")
    for name, table in (("labs", labs()), ("subjects", DM)):
        header, *body = typed(shuffled(table))
        database.execute(f"CREATE TABLE {name} ({', '.join(header)})")
        database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(header))})", body)
    database.commit()
    database.close()
    again = taken("sqlite:///edc.db", tmp_path, queries={"LB": "labs", "DM": "SELECT * FROM subjects"})
    assert again.id == first.id
    assert rows(again) == rows(first)
