"""Folders of rule files, written for a test."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from monitor.errors import RuleError
from monitor.rules.rule import Rule
from monitor.rules.rulefile import Pack, load_rules

PARAMS = """
order = ["resume <= hold"]
hold   = { value = 400, unit = "10^9/L", from = "label" }
resume = { value = 200, unit = "10^9/L", from = "protocol" }
factor = { value = 3, from = "guideline" }
dose   = { value = 10, unit = "ug/kg", from = "protocol" }
"""
LISTS = {"related": "RELATED  # a comment\n\n# another\nPossibly Related\n", "drug": "ROMIPLOSTIM\n"}
HEAD = """
id       = "X-01"
title    = "A title"
severity = "high"
action   = "Consider {resume}."
"""
FIND = """
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
where = "LBSTRESN > :hold"
"""
CLEAR = """
[clear]
where = "LBSTRESN < :resume"
"""
EXAMPLE = '''
[[example]]
name  = "one"
data  = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L
"""
fires = ["01 2026-01-07"]
'''
RULE = HEAD + FIND + CLEAR + EXAMPLE

SHIPPED = Path(__file__).parents[1] / "rules"
FEW = frozenset({"DIS-01", "G-01", "G-05", "G-08", "PLT-01", "ROM-08"})


def few_rules(folder: Path) -> Path:
    """The shipped rules folder with six of its rules: what a test of the program needs of them."""
    shutil.copytree(SHIPPED, folder)
    keep_few(folder)
    return folder


def keep_few(folder: Path) -> None:
    """Leave six rules in a copy of the shipped rules folder."""
    for path in folder.glob("*/[A-Z]*.toml"):
        if path.stem not in FEW:
            path.unlink()


def write_rules(
    root: Path, rules: Mapping[str, str], params: str = PARAMS, lists: Mapping[str, str] = LISTS
) -> Path:
    """A rules folder with one pack `p`: each rule's text by the name of its file."""
    folder = root / "rules"
    for name, text in {
        **{f"p/{name}.toml": text for name, text in rules.items()},
        "p/params.toml": params,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "lists").mkdir(exist_ok=True)
    for name, text in lists.items():
        (folder / "lists" / f"{name}.txt").write_text(text, "utf-8")
    return folder


def loaded(root: Path, *texts: str) -> Pack:
    """The pack of these rule files, named X-01, X-02 and so on."""
    return load_rules(write_rules(root, {f"X-{n:02d}": text for n, text in enumerate(texts, 1)}), ("p",))


def rule_of(root: Path, text: str) -> Rule:
    """The rule of one file."""
    return loaded(root, text).rules[0]


def problems_of(root: Path, *texts: str) -> list[str]:
    """What is wrong with these rule files, each as "key: said"."""
    try:
        loaded(root, *texts)
    except RuleError as error:
        return [str(problem).removeprefix("rules/p/X-01.toml: ") for problem in error.problems]
    return []
