import re

import numpy as np
import pandas as pd
import pytest

from statewise.pictures import plot_forecast

MONTHS = pd.date_range("1950-01-01", periods=124, freq="MS", name="month")


def parts(rng, known=100, time=MONTHS):
    values = rng.normal(size=len(time)).cumsum()
    history = pd.Series(values[:known], time[:known], name="sales")
    truth = pd.Series(values[known:], time[known:])
    names = ["model", "naive", "seasonal naive"]
    return history, pd.DataFrame({name: truth + rng.normal() for name in names}), truth


def texts(figure):
    return [text.get_text().strip() for text in figure.axes[0].texts]


def test_lines_and_labels(rng):
    history, forecasts, truth = parts(rng)
    figure = plot_forecast(history, forecasts, truth=truth, title="It rises")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("month", "sales")
    assert axes.get_title(loc="left") == "It rises"
    assert texts(figure) == ["known", "held out", "truth", "model", "naive", "seasonal naive"]
    drawn = {len(line.get_xdata()): line for line in axes.lines}
    np.testing.assert_array_equal(drawn[96].get_ydata(), history[-96:])
    np.testing.assert_array_equal(drawn[25].get_ydata(), [history.iloc[-1], *truth])
    # Told apart without colours: widths and dashes differ.
    looks = {(line.get_linewidth(), str(line._unscaled_dash_pattern)) for line in axes.lines}
    assert len(looks) == len(axes.lines) == 5


def test_nothing_held_out(rng):
    history, forecasts, _ = parts(rng)
    figure = plot_forecast(history, forecasts[["model"]])
    assert texts(figure) == ["known", "beyond the end", "model"]


def test_labels_do_not_overlap(rng):
    history, forecasts, truth = parts(rng)
    forecasts[:] = truth.iloc[-1]
    figure = plot_forecast(history, forecasts, truth=truth)
    heights = sorted(text.xy[1] for text in figure.axes[0].texts[2:])
    assert (np.diff(heights) > 0.05).all()


@pytest.mark.parametrize("known", [1, 123])
@pytest.mark.parametrize(
    "time",
    [MONTHS, pd.RangeIndex(124), MONTHS.tz_localize("UTC"), pd.Index(np.arange(124) / 4)],
    ids=["months", "numbers", "zoned", "fractions"],
)
def test_any_time_and_length(rng, tmp_path, known, time):
    history, forecasts, truth = parts(rng, known, time)
    history.name = r"$\cost$"
    truth.iloc[-1] = np.nan
    path = tmp_path / "forecast.png"
    plot_forecast(history, forecasts, truth=truth, title=r"$\x$ 5 $").savefig(path, dpi=100)
    header = path.read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (1200, 600)


def test_a_constant(rng, tmp_path):
    history, forecasts, truth = parts(rng)
    flat = (history * 0 + 7, forecasts * 0 + 7)
    plot_forecast(*flat, truth=truth * 0 + 7).savefig(tmp_path / "flat.png")


def test_refuses_nothing(rng):
    history, forecasts, _ = parts(rng)
    with pytest.raises(ValueError, match="history has 100 values and forecasts 0 rows"):
        plot_forecast(history, forecasts[:0])


def ends(forecasts, by=1.0):
    return forecasts["model"] - by, forecasts["model"] + by


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


def test_intervals_are_named_and_never_cut_off(rng):
    history, forecasts, truth = parts(rng)
    bands = {80: ends(forecasts, 100), 95: ends(forecasts, 200)}
    figure = plot_forecast(history, forecasts, truth=truth, bands=bands)
    assert legend(figure) == ["95 % interval", "80 % interval"]
    low, high = figure.axes[0].get_ylim()
    assert low < bands[95][0].min()
    assert high > bands[95][1].max()
    # The lines' names stand where the lines end, also when intervals move the limits.
    label = next(text for text in figure.axes[0].texts if text.get_text() == "model")
    assert label.xy[1] == pytest.approx((forecasts["model"].iloc[-1] - low) / (high - low), abs=0.1)


def test_an_interval_of_one_step_is_seen(rng):
    history, forecasts, truth = parts(rng, 123)
    figure = plot_forecast(history, forecasts, truth=truth, bands={80: ends(forecasts, 9)})
    (bar,) = figure.axes[0].collections
    assert np.ptp(bar.get_segments()[0][:, 1]) == pytest.approx(18)


def test_a_band_of_another_length(rng):
    history, forecasts, _ = parts(rng)
    low, high = ends(forecasts)
    with pytest.raises(ValueError, match=r"bands\[80\] has the shapes \(24,\) and \(23,\)"):
        plot_forecast(history, forecasts, bands={80: (low, high[1:])})


def test_held_out_and_beyond_the_end(rng):
    history, forecasts, truth = parts(rng)
    forecasts.loc[truth.index[12:], "naive"] = np.nan
    figure = plot_forecast(history, forecasts, truth=truth.iloc[:12], bands={80: ends(forecasts)})
    assert texts(figure) == ["known", "held out", "beyond the end"]
    assert legend(figure) == [
        "known",
        "truth",
        "model",
        "naive",
        "seasonal naive",
        "80 % interval",
    ]
    # The model's line is broken where it learned anew.
    assert [len(line.get_xdata()) for line in figure.axes[0].lines].count(12) == 5


def title_of(figure):
    return figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    "title",
    [
        "Forecast of " + "passengers and more passengers, " * 4,
        "W" * 200,
        "Forecast of " + "Ж" * 150 + ": mean error 3",
        "Прогноз продаж магазина " * 6,
    ],
)
def test_a_title_fits(rng, title):
    history, forecasts, _ = parts(rng)
    history.name = "W" * 150
    figure = plot_forecast(history, forecasts, title=title)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for text in (axes._left_title, axes.yaxis.label):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    assert title_of(figure).count("\n") <= 1
    assert len(title_of(figure)) > 50


def test_a_title_is_broken_between_its_halves(rng):
    history, forecasts, _ = parts(rng)
    title = "Forecast of " + "passengers " * 6 + "over 24 steps; then 24 steps beyond the end"
    figure = plot_forecast(history, forecasts, title=title)
    assert title_of(figure).split("\n")[1] == "then 24 steps beyond the end"


@pytest.mark.parametrize(
    ("base", "scale", "label", "ticks"),
    [
        (3e6, 1e6, "sales (millions)", r"-?\d+(\.\d)?"),
        (2e9, 1e8, "sales (billions)", r"\d\.\d+"),
        (1_000_000, 1, "sales", r"(1,000|999),\d{3}(\.\d)?"),
        (40_000, 1000, "sales", r"\d\d,\d{3}"),
        (0, 1e-3, "sales", r"[-−]?0\.\d+"),
        (0, 1e-9, "sales", r"[-−]?\d(\.\d+)?(e-\d+)?"),
    ],
)
def test_values_are_plain_numbers(rng, base, scale, label, ticks):
    history, forecasts, truth = (base + scale * part for part in parts(rng))
    history.name = "sales"
    figure = plot_forecast(history, forecasts, truth=truth)
    figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    assert axis.get_offset_text().get_text() == ""
    assert axis.label.get_text() == label
    written = [tick.get_text() for tick in axis.get_ticklabels()]
    assert len(set(written)) == len(written)
    for text in written:
        assert re.fullmatch(ticks, text), written


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (pd.date_range("2024-01-01", periods=124, freq="h"), "2 Jan\n2024|3 Jan|"),
        (pd.date_range("2024-01-01", periods=124, freq="15min"), "09:00|12:00|"),
        (pd.date_range("2024-03-20", periods=124), "2024"),
        (pd.date_range("1901-01-01", periods=124, freq="MS"), "1910"),
        (pd.date_range("2024-01-01 08:00", periods=124, freq="s"), "08:00:15\n1 Jan 2024|08:00:30"),
        (pd.RangeIndex(50_000, 50_124), "50,1"),
        (pd.RangeIndex(1900, 2024), "1980"),
    ],
    ids=["hours", "quarters of an hour", "days", "months", "seconds", "steps", "years"],
)
def test_the_time_axis_says_when(rng, time, words):
    history, forecasts, truth = parts(rng, time=time)
    figure = plot_forecast(history, forecasts, truth=truth)
    figure.draw_without_rendering()
    axis = figure.axes[0].xaxis
    assert axis.get_offset_text().get_text() == ""
    written = "|".join(tick.get_text() for tick in axis.get_ticklabels())
    assert words in written


def test_hours_are_those_of_the_zone(rng):
    time = pd.date_range("2024-01-01", periods=124, freq="15min", tz="Asia/Tokyo")
    history, forecasts, truth = parts(rng, time=time)
    figure = plot_forecast(history, forecasts, truth=truth)
    figure.draw_without_rendering()
    written = [tick.get_text() for tick in figure.axes[0].xaxis.get_ticklabels()]
    midnight = [text.split("\n")[1] for text in written if text.startswith("00:00\n")]
    assert "2 Jan 2024" in midnight


def test_names_of_regions_do_not_overlap(rng):
    history, forecasts, truth = parts(rng, 122)
    figure = plot_forecast(history, forecasts, truth=truth.iloc[:1])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts[1:]]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


@pytest.mark.parametrize(
    "time",
    [
        pd.period_range("2020-01", periods=40, freq="M"),
        pd.timedelta_range("1h", periods=40, freq="h"),
        pd.RangeIndex(20, 60),
    ],
    ids=["periods", "spans", "numbers"],
)
def test_the_index_that_came_is_drawn(rng, time):
    history = pd.Series(rng.normal(size=36), time[:36], name="sold")
    forecast = pd.DataFrame({"model": rng.normal(size=4)}, time[36:])
    axes = plot_forecast(history, forecast).axes[0]
    last = max(line.get_xdata()[-1] for line in axes.lines if len(line.get_xdata()))
    expected = {"periods": pd.Timestamp("2023-04-01"), "spans": 40 * 3600.0, "numbers": 59}
    kind = {pd.PeriodIndex: "periods", pd.TimedeltaIndex: "spans"}.get(type(time), "numbers")
    assert last == expected[kind]
