"""DAILY: one record per subject, study drug and day, with the day's total of what was given."""

from __future__ import annotations

from monitor.clinical.sql import columns, query, quoted, table_of
from monitor.clinical.units import factor
from monitor.derive.doses import LONGEST, frequencies
from monitor.derive.stage import Input, physical

ONE_DAY = "DAY_LO = DAY_HI AND END_LO = END_HI AND END_LO = DAY_LO"
# Begun on one known day, and taken all the time from then on: to its end, else as far as the data reach.
LASTS = (
    "DAY_LO = DAY_HI AND DRUGKIND = 'continuous' AND NOT coalesce(END_HI = DAY_LO, false)"
    " AND (END_HI IS NULL OR END_LO = END_HI)"
)


def add_daily(given: Input) -> None:
    """Make `final_DAILY` from `final_DOSE`.

    A day's total is missing when one of its doses is, when it is not known whether one was given,
    or when they are in units that can't be added. An interval that was not expanded is spread over
    its days only for a drug that is taken continuously: to its end, an open one to the day that the
    data reach (LONGEST days at most); the total is missing where the frequency is not known. What
    else has no one day stays a record of its own, as in DOSE.
    """
    frequencies(given)
    _doses(given)
    _ends(given)
    _spread(given)
    _factors(given)
    total = {name: _total(name) for name in ("DOSE", "DOSEKG")}
    query(
        given.connection,
        "CREATE OR REPLACE TEMP TABLE totals AS SELECT day, min(s.ROWN) AS first, count(*) AS parts,"
        f" {', '.join(f'{sql} AS {name}' for name, sql in total.items())},"
        " left(sha256(string_agg(VERSION, ',' ORDER BY s.ROWN)), 32) AS VERSION, max(RECEIVED) AS RECEIVED,"
        " any_value(s.target) AS UNIT FROM (SELECT *, first_value(UNIT) OVER"
        " (PARTITION BY USUBJID, DRUG, day, alone ORDER BY ROWN) AS target FROM spread) s"
        " LEFT JOIN dose_factors f ON f.unit IS NOT DISTINCT FROM s.UNIT"
        " AND f.target IS NOT DISTINCT FROM s.target GROUP BY USUBJID, DRUG, day, alone",
    )
    there = physical("DOSE")
    made = _made()
    listed = ", ".join(
        f"{made.get(name, f'd.{quoted(name)}')} AS {quoted(name)}"
        for name in physical("DAILY")
        if name != "ROWN" and (name in made or name in there)
    )
    order = "USUBJID, DAY_LO NULLS LAST, DAY_HI NULLS LAST, first"
    query(
        given.connection,
        f"CREATE TEMP TABLE final_DAILY AS SELECT row_number() OVER (ORDER BY {order}) - 1 AS ROWN,"
        f" * EXCLUDE (first) FROM (SELECT {listed}, t.first FROM totals t"
        " JOIN doses d ON d.ROWN = t.first) ORDER BY ROWN",
    )


def _doses(given: Input) -> None:
    """The table `doses`: DOSE with all of its columns; what was not made is null."""
    there = columns(given.connection, "final_DOSE")
    listed = ", ".join(
        quoted(column) if column in there else f"CAST(NULL AS {kind}) AS {quoted(column)}"
        for column, kind in physical("DOSE").items()
    )
    query(given.connection, f"CREATE OR REPLACE TEMP VIEW doses AS SELECT {listed} FROM final_DOSE")


def _ends(given: Input) -> None:
    """The table `ends`: to which day the data of each site reach, "" for sites that are not named."""
    rows = sorted(given.ends.items())
    table_of(given.connection, "ends", {"site": "VARCHAR", "last": "INTEGER"}, rows)


def _spread(given: Input) -> None:
    """Make `spread`: each dose on each of its days, with how often it was given on it (null: not known).

    `alone` is the dose's row where it has no one day, and can't be added to others.
    """
    last = f"least(coalesce(END_HI, last), DAY_LO + {LONGEST})"
    step = "CASE WHEN END_HI IS NULL THEN coalesce(step, 1) ELSE 1 END"
    # An interval that has ended and was not expanded is one whose frequency is not known.
    often = "CASE WHEN END_HI IS NULL THEN times END"
    lasting = f"{LASTS} AND coalesce(END_HI, last) >= DAY_LO"
    single = f"{ONE_DAY} OR (DRUGKIND = 'single' AND DAY_LO = DAY_HI)"
    open_ = "DAY_LO = DAY_HI AND END_HI IS NULL"
    # From a day to the same day, without a time: given as often as its frequency says.
    whole_day = f"{ONE_DAY} AND KEY NOT LIKE '%/%' AND SECOND IS NULL AND DOSEENDTC IS NOT NULL"
    query(
        given.connection,
        "CREATE OR REPLACE TEMP TABLE spread AS WITH given AS ("
        " SELECT d.*, q.times, q.step, coalesce(own.last, others.last) AS last FROM doses d"
        " LEFT JOIN frequencies q ON q.frequency = upper(d.DOSEFRQ)"
        " LEFT JOIN ends own ON own.site = d.SITEID LEFT JOIN ends others ON others.site = ''"
        " WHERE d.VALID AND coalesce(d.GIVEN, 'Y') = 'Y')"
        f" SELECT *, {often} AS often, NULL AS alone,"
        f" CAST(unnest(range(DAY_LO, {last} + 1, {step})) AS INTEGER) AS day FROM given WHERE {lasting}"
        f" UNION ALL SELECT *, CASE WHEN {whole_day} THEN coalesce(times, 1)"
        f" WHEN {single} OR DAY_LO IS DISTINCT FROM DAY_HI OR ({open_}) THEN 1 END,"
        f" CASE WHEN NOT coalesce({single}, false) THEN ROWN END,"
        f" CASE WHEN {single} THEN DAY_LO END FROM given WHERE NOT coalesce({lasting}, false)",
    )


def _factors(given: Input) -> None:
    """The table `dose_factors`: what doses in one unit are multiplied by to be in another."""
    held = [row[0] for row in query(given.connection, "SELECT DISTINCT UNIT FROM spread ORDER BY UNIT")]
    rows = [
        (unit, target, 1.0 if unit == target else factor(None, unit, target))
        for unit in held
        for target in held
        if unit == target or (unit and target)
    ]
    kinds = {"unit": "VARCHAR", "target": "VARCHAR", "factor": "DOUBLE"}
    table_of(given.connection, "dose_factors", kinds, rows)


def _total(name: str) -> str:
    """SQL of a day's total; missing as soon as one part is."""
    part = f"CASE WHEN GIVEN = 'Y' THEN {name} * often * f.factor END"
    return f"CASE WHEN count(*) = count({part}) THEN digits(sum({part})) END"


def _made() -> dict[str, str]:
    """SQL of the columns of a day; what has no one day keeps those of its dose."""
    date = "strftime(DATE '1970-01-01' + t.day, '%Y-%m-%d')"
    natural = (
        "d.USUBJID || chr(31) || coalesce(d.DRUG, '') || chr(31) || coalesce(CAST(t.day AS VARCHAR), d.KEY)"
    )
    first = "d.RFSTDT_LO"
    study_day = f"CAST(t.day - {first} + CASE WHEN t.day >= {first} THEN 1 ELSE 0 END AS DOUBLE)"
    made = {
        "KEY": f"'DAILY-' || left(sha256({natural}), 16)",
        "VERSION": "t.VERSION",
        "RECEIVED": "t.RECEIVED",
        "UNIT": "t.UNIT",
        "SECOND": "CAST(NULL AS INTEGER)",
        "DOSE": "t.DOSE",
        "DOSEKG": "t.DOSEKG",
        "DAILYU": "CASE WHEN t.parts = 1 THEN d.DOSEU ELSE t.UNIT END",
        "DAILYDTC": f"coalesce({date}, d.DOSEDTC)",
        "DAILYDY": f"CASE WHEN t.day IS NULL THEN d.DOSEDY WHEN {first} = d.RFSTDT_HI THEN {study_day} END",
    }
    for bound in ("LO", "HI"):
        made |= {f"{each}_{bound}": f"coalesce(t.day, d.{each}_{bound})" for each in ("DAY", "END")}
        made |= {f"{each}_{bound}": f"coalesce(t.day, d.DAY_{bound})" for each in ("DT", "DAILYDT")}
    # A day has ended; a record without one day may go on.
    made["END_HI"] = "CASE WHEN t.day IS NULL THEN d.END_HI ELSE t.day END"
    return made
