"""A study's data out of a SQL database: every table or query read in one read-only transaction.

What comes is written, row by row, as Dataset-JSON with the query beside it, and that file is what
was received: it is kept, hashed and read as any other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    NoSuchModuleError,
    ProgrammingError,
    ResourceClosedError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from monitor.clinical.sources import RawFile
from monitor.config import StudySettings
from monitor.errors import ConfigError, Problem, SourceError

ROWS = 5_000  # fetched at a time
# How a database says that it only reads: plainly, or as an error of syntax where it reads bit by bit.
WRITES = re.compile(
    r'read-?only|at or near "(DELETE|UPDATE|INSERT|MERGE|CREATE|DROP|ALTER|TRUNCATE)"', re.IGNORECASE
)


def is_database(source: str) -> bool:
    """Whether a source is the URL of a database."""
    return "://" in source


def receive_queries(study: StudySettings, base: Path, folder: Path) -> tuple[RawFile, ...]:
    """Run the study's queries and write each answer into `folder`; the files are named by domain.

    Raises ConfigError when the source or the queries can't be any, SourceError when the database
    refuses, without the rows' values or the password in it.
    """
    url = _url(study, base)
    queries = _queries(study)
    folder.mkdir(parents=True, exist_ok=True)
    engine = _engine(url)
    problems: list[Problem] = []
    files = []
    try:
        with _reading(engine) as connection:
            for domain, query in sorted(queries.items()):
                try:
                    files.append(_ask(connection, domain, query, folder))
                except (SQLAlchemyError, _ValueRefusedError) as error:
                    problems.append(Problem(f"{study.id}: queries.{domain}", _said(error)))
                    break  # the transaction is over
    except SQLAlchemyError as error:
        shown = url.render_as_string(hide_password=True)
        raise SourceError(f"{shown}: can't be read ({_said(error)})") from None
    finally:
        engine.dispose()
    if problems:
        raise SourceError("\n".join(map(str, problems)))
    return tuple(files)


class _ValueRefusedError(Exception):
    """A column holds what no table of text can hold."""


def _url(study: StudySettings, base: Path) -> URL:
    """Where the database is; the file of SQLite relative to config.toml, the password from its own file."""
    try:
        url = make_url(study.source)
    except ArgumentError as error:
        said = "is not a database URL, such as postgresql+psycopg://reader@db.example/edc"
        raise ConfigError([Problem("study.source", said)]) from error
    if study.password_file is not None:
        try:
            url = url.set(password=(base / study.password_file).read_text(encoding="utf-8").strip())
        except OSError as error:
            said = f"can't be read ({error.strerror})"
            raise ConfigError([Problem("study.password_file", said)]) from error
    if url.get_backend_name() == "sqlite":
        path = (base / (url.database or "")).resolve()
        if not path.is_file():
            raise SourceError(f"{study.source}: there is no such file")
        return url.set(database=str(path))
    return url


def _queries(study: StudySettings) -> dict[str, str]:
    """What is asked for each domain: a table's whole content, or a query."""
    asked = {name.upper(): _query(given.strip().rstrip(";")) for name, given in study.queries.items()}
    if not asked:
        said = 'a database needs [study.queries]: LB = "SELECT …", or LB = "schema.labs" for a whole table'
        raise ConfigError([Problem("study.queries", said)])
    wrong = [name for name in asked if not re.fullmatch(r"[A-Z0-9_]{1,64}", name)]
    if wrong:
        said = "is no name of a domain or table; use letters, digits and _"
        raise ConfigError(Problem(f"study.queries.{name}", said) for name in wrong)
    return asked


def _query(given: str) -> str:
    """A query as written, or one for all of a table."""
    return f"SELECT * FROM {given}" if re.fullmatch(r"[\w.]+", given) else given


def _engine(url: URL) -> Engine:
    try:
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    except (NoSuchModuleError, ImportError) as error:
        said = f"needs the driver {url.drivername}, which is not installed"
        raise ConfigError([Problem("study.source", said)]) from error


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that can only read, and sees all tables as they are at one moment."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 (the same connection, with options)
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        elif engine.dialect.name == "sqlite":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")  # noqa: PLW2901
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        yield connection
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("ROLLBACK")
        connection.rollback()


def _ask(connection: Connection, domain: str, query: str, folder: Path) -> RawFile:
    """Write one answer as NDJSON: what it is in the first line, then a line for each row."""
    path = folder / f"{domain.lower()}.ndjson"
    digest, size = hashlib.sha256(), 0
    asked = text(query.replace(":", "\\:"))
    with connection.execution_options(yield_per=ROWS).execute(asked) as answer, path.open("wb") as stream:
        for line in _lines(domain, query, list(answer.keys()), answer):
            digest.update(line)
            size += len(line)
            stream.write(line)
    return RawFile(path.name, path, digest.hexdigest(), size, "", "")


def _lines(
    domain: str, query: str, names: Sequence[str], rows: Iterator[Sequence[object]]
) -> Iterator[bytes]:
    columns = [
        {"itemOID": f"IT.{domain}.{name}", "name": name, "label": name, "dataType": "string"}
        for name in names
    ]
    head: Mapping[str, object] = {
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{domain}",
        "name": domain,
        "label": query,
        "columns": columns,
    }
    yield _line(head)
    for row in rows:
        yield _line([_plain(name, value) for name, value in zip(names, row, strict=True)])


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(column: str, value: object) -> object:
    """A value as JSON holds it; dates in ISO 8601."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise _ValueRefusedError(f"column {column} holds {type(value).__name__}; cast it to text in the query")


def _is_writing(error: Exception) -> bool:
    """Whether the database refused a statement because it writes."""
    return WRITES.search(str(getattr(error, "orig", ""))) is not None


def _said(error: Exception) -> str:
    """A database's error for people: only of a wrong query its text, as others may hold values."""
    if isinstance(error, _ValueRefusedError):
        return str(error)
    if isinstance(error, ResourceClosedError) or _is_writing(error):
        return "would change the database, which is only read; write a SELECT, or the name of a table"
    if isinstance(error, ProgrammingError) or "no such" in str(getattr(error, "orig", "")):
        return str(getattr(error, "orig", error)).splitlines()[0]
    return f"{type(error).__name__}; check the address, the rights and the password"
