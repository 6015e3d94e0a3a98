"""What a rule means, in plain Python: the definition that every engine must agree with.

Slow and obvious on purpose. For each record of the rule's series it says whether the rule is
true, unknown or false, which rows made it so, and why it can't be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.records import Cause, Days, Episode, Truth, Verdict
from monitor.rules import causes as because
from monitor.rules.answers import Answer, Judged, Used, each_row_once, rows_of
from monitor.rules.causes import each_once, why
from monitor.rules.context import Context
from monitor.rules.rule import AnyOf, Clause, Level, Open, Rule, Series, With, Without, WithRule
from monitor.rules.terms import Row, Scope
from monitor.rules.truth import holds, no
from monitor.rules.windows import in_window, open_at, reaches_past


@dataclass(frozen=True)
class Case:
    """One found record, with everything that a clause can ask for."""

    rule: Rule
    context: Context
    row: Row
    others: Mapping[str, Sequence[Row]]  # the subject's rows, by domain
    episodes: Mapping[str, Sequence[Episode]]  # the subject's, by rule

    @property
    def scope(self) -> Scope:
        """The found record, as a condition sees it."""
        return Scope(self.context, self.rule.series.domain, self.row, self.rule.series.unit)

    @property
    def days(self) -> Days:
        """The found record's date."""
        return start_of(self.row)


def start_of(row: Row) -> Days:
    """The start of a record."""
    return Days(row.get("DAY_LO"), row.get("DAY_HI"))


def end_of(row: Row) -> Days:
    """The end of a record."""
    return Days(row.get("END_LO"), row.get("END_HI"))


def judge(
    rule: Rule,
    rows: Mapping[str, Sequence[Row]],
    context: Context,
    episodes: Mapping[str, Sequence[Episode]],
) -> list[Judged]:
    """What a rule says of each record of its series, in the order of subjects and rows.

    `rows` maps each domain that the rule names to the rows of the subjects in question;
    `episodes` maps each rule that it refers to to that rule's episodes.
    """
    found = rows.get(rule.series.domain, ())
    subjects = sorted({row["USUBJID"] for row in found})
    by_subject = {domain: _by_subject(given) for domain, given in rows.items()}
    judged: list[Judged] = []
    for subject in subjects:
        others = {domain: given.get(subject, []) for domain, given in by_subject.items()}
        own = {name: [e for e in given if e.subject == subject] for name, given in episodes.items()}
        for row in others[rule.series.domain]:
            case = Case(rule, context, row, others, own)
            if in_series(rule.series, case.scope) is not Truth.FALSE:
                judged.append(judge_record(case))
    return judged


def _by_subject(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: int(row["ROWN"])):
        grouped.setdefault(row["USUBJID"], []).append(row)
    return grouped


def in_series(series: Series, scope: Scope) -> Truth:
    """Whether a record belongs to a series; what is not a value belongs to none."""
    return holds(series.of, scope) if scope.row.get("VALID", True) else Truth.FALSE


def judge_record(case: Case) -> Judged:
    """What the rule says of one record of its series."""
    rule, scope = case.rule, case.scope
    member, where = in_series(rule.series, scope), holds(rule.where, scope)
    answers = [answer(clause, case) for clause in rule.clauses]
    truth = min(member, where, *(one.truth for one in answers))
    level, seen = level_of(case)
    unknown = (
        *why(rule.series.of, scope),
        *why(rule.where, scope),
        *(cause for one in answers for cause in one.causes),
    )
    used = (Used("found", rule.series.domain, case.row), *rows_of(answers), *seen)
    return Judged(
        Verdict(
            subject=case.row["USUBJID"],
            row=case.row["ROWN"],
            key=case.row["KEY"],
            days=case.days,
            second=case.row.get("SECOND"),
            truth=truth,
            where=where,
            clear=clear_of(case, member),
            level=level if truth is not Truth.FALSE else 0,
        ),
        used=each_row_once(used),
        causes=each_once(unknown) if truth is Truth.UNKNOWN else (),
    )


def clear_of(case: Case, member: Truth) -> Truth:
    """Whether the record satisfies `clear`; one that may not be of the series clears nothing."""
    clear = case.rule.clear
    if clear is None:
        return Truth.FALSE
    unit = clear.unit or case.rule.series.unit
    return min(member, holds(clear.where, Scope(case.context, case.rule.series.domain, case.row, unit)))


def level_of(case: Case) -> tuple[int, tuple[Used, ...]]:
    """The number of the [[level]] that holds (0: none), and the rows that it rests on.

    Of several the one with the highest severity, then the last in the file.
    """
    best: tuple[int, int, tuple[Used, ...]] = (-1, 0, ())
    for position, level in enumerate(case.rule.levels, start=1):
        answers = [answer(clause, case) for clause in level.clauses]
        if _level_holds(level, answers, case) and level.severity.rank >= best[0]:
            best = (level.severity.rank, position, rows_of(answers))
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
    if isinstance(clause, WithRule):
        return rule_answer(clause, case)
    return any_answer(clause, case)


def any_answer(clause: AnyOf, case: Case) -> Answer:
    """One of a group must hold."""
    answers = [answer(item, case) for item in clause.items]
    truth = max(one.truth for one in answers)
    same = [one for one in answers if one.truth is truth]
    return Answer(truth, rows_of(same), each_once(cause for one in same for cause in one.causes))


def with_answer(clause: With, case: Case) -> Answer:
    """Whether there is such a record in the window; unknown while the data don't reach its end."""
    reach = case.context.reach(clause.series.domain, case.row.get("SITEID") or "")
    if reach is None:
        return Answer(Truth.UNKNOWN, (), (Cause(because.NOT_RECEIVED, clause.series.domain),))
    seen = candidates(clause, case)
    if seen.truth is not Truth.TRUE and reaches_past(clause.window, case.days, reach):
        return Answer(
            Truth.UNKNOWN, seen.used, (*seen.causes, Cause(because.WINDOW_OPEN, clause.series.domain))
        )
    return seen


def without_answer(clause: Without, case: Case) -> Answer:
    """Whether there is no such record in the window.

    While the data don't reach the window's end: `wait` can't be told yet, `fire` takes the
    unreached days for empty.
    """
    reach = case.context.reach(clause.series.domain, case.row.get("SITEID") or "")
    if reach is None:
        return Answer(Truth.UNKNOWN, (), (Cause(because.NOT_RECEIVED, clause.series.domain),))
    seen = candidates(clause, case)
    past = reaches_past(clause.window, case.days, reach) and clause.open is not Open.FIRE
    if seen.truth is not Truth.TRUE and past:
        kind = because.WAITING if clause.open is Open.WAIT else because.WINDOW_OPEN
        return Answer(Truth.UNKNOWN, seen.used, (*seen.causes, Cause(kind, clause.series.domain)))
    return Answer(no(seen.truth), seen.used if seen.truth is Truth.UNKNOWN else (), seen.causes)


def candidates(clause: With | Without, case: Case) -> Answer:
    """The greatest truth among the subject's other records, with the records that have it."""
    answers = [
        candidate(clause, other, case)
        for other in case.others.get(clause.series.domain, ())
        if not _is_found(clause.series.domain, other, case)
    ]
    truth = max((one.truth for one in answers), default=Truth.FALSE)
    if truth is Truth.FALSE:
        return Answer(truth)
    same = [one for one in answers if one.truth is truth]
    return Answer(truth, rows_of(same), each_once(cause for one in same for cause in one.causes))


def _is_found(domain: str, other: Row, case: Case) -> bool:
    """Whether this is the found record itself: a clause asks for another record."""
    return domain == case.rule.series.domain and other["ROWN"] == case.row["ROWN"]


def candidate(clause: With | Without, other: Row, case: Case) -> Answer:
    """Whether one other record is of the series, in the window, and as `where` says."""
    series = clause.series
    scope = Scope(case.context, series.domain, other, series.unit, case.rule.series.domain, case.row)
    window = in_window(clause.window, clause.at, case.days, start_of(other), end_of(other))
    if window is Truth.FALSE:
        return Answer(window)
    truth = min(in_series(series, scope), holds(clause.where, scope), window)
    if truth is not Truth.UNKNOWN:
        return Answer(truth, (Used("with", series.domain, other),))
    unknown = [*why(series.of, scope), *why(clause.where, scope)]
    if window is Truth.UNKNOWN:
        unknown += because.of_start(case.rule.series.domain, case.row)
        unknown += because.of_start(series.domain, other) or because.of_end(series.domain, other)
    return Answer(truth, (Used("with", series.domain, other),), each_once(tuple(unknown)))


def rule_answer(clause: WithRule, case: Case) -> Answer:
    """Whether an episode of another rule is open at the found record."""
    setting = case.context.same_day
    truth = max(
        (
            open_at(episode, case.days, case.row.get("SECOND"), same_day=clause.same_day, setting=setting)
            for episode in case.episodes.get(clause.rule, ())
        ),
        default=Truth.FALSE,
    )
    unknown = truth is Truth.UNKNOWN
    return Answer(truth, (), (Cause(because.EPISODE, "", clause.rule),) if unknown else ())
