"""`monitor run`: the line for cron. Load, self-test, scan, send, ping.

What fails in one study is told and recorded, and the rest goes on; only a ledger or a database that
can't be written ends the run, and then the emergency mail goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from monitor.config import StudySettings
from monitor.database.lease import Lease, held, new_holder
from monitor.delivery.emergency import remember
from monitor.delivery.ping import ping
from monitor.errors import DatabaseError, DeliveryError, LeaseHeld, LedgerError, MonitorError, said_of
from monitor.records import Actor
from monitor.usecases.load import Loaded, load
from monitor.usecases.opening import Opened
from monitor.usecases.scan import Scanned, record_failure, scan
from monitor.usecases.selftest import self_test
from monitor.usecases.send import Sent, send

Clock = Callable[[], datetime]
Step = Callable[[str], None]

UNRECORDABLE = (DatabaseError, LedgerError)


@dataclass(frozen=True)
class StudyRun:
    """What became of one study; `failure` says plainly what went wrong, and was told."""

    study: str
    loaded: Loaded | None = None
    scanned: Scanned | None = None
    failure: str = ""


@dataclass(frozen=True)
class Ran:
    """What a run did. `failures` are those of the whole run; `fine` decides the exit code."""

    studies: tuple[StudyRun, ...]
    failures: tuple[str, ...]
    sent: Sent

    @property
    def fine(self) -> bool:
        """Whether nothing failed, no transfer is held, and everybody could be reached."""
        wrong = any(each.failure or (each.loaded and each.loaded.state == "held") for each in self.studies)
        return not self.failures and not wrong and self.sent.fine


def run(monitor: Opened, actor: Actor, clock: Clock, step: Step) -> Ran:
    """Do everything once, for every study. Raises LedgerError or DatabaseError when it can't be recorded."""
    remember(monitor.settings)
    step("self-test")
    failures = [str(problem) for problem in self_test(monitor.settings, clock())]
    studies = tuple(
        _study(monitor, study, failures, actor, clock, step) for study in monitor.settings.studies
    )
    step("sending")
    sent = send(monitor, actor, clock)
    ran = Ran(studies, tuple(failures), sent)
    return Ran(studies, (*failures, *_pinged(monitor, ok=ran.fine)), sent)


@contextmanager
def working_on(monitor: Opened, study: str) -> Iterator[Lease]:
    """Hold the lease of a study. Raises LeaseHeld while another process works on it."""
    seconds = monitor.settings.monitor.lease.total_seconds()
    with held(monitor.engine, study, new_holder(), seconds) as lease:
        yield lease


def _study(
    monitor: Opened, study: StudySettings, broken: list[str], actor: Actor, clock: Clock, step: Step
) -> StudyRun:
    """Load and scan one study. A self-test that failed is an alert of each study; its rules still run."""
    loaded = None
    try:
        with working_on(monitor, study.id) as lease:
            try:
                step(f"loading {study.id}")
                loaded = load(monitor, study.id, clock(), actor, lease)
                step(f"scanning {study.id}")
                scanned = scan(monitor, study, actor, clock(), lease, healthy=not broken, timer=perf_counter)
                if broken:
                    record_failure(monitor, study.id, _self_test_error(broken), actor, clock(), lease)
                return StudyRun(study.id, loaded, scanned)
            except UNRECORDABLE:
                raise
            except Exception as error:  # noqa: BLE001 told and recorded as an alert; other studies go on
                record_failure(monitor, study.id, error, actor, clock(), lease)
                return StudyRun(study.id, loaded, failure=said_of(error).removeprefix(f"{study.id}: "))
    except LeaseHeld as error:
        return StudyRun(study.id, failure=str(error).removeprefix(f"{study.id} "))


def _self_test_error(broken: list[str]) -> MonitorError:
    return MonitorError("the self-test failed: " + "; ".join(broken))


def _pinged(monitor: Opened, *, ok: bool) -> tuple[str, ...]:
    """Tell the outside watcher; that it can't be told is a failure of the run."""
    if not monitor.settings.monitor.ping:
        return ()
    try:
        ping(monitor.settings.monitor.ping, ok=ok)
    except DeliveryError as error:
        return (str(error),)
    return ()
