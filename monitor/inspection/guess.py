"""From profiles to proposed maps: which domain a table is, which column is which, what nobody can tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.clinical.archives import domain_of
from monitor.clinical.domains import DOMAINS, RecordClass, columns_of
from monitor.clinical.mapsql import taken_as_is
from monitor.clinical.standardise import required
from monitor.clinical.units import canonical
from monitor.inspection.names import ROLES, SUBJECT, VITAL, column_names, domain_words, plain, test_code
from monitor.inspection.profile import Column, Table
from monitor.records import Kind

LEAST = 3  # columns that must fit before a table is taken for a domain by them alone


@dataclass(frozen=True)
class Filled:
    """An SDTM column and the table's column proposed for it; `others` would fit as well."""

    target: str
    source: str
    others: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Proposal:
    """A map proposed for a table. `wide` are columns that are tests, with their code.

    `tests` are the words of the test's name with CDISC's code, None when it is not known;
    `unitless` are the codes for which the file gives no unit; `unknown_units` its words for units
    that are not known. `sure` is false when only the columns speak for the domain.
    """

    domain: str
    table: Table
    columns: tuple[Filled, ...]
    wide: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str | None] = field(default_factory=dict)
    unitless: tuple[str, ...] = ()
    unknown_units: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sure: bool = True

    @property
    def native(self) -> bool:
        """Whether the table needs no map: its name and all its columns are SDTM already."""
        renamed = any(each.source != each.target for each in self.columns)
        dated = all(column.form == "" for column in self.table.columns if column.kind == "date")
        return (
            own_domain(self.table) == self.domain
            and not (renamed or self.wide or self.missing or self.tests)
            and dated
        )


def subject_column(tables: Sequence[Table]) -> str:
    """The name of the column that most tables have for the subject's code; "" when there is none."""
    votes = Counter(
        column.name
        for table in tables
        for column in table.columns
        if plain(column.name) in SUBJECT and column.filled
    )
    order = {name: place for place, name in enumerate(SUBJECT)}
    ranked = sorted(votes, key=lambda name: (-votes[name], order[plain(name)]))
    return (
        "USUBJID" if votes["USUBJID"] == max(votes.values(), default=0) and votes else next(iter(ranked), "")
    )


def propose(tables: Sequence[Table]) -> tuple[Proposal, ...]:
    """The maps for all tables that look like a domain, in the order of the tables."""
    subject = subject_column(tables)
    certain = {domain for table in tables for domain in _by_name(table)}
    found = []
    for table in tables:
        named = _by_name(table)
        guessed = named or _by_columns(table)
        for domain in guessed:
            sure = bool(named) or domain not in certain
            found.append(_proposal(domain, table, subject, sure=sure))
    return tuple(found)


def own_domain(table: Table) -> str | None:
    """The domain that SDTM's naming gives a table: by its sheet, else by its file."""
    return domain_of(table.name) or (domain_of(table.file) if table.sheet else None)


def _by_name(table: Table) -> tuple[str, ...]:
    """The domains that the names of sheet and file speak of: SDTM's own name, else words."""
    own = own_domain(table)
    if own is not None:
        return (own,)
    for text in (table.sheet, table.file.rsplit("/", 1)[-1].split(".")[0]):
        words = sorted(domain_words(text)) if text else []
        if len(words) == 1:
            return (words[0],)
    return ()


def _by_columns(table: Table) -> tuple[str, ...]:
    """The domains that the columns speak of; a sheet of everything is of several."""
    if not any(plain(column.name) in SUBJECT for column in table.columns):
        return ()
    tests = _tests_as_columns(table)
    found = {"VS" if code in VITAL else "LB" for code in tests.values()}
    for domain in ("AE", "EX", "LB"):
        fitting = {each.target for each in _columns(domain, table, "") if each.target.startswith(domain)}
        if len(fitting) >= LEAST and (set(_key(domain)) & fitting):
            found.add(domain)
    dose = any(plain(column.name) in ROLES["EX"]["DOSE"].split() for column in table.columns)
    if dose and found <= {"LB", "VS"}:
        found.add("EX")
    return tuple(sorted(found))


def _key(domain: str) -> tuple[str, ...]:
    """The columns without which a table can't be of a domain."""
    name = {"LB": ("TESTCD", "TEST"), "AE": ("TERM",), "EX": ("TRT", "DOSE")}[domain]
    return tuple(domain + part for part in name)


def _tests_as_columns(table: Table) -> dict[str, str]:
    """Columns of numbers whose names are tests, with the code."""
    return {
        column.name: code
        for column in table.columns
        if column.kind in ("number", "text") and (code := test_code(column.name)) is not None
    }


def _proposal(domain: str, table: Table, subject: str, *, sure: bool) -> Proposal:
    if domain not in DOMAINS:  # supplemental qualifiers, which are SDTM or nothing
        return Proposal(domain, table, (), sure=sure)
    columns = _columns(domain, table, subject)
    targets = {each.target: each for each in columns}
    if DOMAINS[domain].record_class is not RecordClass.FINDINGS:
        return Proposal(domain, table, columns, missing=_missing(domain, table, targets, {}), sure=sure)
    wide, tests = {}, {}
    if f"{domain}TESTCD" not in targets and f"{domain}TEST" not in targets:
        own = VITAL if domain == "VS" else frozenset(_tests_as_columns(table).values()) - VITAL
        wide = {name: code for name, code in _tests_as_columns(table).items() if code in own}
    elif f"{domain}TESTCD" not in targets:
        test = targets[f"{domain}TEST"]
        columns = (*columns, Filled(f"{domain}TESTCD", test.source))
        words = table.column(test.source)
        tests = {word: test_code(word) for word, _ in words.words} if words else {}
    units = [targets[name] for name in (f"{domain}STRESU", f"{domain}ORRESU") if name in targets]
    spelled = [word for each in units for word, _ in _words(table, each.source)]
    codes = sorted({code for code in (*wide.values(), *tests.values()) if code})
    return Proposal(
        domain,
        table,
        columns,
        wide,
        tests,
        () if units or wide else tuple(codes),
        tuple(dict.fromkeys(word for word in spelled if canonical(word) is None)),
        _missing(domain, table, {each.target for each in columns}, wide),
        sure,
    )


def _words(table: Table, name: str) -> tuple[tuple[str, int], ...]:
    column = table.column(name)
    return column.words if column else ()


def _missing(domain: str, table: Table, targets: Iterable[str], wide: Mapping[str, str]) -> tuple[str, ...]:
    """The required columns that nothing fills; one that is there and empty is there."""
    there = {*targets, *(column.name for column in table.columns)}
    if wide:
        there.add(f"{domain}TESTCD")
    return tuple(column for column in required(domain) if column not in there)


def _columns(domain: str, table: Table, subject: str) -> tuple[Filled, ...]:
    """Each SDTM column with the table's column that fits best."""
    usable = [column for column in table.columns if column.kind not in ("empty", "personal")]
    by_name = {plain(column.name): column for column in reversed(usable)}
    found = []
    own = next((column for column in usable if column.name == "USUBJID"), None)
    person = own or next((column for column in usable if column.name == subject), None)
    if person:
        found.append(Filled("USUBJID", person.name))
    for target, names in column_names(domain).items():
        fitting = [by_name[plain(name)] for name in names if plain(name) in by_name]
        fitting = [column for column in dict.fromkeys(fitting) if _fits(target, column)]
        if fitting:
            others = tuple(column.name for column in fitting[1:])
            note = _words_for_numbers(domain, fitting[0]) if fitting[0].name == target else ""
            found.append(Filled(target, fitting[0].name, others, fitting[0].note or note))
    taken = {each.target for each in found}
    same = taken_as_is(domain, [column.name for column in usable])
    for column in usable:
        if column.name in same and column.name in columns_of(domain) and column.name not in taken:
            found.append(Filled(column.name, column.name, (), _words_for_numbers(domain, column)))
    if domain in ("EX", "AE", "SV", "CM", "DS") and not any(each.target.endswith("STDTC") for each in found):
        dated = (column for column in usable if column.kind == "date")
        date = next(
            (column for column in dated if re.search(r"(^|_)DATE$|[^P]DATE$|日期$", column.name)), None
        )
        if date:
            found.append(Filled(f"{domain}STDTC", date.name, (), date.note))
    return tuple(found)


def _words_for_numbers(domain: str, column: Column) -> str:
    """A note on a column that has words where SDTM has numbers."""
    number = columns_of(domain)[column.name] is Kind.NUMBER
    return "it has words where SDTM has numbers" if number and column.kind == "text" else ""


def _fits(target: str, column: Column) -> bool:
    """Whether a column can be what its name says: dates are dates."""
    return (column.kind == "date") == target.endswith("DTC")
