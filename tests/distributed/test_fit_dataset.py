"""Learning from a Ray Dataset, whose part a stand-in plays here: sorted, it comes in batches."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from statewise.distributed import fit_dataset
from statewise.sequences import DataError
from statewise.tasks import Forecaster


class Dataset:
    """What `fit_dataset` uses of a Ray Dataset."""

    __module__ = "ray.data.dataset"

    def __init__(self, frame):
        self.frame = frame

    def map_batches(self):
        raise NotImplementedError

    def schema(self):
        return pa.Schema.from_pandas(self.frame, preserve_index=False)

    def select_columns(self, names):
        return Dataset(self.frame[names])

    def sort(self, names):
        return Dataset(self.frame.sort_values(names))

    def iter_batches(self, batch_size, batch_format):
        table = pa.Table.from_pandas(self.frame, preserve_index=False)
        for begin in range(0, len(table), 50):
            yield table.slice(begin, 50)


def test_a_forecaster_learns_from_a_dataset_as_from_its_rows(tmp_path, rng):
    frame = pd.DataFrame(
        {
            "shop": np.repeat([f"shop {i}" for i in range(6)], 30),
            "day": np.tile(pd.date_range("2024-01-01", periods=30), 6),
            "sold": 20 + np.tile([0.0, 3, 1], 60) + rng.normal(0, 0.1, 180),
        }
    )
    columns = {"key": "shop", "time": "day", "target": "sold"}
    dataset = Dataset(frame.sample(frac=1, random_state=0))
    options = {"horizon": 3, "season": 3, "epochs": 1, "units": 4}
    fitted = fit_dataset(Forecaster(**options), dataset, tmp_path / "rows", columns=columns)
    expected = Forecaster(**options).fit(frame, columns=columns).predict()
    np.testing.assert_allclose(fitted.predict()["model"], expected["model"], rtol=1e-5)
    with pytest.raises(FileExistsError, match="isn't empty"):
        fit_dataset(Forecaster(**options), dataset, tmp_path / "rows", columns=columns)
    with pytest.raises(DataError, match="the dataset has no column 'unique_id'"):
        fit_dataset(Forecaster(**options), dataset, tmp_path / "more")
    with pytest.raises(DataError, match="has no rows"):
        fit_dataset(Forecaster(**options), Dataset(frame[:0]), tmp_path / "none", columns=columns)
