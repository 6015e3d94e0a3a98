"""Rule files: what loads, and what is refused with all its problems at once."""

# ruff: noqa: E501 - one case of a table is one line

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.errors import RuleError
from monitor.records import Severity
from monitor.rules.check import check_pack
from monitor.rules.rule import (
    AnyOf,
    At,
    Open,
    Per,
    Window,
    With,
    Without,
    WithRule,
)
from monitor.rules.rulefile import load_rules, resolve_params, words_for
from tests.rulefolders import (
    CLEAR,
    EXAMPLE,
    FIND,
    HEAD,
    PARAMS,
    RULE,
    loaded,
    problems_of,
    rule_of,
    write_rules,
)

WITH = """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'BILI'"
unit   = "umol/L"
where  = "LBSTRESN > 34"
window = "-30d..30d"
"""
EVENT = """
[find]
in    = "AE"
where = "AESER = 'Y'"
"""
EVENT_EXAMPLE = '''
[[example]]
name  = "one"
data  = """
USUBJID | AESTDT     | AETERM | AESER
01      | 2026-01-07 | Rash   | Y
02      | 2026-01-07 | Rash   | N
"""
fires = ["01 2026-01-07"]
'''
EVENTS = HEAD + EVENT + EVENT_EXAMPLE


def test_a_rule_is_read_as_a_whole(tmp_path: Path) -> None:
    level = '[[level]]\nseverity = "critical"\nwhere = "LBSTRESN > 1000"\nnote = "Extreme"\n'
    rule = rule_of(
        tmp_path, HEAD + 'basis = ["B"]\ntags = ["t"]\nfamily = "f"\n' + FIND + level + CLEAR + EXAMPLE
    )
    assert (rule.id, rule.pack, rule.title, rule.severity) == ("X-01", "p", "A title", Severity.HIGH)
    assert (rule.basis, rule.tags, rule.family, rule.per) == (("B",), ("t",), "f", Per.EPISODE)
    assert (rule.series.domain, rule.series.unit) == ("LB", "10^9/L")
    assert rule.clear is not None
    assert rule.clear.unit == "10^9/L"
    assert (rule.levels[0].severity, rule.levels[0].note) == (Severity.CRITICAL, "Extreme")
    assert rule.examples[0].fires == ("01 2026-01-07",)
    assert rule.domains == ("LB",)


def test_an_example_keeps_what_a_data_manager_would_deliver(tmp_path: Path) -> None:
    example = rule_of(tmp_path, RULE).examples[0]
    domain, rows = example.rows[0]
    assert domain == "LB"
    assert dict(rows[0]) == {
        "USUBJID": "01",
        "LBDTC": "2026-01-07",
        "LBTESTCD": "PLAT",
        "LBSTRESN": "401",
        "LBSTRESU": "10^9/L",
    }


def test_events_stand_for_themselves_and_findings_for_episodes(tmp_path: Path) -> None:
    assert rule_of(tmp_path / "a", EVENTS).per is Per.RECORD
    assert rule_of(tmp_path / "b", RULE).per is Per.EPISODE
    assert rule_of(tmp_path / "c", EVENTS.replace("[find]", 'per = "subject"\n[find]')).per is Per.SUBJECT


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("-28d..0d", Window(-28, 0)),
        ("start..-1d", Window(None, -1)),
        ("0d..end", Window(0, None)),
        ("start..end", Window(None, None)),
    ],
)
def test_a_window_counts_days_from_the_found_record(tmp_path: Path, text: str, window: Window) -> None:
    clause = rule_of(tmp_path, HEAD + FIND + WITH.replace("-30d..30d", text) + CLEAR + EXAMPLE).clauses[0]
    assert isinstance(clause, With)
    assert clause.window == window


@pytest.mark.parametrize(("domain", "at"), [("LB", At.ANY), ("EX", At.ANY), ("AE", At.START)])
def test_which_part_of_the_other_record_lies_in_the_window(tmp_path: Path, domain: str, at: At) -> None:
    text = f'[[with]]\nin = "{domain}"\nwindow = "0d..0d"\n'
    clause = rule_of(tmp_path / "usual", HEAD + FIND + text + CLEAR + EXAMPLE).clauses[0]
    assert isinstance(clause, With)
    assert clause.at is at
    said = rule_of(tmp_path / "said", HEAD + FIND + text + 'at = "end"\n' + CLEAR + EXAMPLE).clauses[0]
    assert isinstance(said, With)
    assert said.at is At.END


def test_clauses_and_groups_of_them(tmp_path: Path) -> None:
    text = """
[[without]]
in = "EX"
window = "1d..7d"
open = "wait"
[[without]]
in = "EX"
window = "-7d..-1d"
[[any]]
with = [{ in = "AE", window = "0d..0d" }]
without = [{ in = "EX", window = "-7d..0d" }]
[[level]]
severity = "low"
with = [{ in = "AE", window = "0d..0d" }]
"""
    rule = rule_of(tmp_path, HEAD + FIND + text + CLEAR + EXAMPLE)
    waits, before, group = rule.clauses
    assert isinstance(waits, Without)
    assert waits.open is Open.WAIT
    assert isinstance(before, Without)
    assert before.open is None
    assert isinstance(group, AnyOf)
    assert [type(item) for item in group.items] == [With, Without]
    assert rule.domains == ("LB", "EX", "AE")
    assert [type(item) for item in rule.levels[0].clauses] == [With]


def test_rules_stand_behind_those_they_refer_to(tmp_path: Path) -> None:
    first = RULE.replace("[clear]", '[[with]]\nrule = "X-02"\nsame_day = true\n[clear]')
    pack = loaded(tmp_path, first, RULE.replace("X-01", "X-02"))
    assert [rule.id for rule in pack.rules] == ["X-02", "X-01"]
    assert pack.rule("X-01").clauses == (WithRule("X-02", same_day=True),)
    assert pack.rule("X-01").refers_to == ("X-02",)
    with pytest.raises(RuleError, match="did you mean X-01"):
        pack.rule("X-1")


def test_the_version_is_a_hash_of_the_meaning(tmp_path: Path) -> None:
    versions = {
        name: rule_of(tmp_path / name, text).version
        for name, text in {
            "same": RULE,
            "comment": "# a comment\n" + RULE.replace("  ", " "),
            "example": RULE.replace('"one"', '"two"'),
            "action": RULE.replace("Consider", "Confirm"),
            "severity": RULE.replace('"high"', '"critical"'),
            "where": RULE.replace("> :hold", ">= :hold"),
        }.items()
    }
    assert versions["same"] == versions["comment"] == versions["example"]
    assert len(versions["same"]) == 12
    assert len({versions[name] for name in ("same", "action", "severity", "where")}) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("LBSTRESN > :hold", "LBSTRSN > :hold", "find.where: column 1: LBSTRSN is not a column of LB; did you mean LBSTRESN?"),
        ('in    = "LB"', 'in    = "LBB"', "find.in: LBB is not a domain; did you mean LB?"),
        ("[find]", "wher = 1\n[find]", "wher: this key is not known here"),
        ("where = \"LBSTRESN > :hold\"", 'whre = "LBSTRESN > :hold"', "find.whre: this key is not known here; did you mean where?"),
        ('title    = "A title"', "", "title: this key is required"),
        ('action   = "Consider {resume}."', "", "action: this key is required: what the reader is advised to do"),
        ("{resume}", "{resme}", "action: {resme} is not a parameter; did you mean resume?"),
        ('"high"', '"hgh"', "severity: Input should be 'critical', 'high', 'medium', 'low' or 'none' (given: 'hgh')"),
        ('title    = "A title"', "title = 3", "title: Input should be a valid string (given: 3)"),
        ("unit  = \"10^9/L\"", 'unit  = "10^9L"', "find.unit: 10^9L is not a known unit"),
        ("unit  = \"10^9/L\"", 'unit  = "G/L"', "find.unit: G/L is written 10^9/L"),
        ("unit  = \"10^9/L\"", 'unit  = "mg/dL"', "find.unit: PLAT is measured in 10^9/L, which can't be converted to mg/dL"),
        (CLEAR, "", "clear: a rule about findings says from severity medium up what ends the episode"),
        ("LBSTRESN < :resume", "LBSTRESN < :dose", "clear.where: column 12: :dose is in ug/kg, and its ug can't be converted to 10^9/L"),
        ('fires = ["01 2026-01-07"]', "fires = []", "example: no example fires: give one that does"),
        ('fires = ["01 2026-01-07"]', 'fires = ["01 2026-01-07", "02 2026-01-07"]', "example: no subject of the examples stays silent: give one just beyond the boundary"),
        ('fires = ["01 2026-01-07"]', 'fires = ["01 7 Jan"]', "example 'one': fires: '01 7 Jan': write the subject and the date, \"01 2026-01-07\", or \"01 no date\""),
        ('fires = ["01 2026-01-07"]', 'fires = ["03 2026-01-07"]', "example 'one': fires: '03 2026-01-07': no row of the example is of subject 03"),
        ("LBTESTCD | LBSTRESN | LBSTRESU\n", "LBTESTCD | LBSTRSN | LBSTRESU\n", "example 'one': data: LBSTRSN is not a column of LB; did you mean LBSTRESN?"),
        ("USUBJID | LBDT ", "SUBJID | LBDT ", "example 'one': data: the table of LB has no USUBJID"),
        ("| LBDT       |", "| LBDTT      |", "example 'one': data: USUBJID | LBDTT | LBTESTCD | LBSTRESN | LBSTRESU: no date column (LBDT, AESTDT, EXDT …) says which domain this is"),
        ("| 400      | 10^9/L", "| 400", "example 'one': data: 02 | 2026-01-07 | PLAT | 400: 4 cells under 5 columns"),
        ('name  = "one"', 'name  = "one"\nparams = { hld = 1 }', "example 'one': params: hld is not a parameter; did you mean hold?"),
        ('name  = "one"', 'name  = "one"\nterms = { relate = ["A"] }', "example 'one': terms: relate is not a list; did you mean related?"),
        ("id       = \"X-01\"", 'id       = "X-09"', "id: X-09 stands in a file of another name"),
        ("id       = \"X-01\"", 'id       = "x1"', "id: String should match pattern '^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$' (given: 'x1')"),
        ("[clear]", '[[level]]\nseverity = "low"\n[clear]', "level[1]: a level needs `where`, `with` or `without`"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_rule_is_said_with_its_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RULE
    found = problems_of(tmp_path, RULE.replace(old, new))
    assert said in found


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ('[[with]]\nin = "LB"', "with[1].window: this key is required: write days or hours, both ends included, as \"-28d..0d\", \"start..0d\" or \"-48h..0h\""),
        ('[[with]]\nwindow = "0d..0d"', "with[1].in: this key is required: a domain, or `rule` in its place"),
        ('[[with]]\nin = "LB"\nwindow = "7"', "with[1].window: '7' is not a window: write days or hours, both ends included, as \"-28d..0d\", \"start..0d\" or \"-48h..0h\""),
        ('[[with]]\nin = "LB"\nwindow = "2d..1d"', "with[1].window: '2d..1d' ends before it begins"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsame_day = true', "with[1].same_day: this key has a meaning only beside `rule`"),
        ('[[with]]\nrule = "X-01"\nwindow = "0d..0d"\nin = "LB"', "with[1].in: beside `rule` only `same_day`, `state`, `window`, `count` and `run_end` have a meaning"),
        ('[[with]]\nrule = "X-01"\nstate = "closed"', "with[1].window: this key is required: in which days the episode closed, as \"-7d..0d\""),
        ('[[with]]\nrule = "X-01"\nstate = "shut"', "with[1].state: Input should be 'open', 'opened' or 'closed' (given: 'shut')"),
        ('[[with]]\nrule = "X-01"\nwindow = "-7d..0d"\nsame_day = true', "with[1].same_day: this is about an episode that is open at the found record: leave it out"),
        ('[[with]]\nrule = "X-01"\nwindow = "-7h..0h"', "with[1].window: episodes begin and end on days: write the window in days"),
        ('[[with]]\nrule = "X-01"\ntie = "before"', "with[1].tie: beside `rule` only `same_day`, `state`, `window`, `count` and `run_end` have a meaning"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\ncount = 0', "with[1].count: Input should be greater than or equal to 1 (given: 0)"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nstate = "open"', "with[1].state: this key has a meaning only beside `rule`"),
        ('[[with]]\nin = "LB"\nwindow = "-7d..0h"', "with[1].window: '-7d..0h' mixes days and hours: give both ends in one of them"),
        ('[[with]]\nin = "LB"\nwindow = "start..0h"', "with[1].window: 'start..0h': a window in hours has a number at both ends; for an open one write days"),
        ('[[with]]\nin = "LB"\nwindow = "-7h..0h"\ntie = "before"', "with[1].tie: a window in hours goes by the times of day themselves: leave it out"),
        ('[[with]]\nin = "LB"\nwindow = "-30d..30d"\ntie = "before"', "with[1].tie: it speaks of a window with 0d at one of its ends, as -7d..0d: leave it out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\ntie = "before"', "with[1].tie: it speaks of a window with 0d at one of its ends, as -7d..0d: leave it out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "AGE", per = "day", where = "> 5" }\ncount = 2', "with[1].count: a sum is over all such records, however many: leave one of them out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nlatest = true\nwhere = "AGE > 5"\ncount = 2', "with[1].count: only one record is the latest: leave one of them out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nlatest = true\nwhere = "AGE > 5"\nsum = { of = "AGE", per = "day", where = "> 5" }', "with[1].latest: a sum is over all such records, not of the latest: leave one of them out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nlatest = true', "with[1].where: this key is required: what is asked of the latest record"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nlinked = true', "with[1].window: a linked record is the one that RELREC names, whenever it was: leave it out"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "AGE", where = "> 5" }', "with[1].sum.per: this key is required"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "AGE", per = "week", where = "> 5" }', "with[1].sum.per: Input should be 'day' or 'window' (given: 'week')"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "AGE", per = "day", where = "> 5 or AGE = 3" }', "with[1].sum: AGE > 5 or AGE = 3: write a column in `of`, a comparison in `where`, as \"> :limit\""),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "SEX", per = "day", where = "= \'F\'" }', "with[1].sum.of: SEX: only numbers of the records themselves have a sum"),
        ('[[with]]\nin = "LB"\nwindow = "0d..0d"\nsum = { of = "AGE", per = "day", where = "> LBDY" }', "with[1].sum.where: > LBDY: a sum is compared with numbers, parameters and this.COL, not with a column"),
        ('[[with]]\nrule = "X-01"\nlatest = true', "with[1].latest: beside `rule` only `same_day`, `state`, `window`, `count` and `run_end` have a meaning"),
        ('[[with]]\nin = "LB"\nwindow = "prev..0h"', "with[1].window: 'prev..0h': a window in hours has a number at both ends; for an open one write days"),
        ('[[without]]\nwindow = "0d..0d"', "without[1].in: this key is required: a domain, or `rule` in its place"),
        ('[[without]]\nrule = "X-01"\nwindow = "0d..7d"', "without[1].open: the window reaches past the found record: say `wait` or `fire` for the time until then"),
        ('[[without]]\nrule = "X-01"\nopen = "wait"', "without[1].open: the window does not reach past the found record, so there is nothing to wait for"),
        ('[[with]]\nrule = "X-02"', "with.rule: X-02 is not a rule of these packs; did you mean X-01?"),
        ('[[with]]\nrule = "X-01"', "rules: with.rule: these rules refer to each other in a circle: X-01"),
        ('[[without]]\nin = "LB"\nwindow = "0d..7d"', "without[1].open: the window reaches past the found record: say `wait` or `fire` for the time until then"),
        ('[[without]]\nin = "LB"\nwindow = "0d..end"', "without[1].open: the window reaches past the found record: say `wait` or `fire` for the time until then"),
        ('[[without]]\nin = "LB"\nwindow = "-7d..0d"\nopen = "wait"', "without[1].open: the window does not reach past the found record, so there is nothing to wait for"),
        ('[[without]]\nin = "LB"', "without[1].window: this key is required: write days or hours, both ends included, as \"-28d..0d\", \"start..0d\" or \"-48h..0h\""),
        ('[[any]]\nwith = [{ in = "AE", window = "0d..0d" }]', "any[1]: a group needs at least two of `with` and `without`"),
        ('[[any]]\nwith = [{ in = "AE", windw = "0d..0d" }, { in = "AEE", window = "0d..0d" }]', "any[1].with[1].windw: this key is not known here; did you mean window?"),
        ('[[any]]\nwith = [{ in = "AE", window = "0d..0d" }, { in = "AEE", window = "0d..0d" }]', "any[1].with[2].in: AEE is not a domain; did you mean AE?"),
        ('[[with]]\nin = "EX"\nwindow = "0d..0d"\nwhere = "EXDOSE > 5"', "with[1].where: column 1: EXDOSE … 5: a quantity meets a number or another record's quantity, so this series needs its `unit`, e.g. unit = \"10^9/L\""),
        ('[[with]]\nin = "AE"\nwindow = "0d..0d"\nwhere = "this.AETERM = AETERM"', "with[1].where: column 1: AETERM is not a column of LB; did you mean ARM?"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_clause_is_said_with_its_key(tmp_path: Path, clause: str, said: str) -> None:
    assert said in problems_of(tmp_path, HEAD + FIND + clause + CLEAR + EXAMPLE)


def test_an_address_names_the_folder_the_file_and_the_place(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        loaded(tmp_path, RULE.replace("LBSTRESN >", "LBSTRSN >"))
    assert str(caught.value) == (
        "rules/p/X-01.toml: find.where: column 1: LBSTRSN is not a column of LB; did you mean LBSTRESN?"
    )


def test_the_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    first, second = (
        RULE.replace("LBSTRESN >", "LBSTRSN >"),
        RULE.replace("X-01", "X-02").replace("> :hold", "> :hld"),
    )
    folder = write_rules(
        tmp_path, {"X-01": first, "X-02": second, "X-03": "not toml"}, lists={"empty": "# none\n"}
    )
    with pytest.raises(RuleError) as caught:
        load_rules(folder, ("p", "q"))
    addresses = [problem.address for problem in caught.value.problems]
    assert addresses == [
        "rules/lists/empty.txt",
        "rules/p/X-01.toml: find.where: column 1",
        "rules/p/X-02.toml: find.where: column 12",
        "rules/p/X-03.toml",
        "rules/q",
    ]


def test_an_id_stands_once_and_two_packs_share_no_parameter(tmp_path: Path) -> None:
    folder = write_rules(tmp_path, {"X-01": RULE})
    (folder / "q").mkdir()
    (folder / "q" / "X-01.toml").write_text(RULE)
    (folder / "q" / "params.toml").write_text('hold = { value = 1, unit = "10^9/L", from = "default" }')
    with pytest.raises(RuleError) as caught:
        load_rules(folder, ("p", "q"))
    assert [str(problem) for problem in caught.value.problems] == [
        "rules: hold: this parameter stands in two packs",
        "rules/q/X-01.toml: id: the id stands in rules/p too",
    ]


def test_rules_may_not_refer_to_each_other_in_a_circle(tmp_path: Path) -> None:
    first = RULE.replace("[clear]", '[[with]]\nrule = "X-02"\n[clear]')
    second = RULE.replace("X-01", "X-02").replace("[clear]", '[[with]]\nrule = "X-01"\n[clear]')
    assert problems_of(tmp_path, first, second) == [
        "rules: with.rule: these rules refer to each other in a circle: X-01, X-02"
    ]


def test_a_recording_rule_needs_no_action_and_no_clear(tmp_path: Path) -> None:
    text = RULE.replace('"high"', '"none"').replace('action   = "Consider {resume}."', "").replace(CLEAR, "")
    assert rule_of(tmp_path, text).severity is Severity.NONE


# ---------------------------------------------------------------- parameters and lists


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hold = 400", 'rules/p/params.toml: hold: write it as { value = 400, unit = "10^9/L", from = "label" }'),
        ('hold = { value = 400 }', "rules/p/params.toml: hold: from: this key is required"),
        ('hold = { value = 400, from = "nobody" }', "rules/p/params.toml: hold: from: String should match pattern '^(protocol|label|guideline|default)$' (given: 'nobody')"),
        ('hold = { value = 400, unit = "10^3L", from = "label" }', "rules/p/params.toml: hold: the unit 10^3L is not known"),
        ('hold = { value = 400, unit = "G/L", from = "label" }', "rules/p/params.toml: hold: the unit G/L is written 10^9/L"),
        ('hold = { value = 400, unt = "10^9/L", from = "label" }', "rules/p/params.toml: hold: unt: this key is not known here; did you mean unit?"),
        ('order = ["hold < holt"]', "rules/p/params.toml: order: 'hold < holt': write two parameters, \"low <= high\""),
        ('order = "hold"', "rules/p/params.toml: order: 'hold': write two parameters, \"low <= high\""),
        ('hold = { value = 4, unit = "10^9/L", from = "label" }\nlow = { value = 4, unit = "10^9/L", from = "label" }\norder = ["low < hold"]', "rules/p/params.toml: low = 4 contradicts hold = 4"),
        ("hold = [", "rules/p/params.toml: this is not TOML: Invalid value (at end of document)"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_of_parameters(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_rules(write_rules(tmp_path, {"X-01": EVENTS.replace("{resume}", "")}, params=line), ("p",))
    assert [str(problem) for problem in caught.value.problems] == [said]


def test_a_study_sets_and_confirms_parameters(tmp_path: Path) -> None:
    pack = loaded(tmp_path, RULE)
    params = resolve_params(pack, {"hold": 250}, ("factor",))
    assert (params["hold"].value, params["hold"].unit, params["hold"].source) == (250, "10^9/L", "study")
    assert {name: param.confirmed for name, param in params.items()} == {
        "hold": True,
        "resume": False,
        "factor": True,
        "dose": False,
    }


def test_a_preset_stands_between_the_pack_and_the_study(tmp_path: Path) -> None:
    folder = write_rules(tmp_path, {"X-01": RULE})
    (folder / "p" / "presets").mkdir()
    preset = folder / "p" / "presets" / "EU.toml"
    preset.write_text('hold = { value = 250, unit = "10^9/L", from = "label" }')
    pack = load_rules(folder, ("p",))
    assert resolve_params(pack, {}, (), "EU")["hold"].value == 250
    assert resolve_params(pack, {"hold": 300}, (), "EU")["hold"].value == 300
    with pytest.raises(RuleError, match="there is no preset EUU; did you mean EU"):
        resolve_params(pack, {}, (), "EUU")
    preset.write_text(
        'holt = { value = 1, from = "label" }\nhold = { value = 1, unit = "10^9/L", from = "label" }'
    )
    with pytest.raises(RuleError) as caught:
        load_rules(folder, ("p",))
    assert [str(problem) for problem in caught.value.problems] == [
        "rules/p/presets/EU.toml: holt: not a parameter; did you mean hold?",
        "rules/p/presets/EU.toml: resume = 200 contradicts hold = 1",
    ]


@pytest.mark.parametrize(
    ("study", "confirmed", "said"),
    [
        (
            {"hld": 1.0},
            (),
            "study.params.hld: this is not a parameter of the study's rules; did you mean hold?",
        ),
        (
            {},
            ("hld",),
            "study.confirmed.hld: this is not a parameter of the study's rules; did you mean hold?",
        ),
        ({"hold": 150.0}, (), "study.params: resume = 200 contradicts hold = 150"),
    ],
)
def test_what_a_study_may_not_set(
    tmp_path: Path, study: Mapping[str, float], confirmed: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RuleError) as caught:
        resolve_params(loaded(tmp_path, RULE), study, confirmed)
    assert str(caught.value) == said


def test_lists_are_compared_without_case_and_studies_add_their_own_words(tmp_path: Path) -> None:
    pack = loaded(tmp_path, RULE)
    assert pack.lists["related"] == {"related", "possibly related"}
    words = words_for(pack, {"related": ["  Probable "], "ignore": ["X"], "unknown": ["U"]})
    assert words["related"] == {"related", "possibly related", "probable"}
    with pytest.raises(
        RuleError, match=r"study\.terms\.relatd: there is no list of this name; did you mean related"
    ):
        words_for(pack, {"relatd": ["X"]})


def test_check_finds_a_number_that_is_a_parameter_too(tmp_path: Path) -> None:
    level = '[[level]]\nseverity = "low"\nwith = [{ in = "AE", window = "0d..0d", where = "AETOXGR = 3 or AETOXGR = 1" }]\n'
    pack = loaded(
        tmp_path, RULE.replace("LBSTRESN > :hold", "LBSTRESN > 400").replace("[clear]", level + "[clear]")
    )
    assert [str(problem) for problem in check_pack(pack)] == [
        "rules/p/X-01.toml: 400 is the value of :hold too; write :hold in its place",
        "rules/p/X-01.toml: 3 is the value of :factor too; write :factor in its place",
    ]
    assert "factor" in PARAMS


def test_a_file_that_is_not_utf_8_is_named_and_hides_no_other_problem(tmp_path: Path) -> None:
    folder = write_rules(
        tmp_path, {"X-01": RULE, "X-02": RULE.replace("X-01", "X-02").replace("LBSTRESN", "LBSTRSN")}
    )
    (folder / "p" / "X-01.toml").write_bytes(RULE.replace("A title", "Sévère").encode("latin-1"))
    (folder / "lists" / "drug.txt").write_bytes("ROMIPLOSTIMÉ\n".encode("latin-1"))
    with pytest.raises(RuleError) as raised:
        load_rules(folder, ("p",))
    said = [str(problem) for problem in raised.value.problems]
    assert any(
        line.startswith("rules/p/X-01.toml: byte ") and "save the file as UTF-8" in line for line in said
    )
    assert any(line.startswith("rules/lists/drug.txt: byte ") for line in said)
    assert any("did you mean LBSTRESN" in line for line in said)
