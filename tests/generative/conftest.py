"""Where generated studies are put."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.generative.tables import Shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A folder and a connection that writes Parquet files into it."""
    with duckdb.connect(":memory:", config={"threads": 1}) as writer:
        yield Shelf(tmp_path_factory.mktemp("derived"), writer)
