"""What tells a record and its versions apart, as SQL: hashes that tell no value."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import quoted, text

DIGITS = 16  # of a natural key's hash


def content(names: Sequence[str]) -> str:
    """SQL for the text that says all of a row: each column that is not missing, with its name.

    So a column that is empty in a row says the same as one that is not there.
    """
    parts = [
        f"CASE WHEN {quoted(name)} IS NOT NULL THEN {text(name + '=')} END, {quoted(name)},"
        f" CASE WHEN {quoted(name)} IS NOT NULL THEN chr(31) END"
        for name in names
    ]
    return f"concat({', '.join(parts)})" if parts else "''"


def natural_hash(domain: str, names: Collection[str]) -> str:
    """SQL for a number that is the same for rows of one natural key, and seldom for others; made fast."""
    known = DOMAINS[domain]
    natural = f"hash({', '.join(('USUBJID', *(quoted(name) for name in known.key if name in names)))})"
    if known.sponsor_id in names:
        own = quoted(known.sponsor_id)
        return f"CASE WHEN {own} IS NULL THEN {natural} ELSE hash(USUBJID, {own}) END"
    return natural


def natural_key(domain: str, names: Collection[str]) -> str:
    """SQL for what identifies a record, before its ordinal: the domain and a hash."""
    known = DOMAINS[domain]
    natural = content([name for name in known.key if name in names])
    if known.sponsor_id in names:
        own = quoted(known.sponsor_id)
        natural = f"CASE WHEN {own} IS NULL THEN {natural} ELSE 'ID=' || {own} END"
    return f"'{domain}-' || left(sha256(coalesce(USUBJID, '') || chr(31) || {natural}), {DIGITS})"


def version(domain: str, names: Collection[str]) -> str:
    """SQL for a hash of all that a row says. --SEQ is left out: it is numbered anew in each transfer."""
    return f"left(sha256({content([name for name in names if name != f'{domain}SEQ'])}), 32)"
