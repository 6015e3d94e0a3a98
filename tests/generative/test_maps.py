"""Maps nobody thought of: what they make of a table is what the table says, and all their faults are told."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.snapshots import Snapshot, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from monitor.errors import SourceError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNITS = {"PLAT": "10^9/L", "NEUT": "10^9/L", "HGB": "g/dL", "ALT": "U/L"}
WORDS = ("ja", "Nein", "vielleicht", "?", "J A", "")


def taken(folder: Path, text: str, **maps: Any) -> Snapshot:
    folder.mkdir(exist_ok=True)
    (folder / ("lb.csv" if not maps else "sheet.csv")).write_text(text, encoding="utf-8")
    fixed = {"id": "S", "source": ".", "rules": ["x"], "ctcae": "5.0", "blinded": False, "mail": "link"}
    study = StudySettings.model_validate({**fixed, "map": maps})
    return take_snapshot(study, folder, folder.parent / f"{folder.name}-var", None, NOW)


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_table_and_the_long_one_that_it_means_are_one_snapshot(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    tests = rng.sample(sorted(UNITS), rng.randint(1, 4))
    visits = [
        (
            f"{rng.randint(1, 3)}-{n:03}",
            date(2026, 1, 1) + timedelta(rng.randint(0, 40)),
            dict.fromkeys(tests, ""),
        )
        for n in range(rng.randint(1, 9))
    ]
    for _, _, results in visits:
        results |= {test: f"{rng.choice(['', '<'])}{rng.randint(1, 500)}" for test in rng.sample(tests, 1)}
    long = "".join(
        f"X-{subject},{test},{result},{UNITS[test]},{day}\n"
        for subject, day, results in visits
        for test, result in results.items()
        if result
    )
    form, written = rng.choice(
        [("dd/mm/yyyy", "%d/%m/%Y"), ("dd-mmm-yyyy", "%d-%b-%Y"), ("yyyymmdd", "%Y%m%d")]
    )
    wide = "".join(
        f"{day.strftime(written)},{','.join(results.values())},{subject}\n"
        for subject, day, results in visits
    )
    lb = {
        "file": "sheet.csv",
        "columns": {"USUBJID": "X-{patient}", "LBDTC": "seen"},
        "dates": {"LBDTC": form},
        "wide": {f"col {test}": {"test": test, "unit": UNITS[test]} for test in tests},
    }
    header = ",".join(["seen", *(f"col {test}" for test in tests), "patient"])
    mapped = taken(tmp_path / "wide", f"{header}\n{wide}", LB=lb)
    plain = taken(tmp_path / "long", f"USUBJID,LBTESTCD,LBORRES,LBORRESU,LBDTC\n{long}")
    assert mapped.id == plain.id
    empty = sum(not result for *_, results in visits for result in results.values())
    assert mapped.manifest["mapping"]["maps"][0].get("empty_cells") == empty


@pytest.mark.parametrize("seed", range(4))
def test_every_word_is_mapped_or_made_missing_or_listed(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    known = {word.lower(): rng.choice(["Y", "N", ""]) for word in rng.sample(WORDS[:-1], 3)}
    given = [rng.choice(WORDS) for _ in range(30)]
    rows = "".join(f"{n},Rash,{word}\n" for n, word in enumerate(given))
    ae = {"file": "sheet.csv", "columns": {"USUBJID": "who"}, "values": {"AESER": known}}
    snapshot = taken(tmp_path / "data", f"who,aeterm,aeser\n{rows}", AE=ae)
    with connect() as connection:
        path = snapshot.tables["AE"]
        held = query(connection, f"SELECT AESER FROM read_parquet('{path}')")
    assert Counter(word for (word,) in held) == Counter(known.get(w.lower(), w) or None for w in given)
    told = [each["rows"] for each in snapshot.manifest["issues"] if each["column"] == "AESER"]
    assert sum(told) == sum(bool(word) and word.lower() not in known for word in given)


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "study.map.LB.columns.LBNONE": ("columns", {"LBNONE": "seen"}),
    "study.map.LB.columns.LBDTC": ("columns", {"LBDTC": "no such"}),
    "study.map.LB.columns.LBSPEC": ("columns", {"LBSPEC": "{patient}-{nowhere}"}),
    "study.map.LB.constants.USUBJID": ("constants", {"USUBJID": "1"}),
    "study.map.LB.dates.LBSPEC": ("dates", {"LBSPEC": "dd/mm/yyyy"}),
    "study.map.LB.wide.PLT.unit": ("wide", {"PLT": {"test": "PLAT", "unit": "furlong"}}),
    "study.map.LB.wide.ANC": ("wide", {"ANC": {"test": "NEUT"}}),
    "study.map.LB.where.state": ("where", {"state": "final"}),
    "study.map.LB.units.ALT": ("units", {"ALT": "sheep"}),
}


@pytest.mark.parametrize("seed", range(6))
def test_all_faults_of_a_map_are_told_at_once_with_their_addresses(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    faults = rng.sample(sorted(FAULTS), rng.randint(1, len(FAULTS)))
    lb: dict[str, Any] = {
        "file": "sheet.csv",
        "columns": {"USUBJID": "patient"},
        "wide": {"PLT": {"test": "PLAT"}},
    }
    for fault in faults:
        part, wrong = FAULTS[fault]
        lb[part] = {**lb.get(part, {}), **wrong}
    with pytest.raises(SourceError) as caught:
        taken(tmp_path / "data", "patient,seen,PLT\n1,2026-01-01,5\n", LB=lb)
    addresses = {line.split(": ")[1] for line in str(caught.value).splitlines()}
    assert addresses == set(faults)
