"""A state is a value: nobody changes it, equal ones are equal, and names say what is what."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.models import State, concatenate


@pytest.fixture
def model():
    return Sequential([layers.Input((None, 2)), layers.LSTM(3, name="lstm"), layers.Dense(1)])


def random_arrays(rng, names=("h", "c"), samples=2):
    return {name: rng.normal(size=(samples, 3)).astype("float32") for name in names}


def reversed_names(state: State) -> State:
    return State({n: dict(reversed(state[n].items())) for n in reversed(list(state))})


def test_arrays_go_by_their_names_not_by_their_order(model, rng):
    arrays, x = random_arrays(rng), rng.normal(size=(2, 4, 2)).astype("float32")
    one = State({"lstm": arrays})
    other = reversed_names(one)
    np.testing.assert_array_equal(model.step(x, one)[0], model.step(x, other)[0])
    np.testing.assert_array_equal(
        model.warm_up(x, one)["lstm"]["c"], model.warm_up(x, other)["lstm"]["c"]
    )
    model.set_state(other)
    assert model.get_state() == one
    np.testing.assert_array_equal(model.get_state()["lstm"]["h"], arrays["h"])
    feed = {"feed_back": lambda output, step: jnp.repeat(output, 2, axis=1)}
    np.testing.assert_array_equal(
        model.forecast(x, 3, window=None, state=one, **feed),
        model.forecast(x, 3, window=None, state=other, **feed),
    )


def test_rows_of_a_state_with_its_names_in_another_order(rng):
    one = State({"a": random_arrays(rng), "b": random_arrays(rng)})
    other = State({"a": random_arrays(rng), "b": random_arrays(rng)})
    assert concatenate([one, reversed_names(other)]) == concatenate([one, other])
    replaced = one.with_rows([0], reversed_names(other).rows([1]))
    assert replaced == one.with_rows([0], other.rows([1]))
    np.testing.assert_array_equal(replaced["b"]["c"][0], other["b"]["c"][1])


def test_a_state_is_changed_by_nobody(rng):
    arrays = random_arrays(rng)
    state, before = State({"lstm": arrays}), arrays["h"].copy()
    with pytest.raises(TypeError, match="does not support item assignment"):
        state["lstm"]["h"] = before + 1
    with pytest.raises(TypeError, match="does not support item"):
        del state["lstm"]["h"]
    with pytest.raises(ValueError, match="read-only"):
        state["lstm"]["h"][0] = 1
    with pytest.raises(ValueError, match="read-only"):
        state.numpy()["lstm"]["h"][0] = 1
    arrays["h"] += 1  # the caller's own array is not the state's
    np.testing.assert_array_equal(state["lstm"]["h"], before)
    shared = np.zeros((4, 3), "float32")
    state = State({"lstm": {"h": shared[:2]}})
    shared += 1
    assert not state["lstm"]["h"].any()


def test_equal_states_are_equal(rng):
    arrays = {"lstm": random_arrays(rng), "gru": random_arrays(rng, ["h"])}
    arrays["gru"]["h"][0, 0] = np.nan
    state = State(arrays)
    same = [
        State(arrays),
        state.numpy(),
        reversed_names(state),
        jax.tree.map(jnp.asarray, state),
        copy.deepcopy(state),
        pickle.loads(pickle.dumps(state)),
    ]
    for other in same:
        assert state == other
        assert other == state
    changed = copy.deepcopy(arrays)
    changed["lstm"]["c"][1, 2] += 1
    different = [
        State(changed),
        State({"lstm": arrays["lstm"]}),
        state.rows([0]),
        state.rows([1, 0]),
        jax.tree.map(lambda a: a.astype("float16"), state.numpy()),
        State({"other": arrays["lstm"], "gru": arrays["gru"]}),
        {name: dict(values) for name, values in state.items()},
        None,
    ]
    for other in different:
        assert state != other
        assert other != state


def test_short_floats_are_compared_too():
    state = State({"gru": {"h": jnp.ones((2, 3), "bfloat16")}})
    assert state == state.numpy()
    assert state != State({"gru": {"h": jnp.zeros((2, 3), "bfloat16")}})


@pytest.mark.parametrize("state", [lambda h: [h, h], lambda h: h, lambda h: h[0]])
def test_a_state_where_rows_are_expected(model, state, rng):
    h = rng.normal(size=(2, 3))
    model.step(rng.normal(size=(2, 4, 2)))
    kept = model.get_state()
    for reset in (model.reset_states, model.layers[0].reset_states, model.layers[0].reset_state):
        with pytest.raises(TypeError, match=r"rows to reset.*model\.set_state\(state\)"):
            reset(state(h))
    with pytest.raises(TypeError, match="set_state"):
        model.layers[0].reset_states(states=state(h))
    assert model.get_state() == kept


def test_the_same_before_there_is_a_state():
    layer = layers.LSTM(3)
    with pytest.raises(TypeError, match="set_state"):
        layer.reset_states([np.zeros((2, 3)), np.zeros((2, 3))])
