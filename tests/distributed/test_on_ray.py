"""On a real local Ray that these tests start and stop, with workers and actors that are killed."""

import os
import re
import signal
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

ray = pytest.importorskip("ray", reason="Ray isn't installed: pip install 'statewise[ray]'")

import statewise  # noqa: E402
import worker_tasks  # noqa: E402
from statewise import Sequential, layers  # noqa: E402
from statewise.cli import main  # noqa: E402
from statewise.distributed import (  # noqa: E402
    Ray,
    RayActors,
    ShardedStreams,
    ShardLostError,
    WorkerLostError,
    backtest,
    predict,
)
from statewise.distributed.executors import on_ray  # noqa: E402
from statewise.distributed.sharded import ray_actors  # noqa: E402
from statewise.streams import Streams  # noqa: E402
from statewise.tasks import Forecaster  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # Ray's own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SOURCE = Path(statewise.__file__).parents[1]
SUPPORT = Path(worker_tasks.__file__).parent


@pytest.fixture(scope="module", autouse=True)
def cluster():
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else Ray writes a token for this user
    ray.init(
        num_cpus=3,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100 << 20,
        runtime_env={"env_vars": {"PYTHONPATH": f"{SOURCE}:{SUPPORT}"}},
    )
    yield
    ray.shutdown()


class Deadly:
    """An executor whose workers are killed at each task, the first time that it's tried."""

    def __init__(self, executor, folder):
        self.executor, self.folder, self.workers = executor, str(folder), executor.workers

    def run(self, function, tasks, shared=None, *, finished=None):
        given = (self.folder, function, shared)
        return self.executor.run(
            worker_tasks.numbered_die_first, enumerate(tasks), given, finished=finished
        )


def panel():
    rng = np.random.default_rng(3)
    season = np.tile([0.0, 3.0, 1.0, 2.0], 10)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"shop {i}",
                "ds": pd.date_range("2024-01-01", periods=40),
                "y": 20 + i + season + rng.normal(0, 0.3, 40),
            }
        )
        for i in range(40)
    ]
    return pd.concat(parts)


def forecaster():
    return Forecaster(horizon=3, season=4, epochs=1, units=4)


def test_tasks_whose_worker_is_killed_are_done_again_each_once(tmp_path):
    executor, told = Ray(workers=2), []
    found = list(
        executor.run(worker_tasks.die_once, range(8), (str(tmp_path), {1, 4}), finished=told.append)
    )
    assert found == [i**2 for i in range(8)]
    assert told == list(range(1, 9))
    assert {p.name for p in tmp_path.iterdir() if p.stat().st_size > 1} == {"1.tried", "4.tried"}
    with pytest.raises(ValueError, match="the key 3"):
        list(executor.run(worker_tasks.refuse, range(9)))
    with pytest.warns(UserWarning, match="look at your data"):
        assert list(executor.run(worker_tasks.warn, range(2))) == [0, 1]
    with pytest.raises(WorkerLostError, match="A task's workers died 2 times"):
        list(Ray(retries=1).run(worker_tasks.always_die, range(2)))


def test_no_more_tasks_are_under_way_than_there_are_workers_although_the_cluster_has_more_cores():
    spans = list(Ray(workers=1).run(worker_tasks.times, range(5)))
    assert all(done <= begun for (_, done), (begun, _) in pairwise(spans))


def test_keys_are_forecast_once_although_each_block_kills_a_worker(tmp_path):
    fitted = forecaster().fit(panel())
    expected = fitted.predict(level=80)
    (tmp_path / "predict").mkdir()
    deadly = Deadly(Ray(), tmp_path / "predict")
    pd.testing.assert_frame_equal(predict(fitted, executor=deadly, level=80), expected, rtol=1e-5)
    assert len(list((tmp_path / "predict").iterdir())) == 3


def test_a_ray_dataset_is_forecast_where_it_lies(tmp_path):
    table = panel()
    fitted = forecaster().fit(table)
    expected = fitted.predict(level=80).set_index(["unique_id", "ds"]).sort_index()
    dataset = ray.data.from_pandas(table.sample(frac=1, random_state=2)).repartition(3)
    made = predict(fitted, dataset, executor=Ray(), level=80).to_pandas()
    made = made.astype({"unique_id": str, **dict.fromkeys(expected.columns, "float64")})
    got = made.set_index(["unique_id", "ds"]).sort_index()
    assert got.index.is_unique
    assert got.index.get_level_values(0).tolist() == expected.index.get_level_values(0).tolist()
    np.testing.assert_allclose(got[expected.columns], expected, rtol=1e-5)
    with pytest.raises(statewise.sequences.DataError, match="the dataset has no column 'y'"):
        predict(fitted, dataset.drop_columns(["y"]), executor=Ray())


def test_the_command_forecasts_on_ray(tmp_path):
    panel().to_csv(tmp_path / "sales.csv", index=False)
    options = "--horizon 3 --season 4 --epochs 1 --units 4 --output"
    here, there = tmp_path / "here", tmp_path / "there"
    for output, more in ((here, []), (there, ["--ray", "local"])):
        command = ["forecast", str(tmp_path / "sales.csv"), *options.split(), str(output), *more]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    assert "3 workers at local" in result.output
    got, expected = (pd.read_csv(one / "forecast.csv") for one in (there, here))
    pd.testing.assert_frame_equal(got, expected, rtol=1e-4)


def test_the_command_forecasts_a_folder_on_ray(tmp_path):
    folder = tmp_path / "sales"
    folder.mkdir()
    table = panel()
    for number, some in enumerate(np.array_split(table["unique_id"].unique(), 3)):
        table[table["unique_id"].isin(some)].to_parquet(folder / f"{number}.parquet", index=False)
    options = "--rows 600 --horizon 3 --season 4 --epochs 1 --units 4 --output"
    here, there = tmp_path / "here", tmp_path / "there"
    for output, more in ((here, []), (there, ["--ray", "local"])):
        command = ["forecast", str(folder), *options.split(), str(output), *more]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    got, expected = (
        pd.concat(pd.read_parquet(path) for path in sorted(one.glob("*.parquet")))
        for one in (there, here)
    )
    assert len(expected) == 40 * 3
    pd.testing.assert_frame_equal(got, expected, rtol=1e-4)


def test_windows_are_fitted_once_although_each_kills_a_worker(tmp_path):
    result = backtest(
        forecaster(), panel(), windows=2, refit=True, executor=Deadly(Ray(), tmp_path)
    )
    expected = statewise.backtest(forecaster(), panel(), windows=2, refit=True)
    pd.testing.assert_frame_equal(result.table, expected.table, rtol=1e-4)


def test_another_version_on_a_worker_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(on_ray, "version", lambda: "0.0.1")
    monkeypatch.setattr(ray_actors, "version", lambda: "0.0.1")
    words = f"another version of statewise \\({statewise.__version__}\\) than this process"
    with pytest.raises(RuntimeError, match=words):
        list(Ray().run(worker_tasks.refuse, range(2)))
    with pytest.raises(RuntimeError, match=words):
        ShardedStreams(network(), shards=1, hosts=RayActors())


def network():
    import keras

    keras.utils.set_random_seed(5)
    return Sequential([layers.Input((None, 2)), layers.LSTM(4), layers.Dense(2)])


def kill(streams, shard):
    """Kill a shard's process by ``kill -9``."""
    handle = streams._shards._hosts[shard]._handle
    pid = ray.get(handle.pid.remote())
    os.kill(pid, signal.SIGKILL)


def test_no_push_is_lost_or_doubled_when_actors_are_killed_and_shards_are_added(tmp_path, rng):
    model = network()
    keys = [*(f"tank {i}" for i in range(30)), *range(10)]
    streams = ShardedStreams(model, tmp_path / "shards", shards=2, hosts=RayActors())
    plain, pushed, failures, stop = Streams(model), [], [], threading.Event()

    def push_on():
        own = np.random.default_rng(1)
        try:
            while not stop.is_set():
                some = own.choice(len(keys), own.integers(1, 40), replace=False)
                values = {keys[i]: own.normal(size=2).astype("float32") for i in some}
                pushed.append((values, streams.push(values)))
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=push_on)
    thread.start()
    try:
        wait_for(lambda: len(pushed) > 5)
        kill(streams, 0)
        count = len(pushed)
        streams.scale(3)
        kill(streams, 2)
        wait_for(lambda: len(pushed) > count + 20)
    finally:
        stop.set()
        thread.join()
    assert not failures
    for values, outputs in pushed:
        for key, y in plain.push(values).items():
            np.testing.assert_allclose(outputs[key], y, atol=1e-6)
    assert {key: streams.steps(key) for key in streams.keys()} == {  # noqa: SIM118
        key: plain.steps(key) for key in plain
    }
    streams.close()
    with ShardedStreams(model, tmp_path / "shards", hosts=RayActors()) as streams:  # another day
        assert streams.shards == 3
        ahead, expected = streams.forecast(list(plain), 2), plain.forecast(list(plain), 2)
        for key, forecast in expected.items():
            np.testing.assert_allclose(ahead[key], forecast, atol=1e-6)


def wait_for(condition):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_states_in_memory_alone_are_not_begun_anew(rng):
    streams = ShardedStreams(network(), shards=2, hosts=RayActors())
    values = {key: rng.normal(size=2) for key in range(20)}
    streams.push(values)
    kill(streams, 1)
    with pytest.raises((ShardLostError, statewise.distributed.PartlyPushedError), match="died"):
        streams.push(values)
    streams.close()


def test_more_shards_than_there_is_room_for_are_refused(monkeypatch):
    monkeypatch.setattr(ray_actors, "_PATIENCE", 5.0)
    with pytest.raises(RuntimeError, match=r"no room for 1 shard: it has 3 cores, and"):
        ShardedStreams(network(), shards=1, hosts=RayActors(cpus=4))


def test_an_address_of_another_cluster_is_refused():
    with pytest.raises(ConnectionError, match="this process is connected to the Ray cluster at"):
        Ray("127.0.0.1:1")


def test_the_page_about_joining_on_ray():
    page = (SOURCE.parent / "docs" / "distributed.md").read_text("utf-8")
    (block,) = re.findall(r"^```python on ray\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    series = [np.random.default_rng(i).normal(size=(60, 2)).astype("float32") for i in range(4)]
    found: dict = {"series": series}
    exec(compile(block, "docs/distributed.md", "exec"), found)
    (_, first), (_, second) = sorted(found["trained"], key=lambda one: one[0])
    assert [process for process, _ in found["trained"]] == [0, 1]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.ptp(first[0]) > 0
    for member in found["members"]:
        ray.kill(member)
