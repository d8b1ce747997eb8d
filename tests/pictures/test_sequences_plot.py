"""The pictures of sequences that were told apart show what they say they show."""

import numpy as np
import pandas as pd
import pytest

from statewise.pictures import plot_confusion, plot_contributions
from statewise.tasks import Contributions


@pytest.mark.parametrize(("time", "features"), [(1, 1), (7, 3), (40, 6), (12, 9)])
def test_a_bar_for_each_step(rng, tmp_path, time, features):
    given = rng.normal(size=(time, features))
    values = rng.normal(size=(time, features))
    names = tuple(f"f{j}" for j in range(features))
    figure = plot_contributions(Contributions("run$ning", values, given, names))
    above, below = figure.axes[:2]
    heights = [bar.get_height() for bar in below.patches]
    np.testing.assert_allclose(heights, given.sum(1))
    if features <= 6:
        lines = above.get_lines()
        assert len(lines) == features
        for j, line in enumerate(lines):
            np.testing.assert_array_equal(line.get_ydata(), values[:, j])
        assert above.images[0].get_array().shape == (1, time)
    else:
        np.testing.assert_array_equal(above.images[0].get_array(), given.T)
    figure.savefig(tmp_path / "why.png", dpi=100)
    assert (tmp_path / "why.png").stat().st_size > 5000


def test_confusions(rng, tmp_path):
    names = ["a", "b$", "c\n"]
    table = pd.DataFrame(rng.integers(0, 1500, (3, 3)), names, names)
    figure = plot_confusion(table, title="x")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [f"{n:,}" for n in table.to_numpy().ravel()]
    figure.savefig(tmp_path / "confusion.png")
    many = pd.DataFrame(np.eye(50))
    assert not plot_confusion(many).axes[0].texts
    with pytest.raises(ValueError, match="no class"):
        plot_confusion(pd.DataFrame())
