"""`statewise anomalies`: what it prints and writes, follows, and refuses."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from small_detectors import wave
from statewise.cli import main
from statewise.tasks import AnomalyDetector

QUICK = ("--epochs", "1", "--units", "3", "--season", "5")


def run(*arguments, **options):
    arguments = ["anomalies", *map(str, arguments)]
    return CliRunner().invoke(main, arguments, prog_name="statewise", **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table with one odd hour, what was said of it, and the folder with what was written."""
    folder = tmp_path_factory.mktemp("anomalies")
    hours = pd.date_range("2024-03-01", periods=200, freq="h")
    frame = pd.DataFrame({"hour": hours, "level": wave(200)[:, 0].round(3)})
    frame.loc[150, "level"] = 90.0
    frame.to_csv(folder / "level.csv", index=False)
    result = run(folder / "level.csv", *QUICK, "--json", "--output", folder, "--save",
                 folder / "a.detector")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return folder, frame, json.loads(result.stdout)


@pytest.mark.slow
def test_intervals_a_table_and_a_picture(made):
    folder, frame, told = made
    (found,) = [one for one in told["anomalies"] if one["worst"] == "2024-03-07 06:00:00"]
    assert found["feature"] == "level"
    assert found["score"] > 4
    assert told["threshold"] == 4.0
    assert told["season"] == 5
    table = pd.read_csv(folder / "anomalies.csv", parse_dates=["time"])
    assert table.columns.tolist() == ["time", "level", "score", "anomaly"]
    assert table["time"].tolist() == frame["hour"].tolist()
    assert table["score"].idxmax() == 150
    assert table["anomaly"][150] > 0
    assert (folder / "anomalies.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_a_saved_detector_says_the_same_and_nothing_is_written_over(made):
    folder, frame, _told = made
    scored = AnomalyDetector.load(folder / "a.detector").score(frame)["score"]
    written = pd.read_csv(folder / "anomalies.csv")["score"]
    np.testing.assert_allclose(written, scored, atol=1e-6)
    again = ("--model", folder / "a.detector", "--output", folder)
    result = run(folder / "level.csv", *again)
    assert result.exit_code == 2
    assert "are there already: --force" in result.stderr
    result = run(folder / "level.csv", *again, "--force", "--rate", "0.5")
    assert result.exit_code == 0, result.stderr
    assert "score of 0.3 and more (once in 2 steps)" in result.stdout


@pytest.mark.slow
def test_features_in_another_order_are_told_by_their_names(tmp_path):
    hours = pd.date_range("2024-03-01", periods=120, freq="h")
    values = wave(120, 2)
    frame = pd.DataFrame({"flow": values[:, 0], "heat": 500 + 40 * values[:, 1]}, hours).round(3)
    detector = AnomalyDetector(units=3, epochs=1, season=5).fit(frame)
    detector.save(tmp_path / "a.detector")
    frame.rename_axis("hour").reset_index().to_csv(tmp_path / "plant.csv", index=False)
    turned = ("--time", "hour", "--target", "heat", "--past", "flow", "--output", tmp_path)
    result = run(tmp_path / "plant.csv", "--model", tmp_path / "a.detector", *turned)
    assert result.exit_code == 0, result.stderr
    table = pd.read_csv(tmp_path / "anomalies.csv")
    scores = detector.score(frame, by_feature=True)
    for name in frame:
        np.testing.assert_allclose(table[name], frame[name])
        np.testing.assert_allclose(table[f"score of {name}"], scores[name], atol=1e-6)


@pytest.mark.slow
def test_lines_are_scored_as_they_come(made, tmp_path):
    folder, frame, _ = made
    model = ("--model", folder / "a.detector", "--follow", "--store", tmp_path / "live.db")
    lines = [f"{row.hour},{row.level}" for row in frame[60:].itertuples()]
    lines[40] = lines[40].split(",")[0] + ","  # a missing value
    del lines[20]  # a missing row
    outputs = []
    for part in (["hour,level", *lines[:70]], lines[70:]):  # and a restart
        result = run(*model, input="\n".join(part) + "\n")
        assert result.exit_code == 0, result.stderr
        outputs.append(pd.read_csv(io.StringIO(result.stdout), parse_dates=["time"]))
    told = pd.concat(outputs, ignore_index=True)
    expected = frame[60:].set_index("hour")["level"]
    expected.iloc[[20, 40]] = np.nan
    expected = AnomalyDetector.load(folder / "a.detector").score(expected, follows=True)
    expected = expected.drop(expected.index[20])
    assert told["time"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(told["score"], expected, rtol=2e-3, atol=3e-3)
    assert told["anomaly"].tolist() == (told["score"] >= 4).astype(int).tolist()
    assert told["anomaly"][89] == 1  # of step 150


@pytest.mark.slow
def test_what_makes_no_sense_is_one_line(made, tmp_path):
    folder, _, _ = made
    table, model = folder / "level.csv", folder / "a.detector"
    wrong = [
        ((table, "--model", table), "is no file of a detector"),
        ((table, "--model", model, "--save", "b"), "--save writes what was learned"),
        ((table, "--learn-from", "0.01", "--output", tmp_path), "has 2 steps, but 32 at least"),
        ((tmp_path / "none.csv",), "none.csv"),
    ]
    for arguments, message in wrong:
        result = run(*arguments)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
        assert result.stderr.startswith("statewise: ")
        assert result.stderr.count("\n") == 1
    for lines, message in (
        ("3\nx\n", "line 2: could not convert string to float: 'x'; values are numbers"),
        ("3\n1,2,3\n", "line 2: 3 fields; expected a time (or none) and 1 values: level"),
        ("inf\n", "line 1: an infinity"),
    ):
        result = run("--model", model, "--follow", input=lines)
        assert result.exit_code == 2
        assert message in result.stderr


def test_wrong_options_are_told_before_the_engine_is_loaded(tmp_path):
    for arguments, message in (
        (("--static", "level"), "--static isn't looked at here"),
        (("--store", "a.db"), "--store goes with --follow"),
        (("--model", tmp_path / "none"), "none: no such file"),
        (("--rate", "2"), "--rate"),
        ((tmp_path / "none.csv",), "none.csv"),
    ):
        result = run(*arguments)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
        assert result.stderr.count("\n") == 1
