"""`find.repeat` and `run_end` of a rule file → the tree, with what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.rules import shape
from monitor.rules.desk import Desk
from monitor.rules.rule import Repeat

DAYS = re.compile(r"^(\d{1,5})d$")
Clauses = list[tuple[str, "shape.With | shape.Without"]]


def read_repeat(desk: Desk, file: shape.RuleFile) -> Repeat | None:
    """The run that the rule asks for; a `run_end` without a run, or out of place, is refused."""
    for where in _misplaced(file):
        desk.refuse(f"{where}.run_end", "this key belongs to a with, without or any of the rule itself")
    table = file.find.repeat
    if table is None:
        for where in _asked(file):
            said = "only a rule with find.repeat has a run: leave this key out, or write find.repeat"
            desk.refuse(f"{where}.run_end", said)
        return None
    occasion = _days(desk, table.occasion, "occasion")
    gap = None if table.max_gap is None else _days(desk, table.max_gap, "max_gap")
    if occasion is not None and gap is not None and gap <= occasion:
        said = f"{table.max_gap} is not above the occasion's {table.occasion}: no two occasions lie so near"
        desk.refuse("find.repeat.max_gap", said)
    return Repeat(table.times, occasion or 0, gap)


def _days(desk: Desk, text: str, key: str) -> int | None:
    match = DAYS.match(text)
    if match is None:
        desk.refuse(f"find.repeat.{key}", f'{text!r} is not a number of days: write it as "5d"')
        return None
    return int(match[1])


def _asked(file: shape.RuleFile) -> Iterator[str]:
    """The clauses of the rule itself that are asked of the end of a run."""
    groups = [(f"any[{n}]", group.run_end) for n, group in enumerate(file.any, 1)]
    plain = [(where, table.run_end) for where, table in _tables(file.with_, file.without, "")]
    return (where for where, asked in (*plain, *groups) if asked)


def _misplaced(file: shape.RuleFile) -> Iterator[str]:
    """The clauses of groups and levels that say `run_end`: a group says it once, a level always means it."""
    inner = [
        *(
            table
            for n, group in enumerate(file.any, 1)
            for table in _tables(group.with_, group.without, f"any[{n}].")
        ),
        *(
            table
            for n, level in enumerate(file.level, 1)
            for table in _tables(level.with_, level.without, f"level[{n}].")
        ),
    ]
    return (where for where, table in inner if table.run_end)


def _tables(with_: list[shape.With], without: list[shape.Without], where: str) -> Clauses:
    return [
        *((f"{where}with[{n}]", table) for n, table in enumerate(with_, 1)),
        *((f"{where}without[{n}]", table) for n, table in enumerate(without, 1)),
    ]
