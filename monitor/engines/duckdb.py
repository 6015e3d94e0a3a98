"""DuckDB over Parquet: the embedded engine. An in-memory connection, so that no file is ever locked."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from monitor.clinical.domains import GRADES
from monitor.engines.graded import graded_view
from monitor.engines.part import EVERY, FIRST, chosen
from monitor.errors import EngineError
from monitor.records import Days, Episode, Truth, Verdict, day_date
from monitor.rules.compiler import compile_census, compile_rule, compile_subjects, sql_text
from monitor.rules.context import Context
from monitor.rules.ctcae import Criteria
from monitor.rules.rule import Rule
from monitor.rules.runs import Reading, counted
from monitor.rules.sql.grades import Table

Row = Mapping[str, Any]

PLAIN = 10  # columns of a compiled rule without `repeat`
TRUTHS = tuple(Truth)  # by number; a look-up is much cheaper than Truth(number)

EPISODE = """
CREATE TABLE episode (rule VARCHAR, subject VARCHAR, truth INTEGER, open_lo INTEGER, open_hi INTEGER,
    open_second INTEGER, closed BOOLEAN, close_lo INTEGER, close_hi INTEGER, open_row BIGINT)
"""


@dataclass(frozen=True)
class Found:
    """What a rule found in a study.

    `verdicts` are all records of the series of every subject of whom one fires or can't be told,
    in the table's order. `considered` and `subjects` count the whole series, `newest` is the ISO
    date of its newest record, "" if none has a date. `fired` and `cannot_tell` count records.
    """

    verdicts: tuple[Verdict, ...]
    considered: int
    subjects: int
    newest: str
    fired: int
    cannot_tell: int


class Engine:
    """One study's derived tables. A context manager; `tables` maps a domain to its Parquet file.

    With `criteria` LB has the columns of GRADES, computed where and when a statement asks for them.
    """

    def __init__(
        self,
        tables: Mapping[str, Path],
        *,
        threads: int = 2,
        memory_limit: str = "",
        until: int | None = None,
        criteria: Criteria | None = None,
    ) -> None:
        self._tables = dict(tables)
        self._until = until  # the last day of which records are shown; one without a date stays
        self._criteria = criteria
        self._words: dict[tuple[str, str], tuple[str, ...]] = {}
        self._columns: dict[str, frozenset[str]] = {}
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "autoinstall_known_extensions": False,  # nothing is ever fetched from a network
            "autoload_known_extensions": False,
            "temp_directory": _spill(self._tables),
        }
        if memory_limit:
            settings["memory_limit"] = memory_limit
        try:
            self._connection = duckdb.connect(":memory:", config=settings)
            self._connection.execute("SET enable_progress_bar = false")  # it would write into what is printed
        except duckdb.Error as error:
            raise EngineError(f"DuckDB did not start with memory_limit {memory_limit!r}") from error
        try:
            self._open()
        except EngineError:
            self._connection.close()
            raise

    def _open(self) -> None:
        self._run("making the table of episodes", EPISODE)
        for domain, path in self._tables.items():
            name = path.as_posix()
            if not path.is_file():
                raise EngineError(f"the derived table of {domain} is not there: {name}")
            quoted = glob.escape(name).replace("'", "''")
            stored = f"read_parquet('{quoted}'){self._shown()}"
            self._run(f"opening {domain}", f"CREATE VIEW {_name(domain)} AS SELECT * FROM {stored}")
            described = self._run(f"opening {domain}", f"DESCRIBE {_name(domain)}")
            self._columns[domain] = frozenset(row[0] for row in described)
            if domain == "LB" and self._criteria is not None:
                self._grade(stored, self._criteria)

    def _grade(self, stored: str, criteria: Criteria) -> None:
        """Give LB its columns of grades."""
        censored = "lbstresn IS NULL AND coalesce(lbstresn_lo, lbstresn_hi) IS NOT NULL"
        text = f"SELECT analyte, unit, bool_or({censored}) FROM lb WHERE analyte IS NOT NULL GROUP BY ALL"
        held = self._run("reading the tests of LB", text)
        graded = Table(
            criteria,
            self.words,
            held=frozenset((code, unit) for code, unit, _ in held),
            censored=frozenset(code for code, _, among in held if among),
        )
        select = graded_view(stored, self._columns["LB"], graded)
        self._run("opening LB with grades", f"CREATE OR REPLACE VIEW lb AS {select}")
        self._columns["LB"] |= set(GRADES)

    def _shown(self) -> str:
        """SQL for the records that are not behind the last day shown."""
        return "" if self._until is None else f" WHERE day_lo IS NULL OR day_lo <= {int(self._until)}"

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    # ------------------------------------------------------------ reading

    @property
    def tables(self) -> Mapping[str, Path]:
        """The derived tables, by domain."""
        return dict(self._tables)

    def words(self, domain: str, column: str) -> tuple[str, ...]:
        """The distinct texts of a column, in order; () when it is absent."""
        if column not in self._columns.get(domain, ()):
            return ()
        if (domain, column) not in self._words:
            text = f"SELECT DISTINCT {_name(column)} FROM {_name(domain)} WHERE {_name(column)} IS NOT NULL"
            found = self._run(f"reading the words of {domain}.{column}", text)
            self._words[domain, column] = tuple(sorted(str(row[0]) for row in found))
        return self._words[domain, column]

    def counts(self, domain: str, column: str) -> dict[str, int]:
        """In how many rows each text of a column stands, by word; {} when it is absent."""
        if column not in self._columns.get(domain, ()):
            return {}
        name = _name(column)
        text = f"SELECT {name}, count(*) FROM {_name(domain)} WHERE {name} IS NOT NULL GROUP BY {name}"
        found = self._run(f"counting the words of {domain}.{column}", text)
        return dict(sorted((str(word), int(rows)) for word, rows in found))

    def rows(
        self, domain: str, subjects: Iterable[str], *, part: str = EVERY, numbers: Iterable[int] = ()
    ) -> list[Row]:
        """The rows of some subjects (in a part: SQL), and those so numbered, in the table's order."""
        test, values = chosen(part, subjects, numbers)
        if domain not in self._tables or not values:
            return []
        text = f"SELECT * FROM {_name(domain)} WHERE {test} ORDER BY rown"
        found = self._run(f"reading rows of {domain}", text, values)
        names = [item[0] for item in self._connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    # ------------------------------------------------------------ finding

    def fires(self, rule: Rule, context: Context) -> bool:
        """Whether a rule without references fires at all."""
        text = sql_text(compile_rule(rule, context, self.words))
        return bool(self._run(f"running {rule.id}", f"SELECT 1 FROM ({text}) WHERE truth = 2 LIMIT 1"))

    def find(
        self, rule: Rule, context: Context, episodes: Iterable[Episode] = (), *, first: bool = False
    ) -> Found:
        """What a rule says; `episodes` are those of the rules that it refers to.

        With `first` only the first of each subject's surest records.
        """
        doing = f"running {rule.id}"
        self._fill(episodes)
        text = sql_text(compile_rule(rule, context, self.words))
        rows = self._run(doing, f"SELECT * FROM ({text}) {FIRST}" if first else text)
        census = self._run(doing, sql_text(compile_census(rule, context, self.words)))
        considered, subjects, newest = census[0]
        verdicts = verdicts_of(rule, rows)
        return Found(
            verdicts,
            considered,
            subjects,
            "" if newest is None else day_date(newest).isoformat(),
            fired=sum(item.truth is Truth.TRUE for item in verdicts),
            cannot_tell=sum(item.truth is Truth.UNKNOWN for item in verdicts),
        )

    def unseen(self, rule: Rule, context: Context) -> tuple[str, ...]:
        """The subjects to whom a dose was given and of whom the series has no record, in order."""
        if "GIVEN" not in self._columns.get("DOSE", ()):
            return ()
        series = sql_text(compile_subjects(rule, context, self.words))
        given = "SELECT DISTINCT usubjid FROM dose WHERE given = 'Y'"
        found = self._run(f"looking for subjects whom {rule.id} can't see", f"{given} EXCEPT ({series})")
        return tuple(sorted(str(row[0]) for row in found))

    def _fill(self, episodes: Iterable[Episode]) -> None:
        """Put other rules' episodes where the select finds them."""
        self._run("forgetting episodes", "DELETE FROM episode")
        columns = [list(column) for column in zip(*map(episode_row, episodes), strict=True)]
        if columns:
            parts = ", ".join("unnest(?)" for _ in columns)
            self._run("keeping episodes", f"INSERT INTO episode SELECT {parts}", columns)

    def _run(self, doing: str, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. What DuckDB says of an error can hold values, so only its kind is told."""
        try:
            return self._connection.execute(text, list(values)).fetchall()
        except duckdb.Error as error:
            raise EngineError(f"DuckDB failed when {doing}: {type(error).__name__}") from None


def verdicts_of(rule: Rule, rows: Iterable[Sequence[Any]]) -> tuple[Verdict, ...]:
    """The rows of a compiled rule as verdicts, of subjects of whom one fires or can't be told."""
    if rule.repeat is None:
        return tuple(verdict(row) for row in rows)
    readings = [
        Reading(verdict(row), TRUTHS[row[PLAIN]], TRUTHS[row[PLAIN + 1]], tuple(row[PLAIN + 2 :]))
        for row in rows
    ]
    said = counted(rule.repeat, readings)
    verdicts = [said[reading.verdict.row].verdict for reading in readings]
    told = {one.subject for one in verdicts if one.truth is not Truth.FALSE}
    return tuple(one for one in verdicts if one.subject in told)


def verdict(row: Sequence[Any]) -> Verdict:
    """A row of a compiled rule as a verdict."""
    subject, number, key, low, high, second, truth, where, clear, level = row[:PLAIN]
    return Verdict(
        subject,
        number,
        key,
        Days(low, high),
        second,
        truth=TRUTHS[truth],
        where=TRUTHS[where],
        clear=TRUTHS[clear],
        level=level,
    )


def episode_row(episode: Episode) -> tuple[object, ...]:
    """An episode as a row of the table `episode`."""
    closed = episode.closed or Days(None, None)
    return (
        episode.rule,
        episode.subject,
        int(episode.truth),
        episode.opened.low,
        episode.opened.high,
        episode.second,
        episode.closed is not None,
        closed.low,
        closed.high,
        episode.verdicts[0].row if episode.verdicts else None,
    )


def _spill(tables: Mapping[str, Path]) -> str:
    """Where DuckDB puts what does not fit in memory: beside the tables, as it is patient data too.

    The folder is made when it is needed and removed when the engine closes; "" is nowhere.
    """
    folders = sorted(path.parent for path in tables.values())
    return (folders[0] / "spill").as_posix() if folders else ""


def _name(name: str) -> str:
    """A name of a table or column, quoted in lower case."""
    return '"' + name.lower().replace('"', '""') + '"'
