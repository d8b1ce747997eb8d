"""Makes the pictures of the documentation: ``python docs/make_figures.py``.

The picture of the README is the one that ``statewise forecast`` writes, made by that very command.
"""

import shutil
import tempfile
from pathlib import Path

from statewise.cli import main

IMAGES = Path(__file__).parent / "images"


def make_forecast() -> None:
    """Write images/forecast.png."""
    with tempfile.TemporaryDirectory() as folder:
        main(["forecast", "--output", folder], standalone_mode=False)
        shutil.copy(Path(folder) / "forecast.png", IMAGES / "forecast.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    make_forecast()
