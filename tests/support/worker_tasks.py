"""What workers do in tests: functions of a module, since processes of their own import them."""

import os
import signal
import time
import warnings


def tell(shared, task):
    return os.environ["STATEWISE_NUM_THREADS"], shared["factor"] * task, os.getpid()


def die_once(shared, task):
    """Kill the process at some tasks, each the first time that it's tried."""
    folder, deadly = shared
    tried = f"{folder}/{task}.tried"
    with open(tried, "a") as file:
        file.write("x")
    if task in deadly and os.path.getsize(tried) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task**2


def always_die(shared, task):
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def refuse(shared, task):
    time.sleep(0.01)
    if task == 3:
        raise ValueError(f"the key {task}")
    return task


def warn(shared, task):
    warnings.warn("look at your data", UserWarning, stacklevel=1)
    return task


def numbered_die_first(shared, task):
    """Do a function for a task, but kill the process the first time."""
    folder, function, own = shared
    number, task = task
    tried = f"{folder}/{number}.tried"
    if not os.path.exists(tried):
        with open(tried, "w") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return function(own, task)


def times(shared, task):
    """Return when a task was begun and when it was done."""
    begun = time.time()
    time.sleep(0.2)
    return begun, time.time()
