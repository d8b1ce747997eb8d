"""``statewise classify``: a long table in, a confusion table, pictures and a classifier out."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise import SequenceClassifier, datasets
from statewise.cli import main

QUICK = ("--epochs", "6", "--members", "1", "--units", "6")
NAMED = ("--id", "person", "--time", "time", "--label", "gait")


def classify(*arguments):
    return CliRunner().invoke(main, ["classify", *map(str, arguments)])


@pytest.fixture(scope="module")
def strides(tmp_path_factory):
    path = tmp_path_factory.mktemp("strides") / "strides.csv"
    frame = datasets.gaits(45, seed=0)
    frame["note"] = "by hand"
    frame.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def learned(strides, tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    result = classify(strides, *NAMED, *QUICK, "--json", "--output", folder)
    assert result.exit_code == 0, result.output
    return folder, json.loads(result.stdout), result.stderr


def test_it_measures_draws_and_saves(strides, learned):
    folder, said, notes = learned
    assert said["sequences"] == 45
    assert said["held_out"] == 9
    table = pd.read_csv(folder / "labels.csv")
    assert len(table) == 9
    assert (table["label"] == table["told"]).mean() == pytest.approx(said["accuracy"])
    chances = table[["p_climbing", "p_running", "p_walking"]].to_numpy()
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-6)
    assert np.array(["climbing", "running", "walking"])[chances.argmax(1)].tolist() == (
        table["told"].tolist()
    )
    confusion = pd.DataFrame(said["confusion"]).T
    assert confusion.to_numpy().sum() == 9
    assert np.diag(confusion).sum() / 9 == pytest.approx(said["accuracy"])
    for name in ("confusion.png", "why.png"):
        assert (folder / name).read_bytes()[:4] == b"\x89PNG"
    assert "no numbers, so no inputs, are in note" in notes
    loaded = SequenceClassifier.load(folder / "classifier.statewise")
    assert loaded.feature_names_ == ("forward", "sideways", "up")


def test_a_saved_classifier_tells_the_labels_of_another_file(learned, tmp_path):
    folder, _, _ = learned
    new = datasets.gaits(12, seed=5).rename(columns={"person": "who"})
    new.to_csv(tmp_path / "new.csv", index=False)
    model = folder / "classifier.statewise"
    given = ("--model", model, "--id", "who", "--time", "time", "--output", tmp_path)
    result = classify(tmp_path / "new.csv", *given, "--label", "gait")
    assert result.exit_code == 0, result.output
    assert "are told as their label says" in result.output
    table = pd.read_csv(tmp_path / "labels.csv")
    assert table["who"].tolist() == [f"p{i + 1:03d}" for i in range(12)]
    loaded = SequenceClassifier.load(model)
    wanted = loaded.predict(new, columns={"key": "who", "time": "time"})
    assert table["told"].tolist() == wanted.tolist()
    new.drop(columns="up").to_csv(tmp_path / "less.csv", index=False)
    result = classify(tmp_path / "less.csv", *given, "--force")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "learned from 'up', which" in result.stderr


@pytest.mark.parametrize(
    ("change", "arguments", "told"),
    [
        ({}, ("--label", "gait"), "--id names a column of FILE"),
        ({}, ("--id", "person"), "--label names a column of FILE"),
        ({}, ("--id", "who", "--label", "gait"), "has no column 'who'; its columns are"),
        ({"gait": "walking"}, NAMED, "only one class, 'walking'"),
        ({"gait": None}, NAMED, "labels"),
        ({"up": None}, (*NAMED, "--feature", "up"), "NaN"),
        ({"person": None}, NAMED, "have no key"),
        ({"time": 1.0}, NAMED, "has several rows at the time 1"),
        ({}, (*NAMED, "--model", "none.statewise"), "does not exist"),
    ],
)
def test_wrong_input_is_one_line(strides, tmp_path, change, arguments, told):
    frame = pd.read_csv(strides).assign(**change)
    frame.to_csv(tmp_path / "wrong.csv", index=False)
    result = classify(tmp_path / "wrong.csv", *arguments, *QUICK[2:], "--output", tmp_path)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_nothing_is_written_over(strides, learned):
    result = classify(strides, *NAMED, *QUICK, "--output", learned[0])
    assert result.exit_code == 2
    assert "there already: --force" in result.stderr
