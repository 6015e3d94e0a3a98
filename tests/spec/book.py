"""The manual in examples, docs/manual.md, made of the cases of this folder: `make manual`.

Each case is its sentence, its rule, the data, and what the rule says of them. The tests beside this
module judge the very same cases on both engines.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from monitor.records import Severity
from tests.spec import (
    test_1_conditions,
    test_2_series,
    test_3_other_records,
    test_4_grades,
    test_4_runs,
    test_4_several_records,
    test_5_earlier_records,
    test_5_episodes,
    test_rates,
)
from tests.spec.manual import LISTS, PARAMS, Case

PAGE = Path(__file__).parents[2] / "docs" / "manual.md"
HEAD = """# The rule language in examples

Made from `tests/spec` by `make manual`; every case is a test, judged by the definition of the
language and by DuckDB. What the words mean is told in [rule-language.md](rule-language.md).

Each case is a sentence, the rule from `[find]` on, and the data as a data manager would deliver
them. The last column says what begins at a record: **fires**, *can't be told*, or clears, where an
episode ends. A record without a mark is silent, or goes on with an episode that is open. Unless a
case says otherwise the data reach to the end of 2026.

The cases use these parameters and lists:

"""
MOST_ROWS, SHOWN_ROWS = 16, 10  # of a longer table the first rows are shown
SEVERITIES = tuple(severity.value for severity in Severity)


@dataclass(frozen=True)
class Chapter:
    """One test module: its cases, and the rules that they refer to."""

    title: str
    module: ModuleType
    cases: Sequence[Case]
    others: Mapping[str, str] = field(default_factory=dict)
    whole: Sequence[Case] = ()  # the cases as they are judged, where that is more than is shown


CHAPTERS = (
    Chapter("Conditions", test_1_conditions, test_1_conditions.CASES),
    Chapter("Series, units and episodes", test_2_series, test_2_series.CASES),
    Chapter(
        "Other records",
        test_3_other_records,
        test_3_other_records.CASES,
        {"HOLD-1": test_3_other_records.HOLD},
    ),
    Chapter("Several other records, and one day", test_4_several_records, test_4_several_records.CASES),
    Chapter("Several times in a row", test_4_runs, test_4_runs.CASES),
    Chapter("Earlier records of the series", test_5_earlier_records, test_5_earlier_records.CASES),
    Chapter(
        "Episodes of other rules",
        test_5_episodes,
        test_5_episodes.CASES,
        {"HOLD-1": test_3_other_records.HOLD},
    ),
    Chapter("CTCAE grades", test_4_grades, test_4_grades.CASES),
    Chapter(
        "What other rules found, and rules about a study",
        test_rates,
        (*test_rates.FOUND, *test_rates.RATES),
        test_rates.OTHERS,
        (*test_rates.FOUND, *(test_rates.complete(case) for case in test_rates.RATES)),
    ),
)


def rendered() -> str:
    """The whole page."""
    parts = [HEAD, _fenced("toml", PARAMS), *_lists(), "\n", *_contents()]
    for number, chapter in enumerate(CHAPTERS, 1):
        parts += _chapter(number, chapter)
    return "".join(parts).rstrip() + "\n"


def _lists() -> Iterator[str]:
    for name, words in LISTS.items():
        yield f"- `@{name}`: {', '.join(f'`{word}`' for word in words.split(chr(10)) if word)}\n"


def _contents() -> Iterator[str]:
    for number, chapter in enumerate(CHAPTERS, 1):
        yield f"{number}. [{chapter.title}](#{_anchor(f'{number}. {chapter.title}')})\n"
    yield "\n"


def _anchor(heading: str) -> str:
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _chapter(number: int, chapter: Chapter) -> Iterator[str]:
    said = (chapter.module.__doc__ or "").strip().split("\n")[0]
    yield f"## {number}. {chapter.title}\n\n{said}\n\n"
    if chapter.others:
        yield f"The cases refer to {'this rule' if len(chapter.others) == 1 else 'these rules'}:\n\n"
    for name, text in chapter.others.items():
        yield _fenced("toml", f"# {name}\n{_find(text)}")
    before = ""
    for place, case in enumerate(chapter.cases, 1):
        yield from _case(f"{number}.{place}", case, same=case.rule == before)
        before = case.rule


def _find(text: str) -> str:
    """The part of a rule file that decides: from its first table to its examples."""
    return text[text.index("[find]") :].split("[[example]]", maxsplit=1)[0]


def _case(number: str, case: Case, *, same: bool) -> Iterator[str]:
    """A case; one of the same rule as the case before it does not repeat it."""
    title = case.title[0].upper() + case.title[1:]
    yield f"### {number} {title}\n\n"
    yield "The same rule.\n\n" if same else _fenced("toml", case.rule.split("[[example]]")[0])
    expected = [
        *(Expected(line, "**fires**") for line in case.fires),
        *(Expected(line, "*can't be told*") for line in case.cannot_tell),
        *(Expected(line, "clears") for line in case.clears),
    ]
    placed: set[Expected] = set()
    for table in _tables(case.data):
        yield _table(table, _domain(case), expected, placed)
    rest = [f"{one.mark} {one.line}" for one in expected if one not in placed]
    if rest:
        yield f"It says: {'; '.join(rest)}.\n\n"
    elif not expected:
        yield "Nothing fires.\n\n"
    if case.settings.strip():
        yield f"Of the study:\n\n{_fenced('toml', case.settings.replace('example.', 'study.'))}"


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```\n\n"


def _domain(case: Case) -> str:
    """The domain whose records are found, "" when they are those of other rules."""
    return str(tomllib.loads(case.rule)["find"].get("in", ""))


# ---------------------------------------------------------------- tables with what is said of them


@dataclass(frozen=True)
class Expected:
    """One line of what a case expects: subject, date, and perhaps a severity."""

    line: str
    mark: str

    @property
    def subject(self) -> str:
        """The subject's code."""
        return self.line.split(" ")[0]

    @property
    def severity(self) -> str:
        """The severity that is named, or ""."""
        last = self.line.split(" ")[-1]
        return last if last in SEVERITIES else ""

    @property
    def day(self) -> str:
        """The date as the data write it, "" when it is missing."""
        text = self.line.removeprefix(self.subject).removesuffix(self.severity).strip()
        return "" if text == "no date" else text

    def is_of(self, subject: str, date: str) -> bool:
        """Whether it speaks of a record."""
        return self.subject == subject and date.split("T", maxsplit=1)[0] == self.day


def _tables(data: str) -> list[list[list[str]]]:
    """Each table as rows of cells, the header first."""
    blocks = [block for block in data.strip().split("\n\n") if block.strip()]
    return [[[cell.strip() for cell in line.split("|")] for line in block.split("\n")] for block in blocks]


def _dates(domain: str, header: Sequence[str]) -> list[int]:
    """The columns that date the found records in this table; none in a table of another domain."""
    if not domain:
        return [place for place, name in enumerate(header) if name.endswith("DT")][:1]
    starts = {"DOSE": ("DOSE", "EX", "EC"), "DAILY": ("DAILY", "DT", "EX", "EC"), "AEDRUG": ("AE",)}
    ends = ("DT", "STDT", "DTC", "STDTC")
    wanted = {start + end for start in starts.get(domain, (domain,)) for end in ends}
    return [place for place, name in enumerate(header) if name in wanted][:1]


def _table(
    table: Sequence[Sequence[str]], domain: str, expected: Sequence[Expected], placed: set[Expected]
) -> str:
    header, *rows = table
    dates = _dates(domain, header)
    lines = [[*row] for row in rows]
    said = [[one for one in expected for at in dates if one.is_of(row[0], row[at])] for row in rows]
    if any(said):
        twice = {one for one in expected if sum(one in found for found in said) > 1}
        placed.update(one for found in said for one in found)
        for line, found in zip(lines, said, strict=True):
            line.append(", ".join(_mark(one, several=one in twice) for one in found))
    if len(lines) > MOST_ROWS:
        further = f"… and {len(lines) - SHOWN_ROWS} more"
        lines = [*lines[:SHOWN_ROWS], [further, *[""] * (len(lines[0]) - 1)]]
    head = [*header, ""] if any(said) else [*header]
    written = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines)]
    return "\n".join(" ".join(line.split()) for line in written) + "\n\n"


def _mark(one: Expected, *, several: bool) -> str:
    severity = f" ({one.severity})" if one.severity else ""
    day = ", that day" if several else ""
    return f"{one.mark}{severity}{day}"


if __name__ == "__main__":
    PAGE.write_text(rendered(), "utf-8")
