"""Write the demo's synthetic trial as SDTM CSV files, with a README that says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from monitor.errors import UsageError
from monitor.files import write_atomic
from monitor.simulation.sdtm import STUDYID, Trial, make_trial

DEMO, TWIN = "romiplostim-aa-demo", "romiplostim-aa"
TRIALS = (TWIN, DEMO)
START = date(2026, 4, 6)  # of the trial in examples/
SEED = 16

README = """\
# Synthetic trial: no real person

Every number in this folder is invented. It was written by

    monitor simulate {name} --seed {seed} --out {folder} --start {start}

and the same command writes the same bytes again. STUDYID is `{study}` in every row.

Sixteen subjects with aplastic anaemia at four sites get romiplostim N01 weekly (10 to 20 ug/kg) and
cyclosporine (3 to 5 mg/kg a day). The data end on {until}. What a monitor should find:

- 01-003: platelets above 400 x 10^9/L in week 16, and still above 200 when the data end;
- 01-003: one dose of romiplostim given the day after that count; the next two doses are held;
- 03-002: romiplostim withdrawn in week 9 for a rash that is possibly related;
- everybody else: nothing.
"""


@dataclass(frozen=True)
class Simulated:
    """What was written: the folder, the rows of each domain, and the day the data end."""

    folder: Path
    rows: Mapping[str, int]
    until: date


def simulate_demo(seed: int, out: Path, start: date = START) -> Simulated:
    """Write the demo's trial of this seed to the folder `out`, one CSV for each domain.

    Raises UsageError when `out` holds anything else.
    """
    trial = make_trial(seed, start)
    files = {f"{domain.lower()}.csv": csv_text(rows) for domain, rows in trial.domains.items()}
    files["README.md"] = _readme(DEMO, seed, start, trial)
    others = sorted(path.name for path in out.iterdir() if path.name not in files) if out.is_dir() else []
    if others:
        raise UsageError(f"{out} holds other files ({', '.join(others[:3])}): give a new or empty folder")
    for file, content in files.items():
        write_atomic(out / file, content.encode())
    return Simulated(out, {domain: len(rows) for domain, rows in trial.domains.items()}, trial.until)


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as CSV, the columns of the first in their order."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _readme(name: str, seed: int, start: date, trial: Trial) -> str:
    return README.format(
        name=name, seed=seed, folder="examples/romiplostim-aa", start=start, study=STUDYID, until=trial.until
    )
