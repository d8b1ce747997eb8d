import numpy as np
import pandas as pd
import pytest

from statewise.sequences.reading.missing import is_marker, is_missing
from statewise.sequences.reading.numbers import numbers_of

MARKERS = [
    *"? n/d - -- NA N/A #N/A #N/D n.a. null NULL None nan NaN <NA> . .. ... : … – — −".split(),
    *["n.d.", "s/d", "k.A.", "#DIV/0!", "*", "", " ", "\u00a0", "\t", " n/a "],
    *[
        ": c",
        ":z",
        "\ufeff",
        "\\N",
        "(null)",
        "not available",
        "$ -",
        "-  €",
        "$ --",
        "N/E",
        "[x]",
        "[low]",
        "#N/A N/A",
    ],
]


@pytest.mark.parametrize("marker", MARKERS)
def test_markers(marker):
    assert is_marker(marker)
    column = pd.Series(["1,5", marker, "2,5"])
    assert is_missing(column).tolist() == [False, True, False]
    found = numbers_of(column)
    np.testing.assert_array_equal(found.values, [1.5, np.nan, 2.5])
    assert found.missing.tolist() == [False, True, False]
    assert not found.unreadable.any()
    told = marker.strip()
    assert found.facts.get("missing") == (f"{told} as missing" if told.strip("\ufeff") else None)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "x",
        "x -",
        "a-b",
        "- a",
        "$",
        "[1]",
        "#1a",
        ":x1",
        "a",
        "-a",
        "nano",
        "no",
        "1.",
        "inf",
        "#1",
        "+",
    ],
)
def test_what_is_none(text):
    assert not is_marker(text)
    assert not is_missing(pd.Series(["a", text])).any()


def test_columns_of_any_type():
    assert is_missing(pd.Series([1.0, np.nan])).tolist() == [False, True]
    assert is_missing(pd.Series([1, None], dtype="Int64")).tolist() == [False, True]
    assert is_missing(pd.Series([1, "?", None, pd.NaT, [1]], dtype=object)).tolist() == [
        *(False, True, True, True, False)
    ]
    for dtype in ("str", "string", "category", object):
        column = pd.Series(["?", "a", None, "-"], dtype=dtype)
        assert is_missing(column).tolist() == [True, False, True, True]
    assert is_missing(pd.Series([], dtype=object)).tolist() == []
    assert is_missing(pd.Series([None], dtype=object)).tolist() == [True]


def test_more_markers():
    assert is_missing(pd.Series(["1", "X", "-200"]), ["x", "-200"]).tolist() == [False, True, True]


def test_which_ones_occurred_is_told():
    found = numbers_of(pd.Series(["1", "?", "", "n/d", "?", "2"]))
    assert found.facts == {"missing": "? and n/d as missing"}
