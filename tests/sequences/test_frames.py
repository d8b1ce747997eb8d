import numpy as np
import pandas as pd
import pytest

from statewise.datasets import airline, airline_path
from statewise.sequences import DataError, TimeSeries, read_series
from statewise.sequences.tables import HowToRead, load_table


def csv(folder, *rows, header="month,sales"):
    path = folder / "s.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


ZONED = ["2020-01-05T23:00+01:00", "2020-01-06T00:00+01:00", "2020-01-06T01:00+01:00"]
SUMMER_TIME = ["2020-03-29T01:00+01:00", "2020-03-29T03:00+02:00", "2020-03-29T04:00+02:00"]
MONTHS = ("2020-01,1", "2020-02,2", "2020-03,4")


class TestColumns:
    def test_airline(self):
        series = read_series(airline_path())
        assert isinstance(series, TimeSeries)
        assert len(series) == 144
        assert series.values.dtype == np.float64
        np.testing.assert_array_equal(series.values[:, 0], airline()["passengers"])
        assert (series.names, series.frequency, series.phrase) == (("passengers",), "MS", "monthly")
        assert series.note == ""
        assert series.future_stamps(3)[-1] == pd.Timestamp("1961-03-01")
        with pytest.raises(ValueError, match="count must be at least 1"):
            series.future_stamps(0)

    def test_frames_and_series(self):
        frame = airline()
        for source in (
            frame,
            frame.set_index("month"),
            frame.set_index("month")["passengers"],
            frame.assign(month=pd.PeriodIndex(frame["month"], freq="M")),
            frame.set_index(pd.DatetimeIndex(frame["month"], name=None))["passengers"],
        ):
            series = read_series(source)
            assert series.values.shape == (144, 1)
            assert series.phrase == "monthly"
            assert series.time[0] == pd.Timestamp("1949-01-01")

    def test_parquet(self, tmp_path):
        airline().to_parquet(tmp_path / "a.parquet")
        assert read_series(tmp_path / "a.parquet").phrase == "monthly"

    def test_no_time_numbers_the_rows(self, tmp_path):
        series = read_series(csv(tmp_path, "5", "7", "6", header="v"))
        assert list(series.time) == [0, 1, 2]
        assert list(series.future_stamps(2)) == [3, 4]
        assert series.phrase == "numbered"

    def test_features_follow_the_target(self, tmp_path):
        path = csv(tmp_path, "1,2,3", "4,5,6", "7,8,10", header="a,b,c")
        series = read_series(path, target="b", features=["c", "a"])
        assert series.names == ("b", "c", "a")
        np.testing.assert_array_equal(series.values, [[2, 3, 1], [5, 6, 4], [8, 10, 7]])

    def test_columns_without_a_name_are_not_guessed(self, tmp_path):
        path = csv(tmp_path, *(f"{i},{row}" for i, row in enumerate(MONTHS)), header=",month,sales")
        assert read_series(path).names == ("sales",)

    @pytest.mark.parametrize(
        ("column", "first", "phrase"),
        [
            (["2020-01-31", "2020-02-29", "2020-03-31"], "2020-01-31", "monthly"),
            (["13/01/2020", "14/01/2020", "15/01/2020"], "2020-01-13", "daily"),
            (["01/11/2020", "01/12/2020", "01/01/2021"], "2020-11-01", "monthly"),
            (["20200101", "20200108", "20200115"], "2020-01-01", "weekly"),
            (ZONED, "2020-01-05 22:00+00:00", "hourly"),
            (SUMMER_TIME, "2020-03-29 00:00+00:00", "hourly"),
        ],
    )
    def test_ways_to_write_time(self, tmp_path, column, first, phrase):
        path = csv(tmp_path, *(f"{stamp},{i}" for i, stamp in enumerate(column)), header="t,v")
        series = read_series(path, time="t", target="v")
        assert series.time[0] == pd.Timestamp(first)
        assert series.phrase == phrase

    def test_numbers_as_time(self, tmp_path):
        path = csv(tmp_path, "1700,5", "1701,11", "1702,16", header="year,spots")
        series = read_series(path, time="year", target="spots")
        assert list(series.time) == [1700, 1701, 1702]
        assert list(series.future_stamps(1)) == [1703]

    @pytest.mark.parametrize(
        ("header", "rows", "options", "message"),
        [
            ("month,sales", MONTHS, {"target": "x"}, "no column 'x'; its columns are: month, sal"),
            ("month,sales", MONTHS, {"time": "x"}, "no column 'x'"),
            ("month,sales", MONTHS, {"features": ["x"]}, "no column 'x'"),
            ("month,sales", MONTHS, {"features": ["sales"]}, "named only once"),
            ("month,sales", MONTHS, {"features": ["month"]}, "time and a feature at once"),
            ("month,sales", MONTHS[:2], {}, "has 2 rows, but a series needs at least 3"),
            ("month,sales", MONTHS[:1], {}, "has 1 row, but"),
            ("a,b", ["1,2"] * 3, {}, r"2 columns of numbers \(a, b\): .*target \(--target a\)"),
            ("a,b", ["x,y"] * 3, {}, "no column of numbers; its columns are: a, b"),
            (
                "a,b",
                ["2020-01,2020-02"] * 3,
                {},
                "'b' holds text in line 2: '2020-02' is no number",
            ),
            ("a", ["2020-01", "2020-02", "2020-03"], {}, "its columns are: none besides the time"),
            ("a", ["2020-01"] * 3, {"target": "a", "time": "a"}, "time and a feature at once"),
        ],
    )
    def test_wrong_columns(self, tmp_path, header, rows, options, message):
        with pytest.raises(DataError, match=message):
            read_series(csv(tmp_path, *rows, header=header), **options)

    def test_wide_tables_are_listed_in_part(self, tmp_path):
        path = csv(
            tmp_path, *[",".join("123" * 5)] * 3, header=",".join(f"c{i}" for i in range(15))
        )
        with pytest.raises(DataError, match=r"15 columns .*, c10, c11 and 3 more\): name"):
            read_series(path)

    def test_dates_are_no_numbers(self):
        frame = pd.DataFrame({"d": pd.date_range("2020-01-01", periods=3), "v": [1, 2, 3]})
        with pytest.raises(DataError, match="the column 'd' holds dates, but numbers"):
            read_series(frame, time="v", target="d")


class TestValues:
    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (
                ("2020-01,1", "2020-02,closed", "2020-03,3"),
                "'sales' holds text in line 3: 'closed' is .* say --missing-value closed",
            ),
            (("2020-01,1", "", "2020-02,2", "2020-03,x"), "holds text in line 5: 'x'"),
            (
                ("2020-01,1", "2020-02,12:34", "2020-03,x", "2020-04,1", "2020-05,1"),
                r"line 3: '12:34' is no number \(and so in 1 more row\)",
            ),
            (("2020-01,1", "2020-02,inf", "2020-03,3"), "1 infinite value, the first in line 3"),
            (
                ("2020-01,-inf", "2020-02,inf", "2020-03,3"),
                "2 infinite values, the first in line 2",
            ),
        ],
    )
    def test_text_and_infinities(self, tmp_path, rows, message):
        with pytest.raises(DataError, match=message):
            read_series(csv(tmp_path, *rows))

    def test_a_column_of_text_only(self, tmp_path):
        with pytest.raises(DataError, match="holds text in line 2: 'a' is no number"):
            read_series(csv(tmp_path, "2020-01,a", "2020-02,b", "2020-03,c"))

    def test_rows_of_a_frame_go_by_their_label(self):
        frame = pd.DataFrame({"v": [1, "x", 3]}, index=[10, 20, 30])
        with pytest.raises(DataError, match="holds text in row 20"):
            read_series(frame)

    def test_constant_series_works(self, tmp_path):
        series = read_series(csv(tmp_path, "2020-01,5", "2020-02,5", "2020-03,5"))
        np.testing.assert_array_equal(series.values, [[5], [5], [5]])


class TestTime:
    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (
                ("2020-01,1", "2020-02,2", "2020-02,3"),
                r"repeat: line 4 .* line 3 \(2020-02-01\); .*--aggregate mean",
            ),
            (("2020-01,1", "soon,2", "2020-03,3"), "can't be read in line 3: 'soon' is not a time"),
            (("2020-01,1", ",2", "2020-03,3"), "1 missing time stamp, the first in line 3"),
            (
                ("2020-01-01,1", "2020-01-02,1", "2020-01-03,1", "2020-02-20,1"),
                r"uneven: most steps are 1 day, but 48 days lie between line 4 \(2020-01-03\) and",
            ),
            (
                ("2020-01,1", "2020-02,2", "2020-03,2", "2020-05,3"),
                r"uneven: they are monthly, with 1 row absent, the first \(2020-04-01\) after "
                r"line 4 \(2020-03-01\); missing=\"fill\" \(--missing fill\) puts rows in, ",
            ),
        ],
    )
    def test_stamps(self, tmp_path, rows, message):
        with pytest.raises(DataError, match=message):
            read_series(csv(tmp_path, *rows))

    @pytest.mark.parametrize("numbers", ["1,2,1", "1,1,2", "1,inf,2", "1,10,11,50", "0.5,1,9"])
    def test_numbers(self, tmp_path, numbers):
        path = csv(tmp_path, *(f"{n},7" for n in numbers.split(",")), header="t,v")
        with pytest.raises(DataError, match="the time"):
            read_series(path, time="t", target="v")

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (("2020-01,1", "2020-03,3", "2020-02,2"), "rows sorted by time, monthly"),
            (("2020-03,3", "2020-02,2", "2020-01,1"), "newest first, sorted, monthly"),
        ],
    )
    def test_rows_are_sorted(self, tmp_path, rows, said):
        table = load_table(csv(tmp_path, *rows))
        np.testing.assert_array_equal(read_series(table).values[:, 0], [1, 2, 3])
        assert said in table.understood.line()

    def test_day_or_month_first_is_said(self, tmp_path):
        stamps = ["01/02/2021", "01/03/2021", "01/04/2021", "01/05/2021"]
        path = csv(tmp_path, *(f"{stamp},{i}" for i, stamp in enumerate(stamps)), header="t,v")
        with pytest.warns(UserWarning, match="'01/02/2021' is 2 January .* was taken; --dayfirst"):
            series = read_series(path, time="t", target="v")
        assert (series.time[0], series.phrase) == (pd.Timestamp("2021-01-02"), "daily")
        series = read_series(load_table(path, HowToRead(dayfirst=True)), time="t", target="v")
        assert (series.time[0], series.phrase) == (pd.Timestamp("2021-02-01"), "monthly")


class TestMissing:
    ROWS = ("2020-01,1", "2020-02,", "2020-03,4", "2020-04, ", "2020-05,NA", "2020-06,10")

    def test_says_how_many_and_where(self, tmp_path):
        message = (
            r"'sales' has 3 missing values, the first in line 3 \(2020-02-01\); "
            r"missing=\"fill\" \(--missing fill\) interpolates, "
            r"missing=\"drop\" \(--missing drop\) goes on without"
        )
        with pytest.raises(DataError, match=message):
            read_series(csv(tmp_path, *self.ROWS))

    def test_fill(self, tmp_path):
        series = read_series(csv(tmp_path, *self.ROWS), missing="fill")
        np.testing.assert_array_equal(series.values[:, 0], [1, 2.5, 4, 6, 8, 10])
        assert series.note == "3 of 6 rows filled by linear interpolation"

    def test_the_past_does_not_know_what_was_filled_in_later(self, tmp_path):
        series = read_series(csv(tmp_path, *self.ROWS), missing="fill")
        np.testing.assert_array_equal(series.known, [True, False, True, False, False, True])
        np.testing.assert_array_equal(series.until(5).values[:, 0], [1, 2.5, 4, 4, 4])
        np.testing.assert_array_equal(series.until(5).known, series.known[:5])
        np.testing.assert_array_equal(series.until(6).values, series.values)
        assert list(series.until(2).time.month) == [1, 2]
        for first in (3, 4, 5):
            late = series.without_hindsight(first)
            np.testing.assert_array_equal(late.values[:, 0], [1, 2.5, 4, 4, 4, 10])
        whole = read_series(csv(tmp_path, *MONTHS))
        assert whole.known is None
        assert whole.without_hindsight(1) is whole
        assert len(whole.until(1)) == 1
        with pytest.raises(ValueError, match="stop=4: it must be between 1 and 3"):
            whole.until(4)

    def test_drop(self, tmp_path):
        series = read_series(csv(tmp_path, *self.ROWS), missing="drop")
        np.testing.assert_array_equal(series.values[:, 0], [1, 4, 10])
        assert list(series.time.month) == [1, 3, 6]
        assert series.future_stamps(1)[0] == pd.Timestamp("2020-07-01")
        assert series.note == "3 of 6 rows left out or absent"

    def test_absent_rows(self, tmp_path):
        path = csv(tmp_path, "2020-01,1", "2020-02,2", "2020-03,3", "2020-06,12")
        filled = read_series(path, missing="fill")
        np.testing.assert_array_equal(filled.values[:, 0], [1, 2, 3, 6, 9, 12])
        assert len(filled.time) == 6
        dropped = read_series(path, missing="drop")
        np.testing.assert_array_equal(dropped.values[:, 0], [1, 2, 3, 12])
        assert dropped.phrase == "monthly"
        assert dropped.note == "2 of 6 rows left out or absent"

    def test_ends_repeat_the_nearest(self, tmp_path):
        rows = ("2020-01,", "2020-02,2", "2020-03,3", "2020-04,")
        series = read_series(csv(tmp_path, *rows), missing="fill")
        np.testing.assert_array_equal(series.values[:, 0], [2, 2, 3, 3])

    def test_any_feature_counts(self, tmp_path):
        path = csv(tmp_path, "1,", "2,5", "3,6", "4,8", header="a,b")
        series = read_series(path, target="a", features=["b"], missing="drop")
        assert series.values.tolist() == [[2, 5], [3, 6], [4, 8]]

    @pytest.mark.parametrize(
        ("rows", "missing", "message"),
        [
            (("2020-01,NA", "2020-02,NA", "2020-03,NA"), "fill", "'sales' holds no value at all"),
            (("2020-01,1", "2020-02,", "2020-03,2"), "drop", "2 rows without missing values"),
        ],
    )
    def test_nothing_left(self, tmp_path, rows, missing, message):
        with pytest.raises(DataError, match=message):
            read_series(csv(tmp_path, *rows), missing=missing)

    def test_wrong_word(self):
        words = 'missing must be "raise", "fill" or "drop", but is \'zero\''
        with pytest.raises(ValueError, match=words):
            read_series(airline_path(), missing="zero")
        with pytest.warns(FutureWarning, match='missing=None is now called missing="raise"'):
            assert len(read_series(airline_path(), missing=None)) == 144
