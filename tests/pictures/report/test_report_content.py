import base64
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from statewise.pictures.report import (
    Report,
    report_of_backtest,
    report_of_forecast,
    report_page,
    write_report,
)
from statewise.pictures.report.packing import pack, stamps_of
from statewise.sequences import read_panel
from statewise.tasks import Forecaster


def test_the_page_is_one_file_that_names_no_other(page_file):
    text = page_file.read_text("utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text)
    assert "@import" not in text
    assert "url(" not in text
    outside = set(re.findall(r"https?://[^\s\"'<]+", text)) - {"http://www.w3.org/2000/svg"}
    assert outside == set()


def test_the_content_is_that_of_the_backtest(result):
    content = report_of_backtest(result).content
    assert content["title"] == "Forecasts of 40 series, tested"
    assert content["verdict"] == result.sentences()
    row = dict(zip(content["table"]["columns"], content["table"]["rows"][0][1:], strict=True))
    assert row["MASE"] == pytest.approx(result.table.loc["model", "MASE"], rel=1e-5)
    assert content["steps"]["lines"]["naive"] == pytest.approx(
        result.by_step.loc["naive"]["MASE"].tolist(), rel=1e-5
    )
    assert content["series"]["errors"]["model"] == pytest.approx(
        result.by_series.loc["model"]["MASE"].tolist(), rel=1e-5
    )
    settings = dict(content["settings"])
    assert settings["lookback"] == "28 (found)"
    assert settings["season"] == "7"
    assert "jax " in settings["versions"]


def test_a_report_names_all_seasons():
    hours = pd.date_range("2024-01-01", periods=1200, freq="h")
    busy = 5 * (hours.hour > 7) * (hours.day_of_week < 5)
    noise = np.random.default_rng(0).normal(size=1200)
    fitted = Forecaster(horizon=24, units=4, epochs=1).fit(pd.Series(busy + noise, hours))
    panel = read_panel(pd.DataFrame({"ds": hours, "y": busy + noise}))
    found = fitted.predict(level=[80]).reset_index(drop=True)
    settings = dict(report_of_forecast(fitted, panel, found).content["settings"])
    assert fitted.seasons_ == (24, 168)
    assert settings["season"] == "24 and 168 (found)"


def test_the_code_repeats_it(result):
    code = report_of_backtest(replace(result, refit=True)).content["code"]
    assert "Forecaster(horizon=7, season=7)" in code
    assert "backtest(forecaster, data, windows=3, refit=True)" in code
    compile(code, "code", "exec")


def test_text_of_the_data_is_no_markup(result):
    keys = result.origins.panel.keys.astype(object)
    keys[0] = "</script><script>alert(1)</script><!-- numbers -->"
    panel = replace(result.origins.panel, keys=keys)
    odd = replace(result, origins=replace(result.origins, panel=panel))
    text = report_page(report_of_backtest(odd, title="<b>A & B</b>"))
    assert "alert(1)</script>" not in text
    assert "<title>&lt;b&gt;A &amp; B&lt;/b&gt;</title>" in text
    found = re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(found)["series"]["keys"][0] == keys[0]


def test_missing_and_endless_numbers_are_none_that_json_has_not(result):
    scale = result.scale.copy()
    scale[0] = np.nan
    content = report_of_backtest(replace(result, scale=scale)).content
    assert content["series"]["errors"]["model"][0] is None
    json.loads(json.dumps(content, allow_nan=False))


def test_the_numbers_come_back(rng):
    values, ends = rng.normal(50, 10, 200), rng.normal(50, 20, 60)
    values[7] = np.nan
    far = np.array([1e9, -1e9])
    packed = pack([(values, np.concatenate([ends, far])), (np.full(3, 5.0), np.empty(0))])
    codes = np.frombuffer(base64.b64decode(packed.text), "<u2")
    assert len(codes) == 200 + 62 + 3
    assert codes[7] == 65535
    told = packed.low[0] + codes[:260] / 65534 * (packed.high[0] - packed.low[0])
    width = packed.high[0] - packed.low[0]
    truth = np.concatenate([values, ends])
    known = ~np.isnan(truth)
    np.testing.assert_allclose(told[known], truth[known], atol=width / 65534)
    assert width < 12 * (np.nanmax(values) - np.nanmin(values))  # far ends don't decide the range
    assert packed.low[1] == 5.0


def test_stamps_are_kept_once():
    months = pd.date_range("2020-01-01", periods=4, freq="MS")
    told = stamps_of([months, months[2:], months[[0, 3]]])
    assert told == {
        "texts": ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"],
        "at": [0, 2, [0, 3]],
    }


def test_a_thousand_series_are_about_a_megabyte(result):
    size = len(report_page(report_of_backtest(result))) - len(
        report_page(Report({"title": ""}, ""))
    )
    assert size / 40 < 2000  # bytes a series, of 3 windows of 7 steps and 84 steps of history


def test_beyond_the_end(tmp_path):
    wave = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 12)
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 48), "ds": [*range(48)] * 2})
    frame["y"] = np.concatenate([wave, wave + 5])
    forecaster = Forecaster(horizon=4, season=4, units=4, epochs=1).fit(frame)
    told = forecaster.predict(level=[80])
    report = report_of_forecast(forecaster, forecaster._engine.data.panel, told)
    assert report.content["table"] is None
    assert report.content["series"]["beyond"]
    assert report.content["series"]["stamps"]["texts"][-1] == "51"
    assert "predict(4, level=[80])" in report.content["code"]
    path = write_report(report, tmp_path / "new" / "page.html")
    assert path.exists()
