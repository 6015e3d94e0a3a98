"""The lease: one holder at a time, a token that only grows, the database's clock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import Connection, update

from monitor.database import lease
from monitor.database.tables import lease as leases
from monitor.database.transactions import transaction
from monitor.errors import LeaseHeld, LeaseLost
from tests.databases import State

ELSEWHERE = "far:1:2:otherplace:0123"


def test_the_first_holder_gets_token_one_for_the_time_asked(state: State) -> None:
    taken = lease.acquire(state.engine, "S1", "h:1:::a", seconds=120)
    with transaction(state.engine, "clock") as connection:
        lease.check(connection, taken)
    assert (taken.study, taken.holder, taken.token) == ("S1", "h:1:::a", 1)
    assert lease.current(state.engine, "S1") == taken
    assert lease.current(state.engine, "S2") is None


def test_a_second_holder_is_refused_and_told_who_has_it(state: State) -> None:
    lease.acquire(state.engine, "S1", ELSEWHERE)
    with pytest.raises(LeaseHeld, match=r"S1 is being worked on by process 1 on far, for 1\d\d s at most"):
        lease.acquire(state.engine, "S1", "h:2:::b")


def test_studies_do_not_block_each_other(state: State) -> None:
    lease.acquire(state.engine, "S1", ELSEWHERE)
    assert lease.acquire(state.engine, "S2", "h:2:::b").token == 1


def test_an_expired_lease_is_taken_with_a_higher_token_and_the_old_one_is_worth_nothing(state: State) -> None:
    old = lease.acquire(state.engine, "S1", ELSEWHERE, seconds=0)
    new = lease.acquire(state.engine, "S1", "h:2:::b")
    assert new.token == old.token + 1
    with pytest.raises(LeaseLost, match=r"token 1\) was lost"), transaction(state.engine, "t") as connection:
        lease.check(connection, old)
    with pytest.raises(LeaseLost):
        lease.renew(state.engine, old)
    assert lease.release(state.engine, old) is False
    assert lease.current(state.engine, "S1") == new


def test_an_expired_lease_is_lost_even_when_nobody_took_it(state: State) -> None:
    old = lease.acquire(state.engine, "S1", "h:1:::a", seconds=-1)
    with pytest.raises(LeaseLost), transaction(state.engine, "t") as connection:
        lease.check(connection, old)


def test_renewing_makes_it_last_longer_under_the_same_token(state: State) -> None:
    taken = lease.acquire(state.engine, "S1", "h:1:::a", seconds=60)
    renewed = lease.renew(state.engine, taken, seconds=600)
    assert renewed.token == taken.token
    assert 500 < renewed.expires - taken.expires < 580


def test_a_released_lease_is_free_at_once(state: State) -> None:
    taken = lease.acquire(state.engine, "S1", ELSEWHERE)
    assert lease.release(state.engine, taken) is True
    assert lease.acquire(state.engine, "S1", "h:2:::b").token == 2


def test_a_block_gives_its_lease_back_even_when_it_fails(state: State) -> None:
    def fail() -> None:
        with lease.held(state.engine, "S1", "h:1:::a"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lease.acquire(state.engine, "S1", "h:2:::b").token == 2


def test_nobody_can_take_the_lease_between_the_check_and_the_commit(state: State) -> None:
    mine = lease.acquire(state.engine, "S1", ELSEWHERE, seconds=60)
    taken: list[int] = []
    thief = threading.Thread(target=lambda: taken.append(lease.acquire(state.engine, "S1", "h:2:::b").token))
    with transaction(state.engine, "scan.commit") as connection:
        lease.check(connection, mine)
        expire(connection, mine)
        thief.start()
        thief.join(0.3)
        assert taken == []
    thief.join(30)
    assert taken == [2]


def expire(connection: Connection, mine: lease.Lease) -> None:
    """The time runs out while the transaction is open."""
    connection.execute(update(leases).where(leases.c.token == mine.token).values(expires=0.0))


def test_of_many_that_ask_at_once_one_gets_it(state: State) -> None:
    got: list[int] = []
    refused: list[str] = []

    def ask(number: int) -> None:
        try:
            got.append(lease.acquire(state.engine, "S1", f"h:{number}:::x").token)
        except LeaseHeld as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (got, len(refused)) == ([1], 5)


def dead_holder() -> str:
    """The name of a process of this machine that has ended."""
    code = "from monitor.database.lease import new_holder; print(new_holder())"
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


needs_proc = pytest.mark.skipif(
    not lease.new_holder().split(":")[3], reason="this system does not tell boot and process namespace"
)


@needs_proc
def test_the_lease_of_a_process_that_is_surely_dead_is_free_at_once(state: State) -> None:
    lease.acquire(state.engine, "S1", dead_holder())
    assert lease.acquire(state.engine, "S1", "h:2:::b").token == 2


@needs_proc
def test_a_reused_process_number_is_not_the_old_process() -> None:
    host, pid, start, place, word = lease.new_holder().split(":")
    assert not lease.is_dead(":".join([host, pid, start, place, word]))
    assert lease.is_dead(":".join([host, pid, str(int(start) + 1), place, word]))


@pytest.mark.parametrize("place", ["", "otherplace"])
def test_a_process_of_another_place_is_never_called_dead(place: str) -> None:
    host, pid, start, _, word = dead_holder().split(":")
    assert not lease.is_dead(":".join([host, pid, start, place, word]))


@needs_proc
def test_a_living_process_of_somebody_else_is_not_dead() -> None:
    host, _, _, place, word = lease.new_holder().split(":")
    assert not lease.is_dead(":".join([host, "1", "", place, word]))


def test_a_process_that_is_gone_has_no_start_and_is_dead_all_the_same() -> None:
    host, pid, start, place, word = dead_holder().split(":")
    assert lease.is_dead(":".join([host, pid, start, place, word])) is bool(place)


def test_no_two_holders_have_one_name() -> None:
    assert lease.new_holder() != lease.new_holder()
    assert lease.new_holder().split(":")[1] == str(os.getpid())
