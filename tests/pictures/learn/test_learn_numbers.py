"""The LSTM on the page calculates what the model does whose weights it has."""

import json
import runpy
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from numpy_cells import lstm_step
from statewise import Sequential, datasets, layers, sequences

NUMBERS = json.loads(
    (files("statewise.pictures.learn") / "assets" / "tank_lstm.json").read_text("utf-8")
)
SCRIPT = Path(__file__).parents[3] / "scripts" / "make_tank_lstm.py"


@pytest.fixture(scope="module")
def model():
    made = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(NUMBERS["units"], return_sequences=True),
            layers.Dense(2),
        ]
    )
    made.set_weights([np.array(weights, "float32") for weights in NUMBERS["weights"].values()])
    return made


@pytest.fixture(scope="module")
def scaled():
    values = np.array(NUMBERS["tanks"])
    return ((values - NUMBERS["shift"]) / NUMBERS["scale"]).astype("float32")  # (3, 96, 2)


def by_the_model(model, tank, way):
    """Return what the model says in each way of the page, (steps, 2), for (1, hours, 2)."""
    known, ahead = NUMBERS["known"], NUMBERS["ahead"]
    if way == "whole":
        return model(tank[:, :5])[0]
    if way == "stateful":
        first, state = model.step(tank[:, :2], model.initial_state(1))
        second, _ = model.step(tank[:, 2:5], state)
        return np.concatenate([first[0], second[0]])
    if way == "stateless":
        return np.concatenate([model(tank[:, :2])[0], model(tank[:, 2:5])[0]])
    if way == "windows":
        return np.concatenate([model(tank[:, k : k + 3])[0] for k in range(3)])
    warm_up = model(tank[:, :known])[0]
    return np.concatenate([warm_up[:-1], model.forecast(tank[:, :known], ahead)[0]])


@pytest.mark.parametrize("way", ["whole", "stateful", "stateless", "windows", "forecast"])
@pytest.mark.parametrize("tank", range(3))
def test_the_page_says_what_the_model_says(page, model, scaled, way, tank):
    steps = page.call("run", way, tank)
    said = np.array([step["y"] for step in steps])
    expected = np.asarray(by_the_model(model, scaled[[tank]], way))
    assert said.shape == expected.shape
    np.testing.assert_allclose(said, expected, atol=1e-5)
    in_units = np.array([step["said"] for step in steps])
    back = expected * NUMBERS["scale"] + NUMBERS["shift"]
    np.testing.assert_allclose(in_units, back, atol=1e-3)


def test_the_states_of_the_page_are_those_of_the_equations(page, scaled):
    W, U, b = (np.array(NUMBERS["weights"][n]) for n in ("kernel", "recurrent_kernel", "bias"))
    state = [np.zeros(NUMBERS["units"])] * 2
    act, gate = np.tanh, lambda a: 1 / (1 + np.exp(-a))
    for step, x in zip(page.call("run", "whole", 1), scaled[1], strict=False):
        np.testing.assert_allclose(step["before"]["c"], state[1], atol=1e-6)
        state = lstm_step(x.astype("float64"), state, W, U, b, act, gate)
        np.testing.assert_allclose([step["h"], step["c"]], state, atol=1e-6)
        kept = np.multiply(step["f"], step["before"]["c"]) + np.multiply(step["i"], step["g"])
        np.testing.assert_allclose(kept, state[1], atol=1e-6)


def test_the_table_and_the_sum_show_these_numbers(page):
    page.open("steps")
    for now in (0, 3):
        step = page.call("run", "whole", 0)[now]
        page.js("document.getElementById('now').value = arguments[0]", now)
        page.js("document.getElementById('now').dispatchEvent(new Event('input'))")
        for name in "ifgoch":
            for unit in range(NUMBERS["units"]):
                shown = page.text(f'[data-value="{name}{unit}"]').replace("\u2212", "-")
                assert abs(float(shown) - step[name][unit]) <= 0.0005 + 1e-9
    page.click('[data-gate="o2"]')
    assert page.one('[data-gate="o2"]').get_attribute("aria-pressed") == "true"
    assert page.js("return document.activeElement.dataset.gate") == "o2"
    written = page.text(".sum").replace("\u2212", "-")
    assert written.startswith("output gate o, unit 3")
    assert (
        f"o3 = sigmoid({np.log(step['o'][2] / (1 - step['o'][2])):.3f}) = {step['o'][2]:.3f}"
        in written
    )


def test_in_parts_it_says_the_same_only_if_the_state_is_kept(page):
    ends = {
        way: np.array(page.call("run", way, 2)[-1]["y"])
        for way in ("whole", "stateful", "stateless")
    }
    assert np.abs(ends["stateful"] - ends["whole"]).max() == 0
    assert np.abs(ends["stateless"] - ends["whole"]).max() > 0.01
    page.click("#way option[value=stateful]")
    assert "says the very same" in page.text(".compare")
    page.click("#way option[value=stateless]")
    assert "knows nothing of hours 1 and 2" in page.text(".compare")


def test_the_player_plays_to_the_end_and_pauses(page):
    page.click("#way option[value=forecast]")
    page.click('[aria-label="First step"]')
    page.click('[aria-label="Play the steps"]')
    page.until("return document.getElementById('now').value > 2")
    page.click('[aria-label="Pause"]')
    now = int(page.one("#now").get_property("value"))
    assert 2 < now < 94
    page.click('[aria-label="One step on"]')
    assert page.text(".step-words h3").startswith(f"Step {now + 2} of 95: hour {now + 2}")
    page.click('[aria-label="First step"]')
    assert "The state is zero" in page.text(".step-words")


def test_the_shipped_network_is_as_good_as_the_page_says(model):
    others = datasets.tanks(40, steps=NUMBERS["known"] + NUMBERS["ahead"], seed=1)
    np.testing.assert_allclose(NUMBERS["tanks"], others[:3], atol=0.051)  # rounded to be read
    scaler = sequences.StandardScaler().fit(datasets.tanks(32, steps=168))
    np.testing.assert_allclose(NUMBERS["shift"], scaler.shift, rtol=1e-6)
    np.testing.assert_allclose(NUMBERS["scale"], scaler.scale, rtol=1e-6)
    measure = runpy.run_path(str(SCRIPT))["measure"]
    errors = measure(model, scaler, others)
    np.testing.assert_allclose(errors["forecast"], NUMBERS["error"]["forecast"], rtol=0.02)
    np.testing.assert_allclose(errors["naive"], NUMBERS["error"]["naive"], rtol=1e-6)
    assert errors["forecast"][1] < 0.25 * errors["naive"][1]


@pytest.mark.slow
def test_the_script_makes_such_a_network_again():
    script = runpy.run_path(str(SCRIPT))
    tanks = datasets.tanks(32, steps=168)
    scaler = sequences.StandardScaler().fit(tanks)
    trained = script["train"](scaler.transform(tanks))
    others = datasets.tanks(40, steps=NUMBERS["known"] + NUMBERS["ahead"], seed=1)
    errors = script["measure"](trained, scaler, others)
    assert errors["forecast"][1] < 0.35 * errors["naive"][1]
