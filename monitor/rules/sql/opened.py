"""The records that other rules found, as SQL: `find.rule`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import FromClause, String, func, literal, select

from monitor.rules.sql.episodes import EPISODE


def opened_by(rules: Sequence[str]) -> FromClause | None:
    """The records that opened an episode of one of some rules, with its truth; None without rules."""
    if not rules:
        return None
    named = EPISODE.c.rule.in_([literal(name, String()) for name in rules])
    record = (EPISODE.c.subject, EPISODE.c.open_row)
    truth = func.max(EPISODE.c.truth).label("truth")
    return select(*record, truth).where(named).group_by(*record).subquery("opened")
