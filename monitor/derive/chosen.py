"""Which value is the baseline of a subject's series: by default, and as [study.baseline] says."""

from __future__ import annotations

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.clinical.sql import quoted, text
from monitor.config import BaselineSettings
from monitor.config.models import FreeOfSettings
from monitor.derive.stage import Input

NOTHING = "CAST(NULL AS DOUBLE) AS original, CAST(NULL AS VARCHAR) AS original_unit"
# The texts of a record that say what was given, done or seen.
SAID = ("TRT", "MODIFY", "DECOD", "TERM")


def chosen(given: Input, name: str) -> str:
    """SQL of one baseline per subject and series.

    Columns: USUBJID, the series, value, UNIT, original, original_unit, low and high (its limits),
    word (its indicator), note (null, or why it is not the baseline that was asked for).
    """
    special = {test.upper(): settings for test, settings in given.study.baseline.items()}
    own = f"upper({quoted(name + 'TESTCD')})"
    listed = ", ".join(text(test) for test in special)
    parts = [_one(given, name, BaselineSettings(), f"{own} NOT IN ({listed})" if special else "true")]
    for test, settings in special.items():
        parts.append(_one(given, name, settings, f"{own} = {text(test)}"))
    return " UNION ALL ".join(f"({part})" for part in parts)


def _series(name: str) -> str:
    return ", ".join(quoted(column) for column in DOMAINS[name].series)


def _one(given: Input, name: str, settings: BaselineSettings, where: str) -> str:
    """SQL of the baselines of the tests that `where` names."""
    if settings.given:
        return _given(name, settings, where)
    series, rows = _series(name), _candidates(given, name, settings, where)
    group = f"USUBJID, {series}"
    best = f"SELECT * FROM ({rows}) QUALIFY rank() OVER (PARTITION BY {group} ORDER BY tier) = 1"
    note = _note(settings)
    if settings.choose == "median":
        return (
            f"SELECT {group}, median(value) AS value, any_value(UNIT) AS UNIT, {NOTHING},"
            " arg_max(low, ROWN) AS low, arg_max(high, ROWN) AS high, CAST(NULL AS VARCHAR) AS word,"
            f" {note} AS note FROM ({best}) GROUP BY {group}, tier HAVING count(DISTINCT UNIT) = 1"
        )
    order = "value, ROWN" if settings.choose == "lowest" else "ROWN DESC"
    # One pass: the tier first, then what is chosen within it.
    return (
        f"SELECT {group}, value, UNIT, original, original_unit, low, high, word, {note} AS note FROM ({rows})"
        f" QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY tier, {order}) = 1"
    )


def _candidates(given: Input, name: str, settings: BaselineSettings, where: str) -> str:
    """SQL of the values that can be a baseline, each with its tier: 0 is as asked for, 3 the farthest.

    A value of the day of the dose counts as before it unless both times are known and it is later.
    """
    before = "v.DAY_HI < {0}.DAY OR (v.DAY_HI = {0}.DAY AND NOT coalesce(v.SECOND > {0}.SECOND, false))"
    value = f"v.{quoted(name + 'STRESN')}"
    early, joins = before.format("d"), f"JOIN ({_first(settings.before)}) d ON d.USUBJID = v.USUBJID"
    timely = "true"
    if settings.otherwise:
        late = before.format("e")
        joins = f"LEFT {joins} LEFT JOIN ({_first(settings.otherwise)}) e ON e.USUBJID = v.USUBJID"
        timely, early = f"coalesce({early}, false)", f"coalesce({early}, false) OR coalesce({late}, false)"
    free = _free(given, settings.free_of) if settings.free_of else "true"
    tier = f"CASE WHEN {timely} THEN 0 ELSE 2 END + CASE WHEN {free} THEN 0 ELSE 1 END"
    series = ", ".join(f"v.{quoted(column)}" for column in DOMAINS[name].series)
    return (
        f"SELECT v.USUBJID, {series}, v.ROWN, {value} AS value, v.UNIT,"
        f" num(v.{quoted(name + 'ORRES')}) AS original, v.{quoted(name + 'ORRESU')} AS original_unit,"
        f" v.{quoted(name + 'STNRLO')} AS low, v.{quoted(name + 'STNRHI')} AS high,"
        f" v.{quoted(name + 'NRIND')} AS word, {tier} AS tier FROM {quoted('stage_' + name)} v {joins}"
        f" WHERE v.VALID AND {value} IS NOT NULL AND ({early}) AND {where}"
    )


def _first(drug: str) -> str:
    """SQL of each subject's first dose, of one drug or of any study drug."""
    wanted = f"DRUG = {text(drug)}" if drug else "true"
    return (
        "SELECT USUBJID, min(DAY) AS DAY,"
        " arg_min(SECOND, DAY * 86400::BIGINT + coalesce(SECOND, 0)) AS SECOND"
        f" FROM first_doses WHERE {wanted} GROUP BY USUBJID"
    )


def _free(given: Input, settings: FreeOfSettings) -> str:
    """SQL: whether value `v` is surely free of such records on its day and the days before.

    A domain that was not received can't be said to be free of anything.
    """
    if any(name not in given.columns for name in settings.records):
        return "false"
    return " AND ".join(f"NOT EXISTS ({_disturbing(given, name, settings)})" for name in settings.records)


def _disturbing(given: Input, name: str, settings: FreeOfSettings) -> str:
    """SQL of the records of a domain that may lie in the days before `v`.

    One without an end lasts as long as its kind says: an event goes on, a treatment is given once
    unless it is said to be ongoing.
    """
    said = [f"t.{quoted(name + part)}" for part in SAID if given.has(name, name + part)]
    texts = f"lower(concat_ws(' ', {', '.join(said)}))" if said else "''"
    words = " OR ".join(f"contains({texts}, {text(word.strip().lower())})" for word in settings.words)
    going = "true" if DOMAINS[name].record_class is RecordClass.EVENTS else "false"
    if given.has(name, f"{name}ENRF"):
        going = f"({going} OR coalesce(upper(t.{quoted(name + 'ENRF')}) IN ('ONGOING', 'AFTER'), false))"
    end = f"coalesce(t.END_HI, CASE WHEN NOT {going} THEN t.DAY_HI END, 2147483647)"
    return (
        f"SELECT 1 FROM {quoted('stage_' + name)} t WHERE t.USUBJID = v.USUBJID AND t.VALID"
        f" AND ({words or 'true'}) AND coalesce(t.DAY_LO, -2147483648) <= v.DAY_HI"
        f" AND {end} >= v.DAY_LO - {settings.days}"
    )


def _note(settings: BaselineSettings) -> str:
    """SQL of what is said of a baseline that is not the one asked for."""
    if not settings.otherwise and settings.free_of is None:
        return "CAST(NULL AS VARCHAR)"
    # Without the drug's name: in a blinded study it would tell who gets it.
    late = "no value before the first dose that was asked for"
    free = settings.free_of
    what = ", ".join(free.words) or "any" if free else ""
    unfree = f"not free of {what} ({', '.join(free.records)}) in the {free.days} days before" if free else ""
    notes = {1: unfree, 2: late, 3: f"{late}, and {unfree}"}
    cases = " ".join(f"WHEN {tier} THEN {text(note)}" for tier, note in notes.items())
    return f"CASE tier {cases} END"


def _given(name: str, settings: BaselineSettings, where: str) -> str:
    """SQL of the baselines that the study states, in the unit of the subject's results.

    They count within the limits of the subject's first result.
    """
    values = ", ".join(
        f"({text(subject)}, CAST({value!r} AS DOUBLE))" for subject, value in settings.given.items()
    )
    series = _series(name)
    limits = ", ".join(
        f"arg_min(v.{quoted(f'{name}STNR{end}')}, v.ROWN) AS {alias}"
        for end, alias in (("LO", "low"), ("HI", "high"))
    )
    return (
        f"SELECT v.USUBJID, {series}, g.value, any_value(UNIT) AS UNIT, {NOTHING}, {limits},"
        " CAST(NULL AS VARCHAR) AS word, CAST(NULL AS VARCHAR) AS note"
        f" FROM {quoted('stage_' + name)} v JOIN (VALUES {values}) g(subject, value)"
        f" ON g.subject = v.USUBJID WHERE {where} GROUP BY v.USUBJID, {series}, g.value"
    )
