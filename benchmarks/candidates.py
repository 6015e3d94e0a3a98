"""The candidates: the monitor's whole scan, and SQL written by hand. Each gives keys that fire, by rule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from benchmarks.data import COLUMNS, DOMAINS, THROUGH
from monitor.engines.duckdb import Engine
from monitor.engines.evaluate import evaluate
from monitor.records import Truth
from monitor.rules.context import Context
from monitor.rules.rulefile import load_rules

HERE = Path(__file__).parent
Keys = Mapping[str, Sequence[str]]


def digest(keys: Iterable[str]) -> str:
    """A hash of keys, whatever their order."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:12]


def monitor(studies: Sequence[Path]) -> Keys:
    """The whole scan of each study: find, fold, judge by the reference, findings with evidence."""
    pack = load_rules(HERE / "rules", ["bench"])
    keys: dict[str, list[str]] = {rule.id: [] for rule in pack.rules}
    for folder in studies:
        context = Context(
            as_of=THROUGH,
            params=pack.params,
            lists=pack.lists,
            through={(domain, ""): THROUGH for domain in DOMAINS},
            columns=COLUMNS,
        )
        with Engine({domain: folder / f"{domain}.parquet" for domain in DOMAINS}) as engine:
            for run in evaluate(engine, pack.rules, context, folder.name, "snapshot"):
                if run.outcome.value == "broken":
                    raise SystemExit(f"{folder.name} {run.rule}: {run.said}")
                fires = (finding for finding in run.findings if finding.truth is Truth.TRUE)
                keys[run.rule] += [key for finding in fires for key in finding.keys]
    return keys


def sql(studies: Sequence[Path]) -> Keys:
    """The frozen statements, each once over the files of all studies."""
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        for domain in DOMAINS:
            files = [str(folder / f"{domain}.parquet") for folder in studies]
            connection.execute(f"CREATE VIEW {domain} AS SELECT * FROM read_parquet({files})")
        return {
            path.stem: [row[0] for row in connection.execute(path.read_text()).fetchall()]
            for path in sorted((HERE / "frozen").glob("*.sql"))
        }


CANDIDATES: Mapping[str, Callable[[Sequence[Path]], Keys]] = {"monitor": monitor, "sql": sql}
