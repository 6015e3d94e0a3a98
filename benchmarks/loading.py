"""Time a whole load against DuckDB's copy, SAS transport against pandas: `python -m benchmarks.loading`.

Each load runs in a process of its own, whose greatest memory is printed beside the seconds. `load` is
all of `monitor load` but the ledger: keep the bytes, read, standardise, identify, write. The
seconds are those of the processor, in all threads, so that other work on the machine tells little;
they are printed and never tested.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyreadstat

from monitor.clinical.snapshots import take_snapshot
from monitor.config import StudySettings

ROWS, TRANSPORT_ROWS = 10_000_000, 1_000_000
MEMORY = "600MB"  # of DuckDB, in both

TESTS = [
    "PLAT",
    "ALT",
    "AST",
    "BILI",
    "ALP",
    "CREAT",
    "HGB",
    "WBC",
    "NEUT",
    "LYM",
    *(f"T{n:02d}" for n in range(10)),
]
LABS = f"""
SELECT 'STUDY-01' AS STUDYID, 'LB' AS "DOMAIN", printf('STUDY-01-%06d', i // 800) AS USUBJID,
    i % 800 + 1 AS LBSEQ,
    {TESTS}[i % 20 + 1] AS LBTESTCD, 'Name of ' || LBTESTCD AS LBTEST, 'HEMATOLOGY' AS LBCAT,
    CAST(hash(i) % 4000 / 10.0 AS VARCHAR) AS LBORRES, '10^9/L' AS LBORRESU, '10.0' AS LBORNRLO,
    '400.0' AS LBORNRHI, LBORRES AS LBSTRESC, CAST(LBORRES AS DOUBLE) AS LBSTRESN, '10^9/L' AS LBSTRESU,
    10.0 AS LBSTNRLO, 400.0 AS LBSTNRHI, 'NORMAL' AS LBNRIND, i % 800 // 20 + 1 AS VISITNUM,
    'WEEK ' || VISITNUM AS VISIT,
    strftime(DATE '2020-01-01' + CAST(i % 800 // 20 * 7 AS INTEGER), '%Y-%m-%dT08:30') AS LBDTC
FROM range(?) t (i)
"""


def made(folder: Path, rows: int, form: str) -> Path:
    """The folder with a laboratory file of so many rows, made once."""
    path = folder / f"{form}-{rows}" / f"lb.{form}"
    if path.exists():
        return path.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    query = LABS.replace("?", str(rows))
    with duckdb.connect() as connection:
        if form == "csv":
            connection.execute(f"COPY ({query}) TO '{path}.part' (HEADER)")
        else:
            frame = connection.execute(query).df()
            texts = {name: "float64" for name in frame if str(frame[name].dtype) not in ("object", "str")}
            pyreadstat.write_xport(frame.astype(texts), f"{path}.part", file_format_version=5)
    Path(f"{path}.part").rename(path)
    return path.parent


def load(folder: Path) -> None:
    """A whole load of what lies in a folder."""
    study = StudySettings(
        id="BENCH", source=str(folder), rules=("x",), ctcae="5.0", blinded=False, mail="coded"
    )
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        take_snapshot(study, folder, Path(work), None, datetime(2026, 3, 1, tzinfo=UTC))


def copy(folder: Path) -> None:
    """DuckDB's own way from the CSV file to a sorted Parquet file."""
    spilled = folder.parent / "spilled"
    with duckdb.connect(
        config={"threads": 2, "memory_limit": MEMORY, "temp_directory": str(spilled)}
    ) as made:
        made.execute(
            f"COPY (SELECT * FROM read_csv('{folder}/lb.csv', all_varchar = true)"
            " ORDER BY USUBJID, LBTESTCD, LBDTC)"
            f" TO '{folder}/sorted.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
    (folder / "sorted.parquet").unlink()
    shutil.rmtree(spilled, ignore_errors=True)


def pandas_alone(folder: Path) -> None:
    """Reading a SAS transport file with pandas, in pieces, to nothing."""
    with pd.read_sas(folder / "lb.xpt", format="xport", chunksize=50_000, encoding="utf-8") as file:
        for _ in file:
            pass


def _measured(run: Callable[[Path], None], folder: Path, given: Any) -> None:
    run(folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    given.put((used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))


def measured(run: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    """Processor seconds and greatest memory (MB) of a run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    given = context.Queue()
    process = context.Process(target=_measured, args=(run, folder, given))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(1)  # it said why
    seconds, memory = given.get()
    return seconds, memory


def main() -> int:
    """Print what a load takes, and its ratio to what it is compared with."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the CSV file")
    parser.add_argument(
        "--transport-rows", type=int, default=TRANSPORT_ROWS, help="of the SAS transport file"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "monitor-bench")
    given = parser.parse_args()
    columns = f"{'file':6} {'rows':>12} {'load':>8} {'MB':>6} {'compared with':>22}"
    say(f"{columns} {'seconds':>8} {'ratio':>6} {'at most':>8}")
    for form, rows, other, name, most in (
        ("csv", given.rows, copy, "DuckDB, sorted copy", 2.5),
        ("xpt", given.transport_rows, pandas_alone, "pandas, in pieces", 1.5),
    ):
        folder = made(given.folder, rows, form)
        alone, _ = measured(other, folder)
        seconds, memory = measured(load, folder)
        columns = f"{form:6} {rows:12,} {seconds:8.1f} {memory:6.0f} {name:>22}"
        say(f"{columns} {alone:8.1f} {seconds / alone:6.2f} {most:8.1f}")
    return 0


def say(line: str) -> None:
    """A line of the table."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
