"""The same character model on several sides: an epoch of training, and text that is written.

    python benchmarks/text_sides.py --serve SIDE SIZES

is started by the text benchmarks; SIZES is JSON: layers, units, embedding, tokens, lanes, steps,
batches, length. "train" runs an epoch of so many batches of random tokens, the state carried, with
AdamW and clipped gradients, and returns its loss; "write" writes so many tokens from one prompt.
"""

import json
import os
import sys

import numpy as np

from in_turn import serve

SIDES = ("statewise", "PyTorch", "Keras on JAX", "Keras on TensorFlow")
RATE, CLIP, DECAY = 0.001, 1.0, 0.01


def data(sizes):
    """Return tokens (batches, lanes, steps + 1): each lane goes on from batch to batch."""
    rng = np.random.default_rng(0)
    length = sizes["batches"] * sizes["steps"] + 1
    text = rng.integers(0, sizes["tokens"], (sizes["lanes"], length)).astype("int32")
    starts = np.arange(sizes["batches"]) * sizes["steps"]
    return np.stack([text[:, i : i + sizes["steps"] + 1] for i in starts])


class Ours:
    """statewise: lanes, the compiled epoch, and its closed loop."""

    def __init__(self, sizes):
        from statewise import sequences
        from statewise.tasks.text.fitted import Learned
        from statewise.tasks.text.network import Plan, network
        from statewise.tasks.text.tokens import Tokens
        from statewise.tasks.text.training import Schedule, train

        # isort: split
        import keras

        shape = sizes["embedding"], "lstm", sizes["units"], sizes["layers"]
        plan = Plan(sizes["tokens"], *shape, 0.0, 0.0, False, False, 0)
        self._sizes, self._model = sizes, network(plan)
        names = [chr(i) for i in range(1, sizes["tokens"])]
        tokens = Tokens("char", names, [0] * sizes["tokens"])
        self._learned = Learned(plan, tokens, self._model)
        batches = data(sizes)
        lanes = np.concatenate([*batches[..., :-1].transpose(0, 2, 1), batches[-1][:, -1:].T])
        self._lanes = sequences.lanes(list(lanes.T), lanes=sizes["lanes"], steps=sizes["steps"])
        schedule = Schedule(1, RATE, DECAY, CLIP, None)
        train(self._model, self._lanes, None, schedule, lambda *_: None)  # compiled, and compiles
        self._model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            optimizer=keras.optimizers.AdamW(RATE, DECAY, global_clipnorm=CLIP),
        )

    def train(self):
        """Run an epoch."""
        return self._model.fit(self._lanes, verbose=0).history["loss"][-1]

    def write(self):
        """Write from one prompt; the loop is what `TextGenerator.generate` takes."""
        return self._written(self._learned.loop)

    def write_compiled(self):
        """The same by the program that XLA compiles."""
        from statewise.tasks.text.loops import CompiledLoop

        self._compiled = getattr(self, "_compiled", None) or CompiledLoop(self._learned.passes)
        return self._written(self._compiled)

    def _written(self, loop):
        from statewise.tasks.text.drawing import Drawing
        from statewise.tasks.text.writing import written

        options = {"length": self._sizes["length"], "drawing": Drawing(), "stops": (), "seed": 0}
        tokens = self._learned.tokens
        rows = written(loop, tokens, [np.arange(1, 20)], **options)
        return float(sum(len(row[0]) for row in rows))


class Torch:
    """Plain PyTorch, as a careful user writes it."""

    def __init__(self, sizes):
        import torch

        self._torch, self._sizes = torch, sizes
        torch.manual_seed(0)
        nn = torch.nn
        shape = sizes["embedding"], sizes["units"], sizes["layers"]
        self._embed = nn.Embedding(sizes["tokens"], sizes["embedding"])
        self._lstm = nn.LSTM(*shape, batch_first=True)
        self._dense = nn.Linear(sizes["units"], sizes["tokens"])
        self._parts = nn.ModuleList([self._embed, self._lstm, self._dense])
        self._optimizer = torch.optim.AdamW(self._parts.parameters(), RATE, weight_decay=DECAY)
        self._data = torch.from_numpy(data(sizes)).long()

    def train(self):
        """Run an epoch, the state carried."""
        torch, state, total = self._torch, None, 0.0
        for batch in self._data:
            hidden, state = self._lstm(self._embed(batch[:, :-1]), state)
            state = tuple(array.detach() for array in state)
            scores = self._dense(hidden).flatten(0, 1)
            loss = torch.nn.functional.cross_entropy(scores, batch[:, 1:].flatten())
            self._optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._parts.parameters(), CLIP)
            self._optimizer.step()
            total += float(loss.detach())
        return total / len(self._data)

    def write(self):
        """Write from one prompt, a token at a time."""
        torch = self._torch
        with torch.inference_mode():
            hidden, state = self._lstm(self._embed(torch.arange(1, 20)[None]))
            for _ in range(self._sizes["length"]):
                scores = self._dense(hidden[:, -1])
                token = torch.multinomial(torch.softmax(scores, -1), 1)
                hidden, state = self._lstm(self._embed(token), state)
        return float(self._sizes["length"])


class Keras:
    """Stock Keras: stateful layers, `fit` without shuffling."""

    def __init__(self, sizes):
        import keras

        keras.utils.set_random_seed(0)
        kinds, lanes = keras.layers, sizes["lanes"]
        stack = [kinds.Input(batch_shape=(lanes, sizes["steps"]), dtype="int32")]
        stack.append(kinds.Embedding(sizes["tokens"], sizes["embedding"]))
        options = {"return_sequences": True, "stateful": True}
        stack += [kinds.LSTM(sizes["units"], **options) for _ in range(sizes["layers"])]
        self._model = keras.Sequential([*stack, kinds.Dense(sizes["tokens"])])
        self._model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            optimizer=keras.optimizers.AdamW(RATE, DECAY, global_clipnorm=CLIP),
        )
        batches = data(sizes)
        flat = batches.reshape(-1, batches.shape[-1])
        self._x, self._y, self._lanes = flat[:, :-1], flat[:, 1:], lanes

    def train(self):
        """Run an epoch, the state carried."""
        options = {"batch_size": self._lanes, "shuffle": False, "verbose": 0}
        loss = self._model.fit(self._x, self._y, **options).history["loss"][-1]
        for layer in self._model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()
        return loss


def main():
    _, _, name, sizes = sys.argv
    os.environ["KERAS_BACKEND"] = "tensorflow" if name.endswith("TensorFlow") else "jax"
    kind = {"statewise": Ours, "PyTorch": Torch}.get(name, Keras)
    side = kind(json.loads(sizes))
    names = [n for n in ("train", "write", "write_compiled") if hasattr(side, n)]
    serve({n: getattr(side, n) for n in names})


if __name__ == "__main__":
    main()
