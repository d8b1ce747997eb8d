"""Lanes: series of any lengths laid end to end, for training and predicting without windows.

Three series, of 8, 5 and 3 steps::

    A   a0 a1 a2 a3 a4 a5 a6 a7
    B   b0 b1 b2 b3 b4
    C   c0 c1 c2

``lanes(series, lanes=2, steps=4, targets=None)`` lays them into two lanes and cuts these into two
chunks. A chunk is one batch, ``(batch, time, features)`` = (2, 4, 1) here::

                   chunk 0          chunk 1
    lane 0     | a0 a1 a2 a3 |  | a4 a5 a6 a7 |
    lane 1     | b0 b1 b2 b3 |  | b4 c0 c1 c2 |

    resets     |  R  .  .  . |  |  .  .  .  . |
               |  R  .  .  . |  |  .  R  .  . |

Row 0 of chunk 1 goes on where row 0 of chunk 0 stopped: the state is carried from chunk to chunk.
Where ``resets`` is True (R) a new series begins, and the lane starts there from the initial state.
Every step is used once. Had C no c2, the last step of lane 1 would be zeros, and ``valid`` False
there and nowhere else.

With ``targets="next"``, each step is to tell the one after it. The last step of a series is a
target but no input, so A, B and C then fill 7, 4 and 2 steps of a lane::

    x          | a0 a1 a2 a3 |  | a4 a5 a6  - |      y   | a1 a2 a3 a4 |  | a5 a6 a7  - |
               | b0 b1 b2 b3 |  | c0 c1  -  - |          | b1 b2 b3 b4 |  | c1 c2  -  - |
"""

import copy
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from statewise.sequences._balance import Balance, describe_limit
from statewise.sequences._chunks import Chunk, allocate, cut, lay_block
from statewise.sequences._opening import open_source
from statewise.sequences._packing import (
    Plan,
    plan_in_order,
    plan_near,
    plan_near_shuffled,
    plan_shuffled,
)
from statewise.sequences._sources import Source
from statewise.sequences._targets import Targets, choose_targets
from statewise.sequences.arrays import check_count

_MOSTLY_USEFUL = 0.95  # below this, a summary says what is in the way
_BLOCK_BYTES = 2**24
_FLAG_BYTES = 1 + 1 + 2 * 8  # of a step: resets, valid, where


class Lanes:
    """Series laid end to end into lanes, cut into chunks; made by ``lanes``.

    Attributes:
        keys: of the series, in the order in which they were given.
        lengths: the time steps of each series, (series,) int64, its last step included.
        features: of each input step.
        target_features: of each target; 0 without targets.
        batch: the number of lanes, which is the batch size.
        steps: the time steps of a chunk.
        num_chunks: in an epoch, the same for every one.
        seed: what the order of an epoch is drawn from; ``None`` for the order as given.
        balance: useful and computed steps, the longest and the shortest lane (as the series are
            laid without a seed; with one, no epoch has more chunks).
        in_memory: whether all values are in memory already.

    Example:
        >>> tanks = {  # pressure and temperature, hour by hour
        ...     "A": [[101, 20], [102, 21], [103, 22], [104, 22]],
        ...     "B": [[201, 30], [202, 31]],
        ...     "C": [[301, 40], [302, 41]],
        ... }
        >>> hours = lanes(tanks, lanes=2, steps=2, targets=None)
        >>> for chunk in hours.epoch():
        ...     print(chunk.x[..., 0].tolist(), chunk.resets.tolist())
        [[101, 102], [201, 202]] [[True, False], [True, False]]
        [[103, 104], [301, 302]] [[False, False], [True, False]]
        >>> whole = hours.arrays()
        >>> whole.x.shape  # chunks, batch, time, features
        (2, 2, 2, 2)
        >>> hours.gather(whole.x[..., 1])  # a result for each step: here its temperature
        {'A': array([20, 21, 22, 22]), 'B': array([30, 31]), 'C': array([40, 41])}
    """

    def __init__(
        self, source: Source, targets: Targets | None, *, batch: int, steps: int, seed: int | None
    ):
        self._source = source
        self._targets = targets
        inputs = source.lengths - (0 if targets is None else targets.ahead)
        self._in_order = (plan_in_order if source.blocks is None else plan_near)(inputs, batch)
        loads = self._in_order.loads
        self.keys = list(source.keys)
        self.lengths = source.lengths
        self.features = source.features
        self.target_features = 0 if targets is None else len(targets.columns)
        self.batch = batch
        self.steps = steps
        self.num_chunks = -(-int(loads.max()) // steps)
        self.seed = seed
        self._rows = slice(0, batch)  # the lanes of the plan that are laid
        self.in_memory = source.in_memory and (targets is None or targets.source.in_memory)
        self.balance = Balance(
            useful_steps=int(loads.sum()),
            computed_steps=self.num_chunks * batch * steps,
            longest_lane=int(loads.max()),
            shortest_lane=int(loads.min()),
        )

    @property
    def useful(self) -> float:
        """The fraction of the computed steps that are steps of a series."""
        return self.balance.useful_steps / self.balance.computed_steps

    @property
    def nbytes(self) -> int:
        """The bytes of a whole epoch, as ``arrays`` returns it."""
        each = self.features * self._source.dtype.itemsize + _FLAG_BYTES
        if self._targets is not None:
            each += self.target_features * self._targets.source.dtype.itemsize
        return self.balance.computed_steps * each

    def epoch(self, number: int = 0) -> Iterator[Chunk]:
        """Return the chunks of an epoch, each read when its turn comes.

        Args:
            number: of the epoch. With a seed, each number has an order of its own, the same one
                whenever it's asked for.

        Returns:
            An iterator over ``num_chunks`` chunks. Row i of each goes on where row i of the one
            before stopped.

        Raises:
            TypeError: where the number is no whole number.
            ValueError: where it is below 0; while reading, where a source doesn't give the steps
                that it said it has.
        """
        return self._chunks(self._plan(number))

    def arrays(self, number: int = 0) -> Chunk:
        """Return all chunks of an epoch at once; see ``nbytes`` for what they take.

        Args:
            number: of the epoch, as for ``epoch``.

        Returns:
            A ``Chunk`` whose arrays have one more axis in front: x (chunks, batch, time,
            features), resets (chunks, batch, time), and so on.

        Raises:
            TypeError, ValueError: as ``epoch``.
        """
        plan = self._plan(number)
        whole = allocate(self._source, self._targets, (self.num_chunks, self.batch, self.steps))
        for span in self._spans(self._some_chunks()):
            self._lay(plan, span.start, cut(whole, span))
        return whole

    def gather(self, outputs: Any, number: int = 0) -> dict[Hashable, np.ndarray] | list:
        """Sort the outputs for the chunks of an epoch by the series they belong to.

        Args:
            outputs: (chunks, batch, time, ...), one for each step of ``epoch(number)``.
            number: of that epoch.

        Returns:
            For each series, in the order in which they were given, its outputs (time, ...): as
            many as it has inputs, which is one fewer than its steps where the targets are the
            next steps. A dictionary where the series have keys of their own, else a list. The
            arrays may be views.

        Raises:
            TypeError: where the number is no whole number.
            ValueError: where the outputs have another shape, or the number is below 0.
        """
        plan = self._plan(number)
        if len(plan.members) < len(self._in_order.members):
            raise ValueError("these are some of the lanes; gather with those of all rows")
        outputs = np.asarray(outputs)
        expected = (self.num_chunks, self.batch, self.steps)
        if outputs.shape[:3] != expected:
            raise ValueError(
                f"outputs must begin with the axes (chunks, batch, time) = {expected}, but have "
                f"the shape {outputs.shape}; give those of all chunks of one epoch"
            )
        results = {}
        for lane, load in enumerate(plan.loads.tolist()):
            line = outputs[:, lane].reshape(-1, *outputs.shape[3:])  # (chunks * time, ...)
            for series, _, stop, at in plan.pieces(lane, 0, load):
                results[series] = line[at : at + stop]
        in_order = [results[series] for series in range(len(self.keys))]
        return dict(zip(self.keys, in_order, strict=True)) if self._source.named else in_order

    def without_targets(self) -> "Lanes":
        """Return lanes of the same series for prediction: all steps are inputs, in given order.

        Example:
            >>> hours = lanes([[1, 2, 3, 4], [5, 6]], lanes=1, steps=2, targets="next")
            >>> hours.num_chunks, hours.without_targets().num_chunks
            (2, 3)
        """
        return Lanes(self._source, None, batch=self.batch, steps=self.steps, seed=None)

    def of_rows(self, rows: slice) -> "Lanes":
        """Return some of the lanes alone, as they lie among all of them in every epoch.

        What is read for a chunk is then what lies in these lanes: each of several processes can lay
        its own. ``keys``, ``lengths`` and ``balance`` stay those of all lanes, and what is computed
        for some of them can't be sorted by series (``gather``).

        Args:
            rows: which lanes, without a step between them.

        Example:
            >>> hours = lanes([[1, 2, 3], [4, 5, 6], [7, 8]], lanes=2, steps=2, targets=None)
            >>> hours.arrays().x[:, 1:, :, 0].tolist()
            [[[4, 5]], [[6, 0]], [[0, 0]]]
            >>> hours.of_rows(slice(1, 2)).arrays().x[..., 0].tolist()
            [[[4, 5]], [[6, 0]], [[0, 0]]]
        """
        some = copy.copy(self)
        some._rows = rows
        some.batch = rows.stop - rows.start
        return some

    def _plan(self, number: int) -> Plan:
        number = check_count(number, "number", 0)
        if self.seed is None:
            plan = self._in_order
        else:
            rng = np.random.default_rng([self.seed, number])
            room, lengths = self.num_chunks * self.steps, self._in_order.lengths
            lanes, blocks = len(self._in_order.members), self._source.blocks
            if blocks is None:
                plan = plan_shuffled(lengths, lanes, room, rng)
            else:
                plan = plan_near_shuffled(lengths, lanes, room, blocks, rng)
        return plan if self._rows == slice(0, len(plan.members)) else plan.of_lanes(self._rows)

    def _chunks(self, plan: Plan) -> Iterator[Chunk]:
        # What is in memory or in files is laid many chunks at a time, anything else when its turn
        # comes.
        many = self.in_memory or self._source.longer
        for span in self._spans(self._some_chunks() if many else 1):
            shape = (span.stop - span.start, self.batch, self.steps)
            block = allocate(self._source, self._targets, shape)
            self._lay(plan, span.start, block)
            for at in range(len(block.x)):
                yield cut(block, at)

    def _lay(self, plan: Plan, chunk: int, block: Chunk) -> None:
        lay_block(self._source, self._targets, plan, chunk * self.steps, block)

    def _some_chunks(self) -> int:
        """Return how many chunks are laid fastest: many, but not far more than a cache holds."""
        return max(1, _BLOCK_BYTES * self.num_chunks // self.nbytes)

    def _spans(self, together: int) -> Iterator[slice]:
        for first in range(0, self.num_chunks, together):
            yield slice(first, min(first + together, self.num_chunks))

    def __repr__(self) -> str:
        return (
            f"Lanes(series={len(self.keys)}, batch={self.batch}, steps={self.steps}, "
            f"num_chunks={self.num_chunks}, features={self.features}, useful={self.useful:.3f})"
        )

    def __str__(self) -> str:
        shortest, longest = self.lengths.min(), self.lengths.max()
        text = [
            f"{len(self.keys)} series of {shortest} to {longest} steps, {self.features} features; "
            f"order: {'as given' if self.seed is None else f'shuffled, seed {self.seed}'}",
            f"{self.batch} lanes of {self.balance.shortest_lane} to {self.balance.longest_lane} "
            f"steps; {self.num_chunks} chunks ({self.batch}, {self.steps}, {self.features})",
            f"{self.balance.useful_steps} of {self.balance.computed_steps} computed steps are "
            f"useful ({self.useful:.1%})",
        ]
        if self.useful < _MOSTLY_USEFUL:
            lengths = self._in_order.lengths
            text.append(describe_limit(self.balance, self.batch, self.steps, lengths, self.keys))
        return "\n".join(text)


def lanes(
    series: Any,
    *,
    lanes: int,
    steps: int,
    targets: Any = "next",
    seed: int | None = None,
    key: Any = None,
    columns: Any = None,
) -> Lanes:
    """Lay series of any lengths end to end into lanes, and cut these into chunks.

    A series lies in one lane as a whole, so that its state is never lost. The lanes are kept
    equally long: the longest series first, each goes to the lane that is the shortest so far.
    Without a seed, the series of a lane follow each other as they were given. With one, chance
    decides which series share a lane and in which order they follow, without needing more chunks.

    Arrays are not copied until a chunk is made; frames and lists of numbers become arrays once. In
    ``epoch``, what is not in memory is read when a chunk's turn comes, by slices no longer than the
    chunk and the one step that follows it.

    Args:
        series: real numbers, (time,) or (time, features) for each series. A list or mapping of
            arrays, frames or whatever has a shape, a dtype and slices (a memory map, a data set
            of HDF5); an array (series, time, features); one such series alone; a frame with all
            series below each other, told apart by the column ``key``; an object with ``lengths``
            (a list, or a mapping by key) and a method ``read(key, start, stop)`` that returns
            these steps of a series; any other mapping or sequence, whose items are opened anew
            for every slice.
        lanes: how many, which is the batch size; at most as many as there are series.
        steps: the time steps of a chunk, over which gradients flow.
        targets: "next" for the next step of the series; a column, a position, or a list of these
            for some features of the next step; ``None`` for prediction; else a target for each
            step, in the same form as the series, of the same keys and lengths.
        seed: what the order of every epoch is drawn from; ``None`` for the order as given.
        key: the column of a frame that says which series a row belongs to, in the frame of the
            targets too. The rows of a series are taken in the order in which they stand.
        columns: which columns of frames are features; ``None`` for all but the key.

    Returns:
        ``Lanes``; ``epoch(number)`` gives its chunks, and printing it says how well they are used.

    Raises:
        TypeError: where values are no real numbers, a count is no whole number, or ``key`` or
            ``columns`` are given for what is no table.
        ValueError: where there is no series, or one is empty or too short to have a next step;
            where their features differ, targets don't match, or a table has no such column; where
            there are fewer series than lanes, or a count is too small.

    Example:
        >>> tanks = {  # pressure and temperature, hour by hour
        ...     "A": [[101, 20], [102, 21], [103, 22], [104, 22], [105, 23]],
        ...     "B": [[201, 30], [202, 31], [203, 31]],
        ...     "C": [[301, 40], [302, 41], [303, 41]],
        ... }
        >>> hours = lanes(tanks, lanes=2, steps=2)
        >>> print(hours)
        3 series of 3 to 5 steps, 2 features; order: as given
        2 lanes of 4 to 4 steps; 2 chunks (2, 2, 2)
        8 of 8 computed steps are useful (100.0%)
        >>> first, second = hours.epoch()
        >>> second.x[1].tolist(), second.y[1].tolist()  # lane 1, where C follows B
        ([[301, 40], [302, 41]], [[302, 41], [303, 41]])
        >>> second.resets[1].tolist()
        [True, False]

        From a table, with the temperature alone as the target:

        >>> import pandas as pd
        >>> rows = [(tank, *hour) for tank, hours in tanks.items() for hour in hours]
        >>> table = pd.DataFrame(rows, columns=["tank", "pressure", "temperature"])
        >>> hours = lanes(table, lanes=2, steps=2, key="tank", targets="temperature")
        >>> next(hours.epoch()).y[0].tolist()
        [[21], [22]]
    """
    lanes = check_count(lanes, "lanes")
    steps = check_count(steps, "steps")
    seed = None if seed is None else check_count(seed, "seed", 0)
    source = open_source(series, key=key, columns=columns)
    if lanes > len(source.keys):
        raise ValueError(
            f"lanes={lanes}, but there are only {len(source.keys)} series, and a series lies in "
            f"one lane: take at most {len(source.keys)} lanes"
        )
    return Lanes(source, choose_targets(source, targets, key), batch=lanes, steps=steps, seed=seed)
