"""Data for recurrent networks: from series to the arrays that a network takes.

NumPy and data frames only. Wherever a user sees an array, its axes are
``(samples, time steps, features)``, in this order; one series on its own is
``(time steps, features)``, or ``(time steps,)`` where it has one feature.
"""

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
from statewise.sequences.windowing import Windows, create_dataset, windows

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
    "Pipeline",
    "ReadTable",
    "Split",
    "StandardScaler",
    "TimeSeries",
    "Vocabulary",
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
    "split",
    "windows",
]


def __getattr__(name: str):
    """Offer old names for a release."""
    if name == "Chain":
        say_renamed("sequences.Chain", "sequences.Pipeline")
        return Pipeline
    raise AttributeError(f"module 'statewise.sequences' has no attribute {name!r}")
