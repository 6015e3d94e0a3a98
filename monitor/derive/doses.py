"""DOSE: one record per administration, from EC, else from EX, intervals expanded."""

from __future__ import annotations

from collections.abc import Collection

from monitor.clinical.domains import columns_of
from monitor.clinical.sql import columns, query, quoted, table_of
from monitor.derive.stage import Input
from monitor.derive.weights import weights
from monitor.records import Kind

# CDISC FREQ: administrations a day, and days from one to the next.
FREQUENCIES = {
    "QD": (1, 1),
    "BID": (2, 1),
    "TID": (3, 1),
    "QID": (4, 1),
    "Q24H": (1, 1),
    "Q12H": (2, 1),
    "Q8H": (3, 1),
    "Q6H": (4, 1),
    "QAM": (1, 1),
    "QPM": (1, 1),
    "QHS": (1, 1),
    "DAILY": (1, 1),
    "QOD": (1, 2),
    "Q2D": (1, 2),
    "Q48H": (1, 2),
    "QW": (1, 7),
    "WEEKLY": (1, 7),
    "EVERY WEEK": (1, 7),
    "1 TIME PER WEEK": (1, 7),
    "Q2W": (1, 14),
    "EVERY 2 WEEKS": (1, 14),
    "Q3W": (1, 21),
    "EVERY 3 WEEKS": (1, 21),
    "Q4W": (1, 28),
    "EVERY 4 WEEKS": (1, 28),
}
LONGEST = 3660  # days: a longer interval is rather a wrong year, and stays one record


def source_of(given: Input) -> str:
    """EC when it has records, else EX; "" when neither was received."""
    for name in ("EC", "EX"):
        if name in given.columns and query(
            given.connection, f"SELECT 1 FROM {quoted('stage_' + name)} LIMIT 1"
        ):
            return name
    return next((name for name in ("EX", "EC") if name in given.columns), "")


def administer(given: Input) -> str:
    """Make `administrations` and `first_doses`; gives the domain that they come from, or "".

    Rows of DOSE that were written by hand are administrations already.
    """
    source = "DOSE" if "DOSE" in given.columns else source_of(given)
    if source == "DOSE":
        rows = "SELECT * REPLACE (coalesce(DRUGKIND, '') AS DRUGKIND) FROM stage_DOSE"
        query(given.connection, f"CREATE TEMP TABLE administrations AS {rows}")
    elif source:
        expand(given, source)
    first_doses(given, exposure=bool(source))
    return source


def add_doses(given: Input, source: str) -> None:
    """Make `final_DOSE`; needs `final_VS` when vital signs were received, for the weights."""
    if source != "DOSE":
        weights(given)
        stage_doses(given, source)
    finish(given)


def expand(given: Input, name: str) -> None:
    """Make `administrations`: dated rows of DOSE with drug, dose and GIVEN, before weights.

    An interval with a known frequency becomes one row per administration; its KEY is that of
    the received record, "/" and the day. Everything else stays one row: a single date, a
    partial date, an interval that has not ended, a frequency that is not known. The last, of a
    drug given in single doses, has a further row for what was given later: on some day of the rest.
    """
    connection = given.connection
    _drugs(given)
    frequencies(given)
    whole = "r.DAY_LO = r.DAY_HI AND r.END_LO = r.END_HI AND r.END_LO > r.DAY_LO"
    step = f"CASE WHEN {whole} AND r.END_LO - r.DAY_LO <= {LONGEST} THEN q.step END"
    query(
        connection,
        f"CREATE OR REPLACE TEMP TABLE intervals AS SELECT r.*, {step} AS step, q.times,"
        f" coalesce(g.drug, r.{quoted(name + 'TRT')}) AS DRUG, g.kind AS DRUGKIND,"
        f" {_given(name)} AS GIVEN FROM {quoted('stage_' + name)} r"
        f" LEFT JOIN frequencies q ON q.frequency = upper(r.{quoted(name + 'DOSFRQ')})"
        f" LEFT JOIN drugs g ON g.name = lower(trim(r.{quoted(name + 'TRT')})) WHERE {_performed(name)}",
    )
    days = (
        "SELECT *, CAST(NULL AS INTEGER) AS day FROM intervals WHERE step IS NULL UNION ALL"
        f" {_later_doses(name)} WHERE {whole} UNION ALL"
        " SELECT *, CAST(unnest(range(DAY_LO, END_LO + 1, step)) AS INTEGER) AS day FROM intervals"
        " WHERE step IS NOT NULL"
    )
    times = "range(CASE WHEN step IS NULL THEN 1 ELSE times END)"
    query(
        connection,
        f"CREATE OR REPLACE TEMP TABLE administrations AS SELECT *, unnest({times}) AS time FROM ({days})",
    )


def frequencies(given: Input) -> None:
    """Make `frequencies`: how often a day, and every how many days, each known EXDOSFRQ means."""
    table_of(
        given.connection,
        "frequencies",
        {"frequency": "VARCHAR", "times": "INTEGER", "step": "INTEGER"},
        [(frequency, *steps) for frequency, steps in FREQUENCIES.items()],
    )


def _later_doses(name: str) -> str:
    """SQL of a row for the later doses of an interval whose frequency is not known: on some day of the rest.

    Of a drug that is given in single doses; one that is given once has no later doses.
    """
    rest = (
        "KEY || '/rest' AS KEY, DAY_LO + 1 AS DAY_LO, END_LO AS DAY_HI, DAY_LO + 1 AS END_LO,"
        f" NULL AS SECOND, DAY_LO + 1 AS {name}STDT_LO, END_LO AS {name}STDT_HI"
    )
    again = f"coalesce(upper(r.{name}DOSFRQ), '') <> 'ONCE'"
    several = f"SELECT * FROM intervals r WHERE step IS NULL AND DRUGKIND = 'single' AND {again}"
    return f"SELECT * REPLACE ({rest}), NULL AS day FROM ({several}) r"


def _drugs(given: Input) -> None:
    """The table `drugs`: each name of a study drug, the drug and its kind."""
    rows = [
        (name.strip().casefold(), drug, settings.kind)
        for drug, settings in given.study.drugs.items()
        for name in settings.names
    ]
    table_of(given.connection, "drugs", {"name": "VARCHAR", "drug": "VARCHAR", "kind": "VARCHAR"}, rows)


def _performed(name: str) -> str:
    """SQL: not a dose that was only scheduled."""
    return f"coalesce(upper(r.{name}MOOD), '') <> 'SCHEDULED'" if name == "EC" else "true"


def _given(name: str) -> str:
    """SQL of GIVEN: Y; HELD when it was not given, or zero, for a stated reason; N without one.

    A placebo's dose of 0 is given. Without a dose and without a word on it: null.
    """
    dose, treatment = f"r.{name}DOSE", f"r.{name}TRT"
    reason = f"coalesce(r.{name}ADJ, r.{name}REASND, r.{name}REASOC) IS NOT NULL"
    absent = f"upper(r.{name}OCCUR) = 'N' OR upper(r.{name}STAT) = 'NOT DONE'"
    placebo = f"coalesce({treatment} ILIKE '%placebo%', false)"
    return (
        f"CASE WHEN {absent} OR ({dose} = 0 AND NOT {placebo})"
        f" THEN CASE WHEN {reason} THEN 'HELD' ELSE 'N' END"
        f" WHEN {dose} IS NOT NULL OR r.{name}DOSTXT IS NOT NULL OR upper(r.{name}OCCUR) = 'Y' THEN 'Y' END"
    )


def first_doses(given: Input, *, exposure: bool) -> None:
    """Make `first_doses` from `administrations`: the first day on which each drug was given.

    When the study declares its drugs, only those count. Without any `exposure` received, the
    day is DM's RFXSTDTC.
    """
    known = "AND DRUGKIND IS NOT NULL" if given.study.drugs else ""
    source = (
        "SELECT USUBJID, DRUG, DAY_LO AS DAY, SECOND FROM administrations"
        f" WHERE GIVEN = 'Y' AND DAY_LO IS NOT NULL {known}"
        " QUALIFY row_number() OVER (PARTITION BY USUBJID, DRUG ORDER BY DAY_LO, SECOND NULLS FIRST) = 1"
    )
    if not exposure:
        source = "SELECT USUBJID, NULL AS DRUG, RFXSTDTC_LO AS DAY, NULL AS SECOND FROM subjects"
    query(
        given.connection,
        "CREATE TEMP TABLE first_doses AS SELECT USUBJID, CAST(DRUG AS VARCHAR) AS DRUG,"
        " CAST(DAY AS INTEGER) AS DAY, CAST(SECOND AS INTEGER) AS SECOND"
        f" FROM ({source}) WHERE DAY IS NOT NULL",
    )


def stage_doses(given: Input, name: str) -> None:
    """Make `stage_DOSE` from `administrations`: what `stage` makes of a received domain."""
    made = _columns(name, columns(given.connection, quoted(f"stage_{name}")))
    listed = ", ".join(f"{sql} AS {quoted(column)}" for column, sql in made.items())
    order = "USUBJID, DAY_LO NULLS LAST, SECOND NULLS FIRST, DAY_HI NULLS LAST, SOURCE_ROWN, day, time"
    query(
        given.connection,
        f"CREATE TEMP TABLE stage_DOSE AS SELECT row_number() OVER (ORDER BY {order}) - 1 AS ROWN,"
        f" * EXCLUDE (SOURCE_ROWN, day, time) FROM (SELECT {listed}, a.ROWN AS SOURCE_ROWN, a.day, a.time"
        " FROM administrations a LEFT JOIN weights w ON w.USUBJID = a.USUBJID AND (w.since IS NULL"
        " OR (coalesce(a.day, a.DAY_LO) >= w.since AND coalesce(a.day, a.DAY_HI) < w.until))) ORDER BY ROWN",
    )


def _columns(name: str, there: Collection[str]) -> dict[str, str]:
    """SQL of each column of DOSE from an administration; of others', those that are there."""
    date = "strftime(DATE '1970-01-01' + a.day, '%Y-%m-%d')"
    dose, per = f"a.{name}DOSE", "a.UNIT LIKE '%/kg'"
    made = {
        "KEY": "a.KEY || CASE WHEN a.day IS NULL THEN '' ELSE '/' || (a.day - a.DAY_LO) END"
        " || CASE WHEN a.time = 0 THEN '' ELSE '.' || a.time END",
        **{same: f"a.{same}" for same in ("VERSION", "RECEIVED", "SOURCE")},
        "VALID": "true",
        "UNIT": "replace(a.UNIT, '/kg', '')",
        "ANALYTE": "upper(a.DRUG)",
        "DAY_LO": "coalesce(a.day, a.DAY_LO)",
        "DAY_HI": "coalesce(a.day, a.DAY_HI)",
        "END_LO": "coalesce(a.day, a.END_LO)",
        "END_HI": "coalesce(a.day, a.END_HI)",
        "SECOND": "CASE WHEN a.day IS NULL OR (a.day = a.DAY_LO AND a.time = 0) THEN a.SECOND END",
        "DRUG": "a.DRUG",
        "DRUGKIND": "a.DRUGKIND",
        "TRT": f"a.{name}TRT",
        "GIVEN": "a.GIVEN",
        "REASON": f"coalesce(a.{name}ADJ, a.{name}REASND, a.{name}REASOC)",
        "DOSEU": f"a.{name}DOSU",
        "DOSEFRQ": f"a.{name}DOSFRQ",
        "DOSEDTC": f"CASE WHEN a.day IS NULL THEN a.{name}STDTC ELSE {date} END",
        "DOSEENDTC": f"CASE WHEN a.day IS NULL THEN a.{name}ENDTC ELSE {date} END",
        "DOSE": f"CASE WHEN {per} THEN {dose} * w.kg ELSE {dose} END",
        "DOSEKG": f"CASE WHEN {per} THEN {dose} ELSE digits({dose} / w.kg) END",
        "WEIGHT": "w.kg",
        "LEVEL": "CAST(NULL AS DOUBLE)",
        "PREVLEVEL": "CAST(NULL AS DOUBLE)",
        "DOSEDY": f"CASE WHEN a.day IS NULL THEN a.{name}STDY ELSE {_study_day()} END",
        "DOSEENDY": f"CASE WHEN a.day IS NULL THEN a.{name}ENDY ELSE {_study_day()} END",
    }
    for column, part in (("DOSEDT", "ST"), ("DT", "ST"), ("DOSEENDT", "EN")):
        for bound in ("LO", "HI"):
            made[f"{column}_{bound}"] = f"coalesce(a.day, a.{name}{part}DT_{bound})"
    for column, kind in columns_of("DOSE").items():
        names = [f"{column}_LO", f"{column}_HI"] if kind is Kind.DATE else [column]
        made |= {each: f"a.{quoted(each)}" for each in names if each not in made and each in there}
    return made


def _study_day() -> str:
    """SQL of the study day of an administration's own day."""
    first = "a.RFSTDT_LO"
    later = f"CASE WHEN a.day >= {first} THEN 1 ELSE 0 END"
    return f"CASE WHEN {first} = a.RFSTDT_HI THEN CAST(a.day - {first} + {later} AS DOUBLE) END"


def finish(given: Input) -> None:
    """Make `final_DOSE` from `stage_DOSE`: LEVEL and PREVLEVEL, where they are not given.

    LEVEL is DOSEKG to the nearest 0.1, or 0.0001 where it is below 1 (mg in place of ug).
    PREVLEVEL is the level of the drug's last dose before that was given.
    """
    level = "coalesce(LEVEL, round(DOSEKG, CASE WHEN DOSEKG < 1 THEN 4 ELSE 1 END))"
    query(
        given.connection,
        "CREATE TEMP TABLE final_DOSE AS SELECT * EXCLUDE (LEVEL, PREVLEVEL, level_), level_ AS LEVEL,"
        " coalesce(PREVLEVEL, last_value(CASE WHEN GIVEN = 'Y' AND level_ > 0 THEN level_ END IGNORE NULLS)"
        " OVER (PARTITION BY USUBJID, DRUG ORDER BY ROWN ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))"
        f" AS PREVLEVEL FROM (SELECT *, {level} AS level_ FROM stage_DOSE) ORDER BY ROWN",
    )
