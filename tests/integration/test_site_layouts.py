"""Two folders as sites have them, loaded through maps that `inspect` proposed and a person finished."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.snapshots import Snapshot, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from monitor.derive import derive
from monitor.inspection.seeing import Seen, see
from monitor.rules.rulefile import load_rules
from tests.rulefolders import FEW

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared/data is not here")


class Site:
    """One site's folder, loaded once."""

    def __init__(self, name: str, folder: Path) -> None:
        given: dict[str, Any] = tomllib.loads((FIXTURES / f"{name}.toml").read_text("utf-8"))["study"][0]
        self.study = StudySettings.model_validate({**given, "source": str(SHARED / given["source"])})
        self.folder = folder
        self.taken: Snapshot = take_snapshot(self.study, ROOT, folder, None, NOW)
        self.derived = derive(self.taken.tables, self.taken.columns, self.study, folder / "derived")

    def ask(self, domain: str, wanted: str, where: str = "true") -> list[tuple[Any, ...]]:
        with connect() as connection:
            path = self.derived.tables[domain]
            return query(connection, f"SELECT {wanted} FROM read_parquet('{path}') WHERE {where}")

    def seen(self, *, few: bool = True) -> dict[str, Seen]:
        """What the shipped rules see; few of them, or all."""
        pack = load_rules(ROOT / "rules", self.study.rules)
        if few:
            pack = replace(pack, rules=tuple(rule for rule in pack.rules if rule.id in FEW))
        return {one.rule: one for one in see(self.study, ROOT, pack, self.folder / "rules", NOW).seen}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    return {name: Site(name, tmp_path_factory.mktemp(name)) for name in ("clindata", "rhoinc")}


@shared
@pytest.mark.parametrize(
    ("site", "rows"),
    [
        ("clindata", {"AE": 577, "DM": 145, "EX": 610, "LB": 126618, "DS": 104}),
        ("rhoinc", {"AE": 357, "DM": 150, "LB": 13708, "SV": 1202, "VS": 3170}),
    ],
)
def test_every_row_that_was_received_is_kept(sites: dict[str, Site], site: str, rows: dict[str, int]) -> None:
    domains = sites[site].taken.manifest["domains"]
    assert {name: domains[name]["received"] for name in rows} == rows
    assert {name: domains[name]["kept"] for name in rows} == rows


@shared
def test_platelets_have_the_unit_and_the_limits_that_a_person_and_the_file_say(
    sites: dict[str, Site],
) -> None:
    wanted = "count(*), count(DISTINCT USUBJID), count(LBSTRESN), min(UNIT), max(UNIT)"
    platelets = "LBTESTCD = 'PLAT'"
    assert sites["clindata"].ask("LB", wanted, platelets) == [(2916, 145, 2916, "10^9/L", "10^9/L")]
    assert sites["rhoinc"].ask("LB", wanted, platelets) == [(596, 135, 579, "10^9/L", "10^9/L")]
    limits = "min(LBSTNRLO), max(LBSTNRHI)"
    assert sites["clindata"].ask("LB", limits, platelets) == [(130, 400)]
    assert sites["rhoinc"].ask("LB", limits, platelets) == [(150, 350)]


@shared
def test_a_spelling_that_a_person_explained_counts_as_what_was_meant(sites: dict[str, Site]) -> None:
    found = sites["rhoinc"].ask("LB", "DISTINCT UNIT", "LBTESTCD IN ('ALT', 'AST') AND LBSTRESN IS NOT NULL")
    assert found == [("ukat/L",)]
    assert sites["rhoinc"].ask("LB", "DISTINCT UNIT", "LBTESTCD = 'WBC' AND LBSTRESN IS NOT NULL") == [
        ("10^9/L",)
    ]


@shared
@pytest.mark.parametrize("site", ["clindata", "rhoinc"])
def test_shipped_rules_run_and_none_is_broken(sites: dict[str, Site], site: str) -> None:
    seen = sites[site].seen()
    check_seen(seen, site)


@shared
@pytest.mark.soak
@pytest.mark.parametrize("site", ["clindata", "rhoinc"])
def test_all_shipped_rules_run_and_none_is_broken(sites: dict[str, Site], site: str) -> None:
    seen = sites[site].seen(few=False)
    assert len(seen) > 90
    check_seen(seen, site)


def check_seen(seen: dict[str, Seen], site: str) -> None:
    assert {one.outcome for one in seen.values()} <= {"fired", "clear", "cannot_tell", "blind"}
    assert seen["PLT-01"].records == {"clindata": 2916, "rhoinc": 596}[site]
    assert seen["PLT-01"].outcome != "blind"
    assert seen["G-01"].records == {"clindata": 577, "rhoinc": 357}[site]


@shared
def test_what_tells_who_a_person_is_stays_outside_and_is_counted(sites: dict[str, Site]) -> None:
    taken = sites["clindata"].taken
    dropped = {(each["file"], each["column"]): each["cells"] for each in taken.manifest["mapping"]["dropped"]}
    assert dropped["rawplus_dm_subset.csv", "BRTHDAT"] == 145
    assert dropped["rawplus_ae_subset.csv", "SUBJINIT_NSV"] == 577
    assert not {"BRTHDAT", "SUBJINIT_NSV"} & {name for each in taken.columns.values() for name in each}
