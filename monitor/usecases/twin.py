"""`monitor simulate romiplostim-aa`: the synthetic twin of the trial, with what is planted in it listed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyreadstat

from monitor.errors import UsageError
from monitor.files import write_atomic
from monitor.simulation.twin.planted import Planted
from monitor.simulation.twin.planting import KINDS, plant
from monitor.simulation.twin.sdtm import STUDYID, Trial, make_trial
from monitor.usecases.simulate import DEMO, TRIALS, Simulated, csv_text, simulate_demo
from monitor.usecases.simulate import START as DEMO_START

START = date(2024, 6, 27)  # so that the data end on 31 July 2025, as those of the abstract do
FORMATS = ("csv", "json", "xpt")
ALL = "all"
PLANTED = "planted.json"
README = f"""\
# Synthetic trial: no real person

Every number here is invented, by `monitor simulate romiplostim-aa`; STUDYID is `{STUDYID}` in every row.
What was planted is in `{PLANTED}`, which is no data.
"""
NUMERIC = ("SEQ", "STRESN", "STNRLO", "STNRHI", "DOSE", "DY", "VISITNUM", "AGE")


def simulate(
    name: str,
    seed: int,
    out: Path,
    start: date | None = None,
    *,
    form: str = "csv",
    inject: Sequence[str] = (),
) -> Simulated:
    """Write the synthetic trial `name` of this seed to `out`, as `form`, with the kinds `inject` planted.

    Several transfers are folders transfer-1, transfer-2 … in it. Raises UsageError for what is not
    known, and when `out` holds anything else.
    """
    _known(name, form, inject)
    if name == DEMO:
        if inject or form != "csv":
            raise UsageError(f"{DEMO} is written as csv, as it is; --inject and --format are for the twin")
        return simulate_demo(seed, out, start or DEMO_START)
    trial = make_trial(seed, start or START)
    try:
        transfers, told = plant(trial, seed, KINDS if ALL in inject else inject)
    except ValueError as error:
        raise UsageError(str(error)) from error
    files = dict(_files(transfers, form, told))
    _empty(out, files)
    for file, content in files.items():
        write_atomic(out / file, content)
    return Simulated(out, {domain: len(rows) for domain, rows in transfers[0].domains.items()}, trial.until)


def _known(name: str, form: str, inject: Sequence[str]) -> None:
    wrong = []
    if name not in TRIALS:
        wrong.append(f"{name} is not a trial that can be simulated; there is {', '.join(TRIALS)}")
    if form not in FORMATS:
        wrong.append(f"--format: {form} is not one of {', '.join(FORMATS)}")
    unknown = [kind for kind in inject if kind not in (*KINDS, ALL)]
    wrong += [f"--inject: {kind} is not one of {', '.join((*KINDS, ALL))}" for kind in unknown]
    if wrong:
        raise UsageError("\n".join(wrong))


def _empty(out: Path, files: Mapping[str, bytes]) -> None:
    tops = {Path(file).parts[0] for file in files}
    others = sorted(path.name for path in out.iterdir() if path.name not in tops) if out.is_dir() else []
    if others:
        raise UsageError(f"{out} holds other files ({', '.join(others[:3])}): give a new or empty folder")


def _files(transfers: Sequence[Trial], form: str, told: Sequence[Planted]) -> list[tuple[str, bytes]]:
    files = [("README.md", README.encode())]
    if told:
        listed = json.dumps([asdict(one) for one in told], indent=1, ensure_ascii=False)
        files.append((PLANTED, f"{listed}\n".encode()))
    for number, trial in enumerate(transfers, start=1):
        place = f"transfer-{number}/" if len(transfers) > 1 else ""
        for domain, rows in trial.domains.items():
            files.append((f"{place}{domain.lower()}.{form}", _written(domain, rows, form)))
    return files


def _written(domain: str, rows: Sequence[Mapping[str, str]], form: str) -> bytes:
    if form == "csv":
        return csv_text(rows).encode()
    return _dataset_json(domain, rows) if form == "json" else _transport(domain, rows)


def _numeric(column: str) -> bool:
    return column.endswith(NUMERIC)


def _dataset_json(domain: str, rows: Sequence[Mapping[str, str]]) -> bytes:
    """CDISC Dataset-JSON 1.1."""
    columns = [
        {"itemOID": f"IT.{domain}.{name}", "name": name, "label": name, "dataType": "string"}
        for name in rows[0]
    ]
    said = {
        "datasetJSONCreationDateTime": "2025-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{domain}",
        "records": len(rows),
        "name": domain,
        "label": domain,
        "columns": columns,
        "rows": [list(row.values()) for row in rows],
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _transport(domain: str, rows: Sequence[Mapping[str, str]]) -> bytes:
    """SAS transport, version 5."""
    table = pd.DataFrame(rows)
    for name in table.columns:
        if _numeric(str(name)):
            table[name] = pd.to_numeric(table[name].replace("", None))
    with TemporaryDirectory(prefix="monitor-xpt-") as folder:
        path = Path(folder) / f"{domain.lower()}.xpt"
        pyreadstat.write_xport(table, str(path), table_name=domain, file_format_version=5)
        return path.read_bytes()
