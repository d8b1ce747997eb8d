"""Forecasters exported: the program of docs/onnx.md says from the folder what `predict` says."""

import json

import jax
import numpy as np
import pandas as pd
import pytest

from page_blocks import block_with
from some_slow import some_slow
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
from statewise.tasks.forecasting.intervals import Residuals
from statewise.tasks.forecasting.local_model import selection
from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.model import LocalModel
from statewise.tasks.forecasting.local_model.transforms import TransformSpec

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")

PROGRAM = block_with("onnx.md", "def closed_loop")
HORIZON = 6


@pytest.fixture(scope="module")
def forecast():
    """The function that the page shows."""
    namespace = {}
    exec(compile(PROGRAM, "docs/onnx.md", "exec"), namespace)
    return namespace["forecast"]


def adopted(engine, form) -> Forecaster:
    """Return a forecaster with an engine that nothing was trained for."""
    made = Forecaster(horizon=HORIZON)
    made._form, made._scanned = form, None
    made._adopt(engine)
    return made


def of_panel(series, rng, *, log=False, start="naive", likelihood="none", tentative=False, **more):
    """Return a forecaster whose two networks, for all series, have drawn weights."""
    taken = take_in(series)
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
    data, _ = lay_out(taken.known, Encoder(), **layout)
    architecture = architecture_of(request, taken.known, Encoder(), data)

    def drawn(weight):
        return weight + jax.numpy.asarray(0.3 * rng.normal(size=weight.shape), "float32")

    engine = GlobalModel(
        data=TrainingData(taken.known, request.season, [], [], request.also),
        request=request,
        spec=IncrementSpec(log, start),
        epochs=1,
        architecture=architecture,
        weights=[jax.tree.map(drawn, initial_weights(architecture, i)) for i in range(2)],
        encoder=Encoder(),
        residuals=Residuals(np.zeros((1, HORIZON))),
        factors=None,
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
        residuals=Residuals(np.zeros((1, HORIZON))),
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


ALONE = {
    "difference of a season": {"cell": "lstm", "log": True, "lags": (7, 1), "lookback": 30},
    "as it is": {"cell": "gru", "log": False, "lags": (), "lookback": 100},
    "difference": {"cell": "rnn", "log": False, "lags": (1,), "lookback": 9},
}


@pytest.mark.parametrize("name", some_slow(ALONE, 3))
def test_one_series_is_forecast_as_by_predict(name, forecast, rng, tmp_path):
    options = ALONE[name]
    values = drawn_series(rng, 60, lowest=2.0 if options["log"] else None)
    forecaster = of_one(values[:50], rng, **options)
    forecaster.export(tmp_path / "made")
    assert_same(forecast(tmp_path / "made", values[:50], 6), forecaster.predict(), values)
    more = forecaster.predict(15, new_data=values)
    assert_same(forecast(tmp_path / "made", values, 15), more, values)


PANELS = {
    "two layers": {"cell": "gru", "layers": 2, "season": 7, "log": True, "start": "seasonal"},
    "counts": {"season": 4, "likelihood": "negative-binomial"},
    "a long season is repeated": {"season": 11, "also": (7,), "start": "seasonal"},
    "a short season is repeated": {
        "season": 7,
        "also": (9, 30),
        "cell": "rnn",
        "start": "seasonal",
    },
    "blind": {"season": 7, "tentative": True, "start": "blind", "likelihood": "gaussian"},
    "no season": {"likelihood": "quantiles", "lookback": 80, "layers": 3},
    "a longer reach": {"season": 24, "likelihood": "student-t", "cell": "gru", "lookback": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PANELS)
def test_series_of_a_panel_are_forecast_as_by_predict(name, forecast, rng, tmp_path):
    options = PANELS[name]
    lowest = 1.5 if options.get("log") else None
    lengths = {"long": 70, "short": 10, "shortest": 2}
    series = {key: drawn_series(rng, steps, lowest=lowest) for key, steps in lengths.items()}
    if options.get("likelihood") == "negative-binomial":
        series = {key: np.abs(values).round() for key, values in series.items()}
    still = np.full(20, 3.0)
    forecaster = of_panel({**series, "still": still}, rng, **options)
    forecaster.export(tmp_path / "made")
    told = forecaster.predict()
    for key, values in series.items():
        assert_same(forecast(tmp_path / "made", values, HORIZON), told[key], values)
    kept = forecast(tmp_path / "made", still, HORIZON)
    np.testing.assert_allclose(kept, told["still"], rtol=1e-6)
    farthest = json.loads((tmp_path / "made" / "forecaster.json").read_text("utf-8"))["farthest"]
    with pytest.raises(ValueError, match="too few for that far"):
        forecast(tmp_path / "made", series["long"], farthest + 1)


def test_the_program_has_forty_lines():
    code = [line for line in PROGRAM.splitlines() if line.strip()]
    assert len([line for line in code if not line.strip().startswith('"""')]) <= 40


def test_the_program_refuses_what_it_cant_prepare(forecast, rng, tmp_path):
    values = drawn_series(rng, 40, lowest=1.0)
    made = of_one(values, rng, cell="gru", log=True, lags=(7,), lookback=20)
    made.export(tmp_path / "made")
    for wrong in (np.append(values, np.nan), values[:7], np.append(values, np.inf)):
        with pytest.raises(ValueError, match="a value is missing"):
            forecast(tmp_path / "made", wrong, 3)


def test_what_isnt_written_is_refused_in_words(rng, tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        Forecaster(horizon=3).export(tmp_path / "made")
    values = drawn_series(rng, 30)
    gaps = np.where(np.arange(30) == 11, np.nan, values)
    with pytest.raises(ValueError, match=r"can't be exported: values were missing.*keep the"):
        of_panel({"a": values, "b": gaps}, rng).export(tmp_path / "made")
    days = pd.date_range("2024", periods=30, name="ds")
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": values, "price": values[::-1]})
    long = take_in(frame, {"future": ["price"]})
    forecaster = of_panel({"a": values, "b": values[::-1]}, rng)
    forecaster._engine.data = TrainingData(long.known, 1, [], [])
    with pytest.raises(ValueError, match=r"inputs besides the target \('price'\)"):
        forecaster.export(tmp_path / "made")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_stays_as_it_is(rng, tmp_path):
    values = drawn_series(rng, 40)
    made = of_one(values, rng, cell="rnn", log=False, lags=(), lookback=20)
    made.export(tmp_path / "made")
    told = json.loads((tmp_path / "made" / "forecaster.json").read_text("utf-8"))
    assert (told["format"], told["horizon"], told["networks"]) == (1, HORIZON, ["network_0.onnx"])
    with pytest.raises(FileExistsError, match=r"new folder, or .* overwrite=True"):
        made.export(tmp_path / "made")
    with pytest.raises(TypeError, match="folder is a int; expected a path"):
        made.export(3)
    with pytest.raises(FileNotFoundError):
        made.export(tmp_path / "nowhere" / "made")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        made.export(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    made.export(tmp_path / "empty")
    assert len(list((tmp_path / "empty").iterdir())) == 2
