"""The self-test of every `run`: the rules say what their authors wrote, and an alert comes out.

A monitor that is silent because it is broken looks like one that is silent because all is well.
"""

from __future__ import annotations

import json
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

import monitor
import monitor.canary
from monitor.config import Settings, load_settings
from monitor.database.lease import held, new_holder
from monitor.errors import MonitorError, Problem
from monitor.files import digest, write_atomic
from monitor.records import Actor
from monitor.usecases.init import init
from monitor.usecases.load import load
from monitor.usecases.opening import open_monitor
from monitor.usecases.rules import test_rules
from monitor.usecases.scan import scan
from monitor.usecases.send import send

STUDY = "SELF-TEST"
PASSED = "self-test.json"  # in the data folder: what passed last, and on which day


def self_test(settings: Settings, now: datetime) -> tuple[Problem, ...]:
    """Everything that fails: examples of rules on both engines, and the canary's alert. Empty is well."""
    return (*unproved(settings, now), *_canary(settings, now))


def unproved(settings: Settings, now: datetime) -> tuple[Problem, ...]:
    """Each [[example]] of each rule that a study uses, on the production engine and the reference.

    Once a day (UTC), and whenever a rule, a list or a program is another one than that which passed:
    a scan every few minutes need not prove the same again each time.
    """
    mark = {"day": now.astimezone(UTC).date().isoformat(), **_tested(settings)}
    kept = settings.data_dir / PASSED
    if kept.is_file() and _read(kept) == mark:
        return ()
    problems = _failed(settings)
    if not problems:
        write_atomic(kept, json.dumps(mark).encode())
    return problems


def _tested(settings: Settings) -> dict[str, object]:
    """What the examples' answers depend on: the rules' files, who uses them, and the programs."""
    folder = settings.path(settings.monitor.rules_dir)
    files = [(path.relative_to(folder).as_posix(), digest(path.read_bytes())) for path in _files(folder)]
    return {
        "rules": digest(json.dumps(files).encode()),
        "packs": sorted({" ".join(study.rules) for study in settings.studies}),
        "programs": [monitor.__version__, duckdb.__version__, platform.python_version(), platform.machine()],
    }


def _files(folder: Path) -> list[Path]:
    """Every file below the rules folder: rules, parameters, lists, criteria, series."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _read(kept: Path) -> object:
    """What passed last; nothing that can be compared when the file is damaged."""
    try:
        return json.loads(kept.read_bytes())
    except ValueError:
        return None


def _failed(settings: Settings) -> tuple[Problem, ...]:
    return tuple(
        Problem(f"{each.rule}: example {each.example!r} on {each.engine}", each.said)
        for each in test_rules(settings, None)
        if not each.passed
    )


def _canary(settings: Settings, now: datetime) -> tuple[Problem, ...]:
    """One synthetic subject through load, rule, alert, outbox and template, in a folder of its own."""
    with TemporaryDirectory(prefix="monitor-self-test-") as folder:
        try:
            written = _canary_mail(Path(folder), settings, now)
        except (MonitorError, OSError) as error:
            return (Problem("self-test", f"the canary's run failed: {error}"),)
    if "CANARY-1" in written and "401" in written:
        return ()
    return (Problem("self-test", "a platelet count of 401 gave no alert mail; nothing here can be trusted"),)


def _canary_mail(folder: Path, settings: Settings, now: datetime) -> str:
    """The text of the mails that the canary's trial gives."""
    shutil.copytree(Path(monitor.canary.__file__).parent, folder, dirs_exist_ok=True)
    own = load_settings(folder / "config.toml", {})
    limits = own.monitor.model_copy(
        update={
            "templates_dir": settings.path(settings.monitor.templates_dir),
            "threads": settings.monitor.threads,
            "memory_limit": settings.monitor.memory_limit,
        }
    )
    own = own.model_copy(update={"monitor": limits})
    actor = Actor("self-test", "program")
    init(own, now, actor)
    opened = open_monitor(own)
    try:
        with held(opened.engine, STUDY, new_holder()) as lease:
            load(opened, STUDY, now, actor, lease)
            scan(opened, own.study(STUDY), actor, now, lease)
        sent = send(opened, actor, lambda: now)
    finally:
        opened.engine.dispose()
    problems = (*map(str, sent.broken_templates), *sent.problems)
    if problems:
        raise MonitorError("; ".join(problems))
    return "\n".join(path.read_text(encoding="utf-8") for path in sent.files)
