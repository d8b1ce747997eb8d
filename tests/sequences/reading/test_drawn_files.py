"""Tables written in a dialect drawn at random are read back as they were; noise is refused."""

import bz2
import contextlib
import csv
import gzip
import io
import lzma
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from statewise.sequences.reading.files import column_names, load_file
from statewise.sequences.tables import DataError

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# What a cell may hold that a dialect must not be confused by.
LETTERS = "abcXYZ äöéñ€, ;|'\"\n"
NAMES = st.lists(st.text("abcdefgäé_", min_size=3, max_size=8), min_size=1, max_size=4, unique=True)
KEYS = st.one_of(
    st.sampled_from(["001", "1", "NA", "null", "Nord", "New York", "a", ""]),
    st.text(LETTERS, max_size=8).map(str.strip),
)
NUMBERS = st.one_of(
    st.integers(-500, 99999).map(str),
    st.floats(-1e4, 1e4).map(lambda value: f"{value:.2f}"),
    st.sampled_from(["", "NA", "n/d", "1e5"]),
)


@st.composite
def tables(draw):
    """Draw a frame of text: days, numbers, and keys of any letters."""
    names = draw(NAMES)
    count = draw(st.integers(4, 30))
    first = draw(st.dates(pd.Timestamp(1990, 1, 1).date(), pd.Timestamp(2040, 1, 1).date()))
    style = draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d %H:%M"]))
    columns = {"day": list(pd.date_range(first, periods=count).strftime(style))}
    columns["value"] = [f"{number}.5" for number in range(count)]  # so that there are numbers
    for name in names:
        cells = draw(st.sampled_from([KEYS, NUMBERS]))
        columns[name] = draw(st.lists(cells, min_size=count, max_size=count))
    return pd.DataFrame(columns, dtype=object)


@st.composite
def dialects(draw):
    """Draw the way in which a table is written."""
    delimiter = draw(st.sampled_from(",;\t|"))
    return {
        "delimiter": delimiter,
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])),
        "comments": draw(st.integers(0, 3)),
        "preamble": draw(st.integers(0, 2)),
        "footer": draw(st.booleans()),
        "trailing": draw(st.booleans()),
        "blank": draw(st.booleans()),
        "again": draw(st.booleans()),
        "packed": draw(st.sampled_from([None, gzip.compress, lzma.compress, bz2.compress])),
    }


def written(frame, dialect):
    """Return a table's bytes, and the line of its first row where cells have no line breaks."""
    text = io.StringIO()
    for number in range(dialect["comments"]):
        text.write(f"# comment {number}, of the shop; really\n")
    for number in range(dialect["preamble"]):
        text.write(f"A title of the table {number}\n")
    if dialect["preamble"]:
        text.write("\n")
    trailing = [""] if dialect["trailing"] else []
    writer = csv.writer(
        text, delimiter=dialect["delimiter"], quoting=dialect["quoting"], lineterminator="\n"
    )
    writer.writerow([*frame.columns, *trailing])
    for number, row in enumerate(frame.itertuples(index=False)):
        writer.writerow([*row, *trailing])
        if dialect["blank"] and number == 1:
            text.write("\n")
        if dialect["again"] and number == 2:
            writer.writerow([*frame.columns, *trailing])
    if dialect["footer"]:
        text.write("\nSource: the shop\n")
    data = text.getvalue().replace("\n", dialect["end"]).encode(dialect["encoding"])
    return dialect["packed"](data) if dialect["packed"] else data


def check(frame, dialect):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "drawn")
        path.write_bytes(written(frame, dialect))
        table = load_file(path)
        assert column_names(path) == list(frame.columns)
    got = table.frame.astype(object)
    assert list(got.columns) == list(frame.columns)
    for name in frame.columns:
        assert got[name].tolist() == frame[name].tolist(), name
    assert len(table.places) == len(frame)


@given(tables(), dialects())
@settings(QUIET, max_examples=40)
def test_a_table_in_a_drawn_dialect_comes_back(frame, dialect):
    # Of a few rows, the header once more may as well be the first one, below a preamble.
    assume(not dialect["again"] or len(frame) >= 10)
    check(frame, dialect)


@pytest.mark.slow
@given(tables(), dialects())
@settings(QUIET, max_examples=1500)
def test_many_tables_in_drawn_dialects_come_back(frame, dialect):
    assume(not dialect["again"] or len(frame) >= 10)
    check(frame, dialect)


def test_a_header_that_comes_again_costs_no_rows():
    days = [f"2000-01-{day:02d}" for day in range(1, 13)]
    keys = ["Nord", ";", ";", *["001"] * 9]
    cells = {"___": ["001"] * 9 + ["Nord"] * 3, "__a": ["001"] * 7 + ["NA"] * 3 + ["Nord"] * 2}
    values = [f"{number}.5" for number in range(12)]
    frame = pd.DataFrame({"day": days, "value": values, **cells, "____": keys}, dtype=object)
    plain = {"delimiter": ",", "quoting": csv.QUOTE_MINIMAL, "end": "\n", "encoding": "utf-8"}
    plain |= {"comments": 0, "preamble": 0, "packed": None, "again": True}
    check(frame, plain | dict.fromkeys(("footer", "trailing", "blank"), False))


MAGIC = st.sampled_from(
    [
        *(b"", b"a,b\n1,2\n", b"PAR1", b"ARROW1\0\0", b"FEA1", b"PK\x03\x04", b"\x1f\x8b\x08\0"),
        *(b"\xfd7zXZ\0", b"BZh9", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"),
        *(b"\xff\xff\xff\xff", b"[{", b'{"a":', b"sep=", b"#", b"@relation x\n", b'"', b"\0"),
    ]
)
NOISE = st.one_of(
    st.binary(max_size=300),
    st.text("ab1 ,;|\t\n\r\"'#-.:\\{}[]é", max_size=200).map(str.encode),
    st.text('01,.\n;"', max_size=120).map(lambda text: text.encode("utf-16")),
)


def survives(begin, noise, name):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder, name)
        path.write_bytes(begin + noise)
        for read in (load_file, column_names):
            with contextlib.suppress(DataError):
                read(path)


NAMED = st.sampled_from(["t.csv", "t", "t.json", "t.xlsx", "t.parquet", "t.feather", "t.zip"])


@given(MAGIC, NOISE, NAMED)
@settings(QUIET, max_examples=150)
def test_noise_is_read_or_refused_in_words(begin, noise, name):
    survives(begin, noise, name)


@pytest.mark.slow
@given(MAGIC, NOISE, NAMED)
@settings(QUIET, max_examples=3000)
def test_much_noise_is_read_or_refused_in_words(begin, noise, name):
    survives(begin, noise, name)
