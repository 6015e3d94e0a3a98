"""Time the shipped rules against frozen SQL written by hand: `python -m benchmarks --help`.

`find` is the whole way to verdicts, of all records of every subject who has one that fires or
can't be told; `select` the compiled select alone, `by hand` the frozen one, which is two-valued
and gives only keys; `ratio` of these two. The hashes of the keys that fire must be equal; the
seconds are printed and never tested.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.data import COLUMNS, SUBJECTS, make_tables
from monitor.engines.duckdb import EPISODE, Engine, episode_row
from monitor.records import Episode, Truth
from monitor.rules.compiler import compile_rule, sql_text
from monitor.rules.context import Context
from monitor.rules.fold import fold
from monitor.rules.rule import Rule
from monitor.rules.rulefile import load_rules

HERE = Path(__file__).parent
RUNS = 5


def timed(run: Callable[[], list[str]], runs: int) -> tuple[float, list[str]]:
    """The median of the seconds that something takes, and what it gave."""
    seconds = []
    keys: list[str] = []
    for _ in range(runs):
        start = time.perf_counter()
        keys = run()
        seconds.append(time.perf_counter() - start)
    return median(seconds), keys


def digest(keys: Iterable[str]) -> str:
    """A hash of keys, whatever their order."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:12]


def by_hand(tables: dict[str, Path], episodes: tuple[Episode, ...]) -> duckdb.DuckDBPyConnection:
    """A connection over the same files, with two threads as the engine has them."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute(EPISODE)
    for domain, path in tables.items():
        connection.execute(f"CREATE VIEW {domain} AS SELECT * FROM read_parquet('{path}')")
    columns = [list(column) for column in zip(*map(episode_row, episodes), strict=True)]
    if columns:
        connection.execute("INSERT INTO episode SELECT " + ", ".join("unnest(?)" for _ in columns), columns)
    return connection


def main() -> int:
    """Make the study, run the rules both ways, print a table; 1 when the answers differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--subjects", type=int, default=SUBJECTS, help="each has 800 laboratory results")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "monitor-bench")
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    tables = make_tables(given.folder, given.subjects)
    pack = load_rules(HERE.parent / "rules", ["generic", "romiplostim-aa"])
    context = Context(
        as_of=20_400,
        params=pack.params,
        lists=pack.lists,
        through={(domain, ""): 20_400 for domain in tables},
        columns=COLUMNS,
    )
    say(f"{given.subjects * 800:,} laboratory rows, medians of {given.runs}, in seconds")
    say(f"{'rule':8} {'find':>8} {'select':>8} {'by hand':>8} {'ratio':>6} {'fire':>8} {'not told':>8}  keys")
    with Engine(tables, threads=2) as engine:
        holds = fold(pack.rule("PLT-01"), engine.find(pack.rule("PLT-01"), context).verdicts)
        with by_hand(tables, holds) as connection:
            same = [
                compare(
                    pack.rule(path.stem), path.read_text(), engine, connection, context, holds, given.runs
                )
                for path in sorted((HERE / "frozen").glob("*.sql"))
            ]
    return 0 if all(same) else 1


def compare(
    rule: Rule,
    text: str,
    engine: Engine,
    connection: duckdb.DuckDBPyConnection,
    context: Context,
    episodes: tuple[Episode, ...],
    runs: int,
) -> bool:
    """One line: the rule on the engine, and the frozen SQL. Whether the same keys fire."""
    told = [0]
    compiled = sql_text(compile_rule(rule, context, engine.words))
    fires_alone = f"SELECT key FROM ({compiled}) answered WHERE truth = 2"

    def find() -> list[str]:
        found = engine.find(rule, context, episodes)
        told[0] = found.cannot_tell
        return [verdict.key for verdict in found.verdicts if verdict.truth is Truth.TRUE]

    def keys(statement: str) -> Callable[[], list[str]]:
        return lambda: [row[0] for row in connection.execute(statement).fetchall()]

    whole, fires = timed(find, runs)
    selecting, selected = timed(keys(fires_alone), runs)
    other, meant = timed(keys(text), runs)
    same = digest(fires) == digest(selected) == digest(meant)
    verdict = digest(fires) if same else f"{digest(fires)} IS NOT {digest(meant)}"
    seconds = f"{whole:8.3f} {selecting:8.3f} {other:8.3f} {selecting / other:6.1f}"
    say(f"{rule.id:8} {seconds} {len(fires):8,} {told[0]:8,}  {verdict}")
    return same


def say(line: str) -> None:
    """A line of the table."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
