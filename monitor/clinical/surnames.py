"""Names of persons inside subject codes, as in 01-SMITH-003 or ZhangWei01.

Trials put words of their own into codes: the study, a site, SUBJ. These come again in other subjects'
codes; a name hardly does. So each word is looked at beside those that stand at its place in codes of
the same form. [study] subject_pattern says which codes are right all the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

WORD = re.compile(r"[\u4e00-\u9fff·]{2,}|[^\W\d_\u4e00-\u9fff]{3,}")
CHINESE = re.compile(r"[\u4e00-\u9fff·]+")
CAPITALISED = re.compile(r"(?:[A-Z\u00c0-\u00de][a-z\u00df-\u00ff]+)+")
SYLLABLE = r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:[aeiouv]{1,3})(?:ng|n|r)?"
SPEAKABLE = re.compile(r"(?!.*[^aeiouyäöü]{4})(?=.*[aeiouyäöü].*).{5,}", re.DOTALL)
FEW = 5  # codes of one form from which words that all differ say something
MOST = 0.8  # of the words at one place
# Words of trials, not of persons.
_MARKS = (
    "arm case center centre centro cohort control country dose dummy extension fail failure group healthy"
    " japan match normal number open panel part participant pat patient phase pilot placebo proband pseudo"
    " rand random randomized rescreen rollover safety scr screen screened screening screenfail site study sub"
    " subj subject sujet sentinel test training trial unit unknown usubjid visit volunteer"
)
# The most frequent surnames of China (in pinyin), Korea, Japan, India, Vietnam, the English-, German-,
# French-, Spanish-, Italian- and Polish-speaking countries, and Russia, by their name statistics.
_SURNAMES = (
    "zhang wang chen yang zhao huang zhou zhu luo liang song zheng xie tang feng deng peng zeng xiao tian"
    " dong pan yuan jiang ding wei shen yao lin liu sun guo gao cheng cao fang ren qian fan shao meng bai"
    " qin jia xia duan xiong qiu chang hong kang shi wan yan zou kim lee choi jung kang cho yoon jang lim"
    " sato suzuki takahashi tanaka watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki"
    " singh kumar sharma patel gupta khan reddy verma nguyen tran pham hoang phan"
    " smith johnson williams brown jones garcia miller davis wilson anderson thomas taylor moore jackson"
    " martin thompson white harris clark lewis robinson walker young allen wright scott hill green adams"
    " baker nelson campbell mitchell roberts carter phillips evans turner parker collins edwards stewart"
    " morris murphy cook rogers morgan cooper peterson bailey reed kelly howard ward cox richardson watson"
    " brooks bennett hughes foster russell griffin hayes murray sullivan mueller müller schmidt schneider"
    " fischer weber meyer wagner becker schulz hoffmann schäfer koch bauer richter klein wolf schröder"
    " neumann schwarz zimmermann braun krüger hofmann hartmann lange werner krause lehmann bernard dubois"
    " durand leroy moreau laurent lefebvre michel garnier rousseau fournier girard rodriguez martinez"
    " hernandez lopez gonzalez perez sanchez ramirez torres flores rivera gomez diaz fernandez ruiz alvarez"
    " rossi russo ferrari esposito bianchi romano colombo ricci marino greco nowak kowalski wisniewski"
    " wojcik kowalczyk kaminski lewandowski zielinski ivanov smirnov kuznetsov popov petrov sokolov"
    " silva santos oliveira souza pereira costa jansen devries bakker visser hansen nielsen jensen"
    " andersen larsen olsen johansson andersson karlsson nilsson eriksson virtanen korhonen"
)
MARKS, SURNAMES = frozenset(_MARKS.split()), frozenset(_SURNAMES.split())
PINYIN = re.compile(rf"(?:{'|'.join(sorted(SURNAMES))})(?:{SYLLABLE}){{1,2}}")


@dataclass(frozen=True)
class _Found:
    """A word, the code that holds it, and whether it stands at the code's beginning."""

    word: str
    code: str
    first: bool


def with_names(codes: Collection[str]) -> frozenset[str]:
    """Those of a trial's different subject codes that hold what must be taken for a person's name."""
    forms = Counter(_form(code) for code in codes)
    places: dict[tuple[str, int], list[_Found]] = {}
    for code in codes:
        for number, found in enumerate(WORD.finditer(code)):
            if found[0].lower() not in MARKS:
                places.setdefault((_form(code), number), []).append(_Found(found[0], code, not found.start()))
    usual, count = max(forms.items(), key=lambda each: each[1], default=("", 0))
    regular = 2 * count > len(codes) or len(codes) < FEW  # else codes are drawn by lot, and words are chance
    named: set[str] = set()
    for (form, _), given in places.items():
        if regular or len(given) >= FEW:
            odd = 2 * count > len(codes) and form != usual and 10 * len(given) <= len(codes)
            named |= set(_named(given, odd=odd, only=len(codes) == 1))
    return frozenset(named)


def _form(code: str) -> str:
    """A code without its words and numbers."""
    return re.sub(r"\d+", "9", WORD.sub("A", code))


def _named(given: Sequence[_Found], *, odd: bool, only: bool) -> Iterator[str]:
    """The codes, of those that have a word at one place, in which it is a name.

    `odd`: nearly all other codes have another form; `only`: there is no other code at all.
    """
    words = Counter(each.word.lower() for each in given)
    surnames = {each.word.lower() for each in given if is_surname(each.word)}
    if 3 * len(words) <= 2 * len(given):  # of sites or studies, unless most are known as names
        if len(words) >= 3 and 2 * len(surnames) > len(words):
            yield from (each.code for each in given)
        return
    unlike = _all_differ(given, words) or _all_capitalised(given, words)
    likely = 10 * len(surnames) >= len(words)  # else letters drawn by lot make one
    for each in given:
        known = likely and each.word.lower() in surnames and not (only and each.first and each.word.isupper())
        strange = odd and _speakable(each.word) and CAPITALISED.fullmatch(each.word)
        if unlike or known or strange:
            yield each.code


def is_surname(word: str) -> bool:
    """Whether a word is a frequent surname, with or without a given name in pinyin, or is in Chinese.

    In capitals only from four letters on: shorter ones are as often a site's.
    """
    if CHINESE.fullmatch(word):
        return True
    if word.isupper() and len(word) < 4:
        return False
    lower = word.lower()
    parts = re.findall(r"[A-Z][a-z]+", word) if CAPITALISED.fullmatch(word) else []
    either = lower in SURNAMES or any(part.lower() in SURNAMES for part in parts)
    return either or (len(lower) > 5 and PINYIN.fullmatch(lower) is not None)


def _all_capitalised(given: Sequence[_Found], words: Counter[str]) -> bool:
    """Whether there are several words, and they are written as names are."""
    written = sum(CAPITALISED.fullmatch(each.word) is not None for each in given)
    return len(words) > 1 and written >= MOST * len(given)


def _all_differ(given: Sequence[_Found], words: Counter[str]) -> bool:
    """Whether so many words differ, and can be spoken, that they are no codes of sites."""
    spoken = sum(_speakable(word) for word in words)
    return len(given) >= FEW and len(words) >= MOST * len(given) and spoken >= MOST * len(words)


def _speakable(word: str) -> bool:
    return SPEAKABLE.fullmatch(word.lower()) is not None
