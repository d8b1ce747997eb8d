"""The programs of a model whose batches are shared out: what they give stays where it belongs.

XLA would choose for itself where the results of a program lie: rows of a state in one place, say,
or a weight in parts. Then the next call would be another program, or would move them back.
"""

from collections.abc import Callable

from statewise.models.training.carried import Carried
from statewise.models.training.shares import Shares


def train_in_place(function: Callable, model, shares: Shares) -> Callable:
    """Return the program of a training, whose variables and states stay in their places."""

    def train(*args, batch_size):
        (trained, others, optimizer, metrics), logs = function(*args, batch_size=batch_size)
        state = (
            shares.keep_variables(trained, model.trainable_variables),
            _others(others, model, shares, batch_size),
            shares.keep_variables(optimizer, model.optimizer.variables),
            shares.keep_variables(metrics, model.metrics_variables),
        )
        return state, shares.everywhere(logs)

    return train


def test_in_place(function: Callable, model, shares: Shares) -> Callable:
    """Return the program of an evaluation, likewise."""

    def test(*args, batch_size):
        (others, metrics), logs = function(*args, batch_size=batch_size)
        metrics = shares.keep_variables(metrics, model.metrics_variables)
        return (_others(others, model, shares, batch_size), metrics), shares.everywhere(logs)

    return test


def predict_in_place(function: Callable, model, shares: Shares) -> Callable:
    """Return the program of a prediction, whose outputs stay with their rows."""

    def predict(trainable, carried, data, steps, *, batch_size):
        carried, outputs = function(trainable, carried, data, steps, batch_size=batch_size)
        return _others(carried, model, shares, batch_size), outputs

    return predict


def _others(others, model, shares: Shares, size: int):
    """Keep in place what is carried beside the trained variables."""
    if not isinstance(others, Carried):
        return shares.keep_variables(others, model.non_trainable_variables)
    variables = shares.keep_variables(others.variables, model.non_trainable_variables)
    return Carried(variables, shares.keep_rows(others.states, size), others.layers)
