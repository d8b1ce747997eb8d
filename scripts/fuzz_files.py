"""Odd tables, broken CSV files and changed files of forecasters: refused in words, or right.

    python scripts/fuzz_files.py --count 300 --seed 0

Three kinds of things are drawn, a third of ``--count`` each:

* tables (frames of several libraries, arrays) with odd names, types, values and stamps: what comes
  back has the keys, the stamps and the names that went in;
* CSV files, valid ones with bytes changed;
* files of forecasters with bits flipped, parts cut or exchanged, or values of other types: whoever
  loads them gets a DataError, or a forecaster that says what the saved one said, or refuses.

A line for each finding; the exit code is 1 where there is one.
"""

import argparse
import json
import random
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from statewise.sequences import Columns, DataError, read_panel, read_series, read_wide
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.adapters import give_back, take_in
from statewise.tasks.forecasting.forecast import Forecast

NAMES = ["y", "ds", "unique_id", "model", "model-lo-80", "a", "b", "a-lo-80", "time", "", " ", "é"]
NAMES += [
    "window",
    "step",
    "Unnamed: 0",
    "index",
    "value",
    "$x$",
    "a\x1bb",
    "n" * 500,
    0,
    1,
    2.5,
]
ZONES = [None, None, "UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "+05:30"]
FREQUENCIES = ["D", "h", "B", "W-SUN", "MS", "ME", "QS", "30min", "YS", "3D", "s"]
ODD = [np.nan, np.inf, -np.inf, None, "", "x", "1_0", 1e308, -1e308, 10**400, 1 + 2j, True, pd.NA]
ODD += [pd.NaT, pd.Timestamp("2024"), b"1", [1], "0x1", 5e-324, np.float16(1), "١", "1,5"]
HORIZON = 3


def stamps(rng: random.Random, count: int) -> Any:
    """Draw a column of time."""
    match rng.randrange(6):
        case 0:
            return list(range(count))
        case 1:
            return [1949 + i / 12 for i in range(count)]
        case _:
            first = pd.Timestamp("1990-01-31") + pd.Timedelta(hours=rng.randrange(400_000))
            if rng.random() < 0.7:
                first = first.normalize()
            zone, freq = rng.choice(ZONES), rng.choice(FREQUENCIES)
            if freq == "B" and count < 20:  # a few weekdays are days, too
                freq = "D"
            if zone is not None and freq in ("h", "30min", "s"):
                return pd.date_range(first, periods=count, freq=freq, tz="UTC").tz_convert(zone)
            wall = pd.date_range(first, periods=count, freq=freq)
            if zone is None:
                return wall
            return wall.tz_localize(
                zone, ambiguous=np.ones(count, bool), nonexistent="shift_forward"
            )


def odd_values(rng: random.Random, values: Any) -> Any:
    """Put something odd among the values."""
    if rng.random() < 0.6:
        return values
    values = list(values)
    for _ in range(rng.choice([1, 1, 2, len(values)])):
        values[rng.randrange(len(values))] = rng.choice(ODD)
    return values if rng.random() < 0.5 else pd.Series(values, dtype=object)


def table_fault(rng: random.Random) -> str | None:
    """Take a table in and give forecasts back; say what is wrong, None where nothing is."""
    count = rng.choice([3, 5, 8, 30])
    time = stamps(rng, count + HORIZON)
    names = rng.sample(NAMES, 3)
    what = f"count={count} names={names!r} time={time[:2]!r}..."
    columns = None
    if rng.random() < 0.5:  # long
        id_, time_name, target = names
        keys = rng.choice([["a"], ["a", "b"], ["a", 1], [1, 2], [("x", 1), ("y", 2)]])
        parts = [
            pd.DataFrame(
                {
                    0: [key] * count,
                    1: time[:count],
                    2: odd_values(rng, rng.choices(range(9), k=count)),
                }
            )
            for key in keys
        ]
        frame = pd.concat(parts, ignore_index=True).set_axis(names, axis=1)
        columns = Columns(id_, time_name, target)
    else:
        keys = names[1:]
        frame = pd.DataFrame({i: odd_values(rng, np.arange(count) * 0.5) for i in (1, 2)})
        frame.insert(0, "t", time[:count])
        frame = frame.set_axis(names, axis=1)
    given: Any = frame
    if rng.random() < 0.2 and columns is None:
        given = frame.set_index(names[0])
    elif rng.random() < 0.3 and all(isinstance(name, str) for name in names):
        try:
            given = pl.from_pandas(frame)
        except Exception:  # polars has no such type
            return None
    try:
        taken = take_in(given, columns)
        points = np.arange(float(len(taken.panel) * HORIZON)).reshape(-1, HORIZON)
        forecast = Forecast(points, {80.0: (points, points)})
        told = give_back(taken.form, taken.panel, forecast)
    except (DataError, TypeError, ValueError) as error:
        return _unclear(error, what)
    if columns is None:
        return None
    told = told if isinstance(told, pd.DataFrame) else told.to_pandas()
    own = [*names[:2], "model", "model-lo-80", "model-hi-80"]
    if list(told.columns) != own:
        return f"{what}: the columns are {list(told.columns)!r}"
    if [*dict.fromkeys(told[names[0]])] != keys:
        return f"{what}: the keys are {told[names[0]].tolist()!r}"
    if not isinstance(time, list):
        after = pd.Index(told[names[1]])[:HORIZON]
        if not after.equals(pd.Index(time[count:], name=after.name)):
            return f"{what}: {after.tolist()!r} follow, not {list(time[count:])!r}"
    return None


_RAW = ("unsupported operand", "has no attribute", "not subscriptable", "is ambiguous")
_RAW += ("argument must be", "not supported between", "not iterable", "unhashable", "unpack")


def _unclear(error: Exception, what: str) -> str | None:
    """Say where an error isn't one of statewise's own words."""
    from traceback import extract_tb

    last = extract_tb(error.__traceback__)[-1]
    if "statewise" not in last.filename or any(raw in str(error) for raw in _RAW):
        return f"{what}: {type(error).__name__} of {Path(last.filename).name}: {str(error)[:120]!r}"
    return None


def csv_fault(rng: random.Random, folder: Path) -> str | None:
    """Change bytes of a CSV file and read it."""
    days = pd.date_range("2024-01-01", periods=12).strftime("%Y-%m-%d")
    lines = [b"day,sold,shop", *(f"{day},{i % 5}.5,a".encode() for i, day in enumerate(days))]
    data = bytearray(b"\n".join(lines) + b"\n")
    for _ in range(rng.choice([1, 1, 2, 5, 40])):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.choice([1, 3, 30])]
            case 2:
                data[at:at] = rng.choice(
                    [b'"', b",", b"\n", b"\r", b"\0", b"9" * 400, b"-", b"\xff", b"e99"]
                )
            case 3:
                data[at:at] = data[: rng.randrange(40)]
        data = data or bytearray(b"x")
    path = folder / "drawn.csv"
    path.write_bytes(data)
    readers: list[Callable] = [
        lambda: read_series(
            path, time="day", target="sold", missing=rng.choice([None, "fill", "drop"])
        ),
        lambda: read_series(path),
        lambda: read_panel(path, Columns("shop", "day", "sold")),
        lambda: read_wide(path),
    ]
    try:
        found = rng.choice(readers)()
        if np.isinf(found.values).any():
            return f"infinite values out of {bytes(data)!r}"
        found.future_stamps(2)
    except DataError as error:
        if len(str(error)) > 3000 or "\n" in str(error):
            return f"a message of {len(str(error))} letters for {bytes(data)[:200]!r}"
    return None


def saved_files(folder: Path) -> list[tuple[Path, Any]]:
    """Return files of fitted forecasters, and what they say."""
    made = []
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(10, 1, (40, 2)).round(2), columns=["a", "b"])
    frame.index = pd.date_range("2024-01-01", periods=40, name="ds")
    for i, (data, options) in enumerate(((frame, {"lookback": 8}), (frame["a"], {}))):
        forecaster = Forecaster(horizon=HORIZON, units=2, epochs=1, **options).fit(data)
        forecaster.save(folder / f"saved{i}.zip")
        made.append((folder / f"saved{i}.zip", forecaster.predict(level=[80])))
    return made


def file_fault(rng: random.Random, folder: Path, saved: list[tuple[Path, Any]]) -> str | None:
    """Change a file of a forecaster and load it."""
    path, before = rng.choice(saved)
    target = folder / "changed.zip"
    data = bytearray(path.read_bytes())
    kind = rng.choice(["flip", "flip", "cut", "value", "value", "value", "part"])
    what = kind
    if kind == "flip":
        at = rng.randrange(8 * len(data))
        data[at // 8] ^= 1 << at % 8
        what = f"bit {at} flipped"
        target.write_bytes(data)
    elif kind == "cut":
        at, more = rng.randrange(len(data)), rng.choice([1, 10, 10**6])
        del data[at : at + more]
        target.write_bytes(data)
    else:
        with zipfile.ZipFile(path) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        plain = json.loads(parts["forecaster.json"]) | {"format": 1}
        if kind == "value":
            what = changed(rng, plain)
        else:
            name, other = rng.sample(sorted(parts), 2)
            parts[name] = rng.choice([parts[other], b"", rng.randbytes(50), parts[name][:-9]])
            what = f"{name} exchanged"
        if kind == "value" or name != "forecaster.json":
            parts["forecaster.json"] = json.dumps(plain).encode()
        with zipfile.ZipFile(target, "w") as file:
            for name, part in parts.items():
                file.writestr(name, part)
    try:
        again = Forecaster.load(target)
    except DataError:
        return None
    try:
        told = again.predict(HORIZON, level=[80])
    except (ValueError, TypeError) as error:
        return _unclear(error, what)
    if kind in ("flip", "cut") and not told.equals(before):
        return f"{what}: another forecast"
    return None


def changed(rng: random.Random, plain: dict) -> str:
    """Change a value somewhere in what JSON had; say which."""
    node, where = plain, []
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = rng.choice(keys)
        where.append(key)
        if isinstance(node[key], (dict, list)) and node[key] and rng.random() < 0.85:
            node = node[key]
            continue
        value = rng.choice(
            [None, "x", -1, 0, 1.5, 10**9, 10**30, [], {}, [1, 2], True, "os", 1e300, [[]]]
        )
        if rng.random() < 0.15:
            del node[key]
            return f"{where} removed"
        node[key] = value
        return f"{where} = {value!r:.30}"


def main() -> int:
    """Run, print findings, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    findings = 0
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder, saved = Path(name), saved_files(Path(name))
        kinds: dict[str, Callable] = {
            "table": table_fault,
            "csv": lambda rng: csv_fault(rng, folder),
            "file": lambda rng: file_fault(rng, folder, saved),
        }
        for number in range(given.count):
            kind = list(kinds)[number % 3]
            seed = f"{given.seed}-{number}"
            try:
                fault = kinds[kind](random.Random(seed))
            except Exception as error:
                fault = f"{type(error).__name__}: {str(error)[:200]!r}"
            if fault is not None:
                findings += 1
                print(f"{kind} {seed}: {fault}"[:600], flush=True)
    print(f"{given.count} things, {findings} findings (seed {given.seed})")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
