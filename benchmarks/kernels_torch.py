"""PyTorch's side of ``kernels.py``, in a process of its own: one line of JSON in, one out."""

import json
import sys
import time
from types import SimpleNamespace

import torch


def stack_of(cell, features, units):
    """Return layers of ``torch.nn``, batch first; equal ones as one module, as PyTorch has it."""
    kind = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "SimpleRNN": torch.nn.RNN}[cell]
    if len(set(units)) == 1:
        return [kind(features, units[0], len(units), batch_first=True)]
    widths = zip((features, *units), units, strict=False)
    return [kind(*width, batch_first=True) for width in widths]


def passes(cell, batch, steps, features, units):
    """Return a function for each pass."""
    torch.manual_seed(0)
    stack, x = stack_of(cell, features, units), torch.randn(batch, steps, features) * 0.3
    parameters = [p for module in stack for p in module.parameters()]

    def run():
        y = x
        for module in stack:
            y, _ = module(y)
        return y

    def forward():
        with torch.inference_mode():
            return run()

    def gradient():
        for parameter in parameters:
            parameter.grad = None
        (run() ** 2).sum().backward()

    return {"forward": forward, "gradient": gradient}


class Clocks:
    """What is being measured now."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.functions, self.counts = {}, {}

    def prepare(self, functions):
        self.functions = functions
        for kind, function in functions.items():
            function()
            function()
            self.counts[kind] = max(1, int(self.seconds / self.measure(kind, 1)))

    def measure(self, kind, count=None):
        """Return the time of one call."""
        function, count = self.functions[kind], count or self.counts[kind]
        start = time.perf_counter()
        for _ in range(count):
            function()
        return (time.perf_counter() - start) / count


def answer(clocks, question, words):
    """Return what a question asks for."""
    if question == "version":
        return torch.__version__
    if question == "measure":
        return clocks.measure(*words)
    if question == "prepare product":
        a = torch.ones(words[0], words[0])
        return clocks.prepare({"product": lambda: a @ a})
    return clocks.prepare(passes(*words))


def main():
    threads, seconds = sys.argv[1:]
    torch.set_num_threads(int(threads))
    clocks = Clocks(float(seconds))
    for line in sys.stdin:
        question, *words = json.loads(line)
        try:
            reply = SimpleNamespace(answer=answer(clocks, question, words))
        except Exception as error:
            reply = SimpleNamespace(error=f"{type(error).__name__}: {error}")
        print(json.dumps(vars(reply)), flush=True)


if __name__ == "__main__":
    main()
