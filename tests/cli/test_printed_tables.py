"""Tables that commands print: measures with four digits, counts as they are."""

import numpy as np
import pandas as pd
import pytest

from statewise.cli.printer import Printer


@pytest.mark.parametrize(
    ("values", "printed"),
    [
        ([1, 0, 12_345], ["1", "0", "12,345"]),
        ([1.5, 0.0, 12_345.6], ["1.500", "0", "12,346"]),
        ([np.nan, 0.01234, -2.0], ["-", "0.01234", "-2.000"]),
    ],
)
def test_numbers_of_a_table(capsys, values, printed):
    Printer(quiet=False, for_json=False).table(pd.DataFrame({"a": values}, index=list("xyz")))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows if row and row[0] in list("xyz")] == printed
