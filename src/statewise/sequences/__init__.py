"""Data for recurrent networks: from series to the arrays that a network takes.

NumPy and data frames only. Wherever a user sees an array, its axes are
``(samples, time steps, features)``, in this order; one series on its own is
``(time steps, features)``, or ``(time steps,)`` where it has one feature.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from statewise._renamed import say_renamed
from statewise.sequences._balance import Balance
from statewise.sequences._chunks import Chunk
from statewise.sequences.frames import read_series
from statewise.sequences.lanes import Lanes, lanes
from statewise.sequences.panel import Columns, Panel, encode_calendar
from statewise.sequences.panel_reading import read_panel
from statewise.sequences.pipeline import Pipeline
from statewise.sequences.read_table import ReadTable, read_table
from statewise.sequences.scaling import MinMaxScaler, StandardScaler
from statewise.sequences.season import guess_season
from statewise.sequences.splitting import Split, split
from statewise.sequences.tables import DataError
from statewise.sequences.text import Vocabulary, next_token_windows
from statewise.sequences.time_series import TimeSeries
from statewise.sequences.transforms import Difference, Log
from statewise.sequences.wide_reading import read_wide
from statewise.sequences.window_batches import WindowBatches
from statewise.sequences.windowing import Windows, create_dataset, windows

if TYPE_CHECKING:
    from statewise.sequences.scanning.scan import PanelScan, scan_panel

__all__ = [
    "Balance",
    "Chunk",
    "Columns",
    "DataError",
    "Difference",
    "Lanes",
    "Log",
    "MinMaxScaler",
    "Panel",
    "PanelScan",
    "Pipeline",
    "ReadTable",
    "Split",
    "StandardScaler",
    "TimeSeries",
    "Vocabulary",
    "WindowBatches",
    "Windows",
    "create_dataset",
    "encode_calendar",
    "guess_season",
    "lanes",
    "next_token_windows",
    "read_panel",
    "read_series",
    "read_table",
    "read_wide",
    "scan_panel",
    "split",
    "windows",
]

# What needs Arrow's readers of files, whose import takes longer than all of this folder's.
_LATE = {
    "PanelScan": "statewise.sequences.scanning.scan",
    "scan_panel": "statewise.sequences.scanning.scan",
}


def __getattr__(name: str):
    """Offer what is imported when it's asked for, and old names for a release."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    if name == "Chain":
        say_renamed("sequences.Chain", "sequences.Pipeline")
        return Pipeline
    raise AttributeError(f"module 'statewise.sequences' has no attribute {name!r}")
