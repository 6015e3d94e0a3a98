"""Plants events of known kinds into the invented trial, each in a subject of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from random import Random

from monitor.simulation.twin import measured, reported
from monitor.simulation.twin.chart import Chart, charts
from monitor.simulation.twin.planted import Planted
from monitor.simulation.twin.sdtm import Trial

Plant = Callable[[Random, Chart], Planted | None]  # None: not in this subject

# Those that suit few subjects first.
PLANTS: Mapping[str, Plant] = {
    "overdose": measured.overdose,
    "dosed-during-hold": measured.dosed_during_hold,
    "late-correction": measured.late_correction,
    "related-withdrawal": reported.related_withdrawal,
    "thrombocytosis": measured.thrombocytosis,
    "early-escalation": measured.early_escalation,
    "missing-counts": measured.missing_counts,
    "blasts": measured.blasts,
    "creatinine-rise": measured.creatinine_rise,
    "liver-injury": measured.liver_injury,
    "wrong-unit": measured.wrong_unit,
    "thrombosis": reported.thrombosis,
    "bleeding": reported.bleeding,
    "contradiction": reported.contradiction,
}
CORRECTED, TRUNCATED = "late-correction", "truncated-transfer"
KINDS = (*PLANTS, TRUNCATED)
CUT = 0.7  # of the laboratory file, in a truncated transfer
HELD = "HELD"  # the monitor's own alert about a transfer, in place of a rule


def plant(trial: Trial, seed: int, kinds: Sequence[str]) -> tuple[tuple[Trial, ...], tuple[Planted, ...]]:
    """The transfers of a trial with these kinds planted, and what was planted where.

    One transfer, a second where a late correction comes, and then one that is truncated. Raises
    ValueError when no subject of this seed suits a kind.
    """
    first = copy.deepcopy(trial)
    rng = Random(f"{seed}/planted")  # noqa: S311 - invented data, no secret
    free = list(charts(first))
    rng.shuffle(free)
    told = [_in_one(rng, kind, free) for kind in PLANTS if kind in kinds]
    transfers = [first]
    transfers += [_corrected(first, trial, one) for one in told if one.kind == CORRECTED]
    if TRUNCATED in kinds:
        transfers.append(_truncated(transfers[-1]))
        told.append(Planted(TRUNCATED, "", trial.until.isoformat(), (HELD,), transfer=len(transfers)))
    return tuple(transfers), tuple(told)


def _in_one(rng: Random, kind: str, free: list[Chart]) -> Planted:
    """Plant a kind in the first subject that suits it; nothing else is planted there."""
    for chart in free:
        done = PLANTS[kind](rng, chart)
        if done is not None:
            free.remove(chart)
            return done
    raise ValueError(f"no subject of this trial suits {kind}; take another seed")


def _corrected(first: Trial, right: Trial, one: Planted) -> Trial:
    """The trial after a correction: that subject's records as they should have been from the beginning."""
    domains = {}
    for name, rows in first.domains.items():
        true = iter([row for row in right.domains[name] if row["USUBJID"] == one.subject])
        others = [row for row in rows if row["USUBJID"] != one.subject]
        place = next((n for n, row in enumerate(rows) if row["USUBJID"] == one.subject), len(rows))
        domains[name] = copy.deepcopy([*others[:place], *true, *others[place:]])
    return Trial(first.until, domains)


def _truncated(trial: Trial) -> Trial:
    """The trial with the end of its laboratory file cut off."""
    rows = trial.domains["LB"]
    return Trial(trial.until, {**trial.domains, "LB": rows[: int(CUT * len(rows))]})
