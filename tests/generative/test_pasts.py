"""Functions of earlier records: DuckDB, PostgreSQL and the definition agree on long series."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given, settings

from tests.generative.budgets import FEW, SOAK
from tests.generative.pasts import past_worlds
from tests.generative.strategies import World
from tests.generative.tables import Shelf
from tests.generative.test_engines import compare_duckdb, compare_postgresql, postgresql

__all__ = ["postgresql"]  # the fixture


@settings(FEW, max_examples=30)
@given(world=past_worlds())
def test_duckdb_remembers_as_the_definition_does(world: World, shelf: Shelf) -> None:
    compare_duckdb(world, shelf)


@settings(FEW, max_examples=15)
@given(world=past_worlds())
def test_postgresql_remembers_alike(
    world: World, shelf: Shelf, postgresql: psycopg.Connection[tuple[object, ...]]
) -> None:
    compare_postgresql(world, shelf, postgresql)


@pytest.mark.soak
@settings(SOAK, max_examples=4_000)
@given(world=past_worlds())
def test_duckdb_remembers_as_the_definition_does_in_ten_thousand_cases(world: World, shelf: Shelf) -> None:
    compare_duckdb(world, shelf)
