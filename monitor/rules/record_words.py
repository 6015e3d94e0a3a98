"""A record of a series for which a condition holds, as words."""

from __future__ import annotations

from monitor.clinical.domains import DOMAINS
from monitor.rules.desk import tests_of
from monitor.rules.names import RECORDS, test_name
from monitor.rules.phrases import alternatives, describe
from monitor.rules.rule import Compare, Condition, InList, InWords, Or, Series
from monitor.rules.wording import Speech, joined


def record_words(series: Series, where: Condition | None, speech: Speech) -> str:
    """A record of a series for which a condition holds: "Platelets (PLAT) above 400 10^9/L"."""
    head, rest = series_words(series)
    said = [str(describe(rest, speech))] if rest else []
    if where is not None:
        phrase = describe(where, speech)
        if phrase.subject == "result" and not said:
            return f"{head} {phrase.said}"
        said.append(_numbered(where, speech) or str(phrase))
    return f"{head}: {', and '.join(said)}" if said else head


def _numbered(where: Condition, speech: Speech) -> str:
    """Three and more conditions, one of which must hold, some of several parts; else ""."""
    phrases = alternatives(where, speech) if isinstance(where, Or) else []
    if len(phrases) < 3 or not any(phrase.several for phrase in phrases):
        return ""
    return "one of " + ", or ".join(f"({number}) {phrase}" for number, phrase in enumerate(phrases, 1))


def series_words(series: Series) -> tuple[str, Condition | None]:
    """What the records are called, and what of the series' condition that does not yet say."""
    codes = tuple(tests_of(series.of))
    if codes and isinstance(series.of, Compare | InWords):
        return joined([test_name(code) for code in codes], "or"), None
    noun = RECORDS.get(series.domain) or DOMAINS[series.domain].label
    if isinstance(series.of, InList):
        return f"{noun} of {series.of.list.replace('-', ' ').replace('_', ' ')}", None
    return noun, series.of
