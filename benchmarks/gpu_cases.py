"""What is measured on a GPU: networks and single layers, and how each side runs one."""

import dataclasses
import os
import time

import numpy as np

import jobs
from measure import repeated

SIZE = {"batch": 16, "steps": 1024, "units": 768}
SMALL = {"batch": 2, "steps": 6, "units": 8}


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured: a job's network, or a layer alone, for which dtype is given."""

    job: jobs.Job
    dtype: str | None = None
    masked: bool = False

    @property
    def name(self) -> str:
        if self.dtype is None:
            return jobs.label(self.job)
        return f"{self.job.title}, {self.dtype}{', masked' if self.masked else ''}"


def cases(small: bool) -> dict[str, Case]:
    """Return all cases by their names, the layers first."""
    size, found = SMALL if small else SIZE, []
    for kind in ("LSTM", "GRU"):
        layer = (jobs.Layer(kind, size["units"]),)
        title = f"{kind}({size['units']}), batch {size['batch']}, {size['steps']} steps"
        job = jobs.Job("l", title, size["batch"], size["steps"], size["units"], layer, 1)
        for dtype in ("float32", "bfloat16"):
            found += [Case(job, dtype, masked) for masked in (False, True)]
    for job in jobs.JOBS:
        if job.letter in "bdefg":
            found.append(Case(_smaller(job) if small else job))
    return {case.name: case for case in found}


def _smaller(job: jobs.Job) -> jobs.Job:
    words = job.words
    layers = [layer._replace(units=min(layer.units, 8)) for layer in job.layers]
    if words:  # a probability for each word
        layers[-1] = layers[-1]._replace(units=20)
    features = 20 if words else min(job.features, 8)
    small = {"batch": min(job.batch, 2), "steps": 5, "features": features, "batches": 2}
    return dataclasses.replace(job, layers=tuple(layers), **small)


def lengths_of(case: Case) -> np.ndarray | None:
    """Return how long each sequence is, or None where none is padded."""
    if not case.masked:
        return None
    steps = case.job.steps
    return np.random.default_rng(2).integers(max(1, steps // 3), steps + 1, case.job.batch)


def inputs_of(case: Case) -> np.ndarray:
    """Return a layer's inputs ``(batch, time, features)``."""
    job = case.job
    return np.random.default_rng(0).normal(size=(job.batch, job.steps, job.features))


def _network(case: Case, side: str, kind: str, seconds: float) -> dict:
    """Measure a network: its first epoch, a training step, a forward pass."""
    import side_keras
    import side_torch

    names = {"statewise's kernels": "statewise"}
    made = (side_torch if kind == "torch" else side_keras).Side(names.get(side, side), case.job)
    x, y = case.job.data()
    begun = time.perf_counter()
    value = made.epoch(x, y)
    found = {"first": time.perf_counter() - begun, "value": value}
    found["both"] = repeated(lambda: made.epoch(x, y), seconds) / case.job.batches
    ways = made.ways_to_predict(x[: case.job.batch])
    forward = ways.get("predict_on_batch") or ways["forward"]
    forward()
    return found | {"forward": repeated(forward, seconds)}


def _keras_layer(case: Case, side: str, seconds: float) -> dict:
    """Measure a layer of Keras or ours, forward and with its gradients."""
    os.environ["KERAS_BACKEND"] = "jax"
    if side == "Keras on JAX":
        from keras import layers
    else:
        from statewise import layers
    import jax
    import jax.numpy as jnp

    job, (kind, units, _) = case.job, case.job.layers[0]
    # Zeros, which are replaced: Keras's own way to begin has no 16 bits.
    options = {"return_sequences": True, "recurrent_initializer": "zeros", "dtype": case.dtype}
    layer = getattr(layers, kind)(units, **options)
    layer.build((job.batch, job.steps, job.features))
    layer.set_weights(job.weights())
    x, lengths = jnp.asarray(inputs_of(case), case.dtype), lengths_of(case)
    mask = None if lengths is None else jnp.arange(job.steps) < jnp.asarray(lengths)[:, None]
    fixed = [v.value for v in layer.non_trainable_variables]

    def forward(weights, x):
        return layer.stateless_call(weights, fixed, x, mask=mask)[0]

    def loss(weights, x):
        outputs = forward(weights, x).astype("float32")
        return jnp.sum(outputs if mask is None else jnp.where(mask[..., None], outputs, 0))

    weights = [v.value for v in layer.trainable_variables]
    runs = jax.jit(forward), jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    run = [lambda f=f: jax.block_until_ready(f(weights, x)) for f in runs]
    return _timed_layer(*run, lambda found: float(found[0]), seconds)


def _torch_layer(case: Case, seconds: float) -> dict:
    """Measure a layer of PyTorch, forward and with its gradients."""
    import torch

    import side_torch

    job = case.job
    place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    made = side_torch.Side("PyTorch", job)
    dtype = getattr(torch, case.dtype)
    layer = made.network.made[0].to(dtype)
    x = torch.from_numpy(inputs_of(case)).to(place, dtype).requires_grad_()
    lengths = lengths_of(case)

    def outputs():
        if lengths is None:
            return layer(x)[0]
        kept = {"batch_first": True, "enforce_sorted": False}
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(lengths), **kept)
        given = {"batch_first": True, "total_length": job.steps}
        return torch.nn.utils.rnn.pad_packed_sequence(layer(packed)[0], **given)[0]

    def done(value):
        if place.type == "cuda":
            torch.cuda.synchronize()
        return value

    def forward():
        with torch.inference_mode():
            return done(outputs())

    def both():
        layer.zero_grad()
        x.grad = None
        total = outputs().float().sum()
        total.backward()
        return done(total.detach())

    return _timed_layer(forward, both, float, seconds)


def _timed_layer(forward, both, value, seconds: float) -> dict:
    begun = time.perf_counter()
    forward()
    found = {"first": time.perf_counter() - begun, "value": value(both())}
    return found | {"forward": repeated(forward, seconds), "both": repeated(both, seconds)}


def measure(case: Case, side: str, kind: str, seconds: float) -> dict:
    """Return what a case takes on a side: seconds forward, for both, and for the first time."""
    if case.dtype is None:
        return _network(case, side, kind, seconds)
    if kind == "torch":
        return _torch_layer(case, seconds)
    return _keras_layer(case, side, seconds)
