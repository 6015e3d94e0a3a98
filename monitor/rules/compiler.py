"""A rule as one select of SQLAlchemy Core, in the subset that DuckDB and PostgreSQL read alike.

The select has the columns usubjid, rown, key, day_lo, day_hi, second, truth, where_truth,
clear_truth (2 true, 1 unknown, 0 false) and level: a row for every record of the series, of each
subject of whom at least one record fires or can't be told. Of a rule with `repeat` it says what each
record is apart from any run, with of_truth, end_truth (of the clauses asked of a run's end) and the
columns that tell its series from others, series_1 …: `monitor.rules.runs` counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import CTE, BigInteger, FromClause, Integer, Select, and_, case, cast, func, literal, select
from sqlalchemy.dialects import postgresql

from monitor.rules.context import Context
from monitor.rules.nodes import nodes
from monitor.rules.rule import Clause, Clear, Condition, Function, Level, Rule, Series, SeriesFunction
from monitor.rules.series import functions_in
from monitor.rules.sql.clauses import compile_clause
from monitor.rules.sql.conditions import compile_condition, not_false
from monitor.rules.sql.frame import Answer, Frame
from monitor.rules.sql.opened import opened_by
from monitor.rules.sql.scope import (
    Element,
    Scope,
    Source,
    Words,
    columns_in,
    least,
    received_source,
    truth_of,
)
from monitor.rules.sql.series import Asked, partition_columns, partition_keys, remembered
from monitor.rules.sql.windows import PREVIOUS

RECORD = ("usubjid", "rown", "key", "day_lo", "day_hi", "second")
BEFORE = (SeriesFunction(Function.NTH), SeriesFunction(Function.DAYS_SINCE_PREV))
NO_CLEAR = literal(0, Integer()).label("clear_truth")  # a rule without [clear] is never cleared


def compile_rule(rule: Rule, context: Context, words: Words) -> Select[*tuple[Any, ...]]:
    """The select that finds a rule's records, for one study.

    `words(domain, column)` gives the distinct texts of a column. The tables are named by domain
    in lower case; other rules' episodes stand in the table `episode`.
    """
    series = _series(rule, context, words)
    candidates = _candidates(series)
    plain = [clause for clause in rule.clauses if not clause.run_end]
    ends = [clause for clause in rule.clauses if clause.run_end]
    whole = _all_of(plain, Frame(candidates, "clause", context, words))
    end = _all_of(ends, Frame(candidates, "end", context, words)) if rule.repeat else None
    levels = [
        _all_of(level.clauses, Frame(candidates, f"level_{n}", context, words))
        for n, level in enumerate(rule.levels, start=1)
    ]
    judged = _judged(rule, candidates, whole, levels, end)
    answered = _answered(series.relation, judged, repeats=rule.repeat is not None)
    told = select(answered.c.usubjid).where(answered.c.truth > 0)
    return select(answered).where(answered.c.usubjid.in_(told)).order_by(answered.c.rown)


def compile_census(rule: Rule, context: Context, words: Words) -> Select[*tuple[Any, ...]]:
    """The select that counts what a rule looked at: considered, subjects, newest (a day or NULL)."""
    records = _series(rule, context, words).relation.c
    return select(
        func.count().label("considered"),
        func.count(records.usubjid.distinct()).label("subjects"),
        func.max(records.day_lo).label("newest"),
    )


def compile_subjects(rule: Rule, context: Context, words: Words) -> Select[*tuple[Any, ...]]:
    """The select that names the subjects who have a record in the rule's series."""
    return select(_series(rule, context, words).relation.c.usubjid).distinct()


def sql_text(statement: Select[*tuple[Any, ...]]) -> str:
    """The text of a select, without parameters: the same for DuckDB and PostgreSQL."""
    # The default paramstyle would write '5%' as '5%%'.
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


# ---------------------------------------------------------------- the series


def _series(rule: Rule, context: Context, words: Words) -> Source:
    """The records of the series, each with the truth of `of` and of the conditions on it alone."""
    conditions, clauses = _conditions(rule), _clauses(rule)
    asked_later = columns_in(clauses, of_found=True)
    named = columns_in(conditions.values(), of_found=False)
    past = _asked(rule)
    keys = partition_columns(rule.series.domain) if past or rule.repeat else ()
    wanted = dict.fromkeys((*named, *asked_later, *keys))
    units = _units([rule.series, rule.clear]), _units(clauses) if asked_later else []
    source = received_source(rule.series.domain, wanted, sorted({*units[0], *units[1]}), context, words)
    own = Scope(context, words, source, rule.series.unit)
    source = remembered(source, rule.series.of, past, own)

    def truth(name: str, unit: str = rule.series.unit) -> Element:
        condition = conditions[name]
        scope = Scope(context, words, source, unit)
        return truth_of(None if condition is None else compile_condition(condition, scope)).label(name)

    truths = [truth(name) for name in conditions if name != "clear_truth"]
    clear = truth("clear_truth", rule.clear.unit or rule.series.unit) if rule.clear else NO_CLEAR
    told_apart = _told_apart(rule, replace(own, record=source))
    handed = source.carried((*RECORD, *(["siteid"] if clauses else [])), asked_later, units[1])
    handed += _previous(rule, source)
    member = not_false(rule.series.of, Scope(context, words, source, rule.series.unit))
    opened = opened_by(rule.finds)
    found = literal(2, Integer()) if opened is None else opened.c.truth
    asked = select(*handed, *told_apart, *truths, clear, found.label("found_truth")).where(member)
    if opened is not None:
        here = source.relation.c
        same = and_(here.usubjid == opened.c.subject, here.rown == opened.c.open_row)
        asked = asked.select_from(source.relation.join(opened, same))
    return source.over(_truths_joined(asked.subquery("asked")).cte("series"))


def _truths_joined(asked: FromClause) -> Select[*tuple[Any, ...]]:
    """A record belongs to the series as surely as `of` says and other rules found it; no less to clear it."""
    member = least([asked.c.of_truth, asked.c.found_truth])
    other = {
        "of_truth": member.label("of_truth"),
        "clear_truth": least([member, asked.c.clear_truth]).label("clear_truth"),
    }
    return select(*(other.get(item.name, item) for item in asked.c if item.name != "found_truth"))


def _told_apart(rule: Rule, scope: Scope) -> list[Element]:
    """What tells one series of a subject from another as series_1 …, of a rule with `repeat`."""
    keys = partition_keys(scope) if rule.repeat else []
    return [key.label(f"series_{n}") for n, key in enumerate(keys, start=1)]


def _asked(rule: Rule) -> list[Asked]:
    """The series functions asked of a record of the series, each in the unit of its condition."""
    conditions = [rule.where, *(level.where for level in rule.levels)]
    own = [(function, rule.series.unit) for function in functions_in(*conditions)]
    clear = rule.clear
    ending = [(function, clear.unit or rule.series.unit) for function in functions_in(clear)] if clear else []
    previous = [(function, rule.series.unit) for function in BEFORE] if rule.asks_previous else []
    return list(dict.fromkeys([*own, *ending, *previous]))


def _previous(rule: Rule, source: Source) -> list[Element]:
    """What windows that begin with the record before the found one ask of it; NULL: it can't be told."""
    if not rule.asks_previous:
        return []
    rows = source.relation.c
    values = [rows[source.past[function, rule.series.unit]] for function in BEFORE]
    return [
        case((rows.past_told, cast(value, BigInteger()))).label(name)
        for value, name in zip(values, PREVIOUS, strict=True)
    ]


def _units(tree: Sequence[object]) -> list[str]:
    """The units of numbers in a part of the rule, in order."""
    found = (node.unit for node in nodes(tuple(tree)) if isinstance(node, Series | Clear))
    return sorted({unit for unit in found if unit})


def _conditions(rule: Rule) -> dict[str, Condition | None]:
    """The conditions that are asked of a record of the series alone."""
    levels = {f"level_{n}_truth": level.where for n, level in enumerate(rule.levels, start=1)}
    clear = rule.clear.where if rule.clear else None
    return {"of_truth": rule.series.of, "where_truth": rule.where, "clear_truth": clear, **levels}


def _clauses(rule: Rule) -> list[Clause]:
    """All clauses of a rule, those of its levels too."""
    return [*rule.clauses, *(clause for level in rule.levels for clause in level.clauses)]


def _candidates(series: Source) -> Source:
    """The records for which the clauses still matter."""
    records = series.relation
    kept = select(records).where(records.c.of_truth > 0, records.c.where_truth > 0)
    return series.over(kept.cte("candidate"))


# ---------------------------------------------------------------- the answer


def _all_of(clauses: Sequence[Clause], frame: Frame) -> Answer:
    """Whether all clauses hold."""
    answers = [compile_clause(clause, frame.under(str(n))) for n, clause in enumerate(clauses, start=1)]
    truths = [answer.truth for answer in answers] or [literal(2, Integer())]
    return Answer(least(truths), tuple(join for answer in answers for join in answer.joins))


def _judged(
    rule: Rule, candidates: Source, whole: Answer, levels: Sequence[Answer], end: Answer | None
) -> CTE:
    """The truth of the whole rule, and the level, of each candidate; with `repeat`, that of its end."""
    records = candidates.relation
    joined: FromClause = records
    ends = [end] if end else []
    for table in (join for answer in (whole, *levels, *ends) for join in answer.joins):
        joined = joined.outerjoin(table, table.c.rown == records.c.rown)
    truth = least([records.c.of_truth, records.c.where_truth, whole.truth])
    holds = [least([records.c[f"level_{n}_truth"], answer.truth]) for n, answer in enumerate(levels, start=1)]
    level = _level(rule.levels, holds)
    answers = [truth.label("truth"), level.label("level"), *(one.truth.label("end_truth") for one in ends)]
    return select(records.c.rown, *answers).select_from(joined).cte("judged")


def _level(levels: Sequence[Level], truths: Sequence[Element]) -> Element:
    """The number of the most severe level that surely holds, the last of equals; 0: none."""
    if not levels:
        return literal(0, Integer())
    numbered = sorted(
        enumerate(levels, start=1), key=lambda item: (item[1].severity.rank, item[0]), reverse=True
    )
    return case(*((truths[number - 1] == 2, number) for number, _ in numbered), else_=0)


def _answered(series: FromClause, judged: CTE, *, repeats: bool) -> CTE:
    """Every record of the series with its answer; those that were no candidates are false."""
    told_apart = [item for item in series.c if item.name.startswith("series_")]
    end = func.coalesce(judged.c.end_truth, 0).label("end_truth") if repeats else None
    return (
        select(
            *(series.c[name] for name in RECORD),
            func.coalesce(judged.c.truth, 0).label("truth"),
            series.c.where_truth,
            series.c.clear_truth,
            case((judged.c.truth > 0, judged.c.level), else_=0).label("level"),
            *([] if end is None else [series.c.of_truth, end, *told_apart]),
        )
        .select_from(series.outerjoin(judged, judged.c.rown == series.c.rown))
        .cte("answered")
    )
