"""An executor's results: each task once, in the tasks' order, whatever order workers end in."""

import os
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worker_tasks
from statewise.distributed import OneProcess, Processes, WorkerLostError
from statewise.distributed.executors.in_order import in_order
from statewise.distributed.executors.worker import Answer, given_back, perform, thread_limits


class ShuffledCrew:
    """Workers that end in an order of their own."""

    def __init__(self, rng):
        self.rng, self.begun, self.under_way, self.most = rng, [], {}, 0

    def begin(self, number, task):
        assert number == len(self.begun)
        self.begun.append(task)
        self.under_way[number] = task
        self.most = max(self.most, len(self.under_way))

    def wait(self):
        some = self.rng.integers(1, len(self.under_way) + 1)
        ended = self.rng.permutation(list(self.under_way))[:some]
        return [(int(n), Answer(self.under_way.pop(int(n)) * 2)) for n in ended]


@given(st.integers(0, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_results_come_in_the_order_of_tasks_whatever_order_they_end_in(count, workers, seed):
    rng = np.random.default_rng(seed)
    crew, told, taken = ShuffledCrew(rng), [], []

    def tasks():
        for i in range(count):
            taken.append(i)
            yield i

    results = []
    for result in in_order(crew, tasks(), workers, told.append):
        results.append(result)
        # What is begun and not given yet is bounded, however many tasks there are.
        assert len(taken) - len(results) < 2 * workers
    assert results == [2 * i for i in range(count)]
    assert told == list(range(1, count + 1))
    assert crew.most <= 2 * workers


def test_a_task_that_raises_ends_it():
    def refuse(shared, task):
        if task == 2:
            raise KeyError("two")
        return task

    given = OneProcess().run(refuse, range(5))
    assert [next(given), next(given)] == [0, 1]
    with pytest.raises(KeyError, match="two"):
        next(given)


def test_what_a_worker_warns_of_is_told_here():
    def warn(shared, task):
        warnings.warn("look at your data", UserWarning, stacklevel=1)
        warnings.warn("look at your data", UserWarning, stacklevel=1)
        warnings.warn("of a library", DeprecationWarning, stacklevel=1)
        return task + shared

    answer = perform(warn, 1, 2)
    assert answer.warned == ((UserWarning, "look at your data"),)
    with pytest.warns(UserWarning, match="look at your data") as told:
        assert given_back(answer) == 3
    assert len(told) == 1


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_a_number_of_workers_that_is_none_is_refused(workers):
    with pytest.raises((TypeError, ValueError), match="workers"):
        Processes(workers)


@pytest.mark.slow
def test_processes_do_each_task_once_and_share_the_cores():
    executor = Processes(2)
    told = []
    found = list(executor.run(worker_tasks.tell, range(7), {"factor": 3}, finished=told.append))
    assert [result for _, result, _ in found] == [3 * i for i in range(7)]
    assert told == list(range(1, 8))
    assert {threads for threads, _, _ in found} == set(
        thread_limits(max(1, len(os.sched_getaffinity(0)) // 2)).values()
    )
    assert os.getpid() not in {pid for _, _, pid in found}
    with pytest.raises(ValueError, match="the key 3"):
        list(executor.run(worker_tasks.refuse, range(9)))


@pytest.mark.slow
def test_tasks_whose_process_is_killed_are_done_again(tmp_path):
    shared = (str(tmp_path), {1, 4, 5})
    found = list(Processes(2).run(worker_tasks.die_once, range(8), shared))
    assert found == [i**2 for i in range(8)]
    tried = Counter({int(p.name.split(".")[0]): p.stat().st_size for p in tmp_path.iterdir()})
    assert all(tried[i] >= (2 if i in shared[1] else 1) for i in range(8))


@pytest.mark.slow
def test_a_task_that_kills_each_of_its_processes_is_named():
    with pytest.raises(WorkerLostError, match=r"3 times in a row .* tasks 1 \(counted from 0\)"):
        list(Processes(1, retries=2).run(worker_tasks.always_die, range(2)))
