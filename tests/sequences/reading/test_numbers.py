"""Numbers as they are written in tables: a column of text, what it is read as, what is told."""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.reading.numbers import decide_decimal, holds_numbers, numbers_of

PAGE = Path(__file__).parents[3] / "docs" / "files.md"
NAN = float("nan")
NBSP, NARROW = "\u00a0", "\u202f"


def read(*cells, **options):
    return numbers_of(pd.Series(list(cells), dtype=object), **options)


def values(*cells, **options):
    return read(*cells, **options).values.tolist()


def rows_of_the_page():
    """Return the rows of the page's table: the cells, the numbers, and what is told."""
    section = PAGE.read_text("utf-8").split("\n## Numbers\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    return [tuple(part.strip() for part in row) for row in rows]


@pytest.mark.parametrize(("written", "meant", "told"), rows_of_the_page())
def test_each_row_of_the_page(written, meant, told):
    cells = re.findall("`([^`]*)`", written)
    found = read(*cells)
    words = {"missing": NAN, "refused": NAN}
    expected = [words.get(word) or float(word) for word in meant.split(", ")]
    np.testing.assert_array_equal(found.values, expected)
    assert found.missing.tolist() == [word == "missing" for word in meant.split(", ")]
    assert found.unreadable.tolist() == [word == "refused" for word in meant.split(", ")]
    assert ", ".join([*found.facts.values(), *["a note"] * len(found.notes)]) == told


@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
def test_every_kind_of_text(dtype):
    column = pd.Series(["1.234,5", None, "n/d", "x", "-3"], dtype=dtype)
    found = numbers_of(column)
    np.testing.assert_array_equal(found.values, [1234.5, NAN, NAN, NAN, -3])
    assert found.missing.tolist() == [False, True, True, False, False]
    assert found.unreadable.tolist() == [False, False, False, True, False]
    assert holds_numbers(column)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # One mark that can be either: alike is meant; else commas between thousands.
        (["1,234", "2,345"], [1234, 2345]),
        (["1,234", "987"], [1234, 987]),
        (["1,234", "2", "3"], [1.234, 2, 3]),
        (["1.234", "987", "1.102"], [1234, 987, 1102]),
        (["1.234", "2.345"], [1.234, 2.345]),
        # What decides.
        (["1,234", "0,123"], [1.234, 0.123]),
        (["1,234", "1,5"], [1.234, 1.5]),
        (["1,234", "1.5"], [1234, 1.5]),
        (["1.234", "1,5"], [1234, 1.5]),
        (["1.234", "1.234.567"], [1234, 1234567]),
        (["1,234,567", "12.5"], [1234567, 12.5]),
        (["243.150", "0.326"], [243.15, 0.326]),
        (["1,23,456", "12,34,567.5"], [123456, 1234567.5]),
        (["4,787,699", "6189026.0000"], [4787699, 6189026]),
        ([",5", "1,25"], [0.5, 1.25]),
        ([".5", "5."], [0.5, 5]),
        (["1'234.5", "1’234’567"], [1234.5, 1234567]),
        ([f"1{NBSP}234,5", f"1{NARROW}234", "1 234 567"], [1234.5, 1234, 1234567]),
        (["1 234", "12"], [1234, 12]),
    ],
)
def test_the_whole_column_decides_on_the_mark(cells, expected):
    assert values(*cells) == expected
    assert values(*(f"-{cell}" for cell in cells)) == [-value for value in expected]
    assert values(*(f" {cell}\t" for cell in cells)) == expected


@pytest.mark.parametrize("cells", [["1,234", "987"], ["1.234", "2.345"], ["1.234", "5.678"]])
def test_a_note_says_what_was_taken_where_nothing_decides(cells):
    (note,) = read(*cells).notes
    assert repr(cells[0]) in note
    other = re.search(r"--decimal ([.,])\)", note)[1]
    assert read(*cells, decimal=other).notes == []
    assert f"isn't {values(*cells, decimal=other)[0]:g}:" in note
    assert f"read as {values(*cells)[0]:g}," in note


@pytest.mark.parametrize("cells", [["1,234", "987"], ["1.234", "2.345"], ["1.234", "12"]])
@pytest.mark.parametrize("mark", [".", ","])
def test_what_the_user_or_the_rest_of_the_file_says(cells, mark):
    group = {".": ",", ",": "."}[mark]
    expected = [float(cell.replace(group, "").replace(mark, ".")) for cell in cells]
    assert values(*cells, decimal=mark) == expected
    assert values(*cells, likely=mark) == expected
    assert read(*cells, likely=mark).notes == []


def test_what_is_said_is_strict_and_what_is_likely_is_not():
    assert values("1,5", "2,25", likely=".") == [1.5, 2.25]
    assert values("1.5", "2.25", likely=",") == [1.5, 2.25]
    for cell, mark in (("1,5", "."), ("1.5", ",")):
        assert read(cell, decimal=mark).unreadable.all()
    assert read("1.5", "2,5", "3.5").unreadable.tolist() == [False, True, False]
    assert read("1,5", "2.5", "3,5").unreadable.tolist() == [False, True, False]


def test_a_file_has_one_decimal_mark():
    def mark(**columns):
        return decide_decimal(pd.DataFrame(columns))

    undecided = ["1,234", "2,345"]
    assert mark(a=undecided) is None
    assert mark(a=undecided, b=["0,5", "?"]) == ","
    assert mark(a=undecided, b=["0.5", "1.5"]) == "."
    assert mark(a=undecided, b=["0.5", "1.5"], c=["0,5", "1,5"]) is None
    assert mark(a=undecided, day=["10.03.2004", "11.03.2004"], time=["18.00.00"] * 2) is None
    assert mark(a=undecided, b=[0.5, 1.5], c=["x, y", "1,5 and more"]) is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["57.32K", "1.5M", "12"], [57320, 1.5e6, 12]),
        (["37,20M", "841,17K", "0"], [37200000, 841170, 0]),
        (["1.2bn", "3 bn"], [1.2e9, 3e9]),
        (["1,2 Mio. €", "850 Tsd. €"], [1.2e6, 850e3]),
        (["1.1B", "900M", "2T"], [1.1e9, 9e8, 2e12]),
        (["$1.2k", "$950"], [1200, 950]),
        (["900 mil", "1,2 mi"], [9e5, 1.2e6]),
        (["12 m", "13 m"], [12, 13]),  # metres, or millions, of which nobody asks
        (["273.1 K", "280 K"], [273.1, 280]),
        (["1.5 k", "2 m"], [1500, 2e6]),
        (["12 kWh", "13,5 kWh", ""], [12, 13.5, NAN]),
        (["12 kWh", "13 kWh", "1 MWh"], [12, 13, NAN]),
        (["12 kWh", "14 kWh", "13", "0"], [12, 14, NAN, 0]),
        (["12", "13", "14 kWh"], [12, 13, NAN]),
        (["12", "13", "5%"], [12, 13, NAN]),
        (["12,5 %", "-3%", "0"], [12.5, -3, 0]),
        (["%12", "%13"], [12, 13]),
        (["21 °C", "-3 °C"], [21, -3]),
        (["21°", "-3°"], [21, -3]),
        (["1,5 mia. kr.", "900 mio. kr."], [1.5e9, 9e8]),
        (["12 €/MWh", "3 €/MWh"], [12, 3]),
        (["4 m³/s", "5 m³/s"], [4, 5]),
        (["5 s", "3 d"], [NAN, NAN]),
        (["12", "13", "1.2b"], [12, 13, NAN]),  # a break, or billions
        (["10 am", "11 am"], [NAN, NAN]),
    ],
)
def test_words_behind_numbers(cells, expected):
    np.testing.assert_array_equal(values(*cells), expected)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["$1,234.5", "($2,000.0)", "$(3)", "-$4", "$-5", "$ 6"], [1234.5, -2000, -3, -4, -5, 6]),
        (["R$ 1.234,50", "-R$ 2,00"], [1234.5, -2]),
        (["1.234,50 €", "12,00 EUR"], [1234.5, 12]),
        (["1 234,50 kr", "12 kr."], [1234.5, 12]),
        (["12 zł", "3,50 zł"], [12, 3.5]),
        (["CHF 1'234.50", "CHF 12.--"], [1234.5, 12]),
        (["€ 12,-", "€ 1.300,-"], [12, 1300]),
        (["Rs.500", "Rs. 1,23,456"], [500, 123456]),
        (["$5", "€6", "$7"], [5, NAN, 7]),
        (["US$12", "US$ 13"], [12, 13]),
        (["$12 CAD", "$13 CAD"], [12, 13]),
        (["₹1,23,456", "₹2", "¥500"], [123456, 2, NAN]),
        (["£5", "6"], [5, 6]),
        (["$ 1,200", " $ -   ", "-"], [1200, NAN, NAN]),
        (["Rp1.234.567", "Rp 500"], [1234567, 500]),
        (["12億円", "3億円"], [12e8, 3e8]),
        (["'12", '="13"', "=14"], [12, 13, 14]),
        (["12-", "13"], [-12, 13]),
        (["−12", "–3", "＋4", "+5"], [-12, -3, 4, 5]),
        (["(12)", "(1,234.5)"], [-12, -1234.5]),
        (["1e5", "1.5E+03", "1,5e-3"], [1e5, 1500, NAN]),
        (["1,5E+03", "2,5"], [1500, 2.5]),
        (["1\u0662\u0663", "\u0661\u066b\u0665"], [123, 1.5]),
        (["１２．５", "－３"], [12.5, -3]),
        (["12*", "13 [1]", "14(p)", "15†"], [12, 13, 14, 15]),
        (["12.3 p", "5.1 b", "4", ":", ": c"], [12.3, 5.1, 4, NAN, NAN]),
    ],
)
def test_signs_around_numbers(cells, expected):
    np.testing.assert_array_equal(values(*cells), expected)


@pytest.mark.parametrize(
    "cell",
    [
        *"0x10 0b1 1d5 1_000 1__0 ½ 5² 1/2 1-2 1:30 <5 ~5 >0.5 --5 +-5 (-5) ((5)) 5) 1,2,3".split(),
        *"1,23,45 12,34 1.2.3 1..2 10.03.2004 2002-01-01 18.00.00 1,,2 Q1 A1 1A2 1998Q1".split(),
        *"e5 1e 1e+ True false yes $ ( kg 5€$ #5 x0 ١/٢ 12h30 1_0,5 infinite".split(),
        *["1 2", "12 3456", "1 Jan 2000", "5 of 7", "no 5", "5 5 5", "x" * 9999, "1," * 5000],
    ],
)
def test_what_is_no_number(cell):
    found = read("1", "2.5", cell, "4", "5")
    assert found.unreadable.tolist() == [False, False, True, False, False]
    np.testing.assert_array_equal(found.values, [1, 2.5, NAN, 4, 5])


@pytest.mark.parametrize("cell", ["9" * 400, "-" + "9" * 4000, "1e999", "inf", "-Infinity"])
def test_numbers_beyond_all_bounds_are_infinite(cell):
    for cells in ([cell], ["1", cell], ["1,5", cell]):
        found = read(*cells)
        assert np.isinf(found.values[-1])
        assert not found.unreadable.any()


def test_columns_with_types_of_their_own():
    def check(column, expected, wrong=()):
        found = numbers_of(column)
        np.testing.assert_array_equal(found.values, np.array(expected, float))
        assert np.flatnonzero(found.unreadable).tolist() == list(wrong)
        assert found.values.dtype == np.float64
        assert found.facts == {}

    check(pd.Series([1, 2]), [1, 2])
    check(pd.Series([1.5, None]), [1.5, NAN])
    check(pd.Series([1, None], dtype="Int64"), [1, NAN])
    check(pd.Series([1.5, None], dtype="Float32"), [1.5, NAN])
    check(pd.Series([1.5, None], dtype="double[pyarrow]"), [1.5, NAN])
    check(pd.Series([Decimal("1.5"), None, Fraction(1, 4)]), [1.5, NAN, 0.25])
    check(pd.Series([True, False]), [1, 0])  # an input that is told by its type
    check(pd.Series([1, True, 2.5, np.True_], dtype=object), [1, NAN, 2.5, NAN], [1, 3])
    check(pd.Series([1, "2", " 3 ", "x", None, [4], 1j], dtype=object),
          [1, 2, 3, NAN, NAN, NAN, NAN], [3, 5, 6])  # fmt: skip
    check(pd.Series([1, 10**400, -(10**400)], dtype=object), [1, np.inf, -np.inf])
    check(pd.Series([1, 2, 1], dtype="category"), [1, 2, 1])
    for column in (
        pd.Series(pd.date_range("2024", periods=2)),
        pd.Series(pd.period_range("2024", periods=2, freq="M")),
        pd.Series(pd.to_timedelta([1, 2], "D")),
        pd.Series([1 + 2j, 2]),
    ):
        check(column, [NAN, NAN], [0, 1])
        assert not holds_numbers(column)
    check(pd.Series([], dtype=object), [])
    check(pd.Series([None, None], dtype=object), [NAN, NAN])


def test_excel_s_mixture_of_numbers_and_text():
    found = numbers_of(pd.Series([1.5, "1.234,5", "n/d", 3, None, "R$ 4,00"], dtype=object))
    np.testing.assert_array_equal(found.values, [1.5, 1234.5, NAN, 3, NAN, 4])
    assert found.facts == {
        "decimal": "decimal comma",
        "thousands": "points between thousands",
        "units": "in R$",
        "missing": "n/d as missing",
    }


def test_the_user_s_own_markers():
    found = read("1", "-200", "-200.0", "x", "X ", missing=(-200, "x"))
    np.testing.assert_array_equal(found.values, [1, NAN, NAN, NAN, NAN])
    assert found.missing.tolist() == [False, True, True, True, True]
    assert not found.unreadable.any()
    assert found.facts["missing"] == "x, X and -200 as missing"
    typed = numbers_of(pd.Series([1.0, -200.0]), missing=["-200"])
    assert typed.missing.tolist() == [False, True]
    assert typed.facts == {"missing": "-200 as missing"}
    assert read("1", missing=(-200, "x")).facts == {}


@pytest.mark.parametrize(
    ("cells", "held"),
    [
        (["1", "2.5", "x"], True),
        (["x", "y", "1"], False),
        (["001", "002", "010"], False),
        (["0", "0.5", "00"], False),
        (["0", "10", "0,5"], True),
        (["", "?", "n/d"], False),
        (["2002-01-01", "2002-01-02"], False),
        (["10.03.2004", "11.03.2004"], False),
        (["18.00.00", "19.00.00"], False),
        (["1998 Q1", "1998 Q2"], False),
        (["True", "False"], False),
        (["$5", "€6"], False),
        (["5 %", "6 %"], True),
        (["", "", "", "3"], True),
        ([True, False], False),
        ([1, 2.5, "3"], True),
        ([1.0, NAN], True),
        ([NAN, NAN], False),
        ([], False),
        (["Aug 17, 2023", "Aug 16, 2023"], False),
        (["MSFT", "A1"], False),
        (["NW", "cv"], False),
    ],
)
def test_columns_that_hold_numbers(cells, held):
    assert holds_numbers(pd.Series(cells, dtype=object)) is held
    if len(cells) and not any(isinstance(cell, str) for cell in cells):
        assert holds_numbers(pd.Series(cells)) is held
