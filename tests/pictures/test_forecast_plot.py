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
