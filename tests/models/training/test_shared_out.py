"""Training with batches that are shared out among devices: what one device would compute."""

import pytest

from several_devices import on_devices

SETUP = """
rng = np.random.default_rng(7)
x = rng.normal(size=(45, 6, 3)).astype("float32")
y = rng.normal(size=(45, 6, 2)).astype("float32") * [1, 3]
weights = rng.uniform(0.1, 2, size=45)
series = [rng.normal(size=(n, 3)).astype("float32") for n in rng.integers(5, 30, size=17)]

def model(kind=layers.LSTM, batch=None, **options):
    keras.utils.set_random_seed(3)
    made = statewise.Sequential([
        layers.Input((None, 3), batch_size=batch),
        kind(5, return_sequences=True, **options), layers.Dense(2),
    ])
    made.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    return made
"""


TRAINED = """
def trained(made, *data, **options):
    np.random.seed(5)
    history = made.fit(*data, epochs=2, verbose=0, **options).history
    return history, made.get_weights()
"""


def test_weights_and_losses_are_those_of_one_device():
    on_devices(
        4,
        SETUP
        + TRAINED
        + """
def everything():  # shuffled, 45 = 2 * 16 + 13: the last batch can't be shared
    yield trained(model(dropout=0.3), x, y, batch_size=16, sample_weight=weights[:, None])
    data = lanes(series, lanes=8, steps=4, targets=[0, 2], seed=1)
    yield trained(model(layers.GRU), data)

alone = [*everything()]
share_out()
close([*everything()], alone)
""",
    )


@pytest.mark.slow
def test_metrics_outputs_and_states_are_those_of_one_device():
    on_devices(
        4,
        SETUP
        + TRAINED
        + """
def everything():
    made = model()
    yield trained(made, x, y, batch_size=8, validation_data=(x, y))
    yield made.predict(x, batch_size=8, verbose=0)
    yield made.evaluate(x, y, batch_size=8, verbose=0)
    on_lanes, data = model(layers.GRU), lanes(series, lanes=8, steps=4, targets=[0, 2])
    yield on_lanes.evaluate(data, verbose=0)
    yield on_lanes.predict(data, verbose=0)
    stateful = model(layers.SimpleRNN, 8, stateful=True)
    yield trained(stateful, x[:40], y[:40], batch_size=8)
    yield jax.tree.leaves(stateful.get_state().numpy())

alone = [*everything()]
share_out()
close([*everything()], alone)
""",
    )


@pytest.mark.slow
def test_the_state_of_a_lane_stays_where_the_lane_is_and_only_sums_travel():
    on_devices(
        4,
        SETUP
        + """
import re
from statewise.models.training import programs
share_out()
texts, jit = {}, programs.Programs._jit

def watched(self, function, in_place):
    program = jit(self, function, in_place)
    def run(*args, **options):
        texts[function.__name__] = program.lower(*args, **options).compile().as_text()
        return program(*args, **options)
    return run

programs.Programs._jit = watched
made, data = model(), lanes(series, lanes=8, steps=4, targets=[0, 2], seed=1)
made.fit(data, verbose=0)
made.predict(data, verbose=0)
for name, text in texts.items():
    travels = re.findall(r"(all-gather|all-to-all|collective-permute|all-reduce)[-a-z]*\\(", text)
    assert set(travels) == ({"all-reduce"} if name == "_train" else set()), (name, travels)
    assert not statewise.recurrence.native.available() or "statewise_recurrence" in text
for arrays in made._lane_programs.states.carried:
    for array in arrays:  # device 2 has lanes 4 and 5
        rows = {shard.device.id: shard.index[0] for shard in array.addressable_shards}
        assert rows[2] == slice(4, 6), rows
""",
    )


@pytest.mark.slow
def test_weights_from_before_generators_and_data_in_parts_are_shared_out_too():
    on_devices(
        4,
        SETUP
        + """
from statewise.models.training import batches, shared_batches
def generated():
    for i in range(0, 40, 8):
        yield x[i:i + 8], y[i:i + 8]

def everything(before=lambda: None):
    made = model()
    before()
    losses = [made.fit(generated(), verbose=0).history]
    losses += [made.train_on_batch(x[:9], y[:9]), made.train_on_batch(x[:8], y[:8])]
    losses += [made.evaluate(generated(), verbose=0), made.predict_on_batch(x[:12])]
    np.random.seed(5)
    losses.append(made.fit(x, y, batch_size=4, verbose=0).history)
    return losses, made.get_weights()

alone = everything()
batches.WHOLE_LIMIT, shared_batches.CHUNK_LIMIT = 1000, 1000
close(everything(share_out), alone)
""",
    )


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_out_is_refused_and_the_sizes_that_can_are_named():
    on_devices(
        4,
        SETUP
        + """
share_out()
def said(*args, **options):
    try:
        model().fit(*args, verbose=0, **options)
    except ValueError as error:
        return str(error)
assert "batch_size=10 rows" in said(x, y, batch_size=10) and "8 or 12" in said(x, y, batch_size=10)
assert "lanes=3 rows" in (text := said(lanes(series, lanes=3, steps=4, targets=[0, 1])))
assert text.endswith("multiple of 4: 4.")
import scipy.sparse
try:
    dense = statewise.Sequential([layers.Input((6,)), layers.Dense(2)])
    dense.compile(loss="mse")
    dense.fit(scipy.sparse.csr_matrix(x[:8, 0].repeat(2, 1)), y[:8, 0], batch_size=8, verbose=0)
except TypeError as error:
    assert "sparse" in str(error)
else:
    raise AssertionError("sparse rows were taken")
""",
    )
