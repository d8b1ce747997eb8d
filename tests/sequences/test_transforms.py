import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from statewise.sequences import Difference, Log, MinMaxScaler, Pipeline, StandardScaler

SHAPES = [(30,), (30, 3), (4, 30, 3)]


def random_series(shape, seed=0):
    """Positive, with a scale of its own for each feature."""
    values = np.random.default_rng(seed).lognormal(size=shape)
    return values * np.array([1.0, 50.0, 0.01]) if len(shape) > 1 else values


def series_strategy(low, high):
    shape = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))


class TestLog:
    @settings(deadline=None)
    @given(series=series_strategy(1e-9, 1e9))
    def test_undone(self, series):
        back = Log().inverse_transform(Log().fit(series).transform(series))
        np.testing.assert_allclose(back, series, rtol=1e-12)

    def test_missing_values_stay(self):
        np.testing.assert_array_equal(Log().transform([1.0, np.nan]), [0.0, np.nan])

    @pytest.mark.parametrize("value", [0.0, -2.5])
    def test_needs_positive_values(self, value):
        message = rf"above 0, but 2 are not, the first \({value:g}\) at time step 1"
        with pytest.raises(ValueError, match=message):
            Log().fit([1.0, value, -9.0])


class TestDifference:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("lag", [1, 2, 7])
    def test_definition(self, shape, lag):
        series = random_series(shape)
        axis = 1 if series.ndim == 3 else 0
        z = np.moveaxis(Difference(lag).transform(series), axis, 0)
        by_time = np.moveaxis(series, axis, 0)
        assert len(z) == 30 - lag
        for t in range(lag, 30):
            np.testing.assert_array_equal(z[t - lag], by_time[t] - by_time[t - lag])

    @settings(deadline=None)
    @given(
        lag=st.integers(1, 5),
        at=st.integers(5, 20),
        steps=st.integers(0, 12),
        ndim=st.integers(1, 3),
    )
    def test_continues(self, lag, at, steps, ndim):
        series = random_series([(40,), (40, 3), (2, 40, 3)][ndim - 1])
        cut = (slice(None),) * (ndim == 3)
        history, future = series[(*cut, slice(at))], series[(*cut, slice(at, at + steps))]
        z = Difference(lag).transform(series)[(*cut, slice(at - lag, at - lag + steps))]
        np.testing.assert_allclose(Difference(lag).continue_from(history, z), future, rtol=1e-10)

    def test_history_stays_as_it_is(self):
        history, future = np.array([1.0, 2.0]), np.array([1.0, 1.0])
        Difference(1).continue_from(history, future)
        np.testing.assert_array_equal(history, [1, 2])
        np.testing.assert_array_equal(future, [1, 1])

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: Difference(0), ValueError, "lag must be at least 1, but is 0"),
            (lambda: Difference(1.0), TypeError, "lag must be a whole number"),
            (
                lambda: Difference(3).fit([1, 2, 3]),
                ValueError,
                r"3 time steps, but Difference\(3\) needs at least 4",
            ),
            (
                lambda: Difference(3).continue_from([1, 2], [1]),
                ValueError,
                "history has 2 time steps.*at least 3",
            ),
            (
                lambda: Difference(1).continue_from(np.ones((2, 3)), np.ones((2, 1))),
                ValueError,
                r"history has \(2, 3\) and future \(2, 1\)",
            ),
            (
                lambda: Difference(1).continue_from(np.ones((2, 3)), np.ones(2)),
                ValueError,
                r"future \(2,\)",
            ),
        ],
    )
    def test_wrong_input(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


CHAINS = [
    [],
    [StandardScaler()],
    [Log(), Difference(12), StandardScaler()],
    [Difference(1), Difference(4), MinMaxScaler((-1, 1))],
    [StandardScaler(), Difference(4), MinMaxScaler(), Difference(1)],
]


class TestChain:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("transforms", CHAINS)
    @pytest.mark.parametrize("at", [13, 20])
    def test_continues(self, transforms, shape, at):
        series = random_series(shape)
        cut = (slice(None),) * (series.ndim == 3)
        train, rest = series[(*cut, slice(25))], series[(*cut, slice(at, None))]
        pipeline = Pipeline(transforms).fit(train)
        z = pipeline.transform(series)
        assert z.shape[-1 if z.ndim == 1 else -2] == 30 - pipeline.steps_lost
        future = z[(*cut, slice(at - pipeline.steps_lost, None))]
        values = pipeline.continue_from(series[(*cut, slice(at))], future)
        np.testing.assert_allclose(values, rest, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("transforms", CHAINS[2:])
    def test_continues_from_the_shortest_history(self, transforms):
        series = random_series((30,))
        pipeline = Pipeline(transforms).fit(series)
        lost = pipeline.steps_lost
        values = pipeline.continue_from(series[:lost], pipeline.transform(series))
        np.testing.assert_allclose(values, series[lost:], rtol=1e-9, atol=1e-12)
        with pytest.raises(ValueError, match=f"has {lost - 1} time steps.* at least {lost}"):
            pipeline.continue_from(series[: lost - 1], [0.0])

    def test_each_sample_continues_from_its_own_history(self):
        series = random_series((30,))
        pipeline = Pipeline([Log(), Difference(2), StandardScaler()]).fit(series)
        histories = np.stack([series[i : i + 4] for i in range(5)])[..., None]
        future = np.random.default_rng(1).normal(size=(5, 3, 1))
        together = pipeline.continue_from(histories, future)
        for i in range(5):
            alone = pipeline.continue_from(series[i : i + 4], future[i, :, 0])
            np.testing.assert_allclose(together[i, :, 0], alone, rtol=1e-13)

    def test_fits_each_on_what_the_one_before_gives(self):
        series = random_series((30, 3))
        pipeline = Pipeline([Difference(2), StandardScaler()]).fit(series)
        expected = StandardScaler().fit(series[2:] - series[:-2]).get_state()
        assert pipeline.get_state()["transforms"][1] == expected

    @pytest.mark.parametrize("transforms", CHAINS)
    def test_state_through_json(self, transforms):
        series = random_series((30, 3))
        pipeline = Pipeline(transforms).fit(series)
        again = Pipeline.from_state(json.loads(json.dumps(pipeline.get_state())))
        assert again.get_state() == pipeline.get_state()
        np.testing.assert_array_equal(again.transform(series), pipeline.transform(series))

    def test_wrong_parts(self):
        with pytest.raises(TypeError, match=r"made of StandardScaler, .*, but got 'x'"):
            Pipeline(["x"])
        with pytest.raises(ValueError, match="no transform 'cube', only difference, log, min-max"):
            Pipeline.from_state({"kind": "chain", "transforms": [{"kind": "cube"}]})
        with pytest.raises(ValueError, match="history has 0 time steps"):
            Pipeline([Difference(1)]).continue_from(5.0, [1.0])
