"""Each example runs as it stands, prints its shapes, and shows that it has learned."""

import re
import runpy
from pathlib import Path

import keras
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

# For each example, what its result must say.
LEARNED = {
    "autoencoder": lambda r: r["after"] < 0.1 * r["constant"] < r["before"],
    "character_model": lambda r: (
        r["after"] < 0.6 * r["by frequency"] < r["before"] and len(set(r["text"])) > 20
    ),
    "eight_features": lambda r: r["after"] < r["naive"] and r["after"] < 0.6 * r["before"],
    "look_back_windows": lambda r: all(
        r[kind]["after"][part] < 0.4 * r[kind]["before"][part]
        for kind in ("stateless", "stateful")
        for part in (0, 1)
    ),
    "many_to_many": lambda r: r["after"] < 0.25 * r["constant"],
    "many_to_one": lambda r: r["after"] < 0.25 * r["naive"],
    "next_step_forecast": lambda r: r["after"] < 0.5 * r["naive"] and r["after"] < r["before"],
    "one_to_many_feed_back": lambda r: r["after"] < 0.3 * r["before"] and r["difference"] < 1e-4,
    "one_to_many_repeat": lambda r: r["after"] < 0.05 * r["before"],
    "restart_in_the_middle": lambda r: (
        r["after"] < 0.2 * r["before"] and r["first"] >= 30 and r["difference"] < 1e-5
    ),
    "stack": lambda r: r["after"] < 0.75 * r["naive"] and r["after"] < 0.75 * r["before"],
    "stocks_live": lambda r: (
        r["after"] > 0.1 and r["after"] > r["before"] + 0.05 and r["steps"] == [300, 295, 150]
    ),
    "stocks_stateful": lambda r: r["after"] > 0.1 > abs(r["before"]) - 0.1,
    "tanks_aligned_batches": lambda r: (
        r["after"] < 0.1 * r["before"] and r["difference"] < 1e-5 < 0.05 < r["forgotten"]
    ),
    "tanks_in_lanes": lambda r: (
        r["after"] < 0.6 * r["naive"] < r["before"]
        and r["useful"] > 0.95
        and r["difference"] < 1e-5
    ),
    "tanks_windows_or_sequences": lambda r: (
        r["sequences"]["after"] < 0.6 * r["windows"]["after"] < 0.6 * r["naive"]
    ),
    "word_model": lambda r: r["after"] < 0.85 * r["by frequency"] < r["before"],
}


def test_every_example_is_here_and_in_the_table():
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    linked = re.findall(r"\[(\w+)\.py\]\(\1\.py\)", (EXAMPLES / "README.md").read_text())
    assert files == set(LEARNED)
    assert sorted(linked) == sorted(files)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LEARNED))
def test_an_example_shows_that_it_learned(name, capsys):
    keras.backend.clear_session()  # so that layers are named as in a run of its own
    module = runpy.run_path(str(EXAMPLES / f"{name}.py"))
    capsys.readouterr()
    result = module["main"]()
    printed = capsys.readouterr().out
    assert re.search(r"\(\w+, \w+", printed), "no shapes in what was printed"
    assert LEARNED[name](result), (result, printed)
