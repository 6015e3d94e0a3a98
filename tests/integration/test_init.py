"""init makes database, key and ledger, once; nothing else ever does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import select, text

from monitor.config import Settings, load_settings
from monitor.database.connect import REVISIONS
from monitor.database.tables import instance, ledger
from monitor.database.transactions import reading, transaction
from monitor.errors import ConfigError, DatabaseError, LedgerError, NotInitialised, UsageError
from monitor.usecases.init import FOLDERS, init, init_folder
from monitor.usecases.log import LogFilter, log
from monitor.usecases.opening import open_monitor
from monitor.usecases.verify import read_anchor, verify
from tests.databases import ALICE, NOW, Place

CONFIG = """
[monitor]
stage = "{stage}"
data_dir = "state"
timezone = "Asia/Shanghai"
[mail]
transport = "smtp"
host = "127.0.0.1"
security = "none"
test_to = "test@example.org"
sender = "monitor@example.org"
[[study]]
id = "S1"
source = "data"
rules = ["generic"]
ctcae = "5.0"
blinded = false
mail = "coded"
[[route]]
severity = ["critical", "high", "medium", "low"]
to = ["a@example.org", "b@example.org"]
"""


def environment(place: Place) -> dict[str, str]:
    found = {"MONITOR_MONITOR__DATABASE": place.url}
    return found if place.owner_url is None else {**found, "MONITOR_MONITOR__DATABASE_OWNER": place.owner_url}


def configured(folder: Path, variables: Mapping[str, str], stage: str = "test") -> Settings:
    (folder / "config.toml").write_text(CONFIG.format(stage=stage))
    return load_settings(folder / "config.toml", variables)


@pytest.fixture
def settings(place: Place, tmp_path: Path) -> Settings:
    """A configuration over a database that does not exist yet."""
    return configured(tmp_path, environment(place))


@pytest.mark.parametrize("stage", ["test", "production"])
def test_init_makes_a_ledger_that_begins_with_its_genesis_and_verifies(
    place: Place, tmp_path: Path, stage: str
) -> None:
    settings = configured(tmp_path, environment(place), stage)
    made = init(settings, NOW, ALICE)
    (genesis,) = log(settings, LogFilter())
    assert (genesis.seq, genesis.kind, genesis.actor, genesis.at) == (
        1,
        "genesis",
        "alice",
        "2026-03-02T08:00:00Z",
    )
    assert genesis.data == {"instance": made.instance, "program": "0.1.0", "schema": REVISIONS[-1]}
    verdict = verify(settings)
    assert verdict.intact
    assert read_anchor(f"{verdict.head.seq}:{verdict.head.mac}") == verdict.head


def test_init_makes_the_folders_and_the_facts_for_this_user_only(settings: Settings, tmp_path: Path) -> None:
    made = init(settings, NOW, ALICE)
    for path in (made.data_dir, *(made.data_dir / name for name in FOLDERS)):
        assert path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "key").stat().st_mode & 0o777 == 0o600
    with reading(open_monitor(settings).engine) as connection:
        facts = {row.name: row.value for row in connection.execute(select(instance))}
    assert facts == {"instance": made.instance, "key_id": made.key_id, "created": "2026-03-02T08:00:00Z"}


def test_two_installations_have_two_identities(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(init(configured(tmp_path / name, {}), NOW, ALICE))
    assert made[0].instance != made[1].instance
    assert made[0].key_id != made[1].key_id


def test_init_again_is_a_clear_error_that_changes_nothing(settings: Settings) -> None:
    init(settings, NOW, ALICE)
    key = (settings.data_dir / "key").read_bytes()
    with pytest.raises(UsageError, match="initialised already; nothing was changed"):
        init(settings, NOW, ALICE)
    assert (settings.data_dir / "key").read_bytes() == key
    assert [row.seq for row in log(settings, LogFilter())] == [1]


def test_without_init_nothing_opens_and_nothing_is_made(settings: Settings, tmp_path: Path) -> None:
    for use in (open_monitor, verify, lambda given: log(given, LogFilter())):
        with pytest.raises(NotInitialised):
            use(settings)
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_database_whose_key_is_missing_is_refused(settings: Settings) -> None:
    init(settings, NOW, ALICE)
    (settings.data_dir / "key").unlink()
    with pytest.raises(NotInitialised, match="key"):
        open_monitor(settings)
    with pytest.raises(UsageError, match="initialised already"):
        init(settings, NOW, ALICE)
    assert not (settings.data_dir / "key").exists()


def test_a_key_that_others_can_read_is_refused(settings: Settings) -> None:
    init(settings, NOW, ALICE)
    (settings.data_dir / "key").chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        open_monitor(settings)


def test_an_init_that_failed_half_way_can_be_run_again(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "key").write_text("nonsense")
    with pytest.raises(LedgerError):
        init(settings, NOW, ALICE)
    with pytest.raises(NotInitialised):
        open_monitor(settings)
    (settings.data_dir / "key").unlink()
    init(settings, NOW, ALICE)
    assert verify(settings).intact


def test_the_genesis_entry_is_kept_by_the_database(settings: Settings) -> None:
    init(settings, NOW, ALICE)
    engine = open_monitor(settings).engine
    with pytest.raises(DatabaseError), transaction(engine, "intruder") as connection:
        connection.execute(ledger.delete())
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM ledger")) == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_production_needs_an_owner_that_is_not_the_run_time_role(place: Place, tmp_path: Path) -> None:
    settings = configured(tmp_path, {"MONITOR_MONITOR__DATABASE": place.url}, "production")
    with pytest.raises(ConfigError, match="must not own the ledger"):
        init(settings, NOW, ALICE)
    with pytest.raises(NotInitialised):
        open_monitor(settings)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_in_production_verify_tells_of_a_run_time_role_that_owns_the_ledger(
    place: Place, tmp_path: Path
) -> None:
    alone = {"MONITOR_MONITOR__DATABASE": place.url.replace("_run@", "_owner@")}
    init(configured(tmp_path, alone, "test"), NOW, ALICE)
    verdict = verify(configured(tmp_path, alone, "production"))
    assert any("owns, or can become the owner of, alert" in broken.what for broken in verdict.problems)
    assert verify(configured(tmp_path, alone, "test")).intact


def shipped(folder: Path) -> tuple[Path, ...]:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(stage="test"))
    return (path,)


def test_an_empty_folder_becomes_an_installation(tmp_path: Path) -> None:
    made = init_folder(tmp_path, NOW, ALICE, shipped)
    assert made.copied == (tmp_path / "config.toml",)
    assert verify(load_settings(tmp_path / "config.toml")).intact


def test_a_folder_with_a_configuration_keeps_its_own(tmp_path: Path) -> None:
    shipped(tmp_path)
    made = init_folder(tmp_path, NOW, ALICE, lambda folder: pytest.fail("nothing may be copied"))
    assert made.copied == ()
    with pytest.raises(UsageError, match="initialised already"):
        init_folder(tmp_path, NOW, ALICE, shipped)


@pytest.mark.parametrize("written", ["", "5", "5:abc", f"x:{'0' * 64}", f"5:{'g' * 64}"])
def test_an_anchor_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="NUMBER:MAC"):
        read_anchor(written)


def test_data_of_the_log_is_json(settings: Settings) -> None:
    init(settings, NOW, ALICE)
    (row,) = log(settings, LogFilter(kind="genesis"))
    assert json.loads(json.dumps(row.data)) == row.data
