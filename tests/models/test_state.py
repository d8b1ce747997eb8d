"""A state is a value: read, set, saved, cut into rows, carried to another batch size."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statewise as sw
from statewise import layers
from statewise.models import State, concatenate, load_state
from statewise.sequences import lanes


def make(kind="plain", stateful=False):
    keras.utils.set_random_seed(4)
    inputs = layers.Input((None, 2))
    if kind == "plain":
        x = layers.LSTM(4, return_sequences=True, stateful=stateful, name="lstm")(inputs)
    elif kind == "stack":
        cells = [layers.LSTMCell(3), layers.GRUCell(4)]
        x = layers.RNN(cells, return_sequences=True, stateful=stateful, name="stack")(inputs)
    elif kind == "nested":
        inner = sw.Sequential(
            [
                layers.Input((None, 2)),
                layers.GRU(3, return_sequences=True, stateful=stateful, name="gru"),
            ],
            name="encoder",
        )
        x = layers.SimpleRNN(4, return_sequences=True, stateful=stateful, name="rnn")(inner(inputs))
    return sw.Model(inputs, layers.TimeDistributed(layers.Dense(1))(x))


@pytest.fixture
def tanks(rng):
    return rng.normal(size=(4, 6, 2)).astype("float32")


@pytest.mark.parametrize("kind", ["plain", "stack", "nested"])
@pytest.mark.parametrize("stateful", [False, True])
def test_any_cut_of_the_sequence_gives_the_same(kind, stateful, tanks):
    model = make(kind, stateful)
    whole, end = model.step(tanks, model.initial_state(4))
    for cut in (1, 4):
        first, state = model.step(tanks[:, :cut], model.initial_state(4))
        second, state = model.step(tanks[:, cut:], state)
        np.testing.assert_allclose(
            np.concatenate([first, second], axis=1), whole, rtol=1e-5, atol=1e-6
        )
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), state, end)
    with pytest.raises(ValueError, match="keeps no state"):
        model.get_state()  # a given state leaves no trace


@settings(deadline=None, max_examples=15)
@given(rows=st.lists(st.integers(0, 3), min_size=1, max_size=6), cut=st.integers(1, 5))
def test_any_rows_go_on_in_any_batch(rows, cut):
    tanks = np.random.default_rng(0).normal(size=(4, 6, 2)).astype("float32")
    model = _shared_model()
    whole, _ = model.step(tanks, model.initial_state(4))
    _, state = model.step(tanks[:, :cut], model.initial_state(4))
    got, _ = model.step(tanks[rows][:, cut:], state.rows(rows))
    np.testing.assert_allclose(got, np.asarray(whole)[rows][:, cut:], rtol=1e-5, atol=1e-6)


def _shared_model(made=[]):  # noqa: B006
    if not made:
        made.append(make())
    return made[0]


def test_a_state_prints_legibly():
    assert str(make("nested").initial_state(32)) == (
        "State of 32 samples\n  encoder/gru  h (32, 3)\n  rnn          h (32, 4)"
    )
    assert str(make("stack").initial_state(1)) == (
        "State of 1 sample\n  stack  0.h (1, 3)  0.c (1, 3)  1.h (1, 4)"
    )


def test_the_kept_state_serves_step_and_is_set_and_read(tanks):
    model = make()
    whole, _ = model.step(tanks, model.initial_state(4))
    first, _ = model.step(tanks[:, :2])
    kept = model.get_state()
    second, _ = model.step(tanks[:, 2:])
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, rtol=1e-5, atol=1e-6)
    model.set_state(kept)
    np.testing.assert_allclose(model.step(tanks[:, 2:])[0], second, rtol=1e-5, atol=1e-6)
    model.reset_states()
    np.testing.assert_allclose(model.step(tanks[:, :2])[0], first, rtol=1e-5, atol=1e-6)
    model.reset_states(rows=[0])
    again = np.asarray(model.step(tanks[:, :2])[0])
    np.testing.assert_allclose(again[0], first[0], rtol=1e-5, atol=1e-6)
    assert np.abs(again[1:] - np.asarray(first)[1:]).max() > 1e-4


def test_a_set_state_serves_predict_of_a_stateful_model(tanks):
    model = make(stateful=True)
    whole = model.predict(tanks, verbose=0)
    model.set_state(model.warm_up(tanks[:, :3]))
    np.testing.assert_allclose(
        model.predict(tanks[:, 3:], verbose=0), whole[:, 3:], rtol=1e-5, atol=1e-6
    )


def test_trained_with_one_batch_size_predicts_with_any_other(tanks):
    model = make(stateful=True)
    model.compile(loss="mse", optimizer="adam")
    model.fit(tanks, tanks[..., :1], batch_size=4, verbose=0)
    model.reset_states()
    one = [model.predict(tank[None], verbose=0) for tank in tanks[:1]]
    state = model.get_state()
    model.reset_states()
    whole = model.predict(tanks, verbose=0)
    np.testing.assert_allclose(one[0][0], whole[0], rtol=1e-5, atol=1e-6)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), state, model.get_state().rows([0])
    )


def test_forecast_begins_where_a_state_says(tanks):
    keras.utils.set_random_seed(0)
    model = sw.Sequential([layers.Input((None, 2)), layers.LSTM(2, return_sequences=True)])
    expected = model.forecast(tanks, 3)
    got = model.forecast(tanks[:, 4:], 3, state=model.warm_up(tanks[:, :4]))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="shown windows of 2 steps"):
        model.forecast(tanks, 3, window=2, state=model.initial_state(4))


def test_rows_replace_and_concatenate(tanks):
    model = make()
    state = model.warm_up(tanks)
    both = concatenate([state.rows([0, 1]), state.rows([2, 3])])
    jax.tree.map(np.testing.assert_array_equal, both, state)
    swapped = state.with_rows([0, 3], state.rows([3, 0]))
    jax.tree.map(np.testing.assert_array_equal, swapped.rows([3, 1, 2, 0]), state)
    jax.tree.map(np.testing.assert_array_equal, state.rows(2), state.rows([2]))
    with pytest.raises(IndexError, match="state has 4 samples"):
        state.rows([4])
    with pytest.raises(ValueError, match="2 rows are to be replaced by 1 samples"):
        state.with_rows([0, 1], state.rows([0]))
    with pytest.raises(ValueError, match="agree in their samples"):
        State({"a": {"h": jnp.zeros((2, 1)), "c": jnp.zeros((3, 1))}})


def test_what_does_not_fit_is_said(tanks):
    model = make()
    with pytest.raises(ValueError, match=r"state is of 4 samples, but 2 came\. Either take the"):
        model.step(tanks[:2], model.initial_state(4))
    model.step(tanks)
    with pytest.raises(ValueError, match="carries the state of a batch of 4 samples, but 2 came"):
        model.step(tanks[:2])
    other = make("nested").initial_state(4)
    with pytest.raises(
        ValueError, match=r"another model\. lstm\.h: expected \(batch, 4\) float32, got nothing"
    ):
        model.step(tanks, other)
    with pytest.raises(ValueError, match="isn't built yet"):
        sw.Sequential([layers.LSTM(2)]).initial_state(3)
    both = sw.Sequential([layers.Input((None, 2)), layers.Bidirectional(layers.GRU(1))])
    with pytest.raises(ValueError, match=r"\(Bidirectional\) needs several time steps at once"):
        both.initial_state(3)


def test_steps_inside_jit_and_grad(tanks):
    model = make()

    @jax.jit
    def total(state):
        outputs, state = model.step(jnp.asarray(tanks), state)
        return outputs.sum()

    slope = jax.grad(total)(model.initial_state(4))
    assert isinstance(slope, State)
    assert np.abs(slope["lstm"]["c"]).max() > 0


@pytest.mark.parametrize("kind", ["plain", "stack", "nested"])
def test_a_saved_model_gives_the_state_back_on_request(kind, tanks, tmp_path):
    model = make(kind, stateful=True)
    model.predict(tanks[:, :3], verbose=0)
    model.save(tmp_path / "with.keras", include_state=True)
    model.save(tmp_path / "without.keras")
    expected = model.predict(tanks[:, 3:], verbose=0)
    loaded = keras.saving.load_model(tmp_path / "with.keras")
    np.testing.assert_allclose(loaded.predict(tanks[:, 3:], verbose=0), expected, atol=1e-6)
    with pytest.raises(ValueError, match="keeps no state"):
        sw.load_model(tmp_path / "without.keras").get_state()


def test_a_state_file_of_its_own(tanks, tmp_path):
    model = make()
    model.step(tanks)
    path = tmp_path / "state.safetensors"
    model.save_state(path)
    other = make()
    other.load_state(path)
    np.testing.assert_allclose(other.step(tanks)[0], model.step(tanks)[0], atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]


def test_a_bad_state_file_is_refused_and_the_kept_state_stays(tanks, tmp_path):
    model = make()
    model.step(tanks)
    kept = model.get_state()
    path = tmp_path / "state.safetensors"
    model.save_state(path)
    content = path.read_bytes()
    for cut in (0, 5, 60, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(ValueError, match="may be cut short or of another kind"):
            model.load_state(path)
    with pytest.raises(FileNotFoundError):
        model.load_state(tmp_path / "no.safetensors")
    nested = make("nested")
    nested.step(tanks)
    nested.save_state(path)
    with pytest.raises(ValueError, match="another model"):
        model.load_state(path)
    jax.tree.map(np.testing.assert_array_equal, model.get_state(), kept)
    assert load_state(path).batch_size == 4


def test_a_failed_write_leaves_the_old_file(tanks, tmp_path, monkeypatch):
    model = make()
    model.step(tanks)
    path = tmp_path / "state.safetensors"
    model.save_state(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        model.save_state(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def shared_layer(**options):
    inputs = layers.Input((None, 2))
    shared = layers.GRU(2, return_sequences=True, name="shared", **options)
    return sw.Model(inputs, shared(shared(inputs)))


def test_a_layer_that_is_called_twice_has_no_one_state(tanks):
    model = shared_layer()
    message = "'shared' is called more than once in a call of the model"
    with pytest.raises(ValueError, match=message):
        model.step(tanks, model.initial_state(len(tanks)))
    with pytest.raises(ValueError, match=message):
        model.forecast(tanks, 2, window=None)
    # Windows are run from the initial state, so there it makes no difference.
    first = model.forecast(tanks, 2, window=3)[:, 0]
    expected = model.predict(tanks[:, -3:], verbose=0)[:, -1]
    np.testing.assert_allclose(first, expected, atol=1e-6)
    # As in Keras, the second call of a stateful layer goes on where the first one stopped.
    carried = shared_layer(stateful=True)
    carried.set_weights(model.get_weights())
    layer = carried.get_layer("shared")
    state = None
    for _ in range(2):
        outputs = carried.predict(tanks, verbose=0)
        again = tanks
        for _ in range(2):
            plain = layers.GRU(2, return_sequences=True, return_state=True)
            plain.build(again.shape)
            plain.set_weights(layer.get_weights())
            again, state = plain(again, initial_state=state)
        np.testing.assert_allclose(outputs, again, atol=1e-6)


def test_a_layer_whose_state_the_model_gives_goes_on_from_no_other(tanks):
    inputs = layers.Input((None, 2))
    _, state = layers.GRU(3, return_state=True)(inputs)
    decoder = layers.GRU(3, return_sequences=True, name="decoder")
    model = sw.Model(inputs, layers.Dense(2)(decoder(inputs, initial_state=state)))
    message = "'decoder' is given its initial state within the model"
    with pytest.raises(ValueError, match=message):
        model.step(tanks, model.initial_state(len(tanks)))
    with pytest.raises(ValueError, match=message):
        model.predict(lanes(list(tanks), lanes=2, steps=2), verbose=0)
    # Windows are run as the model says.
    first = model.forecast(tanks, 1, window=3)[:, 0]
    np.testing.assert_allclose(first, model.predict(tanks[:, -3:], verbose=0)[:, -1], atol=1e-6)


def test_several_inputs_step_too(rng):
    left, right = layers.Input((None, 2), name="left"), layers.Input((None, 3), name="right")
    hidden = [
        layers.LSTM(3, return_sequences=True)(left),
        layers.GRU(2, return_sequences=True)(right),
    ]
    model = sw.Model([left, right], layers.Dense(2)(keras.layers.Concatenate()(hidden)))
    x = [rng.normal(size=(3, 5, count)).astype("float32") for count in (2, 3)]
    first, state = model.step([a[:, :2] for a in x], model.initial_state(3))
    second, _ = model.step([a[:, 2:] for a in x], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), model(x), atol=1e-6)


def test_masked_steps_leave_the_state_alone_in_any_cut(tanks):
    keras.utils.set_random_seed(3)
    model = sw.Sequential(
        [
            layers.Input((None, tanks.shape[-1])),
            keras.layers.Masking(),
            layers.LSTM(3, return_sequences=True),
        ]
    )
    tanks = tanks.copy()
    tanks[0, 1] = tanks[1, 3:] = 0
    first, state = model.step(tanks[:, :2], model.initial_state(len(tanks)))
    second, _ = model.step(tanks[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), model(tanks), atol=1e-6)


def test_a_state_has_the_type_that_the_layer_computes_in(tanks):
    policy = keras.DTypePolicy("mixed_float16")
    model = sw.Sequential(
        [layers.Input((None, tanks.shape[-1])), layers.GRU(3, return_sequences=True, dtype=policy)]
    )
    state = model.initial_state(len(tanks))
    first, state = model.step(tanks[:, :2], state)
    (arrays,) = state.values()
    assert arrays["h"].dtype == "float16"
    second, _ = model.step(tanks[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), model(tanks), atol=2e-3)


@pytest.mark.parametrize(
    ("batch", "kind", "message"),
    [
        (0, ValueError, "batch_size=0: expected at least 1"),
        (-1, ValueError, "batch_size=-1"),
        (2.5, TypeError, r"batch_size=2\.5: expected a whole number of samples"),
        (True, TypeError, "batch_size=True"),
    ],
)
def test_a_bad_batch_is_refused(batch, kind, message):
    with pytest.raises(kind, match=message):
        make().initial_state(batch)


def test_what_is_no_state_is_refused(tanks):
    model = make()
    for wrong in ([1, 2], {"lstm": {}}):
        with pytest.raises(TypeError, match=r"A state is expected.*got a (list|dict)"):
            model.step(tanks, wrong)
    with pytest.raises(TypeError, match="got a NoneType"):
        model.set_state(None)


def test_other_features_than_the_model_was_made_for(tanks):
    model = sw.Sequential([layers.Input((None, 2)), layers.GRU(2)])
    wide = np.concatenate([tanks, tanks], axis=-1)
    for call in (model, model.step, lambda x: model.predict(x, verbose=0)):
        with pytest.raises(ValueError, match=r"takes 2 features a time step; .* \(4, 6, 4\)"):
            call(wide)


class Unnamed(sw.Model):
    """A model of one's own, whose layers nobody has told apart by name."""

    def __init__(self):
        super().__init__()
        self.first = layers.GRU(2, return_sequences=True, name="gru")
        self.second = layers.GRU(2, return_sequences=True, name="gru")

    def call(self, x):
        return self.second(self.first(x))


def test_two_layers_of_one_name_have_a_state_each(tanks):
    model = Unnamed()
    whole = model(tanks)
    assert list(model.initial_state(1)) == ["gru", "gru#2"]
    first, state = model.step(tanks[:, :2], model.initial_state(len(tanks)))
    second, _ = model.step(tanks[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)


def test_rows_that_are_not_there_are_refused():
    state = State({"gru": {"h": jnp.arange(6.0).reshape(3, 2)}})
    assert state.rows([]).batch_size == 0
    np.testing.assert_array_equal(state.rows([True, False, True])["gru"]["h"], [[0, 1], [4, 5]])
    changed = state.with_rows([True, False, False], state.rows(-1))
    np.testing.assert_array_equal(changed["gru"]["h"], [[4, 5], [2, 3], [4, 5]])
    with pytest.raises(IndexError, match=r"rows=\[3\]: the state has 3 samples"):
        state.with_rows(3, state.rows(0))
    with pytest.raises(ValueError, match=r"rows=\[0, -3\]: a row is there twice"):
        state.with_rows([0, -3], state.rows([0, 1]))
    for rows in ([0.5], [True, False], [[0, 1]]):
        with pytest.raises(TypeError, match="expected numbers of samples, or a bool for each"):
            state.rows(rows)


def test_a_state_of_no_layers_is_of_no_samples(tanks):
    model = sw.Sequential([layers.Input((None, 2)), layers.Dense(1)])
    assert model.initial_state(4).batch_size == 0
    outputs, state = model.step(tanks, model.initial_state(len(tanks)))
    assert (outputs.shape, str(state)) == ((*tanks.shape[:2], 1), "No state")
    with pytest.raises(ValueError, match="states is empty"):
        concatenate([])
    for wrong in ([1, 2], {"gru": [1, 2]}, {"gru": {"h": 1.0}}):
        with pytest.raises(TypeError, match=r"A state is made of \{layer: \{name: array"):
            State(wrong)


def test_old_names_work_and_say_so():
    model = sw.Sequential([layers.Input((None, 2)), layers.GRU(2)])
    with pytest.warns(FutureWarning, match="batch= is now called batch_size="):
        state = model.initial_state(batch=3)
    with pytest.warns(FutureWarning, match=r"State\.batch is now called State\.batch_size"):
        assert state.batch == state.batch_size == 3
