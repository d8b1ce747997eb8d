"""Who takes part in a run, and what is said to those who can't."""

import random

import numpy as np
import pytest

from statewise.distributed.joining.addresses import (
    ADDRESS,
    PROCESS,
    PROCESSES,
    place_of,
    split_address,
)
from statewise.distributed.joining.members import (
    Member,
    RefusedError,
    check_same,
    check_welcome,
    this_process,
)


def member(process, processes=4, **versions):
    return Member(process, processes, f"host-{process}", 100 + process, versions, "a")


def test_what_a_process_says_of_itself_is_what_is_heard():
    import json

    said = this_process(2, 3)
    assert Member.of(json.loads(said.hello())) == said
    assert {"statewise", "jax", "keras", "floatx"} <= said.versions.keys()


def test_the_place_of_the_random_numbers_tells_processes_apart():
    random.seed(3), np.random.seed(3)
    first = this_process(0, 2).chance
    assert this_process(1, 2).chance == first
    np.random.random()
    assert this_process(1, 2).chance != first


@pytest.mark.parametrize(
    ("newcomer", "begun", "said"),
    [
        (member(1, 3), False, "processes=3, but the run at this address is one of 4"),
        (member(4), False, "numbered from 0 to 3"),
        (member(2), False, r"process=2 has come already: Process 2 of 4 \(pid 102 on host-2\)"),
        (member(1), True, "has begun already"),
    ],
    ids=["count", "number", "twice", "late"],
)
def test_who_can_not_take_part_is_told_why(newcomer, begun, said):
    with pytest.raises(RefusedError, match=said) as refused:
        check_welcome(newcomer, [member(0), member(2)], 4, begun)
    assert not refused.value.by_all


def test_other_versions_are_refused_by_all_and_named():
    check_same([member(0, a="1", b="2"), member(1, a="1", b="2")])
    with pytest.raises(RefusedError) as refused:
        check_same([member(1, statewise="0.2", jax="0.10"), member(0, statewise="0.1", jax="0.10")])
    assert "statewise is 0.2 in process 1 on host-1 and 0.1 in process 0" in str(refused.value)
    assert "jax" not in str(refused.value)
    assert refused.value.by_all


def test_the_place_comes_from_arguments_or_from_the_launcher():
    place = place_of("10.0.0.1:4000", 4, 3, {ADDRESS: "x:1", PROCESSES: "9", PROCESS: "8"})
    assert (place.process, place.processes, place.meeting) == (3, 4, False)
    assert place_of(None, 1, None, {})[1:3] == (1, 0)
    assert place_of(None, None, None, {})[1:3] == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a:1", None, 1), "Missing: processes"),
        ((None, 2, None), "Missing: address, process"),
        (("a:1", 2, 2), "process=2: expected a number from 0 to 1"),
        (("a:1", 0, 0), "processes=0"),
        (("a:1", 2.5, 0), "processes=2.5"),
        (("a:1", 2, True), "process=True"),
        (("a", 2, 0), "address='a': expected the host"),
        (("a:99999", 2, 0), "a port"),
    ],
    ids=str,
)
def test_arguments_that_say_no_place_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        place_of(*arguments, {})


def test_addresses_of_both_kinds_are_split():
    assert split_address("[fe80::1]:80") == ("fe80::1", 80)
