"""Text as rules see it: without regard to case and surrounding blanks; patterns; terms in free text."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Scripts that are written without blanks between words: Han, kana, and their halfwidth forms.
UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
NEGATION = "!"


def normal(text: str) -> str:
    """Text in the form in which it is compared."""
    return text.strip().casefold()


def is_like(text: str, pattern: str) -> bool:
    """Whether all of the text fits a pattern of % (any text) and _ (any one character)."""
    parts = {"%": ".*", "_": "."}
    expression = "".join(parts.get(character) or re.escape(character) for character in normal(pattern))
    return re.fullmatch(expression, normal(text), re.DOTALL) is not None


def positives(words: Iterable[str]) -> tuple[str, ...]:
    """The terms of a list that are looked for, in order of the alphabet."""
    return tuple(sorted(normal(word) for word in words if not word.strip().startswith(NEGATION)))


def negations(words: Iterable[str]) -> tuple[str, ...]:
    """The terms of a list that stand for a negation, without their sign."""
    signed = (word.strip() for word in words)
    return tuple(sorted(normal(word[len(NEGATION) :]) for word in signed if word.startswith(NEGATION)))


def first_term(text: str, wanted: Iterable[str]) -> str | None:
    """The first of the wanted terms that stands in the text as whole words, or None.

    In scripts without blanks between words a term is found wherever it stands.
    """
    plain = _one_blank(text)
    return next((term for term in wanted if term and _stands_in(plain, _one_blank(term))), None)


def _one_blank(text: str) -> str:
    return " ".join(normal(text).split())


def _stands_in(text: str, term: str) -> bool:
    start = text.find(term)
    while start >= 0:
        before = text[start - 1 : start] if start else ""
        after = text[start + len(term) : start + len(term) + 1]
        if not _continues(before, term[0]) and not _continues(after, term[-1]):
            return True
        start = text.find(term, start + 1)
    return False


def _continues(neighbour: str, edge: str) -> bool:
    """Whether the character beside a term belongs to the same word as the term's edge."""
    letters = neighbour.isalnum() and edge.isalnum()
    return letters and not UNSPACED.match(neighbour) and not UNSPACED.match(edge)
