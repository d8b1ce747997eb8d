"""Loops over thousands of small arrays in C++: exact about what they take."""

import enum

import numpy as np
import pytest

from statewise.recurrence import native
from statewise.recurrence.native import keys_are, stack_rows

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, "uint8")
    view = raw[1:].view(array.dtype)
    view[:] = array
    return view


def test_rows_of_any_stride_are_stacked(rng):
    x = rng.normal(size=(6, 7))
    single = x.astype("float32")
    rows = [single[0], x[1], single[::-1, :][3], np.asfortranarray(x)[3], x[4, ::-1][::-1]]
    expected = single[[0, 1, 2, 3, 4]]
    stacked = stack_rows(rows, 7)
    assert stacked.dtype == np.float32
    np.testing.assert_array_equal(stacked, expected)
    columns = stack_rows([x[:3, 1], single[3:, 1]], 3)
    np.testing.assert_array_equal(columns, single[:, 1].reshape(2, 3))
    assert stack_rows([], 7).shape == (0, 7)
    stacked[:] = 0  # a copy
    assert single.all()


def test_what_is_too_large_for_float32_is_infinite():
    assert stack_rows([np.array([1e300, -1e300])], 2).tolist() == [[np.inf, -np.inf]]


@pytest.mark.parametrize(
    "other",
    [
        [1.0, 2.0],
        np.ones(3, "f4"),
        np.ones((1, 2), "f4"),
        np.float32(1),
        np.ones(2, "i4"),
        np.ones(2, "f2"),
        np.ones(2, "c8"),
        np.array([1, "a"], object),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.ones(2, ">f4"),
        misaligned(np.ones(2, "f4")),
        None,
    ],
    ids=repr,
)
def test_anything_else_is_left_to_numpy(other):
    assert stack_rows([np.ones(2, "f4"), other], 2) is None


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize("key", [True, 1.5, Number.ONE, np.str_("a"), np.int64(3), b"a", None])
def test_keys_are_told_by_their_types(key):
    assert keys_are({"a": 0, 7: 1}, (str, int))
    assert not keys_are({"x": 0, 7: 1, key: 2}, (str, int))
    assert not keys_are({key: 2, "b": 0}, (str, int))
    assert keys_are({}, (str,))
    assert not keys_are({"a": 0, 7: 1}, (str,))
