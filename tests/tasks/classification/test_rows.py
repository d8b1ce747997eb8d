"""Sequences in rows: each once, none cut, little left empty, by its own length alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.tasks.classification.network import Architecture
from statewise.tasks.classification.rows import batches, in_batches, lay, row_length
from statewise.tasks.classification.sequences import joined
from statewise.tasks.classification.training import Examples, Trainer


def check_laid(places, lengths, order, time):
    """Each sequence lies once and whole, and none lies on another."""
    there = places.members >= 0
    assert sorted(places.members[there].tolist()) == sorted(order)
    np.testing.assert_array_equal(
        (places.ends - places.begins)[there], lengths[places.members[there]]
    )
    assert not (places.ends - places.begins)[~there].any()
    for begins, ends, members in zip(*places, strict=True):
        last = 0
        for begin, end, member in zip(begins, ends, members, strict=True):
            if member >= 0:
                assert begin == last  # nothing between
                last = end
        assert last <= time


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_sequences_lie_whole_and_once(data):
    lengths = np.array(data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=50)))
    time = int(lengths.max()) + data.draw(st.integers(0, 9))
    most = data.draw(st.integers(1, 9))
    order = np.array(data.draw(st.permutations(range(len(lengths)))))
    order = order[: data.draw(st.integers(1, len(lengths)))]
    places = lay(lengths, order, time, most)
    check_laid(places, lengths, order.tolist(), time)
    rows = data.draw(st.integers(1, 5))
    cut = list(in_batches(places, rows))
    assert {part.members.shape for part in cut} == {(rows, most)}
    for i, part in enumerate(places):
        np.testing.assert_array_equal(np.concatenate([b[i] for b in cut])[: len(part)], part)
    assert (cut[-1].members[len(places.members) - rows * len(cut) :] >= -1).all()


def test_rows_are_well_filled(rng):
    lengths = rng.integers(7, 27, 300)
    places = lay(lengths, rng.permutation(300), 26, 3)
    assert lengths.sum() > 0.85 * 26 * len(places.begins)  # padded to the longest it'd be 0.63


def test_batches_hold_each_sequence_once(rng):
    sequences = joined([rng.normal(size=(n, 3)) for n in rng.integers(1, 90, 60)])
    seen, shapes = [], {}
    for batch in batches(sequences, 40):
        shapes.setdefault(batch.x.shape[1], set()).add(batch.x.shape)
        places = batch.places
        for row, place in np.argwhere(places.members >= 0):
            i = places.members[row, place]
            there = batch.x[row, places.begins[row, place] : places.ends[row, place]]
            np.testing.assert_array_equal(there, sequences[i].astype(np.float32))
            assert batch.x.shape[1] == row_length(len(sequences[i]), 40)
            seen.append(int(i))
    assert sorted(seen) == list(range(60))
    assert all(len(some) == 1 for some in shapes.values())  # of a row's length one shape


def test_an_epoch_has_each_sequence_once_in_another_order(rng):
    sequences = joined([rng.normal(size=(n, 2)) for n in rng.integers(2, 30, 70)])
    examples = Examples(sequences, np.eye(2, dtype=np.float32)[rng.integers(0, 2, 70)], np.ones(70))
    architecture = Architecture(2, 2, "gru", 3, 1, True, False)
    members = np.flatnonzero(rng.random(70) < 0.8)
    orders = []
    for early in (False, True):
        trainer = Trainer(architecture, examples, "classes", 1, 0, early=early)
        draws = np.random.default_rng(0)
        for _ in range(2):
            places, count = trainer._laid(members, draws)
            assert not (places.members[count:] > 0).any()  # room, which isn't run
            there = places.members[:count] >= 0
            found = places.members[:count][there]
            assert sorted(found.tolist()) == members.tolist()
            steps = (places.ends - places.begins)[:count][there]
            whole = steps == sequences.lengths[found]
            assert whole.all() != early
            assert (steps >= 1).all()
            assert (steps <= sequences.lengths[found]).all()
            orders.append(found.tolist())
    assert len({tuple(order) for order in orders}) == len(orders)
