"""`with`, `without` and `any` of a rule file → the clauses of the tree."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules import shape
from monitor.rules.desk import Desk
from monitor.rules.rule import AnyOf, At, Clause, Series, Window, With, Without, WithRule

WINDOW = re.compile(r"^(?P<low>start|-?\d+d)\.\.(?P<high>end|-?\d+d)$")


def read_clauses(desk: Desk, file: shape.RuleFile, found: Series) -> tuple[Clause, ...]:
    """All `with`, `without` and `any` of the file."""
    return (
        *read_plain(desk, file.with_, file.without, found, ""),
        *(_any_group(desk, group, found, f"any[{n}]") for n, group in enumerate(file.any, 1)),
    )


def read_plain(
    desk: Desk, with_: list[shape.With], without: list[shape.Without], found: Series, where: str
) -> list[With | Without | WithRule]:
    """The `with` and `without` of one table."""
    return [
        *(
            replace(_with(desk, table, found, f"{where}with[{n}]"), run_end=table.run_end)
            for n, table in enumerate(with_, 1)
        ),
        *(
            replace(_without(desk, table, found, f"{where}without[{n}]"), run_end=table.run_end)
            for n, table in enumerate(without, 1)
        ),
    ]


def _any_group(desk: Desk, group: shape.AnyGroup, found: Series, where: str) -> AnyOf:
    """A group of which one must hold."""
    items = read_plain(desk, group.with_, group.without, found, f"{where}.")
    if len(items) < 2:
        desk.refuse(where, "a group needs at least two of `with` and `without`")
    return AnyOf(tuple(items), group.run_end)


def _with(desk: Desk, table: shape.With, found: Series, where: str) -> With | WithRule:
    """Another record, or an open episode of another rule."""
    if table.rule is not None:
        for key in sorted(table.model_fields_set - {"rule", "same_day", "run_end"}):
            name = "in" if key == "domain" else key
            desk.refuse(f"{where}.{name}", "beside `rule` only `same_day` and `run_end` have a meaning")
        return WithRule(table.rule, table.same_day or False)
    if table.domain is None:
        desk.refuse(f"{where}.in", "this key is required: a domain, or `rule` in its place")
        return WithRule("")
    if table.same_day is not None:
        desk.refuse(f"{where}.same_day", "this key has a meaning only beside `rule`")
    series = desk.series(table, where)
    condition = desk.condition(table.where, desk.scope(series, found), f"{where}.where")
    return With(series, _window(desk, table.window, where), condition, table.at or _usual_at(series.domain))


def _without(desk: Desk, table: shape.Without, found: Series, where: str) -> Without:
    """No such record."""
    series = desk.series(table, where)
    window = _window(desk, table.window, where)
    ahead = window.high is None or window.high > 0
    if ahead and table.open is None:
        said = "the window reaches past the found record: say `wait` or `fire` for the time until then"
        desk.refuse(f"{where}.open", said)
    if table.open is not None and not ahead:
        desk.refuse(
            f"{where}.open",
            "the window does not reach past the found record, so there is nothing to wait for",
        )
    condition = desk.condition(table.where, desk.scope(series, found), f"{where}.where")
    return Without(series, window, condition, table.at or _usual_at(series.domain), table.open)


def _window(desk: Desk, text: str | None, where: str) -> Window:
    """`-28d..0d`, `start..0d`, `0d..end`: days from the found record, both ends included."""
    match = WINDOW.match(text or "")
    if match is None:
        given = f"{text!r} is not a window" if text else "this key is required"
        desk.refuse(
            f"{where}.window", f'{given}: write days, both ends included, as "-28d..0d" or "start..0d"'
        )
        return Window(None, None)
    low = None if match["low"] == "start" else int(match["low"][:-1])
    high = None if match["high"] == "end" else int(match["high"][:-1])
    if low is not None and high is not None and low > high:
        desk.refuse(f"{where}.window", f"{text!r} ends before it begins")
    return Window(low, high)


def _usual_at(domain: str) -> At:
    events = domain in DOMAINS and DOMAINS[domain].record_class is RecordClass.EVENTS
    return At.START if events else At.ANY
