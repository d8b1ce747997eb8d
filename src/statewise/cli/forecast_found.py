"""What ``statewise forecast`` found, and all of it as JSON."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from statewise._version import __version__
from statewise.cli.forecast_table import plain, records
from statewise.sequences import Panel
from statewise.sequences.layout import Layout
from statewise.sequences.reading.report import Understood
from statewise.sequences.stamp_words import format_stamp
from statewise.tasks import Backtest, Forecaster
from statewise.tasks.evaluation.beyond import Beyond
from statewise.tasks.forecasting.result_names import MODEL

_CHOSEN = ("season", "lookback", "units", "epochs")


@dataclass
class Found:
    """What a forecast came to.

    Attributes:
        panel: all that is known, one series or many.
        forecaster: that whose errors are told, or where nothing was held out the one that learned
            from everything.
        name: of the one series; "" where there are many.
        time: what to call the column of time.
        keyed: whether the table has a column of keys.
        held: forecasts of held-out steps; None where nothing was held out, or one step ahead.
        beyond: forecasts beyond the end; None where there are none.
        steps: how many were held out of each series.
        errors: a row for each way to forecast; None where nothing was held out.
        sentences: the verdict.
        layout: which columns of the table held what; None where none was read.
    """

    panel: Panel
    forecaster: Forecaster
    name: str
    time: str
    keyed: bool
    held: Backtest | None = None
    beyond: Beyond | None = None
    steps: int = 0
    errors: pd.DataFrame | None = None
    sentences: list[str] = field(default_factory=list)
    layout: Layout | None = None

    @property
    def coverage(self) -> dict[str, float | None]:
        """How many percent of the held-out values lie within the intervals, by level."""
        if self.held is None:
            return {}
        row = self.held.table.loc[MODEL]
        names = [f"{level:g}" for level in self.held.levels]
        return {name: plain(float(row[f"coverage-{name}"])) for name in names}


def as_json(
    found: Found,
    table: pd.DataFrame,
    files: dict[str, str],
    understood: Understood | None,
    notes: list[str],
) -> dict[str, Any]:
    """Return all that was found, as JSON can hold it."""
    panel, fitted = found.panel, found.forecaster
    content: dict[str, Any] = {
        "statewise": __version__,
        "read_as": {
            "line": understood.line() if understood else "",
            "facts": dict(understood.facts) if understood else {},
        },
        "data": {
            **_data(panel),
            "time": found.time,
            "target": found.name or str(panel.columns.target),
            "key": str(panel.columns.key) if found.keyed else None,
        },
        "settings": settings_of(fitted),
        "held_out": None,
        "future": None,
        "notes": notes,
        "forecasts": records(table),
        "files": files,
    }
    if found.errors is not None:
        content["held_out"] = {
            "steps": found.steps,
            "errors": _errors(found.errors),
            "coverage": found.coverage,
            "verdict": found.sentences,
        }
    if found.beyond is not None:
        content["future"] = {
            "steps": found.beyond.horizon,
            "settings": settings_of(found.beyond.forecaster),
        }
    return content


def settings_of(fitted: Forecaster) -> dict[str, Any]:
    """Return the arguments of a forecaster, and in place of "auto" what was chosen."""
    settings = {name: plain(value) for name, value in fitted.get_params().items()}
    settings |= {name: plain(getattr(fitted, f"{name}_")) for name in _CHOSEN}
    return settings | {
        "seasons": list(fitted.seasons_),
        "level and season": fitted.transform_,
        "trained on": plain(fitted.training_shape_),
    }


def backtest_json(
    result: Backtest, sentences: list[str], files: dict[str, str], notes: list[str]
) -> dict[str, Any]:
    """Return all that a backtest found, but for its forecasts, as JSON can hold it."""
    series, windows, horizon = result.truth.shape
    return {
        "statewise": __version__,
        "data": _data(result.origins.panel),
        "settings": settings_of(result.forecaster),
        "series": series,
        "windows": windows,
        "horizon": horizon,
        "season": int(result.season),
        "refit": result.refit,
        "errors": _errors(result.table),
        "verdict": sentences,
        "notes": notes,
        "files": files,
    }


def _data(panel: Panel) -> dict[str, Any]:
    return {
        "series": len(panel),
        "steps": {"least": int(panel.lengths.min()), "most": int(panel.lengths.max())},
        "frequency": panel.calendar.frequency,
        "first": str(format_stamp(panel.time.min())),
        "last": str(format_stamp(panel.time.max())),
    }


def _errors(table: pd.DataFrame) -> dict[str, Any]:
    return {
        str(name): {str(what): plain(value) for what, value in row.items()}
        for name, row in table.iterrows()
    }
