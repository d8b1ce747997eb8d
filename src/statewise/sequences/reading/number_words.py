"""What stands behind a column's numbers: thousands and millions, a unit, letters of footnotes."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from statewise.sequences.reading.number_cells import Cell

_POWERS = {
    3: "k tsd tsd. tys tys. tis. mil thousand thousands тыс тыс.",
    4: "万 萬 만",
    5: "lakh lakhs lac",
    6: "m mm mn mln mln. mio mio. mi mill mill. million millions milhões millones млн млн.",
    7: "cr crore crores",
    8: "億 亿 억",
    9: "b bn bln mrd mrd. mld mld. mia mia. mdr mdr. bi billion billions bilhões milliards "
    "млрд млрд.",
    12: "t tn tri trillion trillions трлн трлн.",
}
_POWER = {name: power for power, names in _POWERS.items() for name in names.split()}
_CALLED = {
    **{3: "thousands", 4: "ten thousands", 5: "lakhs", 6: "millions", 7: "crores"},
    **{8: "hundred millions", 9: "billions", 12: "trillions"},
}
# Miles, metres, tonnes and bits too, so they alone don't say millions; nor do K, M, B, T when they
# stand apart, as units do.
_ALSO_UNITS = {"m", "t", "b", "mi", "mil", "bi", "mm", "tri", "cr"}
_UNIT = re.compile(
    r"[%‰°º]|[°º]?[^\W\d_][^\W\d_.]{0,11}\.?[23²³]?(?:[/·*][^\W\d_]{1,9}[23²³]?){0,2}"
    r"|[$€£¥₹][/·][^\W\d_]{1,9}"
)
_NO_UNITS = re.compile(r"[apAP]\.?[mM]\.?|st|nd|rd|th|[A-Z]\d")  # 12 pm, 2nd, 1998 Q2
_FLAGS = re.compile(r"[bcdefinprsuz]{1,3}")  # Eurostat's: break, estimated, provisional...
_GLUED_FLAGS = {"p", "r"}


class Word(NamedTuple):
    """What stands behind a number, and whether there is a blank before it."""

    text: str
    apart: bool


class Words(NamedTuple):
    """What the words behind a column's numbers mean.

    Attributes:
        powers: of ten, by the word; a word that is absent makes no number.
        unit: what nearly all values have behind them, "" where nothing.
        bare: whether numbers without a word are numbers; zeros always are.
        facts: what to tell.
    """

    powers: dict[Word, int]
    unit: str
    bare: bool
    facts: list[str]


def word_of(cell: Cell) -> Word:
    """Return what stands behind a cell's number."""
    return Word(cell.word, cell.apart and bool(cell.word))


def meaning_of(words: Counter[Word]) -> Words:
    """Decide over a column what the words mean.

    A unit or a percent sign counts where all values have the same one; thousands and millions may
    mix, and so may letters of footnotes with numbers that have none.

    Args:
        words: how many cells have which; under ``Word("", False)`` those that have none, without
            zeros.

    Example:
        >>> meaning_of(Counter({Word("K", False): 5, Word("M", False): 1})).facts
        ['K as thousands, M as millions']
        >>> meaning_of(Counter({Word("kWh", True): 9})).unit
        'kWh'
        >>> meaning_of(Counter({Word("%", False): 1, Word("", False): 9})).powers
        {}
    """
    none = Word("", False)
    named = Counter({word: count for word, count in words.items() if word.text})
    if not named:
        return Words({}, "", True, [])
    by_text: Counter[str] = Counter()
    for word, count in named.items():
        by_text[word.text] += count
    unit, most = by_text.most_common(1)[0]
    bare, every = words[none], sum(named.values())
    if bare:
        same = most > bare and not any(map(_may_be_a_power, named)) and not _only_flags(named)
    elif len(by_text) == 1:
        same = not all(map(_surely_a_power, named))
    else:
        same = most > every / 2 and not _surely_a_power_of(named, unit)
    if same:
        return _one_unit(named, unit)
    return _mixed(named, flagged=bare > 0)


def _one_unit(named: Counter[Word], unit: str) -> Words:
    if not _is_unit(unit):
        return Words({}, "", True, [])
    powers = {word: 0 for word in named if word.text == unit}
    return Words(powers, unit, False, [f"in {unit}"])


def _mixed(named: Counter[Word], *, flagged: bool) -> Words:
    """Take each word by itself: a power of ten, or the letter of a footnote.

    Letters behind all numbers are no footnotes: 5 s and 3 d are seconds and days.
    """
    several = len({_POWER[w.text.casefold()] for w in named if _may_be_a_power(w)}) > 1
    flags = flagged and _only_flags(named)
    powers: dict[Word, int] = {}
    told: dict[str, str] = {}
    left_out = []
    for word in named:
        if _surely_a_power(word) or (several and not flags and _may_be_a_power(word)):
            powers[word] = _POWER[word.text.casefold()]
            told[word.text] = _CALLED[powers[word]]
        elif flagged and _is_flag(word):
            powers[word] = 0
            left_out.append(word.text)
    facts = []
    if told:
        facts.append(", ".join(f"{text} as {called}" for text, called in sorted(told.items())))
    if left_out:
        facts.append(f"{name_all(left_out)} after numbers left out")
    return Words(powers, "", True, facts)


def name_all(words: Iterable[str]) -> str:
    """Write words in their order, each once, the first six of them.

    >>> name_all(["p", "b", "p"])
    'p and b'
    """
    names = list(dict.fromkeys(words))
    if len(names) > 6:
        names = [*names[:6], f"{len(names) - 6} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _is_unit(text: str) -> bool:
    return _UNIT.fullmatch(text) is not None and not _NO_UNITS.fullmatch(text)


def _may_be_a_power(word: Word) -> bool:
    return word.text.casefold() in _POWER


def _surely_a_power(word: Word) -> bool:
    """57.32K and 5 mln are, 12 m and 300 K may be metres and kelvins."""
    if not _may_be_a_power(word):
        return False
    if len(word.text) == 1 and word.text.isascii() and word.apart:
        return False
    return word.text not in _ALSO_UNITS


def _surely_a_power_of(named: Counter[Word], text: str) -> bool:
    mine = [word for word in named if word.text == text]
    return any(map(_surely_a_power, mine)) or all(map(_may_be_a_power, named))


def _is_flag(word: Word) -> bool:
    return _FLAGS.fullmatch(word.text) is not None and (word.apart or word.text in _GLUED_FLAGS)


def _only_flags(named: Counter[Word]) -> bool:
    return all(map(_is_flag, named))
