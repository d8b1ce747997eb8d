"""What `import statewise` does to a process, whatever was imported before it."""

import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest

# As if TensorFlow weren't installed, wherever the tests run.
NO_TENSORFLOW = """
import sys

class NotThere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

sys.meta_path.insert(0, NotThere())
"""


def run(code, *, home, fails=False, hide=True, **environment):
    """Run code in a process of its own; return what it prints, or its error."""
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | environment
    environment |= {"HOME": str(home), "KERAS_HOME": str(home)}  # no one's keras.json
    done = subprocess.run(
        [sys.executable, "-c", NO_TENSORFLOW * hide + textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout.strip()


def test_keras_by_statewise(tmp_path):
    code = "from statewise import keras, layers\nprint(keras.backend.backend(), keras.__name__)"
    assert run(code, home=tmp_path) == "jax keras"


def test_keras_after_statewise(tmp_path):
    assert run("import statewise, keras\nprint(keras.backend.backend())", home=tmp_path) == "jax"


def test_keras_before_statewise_fails_as_the_documentation_says(tmp_path):
    error = run("import keras\nimport statewise", home=tmp_path, fails=True)
    assert "No module named 'tensorflow'" in error


@pytest.mark.slow
def test_a_notebook_goes_on_after_that_error(tmp_path):
    code = """
    try:
        import keras
    except ModuleNotFoundError as error:
        print(error.name)
    import statewise
    import keras
    from statewise import Sequential, layers
    model = Sequential([layers.Input((3, 1)), layers.LSTM(2)])
    print(keras.backend.backend(), model.predict([[[1.0], [2.0], [3.0]]], verbose=0).shape)
    """
    code = code.replace("[[[1.0], [2.0], [3.0]]]", "keras.ops.ones((1, 3, 1))")
    assert run(code, home=tmp_path).split("\n") == ["tensorflow", "jax (1, 2)"]


@pytest.mark.slow
def test_an_empty_choice_is_none(tmp_path):
    code = "from statewise import keras\nprint(keras.backend.backend())"
    assert run(code, home=tmp_path, KERAS_BACKEND="") == "jax"


def test_the_choice_of_another_engine_is_refused(tmp_path):
    error = run("import statewise", home=tmp_path, KERAS_BACKEND="torch", fails=True)
    assert "KERAS_BACKEND='torch'" in error
    if importlib.util.find_spec("torch"):
        code = "import keras\nimport os\ndel os.environ['KERAS_BACKEND']\nimport statewise"
        error = run(code, home=tmp_path, KERAS_BACKEND="torch", fails=True, hide=False)
        assert "already loaded with 'torch'" in error


@pytest.mark.slow
def test_a_choice_made_in_a_file_gives_way(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}')
    code = "from statewise import keras\nprint(keras.backend.backend())"
    assert run(code, home=tmp_path) == "jax"


def test_importing_statewise_imports_no_more(tmp_path):
    code = """
    import statewise
    print([name for name in ("keras", "jax", "numpy", "pandas") if name in sys.modules])
    """
    assert run(code, home=tmp_path) == "[]"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    import keras

    from statewise import Sequential, layers

    folder = tmp_path_factory.mktemp("saved")
    ours = Sequential([layers.Input((3, 1)), layers.LSTM(2), layers.Dense(1)])
    stock = keras.Sequential([layers.Input((3, 1)), layers.Bidirectional(layers.GRU(2))])
    ours.save(folder / "ours.keras")
    stock.save(folder / "stock.keras")
    ours.save(folder / "ours.h5")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "order",
    [
        "import statewise, keras",
        pytest.param("import keras, statewise", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("ours.keras", "statewise.models.model"),
        ("ours.h5", "keras.src.models.sequential"),  # the old format has only the layers' names
        ("stock.keras", "keras.src.models.sequential"),
    ],
)
def test_keras_loads_what_statewise_saved(saved, file, expected, order, tmp_path):
    code = f"""
    {order}
    model = keras.saving.load_model({str(saved / file)!r})
    print(type(model).__module__, type(model.layers[0]).__module__)
    """
    printed = run(code, home=tmp_path, KERAS_BACKEND="jax")
    assert printed.split()[0] == expected
    assert printed.split()[1].startswith("statewise.layers")
