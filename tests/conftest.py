"""Fixtures for every test: databases of both kinds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from monitor.audit.key import make_key
from tests.databases import (
    KINDS,
    POSTGRES,
    Place,
    Server,
    State,
    initialise,
    opened,
    postgresql_server,
    sqlite_place,
)


@dataclass(frozen=True)
class Templates:
    """An initialised database of each kind, made once, and the key of both."""

    key: Path
    sqlite: Path
    postgresql: str


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    """The PostgreSQL server, if there is one."""
    if POSTGRES not in os.environ:
        yield None
        return
    with postgresql_server() as found:
        yield found


@pytest.fixture(scope="session")
def templates(server: Server | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """What `state` copies: a copy takes a tenth of the time of an init."""
    folder = tmp_path_factory.mktemp("templates")
    key = make_key(folder / "key")
    initialise(sqlite_place(folder), key)
    if server is None:
        yield Templates(folder / "key", folder / "monitor.db", "")
        return
    place = server.create()
    initialise(place, key)
    yield Templates(folder / "key", folder / "monitor.db", str(make_url(place.url).database))
    server.drop(place)


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, server: Server | None, templates: Templates
) -> Iterator[Place]:
    """Where a database could be, of each kind; nothing is there yet, unless the test has a `state`."""
    filled = "state" in request.fixturenames
    if request.param == "sqlite":
        if filled:
            shutil.copyfile(templates.sqlite, tmp_path / "monitor.db")
        yield sqlite_place(tmp_path)
        return
    if server is None:
        pytest.skip(f"needs PostgreSQL: set {POSTGRES} to a superuser's URL (see .ci/postgres)")
    made = server.create(templates.postgresql) if filled else server.create()
    yield made
    server.drop(made)


@pytest.fixture
def state(place: Place, tmp_path: Path, templates: Templates) -> State:
    """An initialised database of each kind, opened as the run-time role."""
    shutil.copy(templates.key, tmp_path / "key")
    return opened(place, tmp_path)


@pytest.fixture
def admin() -> str:
    """The URL of the test server's superuser, without a database."""
    return os.environ[POSTGRES].rsplit("/", 1)[0]
