"""Compiled programs of many threads: each compiles once, and some are forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jax.numpy as jnp
import numpy as np
import pytest

from statewise.tasks.forecasting.global_model import programs
from statewise.tasks.forecasting.global_model.programs import COMPILED, Program, in_threads


def test_threads_that_call_at_the_same_time_compile_once():
    traced, together = [], threading.Barrier(4)

    def function(x):
        traced.append(x.shape)
        return jnp.sin(x).sum()

    program = Program(function, COMPILED)

    def call(_):
        together.wait(60)
        return float(program(np.ones(3, np.float32)))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(call, range(4)))
    assert results == [pytest.approx(3 * np.sin(1), rel=1e-6)] * 4
    assert traced == [(3,)]


def test_constants_are_part_of_the_program():
    program = Program(lambda power, x: x**power, COMPILED, constants=1)
    assert float(program(2, np.float32(3))) == 9
    assert float(program(3, np.float32(3))) == 27


def test_programs_of_many_shapes_are_forgotten(monkeypatch):
    monkeypatch.setattr(programs, "_SHAPES", 2)
    program = Program(lambda x: 2 * x, COMPILED)
    for count in (1, 2, 3, 1, 2, 3):
        np.testing.assert_array_equal(program(np.arange(count)), 2 * np.arange(count))
        assert program._run._cache_size() <= 2


def test_a_function_that_fails_fails_for_every_caller():
    def function(x):
        raise ValueError("not today")

    program = Program(function, COMPILED)
    for _ in range(2):
        with pytest.raises(ValueError, match="not today"):
            program(np.zeros(2))


@pytest.mark.parametrize("threads", [1, 2])
def test_calls_run_side_by_side_but_in_a_process_of_one_thread(monkeypatch, threads):
    monkeypatch.setenv("STATEWISE_NUM_THREADS", str(threads))
    begun = [threading.Event(), threading.Event()]

    def call(number):
        begun[number].set()
        return begun[1 - number].wait(0 if threads == 1 else 60)  # for the other one

    assert in_threads([lambda: call(0), lambda: call(1)]) == [threads == 2, True]
