"""``statewise forecast --ray``: what is refused, without a cluster; with one see test_on_ray.py."""

import socket

import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["forecast", *map(str, arguments)])


def test_an_address_where_no_cluster_is_is_told_before_anything_is_read(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = run(tmp_path / "none.csv", "--ray", f"127.0.0.1:{port}")
    assert result.exit_code == 2
    assert f"no Ray cluster is at 127.0.0.1:{port}" in result.output


@pytest.mark.parametrize("address", ["nowhere", "host:0", ""])
def test_what_is_no_address_is_told(address):
    result = run("--ray", address)
    assert result.exit_code == 2
    assert "is no address of a Ray cluster" in result.output


def test_one_series_is_not_for_a_cluster(tmp_path):
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=40), "sold": range(40)}).to_csv(
        tmp_path / "one.csv", index=False
    )
    result = run(tmp_path / "one.csv", "--ray", "local", "--output", tmp_path)
    assert result.exit_code == 2
    assert "--ray is for many series" in result.output
