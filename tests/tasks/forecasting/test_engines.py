"""What stands behind a forecaster: which model it is, and that a protocol is all it needs."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.tasks import Forecaster
from statewise.tasks.forecasting import fitting as module
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.engine import Summary, TrainingData
from statewise.tasks.forecasting.engine_choice import engine_for, engine_named
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.global_model.model import GlobalModel
from statewise.tasks.forecasting.local_model.model import LocalModel
from statewise.tasks.forecasting.parameters import arguments_for

QUICK = {"units": 2, "epochs": 1}
SHORT = np.arange(60.0)


class LastValue:
    """An engine that repeats the last value, and says what it was asked."""

    def __init__(self, panel, arguments):
        self.data = TrainingData(panel, arguments.season or 1, ["noted"], ["gone"])

    @classmethod
    def fit(cls, panel, arguments, progress):
        progress("training", 1, 1, 0.5)
        return cls(panel, arguments)

    def predict(self, panel, horizon, levels, future):
        points = np.repeat(panel.values[panel.offsets[1:] - 1], horizon, axis=1)
        return Forecast(points, {level: (points - level, points + level) for level in levels})

    def predict_one_step(self, panel, values, origins):
        return values[origins - 1]

    def numbers(self, intervals):
        return 1

    def summary(self):
        cut = {"series": 1, "steps": 2, "held": 3, "windows": 4}
        return Summary(5, 6, 7, "nothing", {"nothing": 1.0}, {"nothing": []}, (1, 2, 3), [0.5], cut)


def test_a_forecaster_asks_no_more_than_the_protocol(monkeypatch):
    monkeypatch.setattr(module, "engine_for", lambda taken, arguments: LastValue)
    seen = []
    made = Forecaster(horizon=2, season=4).fit(SHORT, progress=lambda *now: seen.append(now))
    assert seen == [("training", 1, 1, 0.5)]
    assert made.predict().tolist() == [59, 59]
    assert made.predict(1, level=80).iloc[0].tolist() == [59, 0, 139]  # it never was below 0
    assert made.predict(1, new_data=SHORT[:7]).tolist() == [6]
    assert made.predict_one_step(SHORT, first=57).tolist() == [56, 57, 58]
    assert (made.season_, made.notes_, made.left_out_) == (4, ["noted"], ["gone"])
    assert (made.units_, made.epochs_, made.lookback_, made.transform_) == (5, 6, 7, "nothing")
    assert made.cut_ == {"series": 1, "steps": 2, "held": 3, "windows": 4}
    assert made.training_shape_ == (1, 2, 3)


@pytest.mark.parametrize(
    ("data", "options", "kind"),
    [
        (SHORT, {}, LocalModel),
        (pd.DataFrame({"ds": range(60), "y": SHORT}), {}, LocalModel),
        (np.arange(999.0), {}, LocalModel),
        (np.arange(1000.0), {}, GlobalModel),
        (SHORT, {"likelihood": "gaussian"}, GlobalModel),
        (SHORT, {"layers": 2}, GlobalModel),
        (np.ones((60, 2)), {}, GlobalModel),
    ],
)
def test_the_choice(data, options, kind):
    arguments = arguments_for(Forecaster(horizon=2, **options))
    assert engine_for(take_in(data), arguments) is kind


def test_inputs_and_missing_values_need_the_global_model():
    arguments = arguments_for(Forecaster(horizon=2))
    frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": SHORT, "price": 1.0})
    assert engine_for(take_in(frame), arguments) is LocalModel
    assert engine_for(take_in(frame, {"future": ["price"]}), arguments) is GlobalModel
    assert engine_for(take_in(frame.assign(y=frame["y"].where(frame["y"] != 7))), arguments) is (
        GlobalModel
    )


def test_names_in_files():
    assert engine_named("local") is engine_named("alone") is LocalModel
    assert engine_named("global") is GlobalModel
    with pytest.raises(ValueError, match="it names the engine 'os'"):
        engine_named("os")


@pytest.mark.parametrize("wrong", [SHORT[:5], ["a", "b"]])
def test_a_fit_that_fails_leaves_the_forecaster_as_it_was(wrong):
    made = Forecaster(horizon=4, **QUICK).fit(SHORT)
    before = made.predict()
    with pytest.raises(DataError):
        made.fit(wrong)
    np.testing.assert_array_equal(made.predict(), before)
    assert made.keys_.tolist() == made._engine.data.panel.keys.tolist()


@pytest.mark.parametrize("columns", [1, 2])
def test_values_without_a_logarithm_are_told_where_they_were_given(columns, monkeypatch):
    growing = np.exp(np.arange(60.0) / 9)[:, None] * np.arange(1.0, columns + 1)
    growing = growing[:, 0] if columns == 1 else growing
    made = Forecaster(horizon=4, epochs=2, units=2, season=1).fit(growing)
    spec = made._engine.spec
    made._engine.spec = type(spec)(True, spec[1] if columns > 1 else spec.lags)
    if columns == 1:
        made._engine.pipeline = made._engine.spec.fit(growing)
    later = growing.copy()
    later[-1] = -1.0
    with pytest.warns(UserWarning, match="known values are not above 0") as caught:
        made.predict(new_data=later)
    assert caught[0].filename == __file__
