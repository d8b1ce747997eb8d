import numpy as np
import pytest

from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.selection import ValidationSplit
from statewise.tasks.forecasting.local_model.training import continue_from, cut_samples, transformed
from statewise.tasks.forecasting.local_model.transforms import TransformSpec, transform_specs


def test_transform_specs():
    positive, mixed = np.array([1.0, 2.0]), np.array([0.0, 2.0])
    assert len(transform_specs(positive, seasons=[12], most_lost=13)) == 8
    assert len(transform_specs(positive, seasons=[12], most_lost=12)) == 6
    assert len(transform_specs(positive, seasons=[1], most_lost=12)) == 4
    assert {one.log for one in transform_specs(mixed, seasons=[4], most_lost=9)} == {False}
    assert transform_specs(mixed, seasons=[4], most_lost=0) == [TransformSpec(False, ())]
    assert str(TransformSpec(True, (12, 1))) == (
        "logarithm, difference over 12 steps, difference over 1 step"
    )


def test_features_end_at_the_same_step(rng):
    series = rng.uniform(1, 2, 30)
    pipelines = [TransformSpec(False, lags).fit(series) for lags in [(), (1,), (4, 1)]]
    z = transformed(pipelines, series)
    assert z.shape == (25, 3)
    for k, pipeline in enumerate(pipelines):
        np.testing.assert_array_equal(z[:, k], pipeline.transform(series)[-25:])


@pytest.mark.parametrize(
    ("steps", "lookback", "shape", "size"),
    [
        (20, 100, (1, 19, 2), 1),
        (20, 19, (1, 19, 2), 1),
        (20, 8, (6, 8, 2), 6),
        (121, 4, (116, 4, 2), 29),  # 117 samples: the oldest is left out, for batches of one size
        (5000, 2, (512, 2, 2), 32),
    ],
)
def test_samples(steps, lookback, shape, size):
    z = np.arange(2.0 * steps).reshape(steps, 2)
    samples = cut_samples(z, lookback=lookback, seed=3)
    assert samples.x.shape[1:] == shape[1:]
    assert abs(samples.x.shape[0] - shape[0]) <= shape[0] * 0.3
    assert samples.x.shape == samples.y.shape
    assert samples.x.shape[0] == samples.batches * samples.batch_size
    np.testing.assert_array_equal(samples.x[:, 1:], samples.y[:, :-1])
    assert samples.y.max() == z.max()  # the latest step is in
    again = cut_samples(z, lookback=lookback, seed=3)
    np.testing.assert_array_equal(samples.x, again.x)


@pytest.mark.parametrize(
    ("steps", "horizon", "lookback"), [(120, 24, 8), (96, 1, 8), (11, 3, 8), (9, 1, 8), (40, 30, 2)]
)
def test_validation_stays_inside(steps, horizon, lookback):
    split = ValidationSplit.of(steps, horizon=horizon, lookback=lookback)
    assert lookback <= split.first < steps
    assert 1 <= split.horizon <= horizon
    assert split.origins[0] == split.first
    assert split.origins[-1] + split.horizon == steps
    assert (np.diff(split.origins) > 0).all()


def test_many_origins_are_one_each(rng):
    series = rng.uniform(5, 9, 40)
    pipelines = [
        TransformSpec(True, (4,)).fit(series[:30]),
        TransformSpec(False, ()).fit(series[:30]),
    ]
    model = side_by_side("gru", networks=2, units=3)
    origins = np.array([20, 25, 31])
    together = continue_from(model, pipelines, series, origins, horizon=5, lookback=10)
    assert together.shape == (2, 3, 5)
    for i, origin in enumerate(origins):
        known = series[:origin]
        one = continue_from(model, pipelines, known, origins[i : i + 1], horizon=5, lookback=10)
        np.testing.assert_allclose(together[:, i], one[:, 0], rtol=1e-5)


def test_a_network_gone_astray_gives_no_error():
    series = np.linspace(1, 2, 20)
    pipeline = TransformSpec(True, (1,)).fit(series)
    model = side_by_side("rnn", networks=1, units=1)
    model.layers[-1].bias.assign([1e30])
    forecast = continue_from(model, [pipeline], series, np.array([20]), horizon=4, lookback=5)
    assert not np.isnan(forecast).any()
