"""Fixtures for every test: databases of both kinds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, POSTGRES, Place, State, initialised, postgresql_place, sqlite_place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a database could be, of each kind; nothing is there yet."""
    if request.param == "sqlite":
        yield sqlite_place(tmp_path)
        return
    if POSTGRES not in os.environ:
        pytest.skip(f"needs PostgreSQL: set {POSTGRES} to a superuser's URL (see .ci/postgres)")
    with postgresql_place() as made:
        yield made


@pytest.fixture
def state(place: Place, tmp_path: Path) -> State:
    """An initialised database of each kind, opened as the run-time role."""
    return initialised(place, tmp_path)


@pytest.fixture
def admin() -> str:
    """The URL of the test server's superuser, without a database."""
    return os.environ[POSTGRES].rsplit("/", 1)[0]
