"""What `AnomalyDetector.fit` does, and all that it leaves."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from statewise.models import Model
from statewise.models.state import State
from statewise.sequences import DataError
from statewise.sequences.tables import counted
from statewise.tasks.anomaly.calibration import tail_of
from statewise.tasks.anomaly.data import Columns, Taken
from statewise.tasks.anomaly.even_steps import in_seconds, on_steps, seconds_between
from statewise.tasks.anomaly.networks import Design, Network, Tail
from statewise.tasks.anomaly.running import run
from statewise.tasks.anomaly.scaling import find_season, scale_of, scaled

LEAST = 32  # steps of the longest series
_DISORDER = 0.1  # of the rows, from which on they are plainly not in order


@dataclass(eq=False)
class Learned:
    """What a detector has learned.

    Attributes:
        design: of the network.
        arrays: its weights.
        tail: how odd steps are at the beginning.
        names: of the features.
        columns: of a table.
        between: the usual time between two steps, 0 where there is none.
        ends: by key the time of the training's last step, as a number; None where there is none.
        scales: by key the average and the deviation of each feature.
        states: by key the state after the training, of one sample.
        scores: of the training's steps.
        losses: validation's, by epoch.
        notes: in words.
    """

    design: Design
    arrays: list[np.ndarray]
    tail: Tail
    names: tuple[Hashable, ...]
    columns: Columns
    between: float
    ends: dict[Hashable, float | None]
    scales: dict[Hashable, tuple[np.ndarray, np.ndarray]]
    states: dict[Hashable, State]
    scores: np.ndarray
    losses: list[float]
    notes: list[str] = field(default_factory=list)
    network: Network | None = None

    def live(self) -> Model:
        """Return the live model."""
        if self.network is None:
            self.network = Network(self.design, 0)
            self.network.take(self.arrays)
        return self.network.live(self.tail)

    def known_as(self, key: Hashable) -> Hashable:
        """Return the key whose scale and state a series has; of a single one, any key.

        Raises:
            DataError: where several were learned from, and none has this key.
        """
        if key in self.scales:
            return key
        if len(self.scales) == 1:
            return next(iter(self.scales))
        some = ", ".join(map(repr, list(self.scales)[:3]))
        raise DataError(
            f"the detector was fitted on {len(self.scales)} series ({some}...), but not on one "
            f"with the key {key!r}: there is no scale to measure it by. Fit on it too"
        )


def learn(detector: Any, taken: Taken) -> Learned:
    """Train a detector's network, and measure how odd the steps of its training are.

    Raises:
        DataError: where there is too little to learn from.
    """
    given = list(taken.series.values())
    between = seconds_between(given)
    longest = max(len(one.values) for one in given)
    if longest < LEAST:
        raise DataError(
            f"the longest series has {counted(longest, 'step')}, but {LEAST} at least are needed "
            "to learn from"
        )
    for key, one in taken.series.items():
        lost = np.isnan(one.values).all(0)
        if lost.any():
            name = one.names[int(np.argmax(lost))]
            raise DataError(f"feature {name!r} of series {key!r} has no values: nothing but NaN")
    stamped = any(one.time is not None for one in given)
    if detector.season == "auto":
        even = [on_steps(one, between, 1).values for one in given]
        season = find_season(even, between, stamped=stamped)
    else:
        season = detector.season
    steps = {key: on_steps(one, between, season) for key, one in taken.series.items()}
    disordered = sum(one.disordered for one in steps.values())
    rows = sum(len(one.values) for one in given)
    if disordered > _DISORDER * rows:
        raise DataError(
            f"the time of {disordered} of {rows} rows doesn't come after that of the row before: "
            "sort the rows by time, and name the column of the keys if there are several series"
        )
    scales = {key: scale_of(one.values) for key, one in taken.series.items()}
    inputs = {key: scaled(one.values, *scales[key]) for key, one in steps.items()}
    window = min(detector.window, max(len(one) for one in inputs.values()) // 2)
    features = len(given[0].names)
    design = Design(detector.method, features, detector.units, window, season)
    network = Network(design, detector.seed)
    losses = network.fit(list(inputs.values()), detector.epochs)
    odd, _ = run(network.live(None), list(inputs.values()))
    tail = tail_of(odd, features)
    scores, states = run(network.live(tail), list(inputs.values()), final=True)
    every = np.concatenate([one[:, 0] for one in scores])
    every = every[~np.isnan(every)]
    return Learned(
        design=design,
        arrays=network.arrays(),
        tail=tail,
        names=given[0].names,
        columns=taken.columns,
        between=between,
        ends={
            key: None if one.time is None else float(in_seconds(one.time[-1:])[0])
            for key, one in taken.series.items()
        },
        scales=scales,
        states=dict(zip(inputs, states, strict=True)),
        scores=every if every.size else np.zeros(1),
        losses=losses,
        notes=_notes(disordered, [len(one.values) for one in steps.values()], rows),
        network=network,
    )


def _notes(disordered: int, lengths: list[int], rows: int) -> list[str]:
    notes = []
    if disordered:
        notes.append(
            f"the time of {counted(disordered, 'row')} doesn't come after that of the row before; "
            "rows are steps in the order in which they came"
        )
    if sum(lengths) > rows:
        notes.append(f"{counted(sum(lengths) - rows, 'step')} without a row count as missing")
    return notes
