"""One cell taken apart: its sign, its digits with their marks, and what stands around them."""

import re
import unicodedata
from typing import NamedTuple

from statewise.sequences.reading.currencies import CURRENCIES, split_currency

# What looks like another sign and means the same.
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\ufe63", "-"),
        **dict.fromkeys("\u00a0\u202f\u2007\u2009\u2008\u3000\t\n\r", " "),
        **dict.fromkeys("\u2019\u2018\u02bc\u00b4\u066c", "'"),
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # fullwidth
        **dict.fromkeys("\u200b\u2060\ufeff\u200e\u200f", None),
        "\u066b": ".",
        "\u066a": "%",
        "\uffe1": "£",
        "\uffe5": "¥",
    }
)
_AS_TEXT = re.compile(r"(?:'|=?\"|=)([^'\"]*)\"?")  # '12 and ="12", as spreadsheets keep text
_PARENTHESES = re.compile(r"([^\d()]*)\(([^()]*\d[^()]*)\)([^\d()]*)")
_NO_CENTS = re.compile(r"(?<=\d)([.,]) ?--?(?=$| )")  # 12,- and 12.--
_CELL = re.compile(
    r"(?P<lead>\D*?)"
    r"(?P<body>[.,]?\d(?:[\d.,' ]*\d)?[.,]?)"
    r"(?:[eE](?P<exponent>[+-]?\d{1,5}))?"
    r"(?P<tail>(?:[^\d.,'].*)?)"
)
_LEAD = re.compile(r"([+-]?) *([^+-]*?) *([+-]?) *")
_FOOTNOTE = re.compile(r" ?(?:\*{1,3}|[†‡]|\[\w{1,3}\]|\((?:[a-z]|\d{1,2})\))$")


class Cell(NamedTuple):
    """A number as it is written.

    Attributes:
        sign: "" or "-".
        body: digits and the marks between them: "1.234,5".
        exponent: of ten, as it is written; 0 where there is none.
        currency: as `split_currency` calls it; "" without one.
        word: what else stands behind the digits: a unit, "%", "K", the letter of a footnote.
        apart: whether there is a blank before the word.
        footnote: a mark such as "*" or "[1]".
    """

    sign: str
    body: str
    exponent: int
    currency: str
    word: str
    apart: bool
    footnote: str


def take_apart(text: str) -> Cell | None:
    """Return the parts of a number; None where the text is none.

    >>> take_apart("($1,234.5)")
    Cell(sign='-', body='1,234.5', exponent=0, currency='$', word='', apart=False, footnote='')
    >>> take_apart("2002-01-01"), take_apart("12:30"), take_apart("Q1")
    (None, None, None)
    """
    if len(text) > 400 and not text.strip("+-").isdigit():
        return None
    plain = _plain(text)
    as_text = _AS_TEXT.fullmatch(plain)
    plain = as_text[1] if as_text else plain
    negative = _PARENTHESES.fullmatch(plain)
    if negative:
        plain = "".join(negative.groups())
    match = _CELL.fullmatch(_NO_CENTS.sub(r"\1", plain))
    if match is None:
        return None
    lead, body, tail = match["lead"], match["body"], match["tail"]
    if lead and lead[-1].isalpha() and body[0] in ".,":  # Rs.500
        lead, body = lead + body[0], body[1:]
    signs = _LEAD.fullmatch(lead)
    if signs is None:
        return None
    sign = signs[1] + signs[3]
    if tail == "-":  # 12-, as in books
        sign, tail = sign + "-", ""
    if len(sign) > 1 or (sign and negative):
        return None
    footnote = _FOOTNOTE.search(tail)
    if footnote:
        tail = tail[: footnote.start()]
    around = _around(signs[2], tail)
    if around is None:
        return None
    return Cell(
        "-" if negative or sign == "-" else "",
        body.strip(),
        int(match["exponent"] or 0),
        *around,
        footnote[0].strip() if footnote else "",
    )


def _around(lead: str, tail: str) -> tuple[str, str, bool] | None:
    """Return the currency, the word, and whether it's apart; None where there's something else."""
    apart, word = tail.startswith(" "), tail.strip()
    word, currency = split_currency(word)
    if word and not (word[0].isalpha() or word[0] in "%‰°º$€£¥₹"):
        return None
    if not lead:
        return currency, word, apart
    if lead == "%" and not tail:
        return "", "%", False
    before = CURRENCIES.get(lead.casefold())
    dollars = before == "$" and currency != "€"  # $12 CAD
    if before is None or (currency and currency != before and not dollars):
        return None
    return currency or before, word, apart


def _plain(text: str) -> str:
    """Return the text in ASCII's digits and marks, without blanks around."""
    if text.isascii():
        return text.translate(_SAME).strip() if not text.isprintable() else text.strip()
    text = text.translate(_SAME).strip()
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text
    )
