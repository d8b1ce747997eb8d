"""What a message advises works: each is followed to the end."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError, read_series
from statewise.tasks import Forecaster

QUICK = {"horizon": 3, "units": 2, "epochs": 1, "lookback": 8}
VALUES = 10 + np.tile([0.0, 3.0, 1.0, -2.0], 9)
HOLES = np.where(np.isin(np.arange(36), [9, 20]), np.nan, VALUES)
DAYS = pd.date_range("2024-01-01", periods=36)
GIVEN = {
    "array": HOLES,
    "series": pd.Series(HOLES, DAYS),
    "absent rows": pd.Series(HOLES, DAYS).dropna(),
}


@pytest.mark.parametrize("series", GIVEN.values(), ids=GIVEN)
def test_one_series_with_missing_values(series):
    with pytest.raises(DataError) as caught:
        Forecaster(**QUICK).fit(series)
    advice = str(caught.value).split("so give ")[1].removesuffix(" instead")
    for way in ("fill", "drop"):
        assert f'missing="{way}"' in str(caught.value)
        read = eval(advice.replace("fill", way), {"read_series": read_series, "pd": pd}, locals())
        assert np.isfinite(Forecaster(**QUICK).fit(read).predict()).all()


def panel(*lengths):
    return pd.concat(
        pd.DataFrame({"unique_id": i, "ds": DAYS[:length], "y": HOLES[:length]})
        for i, length in enumerate(lengths)
    )


def test_a_panel_with_missing_values_and_a_short_series():
    table = panel(36, 36, 5)
    with pytest.raises(DataError, match='go on without them by short="drop"'):
        Forecaster(**QUICK).fit(table)
    with pytest.raises(DataError, match='leave them out of the loss by missing="mask"'):
        Forecaster(**QUICK).fit(table, short="drop", missing="raise")
    forecaster = Forecaster(**QUICK).fit(table, short="drop", missing="mask")
    assert forecaster.left_out_ == [2]


def test_too_short_for_the_horizon():
    with pytest.raises(DataError, match="take a shorter horizon or lookback"):
        Forecaster(horizon=30, epochs=1).fit(VALUES)
    assert len(Forecaster(**QUICK).fit(VALUES).predict()) == 3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(0.5, "Take another likelihood, or round the target"), (-2.0, "Take another likelihood[.]")],
)
def test_no_counts(wrong, words):
    """Rounding makes counts of fractions, but none of what is below 0."""
    table = (
        panel(36).fillna({"y": 4.0}).replace({"y": {10.0: 10.0 + wrong if wrong > 0 else wrong}})
    )
    with pytest.raises(DataError, match=words):
        Forecaster(**QUICK, likelihood="negative-binomial").fit(table)
