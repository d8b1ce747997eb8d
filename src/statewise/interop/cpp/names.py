"""Names of Python's side as C++ identifiers, each there once."""

import re

# Words that aren't a name's: keywords of C++20, and what headers in wide use define as macros.
_TAKEN = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class compl concept const consteval constexpr constinit const_cast continue co_await
    co_return co_yield decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast requires return
    short signed sizeof static static_assert static_cast struct switch template this thread_local
    throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while
    xor xor_eq std posix main linux unix i386 arm near far small interface assert errno major minor
    min max stdin stdout stderr NULL NAN INFINITY EOF BUFSIZ RAND_MAX HUGE_VAL OVERFLOW UNDERFLOW
    DOMAIN ERROR IN OUT
    """.split()
)


def is_identifier(name: str) -> bool:
    """Whether a name can be one in C++, everywhere.

    >>> is_identifier("tank_3"), is_identifier("for"), is_identifier("a__b"), is_identifier("3")
    (True, False, False, False)
    """
    usual = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
    return usual and "__" not in name and name not in _TAKEN


def identifier(name: str) -> str:
    """Return a name as an identifier of C++.

    >>> identifier("encoder/gru-1"), identifier("3 tanks"), identifier("for"), identifier("°")
    ('encoder_gru_1', 'n3_tanks', 'for_', 'unnamed')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "unnamed"
    plain = f"n{plain}" if plain[0].isdigit() else plain
    return plain if plain not in _TAKEN else f"{plain}_"


def comment(text: str) -> str:
    """Return a text that can stand in a comment of one line, whatever is in it.

    >>> print(comment("a tank\\\\"), comment("two\\nlines"))
    a tank? two?lines
    """
    return "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in text)


class Names:
    """Identifiers that have been given; the next of the same name gets a number."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def new(self, name: str) -> str:
        """Return an identifier for a name that no other has.

        >>> names = Names()
        >>> names.new("lstm.h"), names.new("lstm h"), names.new("lstm_h_2")
        ('lstm_h', 'lstm_h_2', 'lstm_h_2_2')
        """
        plain = found = identifier(name)
        number = 1
        while found in self._given:
            number += 1
            found = f"{plain}_{number}".replace("__", "_")
        self._given.add(found)
        return found
