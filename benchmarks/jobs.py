"""The jobs of the comparison, as data: what each network is made of, and what it is fed.

Nothing here imports a framework, so that every side can read it in a process of its own. The
targets and weights of a job are drawn from one seed, in Keras's layout; all sides begin with them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

GATES = {"LSTM": 4, "GRU": 3}


class Layer(NamedTuple):
    """A layer: "Embedding", "LSTM", "GRU", "Repeat" (units: how often) or "Dense"."""

    kind: str
    units: int
    sequences: bool = True  # a recurrent layer gives the outputs of all steps


@dataclass(frozen=True)
class Job:
    """A network and the sequences it is trained on.

    Attributes:
        letter: that the tables and plots name it by; several jobs may share one.
        title: in words.
        batch: samples a batch.
        steps: time steps.
        features: of a time step; for words the vocabulary.
        layers: from the inputs to the outputs.
        batches: in an epoch.
        training: how many times faster than the best peer a training step is to be; None for no
            such aim, and no measurement.
        inference: the same for a forward pass.
        stateful: whether the state is carried from batch to batch, and reset after each epoch.
    """

    letter: str
    title: str
    batch: int
    steps: int
    features: int
    layers: tuple[Layer, ...]
    batches: int
    training: float | None = None
    inference: float | None = None
    stateful: bool = False

    @property
    def words(self) -> bool:
        """Whether the inputs and targets are numbers of words."""
        return self.layers[0].kind == "Embedding"

    @property
    def flops(self) -> float:
        """Additions and multiplications of a forward pass over one batch, products alone."""
        total, size, steps = 0.0, self.features, self.steps
        for layer in self.layers:
            if layer.kind in GATES:
                total += 2.0 * steps * GATES[layer.kind] * layer.units * (size + layer.units)
                steps = steps if layer.sequences else 1
            elif layer.kind == "Dense":
                total += 2.0 * steps * size * layer.units
            if layer.kind == "Repeat":
                steps = layer.units
            else:
                size = layer.units
        return total * self.batch

    def weights(self) -> list[np.ndarray]:
        """Return the arrays of ``get_weights`` of the Keras model, drawn from one seed."""
        rng, size, arrays = np.random.default_rng(1), self.features, []

        def draw(*shape):
            limit = np.sqrt(6 / (shape[0] + shape[-1]))
            arrays.append(rng.uniform(-limit, limit, size=shape).astype("float32"))

        for layer in self.layers:
            units = layer.units
            if layer.kind == "Embedding":
                arrays.append(rng.uniform(-0.05, 0.05, size=(size, units)).astype("float32"))
            elif layer.kind == "Dense":
                draw(size, units)
                arrays.append(np.zeros(units, "float32"))
            elif layer.kind in GATES:
                width = GATES[layer.kind] * units
                draw(size, width)
                draw(units, width)
                arrays.append(np.zeros((2, width) if layer.kind == "GRU" else width, "float32"))
            size = size if layer.kind == "Repeat" else units
        return arrays

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs ``(samples, time, features)``, words ``(samples, time)``, and targets."""
        rng, samples = np.random.default_rng(0), self.batch * self.batches
        if self.words:
            text = rng.integers(0, self.features, size=(samples, self.steps + 1))
            return text[:, :-1].astype("int32"), text[:, 1:].astype("int32")
        x = rng.normal(size=(samples, self.steps, self.features)).astype("float32")
        if any(layer.kind == "Repeat" for layer in self.layers):
            return x, x
        return x, np.tanh(x.mean(axis=(1, 2)) * np.sqrt(self.steps))[:, None].astype("float32")


def _last(kind, units):
    return (Layer(kind, units, sequences=False), Layer("Dense", 1))


JOBS = (
    Job("a", "the airline: LSTM(4), stateful", 1, 3, 1, _last("LSTM", 4), 92, 50, None, True),
    Job("b", "LSTM(64)", 64, 50, 8, _last("LSTM", 64), 20, 2, 1.5),
    Job("c", "the stocks: LSTM(64), stateful", 400, 1, 8, _last("LSTM", 64), 250, 2.5, None, True),
    Job("d", "LSTM(32), long", 1, 1000, 8, _last("LSTM", 32), 20, 7, 5),
    Job("d", "GRU(32), long", 1, 1000, 8, _last("GRU", 32), 20, 7, 5),
    Job("e", "2 x LSTM(256)", 64, 200, 32, (Layer("LSTM", 256), *_last("LSTM", 256)), 4, 1.1, 1.0),
    Job("f", "LSTM(512)", 32, 100, 128, _last("LSTM", 512), 4, 1.1, 1.0),
    Job("f", "GRU(512)", 32, 100, 128, _last("GRU", 512), 4, 1.1, 1.0),
    Job(
        *("g", "the word model", 32, 50, 10_000),
        (
            Layer("Embedding", 128),
            *(Layer("GRU", 512), Layer("GRU", 128)),
            Layer("Dense", 10_000),
        ),
        *(2, 1.3),
    ),
    Job("h", "a live step of LSTM(64)", 1, 1, 8, _last("LSTM", 64), 1, None, 15, True),
    Job(
        *("i", "the tanks' autoencoder", 128, 48, 2),
        (
            *(Layer("LSTM", 64), Layer("LSTM", 64), Layer("LSTM", 64, sequences=False)),
            Layer("Repeat", 48),
            *(Layer("LSTM", 64), Layer("LSTM", 64), Layer("LSTM", 64)),
            Layer("Dense", 2),
        ),
        *(8, 2),
    ),
)
# The word model has an aim of its own against the Keras backends.
WORDS_AGAINST_KERAS = 8

# Job j: one size is varied, the others stay.
USUAL = {"batch": 16, "steps": 100, "units": 64}
SWEEPS = {
    "steps": (10, 30, 100, 300, 1000, 3000, 10_000),
    "batch": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
    "units": (4, 8, 16, 32, 64, 128, 256, 512, 1024),
}


def sweep_job(name: str, value: int) -> Job:
    """Return the job of one point of a curve of job j."""
    sizes = USUAL | {name: value}
    layers = _last("LSTM", sizes["units"])
    return Job("j", f"{name} {value}", sizes["batch"], sizes["steps"], 8, layers, 2, 1.0)


def label(job: Job) -> str:
    """Return a name that tells the job from all others."""
    return f"{job.letter} {job.title}"


BY_LABEL = {label(job): job for job in JOBS}
