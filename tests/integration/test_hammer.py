"""Several processes that write at once: one dense chain, nothing lost, nothing doubled."""

from __future__ import annotations

import multiprocessing
import signal

import pytest
from sqlalchemy import func, select

from monitor.audit.export import LogFilter, log_rows
from monitor.audit.verify import verify
from monitor.database.tables import rule_version
from monitor.database.transactions import reading
from tests.databases import State, die_in_a_step, hammer

PROCESSES = 4


def hammered(state: State, steps: int) -> None:
    """Run the processes; each takes `steps` steps with two entries and one row, every seventh failing."""
    context = multiprocessing.get_context("spawn")
    arguments = [(state.place.url, state.data_dir, f"process-{number}", steps) for number in range(PROCESSES)]
    processes = [context.Process(target=hammer, args=given) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    written = PROCESSES * sum(1 for step in range(steps) if step % 7)
    verdict = verify(state.engine, state.key, state.evidence)
    assert verdict.problems == ()
    assert verdict.entries == verdict.head.seq == 1 + 2 * written
    actors = [row.actor for row in log_rows(state.engine, LogFilter())][1:]
    assert actors[::2] == actors[1::2]  # the two entries of a step stand together
    with reading(state.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(rule_version)) == written


def test_four_processes_write_one_dense_chain(state: State) -> None:
    hammered(state, 12)


def test_a_process_killed_before_its_commit_leaves_nothing_and_blocks_nobody(state: State) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=die_in_a_step, args=(state.place.url, state.data_dir)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    hammer(state.place.url, state.data_dir, "after", 2)
    assert [row.actor for row in log_rows(state.engine, LogFilter())] == ["alice", "after", "after"]
    assert verify(state.engine, state.key, state.evidence).intact


@pytest.mark.soak
def test_four_processes_write_one_dense_chain_for_long(state: State) -> None:
    hammered(state, 2_000)
