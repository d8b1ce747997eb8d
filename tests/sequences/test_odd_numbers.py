"""Numbers that are none, or not the ones that stand there: masked, complex, beyond all bounds."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import (
    DataError,
    Difference,
    Log,
    MinMaxScaler,
    Pipeline,
    StandardScaler,
    create_dataset,
    guess_season,
    lanes,
    next_token_windows,
    read_panel,
    read_series,
    split,
    windows,
)
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.adapters import take_in

MASKED = np.ma.masked_equal([1.0, 2.0, -999.0, 4.0, 5.0, 6.0], -999.0)
KNOWN = [1, 2, 4, 5, 6]
INTEGERS = np.ma.masked_equal([1, 2, -999, 4, 5, 6], -999)


class Variable:
    """What netCDF gives: sliced, it's a masked array."""

    def __init__(self, values):
        self.values, self.lengths = values, [len(values)]

    def read(self, key, start, stop):
        return self.values[start:stop]


def everything(values):
    """Return by name what each function makes of a series, flat."""
    return {
        "StandardScaler": lambda: StandardScaler().fit(values).transform(values),
        "MinMaxScaler": lambda: MinMaxScaler().fit(values).transform(values),
        "inverse": lambda: MinMaxScaler().fit([0.0, 1.0]).inverse_transform(values),
        "Log": lambda: Log().fit(values).transform(values),
        "Difference": lambda: Difference(1).fit(values).transform(values),
        "Pipeline": lambda: Pipeline([Log(), StandardScaler()]).fit(values).transform(values),
        "windows": lambda: windows(values, 2).x,
        "several": lambda: windows({"a": values, "b": values}, 2).x,
        "targets": lambda: windows(values, 2).y,
        "create_dataset": lambda: create_dataset(values, 2)[0],
        "lanes": lambda: lanes([values], lanes=1, steps=2).arrays().x,
        "lanes' targets": lambda: (
            lanes([np.ones(6)], lanes=1, steps=2, targets=[values]).arrays().y
        ),
        "read": lambda: lanes(Variable(values), lanes=1, steps=2).arrays().x,
        "browsed": lambda: lanes({"a": values}, lanes=1, steps=2).arrays().x,
        "series": lambda: take_in_known(values),
    }


def take_in_known(values):
    with pytest.raises(DataError, match="has 1 missing value, the first in row 2"):
        take_in(values)
    return [np.nan]


@pytest.mark.parametrize("name", everything(MASKED))
def test_a_masked_value_is_missing(name):
    found = np.asarray(everything(MASKED)[name]())
    assert not isinstance(found, np.ma.MaskedArray)
    assert np.isnan(found).any()
    known = everything(np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0]))[name]()
    np.testing.assert_array_equal(found, np.asarray(known))


@pytest.mark.parametrize("name", everything(INTEGERS))
def test_masked_integers_are_refused_for_nothing_stands_for_missing(name):
    with pytest.raises(TypeError, match=r"masked array of int64 with 1 masked.*astype\(float\)"):
        everything(INTEGERS)[name]()


@pytest.mark.parametrize("name", sorted({*everything(MASKED)} - {"series"}))
def test_complex_numbers_are_refused(name):
    with pytest.raises(TypeError, match=r"complex128; take \.real and \.imag"):
        everything(np.arange(1, 7) + 1j)[name]()


def test_lists_of_masked_values_and_masks_without_any():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = StandardScaler().fit([1.0, np.ma.masked, 3.0])
    assert found.shift == [2.0]
    rows = [np.ma.masked_equal([1.0, -999.0], -999.0), [2.0, 5.0], [3.0, 6.0]]
    np.testing.assert_array_equal(create_dataset(rows, 1)[0][0], [[1.0, np.nan]])
    whole = np.ma.masked_array([1, 2, 3], mask=[False] * 3)
    assert create_dataset(whole, 1)[0].tolist() == [[1], [2]]
    assert StandardScaler().fit(MASKED).shift == [np.mean(KNOWN)]
    with pytest.raises(ValueError, match="must be finite"):
        guess_season("D", MASKED)
    with pytest.raises(TypeError, match="masked"):
        next_token_windows(INTEGERS, 2)


def test_split_keeps_the_mask():
    train, test = split(MASKED, test_steps=2)
    assert np.ma.count_masked(train) == 1
    assert test.tolist() == [5.0, 6.0]
    parts = split([MASKED, MASKED], test_steps=2)
    assert np.ma.count_masked(parts.train[1]) == 1


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int64, np.uint64])
def test_whole_numbers_of_numpy_are_whole_numbers(kind):
    series = np.arange(300.0)
    assert windows(series, kind(120), horizon=kind(120), stride=kind(3)).x.shape == (21, 120, 1)
    assert create_dataset(series, kind(120))[0].shape == (180, 120)
    assert lanes([series], lanes=kind(1), steps=kind(100), seed=kind(3)).num_chunks == 3
    assert len(split(series, test_steps=kind(100)).test) == 100
    assert windows(np.ones((9, 3)), 2, targets=kind(2)).y.shape == (7, 1, 1)
    assert windows(np.ones((9, 3)), 2, targets=np.array([0, 2], kind)).y.shape == (7, 1, 2)


@pytest.mark.parametrize("wrong", [True, np.True_, 3.0, np.float64(3), "3", None, np.array([3])])
def test_what_is_no_whole_number_is_refused_in_words(wrong):
    for call in (
        lambda: windows(np.arange(9.0), wrong),
        lambda: create_dataset(np.arange(9.0), wrong),
        lambda: lanes([np.arange(9.0)], lanes=1, steps=wrong),
        lambda: split(np.arange(9.0), test_steps=wrong),
    ):
        with pytest.raises(TypeError, match=r"must be a whole number|takes exactly one"):
            call()
    if not isinstance(wrong, (str, type(None), np.ndarray)):
        with pytest.raises(TypeError, match="target must be a whole number"):
            windows(np.ones((9, 3)), 2, targets=wrong)


@pytest.mark.parametrize("wrong", [5, (0,), (0, 1, 2), "ab", None])
def test_a_range_is_two_numbers(wrong):
    with pytest.raises(ValueError, match="feature_range must be two numbers"):
        MinMaxScaler(feature_range=wrong)


def table(path, cells):
    rows = "\n".join(f"2024-01-{i + 1:02};{cell}" for i, cell in enumerate(cells))
    path.write_text(f"t;y\n{rows}\n")
    return path


@pytest.mark.parametrize("cell", ["9" * 400, "-" + "9" * 4000, "1e999", "inf", "-Infinity"])
@pytest.mark.parametrize("whole", [False, True])
def test_numbers_beyond_all_bounds(cell, whole, tmp_path):
    path = table(tmp_path / "a.csv", [cell] * 5 if whole else ["1", "2", cell, "4", "5"])
    with pytest.raises(DataError, match="infinite value") as caught:
        read_series(path)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("cell", ["0x10", "1_000", "0b1", "1d5", "½", "x" * 9999])
def test_what_is_no_number_in_a_table(cell, tmp_path):
    path = table(tmp_path / "a.csv", ["1", "2", cell, "4", "5"])
    with pytest.raises(DataError, match=r"holds text in line 4: .* is no number") as caught:
        read_series(path)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("read", [partial(read_series, time="ds", target="y"), read_panel])
def test_frames_with_numbers_of_python_s_own(read):
    def frame(values):
        return pd.DataFrame({"ds": range(4), "y": pd.Series(values, dtype=object)})

    assert read(frame([1, 2, 10**25, 4])).values[2, 0] == 1e25
    for values, words in (
        ([1, 2, 10**400, 4], "infinite value"),
        ([1, "1_0", -(10**400), 4], "holds text in row 1: '1_0'"),
    ):
        with pytest.raises(DataError, match=words):
            read(frame(values))
    with pytest.raises(DataError, match="complex numbers"):
        read_panel(pd.DataFrame({"ds": range(4), "y": [1 + 2j, 2, 3, 4]}))
    with pytest.raises(DataError, match="uneven"):
        read_panel(pd.DataFrame({"ds": [-(2**63), 0, 2**62, 2**63 - 1], "y": [1.0, 2, 3, 4]}))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.arange(9) + 1j, DataError, "complex"),
        (np.zeros((2, 3, 4)), DataError, "must have the shape"),
        (np.array(5.0), DataError, "must have the shape"),
        ([[1], [1, 2]], DataError, "can't be read as one array"),
        (INTEGERS, TypeError, "masked array of int64"),
        (None, DataError, "must have the shape"),
    ],
)
def test_what_a_forecaster_cannot_take(data, error, words):
    with pytest.raises(error, match=words):
        Forecaster(horizon=1).fit(data)
