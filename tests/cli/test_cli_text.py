import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from statewise import TextGenerator
from statewise.cli import main

TEXT = "the cat sat on the mat. " * 60
SMALL = "--units 16 --embedding 8 --steps 12 --lanes 4 --learning-rate 0.03".split()


def text(*arguments, **options):
    return CliRunner().invoke(main, ["text", *map(str, arguments)], **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cat")
    (folder / "cat.txt").write_text(TEXT)
    model = folder / "cat.model"
    result = text("train", folder / "cat.txt", *SMALL, "--epochs", 12, "--output", model)
    assert result.exit_code == 0, result.output
    return model, result


def test_training_tells_what_came_of_it(trained):
    model, result = trained
    lines = result.stdout.splitlines()
    assert lines[0] == f"Text      {model.with_suffix('.txt')}: 1,440 characters, 11 different ones"
    assert lines[1] == "Network   LSTM(16), 12 epochs in 4 lanes"
    assert "bits a character on the validation part" in lines[2]
    assert "the mat" in result.stdout
    assert lines[-1] == f"Model     {model} (statewise text generate {model} --prompt ...)"


def test_what_is_generated_is_the_text_alone(trained):
    model, _ = trained
    result = text("generate", model, "--prompt", "the ", "--length", 20, "--temperature", 0)
    assert (result.exit_code, result.stdout) == (0, "the cat sat on the mat. ")
    given = ["generate", model, "--prompt", "the ", "--seed", 4, "--top-k", 5, "--stop", "."]
    first, second = text(*given), text(*given)
    assert first.stdout == second.stdout
    assert "." not in first.stdout
    piped = text("generate", model, "--prompt", "-", "--temperature", 0, "--length", 3, input="the")
    assert piped.stdout == "the ca"


def test_scores_are_those_of_the_generator(trained):
    model, _ = trained
    path = model.with_suffix(".txt")
    result = text("score", model, path, path, "--json")
    (row, other) = json.loads(result.stdout)["scores"]
    assert row == other
    assert row["tokens"] == 1440
    assert row["nats"] == pytest.approx(-TextGenerator.load(model).score(TEXT))
    table = text("score", model, path).stdout
    assert "bits a character" in table
    assert "1,440" in table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "missing.txt"], "missing.txt"),
        (["train", "empty.txt"], "text is empty"),
        (["train", "old.txt"], "old.txt is not utf-8 text: its byte 2 is 0xfc"),
        (["train", "old.txt", "--dropout", "2"], "dropout must be from 0 to below 1"),
        (["train", "cat.txt", "--output", "cat.txt"], "cat.txt is there already"),
        (["generate", "cat.txt"], "cat.txt is no file of a text generator"),
        (["score", "cat.txt", "cat.txt"], "cat.txt is no file of a text generator"),
        (["generate"], "Missing argument"),
    ],
)
def test_wrong_input_is_one_line(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "cat.txt").write_text(TEXT)
    (tmp_path / "old.txt").write_bytes("grün, äußerst".encode("cp1252"))
    result = text(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.txt", "empty.txt", "old.txt"]


def test_what_scores_or_generates_badly_is_one_line(trained, tmp_path):
    model, _ = trained
    (tmp_path / "empty.txt").write_text("")
    for arguments, words in (
        (["score", model, tmp_path / "empty.txt"], "is empty"),
        (["generate", model, "--top-p", 3], "top_p must be above 0 and at most 1"),
        (["generate", model, "--temperature", -1], "temperature must be 0 or more"),
    ):
        result = text(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert words in result.stderr


@pytest.mark.slow
def test_ctrl_c_ends_a_text_cleanly(trained):
    model, _ = trained
    # A shell lets what it starts in the background ignore Ctrl-C, and what that starts, too.
    hearing = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('statewise', run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", hearing, "text", "generate", str(model), "--prompt", "the "]
    with subprocess.Popen(
        [*command, "--length", "100000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        begun = running.stdout.read(200)
        running.send_signal(signal.SIGINT)
        rest, said = running.communicate()
    assert begun.startswith(b"the ")
    assert (running.returncode, said) == (130, b"")
    assert (begun + rest).decode().isprintable()


@pytest.mark.slow
def test_a_reader_that_has_had_enough_is_no_error(trained):
    model, _ = trained
    command = [sys.executable, "-m", "statewise", "text", "generate", str(model)]
    reading, writing = os.pipe()
    with subprocess.Popen(
        [*command, "--length", "1000000"], stdout=writing, stderr=subprocess.PIPE
    ) as running:
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        _, said = running.communicate()
    assert (running.returncode, said) == (0, b"")


@pytest.mark.slow
def test_with_no_file_python_s_own_library_is_learned(tmp_path):
    output = tmp_path / "python.model"
    result = text("train", "--units", 32, "--epochs", 1, "--output", output)
    assert result.exit_code == 0, result.output
    assert "Python's own library: 1,000,000 characters" in result.stdout
    assert len(TextGenerator.load(output).generate("def ", 50)) == 50
