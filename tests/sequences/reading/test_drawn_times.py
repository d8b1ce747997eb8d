"""Stamps written in a drawn way are read back the same; other text never is a time."""

import string

import numpy as np
import pandas as pd
import pytest
from babel.dates import format_date
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from statewise.sequences.reading.month_names import LANGUAGES
from statewise.sequences.reading.times import holds_times, times_of

OF_DAYS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y"),
    *("%d.%m.%y", "%m/%d/%y", "%y-%m-%d", "%d %b %Y", "%b %d, %Y", "%d-%b-%y", "%A, %d %B %Y"),
    *("%d%b%Y", "%Y %b %d", "%a %b %d %Y", "%Y-%j", "%G-W%V-%u", "%Y年%m月%d日", "%d. %m. %Y"),
]
OF_HOURS = [
    *(" %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S%p", " %H.%M.%S", " %Hh%M"),
    *("T%H:%M:%SZ", " %H:%M:%S+05:30", " %H:%M:%S -0300", " %H:%M UTC", ", %H:%M"),
]
ZONES = {"Z": "UTC", "UTC": "UTC", "+05:30": "UTC+05:30", "-0300": "UTC-03:00"}
OF_MONTHS = [
    *("%Y-%m", "%m/%Y", "%b %Y", "%Y %B", "%b-%y", "%Y-%b", "%YM%m", "%m-%Y", "%Y/%m", "%B, %Y"),
]
LOCAL_DAYS = ["d MMMM y", "d MMM y", "d. MMMM y", "y MMM d", "dd-MMM-y"]
LOCAL_MONTHS = ["LLLL y", "y LLL", "LLL y", "MMMM, y"]
QUARTERS = ["{y} Q{q}", "{y}Q{q}", "{y}-Q{q}", "Q{q} {y}", "{y}-T{q}", "Q{q}/{y}", "{q}T{y}"]
QUARTERS += ["{q}. Quartal {y}", "{y}:Q{q}", "{q}Q{s}", "Q{q}-{s}", "{y} trimestre {q}"]
WEEKS = ["%G-W%V", "%GW%V", "W%V %G", "%G KW%V", "%G week %V"]


def with_gaps(stamps, data):
    """Leave some out, turn them around, repeat some."""
    keep = np.array(
        data.draw(
            st.lists(
                st.sampled_from([True] * 9 + [False]), min_size=len(stamps), max_size=len(stamps)
            )
        )
    )
    keep[[0, -1]] = True
    stamps = stamps[keep]
    return stamps[::-1] if data.draw(st.booleans()) else stamps


def same(texts, stamps, data):
    """Read texts in a column with blanks and missing cells between, and compare."""
    column = pd.Series([*texts, "", None])
    times = times_of(column)
    assert times.stamps[-2:].isna().all()
    read = times.stamps[:-2]
    assert not times.ambiguous
    assert read.equals(stamps.as_unit(read.unit))
    assert holds_times(column)
    again = times_of(pd.concat([column, column.sample(frac=1, random_state=0)]))
    assert again.stamps[: len(read)].equals(read)


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_days_and_hours(data):
    first = data.draw(st.datetimes(pd.Timestamp("1975-01-01"), pd.Timestamp("2024-01-01")))
    pattern = data.draw(st.sampled_from(OF_DAYS))
    hours = data.draw(st.none() | st.sampled_from(OF_HOURS))
    freq = data.draw(st.sampled_from(["D", "B", "7D", "2D"] if hours is None else ["h", "30min"]))
    first = pd.Timestamp(first).floor("D" if hours is None else "h")
    stamps = with_gaps(pd.date_range(first, periods=60, freq=freq), data)
    texts = stamps.strftime(pattern + (hours or ""))
    for written, zone in ZONES.items():
        if hours is not None and hours.endswith(written):
            stamps = stamps.tz_localize(zone)
    same(texts, stamps, data)


@given(st.data())
@settings(max_examples=50, deadline=None, derandomize=True)
def test_months_quarters_and_weeks(data):
    first = pd.Timestamp(
        data.draw(st.datetimes(pd.Timestamp("1975-01-01"), pd.Timestamp("2015-01-01")))
    ).normalize()
    kind = data.draw(st.sampled_from(["month", "quarter", "week"]))
    if kind == "month":
        stamps = with_gaps(pd.date_range(first, periods=60, freq="MS"), data)
        texts = stamps.strftime(data.draw(st.sampled_from(OF_MONTHS)))
    elif kind == "quarter":
        stamps = with_gaps(pd.date_range(first, periods=30, freq="QS"), data)
        pattern = data.draw(st.sampled_from(QUARTERS))
        texts = [
            pattern.format(y=one.year, q=one.quarter, s=f"{one.year % 100:02}") for one in stamps
        ]
    else:
        stamps = with_gaps(pd.date_range(first, periods=60, freq="W-MON"), data)
        texts = stamps.strftime(data.draw(st.sampled_from(WEEKS)))
    same(texts, stamps, data)


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_languages(data):
    language = data.draw(st.sampled_from(LANGUAGES))
    months = data.draw(st.booleans())
    pattern = data.draw(st.sampled_from(LOCAL_MONTHS if months else LOCAL_DAYS))
    first = data.draw(st.datetimes(pd.Timestamp("1975-01-01"), pd.Timestamp("2015-01-01")))
    stamps = pd.date_range(first, periods=40, freq="MS" if months else "11D").normalize()
    stamps = with_gaps(stamps, data)
    change = data.draw(st.sampled_from([str, str.upper, lambda text: text.replace(".", "")]))
    texts = [change(format_date(stamp, pattern, locale=language)) for stamp in stamps]
    same(texts, stamps, data)


OTHER = {
    "codes": st.from_regex(r"[A-Z][0-9]{1,4}", fullmatch=True),
    "versions": st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}", fullmatch=True),
    "addresses": st.from_regex(r"([0-9]{1,3}\.){3}[0-9]{1,3}", fullmatch=True),
    "phones": st.from_regex(r"\+?[0-9]{2,5}[-/ ][0-9]{5,8}", fullmatch=True),
    "prices": st.from_regex(r"[0-9]{1,4},[0-9]{2}( €)?", fullmatch=True),
    "shares": st.from_regex(r"[0-9]{1,2}(\.[0-9])?%", fullmatch=True),
    "floats": st.floats(0, 3000).map(lambda number: f"{number:.2f}"),
    "counts": st.integers(0, 10**6).map(str),
    "keys": st.from_regex(r"00[0-9]{1,3}", fullmatch=True),
    "scores": st.from_regex(r"[0-9]-[0-9]", fullmatch=True),
    "names": st.text(string.ascii_letters + " ", min_size=1, max_size=12),
    "rooms": st.from_regex(r"(Room|Flat|Bus) [0-9]{1,3}", fullmatch=True),
    "sizes": st.from_regex(r"[0-9]{2}x[0-9]{2}", fullmatch=True),
    "anything": st.text(string.printable, min_size=1, max_size=10),
}


@pytest.mark.parametrize("kind", OTHER)
@given(st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_other_text(kind, data):
    cells = data.draw(st.lists(OTHER[kind], min_size=15, max_size=40, unique=True))
    assume(len(cells) > 2)
    assert not holds_times(pd.Series(cells, name="cell"))
