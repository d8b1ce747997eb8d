"""Files are written whole or not at all, whatever writes them."""

import os
import resource
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from statewise import Sequential, draw, layers
from statewise._whole_files import written_whole
from statewise.cli.files import write_table
from statewise.cli.refusal import Refusal
from statewise.pictures.report import Report, write_report


@contextmanager
def full_disk(most=300):
    """Let files grow to some bytes only: what comes after fails as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_is_there_when_all_of_it_is(tmp_path):
    path = tmp_path / "a.txt"
    with written_whole(path) as beside:
        beside.write_text("new")
        assert not path.exists()
        assert beside.suffix == ".txt"
    assert path.read_text() == "new"
    with pytest.raises(TypeError), written_whole(path) as beside:
        beside.write_text(2)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_links_rights_and_pipes_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    with written_whole(link) as beside:
        beside.write_text("new")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    with written_whole("/dev/null") as beside:
        assert str(beside) == "/dev/null"
    with pytest.raises(IsADirectoryError), written_whole(tmp_path) as beside:
        beside.write_text("x")


@pytest.mark.parametrize("ending", ["html", "csv", "svg", "png"])
def test_a_full_disk_leaves_the_old_file(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    path.write_text("old")
    drawing = draw(Sequential([layers.Input((3, 1)), layers.LSTM(2)]))
    writers = {
        "html": lambda: write_report(Report({"title": "Sales"}, ""), path),
        "csv": lambda: write_table(pd.DataFrame({"a": np.arange(1000.0)}), path),
        "svg": lambda: drawing.save(path),
        "png": lambda: drawing.save(path),
    }
    with full_disk(), pytest.raises((OSError, Refusal)):
        writers[ending]()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]
    writers[ending]()
    assert path.stat().st_size > 300
