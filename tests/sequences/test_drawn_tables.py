"""A table written in a drawn way is read back the same: its stamps, its values, its series."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statewise.sequences.data_reading import read_data
from statewise.sequences.panel import Panel

FREQUENCIES = {
    "D": ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%b %d, %Y", "%d %B %Y", "%Y%m%d"),
    "MS": ("%Y-%m", "%b %Y", "%Y-%m-%d", "%d.%m.%Y", "%B %Y", "%Y/%m/%d"),
    "h": ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%SZ"),
    "W-SUN": ("%Y-%m-%d", "%d %b %Y"),
}
NAMES = ("Region", "shop", "Umsatz (€)", "Цена", "a b", "price")


@st.composite
def tables(draw):
    """Draw a table: its text, and what it says, as values by series and time."""
    frequency = draw(st.sampled_from(sorted(FREQUENCIES)))
    style = draw(st.sampled_from(FREQUENCIES[frequency]))
    steps = draw(st.integers(40, 70))
    first = draw(st.sampled_from(["1999-03-07", "2020-01-05", "2023-10-01"]))
    stamps = pd.date_range(first, periods=steps, freq=frequency)
    layout = draw(st.sampled_from(["one", "wide", "long"]))
    count = 1 if layout == "one" else draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    digits = draw(st.integers(0, 3))
    scale = 10.0 ** draw(st.integers(0, 5))
    values = np.round(scale * rng.normal(5, 1, (count, steps)), digits)
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    comma = draw(st.booleans())
    grouped = draw(st.booleans()) and scale >= 1e4

    def number(value):
        text = f"{value:,.{digits}f}" if grouped else f"{value:.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if comma else text

    names = draw(st.permutations(NAMES))
    written = [stamp.strftime(style) for stamp in stamps]
    if layout == "long":
        keys = draw(st.permutations(["001", "1", "NA", "Süd"]))[:count]
        rows = [
            [written[t], keys[k], number(values[k, t])] for k in range(count) for t in range(steps)
        ]
        header, keyed = ["date", "key", "y"], keys
    else:
        rows = [[written[t], *(number(row[t]) for row in values)] for t in range(steps)]
        header, keyed = ["date", *names[:count]], names[:count]
    if draw(st.booleans()):
        rows = rows[::-1]
    out = io.StringIO()
    if draw(st.booleans()):
        out.write("A title of the table\n\n")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quoting=quoting,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerows([header, *rows])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    stamps = stamps.tz_localize("UTC") if style.endswith("Z") else stamps
    return out.getvalue().encode(encoding), stamps, dict(zip(keyed, values, strict=True))


def check(table, tmp_path_factory):
    data, stamps, expected = table
    path = tmp_path_factory.mktemp("drawn") / "t.csv"
    path.write_bytes(data)
    read = read_data(path)
    if any("--decimal" in note or "--dayfirst" in note for note in read.understood.notes):
        return  # nothing in the table decides, and it says so
    found = read.data
    if isinstance(found, Panel):
        keys = found.keys.tolist()
        got = {
            key: (found.time[a:b], found.values[a:b, 0])
            for key, a, b in zip(keys, found.offsets[:-1], found.offsets[1:], strict=True)
        }
    else:
        got = {next(iter(expected)): (found.time, found.values[:, 0])}
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        time, numbers = got[key]
        np.testing.assert_array_equal(np.asarray(time, "datetime64[s]"),
                                      np.asarray(stamps, "datetime64[s]"))  # fmt: skip
        np.testing.assert_allclose(numbers, values, rtol=1e-12)


HOW = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}


@settings(max_examples=40, **HOW)
@given(table=tables())
def test_a_table_is_read_back(table, tmp_path_factory):
    check(table, tmp_path_factory)


@pytest.mark.slow
@settings(max_examples=600, **HOW)
@given(table=tables())
def test_many_tables_are_read_back(table, tmp_path_factory):
    check(table, tmp_path_factory)
