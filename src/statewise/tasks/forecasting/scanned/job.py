"""The whole job of a panel that is larger than memory: learned from, kept, forecast, gone on with.

What is learned is kept beside the forecasts, so that a run that was stopped after the training goes
on without it; so does one that was stopped in the midst of the forecasts.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from statewise._version import __version__
from statewise._whole_files import written_whole
from statewise.tasks.forecasting.fitting import Scanned
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.parameters import arguments_for
from statewise.tasks.forecasting.predicting import Asked, forecast_any
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.files import ABOUT
from statewise.tasks.forecasting.scanned.fitting import keeps
from statewise.tasks.forecasting.scanned.panel import ScannedPanel
from statewise.tasks.forecasting.scanned.writing import ForecastFiles, fingerprint

FITTED, LEARNED = "_forecaster.zip", "_learned.json"


class Learned(NamedTuple):
    """What a job has learned.

    Attributes:
        forecaster: as fitted.
        anew: whether it was fitted now, not found.
    """

    forecaster: Forecaster
    anew: bool


def learn(
    forecaster: Forecaster,
    scan: ScannedPanel,
    output: Path,
    *,
    short: str,
    missing: str,
    progress: Progress,
) -> Learned:
    """Learn from a panel, or take what a run that was stopped has learned from it.

    Args:
        forecaster: not fitted yet.
        scan: the panel.
        output: the folder of the forecasts.
        short, missing: as in `Forecaster.fit`.
        progress: as in `Forecaster.fit`.

    Raises:
        FileExistsError: where another job, or from another panel, was begun there; it says what
            differs.
        DataError, OSError: where the panel can't be learned from, or nothing be written.
    """
    job = {
        "statewise": __version__,
        "source": fingerprint(scan),
        "rows": scan.rows,
        "short": short,
        "missing": missing,
        **json.loads(json.dumps(asdict(scan.columns))),
        **json.loads(json.dumps(forecaster.get_params())),
    }
    place = output / LEARNED
    if place.is_file():
        noted = json.loads(place.read_text("utf-8"))
        differs = [name for name, value in job.items() if noted["job"].get(name) != value]
        if differs:
            raise FileExistsError(
                f"another job was begun in {output}: its {differs[0]} is "
                f"{noted['job'].get(differs[0])!r:.60}, not {job[differs[0]]!r:.60}. Name another "
                "folder, or remove what it left"
            )
        fitted = Forecaster.load(output / FITTED)
        if noted["series"]:
            keep = keeps(arguments_for(fitted, short))
            fitted._scanned = Scanned(scan, keep, noted["series"])
        return Learned(fitted, False)
    output.mkdir(parents=True, exist_ok=True)
    forecaster.fit(scan, short=short, missing=missing, progress=progress)
    forecaster.save(output / FITTED)
    series = 0 if forecaster._scanned is None else forecaster._scanned.series
    with written_whole(place) as beside:  # once the forecaster is there
        beside.write_text(json.dumps({"job": job, "series": series}, indent=1), "utf-8")
    return Learned(forecaster, True)


def forecast(
    fitted: Forecaster,
    output: Path,
    *,
    levels: list[float],
    progress: Progress,
    future: Any = None,
    names: Callable[[Any], str] | None = None,
) -> ForecastFiles:
    """Forecast all series that were learned from, or those that a run before hasn't.

    Args:
        fitted: what `learn` has.
        output: the folder.
        levels: of the intervals, in percent.
        progress: as in `Forecaster.predict`.
        future: as in `Forecaster.predict`.
        names: gives columns of the forecasts other names.

    Raises:
        FileExistsError: where all forecasts are there, or others.
        DataError, OSError: where they can't be made, or written.
    """
    asked = Asked(fitted.horizon, levels, future, fitted.likelihood, names)
    return forecast_any(
        fitted._engine, fitted._form, fitted._scanned, asked, output, progress, rows=1
    )


def remove(output: Path) -> None:
    """Remove what jobs have written to a folder, and nothing else."""
    # What says that it's whole goes first: a job that is stopped here begins anew.
    for name in (LEARNED, ABOUT, FITTED):
        (output / name).unlink(missing_ok=True)
    for part in output.glob("part-*.parquet"):
        part.unlink()
