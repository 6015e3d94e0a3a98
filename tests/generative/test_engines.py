"""The compiled rule against the definition, on generated studies: every record, or it is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

import psycopg
import pytest
from hypothesis import given, seed, settings
from sqlalchemy import make_url

from monitor.engines.duckdb import Found, verdicts_of
from monitor.records import Episode, Truth, Verdict, day_date
from monitor.rules.compiler import compile_rule, sql_text
from monitor.rules.reference import judge
from monitor.rules.rule import Rule
from tests.generative.budgets import FEW, SOAK, telling
from tests.generative.crowds import crowds
from tests.generative.strategies import World, worlds
from tests.generative.tables import Shelf, fill_postgresql, types_of

POSTGRES = "MONITOR_TEST_POSTGRES"
# Of each world 6 rules over 8 studies are 48 cases; 10 worlds of 42 seeds are 20,160.
SEEDS = pytest.mark.parametrize("number", range(42), ids="seed-{:02}".format)
WORLDS = 10


@pytest.fixture(scope="module")
def postgresql() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    if POSTGRES not in os.environ:
        pytest.skip(f"needs PostgreSQL: set {POSTGRES} to a superuser's URL (see .ci/postgres)")
    url = make_url(os.environ[POSTGRES]).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        yield connection


def expected(world: World, rule: Rule) -> list[Verdict]:
    """What the definition says of every record of the series."""
    episodes: dict[str, list[Episode]] = {name: [] for name in rule.refers_to}
    for episode in world.episodes:
        if episode.rule in episodes:
            episodes[episode.rule].append(episode)
    return [one.verdict for one in judge(rule, world.tables, world.context, episodes)]


def told(verdicts: list[Verdict]) -> list[Verdict]:
    """The records of the subjects of whom one record fires or can't be told."""
    subjects = {one.subject for one in verdicts if one.truth > Truth.FALSE}
    return sorted((one for one in verdicts if one.subject in subjects), key=lambda one: one.row)


def compare(world: World, rule: Rule, found: Found) -> None:
    meant = expected(world, rule)
    alike(world, rule, found.verdicts, told(meant))
    assert found.considered == len(meant)
    assert found.subjects == len({one.subject for one in meant})
    newest = max((one.days.low for one in meant if one.days.low is not None), default=None)
    assert found.newest == ("" if newest is None else day_date(newest).isoformat())
    assert found.fired == sum(one.truth is Truth.TRUE for one in meant)
    assert found.cannot_tell == sum(one.truth is Truth.UNKNOWN for one in meant)


def alike(world: World, rule: Rule, found: Iterable[Verdict], meant: Iterable[Verdict]) -> None:
    """The same verdicts; else the rule, what is said of each record, and the subjects' data are told."""
    different = sorted(set(found) ^ set(meant), key=lambda one: one.row)
    subjects = {one.subject for one in different}
    data = {
        domain: [row for row in rows if row["USUBJID"] in subjects] for domain, rows in world.tables.items()
    }
    episodes = [one for one in world.episodes if one.subject in subjects]
    with telling(lambda: (rule, different, data, episodes, world.context)):
        assert not different, f"{rule.id}: {len(different)} verdicts are not the same"


def compare_duckdb(world: World, shelf: Shelf) -> None:
    with shelf.opened(world) as engine:
        for domain, rows in world.tables.items():
            assert engine.rows(domain, [str(row["USUBJID"]) for row in rows]) == [
                {name: row.get(name) for name in types_of(domain, world)} for row in rows
            ]
        for rule in world.rules:
            compare(world, rule, engine.find(rule, world.context, world.episodes))


def fill_world(connection: psycopg.Connection[tuple[object, ...]], world: World) -> None:
    """A generated study in PostgreSQL."""
    tables = {domain: (rows, types_of(domain, world)) for domain, rows in world.tables.items()}
    fill_postgresql(connection, tables, world.episodes)


def compare_postgresql(
    world: World, shelf: Shelf, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    fill_world(connection, world)
    with shelf.opened(world) as engine:
        for rule in world.rules:
            text = sql_text(compile_rule(rule, world.context, engine.words))
            rows = connection.execute(text.encode()).fetchall()
            alike(world, rule, verdicts_of(rule, rows), told(expected(world, rule)))
    connection.rollback()


@FEW
@given(world=worlds())
def test_duckdb_says_what_the_definition_says(world: World, shelf: Shelf) -> None:
    compare_duckdb(world, shelf)


@settings(FEW, max_examples=20)
@given(world=worlds())
def test_postgresql_reads_the_same_text_alike(
    world: World, shelf: Shelf, postgresql: psycopg.Connection[tuple[object, ...]]
) -> None:
    compare_postgresql(world, shelf, postgresql)


@settings(FEW, max_examples=6)
@given(world=crowds())
def test_many_studies_at_once_are_judged_like_each(world: World, shelf: Shelf) -> None:
    compare_duckdb(world, shelf)


def soaked(number: int, check: Callable[[World], None]) -> None:
    """A shard of the long comparison: always the same worlds for a seed, made small when they disagree."""

    @seed(number)
    @settings(SOAK, max_examples=WORLDS)
    @given(world=crowds())
    def agree(world: World) -> None:
        check(world)

    agree()


@pytest.mark.soak
@SEEDS
def test_duckdb_says_what_the_definition_says_on_twenty_thousand_cases(number: int, shelf: Shelf) -> None:
    soaked(number, lambda world: compare_duckdb(world, shelf))


@pytest.mark.soak
@SEEDS
def test_postgresql_says_what_the_definition_says_on_twenty_thousand_cases(
    number: int, shelf: Shelf, postgresql: psycopg.Connection[tuple[object, ...]]
) -> None:
    soaked(number, lambda world: compare_postgresql(world, shelf, postgresql))
