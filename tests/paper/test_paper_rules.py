"""The rules of a whole protocol can be said, and do what their examples say, on both engines."""

from __future__ import annotations

from pathlib import Path

from monitor.authoring.examples import run_examples
from tests.paper.constructs import PAGE, page, paper


def test_every_rule_of_the_protocol_does_what_its_example_says(tmp_path: Path) -> None:
    pack = paper(tmp_path / "rules")
    own = [rule.id for rule in pack.rules if rule.pack == "paper"]
    wrong = [each for each in run_examples(pack, tmp_path / "work", own) if not each.passed]
    assert not wrong
    assert len(own) >= 45


def test_the_page_about_them_is_what_they_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.paper.constructs writes it afresh"
