"""Folders of files with many series, and what is written of them."""

import numpy as np
import pandas as pd
import pytest

COLUMNS = {"key": "shop", "time": "day", "target": "sold"}


def shops(count=37, seed=0, steps=30):
    """Return daily sales with a week; shops begin on different days, some days are absent."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=steps + 9)
    parts = []
    for i in range(count):
        begin = int(rng.integers(0, 9))
        own = days[begin : begin + steps + int(rng.integers(-5, 1))]
        sold = 20 + i + 5 * np.sin(2 * np.pi * own.day_of_week / 7) + rng.normal(size=len(own))
        parts.append(pd.DataFrame({"shop": f"shop {i:03}", "day": own, "sold": sold}))
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[rng.random(len(frame)) < 0.02, "sold"] = np.nan
    return frame


@pytest.fixture(scope="session")
def table():
    """Return the rows of all shops."""
    return shops()


@pytest.fixture(scope="session")
def folder(table, tmp_path_factory):
    """Write them to a folder, some shops in each file, one of them in two."""
    path = tmp_path_factory.mktemp("shops")
    for number, part in enumerate(np.array_split(np.arange(len(table)), 5)):
        table.iloc[part].to_parquet(path / f"{number}.parquet", index=False)
    return path
