"""Whatever a held transfer lacks: no alert is lost, cleared or withdrawn; every way out of it converges."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.decide import decide
from monitor.alerts.lifecycle import values
from monitor.clinical.snapshots import Past, Snapshot, SnapshotRef, open_known, take_snapshot
from monitor.evidence import finding_id
from monitor.records import Alert, Finding, Standing
from tests.generative.budgets import FEW
from tests.stories import NOW, finding, row, run, scene
from tests.unit.test_delivery import HEAD
from tests.unit.test_snapshots import Trial, table

DAY = timedelta(days=1)
KEYS = st.tuples(st.sampled_from(["01", "02", "03"]), st.sampled_from(["07", "14", "21"]))
STUDY = st.dictionaries(KEYS, st.sampled_from(["180", "390", "412", "500"]), min_size=2, max_size=7)
Records = dict[tuple[str, str], str]


class World:
    """A study whose only rule fires for every result above 400, each on its own."""

    def __init__(self, folder: Path) -> None:
        self.trial = Trial(folder)
        self.alerts: dict[str, Alert] = {}
        self.store: dict[str, Finding] = {}
        self.known: SnapshotRef | None = None
        self.latest: SnapshotRef | None = None
        self.day = 0

    def transfer(self, records: Records) -> Snapshot:
        """A full transfer; it becomes what is known, held or not."""
        self.day += 1
        lines = [f"{who},1,PLAT,{value},10^9/L,2026-01-{day}" for (who, day), value in records.items()]
        self.trial.has(lb="\n".join([HEAD, *lines]) + "\n")
        resting = {key: (alert.id,) for alert in self.alerts.values() for key in alert.keys}
        taken = take_snapshot(
            self.trial.settings,
            self.trial.base,
            self.trial.data_dir,
            self.known,
            NOW + self.day * DAY,
            None,
            Past(self.latest, resting),
        )
        if taken.new:
            self.latest = SnapshotRef(taken.id, taken.number)
            self.known = replace(self.latest, held=taken.manifest["held"] is not None)
        return taken

    def scan(self) -> None:
        """Judge what is known; decide about every alert."""
        assert self.known is not None
        opened = open_known(self.trial.data_dir, "S", self.known)
        rows = table(opened, "LB", "USUBJID, KEY, VERSION, LBSTRESN")
        seen = {key: row(key, value, version) for _, key, version, value in rows}
        found = [
            finding(key, subject=who, evidence=(seen[key],))
            for who, key, _, value in rows
            if int(value) > 400
        ]
        now = NOW + self.day * DAY
        sight = scene(*seen.values(), now=now, today=now.date(), before=tuple(self.store.values()))
        for decision in decide(
            run(*found), tuple(self.alerts.values()), replace(sight, taken=frozenset(self.alerts))
        ):
            self.alerts[decision.alert.id] = decision.alert
            if decision.finding is not None:
                self.store[finding_id(decision.finding)] = decision.finding

    def standing(self) -> dict[tuple[str, ...], tuple[object, ...]]:
        """What the alerts say, by the records that they rest on."""
        said = {}
        for alert in self.alerts.values():
            kept = values(alert)
            said[(alert.subject, *alert.keys)] = tuple(
                kept[name] for name in ("status", "standing", "severity", "level")
            )
        return said


@settings(FEW, max_examples=8)
@given(STUDY, st.data())
def test_a_held_transfer_loses_nothing_and_every_way_out_converges(
    first: Records, data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.sampled_from(sorted(first)), min_size=1, max_size=len(first) - 1))
    added = data.draw(st.dictionaries(KEYS.filter(lambda key: key not in first), st.just("450"), max_size=2))
    short = {key: value for key, value in first.items() if key not in lost} | added
    way = data.draw(st.sampled_from(["accept", "reject", "better"]))
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        world, calm = World(Path(one)), World(Path(other))
        for each in (world, calm):
            each.transfer(first)
            each.scan()
        before = world.standing()
        taken = world.transfer(short)
        assert taken.manifest["held"] is not None  # one record of so few is over 2 %
        world.scan()
        after = world.standing()
        assert all(after[alert] == said for alert, said in before.items())
        assert len(after) == len(before) + len(added)
        _end(way, world, calm, first | added, short)
        assert {
            key: said for key, said in world.standing().items() if key in calm.standing()
        } == calm.standing()
        others = [world.standing()[key] for key in world.standing().keys() - calm.standing().keys()]
        assert all(said[1] in (Standing.GONE.value, Standing.WITHDRAWN.value) for said in others)


def _end(way: str, world: World, calm: World, better: Records, short: Records) -> None:
    """End it one way in this world; the calm one has the story without anything held."""
    assert world.known is not None
    if way == "accept":
        world.known = replace(world.known, held=False)
        calm.trial.settings = calm.trial.settings.model_copy(update={"max_lost": 1.0})
        calm.transfer(short)
        calm.known = None if calm.latest is None else replace(calm.latest, held=False)
    elif way == "reject":
        assert calm.known is not None
        world.known = SnapshotRef(calm.known.id, 1)
    else:
        assert world.transfer(better).manifest["held"] is None
        calm.transfer(better)
    world.scan()
    calm.scan()
