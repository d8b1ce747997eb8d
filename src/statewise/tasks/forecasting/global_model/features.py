"""A panel as the arrays that programs cut windows from."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from statewise.sequences import DataError, Panel, encode_calendar
from statewise.sequences.bridging import bridged
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.global_model.measures import filled, measure


class Arrays(NamedTuple):
    """Flat arrays on the network's scale, (rows, ...); between series lie ``extra`` more rows.

    Attributes:
        values: (rows, channels) float32, missing ones filled by the last known one.
        observed: (rows, channels) bool; None where nothing is missing.
        inputs: (rows, inputs) float32.
        categories: (series, categories) int32.
        begins: the row of each series' first step, (series,) int32.
        unit: (series, channels) float32, see `likelihoods.Now`.
        floor: (series, channels) float32, the mean absolute increment of what is known of each
            series, below a part of which no window's scale falls.
        start: 1 where an untrained network repeats the season before, 0 where the last value.
        seasonal: (rows, channels) float32, the values that a season later goes on from: missing
            ones as the latest season known has them; None where they are ``values``.
        sees: 1 where the network sees the season before, 0 where not; None where it always does.
    """

    values: np.ndarray
    observed: np.ndarray | None
    inputs: np.ndarray
    categories: np.ndarray
    begins: np.ndarray
    unit: np.ndarray
    floor: np.ndarray
    start: Any  # a number of NumPy's, or one on the device
    seasonal: np.ndarray | None = None
    sees: Any = None  # as ``start``


@dataclass(frozen=True)
class Level:
    """How each series is brought onto the network's scale, and back.

    Attributes:
        shift, scale: (series, channels) float64. A series that never moved has a scale of 0, so
            nothing that a network says moves it.
        log: whether the target's logarithm was taken first.
    """

    shift: np.ndarray
    scale: np.ndarray
    log: bool

    def undo(self, values: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Return the target in its own unit.

        Args:
            values: of the target, (windows, ...).
            series: for each window the place of its series.
        """
        shape = (-1,) + (1,) * (values.ndim - 1)
        shift, scale = self.shift[series, 0].reshape(shape), self.scale[series, 0].reshape(shape)
        values = shift + scale * np.nan_to_num(values.astype(np.float64), posinf=1e6, neginf=-1e6)
        if self.log:
            values = np.exp(np.clip(values, -700, 700))
        return values


@dataclass
class Encoder:
    """What of the inputs was learned on the training panel: their scale, their categories.

    Attributes:
        means, deviations: of the numbers, by column.
        vocabularies: the categories of each column that holds some.
    """

    means: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    vocabularies: dict[str, list] = field(default_factory=dict)

    @classmethod
    def fit(cls, panel: Panel) -> "Encoder":
        """Measure a panel's known-future and static columns."""
        encoder = cls()
        for name, column in {**panel.future, **panel.static}.items():
            if column.dtype.kind == "f":
                if np.isnan(column).all():
                    raise DataError(f"the column {name!r} holds no value at all")
                encoder.means[name] = float(np.nanmean(column))
                encoder.deviations[name] = float(np.nanstd(column)) or 1.0
            else:
                encoder.vocabularies[name] = sorted(set(column.tolist()), key=str)
        return encoder

    @property
    def counts(self) -> dict[str, int]:
        """The number of categories of each column that holds some."""
        return {name: len(words) for name, words in self.vocabularies.items()}

    def numbers(self, name: str, column: np.ndarray) -> np.ndarray:
        """Return a column of numbers with mean 0 and deviation 1; a missing one is the mean."""
        if column.dtype.kind != "f":
            raise DataError(f"the column {name!r} held numbers in fit, and holds text now")
        return np.nan_to_num((column - self.means[name]) / self.deviations[name])

    def codes(self, name: str, column: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Return the place of each category in the vocabulary.

        Args:
            name: of the column.
            column: its categories.
            keys: the series of each, for the message.

        Raises:
            DataError: for a category that fit didn't see.
        """
        places = {word: i for i, word in enumerate(self.vocabularies[name])}
        codes = np.fromiter((places.get(word, -1) for word in column.tolist()), int, len(column))
        if (codes < 0).any():
            i = int((codes < 0).argmax())
            known = ", ".join(repr(word) for word in self.vocabularies[name][:8])
            more = len(self.vocabularies[name]) - 8
            raise DataError(
                f"the category {column[i]!r} of {name!r} (series {format_keys(keys[i : i + 1])}) "
                f"was not there in fit, which knows {known}" + (f" and {more} more" * (more > 0))
            )
        return codes


def inputs_of(
    panel: Panel, encoder: Encoder, future: dict[str, np.ndarray], time, series: np.ndarray
) -> np.ndarray:
    """Return the inputs of steps: (rows, inputs) float32.

    Args:
        panel: whose columns and static features are used.
        encoder: fitted on the training panel.
        future: known-future columns, (rows,) each.
        time: stamps, (rows,).
        series: the place of each row's series.
    """
    parts = []
    for name in panel.columns.future:
        column = future[name]
        if name in encoder.vocabularies:
            codes = encoder.codes(name, column, panel.keys[series])
            parts.append(np.eye(encoder.counts[name])[codes])
        else:
            parts.append(encoder.numbers(name, column)[:, None])
    parts.append(encode_calendar(time, panel.columns.calendar))
    for name in panel.columns.static:
        if name not in encoder.vocabularies:
            parts.append(encoder.numbers(name, panel.static[name])[series][:, None])
    return np.concatenate(parts, 1).astype(np.float32)


def lay_out(
    panel: Panel,
    encoder: Encoder,
    *,
    log: bool,
    counts: bool,
    season: int,
    extra: int,
    ahead: np.ndarray | None = None,
    level: "Level | None" = None,
) -> tuple[Arrays, Level]:
    """Bring a panel onto the network's scale, with ``extra`` rows after each series.

    Each series is scaled by what is known of it: less its mean, over its mean absolute increment
    (of the logarithm, if that's taken). Counts are only divided.

    Args:
        panel: the known steps.
        encoder: of the inputs.
        log: whether to take the target's logarithm; all its values are above 0 then.
        counts: whether the target holds counts.
        season: steps in a season, 1 for none.
        extra: rows after each series, for the steps to forecast.
        ahead: the inputs of those rows, (series * extra, inputs); zeros without.
        level: how the series are scaled, where they aren't to be measured.
    """
    values = panel.values.copy()
    if log:
        values[:, 0] = np.log(values[:, 0])
    observed = ~np.isnan(values)
    values = filled(values, observed, panel.offsets)
    if level is None:
        shift, scale = measure(values, observed, panel.offsets)
        if counts:
            shift[:, 0] = np.where(scale[:, 0] > 0, 0, shift[:, 0])  # what never moved stays
    else:
        shift, scale = level.shift, level.scale
    series = panel.series_of_rows()
    divisor = np.where(scale > 0, scale, 1)
    values = (values - shift[series]) / divisor[series]
    seasonal = None
    if season > 1 and not observed.all():
        seasonal = np.column_stack(
            [
                bridged(values[:, i], observed[:, i], panel.offsets, season)
                for i in range(values.shape[1])
            ]
        ).astype(np.float32)
    values = values.astype(np.float32)

    begins = panel.offsets[:-1] + extra * np.arange(len(panel))
    rows = np.arange(len(values)) + extra * series
    # Programs are compiled for a number of rows: series that grow by a step share them.
    total = _rounded(len(values) + extra * len(panel))
    wide = np.zeros((total, values.shape[1]), np.float32)
    wide[rows] = values
    inputs = np.zeros((total, 0), np.float32)
    own = inputs_of(panel, encoder, panel.future, panel.time, series)
    if own.shape[1]:
        inputs = np.zeros((total, own.shape[1]), np.float32)
        inputs[rows] = own
    seen = None
    if not observed.all():
        seen = np.ones((total, values.shape[1]), bool)
        seen[rows] = observed
    before = None
    if seasonal is not None:
        before = np.zeros((total, values.shape[1]), np.float32)
        before[rows] = seasonal
    if extra:
        spare = (begins + panel.lengths)[:, None] + np.arange(extra)
        wide[spare.ravel()] = np.repeat(values[panel.offsets[1:] - 1], extra, axis=0)
        if ahead is not None:
            inputs[spare.ravel()] = ahead
    names = [n for n in panel.columns.static if n in encoder.vocabularies]
    codes = [encoder.codes(name, panel.static[name], panel.keys) for name in names]
    categories = np.column_stack(codes) if codes else np.zeros((len(panel), 0))
    arrays = Arrays(
        wide,
        seen,
        inputs,
        categories.astype(np.int32),
        begins.astype(np.int32),
        divisor.astype(np.float32),
        np.ones_like(divisor, np.float32),
        np.float32(0),
        before,
    )
    return arrays, Level(shift, scale, log)


def with_gaps(data: Arrays, season: int) -> Arrays:
    """Return arrays of which a part may be missing, where as it happens nothing is.

    Args:
        data: as `lay_out` returns it.
        season: steps in a season, 1 for none.
    """
    if data.observed is None:
        data = data._replace(observed=np.ones(data.values.shape, bool))
    if data.seasonal is None and season > 1:
        data = data._replace(seasonal=data.values)
    return data


def _rounded(count: int) -> int:
    """Round up a number of rows, by an eighth at most."""
    step = 1 << max(0, count.bit_length() - 4)
    return -(-count // step) * step
