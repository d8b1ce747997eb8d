"""What the page says of networks is what Keras makes of them: shapes, weights, code, and reach."""

import json
import os
import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.pictures import draw

SWITCHES = ("return_sequences", "stateful", "bidirectional")


def layer(kind, *counts, **options):
    """Return a layer as the page has it."""
    names = {"RepeatVector": ("n",), "Embedding": ("input_dim", "output_dim")}.get(kind, ("units",))
    made = {"kind": kind, **dict(zip(names, counts, strict=True))}
    if kind in ("SimpleRNN", "GRU", "LSTM"):
        made |= {name: options.get(name, False) for name in SWITCHES}
    return made


lstm, gru, rnn = (partial(layer, kind) for kind in ("LSTM", "GRU", "SimpleRNN"))
dense, each = partial(layer, "Dense"), partial(layer, "TimeDistributed")
repeat, embed = partial(layer, "RepeatVector"), partial(layer, "Embedding")
EVERY, KEPT, BOTH = {"return_sequences": True}, {"stateful": True}, {"bidirectional": True}


def net(*chosen, **data):
    usual = {"input": "sequence", "batch": 3, "steps": 5, "features": 2, "after": "nothing"}
    return usual | {"more": 3, "layers": list(chosen)} | data


# name of the picture, network
FITTING = {
    "dense alone": ("many-to-many", net(dense(3))),
    "dense on a vector": ("one-to-one", net(dense(3), input="vector")),
    "one step": ("one-to-one", net(lstm(4), steps=1)),
    "one step, kept in a sequence": ("one-to-one", net(gru(4, **EVERY), dense(1), steps=1)),
    "many to one": ("many-to-one", net(lstm(4), dense(1), steps=3, features=1)),
    "many to many": ("many-to-many", net(gru(3, **EVERY), each(2))),
    "rnn": ("many-to-one", net(rnn(7), features=8)),
    "gru": ("many-to-one", net(gru(7), features=8)),
    "stack": ("many-to-one", net(lstm(4, **EVERY), gru(3, **EVERY), rnn(2), dense(1))),
    "both ways": ("many-to-many", net(lstm(4, **EVERY, **BOTH), dense(1))),
    "both ways, the last": ("many-to-one", net(gru(4, **BOTH), dense(1))),
    "both ways, of one step": ("one-to-one", net(rnn(4, **BOTH), steps=1)),
    "both ways, in a stack": ("many-to-many", net(rnn(2, **EVERY, **BOTH), lstm(3, **EVERY))),
    "repeat": ("one-to-many", net(repeat(4), lstm(4, **EVERY), dense(1), input="vector")),
    "repeat once": ("one-to-one", net(repeat(1), lstm(4, **EVERY), input="vector")),
    "repeat, then one": ("one-to-one", net(repeat(4), lstm(4), input="vector")),
    "autoencoder": (
        "encoder-decoder",
        net(lstm(6, **EVERY), lstm(4), repeat(5), lstm(6, **EVERY), each(2)),
    ),
    "other length": ("encoder-decoder", net(gru(4), dense(3), repeat(3), gru(5, **EVERY))),
    "repeat one step": ("one-to-many", net(lstm(4), repeat(3), lstm(4, **EVERY), steps=1)),
    "words": (
        "many-to-many",
        net(embed(50, 6), gru(8, **EVERY), gru(4, **EVERY), each(50), input="words", steps=4),
    ),
    "words to one": ("many-to-one", net(embed(50, 6), lstm(8), dense(1), input="words")),
    "stateful": ("many-to-one", net(lstm(4, **KEPT), dense(1), batch=1)),
    "stocks": ("one-to-one", net(lstm(4, **KEPT), dense(1), batch=40, steps=1, features=8)),
    "next batch": ("many-to-many", net(lstm(4, **KEPT, **EVERY), steps=2, after="batch")),
    "next batch, one output": (
        "many-to-one",
        net(gru(4, **KEPT), dense(1), steps=2, after="batch"),
    ),
    "next batch, forgotten": ("many-to-many", net(lstm(4, **EVERY), steps=3, after="batch")),
    "next batch, half kept": (
        "many-to-one",
        net(lstm(4, **EVERY), rnn(4, **KEPT), steps=2, after="batch"),
    ),
    "next batch, decoder": (
        "encoder-decoder",
        net(lstm(4, **KEPT), repeat(4), gru(2, **EVERY), steps=2, after="batch"),
    ),
    "next words": (
        "many-to-many",
        net(embed(9, 2), gru(3, **EVERY, **KEPT), input="words", steps=2, after="batch"),
    ),
    "feed back": ("one-to-many", net(lstm(2, **EVERY), steps=1, after="loop", more=5)),
    "forecast": ("many-to-many", net(lstm(4, **EVERY), dense(2), after="loop", more=3)),
    "forecast of one step": ("many-to-many", net(gru(4, **EVERY), dense(2), after="loop", more=1)),
}
# what the error must name: the layer, what it wants, what came
WRONG = {
    "stack without steps": (
        net(lstm(4), lstm(3)),
        ["Layer 2, LSTM(3),", "wants a sequence", "layer 1, LSTM(4),", "(batch 3, features 4)"],
    ),
    "vector": (
        net(gru(4), input="vector"),
        ["Layer 1, GRU(4)", "the input", "(batch 3, features 2)"],
    ),
    "each of a vector": (
        net(lstm(4), each(1)),
        ["Layer 2, TimeDistributed(Dense(1)),", "(batch 3, features 4)"],
    ),
    "each of the input vector": (net(each(1), input="vector"), ["Layer 1, TimeDistributed"]),
    "repeat a sequence": (
        net(lstm(4, **EVERY), repeat(2)),
        ["Layer 2, RepeatVector(2),", "one vector", "(batch 3, time steps 5, features 4)"],
    ),
    "repeat the input": (net(repeat(2)), ["Layer 1, RepeatVector(2)", "time steps 5"]),
    "words without vectors": (
        net(gru(4), input="words"),
        ["Layer 1, GRU(4),", "(batch 3, time steps 5)", "Embedding"],
    ),
    "each word": (net(each(4), input="words"), ["Layer 1, TimeDistributed", "Embedding"]),
    "embedding above": (
        net(embed(9, 2), lstm(4, **EVERY), embed(9, 2), lstm(3), input="words"),
        ["Layer 3, Embedding(9, 2)", "numbers of words", "layer 2"],
    ),
}
# Keras would calculate something here, and not what anybody means; the page stops.
STRICTER = {
    "measurements as words": (net(embed(9, 2)), ["Layer 1, Embedding(9, 2)", "numbers of words"]),
    "words as measurements": (net(dense(4), input="words"), ["Layer 1, Dense(4)", "Embedding"]),
    "words repeated": (net(repeat(4), input="words"), ["Layer 1, RepeatVector(4)", "Embedding"]),
}
NO_LOOP = {
    "too narrow": (
        net(lstm(4, **EVERY), after="loop"),
        "the input has features 2, the output has features 4",
    ),
    "no steps": (net(lstm(2), after="loop"), "layer 1, LSTM(2), hands on the last one alone"),
    "two ways": (net(lstm(1, **EVERY, **BOTH), after="loop"), "needs all time steps at once"),
    "decoder": (
        net(lstm(2), repeat(5), lstm(2, **EVERY), after="loop"),
        "Layer 2, RepeatVector(5)",
    ),
    "words": (net(embed(9, 2), gru(9, **EVERY), input="words", after="loop"), "one must be chosen"),
}


def build(chosen, sequential=keras.Sequential, of=keras.layers):
    """Build a network from its description, without anything of the page."""
    features, steps = chosen["features"], chosen["steps"]
    shape = {"sequence": (steps, features), "vector": (features,), "words": (steps,)}
    shape = (chosen["batch"], *shape[chosen["input"]])
    kinds = {"TimeDistributed": lambda units: of.TimeDistributed(of.Dense(units))}
    made = []
    for described in chosen["layers"]:
        options = dict(described)
        kind, both = options.pop("kind"), options.pop("bidirectional", False)
        inner = kinds.get(kind, getattr(of, kind))(**options)
        made.append(of.Bidirectional(inner) if both else inner)
    dtype = "int32" if chosen["input"] == "words" else "float32"
    return sequential([of.Input(batch_shape=shape, dtype=dtype), *made])


def shape_of(shape, batch):
    return (batch, *(shape[axis] for axis in ("steps", "features") if axis in shape))


def said(shape):
    names = {2: ("batch", "features"), 3: ("batch", "time steps", "features")}[len(shape)]
    return "(" + ", ".join(f"{n} {size}" for n, size in zip(names, shape, strict=True)) + ")"


@pytest.mark.parametrize("case", FITTING)
def test_shapes_weights_and_name(page, case):
    name, chosen = FITTING[case]
    found, model = page.call("analyse", chosen), build(chosen)
    assert found["error"] is None
    assert found["name"] == name
    assert found["total"] == model.count_params()
    assert len(found["rows"]) == len(model.layers)
    for row, made in zip(found["rows"], model.layers, strict=True):
        assert shape_of(row["shape"], chosen["batch"]) == made.output.shape
        assert row["weights"]["count"] == made.count_params()
    rows = page.call("picture", chosen, 40)["rows"]
    assert [row["words"] for row in rows[1:-1]] == [
        said(made.output.shape) for made in model.layers
    ]


@pytest.mark.parametrize("case", WRONG | STRICTER)
def test_errors_where_keras_has_them(page, case):
    chosen, parts = (WRONG | STRICTER)[case]
    error = page.call("analyse", chosen)["error"]
    for part in parts:
        assert part in error["text"]
    assert f"Layer {error['layer'] + 1}," in error["text"]
    assert page.call("picture", chosen, 40)["rows"][-1]["error"]
    assert page.call("code", chosen, "keras").startswith("# This can't be run:")
    if case in WRONG:
        with pytest.raises(ValueError, match=r"ndim|at least 3 dimensions"):
            build(chosen)
    else:
        build(chosen)


@pytest.mark.parametrize("case", NO_LOOP)
def test_outputs_that_can_not_be_fed_back(page, case):
    chosen, words = NO_LOOP[case]
    assert words in page.call("analyse", chosen)["error"]["text"]
    build(chosen)  # the network itself is one


def no_fit(made, x, y, batch_size, shuffle=True, verbose=0):
    """Check what fit would be given, without the time that it takes."""
    assert len(x) == batch_size
    assert shuffle == (not any(getattr(part, "stateful", False) for part in made.layers))
    out = made.compute_output_shape(x.shape)
    assert y.shape in (out, out[:-1])


# Each takes its time to build; what these have in common with the others is in few words of code.
QUICK = (
    "dense on a vector, many to one, both ways, autoencoder, words, stateful, next batch, "
    "next batch, forgotten, next words, feed back, forecast"
).split(", ")
CODED = [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in FITTING]


@pytest.mark.parametrize("dialect", ["keras", "statewise"])
@pytest.mark.parametrize("case", CODED)
def test_the_code_runs_and_makes_this_network(page, case, dialect, monkeypatch, capsys):
    chosen = FITTING[case][1]
    text = page.call("code", chosen, dialect)
    for kind in (keras.Sequential, Sequential):
        monkeypatch.setattr(kind, "fit", no_fit)
    names = {}
    exec(text, names)
    model = names["model"]
    assert isinstance(model, Sequential) == (dialect == "statewise")
    assert model.count_params() == build(chosen).count_params()
    out = build(chosen).output_shape
    if chosen["after"] == "nothing":
        assert said(out) in text
    elif chosen["after"] == "batch":
        assert names["first"].shape == out
        steps = out[1] if case == "next batch, decoder" else chosen["more"]
        assert names["second"].shape == ((out[0], steps, out[2]) if len(out) == 3 else out)
    else:
        assert names["forecast"].shape == (chosen["batch"], chosen["more"], chosen["features"])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["keras", "statewise"])
@pytest.mark.parametrize("case", ["autoencoder", "words", "stateful"])
def test_the_code_trains_too(page, case, dialect):
    text = page.call("code", FITTING[case][1], dialect).replace("range(100)", "range(2)")
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr


def lanes(drawn, place, back):
    """The node of a box: in a two-way cell, that of one of its directions."""
    at = (place["row"], round(place["column"], 3))
    return (*at, back if at in drawn else False)


def reached(drawn):
    """Which inputs lead to each output along the picture's arrows: {output: {(part, step)}}."""
    key = lambda box: (box["row"], round(box["column"], 3))  # noqa: E731
    boxes = {key(box): box for box in drawn["boxes"]}
    two_way = {at for at, box in boxes.items() if box["kind"] == "twoway"}
    arrows = []
    for link in drawn["links"]:
        if link["from"] is None or link["to"] is None:
            continue
        kind, back = link["kind"], link.get("back", False)
        ends = [(link["from"]["row"], round(link["from"]["column"], 3))]
        ends.append((link["to"]["row"], round(link["to"]["column"], 3)))
        if kind in ("state", "carried"):
            arrows.append(((*ends[0], back), (*ends[1], back)))
            continue
        sources = [False, True] if ends[0] in two_way else [False]
        has_joint = any(
            other["kind"] == "joint" and other["to"] == link["to"] for other in drawn["links"]
        )
        if has_joint:  # the last one's forward half, and the first one's backward half
            sources = [kind == "joint"]
        targets = [False, True] if ends[1] in two_way else [False]
        arrows += [((*ends[0], s), (*ends[1], t)) for s in sources for t in targets]
    top = max(row for row, _ in boxes)
    found = {}
    for at, box in boxes.items():
        if at[0] != top:
            continue
        seen, waiting = set(), [(*at, False)]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting += [start for start, end in arrows if end == node]
        inputs = {
            boxes[node[:2]]["part"] * 100 + boxes[node[:2]]["step"] for node in seen if node[0] == 0
        }
        found[box["part"] * 100 + box["step"]] = inputs
    return found


def reached_in_truth(chosen, rng):
    """The same, found by changing each input of the model and looking which outputs move."""
    model = (
        build(chosen | {"steps": None}, Sequential, layers)
        if chosen["input"] != "vector"
        else build(chosen, Sequential, layers)
    )
    for variable in model.trainable_variables:  # random, so that nothing cancels
        variable.assign(rng.normal(size=variable.shape) * 0.5)
    lengths = [chosen["steps"]] + ([chosen["more"]] if chosen["after"] == "batch" else [])
    if chosen["input"] == "vector":
        batches = [rng.normal(size=(chosen["batch"], chosen["features"]))]
    elif chosen["input"] == "words":
        batches = [rng.integers(0, 4, size=(chosen["batch"], n)) for n in lengths]
    else:
        batches = [rng.normal(size=(chosen["batch"], n, chosen["features"])) for n in lengths]

    def outputs(given):
        model.reset_states()
        made = [np.asarray(model(x if x.dtype.kind == "i" else x.astype("float32"))) for x in given]
        return [y if y.ndim == 3 else y[:, None] for y in made]  # a vector is one output

    before = outputs(batches)
    found = {p * 100 + k + 1: set() for p, y in enumerate(before) for k in range(y.shape[1])}
    for part, x in enumerate(batches):
        for step in range(1 if x.ndim == 2 and x.dtype.kind == "f" else x.shape[1]):
            changed = [batch.copy() for batch in batches]
            if chosen["input"] == "vector":
                changed[part][:] += 1
            else:
                changed[part][:, step] += 1
            for p, (was, now) in enumerate(zip(before, outputs(changed), strict=True)):
                for k in np.flatnonzero(np.abs(now - was).max(axis=(0, 2)) > 1e-7):
                    found[p * 100 + k + 1].add(part * 100 + step + 1)
    return found


@pytest.mark.parametrize("case", [c for c in FITTING if FITTING[c][1]["after"] != "loop"])
def test_arrows_lead_from_the_inputs_that_an_output_depends_on(page, case, rng):
    chosen = FITTING[case][1]
    drawn = page.call("picture", chosen, 40)
    assert not [box for box in drawn["boxes"] if box["kind"] == "gap"]
    assert reached(drawn) == reached_in_truth(chosen, rng)


def test_a_closed_loop_is_drawn_from_each_output_to_the_next_input(page):
    drawn = page.call("picture", FITTING["forecast"][1], 40)
    fed = [link for link in drawn["links"] if link["kind"] == "fedback"]
    assert [link["from"]["column"] for link in fed] == [4, 5.8]
    assert [link["to"]["column"] for link in fed] == [5.8, 6.8]
    reach = reached(drawn)
    assert reach[102] == {1, 2, 3, 4, 5, 101, 102}


@pytest.mark.parametrize(("room", "steps"), [(6, 50), (9.5, 10), (3, 4), (1, 400)])
def test_long_sequences_are_shortened_in_the_middle(page, room, steps):
    drawn = page.call("picture", net(lstm(4, **EVERY), dense(1), steps=steps), room)
    most = max(3, int(room))
    for row in range(4):
        inside = [box for box in drawn["boxes"] if box["row"] == row]
        shown = [box["step"] for box in inside]
        assert shown == [*range(1, most - 1), None, steps]
        assert [box["kind"] == "gap" for box in inside] == [step is None for step in shown]


def test_the_table_survives_the_address(page):
    """What the page writes into its address it reads again."""
    for name, chosen in FITTING.values():
        page.js("location.hash = 'net=' + encodeURIComponent(arguments[0])", json.dumps(chosen))
        page.until(f"return document.getElementById('name').textContent === {json.dumps(name)}")
        page.until(
            "return document.querySelectorAll('.layer').length === statewise.page.net.layers.length"
        )
        assert page.net() == chosen


@pytest.mark.slow
@pytest.mark.parametrize("case", FITTING)
def test_the_name_is_that_of_the_picture_drawn_from_the_model(case):
    name, chosen = FITTING[case]
    if chosen["after"] == "loop":
        model = build(chosen | {"steps": None}, Sequential, layers)
        shape = (chosen["batch"], chosen["steps"], chosen["features"])
        drawing = draw(model, shape, closed_loop=chosen["more"] - 1)
    else:
        drawing = draw(build(chosen, Sequential, layers))
    assert drawing.picture == name


def test_both_ways_the_last_outputs_are_those_of_the_two_ends(page):
    """Reach can't show it: the forward half alone has seen every input."""
    drawn = page.call("picture", FITTING["both ways, the last"][1], 40)
    ends = {
        kind: [
            (link["from"]["column"], link["to"] and link["to"]["column"])
            for link in drawn["links"]
            if link["kind"] == kind and link["from"] and link["from"]["row"] == 1
        ]
        for kind in ("up", "joint", "dropped")
    }
    assert ends == {"up": [(4, 4)], "joint": [(0, 4)], "dropped": [(1, None), (2, None), (3, None)]}
    begins = [
        (link["back"], link["to"]["column"]) for link in drawn["links"] if link["kind"] == "zero"
    ]
    assert begins == [(False, 0), (True, 4)]
