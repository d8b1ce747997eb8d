"""The comparison's own arithmetic: the jobs' sizes, what is planned, and what the tables say."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import agreement
    import jobs
    import results
    import run

    return SimpleNamespace(agreement=agreement, jobs=jobs, results=results, run=run)


def test_the_work_of_a_job_is_that_of_its_matrix_products(modules):
    job = modules.jobs.BY_LABEL["b LSTM(64)"]
    assert job.flops == 64 * (2 * 50 * 4 * 64 * (8 + 64) + 2 * 64 * 1)
    tanks = modules.jobs.BY_LABEL["i the tanks' autoencoder"]
    first, inner = 2 * 48 * 4 * 64 * (2 + 64), 2 * 48 * 4 * 64 * (64 + 64)
    assert tanks.flops == 128 * (first + 5 * inner + 2 * 48 * 64 * 2)


@pytest.mark.slow
def test_every_jobs_weights_and_data_fit_its_network(modules, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import side_keras
    import statewise

    for job in modules.jobs.JOBS:
        model = side_keras.Side._built(statewise, job)
        assert [w.shape for w in model.weights] == [w.shape for w in job.weights()]
        x, y = job.data()
        assert len(x) == len(y) == job.batch * job.batches
        assert x.shape[1:] == model.input_shape[1:]
        assert y.shape[1:] == (model.output_shape[1:-1] if job.words else model.output_shape[1:])
        np.testing.assert_array_equal(x, job.data()[0])


def test_the_plan_takes_turns_and_leaves_nothing_out(modules):
    options = {"jobs": ["a", "h", "j"], "sides": ["statewise", "PyTorch"], "rounds": 2}
    plan = list(modules.run.plan(SimpleNamespace(settings=["as it is"], **options)))
    assert len(plan) == len(set(plan))
    of_a = [(turn, side) for _, turn, label, side in plan if label.startswith("a ")]
    kept = modules.results.KEPT
    turns = [(turn, side) for turn in (0, 1) for side in ("statewise", "PyTorch", kept)]
    assert of_a == [(0, modules.agreement.REFERENCE), *turns]
    assert {label for _, turn, label, _ in plan if turn == 0} >= {"peak", "imports", "j steps"}


def rows_of(label):
    """Return made rows: two rounds of ours, of a slow peer, and of one that fails."""
    common = {"setting": "as it is", "job": label}
    for turn, (ours, theirs) in enumerate([(0.002, 0.010), (0.004, 0.018)]):
        yield common | {"round": turn, "side": "statewise", "train": ours, "infer": 0.001}
        yield common | {"round": turn, "side": "PyTorch", "train": theirs, "infer": 0.002}
        yield common | {"round": turn, "side": "Keras on JAX", "error": "out of luck"}
        yield common | {"round": turn, "job": "peak", "side": "PyTorch", "flops": 1e12}


def test_the_tables_show_ratios_aims_and_failures(modules, tmp_path):
    label = "b LSTM(64)"
    lines = [json.dumps(row) for row in rows_of(label)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "machine.json").write_text('{"processor": "a slide rule"}', encoding="utf-8")
    text = modules.results.write(tmp_path).read_text(encoding="utf-8")
    work = 3 * modules.jobs.BY_LABEL[label].flops
    share = f"{work / 0.003 / 1e12:.0%}"
    assert f"| training step | 3 ms | 14 ms (PyTorch) | **4.67** | 2 | {share} |" in text
    assert "| forward pass | 1 ms | 2 ms (PyTorch) | **2.00** | 1.5 |" in text
    assert "| b | LSTM(64) | Keras on JAX | failed: out of luck |" in text
    assert "a slide rule" in text
    assert "1000 GFLOP/s (oneDNN)" in text
    assert (tmp_path / "benchmarks.png").stat().st_size > 1000
    (tmp_path / "images").mkdir()
    modules.results.write_page(tmp_path, tmp_path / "page.md")
    assert "](images/page.png)" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_wrong_results_have_no_times(modules, tmp_path):
    label = "b LSTM(64)"
    rng = np.random.default_rng(0)
    before, change = [np.zeros((8, 256)), np.zeros(64)], [rng.normal(size=(8, 256)), np.ones(64)]
    moved = modules.agreement.moved
    common = {"setting": "as it is", "job": label, "round": 0, "train": 0.01}
    reference = {"side": "statewise, reference", "loss": 0.5, "moved": moved(before, change)}
    reference = {"setting": "as it is", "job": label, "round": 0} | reference
    rounded = [c * (1 + 1e-4 * rng.normal(size=c.shape)) for c in change]
    same = common | {"side": "statewise", "loss": 0.50001, "moved": moved(before, rounded)}
    assert modules.agreement.mark([reference, same]) == [reference, same]
    off = [change[0], change[1] * np.where(np.arange(64) < 4, 0.5, 1)]  # four units' bias
    for wrong in ({"moved": moved(before, off)}, {"loss": 0.51}, {"loss": float("nan")}):
        rows = [reference, same | wrong]
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        (tmp_path / "machine.json").write_text("{}", encoding="utf-8")
        text = modules.results.write(tmp_path).read_text(encoding="utf-8")
        assert "| b | LSTM(64) | statewise | failed: **WRONG RESULTS**: " in text
        assert "| training step | failed: **WRONG RESULTS**" in text
        assert modules.results.read_rows(tmp_path)[1]["wrong"]
    peer = same | {"side": "PyTorch", "loss": 0.51}
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, [reference, peer])), "utf-8")
    text = modules.results.write(tmp_path).read_text(encoding="utf-8")
    assert "| 0.510000 (loss 0.51, the reference's 0.5) |" in text


def test_a_point_of_a_curve_is_compared_too(modules):
    point = {"loss": 1.0, "moved": [[1.0] * 8]}
    curve = {"points": {"4": 0.1, "8": 0.1}, "results": {"4": point, "8": point}}
    other = curve | {"results": {"4": point, "8": point | {"loss": 1.5}}}
    assert modules.agreement.disagreement(curve, curve) is None
    said = modules.agreement.disagreement(other, curve)
    assert said == "at 8: loss 1.5, the reference's 1"


def test_a_run_is_not_gone_on_with_on_another_machine(modules, tmp_path, monkeypatch):
    monkeypatch.setattr(modules.run, "facts", lambda python: {"processor": "this one"})
    given = SimpleNamespace(output=tmp_path / "out", peer_python="python")
    assert modules.run.begun(given) == set()
    assert modules.run.begun(given) == set()
    monkeypatch.setattr(modules.run, "facts", lambda python: {"processor": "another"})
    with pytest.raises(SystemExit, match="Choose another folder"):
        modules.run.begun(given)


@pytest.mark.slow
def test_every_layers_network_fits_its_data(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import keras_layers

    size = keras_layers.SIZES["small"]
    for name in keras_layers.LAYERS:
        x, y = keras_layers.data(name, size)
        model = keras_layers.network("statewise", name, size)
        assert model.input_shape[1:] == x.shape[1:]
        assert model.output_shape[1:] == y.shape[1:]
        assert len(x) == len(y) == keras_layers.BATCHES * size.batch


def test_a_layers_line_says_what_is_slow_and_what_differs(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import keras_layers

    seconds = {what: {"statewise": 0.024, "Keras": 0.048} for what in keras_layers.WHAT}
    seconds["predict"] = {"statewise": 0.02, "Keras": 0.01}
    values = {what: {"statewise": [1.0, 0.5], "Keras": [1.0, 0.5]} for what in keras_layers.WHAT}
    found = {"seconds": seconds, "values": values}
    text, agree = keras_layers.line("Conv9D", "small", found)
    assert text == (
        "| Conv9D | small | 1.00 ms | 2.00 ms | 2.00 | 2.00 | **0.50** | 0.5 | 0.5 | yes |"
    )
    assert agree
    values["evaluate"]["statewise"][0] = 1.001
    text, agree = keras_layers.line("Conv9D", "small", found)
    assert text.endswith("| **NO** |")
    assert not agree
