"""`kill -9` at every step of `monitor run`, then run again: as if nothing had happened.

A point is a place before or after a commit, a rename or a reply of the mail server. After a kill at a point,
a second run gives the alerts of an undisturbed one, everybody was told, a mail that came twice came with the
same Message-ID, and `monitor verify` ends with 0.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import NullPool, create_engine, make_url, select

from monitor.database.tables import alert
from tests.databases import KINDS, POSTGRES, Server, postgresql_server
from tests.rulefolders import few_rules

ROOT = Path(__file__).parents[2]
SUBJECTS = ("01-003", "03-002", "04-001")
FIRST, LATER = "2026-11-20T08:00:00+00:00", "2026-11-20T09:00:00+00:00"
KILLED = -9
# Where a step that is done and a step that is noted lie on two sides; `make soak` takes every point.
SAMPLE = {
    "sqlite": (
        "after rename snapshots",
        "before commit load.commit",
        "after commit scan.commit",
        "after commit send.claim",
        "before reply message",
        "after reply message",
    ),
    "postgresql": ("before commit scan.commit", "after commit scan.commit", "before commit send.mark"),
}
CONFIG = """\
[monitor]
stage = "production"
timezone = "Asia/Shanghai"
threads = 1

[mail]
transport = "smtp"
sender = "Safety Monitor <monitor@example.org>"
host = "127.0.0.1"
port = {port}
security = "none"
max_per_minute = 60000

[[study]]
id = "ROMI-AA"
source = "data"
rules = ["romiplostim-aa"]
ctcae = "5.0"
blinded = false
mail = "coded"
cutoff = "data"
synthetic = true

[study.drugs.romiplostim]
names = ["ROMIPLOSTIM N01"]
kind = "single"
number = 1

[study.drugs.cyclosporine]
names = ["CYCLOSPORINE"]
kind = "continuous"
number = 2

[[route]]
severity = ["critical", "high", "medium", "low"]
to = ["officer@example.org", "monitor@example.org"]
backup = ["deputy@example.org"]
"""


@dataclass
class Inbox:
    """A mail server that takes everything and remembers it."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        return "250 taken"


@dataclass(frozen=True)
class Driver:
    """The process of tests/killing.py, and the mail server that its children talk to."""

    process: subprocess.Popen[str]
    inbox: Inbox
    port: int

    def run(self, case: Case, *args: str, at: str, kill: int | None = None) -> Ended:
        """One command in the folder of `case` at the time `at`; killed at point number `kill`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        task = {
            "args": list(args),
            "folder": str(case.folder),
            "environment": case.environment,
            "kill": kill,
            "now": at,
        }
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return Ended(answer["code"], tuple(answer["points"]))


@dataclass(frozen=True)
class Ended:
    code: int
    points: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A folder and a database with an installation in it."""

    folder: Path
    url: str
    owner: str | None = None
    server: Server | None = None

    @property
    def kind(self) -> str:
        return "postgresql" if self.server else "sqlite"

    @property
    def environment(self) -> dict[str, str]:
        owner = {"MONITOR_MONITOR__DATABASE_OWNER": self.owner} if self.owner else {}
        return {"MONITOR_MONITOR__DATABASE": self.url, **owner}

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def alerts(self) -> list[tuple[Any, ...]]:
        """What the alerts say, without their ids and the time at which they were found."""
        columns = ("kind", "study", "site", "subject", "rule", "severity", "level", "status", "standing")
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            chosen = select(*(alert.c[name] for name in (*columns, "keys", "onset")))
            return sorted(map(tuple, connection.execute(chosen)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    inbox = Inbox()
    port = free_port()
    server = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=20)
    server.start()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.killing"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Driver(process, inbox, port)
    finally:
        process.communicate()
        server.stop()


@pytest.fixture(params=KINDS)
def template(request: pytest.FixtureRequest, driver: Driver, tmp_path: Path) -> Iterator[Case]:
    """An installation just after `monitor init`, to be copied for each case."""
    folder = tmp_path / "template"
    make_folder(folder, driver.port)
    with ExitStack() as stack:
        if request.param == "postgresql":
            if POSTGRES not in os.environ:
                pytest.skip(f"needs PostgreSQL: set {POSTGRES} to a superuser's URL (see .ci/postgres)")
            server = stack.enter_context(postgresql_server())
            place = server.create()
            stack.callback(server.drop, place)
            case = Case(folder, place.url, place.owner_url, server)
        else:
            case = Case(folder, "sqlite:///var/monitor.db")
        ended = driver.run(case, "init", at=FIRST)
        assert ended.code == 0, case.output
        yield case


def make_folder(folder: Path, port: int) -> None:
    """Configuration, three rules, templates, and three subjects of the synthetic trial."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    few_rules(folder / "rules")
    shutil.rmtree(folder / "rules/generic")
    for rule in (folder / "rules/romiplostim-aa").glob("[A-Z]*.toml"):
        keys, example, *_ = rule.read_text().split("[[example]]")  # one is enough for the self-test here
        rule.write_text(f"{keys}[[example]]{example}")
    (folder / "config.toml").write_text(CONFIG.format(port=port))
    (folder / "data").mkdir()
    for path in sorted((ROOT / "examples/romiplostim-aa").glob("*.csv")):
        with path.open(newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["USUBJID"] in SUBJECTS]
        with (folder / "data" / path.name).open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


@contextmanager
def copied(template: Case, name: str) -> Iterator[Case]:
    """A copy of the installation, gone afterwards."""
    folder = template.folder.parent / name
    shutil.copytree(template.folder, folder)
    try:
        if template.server is None:
            yield Case(folder, f"sqlite:///{folder / 'var/monitor.db'}")
            return
        place = template.server.create(make_url(template.url).database or "")
        try:
            yield Case(folder, place.url, place.owner_url)
        finally:
            template.server.drop(place)
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Result:
    """What is left after a case: alerts, and per person and subject line the Message-IDs."""

    alerts: list[tuple[Any, ...]]
    told: dict[tuple[str, str], list[str]]


def judge(driver: Driver, case: Case) -> Result:
    """The end of every case: run again, verify, and what is left."""
    again = driver.run(case, "run", at=LATER)
    assert again.code == 0, case.output
    verified = driver.run(case, "verify", at=LATER)
    assert verified.code == 0, case.output
    told: dict[tuple[str, str], list[str]] = {}
    for recipient, content in driver.inbox.taken:
        mail = message_from_bytes(content, policy=policy.default)
        subject = re.sub(r"act by .*", "", mail["Subject"])  # the time at which it was found may differ
        told.setdefault((recipient, subject), []).append(mail["Message-ID"])
    return Result(case.alerts(), told)


def undisturbed(driver: Driver, template: Case) -> tuple[Result, tuple[str, ...]]:
    """What should be left, and the points that a run passes."""
    driver.inbox.taken.clear()
    with copied(template, "calm") as case:
        ended = driver.run(case, "run", at=FIRST)
        assert ended.code == 0, case.output
        result = judge(driver, case)
    assert len(result.alerts) >= 3
    assert {recipient for recipient, _ in result.told} == {"officer@example.org", "monitor@example.org"}
    assert all(len(ids) == 1 for ids in result.told.values())
    return result, ended.points


def killed(driver: Driver, template: Case, number: int, expected: Result) -> list[str]:
    """What is wrong after a kill at this point; nothing, when all is well."""
    driver.inbox.taken.clear()
    with copied(template, f"n{number}") as case:
        ended = driver.run(case, "run", at=FIRST, kill=number)
        assert ended.code == KILLED, f"point {number} was not reached:\n{case.output}"
        assert len(ended.points) == number
        result = judge(driver, case)
    wrong = []
    if result.alerts != expected.alerts:
        wrong.append("other alerts")
    if set(result.told) != set(expected.told):
        wrong.append(f"told otherwise: {set(result.told) ^ set(expected.told)}")
    if any(len(set(ids)) > 1 for ids in result.told.values()):
        wrong.append("a mail came twice under two Message-IDs")
    return [f"{number} {ended.points[-1]}: {said}" for said in wrong]


@pytest.mark.timeout(900)
def test_a_kill_at_the_most_telling_points_changes_nothing(driver: Driver, template: Case) -> None:
    expected, points = undisturbed(driver, template)
    last = {
        point: number for number, point in enumerate(points, start=1)
    }  # the first ones are the self-test's
    numbers = [last[point] for point in SAMPLE[template.kind]]
    wrong = [said for number in numbers for said in killed(driver, template, number, expected)]
    assert wrong == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_kill_at_every_point_changes_nothing(driver: Driver, template: Case) -> None:
    expected, points = undisturbed(driver, template)
    wrong = [said for n in range(1, len(points) + 1) for said in killed(driver, template, n, expected)]
    sys.stdout.write(f"\n{len(points)} kills on {template.kind}\n")
    for point, count in sorted(Counter(points).items()):
        sys.stdout.write(f"{count:6}  {point}\n")
    assert wrong == []
