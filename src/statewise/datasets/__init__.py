"""Small data sets and simulators to learn and test with; nothing is ever downloaded.

Tables come as pandas frames. Simulated sequences come as float32 arrays
``(samples, time steps, features)``.
"""

from statewise.datasets._airline import airline, airline_path
from statewise.datasets._gaits import GAITS, gaits
from statewise.datasets._library import library_source, library_words
from statewise.datasets._stocks import STOCK_FEATURES, stocks
from statewise.datasets._tanks import TANK_FEATURES, tanks

__all__ = [
    "GAITS",
    "STOCK_FEATURES",
    "TANK_FEATURES",
    "airline",
    "airline_path",
    "gaits",
    "library_source",
    "library_words",
    "stocks",
    "tanks",
]
