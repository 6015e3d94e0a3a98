"""RELATION: which records belong together, one row for each pair of them in both directions.

Made from RELREC (SDTMIG 3.4, section 8.2). A line with an IDVARVAL names records of one subject:
all records of one subject's RELID are related to each other. A line without IDVARVAL relates
datasets: records whose identifying values (such as AELNKID and FALNKGRP) are equal.
Records that derivation makes of others are related as those are: DOSE as EX or EC, AEDRUG as AE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import query, quoted, text
from monitor.clinical.supplements import same_text
from monitor.derive.stage import Input

RELATION = "RELATION"
COLUMNS = ("ROWN", "USUBJID", "DOMAIN_A", "ROW_A", "DOMAIN_B", "ROW_B")
OF = {"EX": "DOSE", "EC": "DOSE", "AE": "AEDRUG"}  # the derived domain whose keys are its source's
NONE = "SELECT '' AS relid, 0 AS line, '' AS usubjid, '' AS value, '' AS key"


def add_relations(given: Input, final: Mapping[str, str]) -> str:
    """Make the table `final_RELATION`, empty without RELREC; gives its name.

    `final` are the finished tables of the domains.
    """
    members = [f"{NONE} WHERE false", *_members(given)]
    query(given.connection, f"CREATE TEMP TABLE related AS {' UNION ALL '.join(members)}")
    places = " UNION ALL ".join(_places(final)) or "SELECT '', '', 0 WHERE false"
    query(
        given.connection,
        f"CREATE TEMP TABLE places AS SELECT * FROM ({places}) p(domain, key, rown)"
        " WHERE key IN (SELECT key FROM related)",
    )
    query(
        given.connection,
        "CREATE TEMP TABLE final_RELATION AS WITH pairs AS (SELECT DISTINCT a.usubjid AS USUBJID,"
        " pa.domain AS DOMAIN_A, pa.rown AS ROW_A, pb.domain AS DOMAIN_B, pb.rown AS ROW_B"
        " FROM related a JOIN related b ON a.relid = b.relid AND a.usubjid = b.usubjid"
        " AND a.value IS NOT DISTINCT FROM b.value AND a.key <> b.key"
        " AND (a.value IS NULL OR a.line <> b.line)"
        " JOIN places pa ON pa.key = a.key JOIN places pb ON pb.key = b.key)"
        " SELECT row_number() OVER (ORDER BY USUBJID, DOMAIN_A, ROW_A, DOMAIN_B, ROW_B) - 1 AS ROWN,"
        " CAST(USUBJID AS VARCHAR) AS USUBJID, CAST(DOMAIN_A AS VARCHAR) AS DOMAIN_A,"
        " CAST(ROW_A AS BIGINT) AS ROW_A, CAST(DOMAIN_B AS VARCHAR) AS DOMAIN_B,"
        " CAST(ROW_B AS BIGINT) AS ROW_B FROM pairs ORDER BY ROWN",
    )
    return "final_RELATION"


def _members(given: Input) -> Iterator[str]:
    """SQL for each dataset and identifying variable of RELREC: the records that its lines name."""
    if not all(given.has("RELREC", column) for column in ("RDOMAIN", "RELID", "IDVAR")):
        return
    named = query(
        given.connection,
        "SELECT DISTINCT upper(RDOMAIN), upper(IDVAR) FROM in_RELREC WHERE IDVAR IS NOT NULL ORDER BY 1, 2",
    )
    value = "IDVARVAL" if given.has("RELREC", "IDVARVAL") else "NULL"
    for domain, variable in named:
        if domain in DOMAINS and given.has(domain, variable):
            own = same_text("d." + quoted(variable), domain, variable)
            lines = (
                f"(SELECT RELID AS relid, row_number() OVER () AS line, USUBJID, {value} AS said,"
                " upper(RDOMAIN) AS rdomain, upper(IDVAR) AS idvar FROM in_RELREC) r"
            )
            begin = f"SELECT r.relid, r.line, d.USUBJID AS usubjid, {{}} AS value, d.KEY AS key FROM {lines}"
            joined = f"JOIN {quoted('in_' + domain)} d ON"
            where = f"WHERE r.rdomain = {text(domain)} AND r.idvar = {text(variable)} AND r.said IS"
            same = f"r.USUBJID = d.USUBJID AND {same_text('r.said', domain, variable)} = {own}"
            yield f"{begin.format('NULL')} {joined} {same} {where} NOT NULL"
            either = f"{own} IS NOT NULL AND (r.USUBJID IS NULL OR r.USUBJID = d.USUBJID)"
            yield f"{begin.format(own)} {joined} {either} {where} NULL"


def _places(final: Mapping[str, str]) -> Iterator[str]:
    """SQL for where the records are: domain, key of the record as received, row."""
    for domain, table in final.items():
        if domain in OF.values():  # an administration of an interval: the record's key, "/" and days
            yield f"SELECT {text(domain)}, split_part(KEY, '/', 1), ROWN FROM {table}"
        elif domain != "RELREC":
            yield f"SELECT {text(domain)}, KEY, ROWN FROM {table}"
