import re

import pytest

from statewise.pictures import draw, model_from_sketch
from statewise.pictures.sketch import parse_sketch


def test_layers_one_after_the_other():
    both = "Bidirectional(LSTM(4, return_sequences=True), merge_mode='sum')"
    text = f"{both} | TimeDistributed(Dense(1))"
    model = model_from_sketch(text, (1, 5, 2))
    assert model.output_shape == (None, 5, 1)
    assert draw(model).picture == "many-to-many"
    assert model_from_sketch("Embedding(50000, 8) | GRU(2)", (1, 7)).output_shape == (None, 2)
    assert model_from_sketch("Reshape((3, -1)) | GRU(2)", (1, 6)).output_shape == (None, 2)
    assert parse_sketch(" GRU( 2 )|Dropout(rate=0.5) ") == [
        ("GRU", [2], {}),
        ("Dropout", [], {"rate": 0.5}),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "can't be read"),
        ("LSTM(4", "can't be read: '(' was never closed"),
        ("LSTM", r"names LSTM without its arguments: LSTM\(...\)"),
        ("LSTM(4) | 5", "has '5' where a layer should be"),
        ("LSTM(4) + Dense(1)", "where a layer should be"),
        ("Transformer(4)", "no layer 'Transformer'; it knows Activation, .*LSTM"),
        ("Lambda(1)", "no layer 'Lambda'"),
        ("__import__('os')", "no layer '__import__'"),
        ("keras.layers.LSTM(4)", "where a layer should be"),
        ("LSTM(units)", "'units' isn't"),
        ("LSTM(2 ** 9)", r"'2 \*\* 9' isn't"),
        ("LSTM(4, activation=lambda x: x)", "'lambda x: x' isn't"),
        ("LSTM(*[4])", "can't be unpacked"),
        ("LSTM(**{})", "can't be unpacked"),
        ("LSTM(100000)", "100000 is too large for a sketch; 1,024 is the most"),
        ("RepeatVector(1e999)", "inf is too large"),
        ("LSTM(Dense(1))", "LSTM takes no layer"),
        ("TimeDistributed(4)", r"TimeDistributed takes a layer"),
        ("LSTM()", "LSTM refuses its arguments: .*units"),
        ("LSTM(-4)", "LSTM refuses its arguments"),
        ("LSTM(4, colour='red')", "LSTM refuses its arguments"),
        ("LSTM(4) | LSTM(4)", r"Layer 'lstm_\d+' wants 3 axes, .*return_sequences=True"),
        ("|".join(["GRU(1)"] * 60), "more than 40 layers"),
        ("GRU(1)" + " " * 3000, "has 3006 letters"),
        ("LSTM('\0')", "can't be read"),
    ],
)
def test_refusals(text, words):
    with pytest.raises(ValueError, match=re.compile(words.replace("'(' was", r"'\(' was"))):
        model_from_sketch(text, (1, 5, 2))
