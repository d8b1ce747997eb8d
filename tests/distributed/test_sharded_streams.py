"""Sharded streams are those in one place: whatever dies, and while they are shared out anew."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statewise import Sequential, layers
from statewise.distributed import (
    InProcess,
    PartlyPushedError,
    ShardedStreams,
    ShardLostError,
)
from statewise.distributed.sharded import shards as shards_module
from statewise.distributed.sharded.layout import even, moves_to, read_layout, write_layout
from statewise.streams import Streams
from statewise.streams.buckets import BUCKETS

# isort: split
import keras

from dying_hosts import DyingHosts


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(5)
    return Sequential([layers.Input((None, 2)), layers.LSTM(4), layers.Dense(2)])


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(shards_module, "_PAUSE", 0)


def drawn_push(rng, keys):
    some = rng.choice(len(keys), rng.integers(1, len(keys) + 1), replace=False)
    steps = rng.integers(1, 4) if rng.random() < 0.3 else 0
    shape = (steps, 2) if steps else 2
    return {keys[i]: rng.normal(size=shape).astype("float32") for i in some}


KEYS = [*(f"tank {i}" for i in range(25)), *range(15)]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.1]))
@settings(
    deadline=None,
    max_examples=2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_dies_each_push_is_done_once(tmp_path_factory, model, seed, often):
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("shards")
    hosts = DyingHosts(lambda: rng.random() < often)
    plain = Streams(model)
    streams = ShardedStreams(model, folder, shards=int(rng.integers(1, 4)), hosts=hosts)
    for _ in range(8):
        what = rng.random()
        if what < 0.6 or not len(plain):
            values = drawn_push(rng, KEYS)
            expected, got = plain.push(values), streams.push(values)
            assert list(got) == list(values)
            for key, y in expected.items():
                np.testing.assert_allclose(got[key], y, atol=1e-6)
        elif what < 0.8:
            streams.scale(int(rng.integers(1, 6)))
        elif what < 0.9:
            gone = [key for key in plain if rng.random() < 0.3]
            plain.forget(gone)
            streams.forget(gone)
        else:
            streams.close()
            streams = ShardedStreams(model, folder, hosts=hosts)
        assert set(streams.keys()) == set(plain)
        for key in [key for key in plain if rng.random() < 0.1]:
            assert streams.steps(key) == plain.steps(key)
    assert {key: streams.steps(key) for key in plain} == {key: plain.steps(key) for key in plain}
    known = list(plain)
    if known:
        ahead, expected = streams.forecast(known, 3), plain.forecast(known, 3)
        for key in known:
            np.testing.assert_allclose(ahead[key], expected[key], atol=1e-6)
    streams.close()


@pytest.mark.slow
def test_a_scaling_that_dies_anywhere_leaves_each_key_in_one_shard(tmp_path, model, rng):
    values = {key: rng.normal(size=2).astype("float32") for key in KEYS}
    with ShardedStreams(model, tmp_path / "a", shards=2, hosts=InProcess()) as streams:
        expected = streams.push(values)
    # The whole process dies after so many calls: the hosts with it, without a retry.
    at = 0
    while True:
        calls = iter([False] * at + [True] * 10_000)
        hosts = DyingHosts(lambda calls=calls: next(calls))
        try:
            streams = ShardedStreams(model, tmp_path / "a", hosts=hosts)
            try:
                streams.scale(3 if streams.shards < 3 else 1)
                done = not hosts.deaths
            finally:
                streams.close()
        except ShardLostError:
            done = False
        with ShardedStreams(model, tmp_path / "a", hosts=InProcess()) as streams:
            assert sorted(map(str, streams.keys())) == sorted(map(str, KEYS))
            assert {streams.steps(key) for key in KEYS} == {1}
            ahead = streams.forecast(KEYS, 1)
            for key in KEYS:
                np.testing.assert_array_equal(ahead[key][0], expected[key])
        if done:
            break
        at += 1 + at // 2
    assert at > 20


def test_pushes_go_on_while_shards_are_shared_out_anew(tmp_path, model, rng):
    streams = ShardedStreams(model, tmp_path / "a", shards=2, hosts=InProcess())
    values = {key: np.ones(2, "float32") for key in KEYS}
    streams.push(values)
    counts, failures, stop = [0, 0], [], threading.Event()

    def push_on(which):
        own = {key: values[key] for key in KEYS[which::2]}
        try:
            while not stop.is_set() or not counts[which]:
                streams.push(own)
                counts[which] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=push_on, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for shards in (3, 1, 4):
        streams.scale(shards)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert streams.shards == 4
    for i, key in enumerate(KEYS):
        assert streams.steps(key) == 1 + counts[i % 2]
    streams.close()


def test_without_a_store_what_dies_is_told_and_not_begun_anew(model):
    dying = [False]
    streams = ShardedStreams(model, shards=2, hosts=DyingHosts(lambda: dying[0]))
    values = {key: np.ones(2, "float32") for key in KEYS}
    streams.push(values)
    streams.scale(3)
    assert {streams.steps(key) for key in KEYS} == {1}
    dying[0] = True
    with pytest.raises(ShardLostError, match="in memory alone"):
        streams.push(values)
    dying[0] = False
    with pytest.raises(ShardLostError, match="in memory alone"):
        streams.push(values)


def test_a_push_that_some_shards_refuse_tells_which_keys_were_pushed(tmp_path, model, rng):
    streams = ShardedStreams(model, tmp_path / "a", shards=3, hosts=InProcess())
    values = {key: rng.normal(size=2).astype("float32") for key in KEYS}
    streams.push(values)
    host = streams._shards._hosts[1]
    host.shard._states.store.close()  # as good as a full disk
    with pytest.raises(PartlyPushedError, match="keys were pushed, and") as told:
        streams.push(values)
    error = told.value
    assert set(error.outputs) | set(error.not_pushed) == set(KEYS)
    assert not set(error.outputs) & set(error.not_pushed)
    assert list(error.errors) == [1]
    host.revive()
    for key in KEYS:
        assert streams.steps(key) == (2 if key in error.outputs else 1)
    streams.close()


def test_what_can_be_refused_before_changes_nothing(tmp_path, model):
    streams = ShardedStreams(model, shards=3, hosts=InProcess(), unknown="raise")
    streams.join(KEYS)
    values = {key: np.ones(2, "float32") for key in KEYS}
    for wrong, kind in (
        ({"stranger": np.ones(2)}, KeyError),
        ({"tank 3": [1.0, np.nan]}, ValueError),
        ({"tank 3": [1.0, 2.0, 3.0]}, ValueError),
        ({2.5: np.ones(2)}, TypeError),
    ):
        with pytest.raises(kind):
            streams.push({**values, **wrong})
    for call in (streams.forget, streams.reset):
        with pytest.raises(KeyError, match="No such key: 'stranger'"):
            call([*KEYS, "stranger"])
    assert {streams.steps(key) for key in KEYS} == {0}
    assert len(streams) == len(KEYS)
    assert "tank 3" in streams
    assert "stranger" not in streams
    assert 1.5 not in streams
    for shards in (0, 1025, 1.5):
        with pytest.raises((TypeError, ValueError), match="shards"):
            streams.scale(shards)


def test_one_key_by_itself(model, rng):
    streams, plain = ShardedStreams(model, shards=2, hosts=InProcess()), Streams(model)
    for one in (streams, plain):
        one.push({"a": np.ones((3, 2)), "b": np.zeros(2)})
    np.testing.assert_array_equal(
        streams.peek({"a": np.ones(2)})["a"], plain.peek({"a": np.ones(2)})["a"]
    )
    streams.set_state("b", plain.state("a"))
    (name,) = plain.state("a")
    np.testing.assert_array_equal(streams.state("b")[name]["h"], plain.state("a")[name]["h"])
    streams.reset("a")
    assert (streams.steps("a"), streams.steps("b")) == (0, 1)
    streams.reset()
    assert streams.steps("b") == 0
    streams.forget(["a", "b"])
    assert len(streams) == 0


def test_a_folder_that_is_no_whole_one_is_refused(tmp_path, model):
    with ShardedStreams(model, tmp_path / "a", shards=2, hosts=InProcess()) as streams:
        streams.push({"a": np.ones(2)})
        with pytest.raises(BlockingIOError, match="open elsewhere"):
            ShardedStreams(model, tmp_path / "a", hosts=InProcess())
    layout = tmp_path / "a" / "layout.json"
    text = layout.read_text()
    layout.write_text(text.replace("[0, 1", "[1, 1"))
    with pytest.raises(ValueError, match="damaged, or of another version"):
        ShardedStreams(model, tmp_path / "a", hosts=InProcess())
    layout.unlink()
    with pytest.raises(ValueError, match=r"no layout\.json"):
        ShardedStreams(model, tmp_path / "a", hosts=InProcess())


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_moves_make_it_even_and_move_no_more_than_they_must(counts):
    shard_of = even(counts[0])
    for count in counts[1:]:
        before = np.bincount(shard_of, minlength=count)
        after = shard_of.copy()
        for source, target, buckets in moves_to(shard_of, count):
            assert (after[buckets] == source).all()
            after[buckets] = target
        found = np.bincount(after, minlength=count)
        assert found[:count].max() - found[:count].min() <= 1
        assert found[count:].sum() == 0
        # What is over its share moves, and nothing else.
        share = -(-BUCKETS // count)
        must = before[count:].sum() + np.maximum(before[:count] - share, 0).sum()
        assert (after != shard_of).sum() <= must + count
        shard_of = after


def test_a_layout_is_read_as_it_was_written(tmp_path):
    assert read_layout(tmp_path) is None
    write_layout(tmp_path, even(7))
    assert read_layout(tmp_path).tolist() == even(7).tolist()
