import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from statewise import Sequential, layers
from statewise.cli import main


def explain(*arguments):
    return CliRunner().invoke(main, ["explain", *map(str, arguments)])


def test_a_sketch():
    text = "LSTM(4, return_sequences=True) | TimeDistributed(Dense(1))"
    result = explain(text, "--shape", "1,5,2")
    assert result.exit_code == 0, result.output
    for words in (
        r"many-to-many: sketch",
        r"lstm\S* +\(o\)-->\(o\)-->\(o\)-->\(o\)-->\(o\) +\(batch 1, time steps 5, units 4\)",
        r"1 sample in a batch, each a sequence of 5 time steps with 2 numbers",
        r"Each output sees the inputs up to its own step, and none after it",
        r"4 gates x 2 features x 4 units +32",
    ):
        assert re.search(words, result.output), result.output
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("LSTM(4, return_sequences=True) | Dense(1)", "1,5,1 (batch, time steps, features)"),
        ("Embedding(50, 3) | GRU(2)", "1,5 (batch, time steps)"),
    ],
)
def test_a_sketch_without_a_shape_says_which_it_takes(text, shape):
    result = explain(text)
    assert result.exit_code == 0, result.output
    assert f"Note      the shape {shape} was taken; --shape says another." in result.output


def test_a_shape_that_was_taken_and_does_not_fit():
    result = explain("Conv1D(2, 9) | LSTM(4)")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the shape 1,5,1 (batch, time steps, features) was taken; --shape" in result.stderr


def test_a_saved_model_and_pictures(tmp_path):
    model = Sequential([layers.Input((3, 1)), layers.LSTM(4), layers.Dense(1)], name="seed")
    model.save(tmp_path / "model.keras")
    folder = tmp_path / "new" / "pictures"
    result = explain(tmp_path / "model.keras", "--svg", "--png", "--output", folder)
    assert result.exit_code == 0, result.output
    assert "many-to-one: seed" in result.output
    assert result.output.endswith("Written   picture.svg and picture.png\n")
    assert (folder / "picture.svg").read_text("utf-8").startswith("<svg")
    assert (folder / "picture.png").read_bytes()[:4] == b"\x89PNG"


def test_a_name_in_a_file(tmp_path):
    file = tmp_path / "train.py"
    file.write_text(
        "from statewise import Sequential, layers\n"
        "def make():\n"
        "    return Sequential([layers.Input((None, 2)), layers.GRU(2, return_sequences=True)])\n"
        "model, number = make(), 5\n"
        "def wrong():\n    return [][1]\n"
    )
    loop = explain(f"{file}:make", "--shape", "1,3,2", "--closed-loop", 2)
    assert loop.exit_code == 0, loop.output
    assert "[x3]  [>4]  [>5]" in loop.output
    assert explain(f"{file}:model").exit_code == 0
    for name, words in [
        ("number", "model must be a model of Keras or statewise, but is a int"),
        ("nothing", "train.py has no 'nothing'"),
        ("wrong", "train.py failed: IndexError: list index out of range"),
        ("1", "'1' is no name of Python"),
    ]:
        result = explain(f"{file}:{name}")
        assert (result.exit_code, result.stdout) == (2, "")
        assert words in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["LSTM(4)", "--shape", "1,x,2"], r"--shape 1,x,2: whole numbers"),
        (["LSTM(4)", "--shape", "1"], r"--shape 1: the batch, the time steps and the features"),
        (["LSTM(4)", "--shape", "1,0,2"], r"each 1 or more"),
        (["LSTM(4)", "--shape", "1,99999,2"], r"10,000 time steps or features are the most"),
        (["LSTM(4)", "--shape", "1,5"], r"Layer 'lstm\S*' wants 3 axes"),
        (["LSTM(4) | LSTM(4)", "--shape", "1,5,2"], r"Layer 'lstm\S*' wants 3 axes.*return_seq"),
        (["LSTM(4) & LSTM(4)", "--shape", "1,5,2"], r"where a layer should be"),
        (["none.keras"], "none.keras: no such file"),
        (["none.py:model"], "none.py: no such file"),
        (["train.py"], "which name in it"),
        (["LSTM(4)", "--output", "x"], "--output goes with --svg or --png"),
        ([], "Missing argument 'MODEL'"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, words):
    result = explain(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("statewise: ")
    assert result.stderr.count("\n") == 1
    assert re.search(words, result.stderr), result.stderr


def test_pictures_are_not_written_over_without_a_word(tmp_path):
    path = tmp_path / "picture.svg"
    path.write_text("mine")
    sketch = ("GRU(2)", "--shape", "1,3,1", "--svg", "--png", "--output", tmp_path)
    refused = explain(*sketch)
    assert (refused.exit_code, refused.stdout, path.read_text()) == (2, "", "mine")
    assert f"{path} is there already: --force writes over it" in refused.stderr
    assert not (tmp_path / "picture.png").exists()
    done = explain(*sketch, "--force")
    assert done.exit_code == 0, done.output
    assert "<svg" in path.read_text()
    assert (tmp_path / "picture.png").exists()


def test_a_damaged_file(tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"no model")
    result = explain(tmp_path / "bad.keras")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "bad.keras isn't a model in a form that is read" in result.stderr
    good = tmp_path / "here"
    good.write_text("a file, no folder")
    result = explain("GRU(2)", "--shape", "1,3,1", "--svg", "--output", good)
    assert result.exit_code == 2
    assert "is no folder to write to" in result.stderr


def test_help_loads_nothing_heavy():
    code = (
        "import sys, statewise.cli\n"
        "try: statewise.cli.main(['explain', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "jax", "numpy"} & set(done.stdout.splitlines()[-1].split())


def test_a_file_that_ends_the_program(tmp_path):
    path = tmp_path / "exits.py"
    path.write_text("import sys\nsys.exit(7)\n")
    result = explain(f"{path}:model", "--shape", "1,5,2")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "ends the program when it's run (exit code 7)" in result.stderr
