"""Lanes: every step once, nothing crosses from one series into another, and all of it comes back.

Values tell where they come from: feature 0 of step t of series i is 10_000 i + t, exactly.
"""

import importlib
import re
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Balance, Chunk, Lanes, lanes


def told(lengths, features=2, dtype=np.float64):
    """Series whose values say which series and step they are from."""
    return [
        (10_000 * i + np.arange(n)[:, None] + 0.25 * np.arange(features)).astype(dtype)
        for i, n in enumerate(lengths)
    ]


@st.composite
def cases(draw, shortest=1):
    lengths = draw(st.lists(st.integers(shortest, 23), min_size=1, max_size=12))
    return {
        "lengths": lengths,
        "lanes": draw(st.integers(1, len(lengths))),
        "steps": draw(st.integers(1, 9)),
        "seed": draw(st.none() | st.integers(0, 50)),
        "number": draw(st.integers(0, 4)),
    }


def made(case, series, targets):
    return lanes(
        series, lanes=case["lanes"], steps=case["steps"], seed=case["seed"], targets=targets
    )


def lines(chunk: Chunk) -> Chunk:
    """Undo the cut into chunks: (lane, time, ...) from (chunks, batch, time, ...)."""
    return Chunk(
        *(
            None if a is None else a.swapaxes(0, 1).reshape(a.shape[1], -1, *a.shape[3:])
            for a in chunk
        )
    )


def same(one: Chunk, other: Chunk) -> None:
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="class", params=[1, 2**24], ids=["many blocks", "one block"])
def blocks(request):
    """Lay chunks one at a time, or all of these few at once."""
    # By its full name, since the package offers the function under the name of the module.
    module = importlib.import_module("statewise.sequences.lanes")
    with mock.patch.object(module, "_BLOCK_BYTES", request.param):
        yield


@pytest.mark.usefixtures("blocks")
class TestProperties:
    @settings(deadline=None, max_examples=50)
    @given(cases())
    def test_every_step_appears_exactly_once(self, case):
        series = told(case["lengths"])
        whole = made(case, series, None).arrays(case["number"])
        expected = [(i, t) for i, n in enumerate(case["lengths"]) for t in range(n)]
        where = whole.where[whole.valid]
        assert sorted(map(tuple, where.tolist())) == expected
        for (i, t), x in zip(where, whole.x[whole.valid], strict=True):
            np.testing.assert_array_equal(x, series[i][t])
        assert whole.y is None

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2))
    def test_next_step_pairs_appear_once_and_never_cross_two_series(self, case):
        whole = made(case, told(case["lengths"]), "next").arrays(case["number"])
        np.testing.assert_array_equal(whole.x[whole.valid] + 1, whole.y[whole.valid])
        expected = [10_000 * i + t for i, n in enumerate(case["lengths"]) for t in range(n - 1)]
        assert sorted(whole.x[whole.valid][:, 0].tolist()) == expected

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2), st.sampled_from([None, "next"]))
    def test_resets_are_exactly_where_series_begin(self, case, targets):
        line = lines(made(case, told(case["lengths"]), targets).arrays(case["number"]))
        np.testing.assert_array_equal(line.resets, line.where[..., 1] == 0)
        assert line.resets[:, 0].all()
        assert line.resets.sum() == len(case["lengths"])

    @settings(deadline=None, max_examples=50)
    @given(cases())
    def test_a_series_lies_in_one_lane_in_one_piece(self, case):
        line = lines(made(case, told(case["lengths"]), None).arrays(case["number"]))
        going_on = ~line.resets[:, 1:] & line.valid[:, 1:]
        moves = np.diff(line.where, axis=1)[going_on]
        assert (moves == [0, 1]).all()

    @settings(deadline=None, max_examples=50)
    @given(cases())
    def test_padding_is_zero_and_only_at_the_end_of_a_lane(self, case):
        line = lines(made(case, told(case["lengths"]), None).arrays(case["number"]))
        assert (np.diff(line.valid.astype(int), axis=1) <= 0).all()
        assert not line.x[~line.valid].any()
        assert not line.resets[~line.valid].any()
        assert (line.where[~line.valid] == -1).all()

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2), st.sampled_from([None, "next"]))
    def test_gather_inverts(self, case, targets):
        series = told(case["lengths"])
        laid = made(case, series, targets)
        whole = laid.arrays(case["number"])
        ahead = 1 if targets else 0
        for one, back in zip(series, laid.gather(whole.x, case["number"]), strict=True):
            np.testing.assert_array_equal(back, one[: len(one) - ahead])
        if targets:
            for one, back in zip(series, laid.gather(whole.y, case["number"]), strict=True):
                np.testing.assert_array_equal(back, one[1:])

    @settings(deadline=None, max_examples=50)
    @given(cases())
    def test_every_order_is_of_the_same_steps_in_as_many_chunks(self, case):
        series = told(case["lengths"])
        laid, in_order = made(case, series, None), made(case | {"seed": None}, series, None)
        one, other = laid.arrays(case["number"]), in_order.arrays()
        assert one.x.shape == other.x.shape
        for a, b in ((one, other), (laid.arrays(case["number"]), one)):
            np.testing.assert_array_equal(np.sort(a.x[a.valid][:, 0]), np.sort(b.x[b.valid][:, 0]))
        same(laid.arrays(case["number"]), one)

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2), st.data())
    def test_a_changed_value_changes_only_cells_of_its_series(self, case, data):
        series = told(case["lengths"])
        changed = data.draw(st.integers(0, len(series) - 1))
        step = data.draw(st.integers(0, len(series[changed]) - 1))
        before = made(case, series, "next").arrays(case["number"])
        series[changed][step] = -1
        after = made(case, series, "next").arrays(case["number"])
        for a, b in ((before.x, after.x), (before.y, after.y)):
            cells = (a != b).any(axis=-1)
            assert (before.where[cells][:, 0] == changed).all()
        assert (before.x != after.x).any() or (before.y != after.y).any()
        for a, b in zip(before[2:], after[2:], strict=True):
            np.testing.assert_array_equal(a, b)

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2), st.sampled_from([None, "next", 1]))
    def test_chunks_one_by_one_and_all_at_once_are_the_same(self, case, targets):
        laid = made(case, told(case["lengths"]), targets)
        whole = laid.arrays(case["number"])
        chunks = list(laid.epoch(case["number"]))
        assert len(chunks) == laid.num_chunks
        for at, chunk in enumerate(chunks):
            same(chunk, Chunk(*(None if a is None else a[at] for a in whole)))

    @settings(deadline=None, max_examples=50)
    @given(cases(shortest=2), st.sampled_from([None, "next"]))
    def test_lazy_and_in_memory_sources_give_the_same(self, case, targets):
        series = told(case["lengths"])
        held = made(case, series, targets)
        for lazy in (Asked(series), Opened(series), [Sliced(one) for one in series]):
            on_demand = made(case, lazy, targets)
            assert not on_demand.in_memory
            for one, other in zip(
                held.epoch(case["number"]), on_demand.epoch(case["number"]), strict=True
            ):
                same(one, other)
            same(held.arrays(case["number"]), on_demand.arrays(case["number"]))


class Asked:
    """Says its lengths, and reads when asked; remembers what."""

    def __init__(self, series, lengths=None):
        self.series = series
        self.lengths = [len(one) for one in series] if lengths is None else lengths
        self.asked = []

    def read(self, key, start, stop):
        self.asked.append((key, start, stop))
        return self.series[key][start:stop]


class Sliced:
    """Has a shape, a dtype and slices, as a data set in a file; remembers which were taken."""

    def __init__(self, array):
        self.array, self.taken = array, []
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, index):
        self.taken.append(index)
        return self.array[index]

    def __array__(self, *args, **kwargs):
        raise AssertionError("read as a whole")


class Opened:
    """A sequence that opens a series each time."""

    def __init__(self, series):
        self.series = series

    def __len__(self):
        return len(self.series)

    def __getitem__(self, position):
        return Sliced(self.series[position])


class Named(Opened):
    def keys(self):
        return self.series.keys()


class TestDrawing:
    """What the module's drawing shows."""

    SERIES = {"A": np.arange(8), "B": 10 + np.arange(5), "C": 20 + np.arange(3)}  # noqa: RUF012

    def test_without_targets(self):
        first, second = lanes(self.SERIES, lanes=2, steps=4, targets=None).epoch()
        assert first.x[..., 0].tolist() == [[0, 1, 2, 3], [10, 11, 12, 13]]
        assert second.x[..., 0].tolist() == [[4, 5, 6, 7], [14, 20, 21, 22]]
        assert first.resets.tolist() == [[True, False, False, False]] * 2
        assert second.resets.tolist() == [[False] * 4, [False, True, False, False]]
        assert first.valid.all()
        assert second.valid.all()

    def test_next_step(self):
        first, second = lanes(self.SERIES, lanes=2, steps=4).epoch()
        assert first.x[..., 0].tolist() == [[0, 1, 2, 3], [10, 11, 12, 13]]
        assert first.y[..., 0].tolist() == [[1, 2, 3, 4], [11, 12, 13, 14]]
        assert second.x[..., 0].tolist() == [[4, 5, 6, 0], [20, 21, 0, 0]]
        assert second.y[..., 0].tolist() == [[5, 6, 7, 0], [21, 22, 0, 0]]
        assert second.valid.tolist() == [[True] * 3 + [False], [True] * 2 + [False] * 2]

    def test_shapes_and_dtypes(self):
        series = told([4, 7, 3], features=3, dtype=np.float32)
        chunk = next(lanes(series, lanes=2, steps=5, targets=[0, -1]).epoch())
        assert chunk.x.shape == (2, 5, 3)
        assert chunk.y.shape == (2, 5, 2)
        assert chunk.resets.shape == chunk.valid.shape == (2, 5)
        assert chunk.where.shape == (2, 5, 2)
        assert chunk.x.dtype == chunk.y.dtype == np.float32
        assert chunk.resets.dtype == chunk.valid.dtype == bool


class TestOrder:
    LENGTHS = np.random.default_rng(7).integers(10, 1001, 400)

    def test_a_seed_shuffles_each_epoch_anew_and_repeats_it(self):
        laid = lanes(told(self.LENGTHS), lanes=32, steps=50, seed=3)
        zero, one = laid.arrays(0), laid.arrays(1)
        assert (zero.where != one.where).any()
        same(zero, laid.arrays(0))
        same(zero, lanes(told(self.LENGTHS), lanes=32, steps=50, seed=3).arrays(0))
        other = lanes(told(self.LENGTHS), lanes=32, steps=50, seed=4).arrays(0)
        assert (zero.where != other.where).any()

    def test_other_series_share_a_lane_in_another_epoch(self):
        laid = lanes(told(self.LENGTHS), lanes=32, steps=50, seed=3)

        def companions(number):
            line = lines(laid.arrays(number))
            return {frozenset(row[row >= 0].tolist()) for row in line.where[..., 0]}

        assert len(companions(0) & companions(1)) == 0

    def test_without_a_seed_a_lane_keeps_the_order_given(self):
        laid = lanes(told(self.LENGTHS), lanes=32, steps=50)
        line = lines(laid.arrays())
        for row, valid in zip(line.where[..., 0], line.valid, strict=True):
            assert (np.diff(row[valid]) >= 0).all()
        same(laid.arrays(0), laid.arrays(5))

    @pytest.mark.parametrize("seed", [None, 0, 1, 2])
    def test_nearly_all_steps_are_useful(self, seed):
        laid = lanes(told(self.LENGTHS, 1), lanes=32, steps=50, seed=seed)
        assert laid.useful > 0.97
        for number in range(3):
            assert laid.arrays(number).valid.mean() == pytest.approx(laid.useful)

    def test_a_seed_shuffles_the_order_within_a_lane(self):
        laid = lanes(told(range(1, 9), 1), lanes=1, steps=9, targets=None, seed=0)
        orders = set()
        for number in range(5):
            line = lines(laid.arrays(number))
            orders.add(tuple(line.where[line.resets][:, 0].tolist()))
        assert len(orders) == 5
        assert tuple(range(8)) not in orders

    def test_series_of_one_length_trade_places(self):
        laid = lanes(told([5] * 6, 1), lanes=6, steps=5, targets=None, seed=0)
        firsts = {tuple(laid.arrays(number).where[0, :, 0, 0]) for number in range(5)}
        assert len(firsts) > 1


class TestReport:
    def test_balance_and_sizes(self):
        laid = lanes(told([6, 5, 3, 2], 3), lanes=2, steps=3, targets=None)
        assert laid.balance == Balance(16, 18, 8, 8)
        assert laid.useful == pytest.approx(16 / 18)
        assert (laid.batch, laid.steps, laid.num_chunks) == (2, 3, 3)
        assert (laid.features, laid.target_features) == (3, 0)
        assert laid.keys == [0, 1, 2, 3]
        np.testing.assert_array_equal(laid.lengths, [6, 5, 3, 2])
        assert laid.in_memory
        assert repr(laid) == (
            "Lanes(series=4, batch=2, steps=3, num_chunks=3, features=3, useful=0.889)"
        )

    @pytest.mark.parametrize("targets", [None, "next", 1])
    def test_bytes_of_an_epoch(self, targets):
        laid = lanes(told([6, 5, 3, 2], 3, np.float32), lanes=2, steps=3, targets=targets)
        assert laid.nbytes == sum(a.nbytes for a in laid.arrays() if a is not None)

    def test_summary(self):
        text = str(lanes(told([6, 5, 4, 3]), lanes=2, steps=3, targets=None, seed=5))
        assert text.splitlines() == [
            "4 series of 3 to 6 steps, 2 features; order: shuffled, seed 5",
            "2 lanes of 9 to 9 steps; 3 chunks (2, 3, 2)",
            "18 of 18 computed steps are useful (100.0%)",
        ]

    @pytest.mark.parametrize(
        ("lengths", "count", "steps", "limit"),
        [
            ([9, 9], 2, 8, "the last chunk of 8 steps goes 7 beyond the longest lane"),
            ([30, 5, 5], 3, 2, "series 0 alone makes the longest lane; take 1 lane$"),
            ([30, 30, 5, 5], 4, 2, "series 0 alone makes the longest lane; take 2 lanes or fewer"),
            ([10, 10, 10], 2, 1, "whole series can't fill the lanes more evenly"),
        ],
    )
    def test_it_says_what_is_in_the_way(self, lengths, count, steps, limit):
        laid = lanes(told(lengths), lanes=count, steps=steps, targets=None)
        assert laid.useful < 0.95
        assert re.search(limit, str(laid))


class TestSources:
    def test_kinds_of_series_in_memory(self):
        series = told([5, 5, 5])
        expected = lanes(series, lanes=2, steps=3).arrays()
        kinds = [
            tuple(series),
            np.stack(series),
            dict(enumerate(series)),
            [one.tolist() for one in series],
            [pd.DataFrame(one) for one in series],
            Asked(series),
            Sliced(np.stack(series)),
        ]
        for kind in kinds:
            same(lanes(kind, lanes=2, steps=3).arrays(), expected)

    def test_one_dimension_is_one_feature(self):
        for kind in ([np.arange(4), np.arange(5)], Asked([np.arange(4), np.arange(5)])):
            laid = lanes(kind, lanes=1, steps=9, targets=None)
            assert laid.arrays().x[0, 0, :, 0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]

    def test_arrays_of_different_lengths_in_an_array_of_objects(self):
        series = np.empty(2, dtype=object)
        series[:] = told([3, 4])
        assert lanes(series, lanes=2, steps=3).lengths.tolist() == [3, 4]

    @pytest.mark.parametrize("one", [[1, 2, 3], np.array([[1], [2], [3]]), pd.Series([1, 2, 3])])
    def test_one_series_alone(self, one):
        laid = lanes(one, lanes=1, steps=2)
        assert laid.keys == [0]
        assert laid.arrays().x.tolist() == [[[[1], [2]]]]
        assert laid.arrays().y.tolist() == [[[[2], [3]]]]

    def test_dtypes_join(self):
        laid = lanes([np.ones(3, np.int32), np.ones(3, np.float32)], lanes=1, steps=2)
        assert laid.arrays().x.dtype == np.float64

    def test_results_come_back_by_key(self):
        series = dict(zip("bac", told([5, 2, 4]), strict=True))
        for kind in (series, Named(series), Asked(series, {k: len(v) for k, v in series.items()})):
            laid = lanes(kind, lanes=2, steps=3, targets=None, seed=1)
            assert laid.keys == ["b", "a", "c"]
            back = laid.gather(laid.arrays(2).x, 2)
            assert list(back) == ["b", "a", "c"]
            for key, one in series.items():
                np.testing.assert_array_equal(back[key], one)

    def test_gather_takes_any_shape_of_output_and_lists_of_chunks(self):
        laid = lanes(told([5, 2, 4]), lanes=2, steps=3, targets=None)
        chunks = list(laid.epoch())
        flat = laid.gather([chunk.x[..., 0] for chunk in chunks])
        assert [one.shape for one in flat] == [(5,), (2,), (4,)]
        deep = laid.gather([chunk.x[..., None] for chunk in chunks])
        assert [one.shape for one in deep] == [(5, 2, 1), (2, 2, 1), (4, 2, 1)]

    def test_without_targets_all_steps_are_inputs(self):
        series = told([5, 2, 4])
        laid = lanes(series, lanes=2, steps=3, seed=4).without_targets()
        assert isinstance(laid, Lanes)
        assert laid.seed is None
        for one, back in zip(series, laid.gather(laid.arrays().x), strict=True):
            np.testing.assert_array_equal(back, one)


class TestReading:
    def test_making_lanes_reads_one_step(self):
        source = Asked(told([50, 60, 70]))
        lanes(source, lanes=2, steps=5)
        assert source.asked == [(0, 0, 1)]

    @pytest.mark.parametrize(("targets", "more"), [(None, 0), ("next", 1)])
    def test_a_chunk_reads_its_own_steps_when_its_turn_comes(self, targets, more):
        source = Asked(told([50, 60, 70]))
        laid = lanes(source, lanes=2, steps=8, targets=targets)
        source.asked.clear()
        chunks = laid.epoch()
        assert source.asked == []
        for chunk in chunks:
            assert max(stop - start for _, start, stop in source.asked) <= 8 + more
            steps = sum(stop - start - more for _, start, stop in source.asked)
            assert steps == chunk.valid.sum()
            source.asked.clear()

    def test_of_a_data_set_only_slices_are_read(self):
        source = [Sliced(one) for one in told([50, 60])]
        for _ in lanes(source, lanes=2, steps=8).epoch():
            pass
        for one in source:
            assert all(index.stop - index.start <= 9 for index in one.taken)

    def test_a_memory_map_is_never_copied_as_a_whole(self, tmp_path):
        table = told([300])[0]
        table.tofile(tmp_path / "table")
        mapped = np.memmap(tmp_path / "table", dtype=table.dtype, shape=table.shape, mode="r")
        expected = lanes([table[:120], table[120:]], lanes=2, steps=7)
        laid = lanes([mapped[:120], mapped[120:]], lanes=2, steps=7)
        assert expected.in_memory
        assert not laid.in_memory
        assert np.shares_memory(laid._source.take(1, 0, 3), mapped)
        same(laid.arrays(), expected.arrays())
        cube = mapped.reshape(3, 100, 2)
        assert not lanes(cube, lanes=3, steps=7).in_memory

    def test_a_source_that_gives_too_little_is_named(self):
        source = Asked(told([5, 5]), [5, 9])
        message = r"series 1 gave an array \(1, 2\) for its steps 4 to 6, but \(2, 2\)"
        with pytest.raises(ValueError, match=message):
            list(lanes(source, lanes=2, steps=2, targets=None).epoch())

    def test_a_source_that_changes_its_features_is_named(self):
        source = Asked([np.ones((5, 2)), np.ones((5, 3))])
        with pytest.raises(ValueError, match=r"series 1 gave an array \(2, 3\)"):
            list(lanes(source, lanes=2, steps=2, targets=None).epoch())

    def test_a_source_that_changes_its_dtype_is_named(self):
        source = Asked([np.ones(5, int), np.ones(5)])
        message = "series 1 gave values of float64, but the first series has int64"
        with pytest.raises(TypeError, match=message):
            list(lanes(source, lanes=2, steps=2, targets=None).epoch())


class TestTables:
    def table(self, **more):
        tanks = ["b", "a", "b", "c", "a", "b", "c", "a"]
        numbers = {"p": np.arange(8), "t": np.arange(8) / 2}
        return pd.DataFrame({"tank": tanks, **numbers, **more})

    def test_rows_of_a_key_keep_their_order(self):
        laid = lanes(self.table(), lanes=3, steps=3, key="tank", targets=None)
        assert laid.keys == ["b", "a", "c"]
        back = laid.gather(laid.arrays().x[..., 0])
        assert {key: one.tolist() for key, one in back.items()} == {
            "b": [0, 2, 5],
            "a": [1, 4, 7],
            "c": [3, 6],
        }

    def test_columns_are_chosen_and_targets_named(self):
        laid = lanes(
            self.table(note="x"), lanes=3, steps=2, key="tank", columns=["t", "p"], targets="p"
        )
        assert laid.features == 2
        chunk = next(laid.epoch())
        assert laid.gather(laid.arrays().y)["a"].tolist() == [[4], [7]]
        assert chunk.x.shape == (3, 2, 2)
        assert lanes(self.table(), lanes=1, steps=2, key="tank", columns="p").features == 1

    def test_targets_in_a_table(self):
        targets = pd.DataFrame({"tank": ["c", "a", "a", "a", "b", "b", "c", "b"], "leak": range(8)})
        laid = lanes(self.table(), lanes=2, steps=2, key="tank", targets=targets)
        back = laid.gather(laid.arrays().y[..., 0])
        assert {key: one.tolist() for key, one in back.items()} == {
            "b": [4, 5, 7],
            "a": [1, 2, 3],
            "c": [0, 6],
        }

    def test_a_mapping_of_tables(self):
        tables = dict(list(self.table().groupby("tank")))
        laid = lanes(tables, lanes=2, steps=2, columns=["p", "t"], targets=["t"])
        assert laid.gather(laid.arrays().y)["b"].tolist() == [[1.0], [2.5]]

    def test_a_table_without_key_is_one_series(self):
        laid = lanes(self.table()[["p", "t"]], lanes=1, steps=7, targets="t")
        assert laid.arrays().y[0, 0, :, 0].tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5]

    def test_gaps_in_pandas_own_types_are_nan(self):
        table = self.table(n=pd.array([1, None, 3, 4, 5, 6, 7, 8], dtype="Int64"))
        laid = lanes(table, lanes=1, steps=8, key="tank", columns=["n"], targets=None)
        np.testing.assert_array_equal(laid.gather(laid.arrays().x[..., 0])["a"], [np.nan, 5, 8])

    @pytest.mark.parametrize(
        ("more", "options", "error", "message"),
        [
            ({}, {"key": "k"}, ValueError, "series has no column 'k'; it has: tank, p, t"),
            ({}, {"key": "tank", "columns": ["q"]}, ValueError, "series has no column 'q'"),
            ({"s": "x"}, {"key": "tank"}, TypeError, "column 's' of series must hold real numbers"),
            ({}, {}, TypeError, "the column 'tank' of series 0 must hold real numbers"),
            ({}, {"key": "tank", "targets": "q"}, ValueError, "has no feature 'q': the columns"),
            ({}, {"key": "tank", "columns": []}, ValueError, "has 0 features, but needs at least"),
        ],
    )
    def test_wrong_columns(self, more, options, error, message):
        with pytest.raises(error, match=message):
            lanes(self.table(**more), lanes=1, steps=2, **options)

    def test_a_row_without_key(self):
        table = self.table()
        table.loc[[1, 4], "tank"] = None
        with pytest.raises(ValueError, match="no key in 2 rows of the column 'tank'"):
            lanes(table, lanes=1, steps=2, key="tank")

    def test_a_table_without_rows(self):
        with pytest.raises(ValueError, match="series is empty: give at least one series"):
            lanes(self.table()[:0], lanes=1, steps=2, key="tank")

    def test_tables_of_different_columns(self):
        tables = [self.table()[["p", "t"]], self.table()[["t", "p"]]]
        with pytest.raises(ValueError, match=r"series 1 has \['t', 'p'\] where the first has"):
            lanes(tables, lanes=1, steps=2)


class TestTargets:
    @settings(deadline=None, max_examples=50)
    @given(cases())
    def test_a_target_for_each_step_stays_with_its_step(self, case):
        series = told(case["lengths"])
        targets = [-one[:, :1] for one in series]
        for given_targets in (targets, Asked(targets)):
            laid = made(case, series, given_targets)
            whole = laid.arrays(case["number"])
            assert whole.valid.sum() == sum(case["lengths"])
            np.testing.assert_array_equal(whole.y, -whole.x[..., :1])

    def test_keys_decide_not_the_order(self):
        series = {"a": np.array([1, 2]), "b": np.array([3, 4])}
        targets = {"b": np.array([30, 40]), "a": np.array([10, 20])}
        laid = lanes(series, lanes=2, steps=2, targets=targets)
        np.testing.assert_array_equal(laid.arrays().y, 10 * laid.arrays().x)

    def test_targets_keep_their_own_dtype_and_need_no_next_step(self):
        laid = lanes([np.ones(1, np.float32)], lanes=1, steps=2, targets=[np.array([7])])
        chunk = next(laid.epoch())
        assert chunk.y.dtype == np.int64
        assert chunk.y[..., 0].tolist() == [[7, 0]]
        assert laid.target_features == 1

    @pytest.mark.parametrize(
        ("targets", "error", "message"),
        [
            ({"a": np.ones(4)}, ValueError, "one item for each of the 2 series, but has 1"),
            ({"a": np.ones(4), "c": np.ones(3)}, ValueError, "nothing by the key 'b'"),
            ({"a": np.ones(4), "b": np.ones(2)}, ValueError, "'b' has 2 steps, but .* has 3"),
            ([np.ones(4), np.ones(3)], ValueError, "nothing by the key 'a'"),
            ({"a": np.ones(4), "b": ["x"] * 3}, TypeError, "targets 'b' must hold real numbers"),
            ("q", ValueError, "has no feature 'q': none has a name"),
            (2, ValueError, "no feature 2: there are 2, at the positions 0 to 1"),
            (-3, ValueError, "a feature must be at least -2, but is -3"),
            ([], ValueError, "targets is empty: name at least one feature"),
            ([True], TypeError, "a feature must be a whole number, but is True"),
            (0.5, TypeError, "targets is of the type float, but must be"),
        ],
    )
    def test_wrong_targets(self, targets, error, message):
        series = {"a": np.ones((4, 2)), "b": np.ones((3, 2))}
        with pytest.raises(error, match=message):
            lanes(series, lanes=1, steps=2, targets=targets)

    def test_too_short_for_a_next_step(self):
        series = {"a": np.ones(4), "b": np.ones(1), "c": np.ones(1)}
        with pytest.raises(ValueError, match=r"'b' has 1 time step \(and so have 1 more\)"):
            lanes(series, lanes=1, steps=2)
        assert lanes(series, lanes=1, steps=2, targets=None).num_chunks == 3


class TestErrors:
    @pytest.mark.parametrize(
        ("series", "error", "message"),
        [
            ([], ValueError, "series is empty: give at least one series"),
            ({}, ValueError, "series is empty: give at least one series"),
            (Asked([]), ValueError, "series is empty: give at least one series"),
            (Opened([]), ValueError, "series is empty: give at least one series"),
            ({"a": [1, 2], "b": []}, ValueError, "series 'b' is empty: it has no time steps"),
            (Asked([[1], []]), ValueError, "series 1 is empty: it has no time steps"),
            (np.ones((2, 3, 0)), ValueError, "series 0 has 0 features, but needs at least 1"),
            (
                {"a": np.ones((3, 2)), "b": np.ones((3, 4))},
                ValueError,
                "series 'b' has 4 features, but series 'a' has 2",
            ),
            ({"a": ["x", "y"]}, TypeError, "series 'a' must hold real numbers"),
            ([Sliced(np.array(["x"]))], TypeError, "series 0 must hold real numbers"),
            ([[[1, 2], [3]]], TypeError, "series 0 can't be read as one array of numbers"),
            (np.ones((2, 3, 4, 5)), ValueError, r"has the shape \(2, 3, 4, 5\)"),
            ([Sliced(np.ones((2, 3, 4)))], ValueError, r"has the shape \(2, 3, 4\)"),
            (5, TypeError, "series is of the type int, but must be a list or mapping"),
            (Asked([[1, 2]], [2.5]), TypeError, "the length of series 0 must be a whole number"),
            (Asked([[1, 2]], [-1]), ValueError, "the length of series 0 must be at least 0"),
        ],
    )
    def test_wrong_series(self, series, error, message):
        with pytest.raises(error, match=message):
            lanes(series, lanes=1, steps=2)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"lanes": 0}, ValueError, "lanes must be at least 1, but is 0"),
            ({"lanes": 1.5}, TypeError, "lanes must be a whole number, but is 1.5"),
            ({"lanes": 3}, ValueError, "lanes=3, but there are only 2 series.* at most 2 lanes"),
            ({"steps": 0}, ValueError, "steps must be at least 1, but is 0"),
            ({"seed": -1}, ValueError, "seed must be at least 0, but is -1"),
            (
                {"key": "a"},
                TypeError,
                "key= names a column of one table, but series is of the type list",
            ),
            ({"columns": ["a"]}, TypeError, "columns= chooses columns of tables, but series 0"),
        ],
    )
    def test_wrong_options(self, options, error, message):
        with pytest.raises(error, match=message):
            lanes([np.ones(4), np.ones(5)], **({"lanes": 1, "steps": 2} | options))

    def test_columns_of_a_source_on_demand(self):
        for source in (Asked([[1, 2]]), Opened([np.ones(3)]), np.ones((1, 2, 3))):
            with pytest.raises(TypeError, match="columns= chooses columns of tables, but series"):
                lanes(source, lanes=1, steps=2, columns=["a"])

    @pytest.mark.parametrize("call", ["epoch", "arrays"])
    def test_wrong_number_is_told_at_once(self, call):
        laid = lanes([np.ones(4)], lanes=1, steps=2, seed=0)
        with pytest.raises(ValueError, match="number must be at least 0, but is -1"):
            getattr(laid, call)(-1)
        with pytest.raises(TypeError, match=r"number must be a whole number, but is 0\.5"):
            getattr(laid, call)(0.5)

    def test_outputs_of_another_shape(self):
        laid = lanes([np.ones(4), np.ones(3)], lanes=2, steps=2)
        message = r"axes \(chunks, batch, time\) = \(2, 2, 2\), but have the shape \(2, 2, 3, 1\)"
        with pytest.raises(ValueError, match=message):
            laid.gather(np.ones((2, 2, 3, 1)))
