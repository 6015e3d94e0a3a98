"""Time a whole scan against frozen SQL written by hand: `python -m benchmarks --help`.

A hundred studies, ten rules, each candidate in a cold process of its own that begins with the derived
tables. `monitor` is the whole scan: three-valued, every record that is told judged again by
the reference, findings with their evidence; `sql` is two-valued, over all studies at once, and gives
keys alone. Their hashes must be equal, else it ends with 1; seconds are printed and never tested.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.candidates import CANDIDATES, digest
from benchmarks.data import STUDIES, make_studies

ROWS = 10_240_000


@dataclass(frozen=True)
class Measured:
    """One candidate: seconds on the clock and of the processor, peak memory in MB, keys found by rule."""

    seconds: float
    cpu: float
    peak: int
    rules: dict[str, tuple[int, str]]


def main() -> int:
    """Make the studies, let every candidate find, print a table; 1 when their answers differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="laboratory results of all studies together")
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "monitor-bench")
    parser.add_argument("--only", choices=sorted(CANDIDATES), help="one candidate, in this process")
    given = parser.parse_args()
    studies = make_studies(given.folder, given.rows, given.studies)
    if given.only:
        say(json.dumps(_found(given.only, studies)))
        return 0
    measured = {name: _measured(name, given) for name in CANDIDATES}
    table(measured)
    return 0 if len({json.dumps(one.rules, sort_keys=True) for one in measured.values()}) == 1 else 1


def _found(name: str, studies: tuple[Path, ...]) -> dict[str, Any]:
    keys = CANDIDATES[name](studies)
    used = resource.getrusage(resource.RUSAGE_SELF)
    rules = {rule: (len(found), digest(found)) for rule, found in sorted(keys.items())}
    return {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss // 1024, "rules": rules}


def _measured(name: str, given: argparse.Namespace) -> Measured:
    """A candidate in a process of its own, its start included."""
    words = ["--rows", str(given.rows), "--studies", str(given.studies), "--folder", str(given.folder)]
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 this program itself
        [sys.executable, "-m", "benchmarks", "--only", name, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    said = json.loads(done.stdout)
    return Measured(
        seconds, said["cpu"], said["peak"], {key: tuple(one) for key, one in said["rules"].items()}
    )


def table(measured: dict[str, Measured]) -> None:
    """What each took, in seconds and against the SQL by hand, and what it found."""
    base = measured["sql"]
    say(f"{'candidate':10} {'seconds':>9} {'ratio':>7} {'cpu':>9} {'ratio':>7} {'peak MB':>8}")
    for name, one in measured.items():
        ratios = one.seconds / base.seconds, one.cpu / base.cpu
        say(f"{name:10} {one.seconds:9.2f} {ratios[0]:7.1f} {one.cpu:9.2f} {ratios[1]:7.1f} {one.peak:8,}")
    say(f"\n{'rule':8} {'fire':>8}  keys")
    for rule, (count, keys) in base.rules.items():
        others = [f"{name} IS {one.rules.get(rule)}" for name, one in measured.items()]
        same = all(one.rules.get(rule) == (count, keys) for one in measured.values())
        say(f"{rule:8} {count:8,}  {keys if same else ', '.join(others)}")


def say(line: str) -> None:
    """A line of the table."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
