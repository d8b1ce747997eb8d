"""Random numbers in a random style of writing come back; ordinary text doesn't become numbers."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statewise.sequences.reading import number_text
from statewise.sequences.reading.numbers import holds_numbers, numbers_of

POINTS = [(".", ""), (".", ","), (".", " "), (".", "'"), (".", "’"), (".", "\u202f")]
COMMAS = [(",", ""), (",", "."), (",", " "), (",", "\u00a0")]
FORMS = ["{}", "$ {}", "{} €", "R${}", "{} kr", "CHF {}", "{} %", "{}%", "{} kWh", "{} °C"]


def grouped(digits: str, by: str, indian: bool = False) -> str:
    head, tail = digits[:-3], digits[-3:]
    step = 2 if indian else 3
    while head:
        head, tail = head[:-step], f"{head[-step:]}{by}{tail}"
    return tail


def written(value: Decimal, style: dict, at: int) -> str:
    """Write a number; `at` chooses among what may change from cell to cell."""
    whole, _, part = f"{abs(value):f}".partition(".")
    by = style["by"]
    text = grouped(whole, by, style["indian"]) if by else whole
    if part:
        text += style["decimal"] + part
    text = style["form"].format(text)
    if value < 0:
        minus = ["-", "−", "()", "behind"][(at + style["minus"]) % style["minuses"]]
        if minus == "()":
            text = f"({text})"
        elif minus == "behind" and style["form"] == "{}":
            text = f"{text}-"
        else:
            text = f"{'-' if minus == 'behind' else minus}{text}"
    return " " * (at % 3) + text + " " * (at % 2)


@st.composite
def styles(draw):
    decimal, by = draw(st.sampled_from(POINTS + COMMAS))
    return {
        "decimal": decimal,
        "by": by,
        "indian": by == "," and draw(st.booleans()),
        "form": draw(st.sampled_from(FORMS)),
        "minus": draw(st.integers(0, 3)),
        "minuses": draw(st.integers(1, 4)),
    }


amounts = st.decimals(-(10**12), 10**12, places=2) | st.decimals(-1000, 1000, places=2)


@settings(deadline=None)
@given(st.lists(amounts, min_size=1, max_size=20), styles(), st.lists(st.integers(0, 9)))
@example([Decimal("-1.00")], {**dict(decimal=".", by="", indian=False, form="{}"),
                              **dict(minus=3, minuses=4)}, [])  # fmt: skip
def test_numbers_come_back(numbers, style, gaps):
    cells = [written(value, style, at) for at, value in enumerate(numbers)]
    expected = [float(value) for value in numbers]
    for at in gaps:
        place = at % (len(cells) + 1)
        cells.insert(place, ["", "n/d", "-", None, "?"][at % 5])
        expected.insert(place, math.nan)
    found = numbers_of(pd.Series(cells, dtype=object))
    assert not found.unreadable.any()
    np.testing.assert_array_equal(found.values, expected)
    assert found.missing.tolist() == [math.isnan(value) for value in expected]
    assert found.notes == []
    assert holds_numbers(pd.Series(cells, dtype=object))


hundredths = st.decimals(-1000, 1000, places=2)


@settings(deadline=None)
@given(
    st.lists(st.tuples(hundredths, st.sampled_from(["", "K", "M", "bn"])), min_size=1),
    st.sampled_from(".,"),
)
def test_thousands_and_millions_come_back(numbers, mark):
    powers = {"": 0, "K": 3, "M": 6, "bn": 9}
    cells = [f"{value:f}".replace(".", mark) + suffix for value, suffix in numbers]
    expected = [float(value.scaleb(powers[suffix])) for value, suffix in numbers]
    np.testing.assert_array_equal(numbers_of(pd.Series(cells)).values, expected)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_what_python_writes_comes_back(numbers):
    for write in (repr, "{:.17e}".format, "{:.17E}".format):
        cells = list(map(write, numbers))
        # A float that reads as 1.234 may be 1234: then it's said.
        found = numbers_of(pd.Series(cells), likely=".")
        np.testing.assert_array_equal(found.values, numbers)


words = st.text(st.characters(categories=["L", "P", "Zs", "S"]), min_size=1, max_size=12)


@settings(deadline=None)
@given(st.lists(words, min_size=1, max_size=9))
def test_words_are_no_numbers(cells):
    found = numbers_of(pd.Series(cells, dtype=object))
    special = {"inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"}
    infinite = [cell.strip().casefold() in special for cell in cells]
    assert np.isfinite(found.values).sum() == 0
    assert found.unreadable.tolist() == [
        not (gone or endless) for gone, endless in zip(found.missing, infinite, strict=True)
    ]


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=9), st.sampled_from([None, ".", ","]))
def test_no_text_is_too_strange(cells, mark):
    found = numbers_of(pd.Series(cells, dtype=object), decimal=mark)
    assert len(found.values) == len(found.missing) == len(found.unreadable) == len(cells)
    np.testing.assert_array_equal(np.isnan(found.values), found.missing | found.unreadable)
    assert not (found.missing & found.unreadable).any()


@pytest.mark.parametrize(
    "pattern", ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%y", "%b %d, %Y", "%H:%M", "%Y Q1", "%Y Q2", "%d %b"]
)
def test_dates_are_no_numbers(pattern):
    days = pd.date_range("2019-01-01", periods=800, freq="31h").strftime(pattern)
    assert not holds_numbers(pd.Series(days))
    assert numbers_of(pd.Series(days)).unreadable.all()


@pytest.mark.slow
def test_a_million_plain_cells_cost_little():
    import time

    cells = pd.Series((np.random.default_rng(0).standard_normal(10**6) * 100).round(4).astype(str))
    times = {}
    for name, read in (("ours", numbers_of), ("pandas", pd.to_numeric)):
        begin = time.perf_counter()
        read(cells)
        times[name] = time.perf_counter() - begin
    assert times["ours"] < 4 * times["pandas"] + 0.2


odd = st.sampled_from(
    [
        *["12,34,567", "12,34", "1,2345", "0,123,456", "1.5,000", "1234,567", ",123", "x", "1_0"],
        *[
            "1.234.567",
            "12.34",
            "1 234",
            "$5",
            "7 %",
            "(5)",
            "−5",
            " 5 ",
            "",
            "?",
            "inf",
            "1,234\n",
        ],
    ]
)


@settings(deadline=None)
@given(
    st.lists(amounts, min_size=5, max_size=20),
    st.sampled_from(POINTS[:2] + COMMAS[:2]),
    st.lists(odd, max_size=2),
    st.sampled_from([None, ".", ","]),
)
def test_many_cells_at_once_are_read_as_each_by_itself(numbers, marks, others, likely):
    style = {"decimal": marks[0], "by": marks[1], "indian": False, "form": "{}", "minuses": 1}
    cells = [written(value, {**style, "minus": 0}, at) for at, value in enumerate(numbers)]
    column = pd.Series([*cells, *others], dtype=object)
    one_by_one = numbers_of(column, likely=likely)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_text, "_MANY", -1)
        at_once = numbers_of(column, likely=likely)
    np.testing.assert_array_equal(at_once.values, one_by_one.values)
    np.testing.assert_array_equal(at_once.unreadable, one_by_one.unreadable)
    assert at_once.facts == one_by_one.facts
    assert at_once.notes == one_by_one.notes
