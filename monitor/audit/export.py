"""The ledger as rows to read: filtered by study, rule, subject, kind and date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Engine, and_, exists, func, literal, or_, select

from monitor.audit.ledger import moment
from monitor.database.tables import alert, ledger
from monitor.database.transactions import reading

CHUNK = 5_000
MAIL_KINDS = ("queued", "delivery")


@dataclass(frozen=True)
class LogRow:
    """An entry to read. `data` is its JSON object, `hash` its seal (mac)."""

    seq: int
    at: str
    actor: str
    auth: str
    kind: str
    study: str
    subject: str
    rule: str
    data: Mapping[str, Any]
    hash: str


@dataclass(frozen=True)
class LogFilter:
    """Which entries; None is all. Days are whole days, both included, in the zone `zone`.

    Of a rule or a subject, the mails about their alerts are entries as well. A kind may end in
    `.`: then it is every kind that begins so. `last` keeps the newest n.
    """

    study: str | None = None
    rule: str | None = None
    subject: str | None = None
    kind: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    zone: str = "UTC"
    last: int | None = None


def log_rows(engine: Engine, wanted: LogFilter) -> Iterator[LogRow]:
    """The entries that pass the filter, in order of their numbers, in bounded memory.

    Each page is a read of its own: entries never change, and those written meanwhile come last.
    """
    after = _before_last(engine, wanted)
    while page := _page(engine, wanted, after):
        yield from page
        after = page[-1].seq


def _page(engine: Engine, wanted: LogFilter, after: int) -> list[LogRow]:
    columns = [ledger.c[name] for name in ("seq", "at", "actor", "auth", "kind", "study", "subject", "rule")]
    query = (
        select(*columns, ledger.c.data, ledger.c.mac.label("hash"))
        .where(ledger.c.seq > after, *_conditions(wanted))
        .order_by(ledger.c.seq)
        .limit(CHUNK)
    )
    with reading(engine, "log") as connection:
        return [LogRow(**{**row._mapping, "data": json.loads(row.data)}) for row in connection.execute(query)]


def _before_last(engine: Engine, wanted: LogFilter) -> int:
    """The number after which the newest `wanted.last` entries begin."""
    if wanted.last is None:
        return 0
    newest = select(ledger.c.seq).where(*_conditions(wanted)).order_by(ledger.c.seq.desc())
    with reading(engine, "log") as connection:
        return connection.scalar(newest.offset(wanted.last).limit(1)) or 0


def _conditions(wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.study is not None:
        yield ledger.c.study == wanted.study
    for name in ("rule", "subject"):
        value = getattr(wanted, name)
        if value is not None:
            yield or_(ledger.c[name] == value, _mail_about(name, value))
    if wanted.kind is not None:
        begins = wanted.kind.endswith(".")
        yield (
            ledger.c.kind.startswith(wanted.kind, autoescape=True) if begins else ledger.c.kind == wanted.kind
        )
    second = func.substr(ledger.c.at, 1, 19)  # texts of one shape sort as times do
    if wanted.first_day is not None:
        yield second >= _midnight(wanted.first_day, wanted.zone)
    if wanted.last_day is not None:
        yield second < _midnight(wanted.last_day + timedelta(days=1), wanted.zone)


def _mail_about(name: str, value: str) -> ColumnElement[bool]:
    """Entries about a mail that told, perhaps among others, an alert of this rule or subject."""
    named = ledger.c.data.contains(literal('"') + alert.c.id + literal('"'))
    return and_(ledger.c.kind.in_(MAIL_KINDS), exists().where(alert.c[name] == value, named))


def _midnight(day: date, zone: str) -> str:
    """The start of a day in a zone, in UTC, to the second, as the ledger writes it."""
    return moment(datetime.combine(day, time(), ZoneInfo(zone))).removesuffix("Z")
