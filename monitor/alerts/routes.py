"""Who is told of an alert: the people of every route for its study and severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.config import RouteSettings
from monitor.records import Severity


@dataclass(frozen=True)
class Recipients:
    """`to` is told; `backup` is asked, in turn, when one of them can't be reached."""

    to: tuple[str, ...]
    backup: tuple[str, ...]


def recipients(routes: Sequence[RouteSettings], study: str, severity: Severity) -> Recipients:
    """Everybody on a route for this study and severity, each once, in the configuration's order.

    A severity without a route (the configuration refuses it, but routes change) falls to the
    routes of the study, then to every route: never to nobody.
    """
    fitting = [route for route in routes if route.study in (None, study)]
    chosen = [route for route in fitting if severity in route.severity] or fitting or list(routes)
    to = tuple(dict.fromkeys(person for route in chosen for person in route.to))
    backup = dict.fromkeys(person for route in chosen for person in route.backup)
    return Recipients(to, tuple(person for person in backup if person not in to))
