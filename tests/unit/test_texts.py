"""Text without regard to case; patterns; terms in free text of several scripts."""

from __future__ import annotations

import pytest

from monitor.rules.texts import first_term, is_like, negations, normal, positives


@pytest.mark.parametrize(
    ("given", "expected"), [(" Plat ", "plat"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("", "")]
)
def test_text_is_compared_without_case_and_blanks(given: str, expected: str) -> None:
    assert normal(given) == expected


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("ROMIPLOSTIM N01", "romi%", True),
        ("ROMIPLOSTIM", "%stim", True),
        ("ROMIPLOSTIM", "%plo%", True),
        ("ROMIPLOSTIM", "ROMIPLOSTI_", True),
        ("ROMIPLOSTIM", "romi", False),
        ("ROMIPLOSTIM", "_romi%", False),
        ("", "%", True),
        ("", "_", False),
        ("5%", "5\\%", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("two\nlines", "two%lines", True),
        (" x ", "x", True),
        ("[x", "[_", True),
    ],
)
def test_a_pattern_fits_the_whole_text(text: str, pattern: str, expected: bool) -> None:
    assert is_like(text, pattern) is expected


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("Pulmonary embolism", "embolism", True),
        ("Thrombocytosis", "thrombo", False),
        ("thrombosis, deep vein", "thrombosis", True),
        ("port-thrombosis", "thrombosis", True),
        ("microthrombosis or thrombosis", "thrombosis", True),
        ("deep  vein\tthrombosis", "deep vein thrombosis", True),
        ("Deep VEIN", "deep vein", True),
        ("肺栓塞", "肺栓塞", True),
        ("急性肺栓塞后", "肺栓塞", True),
        ("左DVT形成", "dvt", True),
        ("ADVT", "dvt", False),
        ("DVT2", "dvt", False),
        ("肺血栓塞栓症のため", "血栓", True),
        ("", "dvt", False),
        ("anything", "", False),
    ],
)
def test_a_term_stands_as_whole_words_where_words_have_blanks(text: str, term: str, expected: bool) -> None:
    assert (first_term(text, [term]) is not None) is expected


def test_the_first_wanted_term_is_named() -> None:
    assert first_term("stroke after embolism", ["embolism", "stroke"]) == "embolism"


def test_a_list_holds_terms_and_negations() -> None:
    words = ["Stroke ", "! ruled out", "!排除", "embolism"]
    assert positives(words) == ("embolism", "stroke")
    assert negations(words) == ("ruled out", "排除")
