"""What was planted into the invented trial, and which rules must find it."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.simulation.twin.chart import Chart


@dataclass(frozen=True)
class Planted:
    """One event: `rules` must find it, `also` may, and nothing else may find anything.

    `date` is that of the record which a rule finds; `transfer` the first one that holds it.
    """

    kind: str
    subject: str
    date: str
    rules: tuple[str, ...]
    also: tuple[str, ...] = ()
    transfer: int = 1


def planted(
    kind: str, chart: Chart, date: str, rules: tuple[str, ...], also: tuple[str, ...] = ()
) -> Planted:
    """What was planted in a subject."""
    return Planted(kind, chart.code, date, rules, also)
