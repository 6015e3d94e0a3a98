"""A transfer that lies, through the command line; and `kill -9` while it is loaded or decided about."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.functional.test_cli import Command, after_a_run, monitor, ran
from tests.functional.test_kill import FIRST, KILLED, LATER, Case, Driver, copied, driver, template

__all__ = ["after_a_run", "driver", "monitor", "ran", "template"]  # fixtures


def without(path: Path, subject: str) -> None:
    """Leave a subject's rows out of a file."""
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["USUBJID"] != subject)


def test_a_held_transfer_is_said_by_every_command_until_a_person_decides(ran: Command) -> None:
    data = Path("examples/romiplostim-aa")
    without(data / "lb.csv", "01-003")
    held = ran("run")
    assert held.code == 1
    assert "snapshot 2 is HELD: it lacks" in held.err
    assert "alert" in held.err
    assert "transfer held" in next(
        path.read_text() for path in Path("var/mail").iterdir() if "held" in path.read_text()
    )
    assert (ran("load").code, ran("status").code, ran("snapshots").code) == (1, 1, 0)
    assert "HELD" in ran("status").err
    assert [row["state"] for row in ran("snapshots", "--format", "json").json] == ["", "held"]
    shown = ran("snapshots", "show", "2")
    assert shown.code == 0
    assert "lb.csv" in shown.out
    assert ran("snapshots", "show", "2", "--format", "json").json[0]["held"]["over"] == ["LB"]
    assert ran("snapshots", "accept", "2", "--reason", " ").code == 2
    done = ran("snapshots", "reject", "2", "--reason", "an old file")
    assert (done.code, "snapshot 2 is rejected" in done.out) == (0, True)
    again = ran("run")
    assert again.code == 0
    assert "rejected by" in again.err
    assert ran("verify").code == 0


def test_diff_and_verify_show_and_prove(ran: Command) -> None:
    data = Path("examples/romiplostim-aa/ae.csv")
    data.write_text(data.read_text().replace("MILD", "=1+1<b>", 1))
    assert ran("load").code == 0
    table = ran("snapshots", "diff", "1", "2")
    assert table.code == 0
    assert "MILD → =1+1<b>" in table.out
    assert "AE,changed," in ran("snapshots", "diff", "1", "2", "--format", "csv").out
    assert ran("snapshots", "diff", "1", "2", "--format", "json").json["counts"][0]["changed"] == 1
    page = ran("snapshots", "diff", "1", "2", "--format", "html").out
    assert "=1+1&lt;b&gt;" in page
    assert "<b>=1" not in page
    assert "Nothing differs" in ran("snapshots", "diff", "1", "1").out
    assert ran("snapshots", "diff", "1", "9").code == 2
    assert ran("snapshots", "verify", "1").code == 0
    next(Path("var/snapshots").rglob("2/AE.parquet")).unlink()
    gone = ran("snapshots", "verify")
    assert gone.code == 1
    assert "its table is gone" in gone.out.replace("\n", " ")


# ---------------------------------------------------------------- kill -9

# When the claims of a process that was killed at LATER on its mails are over.
AFTER = "2026-11-20T10:00:00+00:00"
ACCEPT = ("snapshots", "accept", "2", "--reason", "gone")
DECIDING = ("before commit snapshots.accepted", "after commit snapshots.accepted")


def lied(driver: Driver, case: Case) -> None:
    """A first run, and then a transfer that lacks a subject's results."""
    assert driver.run(case, "run", at=FIRST).code == 0
    without(case.folder / "data/lb.csv", "01-003")


def outcome(driver: Driver, case: Case) -> tuple[list[tuple[object, ...]], tuple[str, ...]]:
    """Run again: it is held and said; accept it, run again: what is left, and the points of accepting."""
    assert driver.run(case, "run", at=AFTER).code == 1, case.output
    held = case.alerts()
    accepted = driver.run(case, *ACCEPT, at=AFTER)
    assert accepted.code == 0, case.output
    assert driver.run(case, "run", at=AFTER).code == 0, case.output
    assert driver.run(case, "verify", at=AFTER).code == 0, case.output
    return [*held, *case.alerts()], accepted.points


def broken(driver: Driver, template: Case, loading: tuple[str, ...], deciding: tuple[str, ...]) -> list[str]:
    """The points at which a kill leaves something else than a story without one."""
    with copied(template, "calm") as case:
        lied(driver, case)
        points = driver.run(case, "run", at=LATER).points
        expected, accepting = outcome(driver, case)
    last = {point: number for number, point in enumerate(points, start=1)}
    wrong = []
    for point in loading or tuple(last):
        with copied(template, f"n{last[point]}") as case:
            lied(driver, case)
            assert driver.run(case, "run", at=LATER, kill=last[point]).code == KILLED
            wrong += [point] if outcome(driver, case)[0] != expected else []
    for point in deciding:
        with copied(template, point.split()[0]) as case:
            lied(driver, case)
            assert driver.run(case, "run", at=LATER).code == 1
            wrong += [point] if not decided(driver, case, 1 + accepting.index(point)) else []
    return wrong


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_kill_at_every_kind_of_point_of_a_held_transfer_changes_nothing(
    driver: Driver, template: Case
) -> None:
    assert broken(driver, template, (), DECIDING) == []


def decided(driver: Driver, case: Case, number: int) -> bool:
    """Killed at a point of the decision: it is made or not, and can be made when it is not."""
    assert driver.run(case, *ACCEPT, at=AFTER, kill=number).code == KILLED
    again = driver.run(case, *ACCEPT, at=AFTER).code
    return (
        again in (0, 2)
        and driver.run(case, "run", at=AFTER).code == 0
        and (driver.run(case, "verify", at=AFTER).code == 0)
    )
