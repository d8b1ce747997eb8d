"""``statewise anomalies --follow``: lines of standard input, scored as they come."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from statewise.cli.refusal import Refusal, refusals
from statewise.sequences import DataError
from statewise.streams import Streams
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.even_steps import in_seconds
from statewise.tasks.anomaly.live import missed_steps

_MISSING = {"", "nan", "na", "null", "none"}


def follow_lines(detector: AnomalyDetector, lines: Iterable[str], store: Path | None) -> None:
    """Score lines as they come, and print a line for each: time, score, whether it's an anomaly.

    A line has the values of all features; before them its time, and before that the key if the
    detector knows several series. A first line that names the features is a header.

    Args:
        detector: a fitted one.
        lines: of text, with commas between.
        store: where the state is kept; None for memory alone.

    Raises:
        Refusal: for a line that can't be read; those before it are done.
    """
    columns = [str(name) for name in detector.features_]
    keyed = len(detector.keys_) > 1
    keys: dict[str, Any] = {str(key): key for key in detector.keys_}
    with refusals(ValueError, OSError), Streams(detector.model_, store=store) as streams:
        order: list[int] | None = None
        before: dict[object, float] = {}
        click.echo(",".join([*(["key"] if keyed else []), "time", "score", "anomaly"]))
        for number, fields in enumerate(csv.reader(lines), 1):
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            if order is None and set(columns) <= set(fields):
                order = [fields.index(name) for name in columns]
                continue
            key_text, time, values = _parts(fields, columns, order, keyed, number)
            key: Any = keys.get(key_text, key_text) if keyed else "stream"
            stamp = _as_number(time)
            with refusals(KeyError, DataError):
                lost = 0
                if stamp is not None:
                    done = streams.steps(key) if key in streams else 0
                    lost = missed_steps(detector, key, stamp, before.get(key), done)
                    before[key] = stamp
                steps = [[math.nan] * len(values)] * lost + [values]
                reading = detector.push(streams, {key: steps})[key]
            score, odd = float(np.ravel(reading.score)[-1]), bool(np.ravel(reading.is_anomaly)[-1])
            said = time or str(streams.steps(key) - 1)
            shown = "" if math.isnan(score) else f"{score:.3f}"
            click.echo(",".join([*([key_text] if keyed else []), said, shown, str(int(odd))]))


def _parts(
    fields: list[str], columns: list[str], order: list[int] | None, keyed: bool, number: int
) -> tuple[str, str, list[float]]:
    """Return the key, the time and the values of a line."""
    count, least = len(columns), len(columns) + keyed
    if order is not None:
        if len(fields) <= max(order):
            raise Refusal(f"line {number}: {len(fields)} fields, fewer than the header has")
        texts = [fields[at] for at in order]
        rest = [field for at, field in enumerate(fields) if at not in order]
    elif len(fields) in (least, least + 1):
        texts, rest = fields[-count:], fields[:-count]
    else:
        raise Refusal(
            f"line {number}: {len(fields)} fields; expected "
            f"{'the key, ' if keyed else ''}a time (or none) and {count} values: "
            f"{', '.join(columns)}"
        )
    try:
        values = [math.nan if text.lower() in _MISSING else float(text) for text in texts]
    except ValueError as error:
        raise Refusal(f"line {number}: {error}; values are numbers, empty where missing") from None
    if any(math.isinf(value) for value in values):
        raise Refusal(f"line {number}: an infinity, but values are finite")
    key = rest.pop(0) if keyed and rest else ""
    return key, rest[0] if rest else "", values


def _as_number(time: str) -> float | None:
    """Return a time in seconds, or a number as it is; None for anything else."""
    try:
        return float(time)
    except ValueError:
        pass
    try:
        stamp = pd.DatetimeIndex([pd.Timestamp(time)])
    except (ValueError, TypeError):
        return None
    return None if stamp.isna().any() else float(in_seconds(stamp)[0])
