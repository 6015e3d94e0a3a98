"""A transfer that is held, in words: what it lacks, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.clinical.snapshots import Snapshot
from monitor.records import Finding, Severity
from monitor.usecases.ruling import study_finding
from monitor.usecases.transfers import ACCEPTED, HELD, REJECTED, REPLACED, Transfer, current

NAMED = 5  # sites, subjects or alerts that a sentence names; the rest are counted


def lacking(held: Mapping[str, Any]) -> str:
    """What a held transfer lacks, as a manifest keeps it: counts, sites, subject codes, alerts; no values."""
    parts = []
    for name, each in held["domains"].items():
        if each["absent"]:
            parts.append(f"the domain {name} ({_records(each['known'])})")
        else:
            parts.append(f"{each['lost']} of {_records(each['known'])} of {name}")
    by_site: dict[str, list[str]] = {}
    for name, sites in held["sites"].items():
        for site in sites:
            by_site.setdefault(site, []).append(name)
    parts += [f"all of site {site} in {_listed(names)}" for site, names in sorted(by_site.items())]
    if held["subject_count"]:
        parts.append(_subjects(held["subjects"], held["subject_count"]))
    parts += [f"{_records(n)} on which alert {alert} rests" for alert, n in held["alerts"].items()]
    return "; ".join(parts)


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"


def _subjects(names: Sequence[str], count: int) -> str:
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return f"all of {count} subject{'' if count == 1 else 's'} ({', '.join(names[:NAMED])}{more})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def commands(study: str, number: int) -> str:
    """What a person can do about it, as it is typed."""
    return (
        f'`monitor snapshots accept {number} --study {study} --reason "…"` if that is truly gone, '
        f'`monitor snapshots reject {number} --study {study} --reason "…"` if the transfer is wrong'
    )


def attention(one: Transfer, held: Mapping[str, Any] | None, counts: Transfer | None) -> str:
    """What a person must know of a transfer; "" when there is nothing to know."""
    if one.state == HELD and held is not None:
        said = f"HELD: it lacks {lacking(held)}. Nothing is cleared or withdrawn meanwhile."
        return f"{said} {commands(one.study, one.number)}"
    if one.state == REJECTED:
        going = f"; snapshot {counts.number} counts" if counts is not None else ""
        return f"rejected by {one.by} ({one.reason}){going}"
    return ""


def held_finding(known: Sequence[Transfer], taken: Snapshot) -> Finding | None:
    """What to tell of the transfer that counts while it is held; None when it is not."""
    one, held = current(known), taken.manifest.get("held")
    if one is None or one.state != HELD or not held:
        return None
    said = lacking(held)
    return study_finding(
        one.study,
        f"Transfer {one.number} lacks {said}. It is held: what it adds is judged, what it lacks is kept and "
        "judged as it was, and nothing is cleared or withdrawn because of it.",
        keys=(*held["reasons"], f"transfer {one.number}"),
        severity=Severity.CRITICAL,
        facts={
            "reasons": held["reasons"],
            "missing": {name: held[name] for name in ("domains", "sites", "subject_count", "alerts")},
            "snapshot": one.id,
            "action": "Ask whoever sent it whether this is all. A complete transfer ends it by itself. "
            f"Else: {commands(one.study, one.number)}.",
        },
    )


def no_longer_held(known: Sequence[Transfer]) -> str:
    """Why nothing is held now, for the alert that told of it."""
    past = [each for each in known if each.state in (ACCEPTED, REJECTED, REPLACED)]
    if not past:
        return "nothing is held"
    last = past[-1]
    if last.state == REPLACED:
        counts = current(known)
        better = f" {counts.number}" if counts is not None else ""
        return f"transfer{better} brought what transfer {last.number} lacked"
    return f"transfer {last.number} was {last.state} by {last.by}: {last.reason}"
