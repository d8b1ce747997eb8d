"""Makes the pictures of the documentation: ``python docs/make_figures.py``.

The picture of the README is the one that ``statewise forecast`` writes, made by that very command.
Those of the gallery are what its own code draws: each block of code is run, and what it calls
``picture`` is written to the image that the page shows below it. A test compares them.
"""

import contextlib
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import statewise  # noqa: F401  isort: skip  (chooses Keras's engine, so it comes before keras)
import keras

from statewise import Sequential, datasets, inspect_steps, layers, sequences
from statewise.cli import main

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"

_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]]*\]\((images/gallery/\w+\.svg)\)")


def make_forecast() -> None:
    """Write images/forecast.png."""
    with tempfile.TemporaryDirectory() as folder:
        main(["forecast", "--output", folder], standalone_mode=False)
        shutil.copy(Path(folder) / "forecast.png", IMAGES / "forecast.png")


def gallery() -> Iterator[tuple[Path, object]]:
    """Yield each image of the gallery with the drawing that its code makes now."""
    text = (DOCS / "gallery.md").read_text("utf-8")
    codes = list(_CODE.finditer(text))
    namespace = {}
    for code, after in zip(codes, [*codes[1:], None], strict=True):
        keras.utils.clear_session()  # the names of the layers begin anew
        namespace.pop("picture", None)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code[1], "gallery.md", "exec"), namespace)
        images = _IMAGE.findall(text, code.end(), len(text) if after is None else after.start())
        for image in images:
            yield DOCS / image, namespace["picture"]


def make_gallery() -> None:
    """Write images/gallery/*.svg."""
    for path, picture in gallery():
        path.parent.mkdir(exist_ok=True)
        picture.save(path)


def make_inspection() -> None:
    """Write images/inspection.png: the gates of an LSTM that has learned to foresee tanks."""
    keras.utils.set_random_seed(1)
    tanks = datasets.tanks(8, steps=60)
    z = sequences.StandardScaler().fit(tanks).transform(tanks).astype("float32")
    parts = [
        layers.Input((None, 2)),
        layers.LSTM(4, return_sequences=True, name="lstm"),
        layers.Dense(2),
    ]
    model = Sequential(parts, name="tanks")
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))
    model.fit(z[:, :-1], z[:, 1:], epochs=100, verbose=0)
    inspect_steps(model, z[:, :12]).save(IMAGES / "inspection.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    make_gallery()
    make_inspection()
    make_forecast()
