import numpy as np
import pytest

from statewise.pictures import plot_surprise


def drawn(figure):
    """The letters by line, and the shades."""
    axes = figure.axes[0]
    letters = {}
    for text in axes.texts:
        column, line = text.get_position()
        letters.setdefault(line, {})[column] = text.get_text()
    lines = ["".join(row[i] for i in sorted(row)) for _, row in sorted(letters.items())]
    return lines, axes.images[0].get_array()


def test_each_letter_stands_in_the_shade_of_its_token():
    tokens = ["ab", "$x$", "\n", "c", "\x1b"]
    bits = [1.0, 3.0, 0.25, 8.0, 40.0]
    lines, shades = drawn(plot_surprise(tokens, -np.log(2) * np.array(bits), title="$5"))
    assert lines == ["ab$x$↵", "c�"]
    assert shades.shape == (2, 80)
    assert shades[0, :7].tolist() == pytest.approx([1, 1, 3, 3, 3, 0.25, 0])
    assert shades[1, :2].tolist() == pytest.approx([8, 40])


@pytest.mark.slow
def test_long_lines_are_cut_and_long_texts_end(rng):
    tokens = ["x" * 7] * 700
    figure = plot_surprise(tokens, -rng.random(700))
    lines, shades = drawn(figure)
    assert shades.shape == (50, 80)
    assert {len(line) for line in lines} == {80}


@pytest.mark.parametrize(("tokens", "told"), [([], []), (["a"], [-1, -2]), (["a"], [[-1]])])
def test_other_numbers_than_tokens_are_refused(tokens, told):
    with pytest.raises(ValueError, match="one number for each"):
        plot_surprise(tokens, told)
