"""Writes forecasts of a folder until it's killed; `test_stopped_forecasts.py` kills it.

``python forecast_until_killed.py FOLDER`` forks a child for each line on its standard input, which
names where to write, tells its process id, and lets it forecast: a fake forecast, so that no engine
is needed, that takes a moment for each block.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from statewise.sequences import Columns, scan_panel
from statewise.tasks.forecasting.scanned.panel import ScannedPanel
from statewise.tasks.forecasting.scanned.writing import with_a_value, write_forecasts

ROWS = 60
REQUEST = {"forecaster": "the last value", "horizon": 2}


def scanned(folder, rows=ROWS):
    """Return a folder of shops."""
    columns = Columns(key="shop", time="day", target="sold")
    return ScannedPanel(scan_panel(folder, key="shop", time="day", columns=["sold"]), columns, rows)


def last_values(panel):
    """Forecast that each series stays as it is."""
    values = pd.Series(panel.values[:, 0]).ffill()[panel.offsets[1:] - 1]
    return pd.DataFrame(
        {
            "shop": np.repeat(panel.keys, 2),
            "day": panel.future_stamps(2),
            "model": np.repeat(values, 2),
        }
    ).reset_index(drop=True)


def write(scan, output, forecast=last_values, request=REQUEST):
    """Write forecasts of a folder of shops."""

    def blocks(skip):
        return scan.panels(lambda *_: None, "forecasting", skip=skip, keep=with_a_value)

    return write_forecasts(blocks, forecast, Path(output), request, scan.scan.skipped)


def slowly(panel):
    time.sleep(0.01)
    return last_values(panel)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if not child:
            write(scanned(sys.argv[1]), line.strip(), slowly)
            os._exit(0)
        os.write(1, b"child %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"dead\n")
