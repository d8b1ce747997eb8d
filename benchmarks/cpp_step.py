"""One live step of exported C++ headers, compiled with GCC and Clang.

    python benchmarks/cpp_step.py [--rounds 201]

Prints a table in Markdown: the median time of a step, each step waiting for the one before. Beside
LSTM(64) with 64 inputs stands what RTNeural's authors published for that size, 3.3 microseconds,
which was measured on another machine (an Intel i7-8700B).
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import machine
from statewise import Sequential, layers
from statewise.interop import export_cpp

MODELS = {
    "LSTM(64), 64 inputs": (layers.LSTM, 64, 64),
    "GRU(64), 64 inputs": (layers.GRU, 64, 64),
    "LSTM(32), 1 input": (layers.LSTM, 32, 1),
    "LSTM(8), 1 input": (layers.LSTM, 8, 1),
}
PUBLISHED = {"LSTM(64), 64 inputs": "3.3"}
OPTIONS = (["-O3"], ["-O3", "-march=native"])
COMPILERS = ("g++", "clang++")
_STEPS = 500

_MEASURE = """
template <class State, class Input, class Step>
static void measure(Step step) {{
  State state;
  Input x{{}};
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.01f * static_cast<float>(i) - 0.3f;
  std::vector<double> taken;
  for (int round = 0; round < {rounds}; ++round) {{
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < {steps}; ++i) x[0] = step(x, state)[0];
    const std::chrono::duration<double, std::micro> passed =
        std::chrono::steady_clock::now() - begin;
    taken.push_back(passed.count() / {steps});
  }}
  std::sort(taken.begin(), taken.end());
  std::printf("%.4f\\n", taken[taken.size() / 2]);
  std::fprintf(stderr, "%g\\n", static_cast<double>(x[0]));  // so that no step is left out
}}
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=201)
    rounds = parser.parse_args().rounds
    columns = [
        (compiler, options)
        for compiler in COMPILERS
        if shutil.which(compiler)
        for options in OPTIONS
    ]
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), rounds)
        times = [_run(Path(folder), *column) for column in columns]
    print(f"Microseconds for a step; {machine.machine()}\n")
    heads = [f"{compiler} {' '.join(options)}" for compiler, options in columns]
    print(f"| model | {' | '.join(heads)} | RTNeural, as published (another machine) |")
    print("|---|" + "---|" * (len(heads) + 1))
    for name, row in zip(MODELS, np.transpose(times), strict=True):
        cells = [f"{time:.2f}" for time in row]
        print(f"| {name} | {' | '.join(cells)} | {PUBLISHED.get(name, '')} |")


def _write(folder: Path, rounds: int) -> None:
    rng = np.random.default_rng(0)
    names = [f"model_{i}" for i in range(len(MODELS))]
    for name, (kind, units, features) in zip(names, MODELS.values(), strict=True):
        model = Sequential([layers.Input((None, features)), kind(units)])
        model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
        export_cpp(model, folder / f"{name}.hpp")
    includes = [f"#include <{h}>" for h in ("algorithm", "chrono", "cstdio", "vector")]
    includes += [f'#include "{name}.hpp"' for name in names]
    calls = [
        f"measure<{n}::State, {n}::Input>([](const {n}::Input& x, {n}::State& state) "
        f"{{ return {n}::step(x, state); }});"
        for n in names
    ]
    measure = _MEASURE.format(rounds=rounds, steps=_STEPS)
    text = "\n".join([*includes, measure, "int main() {", *calls, "}", ""])
    (folder / "main.cpp").write_text(text)


def _run(folder: Path, compiler: str, options: list[str]) -> list[float]:
    program = folder / "program"
    command = [compiler, "-std=c++17", *options, str(folder / "main.cpp"), "-o", str(program)]
    subprocess.run(command, check=True)
    run = subprocess.run([program], check=True, capture_output=True, text=True)
    return [float(line) for line in run.stdout.split()]


if __name__ == "__main__":
    main()
