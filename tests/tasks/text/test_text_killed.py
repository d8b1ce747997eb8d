import subprocess
import sys
import time

import numpy as np
import pytest

from statewise import TextGenerator

SCRIPT = """
import sys
from pathlib import Path
from statewise import TextGenerator

text, folder, model = map(Path, sys.argv[1:])
options = dict(units=24, embedding=8, steps=10, lanes=4, epochs=6, dropout=0.2, weight_drop=0.2)
generator = TextGenerator(level="word", layers=2, **options)
generator.fit([text, text], checkpoint=folder, every=3).save(model)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, rng):
    words = rng.choice(["to", "be", "or", "not", "that", "is", "the", "question"], 3000)
    (tmp_path / "a.txt").write_text(" ".join(words))

    def command(folder, model):
        names = [tmp_path / "a.txt", tmp_path / folder, tmp_path / model]
        return [sys.executable, "-c", SCRIPT, *map(str, names)]

    subprocess.run(command("whole", "whole.model"), check=True)
    with subprocess.Popen(command("parts", "parts.model")) as running:
        while running.poll() is None and len(list((tmp_path / "parts").glob("*"))) < 2:
            time.sleep(0.002)
        running.kill()
    assert not (tmp_path / "parts.model").exists()
    subprocess.run(command("parts", "parts.model"), check=True)
    whole, parts = (TextGenerator.load(tmp_path / f"{n}.model") for n in ("whole", "parts"))
    assert parts.history_ == whole.history_
    for one, other in zip(parts.model_.get_weights(), whole.model_.get_weights(), strict=True):
        assert np.array_equal(one, other)
