"""Cases of which a part runs in the quick suite, and all of them in the slow one."""

import pytest


def some_slow(cases, every: int) -> list:
    """Return the cases, all marked slow but the first of each ``every``."""
    return [
        case if number % every == 0 else pytest.param(case, marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
