"""Streams in memory can be pickled and copied; what holds a store open says why it can't."""

import copy
import pickle

import numpy as np
import pytest

from forked import X, network
from statewise.streams import Streams


def test_streams_go_on_in_a_copy_as_they_would_have():
    model = network()
    model.compile(loss="mse", optimizer="sgd")
    streams = Streams(model, unknown="raise", missing="carry", history=2)
    streams.join(["a", 1])
    streams.push({"a": X[0], 1: X[1, 0]})
    handle = streams["a"]
    restored, its_handle = pickle.loads(pickle.dumps((streams, handle)))
    copied = copy.deepcopy(streams)
    assert its_handle._streams is restored
    for other in (restored, copied):
        assert other.keys() == ["a", 1]
        assert other.model is not model
        assert (other.steps("a"), other.steps(1)) == (5, 1)
        for x in (X[2, 0], [np.nan, 0]):
            np.testing.assert_array_equal(
                other.peek({"a": x, 1: X[2, 1]})["a"], streams.peek({"a": x, 1: X[2, 1]})["a"]
            )
        with pytest.raises(KeyError, match="No such key: 'b'"):
            other.push({"b": X[0]})
    logs = [s.learn({"a": (X[2, 0], X[2, 1])})["loss"] for s in (streams, restored)]  # looks back
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)
    np.testing.assert_allclose(handle.push(X[1, 1]), its_handle.push(X[1, 1]), atol=1e-6)
    assert copied.steps("a") == 5


def test_an_open_store_says_why_it_can_t_be_pickled(tmp_path):
    with Streams(network(), store=tmp_path / "a.db") as streams:
        streams.push({"a": X[0]})
        for what in (streams, streams["a"]):
            with pytest.raises(TypeError, match="which one process at a time has open, so they"):
                pickle.dumps(what)
        for call in (pickle.dumps, copy.deepcopy, copy.copy):
            with pytest.raises(TypeError, match="is open in this process, so it can't be pickled"):
                call(streams._states.store)
