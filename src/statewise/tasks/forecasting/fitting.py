"""What `Forecaster.fit` does: any data learned from, in memory or block by block."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import numpy as np

from statewise.sequences import Columns
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.engine import Arguments, Engine
from statewise.tasks.forecasting.engine_choice import engine_for
from statewise.tasks.forecasting.exporting import write_exported
from statewise.tasks.forecasting.forms import Form
from statewise.tasks.forecasting.frame_types import words_of
from statewise.tasks.forecasting.parameters import levels_of
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.kinds import is_scanned

if TYPE_CHECKING:  # they load what reads files, which takes a third of a second
    from statewise.tasks.forecasting.scanned.panel import Keep, ScannedPanel


class Scanned(NamedTuple):
    """What was learned from block by block.

    Attributes:
        panel: where it's read from.
        keep: tells which of its series were learned from.
        series: how many it has.
    """

    panel: "ScannedPanel"
    keep: "Keep"
    series: int


def fit_any(
    data: Any,
    columns: Columns | Mapping[str, Any] | None,
    arguments: Arguments,
    progress: Progress,
    rows: int,
) -> tuple[Form, Scanned | None, Engine]:
    """Learn from data: return the form in which they came, where they are scanned, and what fits.

    Args:
        data, columns, rows: as for `Forecaster.fit`.
        arguments: of the forecaster and its ``fit``.
        progress: called after each epoch.
    """
    scan = None
    if is_scanned(data):
        from statewise.tasks.forecasting.scanned.fitting import fit_scanned, keeps
        from statewise.tasks.forecasting.scanned.opening import opened

        scan = opened(data, columns, rows)
        data, columns = scan.whole(), scan.columns
    if scan is None or data is not None:
        taken = take_in(data, columns)
        return taken.form, None, engine_for(taken, arguments).fit(taken.known, arguments, progress)
    engine, series = fit_scanned(scan, arguments, progress)
    return scanned_form(scan), Scanned(scan, keeps(arguments), series), engine


def scanned_form(scan: "ScannedPanel") -> Form:
    """Return the form of forecasts of a panel that is read block by block."""
    frame = nw.from_native(scan.head(), eager_only=True)
    return Form("long", "pandas", types=words_of(frame, [scan.columns.key, scan.columns.time]))


class Fitted:
    """What a forecaster has after its fit."""

    _engine: Engine
    _form: Form
    _scanned: Scanned | None
    horizon: int

    def _adopt(self, engine: Engine) -> None:
        """Take a fitted engine, and set the attributes that say what was chosen."""
        self._engine, data = engine, engine.data
        self.columns_, self.keys_ = data.panel.columns, data.panel.keys
        self.season_, self.seasons_, self._laid_out_by = data.season, data.seasons, data.laid_out_by
        self.notes_, self.left_out_ = data.notes, data.left_out
        chosen = engine.summary()
        self.units_, self.epochs_, self.lookback_ = chosen.units, chosen.epochs, chosen.lookback
        self.transform_ = chosen.transform
        self.validation_errors_ = chosen.validation_errors
        self.validation_curves_ = chosen.validation_curves
        self.training_shape_, self.losses_ = chosen.training_shape, chosen.losses
        self.cut_ = chosen.cut

    def export(
        self,
        folder: str | os.PathLike,
        *,
        level: float | Sequence[float] | None = (50, 80, 90, 95),
        overwrite: bool = False,
    ) -> None:
        """Write the networks as ONNX files, and how values are prepared for them as JSON.

        NumPy and ONNX Runtime repeat the forecasts of `predict` from these, to rounding: see
        `docs/onnx.md` for the program, and `examples/exported_forecaster` for one with intervals
        and inputs.

        Args:
            folder: a new one, or one that is empty.
            level: of the intervals that are told of, in percent. A likelihood's aren't: they are
                the quantiles of paths that are drawn.
            overwrite: whether what an earlier call wrote there may be replaced; other files in the
                folder stay.

        Raises:
            FileExistsError: where something is in the folder already, or it's a file.
            ImportError: without the package onnx, an optional extra: ``statewise[onnx]``.
            ValueError: before ``fit``, for a level that isn't between 1 and 100, and for a
                forecaster that learned from series with missing values whose seasons count steps of
                a calendar, or from categories that are neither text nor numbers.
            TypeError: where the folder is no path, or a level no number.
            OSError: where the folder can't be written.
        """
        self._check_fitted()
        panel = self._engine.data.panel
        below_zero = len(panel) == 1 and bool(np.nanmin(panel.values[:, 0]) < 0)
        more = {"horizon": self.horizon, "below_zero": below_zero}
        write_exported(folder, self._engine.exported(levels_of(level)), more, overwrite=overwrite)

    def _check_fitted(self) -> None:
        if not hasattr(self, "_engine"):
            raise ValueError("this Forecaster is not fitted yet: call fit(series) first")
