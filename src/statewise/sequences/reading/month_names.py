"""Names of months and weekdays in the languages that tables are written in.

English is known by heart; the others are asked of Babel, and only where a word isn't English.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# In the order in which they are asked: languages that share a word (Croatian listopad is
# October, Czech and Polish listopad November) are told apart by the other words of the column.
LANGUAGES = (
    *("pt", "es", "fr", "de", "it", "nl", "pl", "ru", "uk", "sv", "da", "nb", "fi", "cs", "sk"),
    *("tr", "hu", "ro", "el", "bg", "hr", "sr", "sr_Latn", "sl", "lt", "lv", "et", "ca", "gl"),
    *("eu", "is", "be", "id", "ms", "ar", "he", "fa", "hi", "az", "kk", "sw", "af", "mk", "sq"),
)
_MONTHS = "january february march april may june july august september october november december"
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
_SHORTEST = 3  # letters of a name that is cut short
# Letters, and the marks of scripts that write vowels so.
WORD = (
    r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f"
    r"\u0900-\u0903\u093a-\u094d\u200c])+"
)
_MOST_WORDS = 60  # twelve months and seven weekdays, in full and short, in more than one form
# What people write besides, as Babel's data have it not.
_BESIDES: dict[str, dict[str, int]] = {
    "en": {"sept": 9},
    "de": {"mrz": 3, "maerz": 3, "jaen": 1, "jaenner": 1, "janner": 1, "feber": 2},
    "es": {"set": 9, "setiembre": 9},
    "fr": {"fev": 2, "aou": 8},
    "nl": {"mrt": 3},
    "ru": {"сен": 9, "нояб": 11},
    "tr": {"agu": 8},
}


@dataclass(frozen=True)
class Names:
    """The names of a language, without accents and dots, in small letters.

    Attributes:
        language: its code.
        months: which month a name is, 1 to 12; short forms among them.
        weekdays: names of weekdays, in full and short.
    """

    language: str
    months: Mapping[str, int]
    weekdays: frozenset[str]

    def month(self, word: str) -> int | None:
        """Return the month of a plain word, or None; a name may be cut after three letters."""
        found = self.months.get(word)
        if found is not None or len(word) < _SHORTEST:
            return found
        begun = {number for name, number in self.months.items() if name.startswith(word)}
        return begun.pop() if len(begun) == 1 else None

    def is_weekday(self, word: str) -> bool:
        """Tell whether a plain word is a weekday."""
        return word in self.weekdays or (
            len(word) >= _SHORTEST and any(name.startswith(word) for name in self.weekdays)
        )

    def knows(self, word: str) -> bool:
        """Tell whether a plain word is a month or a weekday."""
        return self.month(word) is not None or self.is_weekday(word)


def plain_word(word: str) -> str:
    """Return a word in small letters, without accents.

    >>> plain_word("Févr"), plain_word("MÄRZ"), plain_word("мая")
    ('fevr', 'marz', 'мая')
    """
    apart = unicodedata.normalize("NFKD", word.casefold()).replace("ı", "i")
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def names_for(words: Iterable[str]) -> Names:
    """Return the names of the language that knows most of the words, English where none does.

    Args:
        words: plain words, each once.

    Example:
        >>> names_for(["jan", "feb"]).language, names_for(["aout"]).month("aout")
        ('en', 8)
        >>> names_for(["rujan", "listopad"]).month("listopad")  # Croatian
        10
        >>> names_for(["zari", "listopad"]).month("listopad")  # Czech
        11
    """
    english = _english()
    words = list(words)
    unknown = [word for word in words if not english.knows(word)]
    if not unknown or len(words) > _MOST_WORDS:
        return english
    best, most = english, len(words) - len(unknown)
    for code in LANGUAGES:
        names = _names_of(code)
        known = sum(map(names.knows, words))
        if known > most:
            best, most = names, known
        if known == len(words):
            break
    return best


@functools.cache
def _english() -> Names:
    months = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
    short = {name[:3]: number for name, number in months.items()}
    weekdays = _WEEKDAYS.split()
    return Names(
        "en",
        {**months, **short, **_BESIDES["en"]},
        frozenset([*weekdays, *(name[:3] for name in weekdays), "tues", "thur", "thurs"]),
    )


@functools.cache
def _names_of(code: str) -> Names:
    from babel import Locale  # only where words are not English

    locale = Locale.parse(code)
    months: dict[str, int] = {}
    weekdays: set[str] = set()
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                words = _words_of(name)
                if len(words) == 1 and not any(map(str.isdigit, name)):  # 1月 is a number
                    months.setdefault(words[0], int(number))
            for name in locale.days[context][width].values():
                weekdays.update(_words_of(name))  # sexta-feira
    return Names(code, {**months, **_BESIDES.get(code, {})}, frozenset(weekdays))


def _words_of(name: str) -> list[str]:
    """Return the words of a name, without an article before them (d'abril)."""
    name = re.sub(r"^d['’]", "", unicodedata.normalize("NFKC", name))
    return [plain_word(word) for word in re.findall(WORD, name)]
