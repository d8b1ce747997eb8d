"""The error for what a user gave and statewise can't work with, in letters a terminal can show."""

import sys
from contextlib import contextmanager

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


def check_cluster(address: str | None) -> None:
    """Refuse an address where no Ray cluster is, before anything is read; it takes 10 s at most."""
    if address not in (None, "auto", "local"):
        from statewise.distributed.ray_cluster import check_reached

        with refusals(ConnectionError, ValueError):
            check_reached(address)


def chosen_peers(every: bool, some: tuple[str, ...]) -> tuple[str, ...]:
    """Return the statistical forecasts that were asked for; refuse them where they aren't there.

    Args:
        every: whether all of them were.
        some: those that were named.
    """
    from statewise.cli.options import PEERS

    chosen = PEERS if every else tuple(dict.fromkeys(some))
    if chosen:
        from statewise.tasks.evaluation.reference_models import check_peers

        with refusals(ImportError):
            check_peers(chosen)
    return chosen


def let_any_console_show() -> None:
    """Print a mark in place of a letter that the console's encoding hasn't, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A test's stream may have neither; "strict" is what Python takes where nobody said more.
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


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
