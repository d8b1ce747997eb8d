import numpy as np
import pandas as pd
import pytest

from statewise.tasks import Forecaster, backtest, evaluate_closed_loop, evaluate_one_step
from statewise.tasks.evaluation.backtesting import from_evaluation
from statewise.tasks.forecasting.parameters import fresh, levels_of

QUICK = {"units": 2, "epochs": 1}
SERIES = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)


class Rounded(Forecaster):
    """A subclass with an argument of its own, and another forecast."""

    def __init__(self, *, digits=0, **others):
        super().__init__(**others)
        self.digits = digits

    def predict(self, *args, **kwargs):
        return np.round(super().predict(*args, **kwargs), self.digits)

    def predict_one_step(self, *args, **kwargs):
        return np.round(super().predict_one_step(*args, **kwargs), self.digits)


@pytest.fixture(scope="module")
def rounded():
    made = Rounded(digits=-1, horizon=4, season=4, **QUICK)
    made.remark = "kept"
    return made.fit(SERIES)


@pytest.mark.slow
def test_a_subclass_is_evaluated_as_what_it_is(rounded):
    closed = evaluate_closed_loop(rounded, pd.Series(SERIES))
    one = evaluate_one_step(rounded, SERIES)
    tested = backtest(rounded, SERIES, windows=1, level=[])
    again = backtest(rounded, SERIES, windows=2, level=[], refit=True)
    for result, points in (
        (closed, closed.forecasts["model"]),
        (one, one.forecasts["model"]),
        (tested, tested.arrays["model"].points),
        (again, again.arrays["model"].points),
    ):
        made = result.forecaster
        assert isinstance(made, Rounded)
        assert (made.digits, made.remark, made.season) == (-1, "kept", 4)
        np.testing.assert_array_equal(np.round(points, -1), points)
        assert made is not rounded
    assert one.forecaster.horizon == 1
    assert rounded.horizon == 4


def test_arguments_of_a_subclass(rounded):
    assert list(rounded.get_params()) == ["digits", *Forecaster(horizon=1).get_params()]
    assert repr(rounded).startswith("Rounded(digits=-1, horizon=4, ")
    again = fresh(rounded, digits=2)
    assert (again.digits, rounded.digits) == (2, -1)
    with pytest.raises(ValueError, match="not fitted yet"):
        again.predict()
    with pytest.raises(ValueError, match="Rounded has no argument 'depth'; it has digits, horizon"):
        again.set_params(depth=1)


def test_a_subclass_is_saved_as_what_it_is(rounded, tmp_path):
    rounded.save(tmp_path / "rounded.forecaster")
    again = Rounded.load(tmp_path / "rounded.forecaster")
    assert again.digits == -1
    np.testing.assert_array_equal(again.predict(), rounded.predict())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"units": 10**6}, r"units=1,000,000 in 1 layers of lstm take some 6.4e\+04 GB"),
        ({"units": 10**5, "layers": 60, "cell": "rnn"}, "units=100,000 in 60 layers of rnn"),
        ({"layers": 10**7}, "layers must be at most 64, but is 10,000,000"),
        ({"lookback": 10**9}, "lookback must be at most 1,000,000 steps, but is 1,000,000,000"),
        ({"season": 10**9}, "season must be at most 1,000,000 steps"),
    ],
    ids=str,
)
def test_networks_that_there_is_no_room_for(arguments, words):
    with pytest.raises(ValueError, match=words):
        Forecaster(horizon=4, **arguments).fit(SERIES)


@pytest.fixture(scope="module")
def fitted():
    return Forecaster(horizon=4, season=4, **QUICK).fit(SERIES)


WRONG_LEVELS = [
    ("80", TypeError, r"level must be numbers of percent, such as level=\[80, 95\], but is '80'"),
    (["80"], TypeError, "numbers of percent"),
    (True, TypeError, "numbers of percent"),
    ([80, None], TypeError, "numbers of percent"),
    ([[80], [95]], TypeError, "numbers of percent"),
    ([80, [95, 99]], TypeError, "numbers of percent"),
    ({80: 1}, TypeError, "numbers of percent"),
    (0.8, ValueError, "is 0.8: it is no fraction, write 80 for 80 percent"),
    ([0.95], ValueError, "write 95 for 95 percent"),
    (100, ValueError, "between 0 and 100 percent, but is 100"),
    (-5, ValueError, "between 0 and 100 percent, but is -5"),
    (np.nan, ValueError, "but is nan"),
]


@pytest.mark.parametrize(("level", "error", "words"), WRONG_LEVELS)
def test_levels_are_percent(fitted, level, error, words):
    with pytest.raises(error, match=words):
        fitted.predict(level=level)
    with pytest.raises(error, match=words):
        backtest(fitted, SERIES, windows=1, level=level)


def test_levels_taken(fitted):
    assert levels_of(None) == levels_of([]) == []
    assert levels_of(np.array([80, 95])) == levels_of((80, 95.0, 80)) == [80.0, 95.0]
    table = fitted.predict(level=99.5)
    assert table.columns.tolist() == ["model", "model-lo-99.5", "model-hi-99.5"]
    evaluation = evaluate_closed_loop(fitted, SERIES)
    assert from_evaluation(evaluation, level=[80]).levels == (80.0,)
    with pytest.raises(TypeError, match="numbers of percent"):
        from_evaluation(evaluation, level="80")


def test_a_forecast_that_there_is_no_room_for(fitted, monkeypatch):
    for horizon in (10**9, 10**18):
        with pytest.raises(ValueError, match=r"horizon must be at most 1,000,000 steps, but is 1,"):
            fitted.predict(horizon)
    monkeypatch.setattr("statewise.tasks.forecasting.parameters._memory", lambda: 10**8)
    with pytest.raises(ValueError, match=r"some 0\.\d+ GB, but this machine has 0.1 GB: .* fewer"):
        fitted.predict(300_000)
    assert len(fitted.predict(1000)) == 1000


def test_intervals_hold_the_point_and_are_nested(fitted):
    levels = [1, 20, 50, 80, 95, 99]
    table = fitted.predict(12, level=levels)
    ends = [f"model-lo-{one}" for one in levels[::-1]]
    ends += ["model", *(f"model-hi-{one}" for one in levels)]
    assert (np.diff(table[ends]) >= 0).all()
