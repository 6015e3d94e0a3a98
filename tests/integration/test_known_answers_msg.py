"""MSG v2 with 175 answers that others computed: each is reached, from both formats, or says why not."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.snapshots import open_snapshot
from monitor.clinical.sql import connect, query
from monitor.config import load_settings
from monitor.database.lease import held, new_holder
from monitor.records import Actor
from monitor.usecases.alerts import list_alerts
from monitor.usecases.init import init
from monitor.usecases.load import load
from monitor.usecases.opening import Opened, open_monitor
from monitor.usecases.scan import RuleResult, scan
from tests.rulefolders import few_rules

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
ANSWERS = SHARED / "known_answer_samples" / "known_answers_msg_v2.csv"
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
ACTOR = Actor("tester", "test")
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")

CONFIG = """
[monitor]
stage = "test"
timezone = "UTC"
[mail]
transport = "folder"
sender = "monitor@example.org"
[[study]]
id = "MSG"
source = "{source}"
rules = ["generic", "romiplostim-aa", "known", "answers"]
ctcae = "5.0"
blinded = false
mail = "coded"
cutoff = "data"
[study.drugs.xanomeline]
names = ["ZANOMALINE", "PLACEBO"]
kind = "continuous"
[[route]]
severity = ["critical", "high", "medium", "low"]
to = ["officer@example.org"]
"""
RULE = """
id       = "{id}"
title    = "Known answer: platelets {sign} {limit}"
severity = "low"
action   = "None: a test of the reader."
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
where = "LBSTRESN {sign} {limit}"
"""
REPEAT = "repeat = {{ times = {times} }}\n"
TREATED = '[[with]]\nin = "EX"\nwindow = "start..0d"\nat = "start"\n'
PLATELETS = re.compile(
    r"subjects with PLAT (>=|>|<) (\d+)(?: x10\^9/L, ever| on (\d) consecutive results .*?\)),"
    r" (any time|on/after)"
)
EXAMPLE = """
[[example]]
name  = "as many as are asked for, and the nearest that are none"
data  = '''
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
{results}

USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-01 | 2026-01-01 | PLACEBO
02      | 2026-01-01 | 2026-01-01 | PLACEBO
'''
fires = ["01 2026-01-{last:02d}"]
"""
SIGNS = {">": "GT", ">=": "GE", "<": "LT"}

# An answer's question, and a word of its definition or group; the SQL that gives it.
AE, DS, EX, DM, LB = ("{AE}", "{DS}", "{EX}", "{DM}", "{LB}")
FLAGS = (
    "("
    + " OR ".join(f"{flag} = 'Y'" for flag in ("AESDTH", "AESLIFE", "AESHOSP", "AESDISAB", "AESCONG"))
    + ")"
)
FIRST = f"(SELECT USUBJID AS s, min(EXSTDTC) AS first, max(EXENDTC) AS last FROM {EX} GROUP BY 1)"
WITH_FIRST = f"{AE} a JOIN {FIRST} f ON f.s = a.USUBJID"
DOSES = (
    f"(SELECT USUBJID, CAST(EXDOSE AS DOUBLE) AS d, lag(CAST(EXDOSE AS DOUBLE)) OVER w AS p, EXSTDTC,"
    f" lag(EXENDTC) OVER w AS e FROM {EX} WINDOW w AS (PARTITION BY USUBJID ORDER BY EXSTDTC))"
)
SUBJECTS = "SELECT count(DISTINCT USUBJID) FROM"
DAY = "CAST(left({}, 10) AS DATE)"
LATE = f"date_diff('day', {DAY.format('e')}, {DAY.format('EXSTDTC')})"
AFTER = f"date_diff('day', {DAY.format('f.last')}, {DAY.format('a.AESTDTC')})"
IN_DM = f"JOIN {DM} m USING (USUBJID) WHERE"
OF_ARM = (
    f"{AE} a JOIN {FIRST} f ON f.s = a.USUBJID {IN_DM} m.ARM = '{{arm}}'"
    " AND left(AESTDTC, 10) >= left(f.first, 10)"
)
SQL: dict[tuple[str, str, str], str] = {
    ("N1", "all", ""): f"{SUBJECTS} {EX}",
    (
        "N1",
        "",
        "",
    ): f"SELECT count(DISTINCT e.USUBJID) FROM {EX} e JOIN {DM} m USING (USUBJID) WHERE m.ARM = '{{group}}'",
    ("Q1", "records", ""): f"SELECT count(*) FROM {AE} WHERE AEACN = 'DRUG WITHDRAWN'",
    ("Q1", "subjects", ""): f"{SUBJECTS} {AE} WHERE AEACN = 'DRUG WITHDRAWN'",
    ("Q1b", "records", ""): f"SELECT count(*) FROM {AE} WHERE AEACN IS NULL",
    ("Q2s", "", ""): f"SELECT count(*) FROM {AE} WHERE AESEV = '{{group}}'",
    ("Q2r", "", ""): f"SELECT count(*) FROM {AE} WHERE AEREL = '{{group}}'",
    ("Q2", "records", "AESER=Y"): f"SELECT count(*) FROM {AE} WHERE AESER = 'Y'",
    ("Q2", "subjects", "AESER=Y"): f"{SUBJECTS} {AE} WHERE AESER = 'Y'",
    (
        "Q2",
        "records",
        "AESER != Y",
    ): f"SELECT count(*) FROM {AE} WHERE AESER IS DISTINCT FROM 'Y' AND {FLAGS}",
    ("Q2", "records", "any seriousness"): f"SELECT count(*) FROM {AE} WHERE {FLAGS}",
    (
        "Q2",
        "",
        "planned ARM",
    ): f"SELECT count(*) FROM {AE} a JOIN {DM} m USING (USUBJID) WHERE AESER = 'Y' AND m.ARM = '{{group}}'",
    ("Q2d", "DM", ""): f"SELECT count(*) FROM {DM} WHERE DTHFL = 'Y'",
    ("Q2d", "AE", ""): f"{SUBJECTS} {AE} WHERE AESDTH = 'Y'",
    ("Q2d", "DS rows", ""): f"SELECT count(*) FROM {DS} WHERE DSDECOD = 'DEATH'",
    ("Q7", "", "undecidable"): f"SELECT count(*) FROM {AE} WHERE AEBODSYS ILIKE '%skin%'",
    ("Q7", "", ""): f"SELECT count(*) FROM {AE} WHERE AEBODSYS ILIKE '%skin%'",
    (
        "Q7t",
        "",
        "full start date on/after",
    ): f"SELECT count(*) FROM {WITH_FIRST} WHERE left(AESTDTC, 10) >= left(f.first, 10)",
    (
        "Q7t",
        "",
        "<= last dose + 30d",
    ): f"SELECT count(*) FROM {WITH_FIRST} WHERE left(AESTDTC, 10) >= left(f.first, 10) AND {AFTER} <= 30",
    ("Q7t", "", "> 30 d after"): f"SELECT count(*) FROM {WITH_FIRST} WHERE {AFTER} > 30",
    (
        "Q7t",
        "",
        "before first dose",
    ): f"SELECT count(*) FROM {WITH_FIRST} WHERE left(AESTDTC, 10) < left(f.first, 10)",
    ("Q8", "records", "missing EXENDTC"): f"SELECT count(*) FROM {EX} WHERE EXENDTC IS NULL",
    (
        "Q8",
        "subjects",
        "without any LB row",
    ): f"{SUBJECTS} {EX} WHERE USUBJID NOT IN (SELECT USUBJID FROM {LB})",
    ("Q9", "records", ""): f"SELECT count(*) FROM {DS} WHERE DSDECOD = 'ADVERSE EVENT'",
    ("Q9", "subjects", ""): f"{SUBJECTS} {DS} WHERE DSDECOD = 'ADVERSE EVENT'",
    (
        "Q9",
        "",
        "by ARM",
    ): (
        f"SELECT count(DISTINCT d.USUBJID) FROM {DS} d {IN_DM} DSDECOD = 'ADVERSE EVENT'"
        " AND m.ARM = '{group}'"
    ),
    ("Q10", "PLACEBO", ""): f"SELECT count(*) FROM {EX}",
    ("Q10", "rise", ""): f"{SUBJECTS} {DOSES} WHERE d > p",
    ("Q10", "fall", ""): f"{SUBJECTS} {DOSES} WHERE d < p",
    ("Q10", "records", "overlap"): f"SELECT count(*) FROM {DOSES} WHERE left(EXSTDTC, 10) <= left(e, 10)",
    ("Q10", "records", "dose gap"): f"SELECT count(*) FROM {DOSES} WHERE {LATE} > 1",
    (
        "Q10",
        "records",
        "Low-dose arm",
    ): f"SELECT count(*) FROM {EX} e {IN_DM} m.ARM LIKE '%Low%' AND CAST(EXDOSE AS DOUBLE) > 54",
    ("Q11", "", ">=1 AE"): f"SELECT count(DISTINCT a.USUBJID) FROM {OF_ARM}",
    ("Q11", "", ">=1 SEVERE"): f"SELECT count(DISTINCT a.USUBJID) FROM {OF_ARM} AND AESEV = 'SEVERE'",
}
UNREACHED = {
    (
        "Q2x",
        "",
    ): "a repeat by the dictionary's term, which these data leave blank: natural keys are of AETERM",
    ("Q2p", ""): "a count of precisions: partial dates are proved by the tests of dates",
    ("Q3", "baseline"): "a change from baseline: no rule that is shipped asks for it",
    ("Q4", "results, on/after"): "no shipped rule restricts Hy's law to results after the first dose",
    ("Q4", "TB2"): "no shipped rule looks at bilirubin alone",
    ("Q4", "subjects with ALT or AST"): "no shipped rule looks at multiples of the limit alone",
    ("Q4", "BILI 0..30"): "G-05 has a window of its own",
    ("Q4", "+/-30"): "G-05 has a window of its own",
    ("Q4", "any time"): "no shipped rule looks at all days together",
    ("Q4", "on/after first dose"): "no shipped rule restricts Hy's law to results after the first dose",
    ("Q5", ""): "no rule that is shipped asks for a change of creatinine from baseline",
    ("Q8", "days"): "a longest interval without a test: rules ask for single absences",
    ("Q11", "patient-years"): "exposure-adjusted rates are no rules",
}


@dataclass(frozen=True)
class Answer:
    """One given answer."""

    question: str
    group: str
    value: str
    said: str
    records: str

    def __str__(self) -> str:
        return f"{self.question} {self.group}: {self.said}"


def answers() -> list[Answer]:
    if not ANSWERS.is_file():
        return []
    with ANSWERS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [Answer(r["qid"], r["group"], r["value"], r["definition"], r["n_records"] or "") for r in rows]


@dataclass(frozen=True)
class Study:
    """MSG v2, loaded from one format and scanned."""

    opened: Opened
    results: dict[str, RuleResult]

    def subjects(self, rule: str) -> set[str]:
        alerts = list_alerts(self.opened, NOW, everything=True)
        return {each["subject"] for each in alerts if each["rule"] == rule and each["kind"] == "finding"}

    def ask(self, sql: str, **words: str) -> Any:
        snapshot = open_snapshot(self.opened.settings.data_dir, "MSG", 1)
        tables = {name: f"read_parquet('{path}')" for name, path in snapshot.tables.items()}
        with connect() as connection:
            return query(connection, sql.format(**tables, **words))[0][0]


def platelets(found: re.Match[str]) -> tuple[str, str]:
    """The rule for an answer about platelets: its id and its text."""
    sign, limit, times, when = found.groups()
    treated = when == "on/after"
    name = f"KB-{SIGNS[sign]}-{limit}-{times or 1}-{'T' if treated else 'A'}"
    count, near = int(times or 1), int(limit)
    values = (near + (sign != "<") - (sign == "<"), near - (sign == ">="))
    results = "\n".join(
        f"{number:02d} | 2026-01-{day:02d} | PLAT | {value} | 10^9/L"
        for number, value in enumerate(values, 1)
        for day in range(2, count + 2)
    )
    more = REPEAT.format(times=times) if times else ""
    rule = RULE.format(id=name, sign=sign, limit=limit) + more + (TREATED if treated else "")
    return name, rule + EXAMPLE.format(results=results, last=count + 1)


@pytest.fixture(scope="module", params=["json", "xpt"])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    folder = tmp_path_factory.mktemp(f"msg-{request.param}")
    few_rules(folder / "rules")
    shutil.copytree(ROOT / "tests" / "known" / "rules", folder / "rules", dirs_exist_ok=True)
    (folder / "rules" / "answers").mkdir()
    for answer in answers():
        found = PLATELETS.match(answer.said) if answer.question == "Q3" else None
        if found:
            name, text = platelets(found)
            (folder / "rules" / "answers" / f"{name}.toml").write_text(text)
    source = SHARED / "sdtm_msg_v2_datasetjson" / f"*.{request.param}"
    (folder / "config.toml").write_text(CONFIG.format(source=source), encoding="utf-8")
    settings = load_settings(folder / "config.toml", {})
    init(settings, NOW, ACTOR)
    opened = open_monitor(settings)
    with held(opened.engine, "MSG", new_holder()) as lease:
        load(opened, "MSG", NOW, ACTOR, lease)
        scanned = scan(opened, settings.study("MSG"), ACTOR, NOW, lease)
    yield Study(opened, {result.rule: result for result in scanned.results})
    opened.engine.dispose()


def reached(study: Study, answer: Answer) -> bool | None:
    """Whether an answer comes out; None when nothing here asks the question."""
    found = PLATELETS.match(answer.said) if answer.question == "Q3" else None
    if found:
        name, _ = platelets(found)
        records = study.results[name].fired if answer.records else None
        right = len(study.subjects(name)) == int(answer.value)
        return right and (records is None or records == int(float(answer.records)))
    if answer.question == "N0":
        return bool(study.ask(f"SELECT count(*) FROM {{{answer.group}}}") == int(answer.value))
    if (answer.question, answer.group) == ("Q3", "all"):
        result = study.results["KA-PLT-N"]
        return f"{result.fired};{result.subjects}" == answer.value
    if (answer.question, answer.group) == ("Q4", "same day") and "all results" in answer.said:
        return len(study.subjects("KA-HY")) == int(answer.value)
    by_reason = re.fullmatch(r"AEREL=(.*): (records|subjects)", answer.group)
    if answer.question == "Q1" and by_reason:
        counted = "*" if by_reason[2] == "records" else "DISTINCT USUBJID"
        where = f"AEACN = 'DRUG WITHDRAWN' AND AEREL = '{by_reason[1]}'"
        return bool(study.ask(f"SELECT count({counted}) FROM {AE} WHERE {where}") == int(answer.value))
    return by_sql(study, answer)


def by_sql(study: Study, answer: Answer) -> bool | None:
    arm = answer.group.split(" ", 1)[-1] if answer.group.startswith("N=") else answer.group
    for (question, group, word), sql in SQL.items():
        if answer.question == question and answer.group.startswith(group) and word in answer.said:
            if question == "Q11" and "patient-years" in answer.said:
                return None
            return bool(study.ask(sql, group=answer.group, arm=arm) == int(answer.value))
    return None


def reason(answer: Answer) -> str:
    """Why an answer is not reached."""
    of_it = f"{answer.group} {answer.said}"
    return next(
        (
            said
            for (question, word), said in UNREACHED.items()
            if question == answer.question and word in of_it
        ),
        "",
    )


def test_every_answer_comes_out_or_says_why_not(study: Study) -> None:
    given = answers()
    assert len(given) == 175
    outcomes = {(number, str(each)): reached(study, each) for number, each in enumerate(given)}
    assert [name for name, right in outcomes.items() if right is False] == []
    silent = [
        str(each)
        for number, each in enumerate(given)
        if outcomes[number, str(each)] is None and not reason(each)
    ]
    assert silent == []
    counted = Counter(outcomes.values())
    assert (counted[True], counted[None]) == (130, 45)


def test_the_shipped_rules_find_what_the_answers_say(study: Study) -> None:
    assert len(study.subjects("G-01")) == 4
    assert study.subjects("G-05") == set()
    assert study.results["KA-SER"].fired == 0
    assert len(study.subjects("KA-DS")) == 7
    assert len(study.subjects("KB-GT-400-1-A")) == len(study.subjects("KA-PLT-400")) == 2
