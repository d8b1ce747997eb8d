"""Numbers that stand for a missing value are found; those of ordinary series are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise import datasets
from statewise.sequences.reading.numbers import holds_numbers, numbers_of
from statewise.sequences.reading.suspects import suspects


def with_some(values, number, count=7):
    values = np.array(values, float)
    values[np.linspace(0, len(values) - 1, count).astype(int)] = number
    return values


@pytest.mark.parametrize(
    "number", [-200, -999, -9999, -99.9, -999.9, 9999, 99999, 1e20, -1e20, -32768, 999.9, 1e30]
)
def test_a_repeated_impossible_number(number, rng):
    for values in (rng.gamma(2, 5, 300) + 1, 20 + 5 * rng.standard_normal(300)):
        found = suspects(with_some(values, number))
        assert found == [(number, 7)]
    assert suspects(values) == []


def test_what_nobody_measures(rng):
    positive = rng.uniform(100, 300, 300)
    assert suspects(with_some(positive, -1)) == [(-1, 7)]
    assert suspects(with_some(positive, -1, count=1)) == []
    assert suspects(with_some(positive, -9999, count=1)) == [(-9999, 1)]
    both = np.concatenate([positive, [-9999] * 7, [-999] * 5])
    assert suspects(both) == [(-9999, 7), (-999, 5)]
    assert suspects(with_some(rng.uniform(0.1, 0.4, 300), -0.99)) == [(-0.99, 7)]
    assert suspects(np.append(both, [99999] * 2)) == [(-9999, 7), (-999, 5), (99999, 2)]
    assert suspects(np.array([[1.0, -200], [2, -200], [3, np.nan], [4, 5]])) == [(-200, 2)]


def ordinary(rng):
    walk = 100 + np.cumsum(rng.standard_normal(500))
    return {
        "zeros in counts": rng.poisson(0.2, 500),
        "counts with bursts": np.where(rng.random(500) < 0.02, 1000, rng.poisson(3, 500)),
        "a sensor that clips": np.minimum(rng.gamma(2, 300, 500), 999),
        "a sensor that clips below": np.maximum(rng.normal(0, 60, 500), -100),
        "round prices": rng.choice([100, 200, 500, 999, 1000], 500),
        "prices that end in nines": rng.choice([99, 199, 299, 999, 1999], 500),
        "prices of a shop": rng.choice([4.49, 4.99, 5.49, 99.99], 500, p=[0.5, 0.4, 0.09, 0.01]),
        "a price": walk,
        "a rounded price": walk.round(-1),
        "gains and losses": rng.standard_t(2, 500) * 1000,
        "rounded gains and losses": (rng.standard_t(2, 500) * 1000).round(-2),
        "degrees about zero": rng.normal(2, 2, 500).round(),
        "steps of one": rng.choice([-1, 0, 1], 500),
        "mostly nothing, or -1": np.where(rng.random(500) < 0.05, -1, rng.poisson(2, 500)),
        "shares in percent": rng.choice([0, 50, 99, 100], 500),
        "always the same": np.full(50, -999.0),
        "two values": np.tile([0.0, -999.0], 50),
        "a million twice": np.concatenate([rng.uniform(1e5, 9e5, 100), [1e6, 1e6]]),
        "heavy tails": rng.pareto(1, 500).round(2) * 100,
        "all missing": np.full(9, np.nan),
        "infinite": np.array([1.0, 2, 3, 4, 5, 6, np.inf, np.inf]),
        "none": np.array([]),
        "sunspots": np.abs(200 * np.sin(np.arange(500) / 20)).round(),
        "the airline": datasets.airline()["passengers"],
    }


@pytest.mark.parametrize("name", ordinary(np.random.default_rng(0)))
def test_ordinary_series_have_none(name):
    for seed in range(20):
        assert suspects(ordinary(np.random.default_rng(seed))[name]) == []


odd = st.sampled_from([-200.0, -1.0, 99.99, 1e20, 1e308, -1e308, 9e307, -999.0, 0.0])


@given(st.lists(st.floats() | odd, max_size=40))
def test_no_values_are_too_strange(values):
    found = suspects(np.array(values))
    assert all(values.count(value) == count for value, count in found)
    assert len({value for value, _ in found}) == len(found)


FILES = """etth1/ETTh1.csv m4/weekly-train.csv nab/ambient_temperature_system_failure.csv
nab/machine_temperature_system_failure.csv nab/nyc_taxi.csv panels/m1_monthly-train.csv
panels/m1_quarterly-train.csv panels/m1_yearly-train.csv panels/tourism_monthly-train.csv
panels/tourism_quarterly-train.csv panels/tourism_yearly-train.csv tables/BTCUSDT-1d.csv
tables/Cacau.csv tables/UNRATE.csv tables/daily-min-temperatures.csv tables/smard-prices.csv
tables/bitcoin-investing.csv tables/gasnatural.csv tables/pollution.csv tables/shampoo.csv
tables/daily-total-female-births.csv tables/example_retail_sales.csv tables/exportacoes_BR.csv
tables/household_power.txt tables/ipeadata.csv tables/monthly-car-sales.csv tables/stocks.csv
tables/tesla-stock-price.csv tables/tourism-quarters.csv tables/usdeur.csv""".split()


def columns_of(path):
    if path.parent.name == "panels":  # a series a row
        rows = (line.split(",") for line in path.read_text().splitlines())
        return {row[0]: pd.Series(row[1:]) for row in rows}
    semicolons = {"smard-prices.csv", "household_power.txt", "ipeadata.csv", "air-quality.csv"}
    frame = pd.read_csv(
        path, sep=";" if path.name in semicolons else ",", dtype=str, encoding="latin-1"
    )
    return {name: frame[name] for name in frame.columns if holds_numbers(frame[name])}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if "weekly" in name else [])  # 2,597 columns
        for name in FILES
    ],
)
def test_real_series_have_none(name, shared_data):
    path = shared_data(name)
    columns = columns_of(path)
    assert columns
    whole = [numbers_of(column).values for column in columns.values()]
    assert path.parent.name != "panels" or suspects(np.concatenate(whole)) == []
    for column in columns.values():
        found = numbers_of(column)
        assert not found.unreadable.any()
        assert suspects(found.values) == []


def test_a_real_table_whose_missing_values_are_a_number(shared_data):
    columns = columns_of(shared_data("tables/air-quality.csv"))
    found = {name: suspects(numbers_of(column).values) for name, column in columns.items()}
    columns = {name: column for name, column in columns.items() if "-200" in set(column)}
    assert len(columns) >= 10
    for name in columns:
        assert found[name] == [(-200, int((columns[name].str.strip() == "-200").sum()))], name
