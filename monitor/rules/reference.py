"""What a rule means, in plain Python: the definition that every engine must agree with.

Slow and obvious on purpose. For each record of the rule's series it says whether the rule is
true, unknown or false, which rows made it so, and why it can't be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.records import Episode, Truth, Verdict
from monitor.rules import causes as because
from monitor.rules.answers import Answer, Apart, Judged, Used, each_row_once, rows_of
from monitor.rules.asked import with_answer, without_answer
from monitor.rules.asked_episodes import with_rule_answer, without_rule_answer
from monitor.rules.belonging import belonging, belongings
from monitor.rules.case import Case, in_series
from monitor.rules.causes import Causes, each_once, why
from monitor.rules.context import Context
from monitor.rules.findrule import found_by, unsure
from monitor.rules.histories import histories, members_of, remembered
from monitor.rules.repeated import with_runs
from monitor.rules.rule import AnyOf, Clause, Level, Rule, With, Without, WithRule
from monitor.rules.runs import Reading
from monitor.rules.series import partition_of
from monitor.rules.terms import Row
from monitor.rules.truth import holds

EVERY_RECORD: Mapping[str, Collection[int]] = {}


def judge(
    rule: Rule,
    rows: Mapping[str, Sequence[Row]],
    context: Context,
    episodes: Mapping[str, Sequence[Episode]],
    only: Mapping[str, Collection[int]] = EVERY_RECORD,
) -> list[Judged]:
    """What a rule says of each record of its series, in the order of subjects and rows.

    `rows` maps each domain that the rule names to the rows of the subjects in question;
    `episodes` maps each rule that it refers to to that rule's episodes. `only` are the row numbers
    to be judged of some subjects (of a rule without `repeat`); of the others all are.
    """
    assert not only or rule.repeat is None, "each record of a run depends on the others"
    belongs = belongings(rule, context)
    found = rows.get(rule.series.domain, ())
    subjects = sorted({row["USUBJID"] for row in found})
    by_subject = {domain: _by_subject(given) for domain, given in rows.items()}
    told = {name: _of_subjects(given) for name, given in episodes.items()}
    judged: list[Judged] = []
    for subject in subjects:
        others = {domain: given.get(subject, []) for domain, given in by_subject.items()}
        own = {name: given.get(subject, ()) for name, given in told.items()}
        past, members = histories(rule, others, belongs), members_of(rule, others, belongs)
        chosen = only.get(subject)
        for row in others[rule.series.domain]:
            if chosen is not None and row["ROWN"] not in chosen:
                continue
            if min(belongs[rule.series](row), found_by(rule, row, own)) is not Truth.FALSE:
                judged.append(judge_record(Case(rule, context, row, others, own, past, members)))
    return judged if rule.repeat is None else with_runs(rule, judged)


def _by_subject(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: int(row["ROWN"])):
        grouped.setdefault(row["USUBJID"], []).append(row)
    return grouped


def _of_subjects(episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
    grouped: dict[str, list[Episode]] = {}
    for episode in episodes:
        grouped.setdefault(episode.subject, []).append(episode)
    return grouped


def series_rows(
    rule: Rule, rows: Iterable[Row], context: Context, episodes: Mapping[str, Sequence[Episode]]
) -> list[Row]:
    """Those of a subject's rows that may be of the rule's series; `episodes` are the subject's, by rule."""
    belongs = belonging(rule.series, context)
    return [row for row in rows if min(belongs(row), found_by(rule, row, episodes)) is not Truth.FALSE]


def member_of(case: Case) -> Truth:
    """Whether a record belongs to the series, and opened an episode of the rules in `find.rule`."""
    return min(in_series(case.rule.series, case.scope), found_by(case.rule, case.row, case.episodes))


def judge_record(case: Case) -> Judged:
    """What the rule says of one record of its series."""
    rule, scope = case.rule, case.scope
    member, where = member_of(case), holds(rule.where, scope)
    answers = [answer(clause, case) for clause in rule.clauses]
    plain = [one for one, clause in zip(answers, rule.clauses, strict=True) if not clause.run_end]
    truth = min(member, where, *(one.truth for one in plain))
    level, seen = level_of(case)
    asked = truth is Truth.UNKNOWN or rule.repeat is not None
    unknown = _unknown(case, plain) if asked else ()
    earlier = remembered(rule.where, scope)
    used = (Used("found", rule.series.domain, case.row), *rows_of(plain), *seen, *earlier)
    verdict = Verdict(
        subject=case.row["USUBJID"],
        row=case.row["ROWN"],
        key=case.row["KEY"],
        days=case.days,
        second=case.row.get("SECOND"),
        truth=truth,
        where=where,
        clear=clear_of(case, member),
        level=level if truth is not Truth.FALSE else 0,
    )
    ends = [one for one, clause in zip(answers, rule.clauses, strict=True) if clause.run_end]
    return Judged(
        verdict,
        used=each_row_once(used),
        causes=unknown if truth is Truth.UNKNOWN else (),
        answers=tuple(answers),
        scope=scope,
        apart=None if rule.repeat is None else apart(case, Reading(verdict, member), unknown, ends),
    )


def _unknown(case: Case, plain: Sequence[Answer]) -> Causes:
    """Why a record can't be told."""
    rule, scope = case.rule, case.scope
    return each_once(
        (
            *unsure(rule, case.row, case.episodes),
            *why(rule.series.of, scope),
            *why(rule.where, scope),
            *(cause for one in plain for cause in one.causes),
        )
    )


def apart(case: Case, reading: Reading, unknown: Causes, ends: Sequence[Answer]) -> Apart:
    """What a rule with `repeat` says of one record apart from any run; `ends` are asked of a run's end."""
    domain, row = case.rule.series.domain, case.row
    end = min((one.truth for one in ends), default=Truth.TRUE)
    series = partition_of(domain, row)
    causes = (*unknown, *because.of_start(domain, row), *(cause for one in ends for cause in one.causes))
    return Apart(replace(reading, end=end, series=series), rows_of(ends), each_once(causes))


def clear_of(case: Case, member: Truth) -> Truth:
    """Whether the record satisfies `clear`; one that may not be of the series clears nothing."""
    clear = case.rule.clear
    if clear is None:
        return Truth.FALSE
    unit = clear.unit or case.rule.series.unit
    return min(member, holds(clear.where, case.scope_in(unit)))


def level_of(case: Case) -> tuple[int, tuple[Used, ...]]:
    """The number of the [[level]] that holds (0: none), and the rows that it rests on.

    Of several the one with the highest severity, then the last in the file.
    """
    best: tuple[int, int, tuple[Used, ...]] = (-1, 0, ())
    for position, level in enumerate(case.rule.levels, start=1):
        answers = [answer(clause, case) for clause in level.clauses]
        if _level_holds(level, answers, case) and level.severity.rank >= best[0]:
            used = (*rows_of(answers), *remembered(level.where, case.scope))
            best = (level.severity.rank, position, used)
    return best[1], best[2]


def _level_holds(level: Level, answers: Sequence[Answer], case: Case) -> bool:
    return min(holds(level.where, case.scope), *(one.truth for one in answers), Truth.TRUE) is Truth.TRUE


# ---------------------------------------------------------------- clauses


def answer(clause: Clause, case: Case) -> Answer:
    """The truth of one clause for a found record."""
    if isinstance(clause, With):
        return with_answer(clause, case)
    if isinstance(clause, Without):
        return without_answer(clause, case)
    if isinstance(clause, AnyOf):
        return any_answer(clause, case)
    if isinstance(clause, WithRule):
        return with_rule_answer(clause, case)
    return without_rule_answer(clause, case)


def any_answer(clause: AnyOf, case: Case) -> Answer:
    """One of a group must hold."""
    answers = [answer(item, case) for item in clause.items]
    truth = max(one.truth for one in answers)
    same = [one for one in answers if one.truth is truth]
    return Answer(truth, rows_of(same), each_once(cause for one in same for cause in one.causes))
