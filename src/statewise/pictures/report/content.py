"""What a report shows, gathered from a backtest or from a forecast beyond the end."""

import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from statewise._version import __version__
from statewise.pictures.report.packing import pack, stamps_of
from statewise.sequences import Panel
from statewise.sequences.stamp_words import format_stamp
from statewise.tasks import Backtest
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import end_of

_MOST_SERIES = 5000
_HISTORY = 3  # so many times the steps forecast are shown before them
_LEAST_HISTORY, _MOST_HISTORY = 36, 400
_LIBRARIES = ("jax", "keras", "numpy", "pandas")
_CHOSEN = ("lookback", "units", "epochs")


@dataclass(frozen=True, eq=False)
class Report:
    """What a report shows: text and numbers that JSON can hold.

    Attributes:
        content: texts, tables and settings, by the part of the page.
        numbers: of the series, as text; see `packing`.
    """

    content: dict[str, Any]
    numbers: str


def report_of_backtest(result: Backtest, *, command: str = "", title: str = "") -> Report:
    """Gather a report from a backtest.

    Args:
        result: what `backtest` returned.
        command: the command that repeats it, if there is one.
        title: of the page; by default it says what was forecast.

    >>> import numpy as np
    >>> from statewise.tasks import Forecaster, backtest
    >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 12)
    >>> result = backtest(Forecaster(horizon=4, season=4, epochs=1), series, windows=2)
    >>> report = report_of_backtest(result)
    >>> report.content["title"], report.content["names"]
    ('Forecasts of value, tested', ['model', 'naive', 'seasonal naive'])
    """
    panel, (count, windows, horizon) = result.origins.panel, result.truth.shape
    measure = "MASE" if count > 1 and np.isfinite(result.table.loc["model", "MASE"]) else "MAE"
    first = result.origins.first[:, 0]
    shown, note = _shown(count)
    stamps, values = [], []
    for i in shown:
        begin = panel.offsets[i]
        rows = slice(begin + max(0, first[i] - _history(windows * horizon)), panel.offsets[i + 1])
        stamps.append(panel.time[rows])
        values.append(panel.values[rows, 0])
    forecasts = {
        name: Forecast(
            one.points[shown],
            {level: (low[shown], high[shown]) for level, (low, high) in one.bands.items()},
        )
        for name, one in result.arrays.items()
    }
    errors = result.by_series[measure]
    series, numbers = _series(panel.keys[shown], stamps, values, forecasts, result.levels)
    series |= {
        "measure": measure,
        "errors": {name: _numbers(errors[name].to_numpy()[shown]) for name in result.arrays},
        "beyond": False,
    }
    way = "in closed loop, each from what was known then and nothing else"
    held = f"{windows} windows of {horizon} steps" if windows > 1 else f"the last {horizon} steps"
    content = {
        **_common(result.forecaster, title or _title(panel, "tested"), command),
        "lead": f"{_what(panel)}; {held} forecast {way}.",
        "verdict": result.sentences(),
        "names": list(result.arrays),
        "table": _table(result.table),
        "steps": {
            "measure": measure,
            "lines": {name: _numbers(result.by_step.loc[name][measure]) for name in result.arrays},
        },
        "cut": _cut(result.forecaster, panel, windows, horizon, result.refit),
        "notes": result.notes + note,
        "series": series,
        "code": _code(result.forecaster, result.levels, windows, horizon, result),
    }
    return Report(content, numbers)


def report_of_forecast(
    forecaster: Any, panel: Panel, frame: pd.DataFrame, *, command: str = "", title: str = ""
) -> Report:
    """Gather a report from forecasts beyond the end, which nothing can be measured on yet.

    Args:
        forecaster: fitted on ``panel``.
        panel: the known steps.
        frame: what `Forecaster.predict` returned for them, with levels.
        command: the command that repeats it, if there is one.
        title: of the page; by default it says what was forecast.

    >>> from statewise.sequences import read_wide
    >>> from statewise.tasks import Forecaster
    >>> panel = read_wide(pd.DataFrame({"sold": np.tile([0.0, 10.0, 5.0, -15.0], 12)}))
    >>> forecaster = Forecaster(horizon=4, season=4, epochs=1).fit(panel)
    >>> report = report_of_forecast(forecaster, panel, forecaster.predict(level=[80]))
    >>> report.content["title"]
    'Forecasts of sold, beyond the end'
    """
    if forecaster.left_out_:
        panel = panel.select(np.flatnonzero(np.isin(panel.keys, forecaster.keys_)))
    count, horizon = len(panel), len(frame) // len(panel)
    lower = [name for name in frame.columns if end_of(name) and name.startswith("model-lo-")]
    ends = [name.removeprefix("model-lo-") for name in lower]

    def taken(name: str) -> np.ndarray:
        return frame[name].to_numpy(np.float64).reshape(count, 1, horizon)[shown]

    shown, note = _shown(count)
    bands = {float(e): (taken(f"model-lo-{e}"), taken(f"model-hi-{e}")) for e in ends}
    ahead = panel.future_stamps(horizon)
    stamps, values = [], []
    for i in shown:
        stop = panel.offsets[i + 1]
        rows = slice(max(panel.offsets[i], stop - _history(horizon)), stop)
        stamps.append(panel.time[rows].append(ahead[i * horizon : (i + 1) * horizon]))
        values.append(panel.values[rows, 0])
    forecasts = {"model": Forecast(taken("model"), bands)}
    series, numbers = _series(panel.keys[shown], stamps, values, forecasts, tuple(bands))
    content = {
        **_common(forecaster, title or _title(panel, "beyond the end"), command),
        "lead": f"{_what(panel)}; {horizon} steps beyond the end of each, in closed loop.",
        "verdict": [
            "Nothing was held out here: how good such forecasts are tells a backtest.",
            "Validated at the end of the known steps, the way chosen to handle level and season "
            f"({forecaster.transform_}) had the least error of those tried.",
        ],
        "names": ["model"],
        "table": None,
        "steps": None,
        "cut": _cut(forecaster, panel, 0, horizon, False),
        "notes": list(forecaster.notes_) + note,
        "series": series | {"beyond": True, "errors": {}, "measure": ""},
        "code": _code(forecaster, tuple(bands), 0, horizon, None),
    }
    return Report(content, numbers)


def _common(forecaster: Any, title: str, command: str) -> dict[str, Any]:
    params = forecaster.get_params()
    chosen = {name: getattr(forecaster, f"{name}_") for name in _CHOSEN}
    chosen["season"] = " and ".join(map(str, forecaster.seasons_ or (1,)))
    settings = [["level and season", forecaster.transform_]]
    for name, value in params.items():
        described = f"{chosen[name]} (found)" if value == "auto" and name in chosen else str(value)
        settings.append([name, described])
    samples, steps, features = forecaster.training_shape_
    settings.append(["trained on", f"[{samples}, {steps}, {features}] samples, steps, features"])
    versions = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    settings.append(["versions", f"statewise {__version__}, {versions}"])
    tried = {
        name: [[int(epoch), _number(error)] for epoch, error in curve]
        for name, curve in forecaster.validation_curves_.items()
    }
    return {
        "title": title,
        "command": command,
        "settings": settings,
        "losses": _numbers(np.asarray(forecaster.losses_, float)),
        "tried": tried,
        "chosen": forecaster.transform_,
    }


def _title(panel: Panel, how: str) -> str:
    what = f"{len(panel):,} series" if len(panel) > 1 else str(panel.keys[0])
    return f"Forecasts of {what}, {how}"


def _what(panel: Panel) -> str:
    low, high = int(panel.lengths.min()), int(panel.lengths.max())
    steps = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    begin, end = format_stamp(panel.time.min()), format_stamp(panel.time.max())
    return f"{len(panel):,} series of {steps} {panel.calendar.phrase} steps, {begin} to {end}"


def _cut(forecaster: Any, panel: Panel, windows: int, horizon: int, refit: bool) -> dict[str, Any]:
    """Tell how the longest series was cut, for a drawing."""
    cut = forecaster.cut_
    steps = int(panel.lengths.max())
    return {
        "steps": steps,
        "windows": windows,
        "horizon": horizon,
        "refit": refit,
        "validation": int(cut["held"]),
        "validated": int(cut["windows"]),
        "learned": int(cut["series"]),
        "levels": "all scaling, and every choice, from the part to learn from alone",
    }


def _code(forecaster: Any, levels, windows: int, horizon: int, result: Backtest | None) -> str:
    usual = type(forecaster)(horizon=forecaster.horizon).get_params()
    given = {
        name: value
        for name, value in forecaster.get_params().items()
        if name == "horizon" or value != usual[name]
    }
    made = "Forecaster(" + ", ".join(f"{name}={value!r}" for name, value in given.items()) + ")"
    shown = ", ".join(f"{level:g}" for level in levels)
    if result is None:
        return (
            f"from statewise import Forecaster\n\nforecaster = {made}.fit(data)\n"
            f"forecaster.predict({horizon}, level=[{shown}])"
        )
    options = f"windows={windows}"
    if horizon != forecaster.horizon:
        options += f", horizon={horizon}"
    if result.refit:
        options += ", refit=True"
    if result.levels != (80.0, 95.0):
        options += f", level=[{shown}]"
    return (
        f"from statewise import Forecaster, backtest\n\nforecaster = {made}\n"
        f"result = backtest(forecaster, data, {options})\nprint(result.table, result.verdict())"
    )


def _table(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "columns": list(table.columns),
        "rows": [[name, *_numbers(table.loc[name])] for name in table.index],
    }


def _series(
    keys, stamps, values, forecasts: dict[str, Forecast], levels
) -> tuple[dict[str, Any], str]:
    """Return what there is to know of the series, and their numbers."""
    bands = forecasts["model"].bands
    parts = []
    for i, known in enumerate(values):
        points = [one.points[i].ravel() for one in forecasts.values()]
        ends = [end[i].ravel() for level in levels for end in bands[level]]
        parts.append((np.concatenate([known, *points]), np.concatenate([*ends, []])))
    packed = pack(parts)
    described = {
        "keys": [str(key) for key in keys],
        "lengths": [len(known) for known in values],
        "stamps": stamps_of(stamps),
        "low": packed.low,
        "high": packed.high,
        "levels": list(levels),
        "shape": list(forecasts["model"].points.shape[1:]),
    }
    return described, packed.text


def _shown(count: int) -> tuple[np.ndarray, list[str]]:
    """Return the places of the series that the page holds, and a note where it isn't all."""
    if count <= _MOST_SERIES:
        return np.arange(count), []
    some = np.linspace(0, count - 1, _MOST_SERIES).round().astype(int)
    return some, [
        f"the page holds {_MOST_SERIES:,} of the {count:,} series, evenly taken; the errors are "
        "those of all"
    ]


def _history(steps: int) -> int:
    return min(max(_HISTORY * steps, _LEAST_HISTORY), _MOST_HISTORY)


def _numbers(values: Any) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: Any) -> float | None:
    """Return a number with six digits, None where JSON has none."""
    value = float(value)
    return float(f"{value:.6g}") if math.isfinite(value) else None
