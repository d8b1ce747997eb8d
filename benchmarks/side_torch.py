"""The jobs in plain PyTorch, as a careful user writes them: eager, and through torch.compile."""

import time

import numpy as np

SIDES = ("PyTorch", "PyTorch compiled")


class Side:
    """A job's model, built on one side.

    Args:
        side: its name.
        job: the job.
    """

    def __init__(self, side: str, job):
        begun = time.perf_counter()
        import torch

        self.import_seconds = time.perf_counter() - begun
        self._torch, self._job = torch, job
        torch.manual_seed(0)
        self.network = _network(torch, job)
        _set_weights(torch, self.network, job)
        self._place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network.to(self._place)
        self._run = torch.compile(self.network) if side == "PyTorch compiled" else self.network
        self._optimizer = torch.optim.Adam(self.network.parameters(), lr=0.001, eps=1e-7)
        self._states = None

    def trace_and_compile(self) -> None:
        """Return None: what it does before it runs isn't told apart."""

    def epoch(self, x, y) -> float:
        """Train for an epoch; the state is carried where the job says so. Return the mean loss."""
        torch, job = self._torch, self._job
        x, y = (torch.from_numpy(array).to(self._place) for array in (x, y))
        y = y.long() if job.words else y
        states, total = None, 0.0
        for first in range(0, len(x), job.batch):
            rows = slice(first, first + job.batch)
            outputs, states = self._run(x[rows], states)
            if job.words:
                loss = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y[rows].flatten())
            else:
                loss = torch.nn.functional.mse_loss(outputs, y[rows])
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            states = _detached(states) if job.stateful else None
            total += loss.detach()
        return float(total) / (len(x) // job.batch)

    def ways_to_predict(self, x) -> dict:
        """Return the one way to compute the outputs for a batch."""

        def forward():
            with self._torch.inference_mode():
                given = self._torch.from_numpy(x).to(self._place)
                outputs, states = self._run(given, self._states)
            self._states = states if self._job.stateful else None
            return outputs.cpu().numpy()

        return {"forward": forward}


def _network(torch, job):
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            size, made = job.features, []
            for layer in job.layers:
                if layer.kind == "Embedding":
                    made.append(nn.Embedding(size, layer.units))
                elif layer.kind == "Dense":
                    made.append(nn.Linear(size, layer.units))
                elif layer.kind == "Repeat":
                    made.append(nn.Identity())
                    continue
                else:
                    made.append(getattr(nn, layer.kind)(size, layer.units, batch_first=True))
                size = layer.units
            self.made = nn.ModuleList(made)

        def forward(self, hidden, states=None):
            after = []
            for i, (layer, made) in enumerate(zip(job.layers, self.made, strict=True)):
                if layer.kind in ("LSTM", "GRU"):
                    hidden, state = made(hidden, states[i] if states else None)
                    hidden = hidden if layer.sequences else hidden[:, -1]
                    after.append(state)
                else:
                    if layer.kind == "Repeat":
                        hidden = hidden[:, None].expand(-1, layer.units, -1)
                    hidden = made(hidden)
                    after.append(None)
            return hidden, after

    return Network()


def _detached(states):
    if isinstance(states, (list, tuple)):
        return (
            [_detached(state) for state in states]
            if isinstance(states, list)
            else tuple(state.detach() for state in states)
        )
    return None if states is None else states.detach()


def _set_weights(torch, network, job):
    """Give the network Keras's arrays; PyTorch transposes them and puts the reset gate first."""
    arrays = iter(job.weights())
    with torch.no_grad():
        for layer, made in zip(job.layers, network.made, strict=True):
            if layer.kind == "Repeat":
                continue
            if layer.kind == "Embedding":
                values = [next(arrays)]
            elif layer.kind == "Dense":
                values = [next(arrays).T, next(arrays)]
            else:
                kernel, recurrent, bias = (next(arrays) for _ in range(3))
                pair = bias if layer.kind == "GRU" else np.stack([bias, np.zeros_like(bias)])
                values = [kernel.T, recurrent.T, *pair]
                if layer.kind == "GRU":
                    values = [_reset_first(value, layer.units) for value in values]
            for parameter, value in zip(made.parameters(), values, strict=True):
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
            if layer.kind == "LSTM":  # Keras trains one bias, not the sum of two
                made.bias_hh_l0.requires_grad_(False)


def _reset_first(array, units):
    update, reset, candidate = (array[i * units : (i + 1) * units] for i in range(3))
    return np.concatenate([reset, update, candidate])
