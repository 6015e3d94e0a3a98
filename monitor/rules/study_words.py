"""What other rules found, and rules about a study, as words."""

from __future__ import annotations

from monitor.rules.phrases import describe
from monitor.rules.rate import Over, Rate
from monitor.rules.record_words import record_words
from monitor.rules.rule import Rule
from monitor.rules.wording import Speech, joined
from monitor.statistics.boundaries import boundary
from monitor.statistics.designs import Method

WHOLE = {Over.STUDY: "in the study", Over.SITE: "at one site", Over.ARM: "in one arm"}
MADE_OF = {
    "p0": "acceptable probability {:g}",
    "p1": "against {:g}",
    "alpha": "chance of ever stopping at it at most {:g}",
    "prior": "prior Beta{}",
    "cutoff": "cut-off {:g}",
    "n_max": "up to {} subjects",
}


def found_words(rule: Rule, speech: Speech) -> str:
    """The found record: "Platelets (PLAT) above 400 10^9/L, in LB", "A finding of PLT-01 or PLT-02"."""
    if not rule.finds:
        return f"{record_words(rule.series, rule.where, speech)}, in {rule.series.domain}"
    asked = [str(describe(each, speech)) for each in (rule.series.of, rule.where) if each is not None]
    head = f"A finding of {joined(rule.finds, 'or')}"
    return f"{head}: {', and '.join(asked)}" if asked else head


def rate_words(rate: Rate) -> str:
    """Among whom it is counted, and when that is too many."""
    among = f"those of whom {rate.among} fires" if rate.among else "those to whom a dose was given"
    return (
        f"counted once for each subject among {among}, in the order in which they came to be; {_when(rate)}"
    )


def _when(rate: Rate) -> str:
    design, where = rate.boundary, WHOLE[rate.over]
    if design.method is Method.COUNT:
        return f"told when {where} at least {design.at_least} subjects are counted"
    if design.method is Method.SHARE:
        share = f"{100 * (design.above or 0):g} %"
        return f"told when {where} more than {share} are counted, of at least {design.min_subjects} subjects"
    table = ", ".join(f"{each.stop_at} of {each.subjects}" for each in boundary(design).ranges)
    made_of = ", ".join(MADE_OF[name].format(value) for name, value in design.given.items())
    return f"told when the count {where} reaches the {design.method} boundary ({made_of}): {table}"
