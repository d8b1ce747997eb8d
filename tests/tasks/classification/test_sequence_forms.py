"""Sequences come in many forms; the same ones are the same in each of them, and never turned."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import DataError
from statewise.tasks.classification.forms import take_in
from statewise.tasks.classification.frames import Roles


def drawn(seed, lengths, features):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, features)) for n in lengths]


def same(sequences, arrays):
    assert sequences.lengths.tolist() == [len(one) for one in arrays]
    for i, one in enumerate(arrays):
        np.testing.assert_array_equal(sequences[i], one)


def long_frame(arrays, keys, times=None):
    parts = []
    for key, one in zip(keys, arrays, strict=True):
        part = pd.DataFrame(one, columns=[f"f{j}" for j in range(one.shape[1])])
        part.insert(0, "t", np.arange(len(one)) if times is None else times[: len(one)])
        part.insert(0, "id", key)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), lengths=sizes, features=st.integers(1, 4))
def test_every_form_holds_the_same_sequences(seed, lengths, features):
    arrays = drawn(seed, lengths, features)
    keys = [f"k{i}" for i in range(len(arrays))]
    said = {"axes": "time first"}
    same(take_in(arrays, **said), arrays)
    same(take_in(tuple(one.tolist() for one in arrays), **said), arrays)
    same(take_in(dict(zip(keys, arrays, strict=True)), **said), arrays)
    same(take_in([one.T for one in arrays], axes="time last"), arrays)
    frames = [pd.DataFrame(one, columns=[f"f{j}" for j in range(features)]) for one in arrays]
    same(take_in([frames[0], *[f[f.columns[::-1]] for f in frames[1:]]]), arrays)  # by name
    time = max(lengths) + 1
    block = np.full((len(arrays), time, features), np.nan)  # what lies behind is never read
    for row, one in zip(block, arrays, strict=True):
        row[: len(one)] = one
    same(take_in(block, lengths=lengths, **said), arrays)
    same(take_in(block.swapaxes(1, 2), axes="time last", lengths=lengths), arrays)
    as_objects = np.empty(len(arrays), object)
    as_objects[:] = arrays
    same(take_in(as_objects, **said), arrays)
    nested = pd.DataFrame(
        {f"c{j}": [pd.Series(one[:, j]) for one in arrays] for j in range(features)}
    )
    same(take_in(nested), arrays)
    frame = long_frame(arrays, keys)
    shuffled = frame.sample(frac=1, random_state=seed)
    roles = Roles(key="id", time="t")
    same(take_in(frame, roles=roles), arrays)
    found = take_in(shuffled, roles=roles)
    order = [keys.index(key) for key in found.keys]
    same(found, [arrays[i] for i in order])
    back = np.empty(len(frame), object)
    back[found.rows] = np.repeat(found.keys, found.lengths)
    assert back.tolist() == shuffled["id"].tolist()
    same(take_in(frame.set_index(["id", "t"])), arrays)  # sktime's


def test_frames_of_other_libraries():
    polars = pytest.importorskip("polars", reason="polars is one of the extra `test`")
    arrays = drawn(0, [3, 5], 2)
    frame = long_frame(arrays, ["a", "b"])
    roles = Roles(key="id", time="t")
    same(take_in(polars.from_pandas(frame), roles=roles), arrays)
    pyarrow = pytest.importorskip("pyarrow")
    same(take_in(pyarrow.Table.from_pandas(frame), roles=roles), arrays)


def test_arrays_of_one_feature():
    block = np.arange(12.0).reshape(3, 4)
    same(take_in(block), [row[:, None] for row in block])
    same(take_in(pd.Series([block[0], block[1, :2]])), [block[0][:, None], block[1, :2, None]])


@pytest.mark.parametrize("shape", [(5, 3, 20), (5, 1, 20)])
def test_which_axis_is_time_is_asked_and_never_guessed(shape):
    block = np.zeros(shape)
    with pytest.raises(DataError, match=r"nobody said which axis is time.*axes="):
        take_in(block)
    with pytest.raises(DataError, match="nobody said which axis is time"):
        take_in(list(block))
    assert take_in(block, "time last").lengths.tolist() == [20] * 5
    assert take_in(block, "time first").lengths.tolist() == [shape[1]] * 5


def test_ragged_channels_first_are_asked_about():
    arrays = [np.zeros((12, n)) for n in (7, 19, 29)]
    with pytest.raises(DataError, match=r"all sequences have 12 rows, but 7 to 29 columns.*axes="):
        take_in(arrays)
    assert take_in(arrays, "time last").lengths.tolist() == [7, 19, 29]
    # Ragged in the first axis alone there is one way to read them, few steps or not.
    assert take_in([one.T for one in arrays]).lengths.tolist() == [7, 19, 29]


LONG = pd.DataFrame({"id": list("aab"), "t": [0, 1, 0], "x": [1.0, 2, 3], "kind": list("uuv")})


@pytest.mark.parametrize(
    ("X", "more", "told"),
    [
        ([], {}, "no sequence"),
        (np.zeros((0, 5, 2)), {}, "no sequence"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], {}, "sequence 1 has no time step"),
        ([np.zeros((3, 2)), np.zeros((4, 3))], {}, "sequence 0 has 2 features and sequence 1 has"),
        ([np.zeros(3), np.zeros((3, 2))], {}, "of 1 and 2 axes"),
        ([1.0, 2.0], {}, "one sequence alone is given as"),
        (np.zeros(4), {}, r"the shape \(4,\)"),
        (np.zeros((2, 2, 2, 2)), {}, r"the shape \(2, 2, 2, 2\)"),
        ([[1.0, np.nan]], {}, "sequence 0 has NaN at step 1 of feature 0"),
        ({"k": [1.0, np.inf]}, {}, r"sequence 'k' has an infinity \(inf\) at step 1"),
        ([[1 + 2j, 3]], {}, "Complex data not supported"),
        ([["a", "b"]], {}, "sequence 0 must hold real numbers"),
        (np.zeros((3, 9, 2)), {"lengths": [1, 2]}, "one for each of the 3 sequences"),
        (np.zeros((3, 9, 2)), {"lengths": [1, 10, 2]}, r"lengths\[1\] is 10.*1 to 9"),
        (np.zeros((3, 9, 2)), {"lengths": [0, 1, 2]}, r"lengths\[0\] is 0"),
        ([[1.0, 2]], {"lengths": [1]}, "each sequence of a list has its own length"),
        (LONG, {}, "say which one tells sequences apart"),
        (LONG, {"lengths": [1]}, "X is a frame"),
        (LONG, {"roles": Roles(key="who")}, "no column 'who'; it has: id, t, x, kind"),
        (LONG, {"roles": Roles(key="id", time="t")}, "'kind' holds no numbers"),
        (LONG, {"roles": Roles(key="t", time="id", label="kind")}, "must be numbers or dates"),
        (
            LONG.assign(t=[0, 0, 0]),
            {"roles": Roles(key="id", time="t", label="kind")},
            "'a' has several rows at the time 0",
        ),
        (
            LONG.assign(id=["a", None, "b"]),
            {"roles": Roles(key="id", label="kind", time="t")},
            "1 rows of X have no key",
        ),
        ([[1.0]], {"roles": Roles(key="id")}, "X is no frame"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(X, more, told):
    with pytest.raises(DataError, match=told):
        take_in(X, **more)


def test_other_wrong_types():
    with pytest.raises(TypeError, match="sparse"):
        take_in(type("Sparse", (), {"tocsr": None})())
    with pytest.raises(ValueError, match="axes must be None or one of time first, time last"):
        take_in([[1.0]], "channels")


def test_times_out_of_order_are_put_in_order():
    times = pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-02"])
    frame = pd.DataFrame({"id": 0, "when": times, "x": [3.0, 1.0, 2.0]})
    assert take_in(frame, roles=Roles(key="id", time="when")).values[:, 0].tolist() == [1, 2, 3]
    assert take_in(frame[["id", "x"]], roles=Roles(key="id")).values[:, 0].tolist() == [3, 1, 2]
