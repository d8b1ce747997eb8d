"""Headers of C++, compiled and stepped beside the model; what can't be one is refused by name."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from cpp_headers import PLAIN, compiled, compiler, outputs_of_headers
from cpp_models import (
    drawn_model,
    drawn_steps,
    named_models,
    python_steps,
    with_drawn_weights,
)
from statewise import Model, Sequential, layers
from statewise.interop import export_cpp

ROOT = Path(__file__).parents[3]
NATIVE = "-march=native"


def check(got, expected, what, limit=1e-6):
    """Hold each output and array of the state to a part of its largest value, or of one."""
    assert len(got) == len(expected)
    for number, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
        assert ours.shape == theirs.shape
        scale = max(1.0, np.abs(theirs).max())
        off = np.abs(ours - theirs).max() / scale
        assert off < limit, f"{what}, output {number}: off by {off:.2g} of {scale:.3g}"


def test_a_header_steps_as_the_model_does(tmp_path, rng):
    model = Sequential(
        [
            layers.Input((None, 3)),
            layers.LSTM(9, return_sequences=True),
            layers.GRU(4),
            layers.Dense(2, activation="tanh"),
        ]
    )
    with_drawn_weights(model, rng)
    steps = drawn_steps(model, rng)
    (got,) = outputs_of_headers("g++", tmp_path, [model], [steps])
    check(got, python_steps(model, steps), "the model")


@pytest.fixture(scope="module")
def all_models():
    """Models by what they show, their steps, and what Python makes of them."""
    rng = np.random.default_rng(5)
    models = named_models()
    models |= {f"drawn_{i}": drawn_model(rng) for i in range(5)}
    for model in models.values():
        with_drawn_weights(model, rng)
    steps = {name: drawn_steps(model, rng) for name, model in models.items()}
    for step in steps["masking"][1::3]:
        step[0][:] = 0.5
    expected = {name: python_steps(model, steps[name]) for name, model in models.items()}
    return models, steps, expected


SANITIZED = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BUILDS = (
    ("g++", ["-O2"], False),
    ("g++", SANITIZED, True),
    ("clang++", ["-O3", NATIVE], False),
    ("clang++", SANITIZED, True),
)


def builds(name, options, folder):
    """Whether there is such a compiler, with what it links for these options."""
    if shutil.which(name) is None:
        return False
    (folder / "empty.cpp").write_text("int main() { return 0; }\n")
    command = [name, *options, folder / "empty.cpp", "-o", folder / "empty"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
def test_every_layer_steps_as_in_the_model(all_models, tmp_path):
    models, steps, expected = all_models
    given = list(models.values()), [steps[one] for one in models]
    there = [build for build in BUILDS if builds(*build[:2], tmp_path)]
    for number, (name, options, exact) in enumerate(there):
        folder = tmp_path / str(number)
        folder.mkdir()
        got = outputs_of_headers(name, folder, *given, *options, exact=exact)
        for one, outputs in zip(models, got, strict=True):
            # Up to three layers and a normalisation, each of which hands on what the one before
            # was off by.
            limit = 5e-6 if one.startswith("drawn") else 1e-6
            check(outputs, expected[one], f"{one}, {name} {options}", limit)
    if len(there) < len(BUILDS):
        pytest.skip(f"a compiler is missing: {len(there)} of {len(BUILDS)} builds were tested")


@pytest.mark.slow
def test_two_files_may_include_a_header_and_two_models_have_one_name(tmp_path, rng):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        model = Sequential([layers.Input((None, 1)), layers.LSTM(3, name="no h"), layers.Dense(1)])
        export_cpp(with_drawn_weights(model, rng), tmp_path / folder / "for.hpp")
    of_one = "float {0}(float x) {{ for_::State s; return for_::step({{x}}, s)[0]; }}\n"
    program = compiled(
        "g++",
        tmp_path,
        {
            "one.cpp": '#include "a/for.hpp"\n#include "a/for.hpp"\nfloat one(float);\n'
            + of_one.format("one"),
            "two.cpp": '#include "a/for.hpp"\nfloat two(float);\n' + of_one.format("two"),
            "other.cpp": '#include "b/for.hpp"\nfloat other(float);\n' + of_one.format("other"),
            "main.cpp": "float one(float);\nfloat two(float);\nfloat other(float);\n"
            "int main() { return one(0.5f) == two(0.5f) && one(0.5f) != other(0.5f) ? 0 : 1; }\n",
        },
        *PLAIN,
    )
    assert subprocess.run([program], timeout=60).returncode == 0


_EDGES = """
#include <cmath>
#include <cstdio>
#include <limits>
#include "edges.hpp"

static int failures = 0;
static void expect(bool good, const char* what) {
  if (!good) { std::printf("%s\\n", what); ++failures; }
}

int main() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  using namespace edges;
  expect(std::isnan(detail::sigmoid(nan)) && std::isnan(detail::tanh(nan)), "NaN");
  expect(std::isnan(detail::sigmoid(-nan)) && std::isnan(detail::tanh(-nan)), "-NaN");
  expect(detail::sigmoid(inf) == 1.0f && detail::tanh(inf) == 1.0f, "infinity");
  expect(detail::sigmoid(-inf) < 1e-37f && detail::tanh(-inf) == -1.0f, "-infinity");
  double sigmoid = 0.0, tanh = 0.0;
  for (std::uint32_t bits = 0; bits < 0x42ae0000u; bits += 211) {  // up to 87
    for (std::uint32_t sign = 0; sign < 2; ++sign) {
      const std::uint32_t both = bits | (sign << 31);
      float x;
      std::memcpy(&x, &both, sizeof x);
      const double wide = static_cast<double>(x), s = 1.0 / (1.0 + std::exp(-wide));
      const double t = std::tanh(wide);
      sigmoid = std::fmax(sigmoid, std::fabs(static_cast<double>(detail::sigmoid(x)) / s - 1.0));
      if (std::fabs(wide) > 1e-37)
        tanh = std::fmax(tanh, std::fabs(static_cast<double>(detail::tanh(x)) / t - 1.0));
    }
  }
  std::printf("sigmoid %.3g tanh %.3g\\n", sigmoid, tanh);
  expect(sigmoid < 1.8e-7 && tanh < 1.7e-7, "errors");
  float both[3] = {0.5f, -0.25f, 2.0f};  // the arrays may be the same ones
  State a, b;
  const Output y = step({0.5f, -0.25f, 2.0f}, a);
  step(both, b, both);
  expect(both[0] == y[0] && both[1] == y[1] && both[2] == y[2], "in place");
  step({nan, 0.0f, 0.0f}, a);
  expect(std::isnan(step({1.0f, 1.0f, 1.0f}, a)[0]), "NaN stays in the state");
  return failures;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["g++", "clang++"])
def test_sigmoid_and_tanh_are_off_by_what_the_docs_say(tmp_path, rng, name):
    model = Sequential([layers.Input((None, 3)), layers.LSTM(4), layers.Dense(3)])
    export_cpp(with_drawn_weights(model, rng), tmp_path / "edges.hpp")
    program = compiled(name, tmp_path, {"main.cpp": _EDGES}, *PLAIN, "-O3", NATIVE)
    run = subprocess.run([program], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="looks at instructions of x86-64")
def test_clang_computes_several_units_at_once(tmp_path, rng):
    """It carried a gate from unit to unit where it had seen it stored, one at a time."""
    assembly = tmp_path / "model.s"
    lines = []
    kinds = [layers.LSTM(8), layers.GRU(16)]
    for number, layer in enumerate(kinds):
        model = with_drawn_weights(Sequential([layers.Input((None, 3)), layer]), rng)
        export_cpp(model, tmp_path / f"model_{number}.hpp")
        lines += [
            f'#include "model_{number}.hpp"',
            f"void run_{number}(const float* x, model_{number}::State& s, float* y) {{",
            f"  model_{number}::step(x, s, y);",
            "}",
        ]
    (tmp_path / "model.cpp").write_text("\n".join([*lines, ""]))
    command = [compiler("clang++"), "-std=c++17", "-O3", "-S", str(tmp_path / "model.cpp")]
    subprocess.run([*command, "-o", str(assembly)], check=True, timeout=120)
    divisions = re.findall(r"\bv?div([sp])s\b", assembly.read_text())
    assert len(divisions) >= len(kinds)
    assert set(divisions) == {"p"}  # each gate has one: of several floats, none of a single one


@pytest.mark.slow
def test_a_token_outside_the_table_is_nan(tmp_path, rng):
    model = Sequential([layers.Input((None,), dtype="int32"), layers.Embedding(3, 2)])
    model.add(layers.GRU(2))
    with_drawn_weights(model, rng)
    steps = [[np.int32(token)] for token in (2, 1, 3, 0)], [[np.int32(-1)], [np.int32(1)]]
    for number, tokens in enumerate(steps):
        (tmp_path / str(number)).mkdir()
        ((got, state),) = outputs_of_headers("g++", tmp_path / str(number), [model], [tokens])
        assert np.isnan(got[2 - 2 * number :]).all()
        assert np.isnan(state).all()
        assert np.isfinite(got[: 2 - 2 * number]).all()


@pytest.mark.slow
def test_the_example_of_the_page_compiles_and_runs(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "cpp.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[:1]:
        exec(block, {"__name__": "__main__"})
    (example,) = re.findall(r"^```cpp\n(.*?)^```$", text, re.M | re.S)
    program = compiled("g++", tmp_path, {"main.cpp": example}, *PLAIN, "-O2")
    run = subprocess.run([program], input="0.1\n0.4\n0.2\n", capture_output=True, text=True)
    numbers = [float(line) for line in run.stdout.split()]
    assert run.returncode == 0
    assert len(numbers) == 3
    assert len(set(numbers)) == 3


def test_weights_are_written_exactly(tmp_path):
    model = Sequential([layers.Input((None, 1)), layers.GRU(1), layers.Dense(1, use_bias=False)])
    odd = np.float32([1e-45, -3.4028235e38, 0.1, -0.0, 1 / 3])
    for value in odd:
        model.layers[-1].set_weights([np.full((1, 1), value)])
        export_cpp(model, tmp_path / "one.hpp")
        text = (tmp_path / "one.hpp").read_text()
        written = re.search(r"dense\w*_kernel\[8\] = \{\s*(\S+)f,", text)[1]
        assert np.float32(float.fromhex(written)).tobytes() == value.tobytes()


def test_a_header_says_nothing_of_what_is_in_names(tmp_path):
    x = layers.Input((None, 1), name="x")
    end = 'end * \\\n#error "'
    model = Model(x, layers.GRU(1, name=end)(x), name=end)
    export_cpp(model, tmp_path / "3 tanks-ü.hpp", namespace=None)
    text = (tmp_path / "3 tanks-ü.hpp").read_text()
    assert "namespace n3_tanks {" in text
    assert "\n#error" not in text
    assert "\\" not in text


def test_an_old_header_stays_where_the_new_one_is_refused(tmp_path):
    path = tmp_path / "model.hpp"
    path.write_text("old")
    with pytest.raises(ValueError, match=r"'flip'.*needs several time steps at once"):
        export_cpp(_chain(layers.Bidirectional(layers.GRU(2), name="flip")), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["model.hpp"]


def _chain(*parts):
    return Sequential([layers.Input((None, 3)), *parts])


class OwnCell(layers.GRUCell):
    def call(self, inputs, states, training=False):
        return super().call(inputs, states, training)


def _own(x):
    return x


def _not_finite():
    model = _chain(layers.GRU(2, name="here"))
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


def _twice():
    x = layers.Input((None, 3))
    layer = layers.GRU(3, return_sequences=True, name="here")
    return Model(x, layer(layer(x)))


def _given_state():
    x = layers.Input((None, 3))
    _, h = layers.GRU(3, return_state=True)(x)
    return Model(x, layers.GRU(3, name="here")(x, initial_state=h))


def _over_time():
    return Sequential([layers.Input((4, 3)), layers.LayerNormalization(axis=1, name="here")])


def _operation():
    x = layers.Input((None, 3))
    return Model(x, layers.GRU(3)(x * 2.0))


REFUSED = {
    "activation": (lambda: _chain(layers.GRU(2, activation=_own, name="here")), "_own"),
    "activation_of_all": (
        lambda: _chain(layers.GRU(2, activation="softmax", name="here")),
        "softmax",
    ),
    "cell": (lambda: _chain(layers.RNN(OwnCell(2), name="here")), "somebody else's making"),
    "stock": (lambda: _chain(keras.layers.GRU(2, name="here")), "Keras's own"),
    "backwards": (lambda: _chain(layers.GRU(2, go_backwards=True, name="here")), "last time step"),
    "lambda": (lambda: _chain(layers.Lambda(_own, name="here")), "no counterpart"),
    "conv": (lambda: _chain(layers.Conv1D(2, 2, name="here")), "several time steps"),
    "axis": (_over_time, "axis="),
    "dtype": (
        lambda: _chain(layers.Dense(2, dtype="bfloat16", name="here")),
        "computes in bfloat16",
    ),
    "not_finite": (_not_finite, "aren't finite"),
    "twice": (_twice, "called several times"),
    "given_state": (_given_state, "given its initial state"),
    "operation": (_operation, "outside of layers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_is_refused_by_name(tmp_path, case):
    make, reason = REFUSED[case]
    model = make()
    named = "" if case == "operation" else "'here'.*"
    with pytest.raises(ValueError, match=f"{named}{reason}"):
        export_cpp(model, tmp_path / "model.hpp")
    assert not list(tmp_path.iterdir())


def test_other_input_is_refused(tmp_path):
    path = tmp_path / "model.hpp"
    with pytest.raises(TypeError, match="model is a str"):
        export_cpp("model.keras", path)
    model = _chain(layers.GRU(2))
    for name in ("a-b", "for", "3", "", "a__b", "std"):
        with pytest.raises(ValueError, match="namespace="):
            export_cpp(model, path, namespace=name)
    with pytest.raises(TypeError, match="namespace=3"):
        export_cpp(model, path, namespace=3)
    with pytest.raises(ValueError, match="has no graph of layers"):
        export_cpp(Sequential([layers.GRU(2)]), path)
    with pytest.raises(IsADirectoryError):
        export_cpp(model, tmp_path)
    whole = Sequential([layers.Input((None,), dtype="int32"), layers.Rescaling(0.5)])
    with pytest.raises(ValueError, match="expected \\(batch, time, features\\)"):
        export_cpp(whole, path)
