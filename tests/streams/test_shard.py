"""A shard does what it's asked once, also when it's asked twice and was killed in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise import Sequential, layers
from statewise.streams import StateStore, Streams
from statewise.streams.arrivals import batches_of
from statewise.streams.buckets import BUCKETS, buckets_of
from statewise.streams.shard import Shard
from statewise.streams.tickets import Done, Ticket, packed, unpacked

# isort: split
import keras


def network(sequences=False):
    keras.utils.set_random_seed(3)
    gru = layers.GRU(5, return_sequences=sequences)
    return Sequential([layers.Input((None, 2)), gru, layers.Dense(3)])


def batches(shard, values):
    return batches_of(values, shard.streams._signature, "raise")


def by_key(laid, answer):
    return {
        k: y
        for b, part in zip(laid, answer, strict=True)
        for k, y in zip(b.keys, part, strict=True)
    }


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_what_is_asked_twice_is_done_once(tmp_path, rng, stored, sequences):
    path = tmp_path / "shard.db" if stored else None
    model = network(sequences)
    plain, shard = Streams(model), Shard(model, path)
    for number in range(6):
        some = rng.permutation(9)[: rng.integers(1, 9)]
        steps = rng.integers(1, 4, len(some)) if number % 2 else np.zeros(len(some), int)
        values = {
            f"tank {k}" if k % 2 else int(k): rng.normal(size=(n, 2) if n else 2).astype("float32")
            for k, n in zip(some, steps, strict=True)
        }
        expected = plain.push(values)
        laid = batches(shard, values)
        for _ in range(rng.integers(1, 4)):
            got = by_key(laid, shard.push(Ticket("me", number), laid))
            for key in values:
                np.testing.assert_allclose(got[key], expected[key], atol=1e-6)
            if stored and rng.random() < 0.5:  # as a killed process leaves it
                shard.close()
                shard = Shard(model, path)
        assert {k: shard.steps(k) for k in shard.streams} == {k: plain.steps(k) for k in plain}
    assert shard.push(Ticket("you", 5), laid)[0].shape  # another one's fifth is another change
    assert shard.steps(laid[0].keys[0]) > plain.steps(laid[0].keys[0])
    shard.close()


def test_other_changes_are_done_once_too(tmp_path, rng):
    model = network()
    with Shard(model, tmp_path / "a.db").streams as streams:
        streams.push({"a": np.ones((4, 2)), "b": np.ones((2, 2))})
        state = streams.state("a")
    shard = Shard(model, tmp_path / "a.db")
    for _ in range(2):
        shard.forget(Ticket("me", 1), ["a"])
    assert shard.keys() == ["b"]
    assert shard.strangers(["a", "b"]) == ["a"]
    with pytest.raises(KeyError, match="No such key: 'a'"):
        shard.forget(Ticket("me", 2), ["a"])
    shard.set_state(Ticket("me", 3), "b", state)
    (name,) = state
    np.testing.assert_allclose(shard.state("b")[name]["h"], state[name]["h"])
    laid = batches(shard, {"b": np.ones(2)})
    shard.push(Ticket("me", 4), laid)
    with pytest.raises(RuntimeError, match="Change 3 came after change 4"):
        shard.set_state(Ticket("me", 3), "b", state)
    assert shard.steps("b") == 3
    for _ in range(2):
        shard.reset(Ticket("me", 5), ["b"])
    for _ in range(2):
        shard.join(Ticket("me", 6), ["c"])
    assert (shard.steps("b"), shard.steps("c")) == (0, 0)
    shard.close()


def test_a_change_that_fails_is_not_noted(tmp_path):
    model = network()
    shard = Shard(model, tmp_path / "a.db")
    laid = batches(shard, {"a": np.full(2, 1.0)})
    first = shard.push(Ticket("me", 1), laid)
    shard._states.store.close()  # as good as a disk that is gone
    with pytest.raises(OSError, match="closed"):
        shard.push(Ticket("me", 2), laid)
    shard = Shard(model, tmp_path / "a.db")
    assert shard.steps("a") == 1
    np.testing.assert_array_equal(shard.push(Ticket("me", 1), laid), first)
    shard.push(Ticket("me", 2), laid)
    assert shard.steps("a") == 2
    shard.close()


def test_keys_go_from_shard_to_shard_with_all_that_is_kept_of_them(tmp_path, rng):
    source = Shard(network(), tmp_path / "source.db")
    target = Shard(network(), tmp_path / "target.db")  # its layers have other names
    x = {f"tank {i}": rng.normal(size=(1 + i % 3, 2)).astype("float32") for i in range(30)}
    source.push(Ticket("me", 1), batches(source, x))
    moving = np.flatnonzero(rng.random(BUCKETS) < 0.5)
    gone = [key for key, bucket in zip(x, buckets_of(list(x)), strict=True) if bucket in moving]
    # What was there from an earlier time, and has left since, isn't back.
    stale = gone[0]
    source.forget(Ticket("me", 2), [stale])
    target.push(Ticket("me", 1), batches(target, {stale: np.ones(2)}))
    expected = source.streams.forecast(gone[1:], 1)
    states = {key: source.state(key).numpy() for key in gone[1:]}
    rows = source.taken_out(moving)
    for _ in range(2):
        target.put_in(rows, moving)
    for _ in range(2):
        source.drop(moving)
    assert set(target.keys()) == set(gone[1:])
    assert set(source.keys()) == set(x) - set(gone)
    for key in gone[1:]:
        assert target.steps(key) == len(x[key])
        (theirs,), (ours,) = states[key].values(), target.state(key).numpy().values()
        np.testing.assert_array_equal(ours["h"], theirs["h"])
        np.testing.assert_array_equal(target.streams.forecast(key, 1)[key], expected[key])
    source.close()
    target.close()


@given(
    st.text(max_size=5),
    st.integers(0, 2**60),
    st.lists(st.lists(st.integers(0, 4), max_size=3), max_size=3),
    st.sampled_from(["float32", "int64", "float16"]),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=50)
def test_a_note_is_read_as_it_was_written_and_damage_is_told(session, number, shapes, dtype, at):
    rng = np.random.default_rng(at)
    done = Done(Ticket(session, number), [rng.normal(size=s).astype(dtype) for s in shapes])
    data = packed(done)
    again = unpacked(data)
    assert again.ticket == done.ticket
    for one, other in zip(done.answer, again.answer, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    spoilt = bytearray(data)
    spoilt[at % len(data)] ^= 1 << at % 8
    with pytest.raises(ValueError, match="checksum"):
        unpacked(bytes(spoilt))


def test_a_store_without_notes_gets_room_for_them(tmp_path):
    model = network()
    with Streams(model, store=tmp_path / "a.db") as streams:
        streams.push({"a": np.ones(2)})
        assert streams._states.store.notes.read("last change") is None
        columns, weights = streams._states.store.columns, streams._states.store.weights
    Shard(model, tmp_path / "a.db").close()
    with StateStore(tmp_path / "a.db", columns, weights=weights) as store:
        store.keep_notes()
        with store.notes.along("x", b"1"):
            store.write(*_one_more(store), weights=weights)
        store.write(*_one_more(store), weights=weights)  # without a note the old one stays
        assert store.notes.read("x") == b"1"
        assert store.notes.read("y") is None
    with Streams(model, store=tmp_path / "a.db") as streams:
        assert streams.steps("a") == 1


def _one_more(store):
    keys, values = store.read()
    return keys, values


def test_buckets_are_the_same_everywhere_and_even():
    keys = [*range(-200, 200), *(f"{i}" for i in range(400))]
    buckets = buckets_of(keys)
    assert buckets.min() >= 0
    assert buckets.max() < BUCKETS
    assert buckets_of(["north", 7, "7", ""]).tolist() == buckets_of(["north", 7, "7", ""]).tolist()
    assert buckets_of([7])[0] != buckets_of(["7"])[0]
    # Written down: another release must find keys where this one put them.
    assert buckets_of(["north", 7, "7", "", -1]).tolist() == NOTED
    counts = np.bincount(buckets_of([f"sensor-{i:06d}" for i in range(50_000)]) % 8)
    assert abs(counts / counts.mean() - 1).max() < 0.05


NOTED = [2794, 3924, 23, 0, 1362]
