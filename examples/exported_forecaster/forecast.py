"""Repeats what an exported forecaster says: points, and the ends of an interval around them.

`forecaster.export("folder")` of statewise wrote the folder. NumPy and ONNX Runtime are all that
this file needs: copy it to where the forecasts are wanted.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime


def forecast(folder, values, horizon, *, level=None, past=None, inputs=None, time=None):
    """Return the steps after ``values``, (horizon,); with ``level`` the ends of an interval, too.

    Args:
        folder: that of the forecaster.
        values: all that is known of a series, (time,).
        horizon: how many steps.
        level: how many percent of the true values lie within; one of those that were exported.
        past: by column the inputs that are known for the past alone, (time,) each.
        inputs: by column those that are known ahead, (time + horizon,) each; of what stays the same
            within the series the one value.
        time: the stamps of the known steps and of those to forecast, (time + horizon,)
            datetime64, by the clock of the zone that the forecaster saw.

    Raises:
        ValueError: where something is missing, or can't be what the forecaster saw.
    """
    told = json.loads(Path(folder, "forecaster.json").read_text("utf-8"))
    values = np.asarray(values, float)
    if values.ndim != 1 or not isinstance(horizon, (int, np.integer)):
        raise ValueError(f"values must be (time,), not {values.shape}, and horizon a whole number")
    columns = [one["column"] for one in told["inputs"] if "column" in one]
    check_names("past", past, told["past"])
    check_names("inputs", inputs, columns)
    given = np.stack([values, *(numbers_of(past, name, len(values)) for name in told["past"])])
    known, reach = len(values), interval_of(told, level, horizon)
    rows = inputs_of(told["inputs"], inputs, time, known, horizon)
    if told["logarithm"]:
        if not (values > 0).all():
            raise ValueError("values must be above 0: the forecaster takes their logarithm")
        given[0] = np.log(values)
    if not np.isfinite(given).all():
        raise ValueError("a value is missing: the forecaster knows no gaps")
    if known <= told["lost"] or not 1 <= horizon <= told["farthest"]:
        raise ValueError(
            f"{known} steps are known and {horizon} to be forecast; the forecaster needs "
            f"{told['lost'] + 1} at least, and reaches {told['farthest']} at most"
        )
    shift, scale = np.zeros(len(given)), np.ones(len(given))
    if told["scaled_by_series"]:
        shift, scale = given.mean(1), np.abs(np.diff(given)).sum(1) / max(known - 1, 1)
        if told["counts"] and scale[0] > 0:
            shift[0] = 0
    unit = np.where(scale > 0, scale, 1)
    u = (given - shift[:, None]) / unit[:, None]
    moved = np.abs(np.diff(u[:, -told["lookback"] :])).sum(1)
    moved /= max(1, min(known, told["lookback"]) - 1)
    step = np.full(len(u), told["step"]) if told["step"] else 0.9 * moved + 0.1
    loops = [
        closed_loop(Path(folder, name), told, u, step, unit, rows, horizon)
        for name in told["networks"]
    ]
    if told["scaled_by_series"]:  # one network after the other, each with its channels
        paths = shift[0] + scale[0] * np.median([loop[0] for loop in loops], 0, keepdims=True)
    else:  # all of them side by side
        paths = np.concatenate(loops)
    points = np.median(np.exp(paths) if told["logarithm"] else paths, 0)
    if level is None:
        return above_zero(told, values, points)
    if told["scaled_by_series"]:
        reach = reach * step[0] * scale[0] if known > 1 else np.full_like(reach, np.nan)
    ends = points * np.exp(reach) if told["logarithm"] else points + reach
    return above_zero(told, values, points), *above_zero(told, values, ends)


def closed_loop(file, told, u, step, unit, rows, horizon):
    """Return what the networks of a file say of the steps after ``u``, (members, horizon)."""
    session, begin = onnxruntime.InferenceSession(file), told["reach"]
    (x, *states), known = session.get_inputs(), begin + u.shape[1]
    state = {one.name: np.zeros((1, one.shape[1]), "float32") for one in states}
    u = np.pad(u, ((0, 0), (begin, horizon)), "edge")
    u = np.tile(u, (told["members"] // len(u), 1))
    step = np.resize(step, len(u))

    def seen(needs, averages):  # a sum of averages of the latest values, once there are enough
        terms = [sign * u[:, end - lag - n : end - lag].mean(1) for sign, lag, n in averages]
        return (end - begin > needs) * sum(terms, np.zeros(len(u)))

    for end in range(1 + max(begin + told["lost"], known - told["lookback"]), known + horizon):
        parts = np.stack([seen(*part) for part in told["features"]], 1) - told["center"]
        shown = np.concatenate([(parts / step[:, None]).ravel(), rows[end - begin]])
        y, *after = session.run(None, {x.name: np.float32(shown).reshape(1, 1, -1), **state})
        state = dict(zip(state, after, strict=True))
        if end >= known:
            start = sum(seen(*part) for part in told["begins_from"]) + told["center"]
            level = np.maximum(u[:, end - 8 : end].mean(1), 0) + 0.05 / unit
            grown = level * np.exp(np.clip(y[0, 0], -4, 4))
            u[:, end] = grown if told["counts"] else start + step * y[0, 0]
    return u[:, known:]


def interval_of(told, level, horizon):
    """Return how far an interval reaches below and above the points, (2, horizon)."""
    if level is None:
        return None
    if told["intervals"] is None:
        raise ValueError("this forecaster draws paths for its intervals, which aren't exported")
    for one in told["intervals"]:
        if one["level"] == level:
            ends = np.array([one["below"], one["above"]])
            steps = np.arange(horizon)  # beyond those that were tried it grows as a walk's does
            grown = np.sqrt(np.maximum(steps + 1, ends.shape[1]) / ends.shape[1])
            return ends[:, np.minimum(steps, ends.shape[1] - 1)] * grown
    levels = ", ".join(f"{one['level']:g}" for one in told["intervals"])
    raise ValueError(f"level={level}: exported were {levels or 'none'}")


def inputs_of(told, inputs, time, known, horizon):
    """Return the numbers that are known for each step, (known + horizon, numbers)."""
    steps, made = known + horizon, [np.zeros((known + horizon, 0))]
    for one in told:
        if "calendar" in one:
            if np.shape(time) != (steps,) or np.asarray(time).dtype.kind != "M":
                raise ValueError(f"time must be {steps} stamps, datetime64")
            turn = 2 * np.pi * part_of(one["calendar"], np.asarray(time))
            made.append(np.stack([np.sin(turn), np.cos(turn)], 1))
            continue
        name, column = one["column"], np.asarray(inputs[one["column"]])
        if column.shape not in ((), () if one["static"] else (steps,)):
            number = "one value" if one["static"] else f"{steps} values"
            raise ValueError(f"{name!r} must be {number}, but has the shape {column.shape}")
        if "words" in one:
            words = {word: place for place, word in enumerate(one["words"])}
            unknown = [word for word in column.ravel().tolist() if word not in words]
            if unknown:
                raise ValueError(f"{name!r} has {unknown[0]!r}; the forecaster knows {list(words)}")
            places = [words[word] for word in column.ravel().tolist()]
            made.append(np.broadcast_to(np.eye(len(words))[places], (steps, len(words))))
        else:
            column = numbers_of(inputs, name, steps)
            numbers = (column - one["mean"]) / one["deviation"]
            if not one["static"] and np.isnan(numbers[known:]).any():
                raise ValueError(f"{name!r} must be known for each step to forecast")
            made.append(np.nan_to_num(numbers)[:, None])  # a missing one is the mean
    return np.concatenate(made, 1)


def part_of(name, time):
    """Return of stamps which part of a day, a week, a month or a year they are in, 0 to 1."""
    day, month, year = (time.astype(f"datetime64[{unit}]") for unit in "DMY")
    minute = (time.astype("datetime64[m]") - day).astype(int)
    in_month = (day - month).astype(int)
    months = (month - year).astype(int)
    return {
        "minute": minute % 60 / 60,
        "hour": (minute // 60 + minute % 60 / 60) / 24,
        "weekday": (day.astype(int) + 3) % 7 / 7,  # the first day of 1970 was a Thursday
        "day": in_month / ((month + 1).astype("datetime64[D]") - month).astype(int),
        "week": (day - year).astype(int) / 366,
        "month": months / 12,
        "quarter": months // 3 / 4,
    }[name]


def numbers_of(given, name, steps):
    """Return a column of numbers, (steps,)."""
    try:
        return np.broadcast_to(np.asarray(given[name], float), steps)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name!r} must hold {steps} numbers: {error}") from None


def check_names(what, given, names):
    """Refuse columns that are missing, and those that there aren't."""
    missing = [name for name in names if name not in (given or {})]
    other = [name for name in given or {} if name not in names]
    if missing or other:
        there = f"needs {missing[0]!r}" if missing else f"has no {other[0]!r}"
        raise ValueError(f"{what}: the forecaster {there}; it takes {names or 'none'}")


def above_zero(told, values, forecast):
    """Return a forecast that isn't below 0 where the series never was."""
    return forecast if told["below_zero"] or values.min() < 0 else np.maximum(forecast, 0)
