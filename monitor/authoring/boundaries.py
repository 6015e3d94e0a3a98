"""The examples that a rule lacks: variants of one that fires, with what the reference says of each.

The machine says what the rule does; that it is what was meant, only its author can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.authoring.bench import Bench, Case, benches
from monitor.authoring.examples import day_words
from monitor.authoring.studies import on_reference
from monitor.authoring.variants import Base, Raw, Variant, variants
from monitor.clinical.domains import DOMAINS
from monitor.records import Episode, Truth
from monitor.rules.reference import judge
from monitor.rules.rule import Example, Rule
from monitor.rules.rulefile import Pack

NAME = "boundaries, proposed"


@dataclass(frozen=True)
class Proposed:
    """One variant: its subject in the proposed table, what was changed, and what the rule says of it."""

    subject: str
    said: str
    verdict: str


@dataclass(frozen=True)
class Proposal:
    """Variants of a rule's first firing example as one worked example; `text` is TOML for the rule file."""

    rule: str
    variants: tuple[Proposed, ...]
    text: str


def propose(pack: Pack, rule: Rule, work: Path) -> Proposal | None:
    """The boundary examples of a rule; None when no example of plain settings fires.

    `work` is a folder for derived tables.
    """
    base = None if rule.rate else _base(pack, rule, work)  # of a study no one subject is the example
    if base is None:
        return None
    known = {
        _signature(_of_subject(example, name)) for example in rule.examples for name in _subjects(example)
    }
    made: list[Variant] = []
    for variant in variants(base):
        signature = _signature(variant.rows)
        if signature not in known:
            known.add(signature)
            made.append(variant)
    example = _example(made)
    episodes = _episodes(pack, rule, example, work)
    names = [f"{number:02d}" for number in range(1, len(made) + 1)]
    proposed = [
        Proposed(name, variant.said, _verdict(name, episodes))
        for name, variant in zip(names, made, strict=True)
    ]
    return Proposal(rule.id, tuple(proposed), _text(rule, example, proposed, episodes))


def _base(pack: Pack, rule: Rule, work: Path) -> Base | None:
    """The first subject that fires in an example which sets nothing."""
    for example in rule.examples:
        if not example.fires or example.params or example.terms or example.as_of:
            continue
        subject = example.fires[0].split(" ")[0]
        alone = replace(example, rows=tuple(_rows(_of_subject(example, subject))))
        for bench, _ in benches(pack, [Case(rule, alone, "")], work):
            others = on_reference(bench, {}, [each for each in bench.rules if each.id != rule.id])
            judged = judge(rule, bench.rows, bench.context, others)
            first = next((one for one in judged if one.verdict.truth is Truth.TRUE), None)
            if first is not None:
                return Base(rule, _of_subject(example, subject), first)
    return None


def _episodes(pack: Pack, rule: Rule, example: Example, work: Path) -> Sequence[Episode]:
    bench: Bench
    for bench, _ in benches(pack, [Case(rule, example, "")], work):
        return on_reference(bench, {}, bench.rules)[rule.id]
    return ()


# ---------------------------------------------------------------- rows of examples


def _subjects(example: Example) -> list[str]:
    return list(dict.fromkeys(dict(row).get("USUBJID", "") for _, rows in example.rows for row in rows))


def _of_subject(example: Example, subject: str) -> Raw:
    """The rows of one subject of an example, by domain."""
    own = {
        domain: [dict(row) for row in rows if dict(row).get("USUBJID", "") == subject]
        for domain, rows in example.rows
    }
    return {domain: rows for domain, rows in own.items() if rows}


def _rows(raw: Raw) -> Iterator[tuple[str, tuple[tuple[tuple[str, str], ...], ...]]]:
    for domain, rows in raw.items():
        yield domain, tuple(tuple((name, cell) for name, cell in row.items() if cell) for row in rows)


def _signature(raw: Raw) -> frozenset[tuple[str, frozenset[tuple[str, str]]]]:
    """The content of one subject's rows, whoever it is."""
    return frozenset(
        (domain, frozenset((name, cell) for name, cell in row.items() if cell and name != "USUBJID"))
        for domain, rows in raw.items()
        for row in rows
    )


def _example(made: Sequence[Variant]) -> Example:
    """All variants as subjects 01, 02 … of one example."""
    rows: dict[str, list[tuple[tuple[str, str], ...]]] = {}
    for number, variant in enumerate(made, 1):
        for domain, found in _rows(variant.rows):
            for row in found:
                rows.setdefault(domain, []).append((("USUBJID", f"{number:02d}"), *_unnamed(row)))
    return Example(NAME, tuple((domain, tuple(found)) for domain, found in rows.items()), ())


def _unnamed(row: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, cell) for name, cell in row if name != "USUBJID"]


# ---------------------------------------------------------------- as text


def _verdict(subject: str, episodes: Sequence[Episode]) -> str:
    own = [episode for episode in episodes if episode.subject == subject]
    words = {Truth.TRUE: "fires", Truth.UNKNOWN: "can't tell"}
    return ", ".join(f"{words[each.truth]} {day_words(each.opened)}" for each in own) or "silent"


def _text(rule: Rule, example: Example, proposed: Sequence[Proposed], episodes: Sequence[Episode]) -> str:
    """The example as TOML; each row's comment would not survive, so the changes stand above the table."""
    fires = [f"{each.subject} {day_words(each.opened)}" for each in episodes if each.truth is Truth.TRUE]
    untold = [f"{each.subject} {day_words(each.opened)}" for each in episodes if each.truth is Truth.UNKNOWN]
    clears = [
        f"{each.subject} {day_words(each.closed)}"
        for each in episodes
        if each.closed and each.truth is Truth.TRUE
    ]
    lines = ["[[example]]", f'name  = "{NAME}"']
    lines += [f"# {each.subject}: {each.said}: {each.verdict}" for each in proposed]
    lines += ['data  = """', *_tables(example), '"""', f"fires       = {_list(fires)}"]
    lines += [f"cannot_tell = {_list(untold)}"] if untold else []
    lines += [f"clears      = {_list(clears)}"] if clears and rule.clear else []
    return "\n".join(lines) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{line}"' for line in lines) + "]"


def _tables(example: Example) -> Iterator[str]:
    """The rows as tables with bars, one for each domain."""
    for number, (domain, rows) in enumerate(example.rows):
        if number:
            yield ""
        named = {received: name for name, received in DOMAINS[domain].dates.items()}
        names = list(dict.fromkeys(name for row in rows for name, _ in row))
        cells = [[dict(row).get(name, "") for name in names] for row in rows]
        header = [named.get(name, name) for name in names]
        widths = [max(len(line[place]) for line in [header, *cells]) for place in range(len(names))]
        for line in [header, *cells]:
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            yield " | ".join(padded).rstrip()


def with_proposal(text: str, proposal: str) -> str:
    """A rule file's text with the proposed example at its end."""
    return f"{text.rstrip()}\n\n{proposal}"
