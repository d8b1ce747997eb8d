"""The error for what a user gave and statewise can't work with, in letters a terminal can show."""

from contextlib import contextmanager
from pathlib import Path

import click

_LONGEST = 2000  # letters of a message; names of columns can be of any length


class Refusal(click.ClickException):
    """Wrong input: one line on stderr, exit code 2."""

    exit_code = 2


@contextmanager
def refusals(*kinds: type[Exception]):
    """Turn errors about the data into one line and exit code 2."""
    try:
        yield
    except kinds as error:
        raise Refusal(str(error)) from None


def check_environment() -> None:
    """Refuse environment variables of the kernels that say what there isn't."""
    from statewise.recurrence.native import available

    with refusals(ValueError):
        available()


def make_folder(folder: Path, option: str) -> None:
    """Make the folder of what is written now: not to fail after the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{option} {folder} is no folder to write to: {error.strerror}") from None


def printable(text: str, most: int | None = None) -> str:
    """Return a text without what a terminal would obey, a long one shortened in the middle.

    >>> printable("a\\x1b[31mb\\nc"), printable("abcdefgh", most=5)
    ('a�[31mb\\nc', 'ab…gh')
    """
    if most is not None and len(text) > most:
        half = (most - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def one_line(message: str) -> str:
    """Return a message as one line.

    >>> one_line("a  b\\nc")
    'a b c'
    """
    return printable(" ".join(message.split()), _LONGEST)
