"""The ways in and out that every model of `interop_models` is tried on, and the table of them.

A further format is a function here that takes a case's name and returns the largest difference
(`interop_models.difference`), and a line in `WAYS`. Where it can't hold a model, it says so: by
`NotThereError` where the format has no such thing, by an error of the package where it's refused,
whose sentence `REFUSED` then has a part of. `python scripts/interop_table.py --write` puts the
outcomes into docs/interop.md, and the tests hold every outcome to that table.
"""

import importlib.util
import io
import shutil
import subprocess
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

import statewise
from interop_models import BATCH, CASES, arrays, difference, outputs, randomise
from statewise import keras, layers, models
from statewise.interop.weights import LAYOUTS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "interop" / "fixtures"
PAGE = ROOT / "docs" / "interop.md"
MADE = "made by scripts/interop_table.py"
WAYS_MARKS = (f"<!-- models and ways: {MADE} -->", "<!-- end of ways -->")
LAYOUT_MARKS = (f"<!-- layouts: {MADE} -->", "<!-- end of layouts -->")
OURS = SimpleNamespace(layers=layers, Model=models.Model, Sequential=models.Sequential)

__all__ = ["CASES", "arrays"]  # for tests, from one place
TOLERANCE = 1e-6  # of the largest number
# Twelve steps of a network that forgets nothing: what two orders of a sum differ by grows.
WIDER: dict[str, float] = {"SimpleRNN, stateful": 5e-6}


class NotThereError(Exception):
    """The format has no such model."""


class Way(NamedTuple):
    """A way in or out.

    Attributes:
        run: takes a case's name; returns the largest difference, or raises.
        needs: packages without which it's skipped.
        programs: likewise.
    """

    run: Callable[[str], float]
    needs: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the packages and programs that aren't there."""
        packages = [name for name in self.needs if importlib.util.find_spec(name) is None]
        return packages + [name for name in self.programs if shutil.which(name) is None]


def ours(name: str):
    """Return a model of this package with the case's random weights."""
    model = CASES[name].make(OURS)
    randomise(model, name)
    return model


@cache
def stock(name: str) -> tuple[bytes, list[np.ndarray], str]:
    """Return a stock Keras 3 model as a file, what it puts out, and its configuration."""
    model = CASES[name].make(keras)
    randomise(model, name)
    expected = outputs(model, name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes(), expected, model.to_json()


def _loaded(content: bytes, name: str, ending: str) -> list[np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{ending}"
        path.write_bytes(content)
        model = statewise.load(path)
    assert type(model).__module__.startswith("statewise."), type(model)
    assert no_stock_layers(model)
    return outputs(model, name)


def no_stock_layers(model) -> bool:
    """Whether no recurrent layer of a model is Keras's own."""
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    return all(type(layer).__module__.startswith("statewise.") for layer in found)


def _keras3_file(name: str) -> float:
    content, expected, _ = stock(name)
    return difference(_loaded(content, name, ".keras"), expected)


def _accelerated(name: str) -> float:
    model = CASES[name].make(keras)
    randomise(model, name)
    copy = statewise.accelerate(model)
    assert no_stock_layers(copy)
    return difference(outputs(copy, name), outputs(model, name))


def _from_fixtures(kind: str, of: str = "", ending: str = ".h5") -> Callable[[str], float]:
    """Return what loads a file of fixtures; its outputs stand in those of another kind, ``of``."""

    def run(name: str) -> float:
        with zipfile.ZipFile(FIXTURES / f"{kind}.zip") as archive:
            if f"{name}{ending}" not in archive.namelist():
                raise NotThereError
            content = archive.read(f"{name}{ending}")
        with zipfile.ZipFile(FIXTURES / f"{of or kind}.zip") as archive:
            packed = io.BytesIO(archive.read(f"{name}.npz"))
        with np.load(packed) as file:
            expected = [file[one] for one in file.files]
        return difference(_loaded(content, name, ending), expected)

    return run


def _onnx(name: str) -> float:
    """Run a model's ONNX file in ONNX Runtime; a stateful one's with the state outside."""
    import onnxruntime

    stateful = CASES[name].stateful
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        ours(name).export(path, state=stateful)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    count = len(CASES[name].inputs)
    names, states = session.get_inputs()[:count], session.get_inputs()[count:]
    kept = {state.name: np.zeros((BATCH, state.shape[1]), "float32") for state in states}
    found = []
    for batch in arrays(name):
        feeds = {one.name: array for one, array in zip(names, batch, strict=True)}
        results = session.run(None, feeds | kept)
        outward = len(results) - len(kept)
        found += results[:outward]
        kept = dict(zip(kept, results[outward:], strict=True))
    return difference(found, outputs(ours(name), name))


def _pytorch(name: str) -> float:
    """Run a model's PyTorch module."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections")
        warnings.filterwarnings("ignore", ".*drops values of its own")
        module = statewise.to_torch(ours(name))
    found = []
    for batch in arrays(name):
        with torch.no_grad():
            result = module(*[torch.from_numpy(array) for array in batch])
        found += [a.numpy() for a in (result if isinstance(result, tuple) else (result,))]
    return difference(found, outputs(ours(name), name))


_LIVE = """
#include <cstdio>

#include "live.hpp"

int main() {
  static live::State states[%d];
  live::Input x{};
  for (int call = 0; call < %d; ++call)
    for (live::State& state : states) {
      if (!%d) state = live::State{};
      for (int step = 0; step < %d; ++step) {
        if (std::fread(&x, sizeof x, 1, stdin) != 1) return 1;
        const live::Output y = live::step(x, state);
        std::fwrite(&y, sizeof y, 1, stdout);
      }
    }
  return 0;
}
"""


def _cpp(name: str) -> float:
    """Step a model's C++ header through the same sequences; of single outputs the last counts."""
    from cpp_headers import PLAIN, compiled

    model, batches = ours(name), arrays(name)
    steps = batches[0][0].shape[1]
    if any(array.shape[1] != steps for array in batches[0]) and ("C++", name) not in REFUSED:
        raise NotThereError
    expected = outputs(ours(name), name)
    with tempfile.TemporaryDirectory() as folder:
        model.export(Path(folder) / "live.hpp")
        main = _LIVE % (BATCH, len(batches), CASES[name].stateful, steps)
        program = compiled("g++", Path(folder), {"main.cpp": main}, *PLAIN)
        given = [
            array[sample, step]
            for batch in batches
            for sample in range(BATCH)
            for step in range(steps)
            for array in batch
        ]
        shown = b"".join(values.tobytes() for values in given)
        run = subprocess.run([program], input=shown, capture_output=True, timeout=60, check=True)
    made = np.frombuffer(run.stdout, "float32").reshape(len(batches), BATCH, steps, -1)
    sizes = [array.shape[-1] for array in expected[: len(expected) // len(batches)]]
    parts = np.split(made, np.cumsum(sizes)[:-1], axis=-1)
    found = [part[call] for call in range(len(batches)) for part in parts]
    pairs = zip(found, expected, strict=True)
    return difference([f if e.ndim == 3 else f[:, -1] for f, e in pairs], expected)


WAYS: dict[str, Way] = {
    "Keras 3 .keras": Way(_keras3_file),
    "accelerate": Way(_accelerated),
    "Keras 2 .keras": Way(_from_fixtures("keras2_archives", "keras2", ".keras")),
    "Keras 2 .h5": Way(_from_fixtures("keras2")),
    "Keras 1 .h5": Way(_from_fixtures("keras1")),
    "ONNX": Way(_onnx, ("onnx", "onnxruntime")),
    "PyTorch": Way(_pytorch, ("torch",)),
    "C++": Way(_cpp, programs=("g++",)),
}
# Part of the sentence with which a way refuses a model.
_TORCH_REFUSES = {
    "it is stateful, and PyTorch's modules keep no state": (
        *(f"{kind}, stateful" for kind in ("SimpleRNN", "GRU", "LSTM")),
        "stateful stack, every step",
    ),
    "a mask leaves steps out": (
        *(f"{kind} of words, masked" for kind in ("SimpleRNN", "GRU", "LSTM")),
        "both ways, masked",
        "words, backwards, masked",
        "words to a word each",
        "zero outputs where masked",
    ),
    "has no activations like its": (
        "GRU, relu",
        "LSTM, relu",
        "LSTM, hard_sigmoid",
        "GRU, hard_sigmoid",
        "GRU, reset before, hard_sigmoid",
        "LSTM, softsign",
        "GRU, elu",
        "SimpleRNN, linear",
    ),
    "PyTorch's GRU is that of reset_after=True": (
        "GRU, reset before",
        "GRU, reset before, every step",
        "GRU, reset before, no bias",
        "GRU, reset before, both ways",
    ),
    "its two directions aren't of one kind": ("both ways, another layer back",),
    "this package knows no PyTorch module": (
        "Masking",
        "BatchNormalization between",
        "Conv1D below",
        "attention above",
    ),
    "LSTM in every time step has no counterpart": ("TimeDistributed over an LSTM",),
    "it is a stack of cells": ("a stack of cells",),
}
_KINDS = ("SimpleRNN", "GRU", "LSTM")
_CPP_REFUSES = {
    "begins at the last time step": (
        *(f"{kind}, backwards" for kind in _KINDS),
        *(f"{kind}, backwards, every step" for kind in _KINDS),
        "words, backwards, masked",
    ),
    "needs several time steps at once": (
        *(f"{kind}, both ways" for kind in _KINDS),
        *(f"{kind}, both ways, every step" for kind in _KINDS),
        "LSTM, encoder both ways",
        "GRU, reset before, both ways",
        "both ways, summed",
        "both ways, multiplied",
        "both ways, averaged",
        "both ways, apart",
        "both ways, with states",
        "both ways, another layer back",
        "both ways on both ways",
        "both ways, masked",
        "RepeatVector",
        "Conv1D below",
        "attention above",
        "a state given",
    ),
    "it is given its initial state within the model": (
        "GRU, encoder and decoder",
        "LSTM, encoder and decoder",
    ),
    "it is called several times, and has one state": ("a shared layer", "a model within, twice"),
    "runs a recurrent layer within every time step": ("TimeDistributed over an LSTM",),
}
REFUSED: dict[tuple[str, str], str] = {
    ("ONNX", "both ways, another layer back"): "its two directions aren't of one kind and size",
    ("ONNX", "TimeDistributed over an LSTM"): "LSTM in every time step isn't written",
    ("ONNX", "attention above"): "Layer 'attention' (Attention) can't be written as ONNX",
    **{("PyTorch", name): why for why, names in _TORCH_REFUSES.items() for name in names},
    **{("C++", name): why for why, names in _CPP_REFUSES.items() for name in names},
}


class Outcome(NamedTuple):
    """What came of a model on a way.

    Attributes:
        word: for the table: "yes", "–" where the format has no such model, "no" where it's refused.
        difference: the largest, or None.
        said: the sentence with which it was refused.
    """

    word: str
    difference: float | None = None
    said: str = ""


def outcome(way: str, name: str) -> Outcome:
    """Try a model on a way."""
    keras.utils.clear_session(free_memory=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        try:
            found = WAYS[way].run(name)
        except NotThereError:
            return Outcome("–")
        except (ValueError, NotImplementedError) as error:
            if (way, name) not in REFUSED:
                raise
            return Outcome("no", None, str(error))
    return Outcome("yes", found)


def check(way: str, name: str) -> str:
    """Try a model on a way; hold it to the tolerance or the sentence, and return its word."""
    found = outcome(way, name)
    if found.word == "yes":
        assert found.difference <= WIDER.get(name, TOLERANCE), (way, name, found)
    elif found.word == "no":
        assert REFUSED[way, name] in found.said, found.said
    return found.word


def table(words: dict[tuple[str, str], str]) -> str:
    """Return the table of all models and ways in Markdown, from the words of the outcomes."""
    ways = list(dict.fromkeys(way for way, _ in words))
    lines = [f"| model | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
    for name in CASES:
        lines.append(f"| {name} | {' | '.join(words[way, name] for way in ways)} |")
    return "\n".join(lines)


def layouts() -> str:
    """Return the table of how each format lays out recurrent layers' weights, in Markdown."""
    lines = ["| format | layer | gates | matrices | biases | source |", "|---|---|---|---|---|---|"]
    for form, kinds in LAYOUTS.items():
        for kind, layout in kinds.items():
            address, _, where = layout.source.partition(" ")
            source = f"[{address.rpartition('/')[2]}](https://{address}) {where}".strip()
            gates = " ".join(layout.gates)
            cells = (form, kind, gates, layout.matrices, layout.biases, source)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def part(text: str, marks: tuple[str, str]) -> str:
    """Return what stands between two marks of a page."""
    return text.partition(marks[0])[2].partition(marks[1])[0].strip()


def with_part(text: str, marks: tuple[str, str], new: str) -> str:
    """Return a page with something else between two marks."""
    before, _, rest = text.partition(marks[0])
    return f"{before}{marks[0]}\n\n{new}\n\n{marks[1]}{rest.partition(marks[1])[2]}"


def shown() -> dict[tuple[str, str], str]:
    """Return the words that the page shows, by way and model."""
    lines = part(PAGE.read_text("utf-8"), WAYS_MARKS).splitlines()
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {
        (way, row[0]): word
        for row in rows[2:]
        for way, word in zip(rows[0][1:], row[1:], strict=True)
    }
