"""Forecasters that nothing was trained for, with drawn weights: what they say is not simple."""

import jax
import numpy as np

from statewise.tasks import Forecaster
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.engine import TrainingData
from statewise.tasks.forecasting.global_model.architecture import initial_weights
from statewise.tasks.forecasting.global_model.config import (
    IncrementSpec,
    Request,
    ValidationSplit,
    architecture_of,
    holds_counts,
)
from statewise.tasks.forecasting.global_model.features import Encoder, lay_out
from statewise.tasks.forecasting.global_model.model import GlobalModel
from statewise.tasks.forecasting.intervals import Factors, Residuals
from statewise.tasks.forecasting.local_model import selection
from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.model import LocalModel
from statewise.tasks.forecasting.local_model.transforms import TransformSpec

HORIZON = 6


def adopted(engine, form) -> Forecaster:
    """Return a forecaster with an engine that nothing was trained for."""
    made = Forecaster(horizon=HORIZON)
    made._form, made._scanned = form, None
    made._adopt(engine)
    return made


def drawn_residuals(rng):
    """Draw residuals that lean to one side, of fewer steps than some forecasts have."""
    return Residuals.of(rng.gamma(2.0, size=(23, HORIZON)) - 0.7)


def of_panel(
    series,
    rng,
    *,
    columns=None,
    log=False,
    start="naive",
    likelihood="none",
    tentative=False,
    **more,
):
    """Return a forecaster whose two networks, for all series, have drawn weights."""
    taken = take_in(series, columns)
    encoder = Encoder.fit(taken.known)
    options = {"season": 1, "lookback": 12, "cell": "lstm", "units": 4, "layers": 1, **more}
    request = Request(
        horizon=HORIZON,
        least=2,
        likelihood=likelihood,
        epochs=1,
        seed=0,
        tentative=tentative,
        **options,
    )
    layout = {"log": log, "counts": holds_counts(request), "season": request.shortest, "extra": 0}
    data, _ = lay_out(taken.known, encoder, **layout)
    architecture = architecture_of(request, taken.known, encoder, data)

    def drawn(weight):
        return weight + jax.numpy.asarray(0.3 * rng.normal(size=weight.shape), "float32")

    engine = GlobalModel(
        data=TrainingData(taken.known, request.season, [], [], request.also),
        request=request,
        spec=IncrementSpec(log, start),
        epochs=1,
        architecture=architecture,
        weights=[jax.tree.map(drawn, initial_weights(architecture, i)) for i in range(2)],
        encoder=encoder,
        residuals=drawn_residuals(rng),
        factors=None if likelihood == "none" else Factors(np.ones(13)),
        errors={"increments": 1.0},
        curves={},
        losses=[1.0],
        split=ValidationSplit.of(taken.known.lengths, HORIZON, 2),
    )
    return adopted(engine, taken.form)


def of_one(values, rng, *, cell, log, lags, lookback):
    """Return a forecaster of one series whose three networks have drawn weights."""
    taken = take_in(values)
    spec = TransformSpec(log, lags)
    model = side_by_side(cell, networks=3, units=4, seed=1)
    weights = [w + (w != 0) * 0.3 * rng.normal(size=w.shape) for w in model.get_weights()]
    drawn = [w if w.ndim == 2 and len(w) > 2 else w + rng.normal(size=w.shape) for w in weights]
    model.set_weights([w.astype("float32") for w in drawn])
    split = selection.ValidationSplit.of(len(values), horizon=HORIZON, lookback=8)
    engine = LocalModel(
        data=TrainingData(taken.known, max(lags, default=1), [], []),
        values=values,
        spec=spec,
        pipeline=spec.fit(values),
        model=model,
        cell=cell,
        lookback=lookback,
        units=4,
        epochs=1,
        shape=(1, lookback, 1),
        losses=[1.0],
        errors={"none": 1.0},
        curves={},
        residuals=drawn_residuals(rng),
        split=split,
    )
    return adopted(engine, taken.form)


def drawn_series(rng, steps, *, lowest=None):
    """Draw a series that swings and drifts; all above a number where one is given."""
    time = np.arange(steps)
    values = 3 * np.sin(time * 2 * np.pi / 7) + rng.normal(size=steps).cumsum()
    return values if lowest is None else values - values.min() + lowest


def assert_same(got, expected, known):
    scale = max(np.abs(known).max(), np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * scale)
    assert np.std(expected) > 1e-3 * np.std(known)  # or it would say nothing
