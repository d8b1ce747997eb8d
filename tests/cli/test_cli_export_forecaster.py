"""`statewise export` of a saved forecaster: the folder that `Forecaster.export` writes."""

import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from drawn_forecasters import drawn_series, of_panel
from statewise.cli import main
from statewise.tasks import Forecaster

onnx = pytest.importorskip("onnx", reason="needs onnx")


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)], prog_name="statewise")


@pytest.fixture(scope="module")
def fitted():
    values = np.random.default_rng(3).normal(size=30).cumsum()
    return Forecaster(horizon=3, units=2, epochs=1, season=1).fit(values)


@pytest.fixture
def here(fitted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted.save("sales.forecaster")
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def said_by(folder):
    """Return what a folder says, but for the names of layers, which Keras counts up."""
    graph = onnx.load(folder / "network_0.onnx").graph
    weights = [onnx.numpy_helper.to_array(one).tobytes() for one in graph.initializer]
    operators = [one.op_type for one in graph.node]
    return (folder / "forecaster.json").read_text("utf-8"), operators, weights


def test_the_folder_is_what_export_writes(here, fitted):
    result = run("sales.forecaster", "--onnx")
    assert (result.exit_code, result.output) == (0, "Written   sales\n")
    fitted.export(here / "expected")
    assert len(contents(here / "sales")) == 2
    assert said_by(here / "sales") == said_by(here / "expected")
    levels = [one["level"] for one in json.loads(said_by(here / "sales")[0])["intervals"]]
    assert levels == [50, 80, 90, 95]
    assert run("sales.forecaster", "--onnx", "--force", "--level", "37.5,85").exit_code == 0
    levels = [one["level"] for one in json.loads(said_by(here / "sales")[0])["intervals"]]
    assert levels == [37.5, 85]
    fitted.save("anything.keras")  # what is in a file counts, not its ending
    assert run("anything.keras", "--onnx", "--output", "out/of_it").exit_code == 0
    assert said_by(here / "out" / "of_it") == said_by(here / "expected")


def test_an_earlier_export_is_replaced_by_force_alone(here):
    folder = here / "sales"
    folder.mkdir()
    (folder / "forecaster.json").write_text(
        json.dumps({"networks": ["network_0.onnx", "network_1.onnx", "../sales.forecaster"]})
    )
    for name in ("network_1.onnx", "network_7.onnx", "notes.txt"):
        (folder / name).write_text("mine")
    before = contents(folder)
    result = run("sales.forecaster", "--onnx")
    assert result.exit_code == 2
    assert "--force writes over an earlier export, --output names another folder" in result.output
    assert contents(folder) == before
    assert run("sales.forecaster", "--onnx", "--force").exit_code == 0
    # Of the earlier one alone: no file that it didn't list goes, nor one elsewhere.
    names = ["forecaster.json", "network_0.onnx", "network_7.onnx", "notes.txt"]
    assert sorted(contents(folder)) == names
    assert json.loads((folder / "forecaster.json").read_text("utf-8"))["horizon"] == 3
    assert (here / "sales.forecaster").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sales.forecaster"], "what to write? --onnx or --cpp"),
        (["sales.forecaster", "--cpp"], "as sales.forecaster is one, is written by --onnx"),
        (["sales.forecaster", "--onnx", "--state"], "networks always have theirs"),
        (["sales.forecaster", "--onnx", "--shape", "1,2,3"], "a forecaster has its own"),
        (["sales.forecaster", "--onnx", "--level", "0.8"], "0.8 is no percent: write 80"),
        (["LSTM(4)", "--onnx", "--level", "80"], "LSTM(4) is none"),
        (["none.forecaster", "--onnx"], "none.forecaster: no such file"),
        (["sales.forecaster", "--onnx", "--output", "notes.txt"], "notes.txt is a file"),
        (["sales.forecaster", "--onnx", "--output", "notes.txt/out"], "no folder to write to"),
        (["learned", "--onnx"], "the forecaster in it is learned"),
        (["other", "--onnx"], "other is a folder, and no model's"),
        (["notes.txt", "--onnx"], "notes.txt is no file of a forecaster, or is damaged: "),
        (["cut.forecaster", "--onnx"], "cut.forecaster is no file of a forecaster, or is damaged"),
        (["flipped.forecaster", "--onnx"], "or is damaged: "),
        (["words.forecaster", "--onnx"], "no file of a forecaster, or is damaged: "),
    ],
)
def test_what_cannot_be_written_is_one_line(arguments, message, here):
    data = bytearray((here / "sales.forecaster").read_bytes())
    (here / "notes.txt").write_text("mine")
    (here / "cut.forecaster").write_bytes(data[: len(data) // 2])
    data[len(data) // 3] ^= 16
    (here / "flipped.forecaster").write_bytes(data)
    with zipfile.ZipFile(here / "words.forecaster", "w") as file:
        file.writestr("text.json", "{}")
    for name in ("learned", "other"):
        (here / name).mkdir()
    (here / "learned" / "_forecaster.zip").write_bytes(b"")
    before = sorted(path.name for path in here.iterdir())
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert sorted(path.name for path in here.iterdir()) == before


def test_a_forecaster_that_is_refused_leaves_no_folder(here, rng):
    values = drawn_series(rng, 30)
    gaps = np.where(np.arange(30) == 11, np.nan, values)
    of_panel({"a": values, "b": gaps}, rng, season=7).save("gaps.zip")
    result = run("gaps.zip", "--onnx", "--output", "made")
    assert result.exit_code == 2
    assert (
        "gaps.zip: this Forecaster can't be exported: where it learned, values were"
        in result.output
    )
    assert not (here / "made").exists()
