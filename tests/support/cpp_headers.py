"""Headers of C++ in a program that reads inputs, steps, and writes what comes out."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from statewise.interop import export_cpp

STRICT = "-std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror".split()
PLAIN = "-fno-exceptions -fno-rtti".split()


def compiler(name: str) -> str:
    """Return the path of a compiler, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing")
    return found


def compiled(name: str, folder: Path, sources: dict[str, str], *options: str) -> Path:
    """Compile a program of the sources, and return its path; warnings are errors."""
    for file, text in sources.items():
        (folder / file).write_text(text)
    program = folder / "program"
    files = [str(folder / file) for file in sources if file.endswith(".cpp")]
    command = [compiler(name), *STRICT, *options, *files, "-o", str(program)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stderr[:5000]}"
    return program


def stepping(namespace: str) -> str:
    """Return the statements that step a model over all that is in the file of its inputs."""
    return f"""
  {{
    {namespace}::State state;
    {namespace}::Input x{{}};
    std::FILE* in = std::fopen("{namespace}.in", "rb");
    std::FILE* out = std::fopen("{namespace}.out", "wb");
    while (std::fread(&x, sizeof x, 1, in) == 1) {{
      const {namespace}::Output y = {namespace}::step(x, state);
      std::fwrite(&y, sizeof y, 1, out);
    }}
    std::fwrite(&state, sizeof state, 1, out);
    std::fclose(in);
    std::fclose(out);
  }}"""


def outputs_of_headers(name: str, folder: Path, models, inputs, *options: str, exact=False):
    """Step all models in one program; return for each what `python_steps` does.

    Args:
        name: of the compiler.
        folder: to work in.
        models: of known inputs.
        inputs: for each model a list of steps, each a list of arrays, one for each input.
        options: for the compiler.
        exact: see `export_cpp`.
    """
    names = [f"model_{i}" for i in range(len(models))]
    for file, model, steps in zip(names, models, inputs, strict=True):
        export_cpp(model, folder / f"{file}.hpp", exact=exact)
        (folder / f"{file}.in").write_bytes(b"".join(a.tobytes() for s in steps for a in s))
    includes = "".join(f'#include "{file}.hpp"\n' for file in names)
    body = "".join(map(stepping, names))
    main = f"#include <cstdio>\n{includes}\nint main() {{{body}\n  return 0;\n}}\n"
    program = compiled(name, folder, {"main.cpp": main}, *PLAIN, *options)
    # The leak check needs rights that a container may lack; a header allocates nothing.
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    run = subprocess.run(
        [str(program)], cwd=folder, capture_output=True, text=True, timeout=120, env=environment
    )
    assert (run.returncode, run.stderr) == (0, "")
    results = []
    for file, model, steps in zip(names, models, inputs, strict=True):
        values = np.fromfile(folder / f"{file}.out", "float32")
        states = sizes_of_state(model)
        outputs = [tensor.shape[-1] for tensor in model.outputs]
        count = sum(outputs) * len(steps)
        assert values.size == count + sum(states)
        of_steps = values[:count].reshape(len(steps), -1)
        parts = np.split(of_steps, np.cumsum(outputs)[:-1], axis=1)
        results.append(parts + np.split(values[count:], np.cumsum(states)[:-1]))
    return results


def sizes_of_state(model) -> list[int]:
    """Return the sizes of the arrays of a model's state."""
    state = model.initial_state(1)
    return [a.size for name in state for a in state[name].values()]
