"""Steps that a mask leaves out are as good as not there, however a layer comes to its mask."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from layer_registry import FEATURES, LAYERS, new
from statewise import Model, Sequential, layers, load_model

TOKENS = np.array([[3, 1, 2, 0, 0], [4, 5, 6, 0, 0]])  # padded on the right by two zeros
DOCUMENTS = np.array(  # (batch, sentences, words); the second document has one sentence
    [[[3, 1, 2, 0], [4, 5, 0, 0], [7, 7, 7, 7]], [[3, 1, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0]]]
)


def embedding():
    return layers.Embedding(9, FEATURES, mask_zero=True)


def random_state(layer, rng, batch):
    """Return a state for a layer, in the structure in which it's given."""
    ways = [getattr(layer, f"{way}_layer", None) for way in ("forward", "backward")]
    ways = [way for way in ways if way is not None] or [layer]
    state = [array for way in ways for array in way.get_initial_state(batch)]
    return keras.tree.map_structure(lambda a: rng.normal(size=a.shape).astype("float32"), state)


def in_turn(layer, state):
    """Return every way of giving a layer its inputs (a function each) and its state."""
    symbols = keras.tree.map_structure(lambda a: layers.Input(a.shape[1:]), state)
    inputs = layers.Input((None, FEATURES))
    whole = Model([inputs, symbols], layer(layers.Masking(9.0)(inputs), initial_state=symbols))
    masking = layers.Masking(9.0)
    on_device = keras.tree.map_structure(jnp.asarray, state)

    def explicit(x):
        mask = (x != 9.0).any(-1)
        return layer(x, initial_state=state, mask=mask)

    return {
        "the inputs' own mask": lambda x: layer(masking(x), initial_state=state),
        "by position": lambda x: layer(masking(x), on_device),
        "in a model": lambda x: whole([x, state]),
        "in a model's predict": lambda x: whole.predict([x, state], verbose=0),
        "a given mask": explicit,
        "under jit": lambda x: jax.jit(lambda x, s: layer(masking(x), initial_state=s))(
            x, on_device
        ),
    }


def assert_equal(ours, expected, message=""):
    ours, expected = keras.tree.flatten(ours), keras.tree.flatten(expected)
    for mine, theirs in zip(ours, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5, err_msg=message)


@pytest.mark.parametrize("name", LAYERS)
def test_left_out_steps_are_as_good_as_not_there(name, rng):
    layer = new(name, rng, return_state=True)
    x = rng.normal(size=(2, 4, FEATURES)).astype("float32")
    padded = np.full((2, 7, FEATURES), 9.0, "float32")
    for row in range(2):  # each row has its gaps elsewhere, at the ends too
        padded[row, np.sort(rng.permutation(7)[:4])] = x[row]
    assert_equal(layer(layers.Masking(9.0)(padded)), layer(x), "no state given")
    state = random_state(layer, rng, 2)
    expected = layer(x, initial_state=state)
    for way, run in in_turn(layer, state).items():
        assert_equal(run(padded), expected, way)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", LAYERS)
def test_left_out_steps_of_random_shapes(name, seed):
    rng = np.random.default_rng(seed)
    batch, time, more = rng.integers(1, 5), rng.integers(1, 9), rng.integers(0, 9)
    options = {"return_state": True, "return_sequences": bool(rng.integers(2))}
    layer = new(name, rng, **options)
    x = rng.normal(size=(batch, time, FEATURES)).astype("float32")
    padded = np.full((batch, time + more, FEATURES), 9.0, "float32")
    places = np.sort([rng.permutation(time + more)[:time] for _ in range(batch)])
    np.put_along_axis(padded, places[:, :, None], x, axis=1)
    state = random_state(layer, rng, batch)
    output, *ends = layer(layers.Masking(9.0)(padded), initial_state=state)
    expected, *expected_ends = layer(x, initial_state=state)
    if layer.return_sequences:
        output = np.take_along_axis(np.asarray(output), places[:, :, None], axis=1)
    assert_equal([output, ends], [expected, expected_ends])


def test_a_padded_batch_into_an_encoder_and_decoder(rng, tmp_path):
    words, answers = layers.Input((None,)), layers.Input((None,))
    encoder = layers.Bidirectional(layers.LSTM(3, return_state=True))
    _, *ends = encoder(embedding()(words))
    decoded = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(
        embedding()(answers), initial_state=ends
    )
    first, again = layers.GRU(3, return_sequences=True), layers.RepeatVector(4)
    end = layers.GRU(3)(decoded, initial_state=ends[0])
    repeated = first(again(end), initial_state=ends[1])
    model = Model([words, answers], [repeated, end])
    model.save(tmp_path / "model.keras")
    for one in (model, load_model(tmp_path / "model.keras")):
        padded = one.predict([TOKENS, TOKENS], verbose=0)
        assert_equal(padded, one.predict([TOKENS[:, :3], TOKENS[:, :3]], verbose=0))


def test_outputs_in_the_reverse_order_have_their_mask_in_that_order(rng, tmp_path):
    words, state = layers.Input((None,)), layers.Input((3,))
    backwards = layers.GRU(3, go_backwards=True, return_sequences=True)(embedding()(words))
    model = Model([words, state], layers.GRU(3)(backwards, initial_state=state))
    begin = rng.normal(size=(2, 3))
    model.save(tmp_path / "model.keras")
    for one in (model, load_model(tmp_path / "model.keras")):
        padded = one.predict([TOKENS, begin], verbose=0)
        assert_equal(padded, one.predict([TOKENS[:, :3], begin], verbose=0))


def test_both_ways_in_the_reverse_order(rng):
    forwards = layers.GRU(3, return_sequences=True)
    backwards = layers.GRU(3, return_sequences=True, go_backwards=True)
    both = layers.Bidirectional(backwards, backward_layer=forwards)
    embed, last = embedding(), layers.GRU(3)
    assert_equal(last(both(embed(TOKENS))), last(both(embed(TOKENS[:, :3]))))


@pytest.mark.filterwarnings("ignore:.*does not support masking")  # says Keras of every model
@pytest.mark.parametrize("kind", ["functional", "sequential", "nested"])
def test_a_models_mask_is_forgotten_after_the_call(kind, rng):
    inputs = layers.Input((None, FEATURES))
    model = Model(inputs, layers.GRU(3)(inputs))
    if kind == "sequential":
        model = Sequential([inputs, layers.GRU(3)])
    elif kind == "nested":
        model = Model(inputs, model(layers.Activation("linear")(inputs)))
    x = jnp.asarray(rng.normal(size=(2, 5, FEATURES)).astype("float32"))
    whole, valid = model(x), jnp.asarray([[True, True, False, False, False]] * 2)
    shorter = model(x, mask=valid)
    assert_equal(shorter, model(x[:, :2]))
    assert_equal(model(x), whole)
    assert_equal(model.predict(x, verbose=0), whole)
    carried = layers.Masking(9.0)(x)
    model(carried, mask=valid)
    assert carried._keras_mask.all()


def inner_layers():
    return {
        "LSTM": layers.LSTM(3),
        "with dropout": layers.LSTM(3, dropout=0.1),  # step by step
        "both ways": layers.Bidirectional(layers.GRU(3)),
        "a model": keras.Sequential([layers.GRU(3, return_sequences=True), layers.LSTM(2)]),
    }


@pytest.mark.parametrize("name", inner_layers())
def test_words_within_sentences_within_documents(name):
    embed = layers.TimeDistributed(embedding())
    sentences = layers.TimeDistributed(inner_layers()[name])
    document = layers.GRU(3)

    def whole(x):
        return document(sentences(embed(x)))

    assert_equal(whole(DOCUMENTS)[1:], whole(DOCUMENTS[1:, :1, :3]))
    words = layers.Input((None, None))
    model = Model(words, whole(words))
    assert_equal(model.predict(DOCUMENTS, verbose=0), whole(DOCUMENTS))


@pytest.mark.parametrize(
    "inner",
    [
        lambda: layers.Embedding(9, 4, mask_zero=True),
        lambda: keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.Dense(2)]),
        lambda: layers.TimeDistributed(layers.Embedding(9, 4, mask_zero=True)),
    ],
    ids=["embedding", "model", "twice"],
)
def test_what_the_inner_layer_leaves_out_the_outputs_do(inner):
    layer, tokens = layers.TimeDistributed(inner()), DOCUMENTS
    if isinstance(layer.layer, layers.TimeDistributed):
        tokens = tokens[None]
    np.testing.assert_array_equal(layer(tokens)._keras_mask, tokens != 0)


def test_masking_within_each_step(rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    x[0, 1, 2:] = 0
    x[1, 2] = 0
    out = layers.TimeDistributed(layers.Masking())(x)
    np.testing.assert_array_equal(out._keras_mask, x.any(-1))
    last = layers.TimeDistributed(layers.GRU(3))(out)
    np.testing.assert_array_equal(last._keras_mask, x.any((2, 3)))
    shorter = layers.TimeDistributed(layers.Flatten())
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.Flatten()(out)
    np.testing.assert_array_equal(shorter(out)._keras_mask, x.any((2, 3)))


@pytest.mark.parametrize("dropout", [0, 0.1], ids=["folded", "step by step"])
def test_a_step_left_out_of_sequences_of_sequences(dropout, rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    valid = np.array([[True, False, True], [True, True, False]])
    layer = layers.TimeDistributed(layers.GRU(3, dropout=dropout))
    out = layer(x, mask=valid)
    assert_equal(np.asarray(out)[valid], np.asarray(layer(x))[valid])
    np.testing.assert_array_equal(out._keras_mask, valid)
    tokens = layers.TimeDistributed(embedding())(DOCUMENTS[:, :, :3], mask=valid)
    np.testing.assert_array_equal(
        tokens._keras_mask, valid[:, :, None] & (DOCUMENTS[:, :, :3] != 0)
    )


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (5, 2), (1, 5), (2, 1), (2, 5, 1, 1)], ids=str)
@pytest.mark.parametrize("name", ["GRU", "both ways", "cell of the user's own"])
def test_a_mask_of_another_shape(name, shape, rng):
    layer, x = new(name, rng), rng.normal(size=(2, 5, FEATURES)).astype("float32")
    with pytest.raises(ValueError, match=r"mask of layer .* has the shape .*\(2, 5\)"):
        layer(x, mask=np.ones(shape, bool))


def test_masks_of_other_kinds(rng):
    layer, x = new("GRU", rng), rng.normal(size=(2, 5, FEATURES)).astype("float32")
    flags = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]])
    expected = layer(x, mask=flags.astype(bool))
    for mask in (flags, flags.astype("float32"), flags.tolist(), flags[:, :, None], [flags]):
        assert_equal(layer(x, mask=mask), expected)


@pytest.mark.parametrize("give", [lambda h: h, lambda h: [h], lambda h: [h] * 3])
def test_both_ways_need_the_states_of_both(give, rng):
    layer, x = layers.Bidirectional(layers.GRU(3)), np.ones((2, 5, FEATURES), "float32")
    with pytest.raises(ValueError, match=r"states of both directions .* list of 2"):
        layer(x, initial_state=give(jnp.ones((2, 3))))
