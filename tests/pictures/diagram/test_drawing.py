"""What pictures say: rows, boxes and arrows, not pixels."""

import re
from xml.etree import ElementTree

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from statewise import Model, Sequential, layers, sequences
from statewise.pictures import draw

L = layers


class LastStep(layers.LSTM):
    """Does in its own call what return_sequences=False does."""

    def __init__(self, units, **kwargs):
        super().__init__(units, return_sequences=True, **kwargs)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences, initial_state, mask, training)[:, -1]

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        return (sequences_shape[0], self.units)


class MeanOfSteps(LastStep):
    """By its looks the same; its output is of all steps."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return layers.LSTM.call(self, sequences, initial_state, mask, training).mean(axis=1)


class Written(Model):
    """A model whose call is code, not a graph of layers."""

    def __init__(self):
        super().__init__()
        self.lstm, self.dense = L.LSTM(4, return_sequences=True), L.Dense(1)

    def call(self, x):
        return self.dense(self.lstm(x)[:, -1])


def stack(*parts, shape=(3, 2)):
    return Sequential([L.Input(shape), *parts])


def last():
    return L.Lambda(lambda x: x[:, -1])


def repeated(n):
    return L.Lambda(lambda x: jnp.repeat(x[:, None], n, axis=1))


def written():
    model = Written()
    model(np.zeros((1, 3, 2), "float32"))
    return model


def nested():
    inner = Sequential([L.Input((3, 2)), L.LSTM(4)])
    return stack(inner, L.Dense(1))


MANY_TO_ONE = {
    "return_sequences=False": lambda: stack(L.LSTM(4), L.Dense(1)),
    "a Lambda takes the last step": lambda: stack(
        L.LSTM(4, return_sequences=True), last(), L.Dense(1)
    ),
    "a subclass takes the last step": lambda: stack(LastStep(4), L.Dense(1)),
    "the last step of the outputs": lambda: stack(
        L.LSTM(4, return_sequences=True), L.Cropping1D((2, 0)), L.Flatten(), L.Dense(1)
    ),
    "written as code": written,
    "nested": nested,
    "of Keras": lambda: keras.Sequential([L.Input((3, 2)), keras.layers.LSTM(4), L.Dense(1)]),
    "GRU": lambda: stack(L.GRU(4), L.Dense(1)),
    "dropout, which does nothing here": lambda: stack(L.LSTM(4), L.Dropout(0.5), L.Dense(1)),
}


@pytest.mark.parametrize("way", MANY_TO_ONE)
def test_what_does_the_same_has_the_same_picture(way):
    drawing = draw(MANY_TO_ONE[way](), (32, 3, 2))
    assert drawing.structure == {
        "picture": "many-to-one",
        "rows": [
            ("input", "(batch 32, time steps 3, features 2)"),
            ("cells", "(batch 32, units 4)"),
            ("layer", "(batch 32, features 1)"),
            ("output", "(batch 32, features 1)"),
        ],
        "boxes": [
            *((row, step, (step, step + 1), False) for row in (0, 1) for step in range(3)),
            *((row, 2, None, False) for row in (2, 3)),
        ],
        "arrows": [
            ("state", (1, 0), (1, 1)),
            ("state", (1, 1), (1, 2)),
            *(("value", (0, step), (1, step)) for step in range(3)),
            ("value", (1, 2), (2, 2)),
            ("value", (2, 2), (3, 2)),
        ],
    }


@pytest.mark.parametrize(
    "other",
    [
        lambda: stack(MeanOfSteps(4), L.Dense(1)),
        lambda: stack(L.LSTM(4, return_sequences=True), L.GlobalAveragePooling1D(), L.Dense(1)),
        lambda: stack(L.LSTM(4, return_sequences=True), L.Lambda(lambda x: x[:, 0]), L.Dense(1)),
        lambda: stack(L.LSTM(4, go_backwards=True), L.Dense(1)),
        lambda: stack(L.Lambda(lambda x: x[:, ::-1]), L.LSTM(4), L.Dense(1)),
        lambda: stack(L.LSTM(4, return_sequences=True), L.Dense(1)),
        lambda: stack(L.LSTM(4, stateful=True), L.Dense(1)),
        lambda: stack(L.Bidirectional(L.LSTM(4)), L.Dense(1)),
    ],
)
def test_what_does_something_else_has_another_picture(other):
    usual = draw(MANY_TO_ONE["return_sequences=False"](), (32, 3, 2))
    assert draw(other(), (32, 3, 2)).structure != usual.structure


def test_a_vector_repeated_by_whatever_layer():
    def model(repeat):
        return stack(repeat, L.LSTM(4, return_sequences=True), shape=(2,))

    drawing = draw(model(L.RepeatVector(4)))
    assert drawing.picture == "one-to-many"
    assert drawing.structure == draw(model(repeated(4))).structure
    assert [a for a in drawing.structure["arrows"] if a[1] == (0, 0)] == [
        ("value", (0, 0), (1, step)) for step in range(4)
    ]


def arrows(drawing, kind):
    return [(a.start, a.end) for a in drawing.diagram.arrows if a.kind == kind]


def test_both_directions():
    both = L.Bidirectional(L.GRU(3, return_sequences=True))
    drawing = draw(stack(both, L.TimeDistributed(L.Dense(1))))
    assert arrows(drawing, "state") == [
        ((1, 0), (1, 1)),
        ((1, 1), (1, 2)),
        ((2, 2), (2, 1)),
        ((2, 1), (2, 0)),
    ]
    assert {(1, 1), (2, 1)} == {a.start for a in drawing.diagram.arrows_to((3, 1))}
    # Without all steps, each direction gives what it ended with: at opposite ends.
    ends = draw(stack(L.Bidirectional(L.GRU(3)), L.Dense(1)))
    assert {(1, 2), (2, 0)} == {a.start for a in ends.diagram.arrows_to((3, 2))}


def test_tokens_are_steps_and_a_vector_is_not():
    words = draw(stack(L.Embedding(20, 4), L.GRU(3), L.Dense(2, "softmax"), shape=(4,)), (8, 4))
    assert words.picture == "many-to-one"
    assert words.structure["rows"][0] == ("input", "(batch 8, time steps 4)")
    # As wide as it is long: RepeatVector must not be taken for an embedding.
    vector = draw(stack(L.RepeatVector(4), L.GRU(3), shape=(4,)), (8, 4))
    assert vector.structure["rows"][0] == ("input", "(batch 8, features 4)")
    assert draw(stack(L.Dense(3), L.Dense(1), shape=(4,))).picture == "one-to-one"


def with_states():
    known, begun = L.Input((3, 2)), L.Input((4, 1))
    _, h, c = L.LSTM(4, return_state=True)(known)
    outputs = L.LSTM(4, return_sequences=True)(begun, initial_state=[h, c])
    return Model([known, begun], L.Dense(1)(outputs))


def autoencoder():
    encoder = Sequential([L.Input((5, 2)), L.LSTM(4, return_sequences=True), L.LSTM(3)])
    decoder = Sequential([L.Input((3,)), L.RepeatVector(5), L.LSTM(2, return_sequences=True)])
    inputs = L.Input((5, 2))
    return Model(inputs, decoder(encoder(inputs)))


def attending():
    known = L.Input((3, 2))
    states = L.LSTM(4, return_sequences=True)(known)
    return Model(known, L.MultiHeadAttention(1, 4)(states, states))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (with_states, "encoder-decoder"),
        (autoencoder, "encoder-decoder"),
        (attending, "many-to-many"),
        (lambda: stack(L.LSTM(2, return_sequences=True), L.LSTM(2)), "many-to-one"),
        (lambda: stack(L.LSTM(2, return_sequences=True)), "many-to-many"),
        (lambda: stack(L.LSTM(2, return_sequences=True), shape=(1, 2)), "one-to-one"),
    ],
)
def test_names(make, name):
    assert draw(make()).picture == name


def test_a_state_that_is_handed_over():
    drawing = draw(with_states())
    assert arrows(drawing, "given") == [((1, 2), (3, 3))]
    assert [box.column for box in drawing.diagram.boxes_of(2)] == [3, 4, 5, 6]


def test_a_code_is_before_what_is_made_of_it():
    drawing = draw(autoencoder())
    last = max(box.column for box in drawing.diagram.boxes_of(2))
    assert [box.column for box in drawing.diagram.boxes_of(3)] == [last + 1 + i for i in range(5)]
    assert drawing.diagram.rows[1].groups != drawing.diagram.rows[3].groups != ()


def test_a_stateful_layer_and_its_resets():
    model = stack(L.LSTM(4, stateful=True, return_sequences=True))
    assert arrows(draw(model), "carried") == [(None, (1, 0)), ((1, 2), None)]
    drawing = draw(model, resets=[0, 2])
    assert arrows(drawing, "cut") == [((1, 1), (1, 2)), (None, (1, 0))]
    assert arrows(drawing, "carried") == [((1, 2), None)]
    # A state that is given takes the place of the one that is carried.
    inputs, state = L.Input((3, 2)), L.Input((4,))
    given = L.GRU(4, stateful=True)(inputs, initial_state=state)
    drawing = draw(Model([inputs, state], given))
    assert not arrows(drawing, "carried")
    assert len(arrows(drawing, "given")) == 1


def test_the_closed_loop():
    model = Sequential([L.Input((None, 2)), L.LSTM(4, return_sequences=True), L.Dense(2)])
    drawing = draw(model, steps=3, closed_loop=2)
    assert drawing.picture == "many-to-many"
    assert arrows(drawing, "fed back") == [((3, 2), (0, 3)), ((3, 3), (0, 4))]
    assert ((1, 2), (1, 3)) in arrows(drawing, "state")
    assert draw(model, steps=1, closed_loop=3).picture == "one-to-many"
    only_last = Sequential([L.Input((None, 2)), L.LSTM(4), L.Dense(2)])
    assert arrows(draw(only_last, steps=3, closed_loop=2), "fed back") == [
        ((3, 2), (0, 3)),
        ((3, 3), (0, 4)),
    ]
    assert "time steps 3 + 2, features 2" in drawing.text
    long = draw(model, steps=3, closed_loop=20)
    assert len(arrows(long, "fed back")) == 7
    assert "7–20" in texts(long.svg)
    with pytest.raises(ValueError, match="closed_loop=-1: a number of further steps"):
        draw(model, steps=3, closed_loop=-1)


def test_long_sequences_are_shortened_in_the_middle():
    drawing = draw(stack(L.GRU(2, return_sequences=True), L.Dense(1), shape=(50, 2)))
    steps = [box.steps for box in drawing.diagram.boxes_of(1)]
    assert steps == [(0, 1), (1, 2), (2, 3), (3, 47), (47, 48), (48, 49), (49, 50)]
    assert "50 time steps of 2 features go in" in drawing.description


def test_pictures_have_no_time_of_their_own():
    assert draw(stack(L.Conv2D(2, 3), L.Flatten(), L.Dense(1), shape=(6, 6, 1))).picture == (
        "one-to-one"
    )
    film = stack(L.TimeDistributed(L.Conv2D(2, 3)), L.TimeDistributed(L.Flatten()), L.GRU(2),
                 shape=(4, 6, 6, 1))  # fmt: skip
    assert draw(film).picture == "many-to-one"
    maps = stack(keras.layers.ConvLSTM2D(2, 3), shape=(3, 6, 6, 1))
    assert draw(maps).picture == "many-to-one"


def test_one_layer_called_again_has_a_row_for_each_call():
    a, b, lstm = L.Input((3, 2)), L.Input((4, 2)), L.LSTM(3)
    drawing = draw(Model([a, b], L.Concatenate()([lstm(a), lstm(b)])))
    names = [row.name for row in drawing.diagram.rows if row.kind == "cells"]
    assert names == [lstm.name] * 2


def test_a_layer_that_looks_at_values_is_named():
    class Looking(keras.Layer):
        def call(self, x):
            return x * 2 if float(x.sum()) > 0 else x

        def compute_output_shape(self, shape):
            return shape

    model = stack(Looking(name="looking"))
    with pytest.raises(ValueError, match=r"Layer 'looking' \(Looking\) looks at the values"):
        draw(model, (1, 3, 2))


def test_steps_that_mix():
    drawing = draw(stack(L.Conv1D(2, 3, padding="causal"), L.LSTM(2), shape=(4, 2)))
    assert [
        sorted(a.start[1] for a in drawing.diagram.arrows_to((1, step))) for step in range(4)
    ] == [
        [0],
        [0, 1],
        [0, 1, 2],
        [1, 2, 3],
    ]


def test_nothing_of_the_model_changes(rng):
    model = stack(L.LSTM(4, stateful=True), L.Dropout(0.5), L.Dense(1))
    model(rng.normal(size=(2, 3, 2)))
    before, state = [np.array(v) for v in model.variables], model.get_state()
    methods = [set(vars(layer)) for layer in model.layers]
    draw(model, (7, 3, 2))
    assert all((a == np.array(v)).all() for a, v in zip(before, model.variables, strict=True))
    after = model.get_state()
    for name, arrays in state.items():
        for key, array in arrays.items():
            assert (array == after[name][key]).all()
    assert [set(vars(layer)) for layer in model.layers] == methods


def test_a_model_that_is_not_built_yet_is_built_for_the_shape():
    model = Sequential([L.LSTM(4), L.Dense(1)])
    with pytest.raises(ValueError, match=r"isn't built yet.*give the shape"):
        draw(model)
    assert draw(model, (2, 3, 1)).picture == "many-to-one"


def test_weights_of_zero_hide_nothing():
    model = stack(L.LSTM(2, kernel_initializer="zeros"), L.Dense(1, kernel_initializer="zeros"))
    assert len(arrows(draw(model), "value")) == 5


STATEFUL_OF_KERAS = keras.layers.LSTM(2, stateful=True)


@pytest.mark.parametrize(
    ("model", "options", "error", "words"),
    [
        (L.LSTM(2), {}, TypeError, "model must be a model .* but is a LSTM"),
        (stack(L.LSTM(2)), {"shape": (1, 3)}, ValueError, r"takes 3 axes, .* but 2 came: \(1, 3\)"),
        (stack(L.LSTM(2)), {"shape": (1, 3, 5)}, ValueError, "takes 2 features, but 5 came"),
        (stack(L.LSTM(2)), {"shape": (1, 4, 2)}, ValueError, "takes 3 time steps, but 4 came"),
        (stack(L.LSTM(2)), {"shape": "1,3,2"}, TypeError, "shape must be"),
        (stack(L.LSTM(2)), {"shape": (1, 0, 2)}, ValueError, "every axis is a whole number"),
        (stack(L.LSTM(2)), {"steps": 0}, ValueError, "steps=0: time steps are a whole number"),
        (stack(L.LSTM(2)), {"steps": 4}, ValueError, "steps=4, but the shape has 3"),
        (stack(L.LSTM(2)), {"closed_loop": 2}, ValueError, "takes 3 time steps at a time"),
        (stack(L.LSTM(2)), {"resets": [3]}, ValueError, "the picture has the steps 0 to 2"),
        (stack(L.LSTM(2)), {"resets": [0]}, ValueError, "no layer is stateful"),
        (stack(L.LSTM(2), shape=(50, 1)), {"resets": [20]}, ValueError, "are left out"),
        (stack(L.Dense(2)), {"resets": [1]}, ValueError, "no recurrent layer"),
        (Sequential([L.LSTM(2), L.LSTM(2)]), {"shape": (1, 3, 1)}, ValueError,
         r"Layer 'lstm_\d+' wants 3 axes, \(batch, time steps, .*\), but \(.*2\) came, 2 axes"),
        (with_states(), {"shape": (1, 3, 2)}, ValueError, "takes 2 inputs, but 1 shape came"),
        (keras.Sequential([L.Input(batch_shape=(1, 3, 1)), STATEFUL_OF_KERAS]), {}, TypeError,
         "Keras's own stateful LSTM"),
    ],
)  # fmt: skip
def test_refusals(model, options, error, words):
    with pytest.raises(error, match=words):
        draw(model, **options)


def texts(svg):
    return [e.text for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")]


def test_the_svg_stands_alone(tmp_path):
    drawing = draw(stack(L.LSTM(4, stateful=True), L.Dense(1), shape=(3, 1)), (5, 3, 1), resets=[1])
    words = texts(drawing.svg)
    for word in ("many-to-one", "x₁", "LSTM", "reset", "(batch 5, time steps 3, features 1)"):
        assert word in words
    assert not re.search(r"href|url\(|<script|<image", drawing.svg)
    assert drawing.description in drawing.svg
    assert drawing._repr_svg_() == drawing.svg
    drawing.save(tmp_path / "a.svg")
    drawing.save(tmp_path / "a.png")
    assert (tmp_path / "a.svg").read_text("utf-8") == drawing.svg
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match=r"the ending '.gif' is not known; take .svg or .png"):
        drawing.save(tmp_path / "a.gif")


def test_names_that_svg_must_escape():
    model = Sequential([L.Input((3, 1)), L.LSTM(2)], name="a_b")
    model.name = "a<b>&c"
    assert "a<b>&c" in texts(draw(model).svg)


def test_letters_do_not_leave_the_picture():
    drawing = draw(stack(L.Bidirectional(L.LSTM(4, name="a_very_long_name_of_a_layer"))))
    root = ElementTree.fromstring(drawing.svg)
    assert all(0 <= float(e.get("x", 0)) <= drawing.scene.width for e in root.iter())
    assert all(0 <= float(e.get("y", 0)) <= drawing.scene.height for e in root.iter())


def test_windows():
    drawing = draw(sequences.windows(np.arange(10.0), lookback=3, horizon=2, stride=2))
    assert drawing.structure == {
        "picture": "windows",
        "bars": [
            (0, 0, 3, "input"), (0, 3, 5, "output"),
            (1, 2, 5, "input"), (1, 5, 7, "output"),
            (2, 4, 7, "input"), (2, 7, 9, "output"),
        ],
        "resets": (),
        "edges": (),
    }  # fmt: skip
    assert "it shares 1 of its 3 steps with the one before" in drawing.description


def test_lanes():
    series = {key: np.zeros((n, 1)) for key, n in zip("ABC", (6, 4, 2), strict=True)}
    drawing = draw(sequences.lanes(series, lanes=2, steps=3, targets=None))
    assert drawing.structure["bars"] == [(0, 0, 6, "A"), (1, 0, 4, "B"), (1, 4, 6, "C")]
    assert drawing.structure["resets"] == ((0, 0), (1, 0), (1, 4))
    assert drawing.structure["edges"] == (3, 6)
    assert "B4 | " not in drawing.text
    assert drawing.text.splitlines()[-1].split() == "lane 2 B1 B2 B3| B4 C1 C2".split()
