"""`statewise export`: a model of a file, for another runtime."""

import zipfile

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from interop_ways import FIXTURES
from statewise import Sequential, layers
from statewise.cli import main

onnx = pytest.importorskip("onnx", reason="needs onnx")


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)], prog_name="statewise")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Sequential([layers.Input((None, 2)), layers.GRU(3, name="tank"), layers.Dense(1)])
    made.save("tank.keras")
    return made


def test_an_onnx_file_lies_here_by_the_models_name(model, tmp_path):
    result = run("tank.keras", "--onnx")
    assert (result.exit_code, result.output) == (0, "Written   tank.onnx\n")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    x = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    (got,) = runtime.InferenceSession(tmp_path / "tank.onnx").run(None, {"x": x})
    np.testing.assert_allclose(got, model.predict(x, verbose=0), atol=1e-6)


def test_with_the_state_outside_under_another_name(model, tmp_path):
    assert run("tank.keras", "--onnx", "--state", "--output", "out/live.onnx").exit_code == 0
    made = onnx.load(tmp_path / "out" / "live.onnx")
    assert [i.name for i in made.graph.input] == ["x", "tank/h"]


def test_a_header(model, tmp_path):
    assert run("tank.keras", "--cpp").exit_code == 0
    assert "step(" in (tmp_path / "tank.hpp").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tank.keras"], "what to write? --onnx or --cpp"),
        (["tank.keras", "--cpp", "--state"], "--state goes with --onnx"),
        (["none.keras", "--onnx"], "none.keras: no such file"),
        (["noise.keras", "--onnx"], "noise.keras isn't a model in a form that is read"),
        (["folder", "--onnx"], "folder is a SavedModel, which isn't read"),
        (["model.py:stock", "--cpp"], "Sequential, not a model of statewise's: let it be the one"),
        (["LSTM(4) | Nothing(1)", "--onnx"], "Nothing"),
        (["LSTM(4, activation='gelu')", "--onnx"], "no activation 'gelu'"),
        (["Bidirectional(GRU(4))", "--onnx", "--state"], "needs several time steps at once"),
        (["LSTM(4)", "--onnx", "--shape", "one"], "--shape one: whole numbers"),
        (["tank.keras", "--onnx", "--shape", "1,2,3"], "a saved model has its own"),
    ],
)
def test_what_cannot_be_written_is_one_line(arguments, message, model, tmp_path):
    (tmp_path / "noise.keras").write_bytes(b"PK nothing")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "saved_model.pb").write_bytes(b"")
    (tmp_path / "model.py").write_text("import keras\nstock = keras.Sequential([])\n")
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*.onnx"))


def test_a_file_that_is_there_stays(model, tmp_path):
    (tmp_path / "tank.onnx").write_bytes(b"mine")
    assert "--force writes over it" in run("tank.keras", "--onnx").output
    assert (tmp_path / "tank.onnx").read_bytes() == b"mine"
    assert run("tank.keras", "--onnx", "--force").exit_code == 0


def test_a_model_of_stock_keras_is_written_too(model):
    stock = keras.Sequential([keras.layers.Input((4, 2)), keras.layers.LSTM(3)])
    stock.save("stock.keras")
    result = run("stock.keras", "--cpp")
    assert (result.exit_code, result.output) == (0, "Written   stock.hpp\n")


@pytest.mark.slow
@pytest.mark.filterwarnings("always::statewise.interop.FileWarning")
def test_a_model_of_an_old_file_is_written_and_what_is_said_of_it_is_a_note(model, tmp_path):
    with zipfile.ZipFile(FIXTURES / "keras2_more.zip") as packed:
        (tmp_path / "old.h5").write_bytes(packed.read("time-major.h5"))
    result = run("old.h5", "--onnx")
    assert result.exit_code == 0
    told, written = result.output.splitlines()
    assert told.startswith("Note      old.h5: the model took and gave sequences as (time, batch,")
    assert written == "Written   old.onnx"
