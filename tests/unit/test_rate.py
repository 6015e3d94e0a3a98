"""Counting for rules about a study: who counts, in which order, and when a boundary is reached."""

from __future__ import annotations

from itertools import permutations, product
from random import Random

import pytest

from monitor.records import Days, Episode, Truth, Verdict
from monitor.rules.rate import Look, Over, Rate, Tally, reached_on, tally
from monitor.statistics.boundaries import boundary
from monitor.statistics.designs import Design, Method

TWO = Design(Method.COUNT, at_least=2)
POCOCK = Design(Method.POCOCK, p0=0.05, alpha=0.05, n_max=40)
SMALL = Design(Method.POCOCK, p0=0.2, alpha=0.2, n_max=6)


def episode(subject: str, low: int | None, high: int | None = None, truth: Truth = Truth.TRUE) -> Episode:
    days = Days(low, low if high is None else high)
    verdict = Verdict(subject, 0, f"key {subject}", days, None, truth=truth, where=truth, clear=Truth.FALSE)
    return Episode("R-1", subject, truth, (verdict,), days)


def unsure(subject: str, low: int | None, high: int | None = None) -> Episode:
    return episode(subject, low, high, Truth.UNKNOWN)


def of_study(entries: list[Episode], events: list[Episode], design: Design = TWO) -> Tally:
    (found,) = tally(Rate(Over.STUDY, design), entries, events)
    return found


def test_subjects_stand_in_the_order_in_which_they_became_evaluable() -> None:
    found = of_study([episode("a", 9), episode("b", 3), episode("c", 5)], [episode("c", 99)])
    assert [member.subject for member in found.members] == ["b", "c", "a"]
    assert found.looks == (Look(0, 1), Look(1, 2), Look(1, 3))
    assert found.crossed is None


def test_a_subject_counts_once_and_from_his_first_day_on() -> None:
    entries = [episode("a", 9), episode("a", 2), episode("b", 3)]
    found = of_study(entries, [episode("a", 1), episode("a", 5), episode("a", 7)])
    assert [(member.subject, member.entered.low) for member in found.members] == [("a", 2), ("b", 3)]
    assert found.now == Look(1, 2)
    assert found.events[0].first == episode("a", 1)


def test_an_event_that_can_not_be_told_counts_and_is_named() -> None:
    entries = [episode(name, day) for day, name in enumerate("abc")]
    found = of_study(entries, [unsure("a", 1), unsure("c", 1), episode("c", 9)])
    assert (found.untold, found.crossed) == (("a",), Look(2, 3))
    assert found.events[1].first == episode("c", 9)


def test_who_may_not_be_evaluable_counts_only_with_a_sure_event() -> None:
    entries = [episode("a", 1), unsure("b", 2), unsure("c", 3), unsure("d", 4)]
    found = of_study(entries, [episode("b", 9), unsure("c", 9)])
    assert [member.subject for member in found.members] == ["a", "b"]
    assert found.outside == ("c",)


def test_events_of_others_are_named_and_not_counted() -> None:
    found = of_study([episode("a", 1)], [episode("z", 1), episode("y", 1)])
    assert (found.now, found.outside) == (Look(0, 1), ("y", "z"))


def test_nobody_is_no_look() -> None:
    found = of_study([], [])
    assert (found.now, found.looks, found.crossed) == (Look(0, 0), (), None)


def test_a_boundary_that_was_reached_stays_reached() -> None:
    entries = [episode(f"{n:02d}", n) for n in range(30)]
    found = of_study(entries, [episode("00", 0), episode("01", 1)], POCOCK)
    assert (found.crossed, found.now) == (Look(2, 2), Look(2, 30))
    assert str(found.crossed) == "2/2"
    assert not found.beyond


def test_beyond_n_max_the_last_count_holds_on_and_that_is_said() -> None:
    entries = [episode(f"{n:02d}", n) for n in range(50)]
    late = [episode(f"{n:02d}", n) for n in range(44, 50)]
    assert of_study(entries, late, POCOCK).crossed == Look(6, 50)
    assert of_study(entries, late[1:], POCOCK).crossed is None
    assert of_study(entries, late, POCOCK).beyond


def test_sites_and_arms_are_counted_by_themselves() -> None:
    entries = [episode(name, day) for day, name in enumerate(["a1", "b1", "a2", "b2", "x"])]
    found = tally(
        Rate(Over.SITE, TWO),
        entries,
        [episode("a1", 1), episode("a2", 1), episode("b2", 1)],
        lambda who: who[1:],
    )
    assert [(each.name, str(each.now), each.line) for each in found] == [
        ("", "0/1", "site 0/1"),
        ("1", "1/2", "site 1 1/2"),
        ("2", "2/2", "site 2 2/2"),
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([(1, 1), (5, 5)], (5, 5)),
        ([(1, 9), (5, 5)], (5, 9)),
        ([(None, None), (5, 5)], (5, 5)),
        ([], (None, None)),
    ],
)
def test_the_day_on_which_all_was_there(
    days: list[tuple[int | None, int | None]], expected: tuple[int | None, int | None]
) -> None:
    entries = [Episode("R", str(n), Truth.TRUE, (), Days(*each)) for n, each in enumerate(days)]
    (found,) = tally(Rate(Over.STUDY, TWO), entries, [])
    assert reached_on(found.members) == Days(*expected)


# ---------------------------------------------------------------- what is unknown


def worlds(entries: list[Episode], events: dict[str, Truth]) -> bool:
    """Whether the boundary is reached in any way in which it can have been."""
    made = boundary(SMALL)
    sure = [one for one in entries if one.truth is Truth.TRUE]
    maybe = [one for one in entries if one.truth is not Truth.TRUE]
    for taken in product((False, True), repeat=len(maybe)):
        there = [*sure, *(one for one, also in zip(maybe, taken, strict=True) if also)]
        spans = [range(one.opened.low or 0, (one.opened.high or 0) + 1) for one in there]
        for order in permutations(range(len(there))):
            if not _possible([spans[place] for place in order]):
                continue
            x = 0
            for n, place in enumerate(order, start=1):
                x += events.get(there[place].subject, Truth.FALSE) is not Truth.FALSE
                if made.crossed(x, n):
                    return True
    return False


def _possible(spans: list[range]) -> bool:
    """Whether the days can follow each other in this order."""
    day = -1
    for span in spans:
        day = max(day, span.start)
        if day not in span:
            return False
    return True


@pytest.mark.parametrize("seed", range(150))
def test_it_is_reached_exactly_when_it_can_have_been(seed: int) -> None:
    random = Random(seed)
    entries, events = [], {}
    for name in "abcde"[: random.randint(1, 5)]:
        low = random.randint(0, 3)
        events[name] = random.choice((Truth.FALSE, Truth.FALSE, Truth.UNKNOWN, Truth.TRUE))
        certain = events[name] is Truth.UNKNOWN or random.random() < 0.8
        entries.append(
            episode(name, low, low + random.choice((0, 0, 1, 3)), Truth.TRUE if certain else Truth.UNKNOWN)
        )
    found = of_study(
        entries,
        [episode(name, 1, truth=truth) for name, truth in events.items() if truth is not Truth.FALSE],
        SMALL,
    )
    assert (found.crossed is not None) == worlds(entries, events)
