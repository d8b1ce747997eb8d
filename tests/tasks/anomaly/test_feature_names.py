"""Features of several series, and of those that come later, are told by their names."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.streams import Streams
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.data import in_order_of, take_in

FRAME = pd.DataFrame({"flow": [1.0, 2, 3], "pressure": [100.0, 200, 300]})
TURNED = FRAME[["pressure", "flow"]]


def test_columns_in_another_order_are_put_in_that_of_the_first_series():
    taken = take_in({"north": FRAME, "south": TURNED + 1})
    assert {one.names for one in taken.series.values()} == {("flow", "pressure")}
    np.testing.assert_array_equal(taken.series["south"].values, FRAME + 1)


def test_other_names_are_refused():
    renamed = FRAME.rename(columns={"flow": "level"})
    words = "the series of 'south' has the features 'level', 'pressure', but expected are 'flow', "
    with pytest.raises(DataError, match=words):
        take_in({"north": FRAME, "south": renamed})


@pytest.mark.parametrize("given", [FRAME.to_numpy(), {"a": FRAME["flow"], "b": FRAME["pressure"]}])
def test_an_array_and_a_single_feature_stand_for_what_is_expected(given):
    taken = take_in(given)
    names = ("x", "y")[: next(iter(taken.series.values())).values.shape[1]]
    assert in_order_of(taken, names).series == taken.series


@pytest.mark.slow
def test_scores_are_of_the_features_by_name():
    rng = np.random.default_rng(0)
    usual = pd.DataFrame({"flow": rng.normal(size=80), "pressure": rng.normal(50, 9, 80)})
    detector = AnomalyDetector(units=2, epochs=1, season=1).fit({"north": usual, "south": usual})
    expected = detector.score({"north": usual}, by_feature=True)["north"]
    turned = detector.score({"north": usual[["pressure", "flow"]]}, by_feature=True)["north"]
    pd.testing.assert_frame_equal(turned, expected)
    with Streams(detector.model_) as streams:
        row = usual.iloc[3][["pressure", "flow"]]
        pushed = detector.push(streams, {"north": row, "south": usual.iloc[3].to_numpy()})
        np.testing.assert_array_equal(pushed["north"].by_feature, pushed["south"].by_feature)
        several = detector.push(streams, {"north": usual[["pressure", "flow"]], "south": usual})
        np.testing.assert_array_equal(several["north"].score, several["south"].score)
        with pytest.raises(DataError, match="'north' has the features 'pressure', 'level'"):
            detector.push(streams, {"north": row.rename({"flow": "level"})})
        assert streams.steps("north") == 81
