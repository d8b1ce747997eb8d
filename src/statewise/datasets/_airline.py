"""The airline passengers of Box and Jenkins, the series every tutorial begins with."""

from pathlib import Path

import pandas as pd


def airline_path() -> Path:
    """Return the path of the series as a CSV file with the columns month and passengers.

    Example:
        >>> airline_path().name
        'airline.csv'
    """
    return Path(__file__).with_name("airline.csv")


def airline() -> pd.DataFrame:
    """Return the monthly passengers of international airlines, January 1949 to December 1960.

    Source: G. E. P. Box and G. M. Jenkins, Time Series Analysis: Forecasting and Control,
    Holden-Day 1970, series G.

    Returns:
        144 rows with the columns ``month`` (time stamp of its first day) and ``passengers``
        (int64, in thousands).

    Example:
        >>> frame = airline()
        >>> frame.shape
        (144, 2)
        >>> frame["passengers"].head(3).tolist()
        [112, 118, 132]
    """
    frame = pd.read_csv(airline_path())
    frame["month"] = pd.to_datetime(frame["month"], format="%Y-%m")
    return frame
