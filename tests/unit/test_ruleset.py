"""A rule's version in a study: everything that it means there, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Settings
from monitor.usecases.ruleset import Ruleset, closure, study_rules
from tests.rulefolders import few_rules
from tests.stories import installation


@pytest.fixture(scope="module", autouse=True)
def rules_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an installation with six rules, in which every test here stands."""
    folder = tmp_path_factory.mktemp("installation")
    few_rules(folder / "rules")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def rules(**changed: Any) -> Ruleset:
    settings: Settings = installation(Path(), **{"rules": ["generic", "romiplostim-aa"], **changed})
    return study_rules(settings, settings.studies[0])


def versions(**changed: Any) -> dict[str, str]:
    return {rule.id: rule.version for rule in rules(**changed).rules}


def changed_by(**changed: Any) -> set[str]:
    before, after = versions(), versions(**changed)
    return {name for name in before if before[name] != after[name]}


def test_the_same_settings_give_the_same_versions() -> None:
    assert changed_by() == set()
    assert all(len(version) == 16 for version in versions().values())


def test_a_parameter_makes_a_new_version_of_the_rules_that_use_it_and_of_those_that_refer_to_them() -> None:
    assert changed_by(params={"plt_hold": 250}) == {"PLT-01", "ROM-08"}


def test_a_parameter_in_the_action_alone_counts_too() -> None:
    assert "PLT-01" in changed_by(params={"plt_resume": 150})


@pytest.mark.parametrize(
    "changed",
    [
        {"ctcae": "6.0"},
        {"same_day": "before"},
        {"drugs": {"romiplostim": {"names": ["ROMIPLOSTIM"], "kind": "single"}}},
        {"baseline": {"PLAT": {"choose": "median"}}},
        {"terms": {"unknown": ["U"]}},
        {"cutoff": "2026-03-01"},
    ],
)
def test_a_changed_mapping_is_a_new_version_of_every_rule(changed: dict[str, Any]) -> None:
    assert changed_by(**changed) == set(versions())


def test_words_of_coded_lists_count_for_the_rules_that_ask_for_a_list() -> None:
    asking = {"DIS-01", "G-01", "ROM-08"}
    assert asking >= changed_by(terms={"related": ["MAYBE"]}) >= {"DIS-01"}
    assert asking >= changed_by(terms={"ignore": ["PLACEBO"]}) >= {"DIS-01"}


@pytest.mark.parametrize("changed", [{"mail": "full"}, {"synthetic": True}, {"confirmed": ["plt_hold"]}])
def test_what_does_not_change_the_meaning_changes_no_version(changed: dict[str, Any]) -> None:
    assert changed_by(**changed) == set()


def test_the_rules_that_a_rule_refers_to_come_with_it() -> None:
    found = rules()
    assert [rule.id for rule in closure(found.rules, frozenset({"ROM-08"}))] == ["PLT-01", "ROM-08"]
    assert closure(found.rules, frozenset()) == ()


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("lists/related.txt", "CAUSED BY IT\n"),
        ("romiplostim-aa/params.toml", "[another]\nvalue = 1\nunit = '1'\nsource = 'default'\n"),
    ],
)
def test_a_file_that_was_written_meanwhile_is_read_anew(rules_folder: Path, name: str, added: str) -> None:
    path = rules_folder / "rules" / name
    text, before = path.read_text(encoding="utf-8"), rules()
    path.write_text(f"{text}\n{added}", encoding="utf-8")
    after = rules()
    path.write_text(text, encoding="utf-8")
    assert (after.lists, after.params) != (before.lists, before.params)
