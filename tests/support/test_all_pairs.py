from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from all_pairs import all_pairs


@given(st.lists(st.integers(1, 4), min_size=2, max_size=6))
def test_every_pair_of_values_occurs(sizes):
    options = {f"option {n}": list(range(size)) for n, size in enumerate(sizes)}
    rows = all_pairs(options)
    for one, other in combinations(options, 2):
        seen = {(row[one], row[other]) for row in rows}
        assert seen == set(product(options[one], options[other]))


def test_far_fewer_than_all_combinations():
    assert len(all_pairs({str(n): [0, 1, 2] for n in range(12)})) < 30
