"""MSG v2 as Dataset-JSON and as SAS transport: the same rows, keys, findings and mails' evidence."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.clinical.snapshots import Snapshot, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import StudySettings

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "sdtm_msg_v2_datasetjson"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")


def taken(folder: Path, form: str) -> Snapshot:
    settings = StudySettings(
        id=f"MSG-{form}",
        source=str(SHARED / f"*.{form}"),
        rules=("x",),
        ctcae="5.0",
        blinded=False,
        mail="coded",
    )
    return take_snapshot(settings, folder, folder, None, NOW)


def test_both_formats_are_one_snapshot(tmp_path: Path) -> None:
    one, other = taken(tmp_path, "json"), taken(tmp_path, "xpt")
    hashes = [{name: each["hash"] for name, each in x.manifest["domains"].items()} for x in (one, other)]
    assert hashes[0] == hashes[1]
    assert one.id == other.id
    with connect() as connection:
        for domain in one.tables:
            a, b = (
                f"SELECT * EXCLUDE (SOURCE) FROM read_parquet('{x.tables[domain]}')" for x in (one, other)
            )
            assert query(connection, f"SELECT count(*) FROM (({a}) EXCEPT ({b}))") == [(0,)], domain
            assert query(connection, f"SELECT count(*) FROM (({b}) EXCEPT ({a}))") == [(0,)], domain
    shutil.rmtree(tmp_path / "snapshots")
