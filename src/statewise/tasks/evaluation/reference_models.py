"""Statistical forecasts to stand beside the network's: those of statsforecast, where it is there.

They are optional: ``pip install statsforecast``. Each of them is fitted to each series at each
origin, on what is known there.
"""

import numpy as np
import pandas as pd

from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import PEERS


def check_peers(names: tuple[str, ...]) -> None:
    """Refuse names that are no peers, and any where statsforecast is missing.

    Raises:
        ValueError: for another name.
        ImportError: without statsforecast; it says how to install it.
    """
    for name in names:
        if name not in PEERS:
            raise ValueError(f"there is no peer {name!r}; there are {', '.join(PEERS)}")
    try:
        import statsforecast  # noqa: F401
    except ImportError:
        raise ImportError(
            f"{', '.join(names)} come from statsforecast, which isn't installed: "
            "pip install statsforecast, or the extra of statewise for it, "
            "pip install 'statewise[reference]'"
        ) from None


def forecast_peer(
    name: str, origins: Origins, *, season: int, levels: tuple[float, ...]
) -> Forecast:
    """Fit and forecast at every origin of every series.

    Raises:
        ValueError, ImportError: as `check_peers`.
    """
    check_peers((name,))
    from statsforecast import StatsForecast, models

    model = getattr(models, name)(season_length=season)
    windows = []
    for window in range(origins.windows):
        known = origins.known(window)
        values = pd.Series(known.values[:, 0])
        series = known.series_of_rows()
        values = values.groupby(series).transform(lambda x: x.interpolate(limit_direction="both"))
        frame = pd.DataFrame({"unique_id": series, "ds": 0, "y": values})
        frame["ds"] = frame.groupby("unique_id").cumcount() + 1
        frame = StatsForecast(models=[model], freq=1, n_jobs=1).forecast(
            df=frame, h=origins.horizon, level=[float(level) for level in levels] or None
        )
        windows.append(frame.sort_values(["unique_id", "ds"], kind="stable"))

    def taken(column: str) -> np.ndarray:
        shape = (len(origins.panel), origins.horizon)
        return np.stack(
            [one[column].to_numpy(np.float64).reshape(shape) for one in windows], axis=1
        )

    columns = {str(column) for column in windows[0].columns}
    bands = {}
    for level in levels:
        ends = [_column(columns, f"{name}-{end}-", level) for end in ("lo", "hi")]
        bands[level] = (taken(ends[0]), taken(ends[1]))
    return Forecast(taken(name), bands)


def _column(columns: set[str], prefix: str, level: float) -> str:
    """Return the name of an end: statsforecast writes 80 as it was given, 80 or 80.0."""
    return next(
        f"{prefix}{text}"
        for text in (f"{level:g}", f"{float(level)}")
        if f"{prefix}{text}" in columns
    )
