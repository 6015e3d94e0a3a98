"""How the manual is written: a rule, the data it sees, and what it says of them.

Each case is judged by the definition of the language and by DuckDB. The cases of a chapter are
one pack of rules, so that a chapter is a few scans.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.authoring.examples import run_examples
from monitor.rules.rulefile import load_rules
from tests.rulefolders import write_rules

ROOT = Path(__file__).parents[2]
PARAMS = """
hold   = { value = 400, unit = "10^9/L", from = "label" }
resume = { value = 200, unit = "10^9/L", from = "label" }
factor = { value = 3, from = "guideline" }
"""
LISTS = {
    "related": "RELATED\nPOSSIBLY RELATED\n",
    "unrelated": "NOT RELATED\n",
    "thrombosis": "thrombosis\npulmonary embolism\n血栓\n! no thrombosis\n! ruled out\n! 排除\n",
}


@dataclass(frozen=True)
class Case:
    """A title, the rule's tables from [find] on, the data, and what is expected of each record.

    `settings` are further lines of the example, such as params or as_of.
    """

    title: str
    rule: str
    data: str
    fires: Sequence[str]
    cannot_tell: Sequence[str] = ()
    clears: Sequence[str] = ()
    severity: str = "low"
    settings: str = ""

    def text(self, identifier: str) -> str:
        """The rule file."""
        return f'''
id       = "{identifier}"
title    = "{identifier}"
severity = "{self.severity}"
action   = "Consider."
{self.rule}
[[example]]
name = "manual"
data = """{self.data}"""
fires       = {list(self.fires)}
cannot_tell = {list(self.cannot_tell)}
clears      = {list(self.clears)}
{self.settings}
'''


def judged(cases: Sequence[Case], more: Mapping[str, str] | None = None) -> dict[tuple[str, str], str]:
    """For each case's title and engine, what came out otherwise than expected ("" for nothing).

    `more` are rule files that cases refer to, by id.
    """
    numbered = {f"S-{number:02d}": case for number, case in enumerate(cases, 1)}
    files = {identifier: case.text(identifier) for identifier, case in numbered.items()} | dict(more or {})
    with TemporaryDirectory() as folder:
        rules = write_rules(Path(folder), files, PARAMS, LISTS)
        shutil.copytree(ROOT / "rules/ctcae", rules / "ctcae")
        pack = load_rules(rules, ("p",))
        tried = run_examples(pack, Path(folder) / "derived", tuple(numbered))
    own = [each for each in tried if each.example == "manual"]  # a rule can need another one beside it
    return {(numbered[each.rule].title, each.engine): each.said for each in own}
