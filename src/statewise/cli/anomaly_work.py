"""The work of ``statewise anomalies``, once a table is read."""

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise.cli.files import any_letters, write_picture, write_table
from statewise.cli.places import unwritten
from statewise.cli.printer import Printer
from statewise.pictures.anomaly_plot import plot_anomalies
from statewise.sequences import Panel, TimeSeries
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import counted
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.data import in_order_of, take_in
from statewise.tasks.anomaly.intervals import spans_of

_MOST = 20  # intervals that are printed


def detector_for(
    data: TimeSeries | Panel | None,
    model: Path | None,
    *,
    whole: bool,
    learn_from: float,
    rate: float | None,
    season: int | None,
    **options: Any,
) -> tuple[AnomalyDetector, dict[Hashable, int]]:
    """Return the detector, and how many steps of each series it learned from.

    Args:
        data: what was read, if anything was.
        model: the file of a detector; None to learn.
        whole: whether to learn from all of each series.
        learn_from: from which share of it else.
        rate, season: of the detector; None for its own.
        options: further ones of the detector.
    """
    if model is not None:
        detector = AnomalyDetector.load(model)
        if rate is not None:
            detector.set_params(rate=rate)
        return detector, {}
    options |= {} if rate is None else {"rate": rate}
    detector = AnomalyDetector(season="auto" if season is None else season, **options)
    taken = take_in(data)
    share = 1.0 if whole else learn_from
    learned = {key: max(1, int(share * len(one.values))) for key, one in taken.series.items()}
    if isinstance(data, TimeSeries):
        ((_, count),) = learned.items()
        return detector.fit(data.until(count)), learned
    parts = {
        key: replace(
            one,
            values=one.values[: learned[key]],
            index=None if one.index is None else one.index[: learned[key]],
            time=None if one.time is None else one.time[: learned[key]],
        )
        for key, one in taken.series.items()
    }
    return detector.fit(replace(taken, series=parts)), learned


def write_detector(detector: AnomalyDetector, path: Path, printer: Printer) -> None:
    """Write a detector, and say where.

    Raises:
        Refusal: if it can't be written.
    """
    try:
        detector.save(path)
    except OSError as error:
        raise unwritten(path.parent, error) from None
    printer.line("Detector", str(path))


def find(
    detector: AnomalyDetector,
    data: TimeSeries | Panel,
    learned: dict[Hashable, int],
    output: Path,
    printer: Printer,
) -> None:
    """Score what was read, print the intervals, and write the table and the picture."""
    taken = replace(take_in(data), form="mapping")
    scores = detector.score(taken, by_feature=True)
    taken = in_order_of(taken, tuple(detector.features_))  # as the scores are
    threshold = detector.threshold_
    rows, found = [], []
    for key, one in taken.series.items():
        values, count = np.asarray(scores[key]), learned.get(key, 0)
        high = np.where(np.arange(len(values)) >= count, values[:, 0], np.nan)
        spans = spans_of(high, threshold)
        of_key = {"key": [key] * len(values)} if len(taken.series) > 1 else {}
        frame = pd.DataFrame(of_key)
        time = range(len(values)) if one.time is None else one.time
        frame["time"] = time
        for i, name in enumerate(one.names):
            frame[str(name)] = one.values[:, i]
        frame["score"] = values[:, 0]
        if len(one.names) > 1:
            for i, name in enumerate(one.names):
                frame[f"score of {name}"] = values[:, 1 + i]
        frame["anomaly"] = 0
        for number, (first, last) in enumerate(spans, 1):
            frame.loc[first:last, "anomaly"] = number
        rows.append(frame)
        found.append((key, one, values, spans, count))
    _print(found, detector, printer)
    write_table(pd.concat(rows), output / "anomalies.csv")
    key, one, values, spans, count = max(found, key=lambda each: len(each[3]))
    index = pd.RangeIndex(len(values)) if one.time is None else one.time
    frame = pd.DataFrame(one.values, index, list(map(str, one.names)))
    with any_letters(printer):
        title = f"{key}: {counted(len(spans), 'anomaly')}" if len(found) > 1 else ""
        figure = plot_anomalies(
            frame, values[:, 0], spans, threshold=threshold, learned=count, title=title
        )
        write_picture(figure, output / "anomalies.png")
    names = [str(output / "anomalies.csv"), str(output / "anomalies.png")]
    printer.line("Written", " and ".join(names))
    printer.object(
        {
            "threshold": threshold,
            "season": detector.season_,
            "features": list(map(str, detector.features_)),
            "anomalies": [row for each in found for row in _rows(*each[:4])],
            "notes": printer.notes,
            "written": names,
        }
    )


def _print(found: list, detector: AnomalyDetector, printer: Printer) -> None:
    scored = sum(len(values) - count for _, _, values, _, count in found)
    learned = sum(count for *_, count in found)
    season = f"season {detector.season_}" if detector.season_ > 1 else "no season"
    of = f"{counted(len(found), 'series')}, " if len(found) > 1 else ""
    printer.line(
        "Data",
        f"{of}the first {counted(learned, 'step')} to learn from, {season}; "
        f"{counted(scored, 'step')} after them."
        if learned
        else f"{of}{counted(scored, 'step')}, nothing of them learned from, {season}.",
    )
    for note in detector.notes_:
        printer.note(note + ".")
    every = [row for each in found for row in _rows(*each[:4])]
    for row in sorted(every, key=lambda row: -row["score"])[:_MOST]:
        of = f" of {row['key']}" if len(found) > 1 else ""
        feature = f", most in {row['feature']}" if len(detector.features_) > 1 else ""
        printer.line(
            "Anomaly",
            f"{row['begin']} to {row['end']}{of}: {counted(row['steps'], 'step')}, score "
            f"{row['score']:.1f} at {row['worst']}{feature}",
        )
    more = f"; the {_MOST} oddest are listed" if len(every) > _MOST else ""
    printer.sentence(
        f"{counted(len(every), 'interval')} with a score of {detector.threshold_:.1f} and more "
        f"(once in {1 / detector.rate:,.0f} steps){more}."
    )


def _rows(key: Hashable, one: Any, values: np.ndarray, spans: list) -> list[dict[str, Any]]:
    """Return what is told of each interval."""
    rows = []
    for first, last in spans:
        worst = first + int(np.nanargmax(values[first : last + 1, 0]))
        odd = values[worst, 1:]
        stamp = (lambda step: str(step)) if one.time is None else (lambda s: _said(one.time[s]))
        rows.append(
            {
                "key": str(key),
                "begin": stamp(first),
                "end": stamp(last),
                "steps": last - first + 1,
                "score": float(values[worst, 0]),
                "worst": stamp(worst),
                "feature": str(one.names[0 if np.isnan(odd).all() else int(np.nanargmax(odd))]),
            }
        )
    return rows


def _said(stamp: Any) -> str:
    return format_stamp(stamp)
