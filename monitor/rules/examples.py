"""The worked examples of a rule file: ASCII tables → raw rows by domain."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.clinical.domains import DOMAINS, columns_of, kind_of
from monitor.errors import Problem
from monitor.records import Severity
from monitor.rules.rate import Over
from monitor.rules.rule import Example
from monitor.rules.scope import suggest
from monitor.rules.shape import Rate, WorkedExample

Row = tuple[tuple[str, str], ...]
EXPECTED = re.compile(
    rf"^(?P<subject>\S+) (?P<day>\d{{4}}(-\d\d(-\d\d)?)?|no date)( (?P<severity>{'|'.join(Severity)}))?$"
)


STUDY = re.compile(r"^(study|(site|arm) \S.*) \d+/\d+$")


def read_example(
    shape: WorkedExample, address: str, problems: list[Problem], rate: Rate | None = None
) -> Example:
    """An example with its tables read; what is wrong in it is added to `problems`."""
    rows: dict[str, list[Row]] = {}
    for table in re.split(r"\n\s*\n", shape.data.strip("\n")):
        domain, found = _table(table, f"{address}: data", problems)
        rows.setdefault(domain, []).extend(found)
    subjects = {dict(row).get("USUBJID", "") for found in rows.values() for row in found}
    if rate is not None:
        _of_study(shape, rate, address, problems)
    for key in ("fires", "cannot_tell", "clears") if rate is None else ():
        _expectations(getattr(shape, key), subjects, f"{address}: {key}", problems)
    return Example(
        name=shape.name,
        rows=tuple((domain, tuple(found)) for domain, found in rows.items()),
        fires=tuple(shape.fires),
        cannot_tell=tuple(shape.cannot_tell),
        clears=tuple(shape.clears),
        params=tuple(sorted(shape.params.items())),
        terms=tuple(sorted((name, tuple(words)) for name, words in shape.terms.items())),
        as_of=shape.as_of.isoformat() if shape.as_of else "",
        same_day=shape.same_day,
    )


def _table(text: str, address: str, problems: list[Problem]) -> tuple[str, list[Row]]:
    """The domain and the rows of one table: a header, then one row a line, cells between bars."""
    header, *lines = [_cells(line) for line in text.splitlines() if line.strip()] or [[]]
    domain = _domain(header)
    if not domain:
        said = f"{' | '.join(header)}: no date column (LBDT, AESTDT, EXDT …) says which domain this is"
        problems.append(Problem(address, said))
        return "", []
    known = columns_of(domain)
    for name in header:
        if name not in known:
            problems.append(Problem(address, f"{name} is not a column of {domain}{suggest(name, known)}"))
    if "USUBJID" not in header:
        problems.append(Problem(address, f"the table of {domain} has no USUBJID"))
    return domain, [_row(domain, header, line, address, problems) for line in lines]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _domain(header: list[str]) -> str:
    """The domain whose date is a column: of several, the one with most columns, received first."""
    if "RDOMAIN" in header:  # relations have no date
        return "RELREC"
    dated = [name for name, domain in DOMAINS.items() if set(header) & set(domain.dates)]
    fitting = sorted(
        dated,
        key=lambda name: (
            -sum(kind_of(name, column) is not None for column in header),
            DOMAINS[name].derived,
        ),
    )
    return fitting[0] if fitting else ""


def _row(domain: str, header: list[str], cells: list[str], address: str, problems: list[Problem]) -> Row:
    if len(cells) != len(header):
        problems.append(
            Problem(address, f"{' | '.join(cells)}: {len(cells)} cells under {len(header)} columns")
        )
    received: Mapping[str, str] = DOMAINS[domain].dates
    named = zip(header, cells, strict=False)
    return tuple((received.get(name, name), cell) for name, cell in named if cell)


def _expectations(lines: list[str], subjects: set[str], address: str, problems: list[Problem]) -> None:
    for line in lines:
        match = EXPECTED.match(line)
        if match is None:
            said = f'{line!r}: write the subject and the date, "01 2026-01-07", or "01 no date"'
            problems.append(Problem(address, said))
        elif match["subject"] not in subjects:
            problems.append(
                Problem(address, f"{line!r}: no row of the example is of subject {match['subject']}")
            )


def _of_study(shape: WorkedExample, rate: Rate, address: str, problems: list[Problem]) -> None:
    """A rule about a study fires for the study, a site or an arm, and never can't be told."""
    for line in shape.fires:
        if STUDY.match(line) is None or line.split(" ")[0] != rate.over:
            name = "" if rate.over is Over.STUDY else " NAME"
            said = f'{line!r}: write the first count that reaches the boundary, "{rate.over}{name} 3/12"'
            problems.append(Problem(f"{address}: fires", said))
    for key in ("cannot_tell", "clears"):
        if getattr(shape, key):
            said = "a rule about a study counts what can't be told as an event, and nothing clears it"
            problems.append(Problem(f"{address}: {key}", said))


def coverage(examples: tuple[Example, ...], address: str, *, study: bool = False) -> list[Problem]:
    """A rule needs one record that fires and one subject that stays silent; about a `study`: one example."""
    problems = []
    if study and examples and all(example.fires for example in examples):
        said = "no example stays silent: give one just below the boundary"
        problems.append(Problem(f"{address}: example", said))
        return problems
    if not any(example.fires for example in examples):
        problems.append(Problem(f"{address}: example", "no example fires: give one that does"))
    if not study and not any(silent(example) for example in examples):
        said = "no subject of the examples stays silent: give one just beyond the boundary"
        problems.append(Problem(f"{address}: example", said))
    return problems


def silent(example: Example) -> set[str]:
    """The subjects of the example of whom nothing is expected."""
    subjects = {dict(row).get("USUBJID", "") for _, found in example.rows for row in found}
    return subjects - {line.split(" ")[0] for line in (*example.fires, *example.cannot_tell)}
