"""The schema: what the migrations make is what the tables say; other schemas are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import NullPool, create_engine, text

from monitor.audit.verify import verify
from monitor.database import migrations
from monitor.database.connect import REVISIONS, engine_for, open_database
from monitor.database.create import creating, is_initialised
from monitor.database.guards import missing_guards
from monitor.database.tables import metadata
from monitor.database.transactions import reading, transaction
from monitor.errors import ConfigError, DatabaseError, NotInitialised, UsageError
from monitor.usecases.migrate import Migrated, migrate
from monitor.usecases.transfers import note
from tests.databases import ALICE, NOW, Place, State, postgresql_server
from tests.stories import installation


def test_the_migrations_make_exactly_the_tables_of_the_program(state: State) -> None:
    with state.raw() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_program_knows_every_revision_and_wants_the_last(state: State) -> None:
    with state.raw() as connection:
        script = ScriptDirectory.from_config(migrations.alembic_config(connection))
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == REVISIONS[-1]
    assert tuple(reversed([revision.revision for revision in script.walk_revisions()])) == REVISIONS
    assert script.get_current_head() == REVISIONS[-1]


def test_migrating_again_changes_nothing(state: State) -> None:
    with state.raw() as connection:
        migrations.upgrade(connection)
        assert missing_guards(connection) == ()


def test_an_absent_or_empty_database_is_not_initialised_and_stays_as_it_is(place: Place) -> None:
    assert not is_initialised(place.url)
    with pytest.raises(NotInitialised, match="monitor init"):
        open_database(place.url)
    assert not is_initialised(place.url)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_opening_never_creates_a_file(place: Place) -> None:
    with pytest.raises(NotInitialised):
        engine_for(place.url)
    path = place.url.removeprefix("sqlite:///")
    create_engine(
        place.url, poolclass=NullPool
    ).connect().close()  # an empty file, as somebody's tool left it
    with pytest.raises(NotInitialised, match="holds no ledger"):
        open_database(f"sqlite:///{path}")


def test_a_newer_schema_is_refused(state: State) -> None:
    with state.raw() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="schema 9999, which this program"):
        open_database(state.place.url)


def test_an_older_schema_is_refused_until_it_is_migrated(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.database.connect.REVISIONS", (*REVISIONS, "9999"))
    with pytest.raises(
        DatabaseError, match=f"has schema {REVISIONS[-1]}, this program needs 9999.*monitor migrate"
    ):
        open_database(state.place.url)


def test_creating_twice_is_refused_and_changes_nothing(state: State) -> None:
    with (
        pytest.raises(UsageError, match="a database already"),
        creating(state.place.url, state.place.owner_url),
    ):
        pytest.fail("nothing may be made")
    assert is_initialised(state.place.url)


def test_a_creation_that_fails_leaves_nothing(place: Place) -> None:
    def fail() -> None:
        with creating(place.url, place.owner_url):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_initialised(place.url)
    with creating(place.url, place.owner_url) as connection:
        assert missing_guards(connection) == ()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://localhost/x", "'mysql' is not supported"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_database(url)


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    with pytest.raises(DatabaseError, match="transaction open failed") as caught:
        open_database("postgresql+psycopg://me:secret@127.0.0.1:1/x?options=-c%20jit%3Doff")
    assert "secret" not in str(caught.value)


def test_an_error_names_its_transaction_and_shows_no_values(state: State) -> None:
    def write_twice() -> None:
        with transaction(state.engine, "scan.commit") as connection:
            row = {"rule": "R", "study": "PATIENT-7", "version": "1", "at": "2026-01-01", "text": "PATIENT-7"}
            statement = (
                "INSERT INTO rule_version (study, rule, version, first_used, text) "
                "VALUES (:study, :rule, :version, :at, :text)"
            )
            for _ in range(2):
                connection.execute(text(statement), row)

    with pytest.raises(DatabaseError, match=r"transaction scan\.commit failed") as caught:
        write_twice()
    assert "PATIENT-7" not in str(caught.value)


def test_a_reader_cannot_write(state: State) -> None:
    with pytest.raises(DatabaseError, match=r"read-?only"), reading(state.engine) as connection:
        connection.execute(text("UPDATE alert SET owner = 'x'"))
    with transaction(state.engine, "after") as connection:
        connection.execute(text("UPDATE alert SET owner = 'x'"))


def test_a_reader_sees_one_state_throughout(state: State) -> None:
    count = text("SELECT count(*) FROM lease")
    with reading(state.engine) as reader:
        before = reader.scalar(count)
        with transaction(state.engine, "other") as writer:
            writer.execute(text("INSERT INTO lease (study, holder, token, expires) VALUES ('S', 'h', 1, 0)"))
        assert reader.scalar(count) == before == 0


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_sqlite_is_safe_against_power_cuts(state: State) -> None:
    with reading(state.engine) as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA recursive_triggers")) == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_production_refuses_one_role_for_owning_and_running(place: Place) -> None:
    with (
        pytest.raises(ConfigError, match="must not own the ledger"),
        creating(place.url, None, production=True),
    ):
        pytest.fail("nothing may be made")
    assert place.owner_url is not None
    with creating(place.url, place.owner_url, production=True) as connection:
        assert missing_guards(connection) == ()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("ALTER ROLE {run} SUPERUSER", "SUPERUSER"),
        ("ALTER ROLE {run} CREATEROLE", "CREATEROLE"),
        ("GRANT {owner} TO {run}", "must not own the ledger"),
        ("GRANT CREATE ON SCHEMA public TO {run}", "may create objects"),
    ],
)
def test_production_refuses_a_run_time_role_that_could_undo_the_guards(
    place: Place, power: str, said: str, admin: str
) -> None:
    with (
        postgresql_server() as own
    ):  # roles of its own, for their powers are changed; `place` is for the skip
        mine = own.create()
        assert mine.owner_url is not None
        with create_engine(f"{admin}/{database(mine.url)}", poolclass=NullPool).begin() as connection:
            connection.execute(text(power.format(run=f"{own.name}_run", owner=f"{own.name}_owner")))
        with pytest.raises(ConfigError, match=said), creating(mine.url, mine.owner_url, production=True):
            pytest.fail("nothing may be made")
        assert not is_initialised(mine.url)
        own.drop(mine)


def database(url: str) -> str:
    return url.rsplit("/", 1)[1]


def test_a_database_of_an_older_version_is_migrated_with_its_rights_and_recorded(
    state: State, tmp_path: Path
) -> None:
    with state.raw() as connection:
        connection.execute(text("DROP TABLE transfer"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(DatabaseError, match="monitor migrate"):
        open_database(state.place.url)
    plain = installation(tmp_path)
    owner = SecretStr(state.place.owner_url) if state.place.owner_url else None
    changed = {"database": state.place.url, "database_owner": owner, "data_dir": tmp_path}
    settings = plain.model_copy(update={"monitor": plain.monitor.model_copy(update=changed)})
    assert migrate(settings, NOW, ALICE) == Migrated("0001", REVISIONS[-1])
    with state.raw() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    with transaction(open_database(state.place.url), "note") as connection:  # as the run-time role
        note(connection, "S", 1, "held", {}, NOW)
    assert verify(state.engine, state.key, state.evidence).intact
    with pytest.raises(UsageError, match="nothing to migrate"):
        migrate(settings, NOW, ALICE)
