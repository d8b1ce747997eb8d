"""One measurement, in a process of its own: prints what it found as one line of JSON.

    python benchmarks/measure.py JOB SIDE SECONDS

JOB is a label of jobs.py, or "peak" (the machine's matrix product), "imports", or "j NAME" (a
curve). SIDE is a side, or our own reference, which gives results and no times. The measuring
functions know a side only by its methods: ``epoch``, ``ways_to_predict``, ``trace_and_compile``.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

import agreement
import jobs
import side_keras
import side_torch


def side_of(name: str, job):
    """Return the job's model on the side of that name."""
    module = side_torch if name in side_torch.SIDES else side_keras
    return module.Side(name, job)


def timed(run):
    """Return the seconds that ``run()`` took, and its result."""
    begun = time.perf_counter()
    result = run()
    return time.perf_counter() - begun, result


def repeated(run, seconds: float) -> float:
    """Return the median time of a call: at least three calls, and for at least so many seconds."""
    times, begun = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < seconds:
        times.append(timed(run)[0])
    return statistics.median(times)


def moved(side, job) -> list | None:
    """Return how far the weights went since the job began, where they are laid out as Keras's."""
    return agreement.moved(job.weights(), side.weights()) if hasattr(side, "weights") else None


def results_of(job) -> dict:
    """Return what an epoch on our own reference gives."""
    side, (x, y) = side_of("statewise", job), job.data()
    return {"loss": side.epoch(x, y), "moved": moved(side, job)}


def measure_reference(label: str) -> dict:
    """Return the results of a job, or of each point of a curve, and no times."""
    if not label.startswith("j "):
        return results_of(jobs.BY_LABEL[label])
    varied = label.removeprefix("j ")
    results = {value: results_of(jobs.sweep_job(varied, value)) for value in jobs.SWEEPS[varied]}
    return {"points": {}, "results": results}


def measure_job(label: str, name: str, seconds: float) -> dict:
    """Measure one job on one side: first epoch, training step, forward pass, memory, loss."""
    job = jobs.BY_LABEL[label]
    side = side_of(name, job)
    found = {"import": side.import_seconds}
    x, y = job.data()
    if job.training is not None:
        before = side.trace_and_compile()
        found["first"], found["loss"] = timed(lambda: side.epoch(x, y))
        found["moved"] = moved(side, job)
        if before is not None:
            after = side.trace_and_compile()
            found["trace"], found["compile"] = (b - a for a, b in zip(before, after, strict=True))
        found["train"] = repeated(lambda: side.epoch(x, y), seconds) / job.batches
    if job.inference is not None:
        batch = x[: job.batch]
        ways = side.ways_to_predict(batch)
        for way in ways.values():
            way()
        times = {way: repeated(run, seconds / len(ways)) for way, run in ways.items()}
        found["way"] = min(times, key=times.get)
        found["infer"] = times[found["way"]]
        found["ways"] = times
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def measure_curve(varied: str, name: str, seconds: float) -> dict:
    """Measure a training step at each point of a curve of job j."""
    points, results = {}, {}
    for value in jobs.SWEEPS[varied]:
        job = jobs.sweep_job(varied, value)
        side, (x, y) = side_of(name, job), job.data()
        results[value] = {"loss": side.epoch(x, y), "moved": moved(side, job)}
        points[value] = repeated(lambda s=side, x=x, y=y: s.epoch(x, y), seconds / 4) / job.batches
    return {"points": points, "results": results}


def measure_peak(name: str, seconds: float) -> dict:
    """Measure the best rate of a matrix product, through XLA or through PyTorch's oneDNN."""
    best, sizes = 0.0, (512, 1024, 2048)
    for size in sizes:
        if name in side_torch.SIDES:
            import torch

            a = torch.ones(size, size)
            run = lambda a=a: a @ a  # noqa: E731
        else:
            import jax

            a, product = jax.numpy.ones((size, size)), jax.jit(lambda a: a @ a)
            run = lambda a=a, product=product: product(a).block_until_ready()  # noqa: E731
        run()
        best = max(best, 2.0 * size**3 / repeated(run, seconds / len(sizes)))
    return {"flops": best}


def measure_imports(name: str, seconds: float) -> dict:
    """Measure what importing takes, each time in a new process, and ``statewise --help``."""
    code = {
        "statewise": "import statewise, keras; statewise.Sequential; statewise.layers",
        "Keras on JAX": "import keras; keras.Sequential; keras.layers",
        "Keras on TensorFlow": "import keras; keras.Sequential; keras.layers",
        "Keras on PyTorch": "import keras; keras.Sequential; keras.layers",
        "PyTorch": "import torch",
    }[name]
    backend = side_keras.BACKENDS.get(name, "")
    environment = os.environ | ({"KERAS_BACKEND": backend} if backend else {})

    def start(*command):
        return lambda: subprocess.run(command, check=True, capture_output=True, env=environment)

    found = {"import": repeated(start(sys.executable, "-c", code), seconds)}
    if name == "statewise":
        # In the same environment: Keras loads pandas and others where they are installed.
        alone = start(sys.executable, "-c", "import keras; keras.Sequential; keras.layers")
        found["keras"] = repeated(alone, seconds)
        help_command = (sys.executable, "-m", "statewise", "--help")
        found["help"] = repeated(start(*help_command), seconds)
    return found


def main():
    label, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    if name == agreement.REFERENCE:
        found = measure_reference(label)
    elif label == "peak":
        found = measure_peak(name, seconds)
    elif label == "imports":
        found = measure_imports(name, seconds)
    elif label.startswith("j "):
        found = measure_curve(label.removeprefix("j "), name, seconds)
    else:
        found = measure_job(label, name, seconds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
