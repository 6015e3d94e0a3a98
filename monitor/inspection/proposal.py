"""A proposal as TOML: what can be told stands ready, what a person must decide is marked DECIDE."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.inspection.drugs import Drug
from monitor.inspection.guess import Proposal
from monitor.inspection.profile import DECIMAL, THOUSANDS
from monitor.inspection.words import Word

DECIDE = "DECIDE"


def toml(
    source: str,
    packs: Sequence[str],
    proposals: Sequence[Proposal],
    words: Sequence[Word],
    drugs: Sequence[Drug],
) -> str:
    """One [[study]] ready to be pasted into config.toml."""
    lines = [
        f"# Proposed by `monitor inspect`. Every line with {DECIDE} needs a person who knows the study.",
        "[[study]]",
        f'id = "STUDY"            # {DECIDE}: your short name',
        f"source = {quoted(source)}",
        f"rules = [{', '.join(map(quoted, packs))}]",
        'ctcae = "5.0"',
        f"blinded = true          # {DECIDE}",
        'mail = "link"',
    ]
    lines += [*_doubled(proposals), *_commas(proposals)]
    several = Counter(each.domain for each in proposals if each.sure and not each.native)
    for proposal in proposals:
        lines += ["", *_map(proposal, several=several[proposal.domain] > 1)]
    lines += [
        *_terms(words),
        *_drugs(drugs, nameless=any("EXTRT" in each.missing for each in proposals if each.sure)),
    ]
    return "\n".join(lines) + "\n"


def _doubled(proposals: Sequence[Proposal]) -> Iterator[str]:
    """Tables that are one SDTM dataset in several files: a study can have only one of them."""
    by_name: dict[str, list[str]] = {}
    for each in proposals:
        if each.native:
            by_name.setdefault(each.table.name.rsplit("/", 1)[-1].split(".")[0].lower(), []).append(
                each.table.name
            )
    for listed in by_name.values():
        if len(listed) > 1:
            said = f"{' and '.join(listed)} are one dataset; name one kind as the source"
            yield f"# {DECIDE}: {said} (folder/*.xpt)"


def _commas(proposals: Sequence[Proposal]) -> Iterator[str]:
    """How files are written whose numbers have commas."""
    for table in {each.table.name: each.table for each in proposals}.values():
        notes = {column.note for column in table.columns} & {DECIMAL, THOUSANDS}
        if notes:
            sure = notes == {DECIMAL}
            yield ""
            yield f"[study.read.{quoted(table.file.rsplit('/', 1)[-1])}]"
            yield 'decimal = ","' if sure else f'# decimal = ","  # {DECIDE}: {THOUSANDS}'


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else quoted(text)


# ---------------------------------------------------------------- one map


def _map(proposal: Proposal, *, several: bool) -> Iterator[str]:
    """The lines of one map; as a comment when only its columns speak for it."""
    table = proposal.table
    if proposal.native:
        yield f"# {table.name} is {proposal.domain} as SDTM has it: it needs no map."
        return
    lines = [f"# {table.name}: {table.rows:,} rows", *_body(proposal, several=several)]
    if proposal.sure:
        yield from lines
        return
    yield f"# {table.name} looks like {proposal.domain} by its columns alone. {DECIDE}: is it, or a copy?"
    yield from (f"# {line}".rstrip() for line in lines[1:])


def _body(proposal: Proposal, *, several: bool) -> Iterator[str]:
    name = f"study.map.{proposal.domain}"
    yield f"[[{name}]]" if several else f"[{name}]"
    yield f"file = {quoted(proposal.table.file.rsplit('/', 1)[-1])}"
    if proposal.table.sheet:
        yield f"sheet = {quoted(proposal.table.sheet)}"
    dose = next((each.source for each in proposal.columns if each.target == f"{proposal.domain}DOSE"), "")
    column = proposal.table.column(dose)
    if column and column.filled < proposal.table.rows:
        yield f'where = {{ {_key(dose)} = "*" }}  # rows with a dose'
    same = [each.target for each in proposal.columns if each.target == each.source]
    if same:
        yield f"# taken as they are: {', '.join(same)}"
    yield from _section(f"{name}.columns", _columns(proposal))
    yield from _section(f"{name}.constants", _constants(proposal))
    yield from _section(f"{name}.dates", _dates(proposal))
    yield from _section(f"{name}.values.{proposal.domain}TESTCD", _tests(proposal))
    yield from _section(f"{name}.values.{_unit_column(proposal)}", _spellings(proposal))
    yield from _section(f"{name}.units", _units(proposal))
    yield from _section(f"{name}.wide", _wide(proposal))


def _section(name: str, lines: Iterator[str]) -> Iterator[str]:
    listed = list(lines)
    if listed:
        yield f"[{name}]"
        yield from listed


def _columns(proposal: Proposal) -> Iterator[str]:
    for each in proposal.columns:
        others = f"  # or {', '.join(each.others)}" if each.others else ""
        if each.source != each.target:
            yield f"{each.target} = {quoted(each.source)}{others}"
        elif others:
            yield f"# {each.target} = {quoted(each.source)}{others}"
        elif "words" in each.note:
            yield f'# {each.target} = ""  # {DECIDE}: {each.note}; "" leaves it out'
    for column in proposal.missing:
        if not column.endswith("TRT"):
            yield f'# {column} = ""  # {DECIDE}: no column looks like it, and it is required'


def _constants(proposal: Proposal) -> Iterator[str]:
    domain, targets = proposal.domain, {each.target for each in proposal.columns}
    if DOMAINS[domain].record_class is not RecordClass.INTERVENTIONS:
        return
    if f"{domain}TRT" in proposal.missing:
        yield f'# {domain}TRT = "DRUG"  # {DECIDE}: the file does not name the drug'
    if f"{domain}DOSE" in targets and f"{domain}DOSU" not in targets:
        yield f'# {domain}DOSU = "mg"  # {DECIDE}: the file does not say the unit of the dose'


def _dates(proposal: Proposal) -> Iterator[str]:
    for each in proposal.columns:
        column = proposal.table.column(each.source)
        if column is None or column.kind != "date" or column.form == "":
            continue
        if column.form is not None:
            yield f"{each.target} = {quoted(column.form)}" + (f"  # {column.note}" if column.note else "")
        else:
            seen = next(form for form in column.forms if not form.startswith("yyyy-mm-dd"))
            meant = seen.replace("??", "dd", 1).replace("??", "mm", 1).replace("/yy ", "/20yy ")
            yield f"# {each.target} = {quoted(meant)}  # {DECIDE}: seen {seen}; {column.note}"


def _tests(proposal: Proposal) -> Iterator[str]:
    for word, code in proposal.tests.items():
        if code:
            yield f"{quoted(word)} = {quoted(code)}"
        else:
            yield f'# {quoted(word)} = ""  # {DECIDE}: its code; without a line the name is the code'


def _unit_column(proposal: Proposal) -> str:
    targets = {each.target for each in proposal.columns}
    standard = f"{proposal.domain}STRESU"
    return standard if standard in targets else f"{proposal.domain}ORRESU"


def _spellings(proposal: Proposal) -> Iterator[str]:
    for word in proposal.unknown_units:
        yield f'# {quoted(word)} = ""  # {DECIDE}: a unit that is not known; which one is meant?'


def _units(proposal: Proposal) -> Iterator[str]:
    for code in proposal.unitless:
        yield f'# {code} = ""  # {DECIDE}: the file does not say the unit'


def _wide(proposal: Proposal) -> Iterator[str]:
    for name, code in proposal.wide.items():
        yield f'{_key(name)} = {{ test = {quoted(code)}, unit = "" }}  # {DECIDE}: the unit'


# ---------------------------------------------------------------- words and drugs


def _terms(words: Sequence[Word]) -> Iterator[str]:
    """The words that no list has, each where it looks as if it belonged."""
    if not words:
        return
    yield ""
    known = _by_list({word: word.list for word in words if word.list})
    for name, listed in known.items():
        yield f"# in the list {name} already: {', '.join(listed)}"
    proposed = _by_list({word: word.proposed for word in words if word.proposed})
    unsure = [word for word in words if not word.list and not word.proposed]
    if proposed or unsure:
        yield "[study.terms]"
    for name, listed in proposed.items():
        terms = ", ".join(quoted(word) for word in listed)
        yield f"{name} = [{terms}]  # {DECIDE}: they look like it"
    for word in unsure:
        yield f"# {quoted(word.word)} of {word.column} ({word.rows} rows)  # {DECIDE}: which list, or ignore"


def _by_list(words: Mapping[Word, str]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for word, name in words.items():
        found.setdefault(name, {})[word.word] = None
    return {name: list(listed) for name, listed in sorted(found.items())}


def _drugs(drugs: Sequence[Drug], *, nameless: bool) -> Iterator[str]:
    """A study drug for each name of EXTRT; a place for it where no file names the drug."""
    if nameless and not drugs:
        yield ""
        yield f"# [study.drugs.drug]          # {DECIDE}: the drug of EXTRT above, as rules know it"
        yield '# names = ["DRUG"]'
        yield '# kind = "single"             # or "continuous": taken until the end of treatment'
    for number, drug in enumerate(drugs, 1):
        name = re.sub(r"[^a-z0-9]+", "-", drug.name.lower()).strip("-") or f"drug-{number}"
        kind = "continuous" if drug.continuous else "single"
        yield ""
        yield f"[study.drugs.{name}]"
        yield f"names = [{quoted(drug.name)}]"
        yield f'kind = "{kind}"    # {DECIDE}: single doses, or taken until the end of treatment'
        yield f"# number = {number}            # {DECIDE}: when AEACN{number} and AEREL{number} are about it"
