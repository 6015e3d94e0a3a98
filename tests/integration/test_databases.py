"""Trial data out of SQL databases, SQLite and PostgreSQL: what came is kept, and nothing is written there."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from monitor.clinical.databases import receive_queries
from monitor.clinical.snapshots import Snapshot, SnapshotRef, take_snapshot
from monitor.config import StudySettings
from monitor.errors import ConfigError, MonitorError, SourceError
from monitor.files import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POSTGRES = os.environ.get("MONITOR_TEST_POSTGRES", "")
LABS = [("01", "PLAT", 401.5, "2026-01-07"), ("02", "PLAT", None, "2026-01")]
CREATE = (
    "CREATE TABLE labs (usubjid VARCHAR(20), lbtestcd VARCHAR(20), lbstresn NUMERIC(9, 2), lbdtc VARCHAR(20))"
)


def settings(source: str, **more: Any) -> StudySettings:
    return StudySettings(
        id="S", source=source, rules=("x",), ctcae="5.0", blinded=False, mail="coded", **more
    )


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=pytest.mark.skipif(not POSTGRES, reason="MONITOR_TEST_POSTGRES is not set")
        ),
    ]
)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with two laboratory results."""
    if request.param == "sqlite":
        made, name = f"sqlite:///{tmp_path}/edc.db", ""
    else:
        name = f"edc_{uuid4().hex[:8]}"
        made = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        administer(f"CREATE DATABASE {name}")
    engine = create_engine(made, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(CREATE))
        for row in LABS:
            connection.execute(
                text("INSERT INTO labs VALUES (:a, :b, :c, :d)"), dict(zip("abcd", row, strict=True))
            )
    engine.dispose()
    yield "sqlite:///edc.db" if request.param == "sqlite" else made
    if name:
        administer(f"DROP DATABASE {name} WITH (FORCE)")


def administer(statement: str) -> None:
    engine = create_engine(POSTGRES, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def taken(study: StudySettings, folder: Path, before: Snapshot | None = None) -> Snapshot:
    previous = None if before is None else SnapshotRef(before.id, before.number)
    return take_snapshot(study, folder, folder / "var", previous, NOW)


def test_a_query_is_a_table_and_what_came_is_kept(source: str, tmp_path: Path) -> None:
    study = settings(source, queries={"LB": "SELECT * FROM labs WHERE lbtestcd LIKE 'PL%' ORDER BY usubjid;"})
    snapshot = taken(study, tmp_path)
    assert snapshot.manifest["domains"]["LB"]["kept"] == 2
    [file] = snapshot.manifest["files"]
    head, *rows = Store(tmp_path / "var" / "received").get(file["hash"]).decode().splitlines()
    assert json.loads(head)["label"].startswith("SELECT * FROM labs WHERE lbtestcd LIKE 'PL%'")
    assert len(rows) == 2
    assert taken(study, tmp_path, snapshot).new is False


def test_a_database_and_a_file_of_the_same_rows_are_one_snapshot(source: str, tmp_path: Path) -> None:
    (tmp_path / "lb.csv").write_text(
        "USUBJID,LBTESTCD,LBSTRESN,LBDTC\n02,PLAT,,2026-01\n01,PLAT,401.50,2026-01-07\n"
    )
    of_database = taken(settings(source, queries={"lb": "labs"}), tmp_path)
    assert take_snapshot(settings("lb.csv"), tmp_path, tmp_path / "other", None, NOW).id == of_database.id


def test_nothing_can_be_written_there(source: str, tmp_path: Path) -> None:
    study = settings(source, queries={"LB": "DELETE FROM labs RETURNING usubjid, lbtestcd"})
    with pytest.raises(SourceError, match=r"S: queries\.LB"):
        taken(study, tmp_path)
    again = taken(settings(source, queries={"LB": "labs"}), tmp_path)
    assert again.manifest["domains"]["LB"]["kept"] == 2


def test_a_wrong_query_is_said_with_the_databases_words(source: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"queries\.LB: .*nothing_here"):
        taken(settings(source, queries={"LB": "SELECT * FROM nothing_here"}), tmp_path)


@pytest.mark.parametrize("asked", ["DELETE FROM labs", "UPDATE labs SET lbtestcd = 'X' RETURNING usubjid"])
def test_a_statement_that_writes_is_told_to_be_a_select(source: str, asked: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"queries\.LB: would change the database.*write a SELECT"):
        taken(settings(source, queries={"LB": asked}), tmp_path)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        (settings("sqlite:///nowhere.db", queries={"LB": "x"}), "there is no such file"),
        (settings("sqlite:///edc.db"), "a database needs"),
        (settings("sqlite:///edc.db", queries={"../LB": "SELECT 1"}), "is no name of a domain"),
        (settings("nonsense://x", queries={"LB": "SELECT 1"}), "needs the driver nonsense"),
        (settings("://x", queries={"LB": "SELECT 1"}), "is not a database URL"),
        (settings("sqlite:///edc.db", queries={"LB": "SELECT x'00' AS a"}), "column a holds bytes"),
        (settings("sqlite:///edc.db", queries={"LB": "x"}, password_file=Path("no")), "can't be read"),
        (
            settings("postgresql+psycopg://u:hush@127.0.0.1:1/x", queries={"LB": "SELECT 1"}),
            r"\*\*\*@127\.0\.0\.1:1/x: can't be read",
        ),
    ],
)
def test_what_can_not_be_asked_is_said(study: StudySettings, expected: str, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "edc.db").close()
    with pytest.raises((ConfigError, SourceError), match=expected) as caught:
        receive_queries(study, tmp_path, tmp_path / "files")
    assert isinstance(caught.value, MonitorError)
    assert "hush" not in str(caught.value)


def test_the_password_comes_from_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    study = settings(
        "postgresql+psycopg://u@127.0.0.1:1/x", queries={"LB": "x"}, password_file=Path("secret")
    )
    with pytest.raises(SourceError, match=r"u:\*\*\*@127") as caught:
        receive_queries(study, tmp_path, tmp_path / "files")
    assert "hush" not in str(caught.value)
