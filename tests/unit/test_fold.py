"""From records to episodes: a line is day, truth, where, clear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.records import Days, Episode, Kind, Severity, Truth, Verdict
from monitor.rules.fold import fold
from monitor.rules.rule import Clear, Column, IsNull, Per, Rule, Series

TRUTHS = {"F": Truth.FALSE, "?": Truth.UNKNOWN, "T": Truth.TRUE}
CLEAR = Clear(IsNull(Column("X", Kind.TEXT)))
RULE = Rule("R-01", "test", "", Severity.HIGH, "", Series("LB"), None)
CLEARED = replace(RULE, clear=CLEAR)


def days(text: str) -> Days:
    """`5` is a day, `5-9` a partial date, `-` a missing one."""
    if text == "-":
        return Days(None, None)
    low, _, high = text.partition("-")
    return Days(int(low), int(high or low))


def record(number: int, line: str) -> Verdict:
    """`DAY[@SECOND] TRUTH WHERE CLEAR [KEY]`; WHERE and CLEAR may be left out."""
    when, truth, *rest = line.split()
    where, clear, key = [*rest, *["", "", ""][len(rest) :]]
    day, _, second = when.partition("@")
    return Verdict(
        subject="01",
        row=number,
        key=key or f"k{number}",
        days=days(day),
        second=int(second) if second else None,
        truth=TRUTHS[truth],
        where=TRUTHS[where or truth],
        clear=TRUTHS[clear or "F"],
    )


def said(episode: Episode) -> str:
    """`OPENED..CLOSED TRUTH rows`."""
    truth = {Truth.TRUE: "T", Truth.UNKNOWN: "?"}[episode.truth]
    rows = ",".join(str(verdict.row) for verdict in episode.verdicts)
    closed = "" if episode.closed is None else _text(episode.closed)
    return f"{_text(episode.opened)}..{closed} {truth} {rows}"


def _text(given: Days) -> str:
    if given.low is None or given.high is None:
        return "-"
    return str(given.low) if given.exact else f"{given.low}-{given.high}"


def folded(rule: Rule, *lines: str) -> list[str]:
    return [said(episode) for episode in fold(rule, [record(n, line) for n, line in enumerate(lines)])]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["1 F F T"], []),
        (["1 T"], ["1.. T 0"]),
        (["1 T", "8 T"], ["1.. T 0,1"]),
        (["1 T", "8 F F F", "15 T"], ["1.. T 0,2"]),  # 450, 300, 450: not below the resume count
        (["1 T", "8 F F T"], ["1..8 T 0"]),
        (["1 T", "8 F F T", "15 T"], ["1..8 T 0", "15.. T 2"]),
        (["1 T", "8 F F T", "15 F F T"], ["1..8 T 0"]),
        (["1 F F T", "8 T"], ["8.. T 1"]),
        # clear never holds on the day that opened it
        (["1 T", "1 F F T"], ["1.. T 0"]),
        (["1 F F T", "1 T"], ["1.. T 1"]),
        (["1 T T T"], ["1.. T 0"]),
        # all records of the day must satisfy it
        (["1 T", "8 F F T", "8 F F F"], ["1.. T 0"]),
        (["1 T", "8 F F T", "8 F F ?"], ["1.. T 0"]),
        (["1 T", "8 F F T", "8 F F T"], ["1..8 T 0"]),
        (["1 T", "8 F F ?", "15 F F T"], ["1..15 T 0"]),
        (["1 T", "8 T", "8 F F T"], ["1.. T 0,1"]),
        # on one record clear comes first, then open
        (["1 T", "8 T T T"], ["1..8 T 0", "8.. T 1"]),
        (["1 T", "8 T T T", "9 F F T"], ["1..8 T 0", "8..9 T 1"]),
        # a with that is false neither opens nor ends
        (["1 F T F"], []),
        (["1 T", "8 F T F", "15 T"], ["1.. T 0,2"]),
        # where = silent does not end an episode that has a clear
        (["1 T", "8 F F F"], ["1.. T 0"]),
    ],
)
def test_an_episode_lasts_until_it_is_cleared(lines: list[str], expected: list[str]) -> None:
    assert folded(CLEARED, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1 ?"], ["1.. ? 0"]),
        (["1 ?", "8 ?"], ["1.. ? 0,1"]),
        (["1 ?", "8 F F T"], ["1..8 ? 0"]),
        (["1 ?", "8 T"], ["1..8 ? 0", "8.. T 1"]),
        (["1 ?", "2 ?", "8 T", "9 ?", "10 T"], ["1..8 ? 0,1", "8.. T 2,3,4"]),
        (["1 T", "8 ?"], ["1.. T 0,1"]),
        (["1 T", "8 ?", "15 F F T"], ["1..15 T 0,1"]),
        (["1 T", "8 F F T", "9 ?"], ["1..8 T 0", "9.. ? 2"]),
        (["1 ?", "1 T"], ["1..1 ? 0", "1.. T 1"]),
    ],
)
def test_records_that_can_not_be_told_are_an_episode_until_one_fires(
    lines: list[str], expected: list[str]
) -> None:
    assert folded(CLEARED, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # a partial date neither clears, nor is surely earlier than a clear
        (["1 T", "5-9 F F T"], ["1.. T 0"]),
        (["1 T", "5-9 F F T", "5 F F T"], ["1.. T 0"]),
        (["1-31 T", "8 F F T", "32 F F T"], ["1-31..32 T 0"]),
        (["1 T", "3-31 T", "8 F F T", "31 F F T", "32 F F T"], ["1..32 T 0,1"]),
        (["1 T", "- F F T"], ["1.. T 0"]),
        (["- T", "1 F F T"], ["-.. T 0"]),
        (["- T", "1 T", "8 F F T"], ["1..8 T 1", "-.. T 0"]),
        (["- T", "1 T"], ["1.. T 1,0"]),
    ],
)
def test_uncertain_dates_are_judged_with_care(lines: list[str], expected: list[str]) -> None:
    assert folded(CLEARED, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["8 T", "1 F F T"], ["8.. T 0"]),
        (["8 F F T", "1 T"], ["1..8 T 1"]),
        (["1@500 T", "1@100 ?"], ["1..1 ? 1", "1.. T 0"]),
        (["1@500 T", "1 ?"], ["1..1 ? 1", "1.. T 0"]),
        (["1-5 T", "1 ?"], ["1..1-5 ? 1", "1-5.. T 0"]),
    ],
)
def test_records_are_ordered_by_day_time_and_row(lines: list[str], expected: list[str]) -> None:
    assert folded(CLEARED, *lines) == expected


def test_the_order_in_which_verdicts_come_does_not_matter() -> None:
    lines = ["1 ?", "2 T", "2 F F T", "5 F F T", "7 T", "- ?"]
    verdicts = [record(number, line) for number, line in enumerate(lines)]
    assert fold(CLEARED, verdicts) == fold(CLEARED, reversed(verdicts))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1 T", "8 T"], ["1.. T 0,1"]),
        (["1 T", "8 F F"], ["1..8 T 0"]),
        (["1 T", "8 F F", "15 T"], ["1..8 T 0", "15.. T 2"]),
        (["1 T", "8 F T", "15 T"], ["1.. T 0,2"]),  # with = silent
        (["1 T", "8 F ?", "15 T"], ["1.. T 0,2"]),
        (["1 ?", "8 F F"], ["1..8 ? 0"]),
        (["1 ?", "8 T"], ["1..8 ? 0", "8.. T 1"]),
        (["1 T", "8 ?"], ["1.. T 0,1"]),
        (["1 F F", "8 T"], ["8.. T 1"]),
        (["1 T", "1 F F"], ["1..1 T 0"]),
        (["1 T", "5-9 F F"], ["1..5-9 T 0"]),
    ],
)
def test_without_clear_a_record_on_which_where_is_silent_ends_it(
    lines: list[str], expected: list[str]
) -> None:
    assert folded(RULE, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1 T", "1 T"], ["1.. T 0", "1.. T 1"]),
        (["1 T F F a", "8 ? F F b", "9 T F F a"], ["1.. T 0,2", "8.. ? 1"]),
        (["1 ? F F a", "8 T F F a"], ["8.. T 0,1"]),
        (["1 T", "8 F F F"], ["1.. T 0"]),
        (["1 F"], []),
    ],
)
def test_per_record_each_key_is_an_episode_that_data_never_close(
    lines: list[str], expected: list[str]
) -> None:
    assert folded(replace(RULE, per=Per.RECORD), *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1 T", "2 T", "8 F F T"], ["1..8 T 0", "2..8 T 1"]),
        (["1 T", "2 T T T"], ["1..2 T 0", "2.. T 1"]),
        (["1 T T T"], ["1.. T 0"]),
    ],
)
def test_per_record_with_a_clear_each_is_closed(lines: list[str], expected: list[str]) -> None:
    assert folded(replace(CLEARED, per=Per.RECORD), *lines) == expected


@pytest.mark.parametrize(
    ("rule", "lines", "expected"),
    [
        (RULE, ["1 F"], []),
        (RULE, ["1 T", "8 F F", "15 T"], ["1.. T 0,2"]),
        (RULE, ["1 ?", "8 T", "9 ?"], ["8.. T 0,1,2"]),
        (RULE, ["1 ?", "8 ?"], ["1.. ? 0,1"]),
        (CLEARED, ["1 T", "8 F F T", "15 T"], ["1.. T 0,2"]),
        (CLEARED, ["1 T", "8 F F T"], ["1..8 T 0"]),
    ],
)
def test_per_subject_there_is_one_episode(rule: Rule, lines: list[str], expected: list[str]) -> None:
    assert folded(replace(rule, per=Per.SUBJECT), *lines) == expected


def test_subjects_are_folded_apart_and_in_order() -> None:
    first, second = record(0, "1 T"), replace(record(1, "8 F F T"), subject="02")
    third = replace(record(2, "9 T"), subject="00")
    episodes = fold(CLEARED, [first, second, third])
    assert [(episode.subject, said(episode)) for episode in episodes] == [
        ("00", "9.. T 2"),
        ("01", "1.. T 0"),
    ]


def test_an_episode_carries_the_rule_and_the_time_of_its_opening_record() -> None:
    (episode,) = fold(CLEARED, [record(0, "1@3600 T"), record(1, "2@60 T")])
    assert (episode.rule, episode.subject, episode.second) == ("R-01", "01", 3600)
    assert episode.keys == ("k0", "k1")
