"""The report as a person uses it: searched, turned, on a phone, in both colour schemes."""

import re
from pathlib import Path

import numpy as np
import pytest

from browser import DESKTOP, PHONE
from statewise.pictures.report import report_of_backtest, report_of_forecast
from statewise.tasks import Forecaster

CONTRAST = Path(__file__).parents[1] / "learn" / "contrast.js"


def rows(page):
    return [row.text.split("\n")[0] for row in page.all("#list button:not(.more)")]


def test_the_page_shows_the_backtest(page, result):
    assert page.js("return document.documentElement.dataset.ready") == "true"
    assert page.text("#title") == "Forecasts of 40 series, tested"
    said = [p.get_property("textContent") for p in page.all("#verdict p")]
    assert said == result.sentences()
    assert len(page.all("#table tbody tr")) == 3
    assert f"{result.table.loc['model', 'MAE']:.4f}"[:5] in page.text("#table tbody tr td")
    lines = [line.get_attribute("data-name") for line in page.all("#steps .path")]
    assert sorted(lines) == ["model", "naive", "seasonal naive"]
    assert len(page.all("#cut .part-window")) == 3
    assert "2 of 42 series have too few" in page.text("#notes")
    assert "statewise backtest shops.csv" in page.text("#codes")
    marks = page.texts("#steps text")
    assert {"0", "0.0"} & set(marks)
    assert not any(re.fullmatch(r"-0[.0]*", mark) for mark in marks)
    assert len(page.all("#losses .path")) == 1
    assert len(page.all("#tried .path")) == 2


def test_series_are_found_ordered_and_turned(page, result):
    assert len(rows(page)) == 40
    page.write("#search", "shop 3")
    assert rows(page) == ["shop 3", *[f"shop {i}" for i in range(30, 40)]]
    assert page.text("#key") == "shop 3"
    page.click("#next")
    assert page.text("#key") == "shop 30"
    assert page.one("#list [aria-current]").text.startswith("shop 30")
    page.write("#search", "no such shop")
    assert rows(page) == []
    assert page.text("#found") == "No series has this in its name."
    page.write("#search", "")
    page.js(
        "const order = document.getElementById('order'); order.selectedIndex = 1;"
        "order.dispatchEvent(new Event('change'))"
    )
    errors = result.by_series.loc["model", "MASE"]
    assert page.text("#key") == errors.idxmax()
    page.one("#list [aria-current]").send_keys("\ue015")  # arrow down
    assert page.text("#key") == errors.sort_values(ascending=False).index[1]


def test_pointing_reads_the_values_of_the_data(page, result):
    page.write("#search", "shop 7")
    chart = page.one("#chart svg")
    page.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", chart)
    box = page.js("const b = arguments[0].getBoundingClientRect(); return [b.right, b.top]", chart)
    page.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] - 19, y=box[1] + 60)
    said = page.text("#reading")
    told = result.forecasts.query("unique_id == 'shop 7'").iloc[-1]
    assert said.startswith("2024-06-30")
    for name, column in (("truth", "y"), ("model", "model"), ("naive", "naive")):
        value = re.search(rf"{name} ([\d.,]+)", said)[1].replace(",", "")
        assert float(value) == pytest.approx(told[column], rel=2e-3)


def test_lines_are_switched_off_and_on(page):
    drawn = "#chart [data-name='naive']"
    assert len(page.all(drawn)) == 3
    page.click("#names button:nth-of-type(2)")
    assert page.all(drawn) == []
    assert page.one("#names button:nth-of-type(2)").get_attribute("aria-pressed") == "false"
    page.click("#names button:nth-of-type(2)")
    assert len(page.all(drawn)) == 3


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_reaches_out_of_the_screen(page, size):
    page.open(size=size)
    assert page.js("return document.documentElement.scrollWidth") <= size[0]
    outside = page.js(
        "return [...document.querySelectorAll('svg')].filter(svg => svg.checkVisibility())"
        ".flatMap(svg => { const box = svg.getBoundingClientRect();"
        "return [...svg.querySelectorAll('text')].filter(text => {"
        "const b = text.getBoundingClientRect();"
        "return b.left < box.left - 1 || b.right > box.right + 1; }) })"
        ".map(text => text.textContent)"
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(page, scheme):
    page.prefer(color_scheme=scheme)
    page.open()
    looked, found = page.js(CONTRAST.read_text("utf-8"))
    assert looked > 100
    assert [each for each in found if each[0] not in page.text("#cut")] == []


def test_controls_are_large_enough_and_named(page):
    page.open(size=PHONE)
    low, nameless = page.js(
        "const all = [...document.querySelectorAll('button, select, input')]"
        ".filter(c => c.checkVisibility());"
        "return [all.filter(c => c.getBoundingClientRect().height < 24).length,"
        "all.filter(c => !(c.textContent.trim() || c.ariaLabel || c.labels?.length)).length]"
    )
    assert (low, nameless) == (0, 0)


def test_many_series_are_drawn_a_hundred_at_a_time(opened, make):
    page = opened(report_of_backtest(make(series=1200, steps=60, windows=1)))
    assert len(rows(page)) == 100
    page.click("#list .more")
    assert len(rows(page)) == 200
    page.write("#search", "shop 1199")
    assert rows(page) == ["shop 1199"]
    assert page.text("#key") == "shop 1199"


def test_one_series_has_no_list(opened, make):
    page = opened(report_of_backtest(make(series=1, horizon=1)))
    assert page.one("#finder").get_property("hidden")
    assert len(page.all("#chart circle")) >= 3  # forecasts of one step are dots


def test_beyond_the_end(opened):
    wave = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 12)
    forecaster = Forecaster(horizon=4, season=4, epochs=1).fit(wave)
    told = forecaster.predict(level=[80])
    page = opened(report_of_forecast(forecaster, forecaster._engine.data.panel, told))
    assert page.one("#measured").get_property("hidden")
    assert len(page.all("#cut .part-ahead")) == 1
    assert len(page.all("#chart [data-level='80']")) == 1
    assert "Nothing was held out here" in page.text("#verdict")
