"""Rows brought to one for each time stamp, or to even steps: added up, averaged, the last taken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from statewise.sequences.tables import DataError, Table, counted, listed, with_columns
from statewise.sequences.zones import in_zone

AGGREGATES = {
    "mean": "their mean",
    "sum": "their sum",
    "median": "their median",
    "min": "the least of them",
    "max": "the greatest of them",
    "first": "the first of them",
    "last": "the last of them",
}
_UNITS = {  # pandas' alias: what people write
    "s": ("s", "sec", "secs", "second", "seconds"),
    "min": ("min", "mins", "minute", "minutes", "t"),
    "h": ("h", "hour", "hours", "hourly"),
    "D": ("d", "day", "days", "daily"),
    "W": ("w", "week", "weeks", "weekly"),
    "M": ("m", "ms", "me", "month", "months", "monthly"),
    "Q": ("q", "qs", "qe", "quarter", "quarters", "quarterly"),
    "Y": ("y", "ys", "ye", "a", "year", "years", "yearly"),
}
_NAMES = {"s": "second", "min": "minute", "h": "hour", "D": "day", "W": "week", "M": "month",
          "Q": "quarter", "Y": "year"}  # fmt: skip
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_FIXED = {"s": 1, "min": 60, "h": 3600, "D": 86_400, "W": 7 * 86_400}  # seconds
_MONDAY = 4 * 86_400  # of the first days of 1970, in seconds


@dataclass(frozen=True)
class Every:
    """Even steps to bring rows to.

    Attributes:
        count: how many units a step is.
        unit: "s", "min", "h", "D", "W", "M", "Q" or "Y".
    """

    count: int
    unit: str

    @classmethod
    def of(cls, text: str) -> "Every":
        """Read what a user wrote: "1h", "15min", "day", "2 weeks", "MS".

        Raises:
            DataError: where it is no such step.

        >>> str(Every.of("15min")), str(Every.of("month"))
        ('15 minutes', '1 month')
        """
        match = re.fullmatch(r"\s*(\d*)\s*([A-Za-z]+)\s*", str(text))
        if match and match[2] == "m":
            raise DataError(f"every={text!r}: write min for minutes, or M for months")
        if match:
            word = match[2].lower()
            for unit, words in _UNITS.items():
                if word in words and (match[1] == "" or int(match[1])):
                    return cls(int(match[1] or 1), unit)
        raise DataError(
            f"every={text!r} is no step of time: write a number and s, min, h, D, W, M, Q or Y, "
            "such as 15min, 1h, 1D or 1M"
        )

    def __str__(self) -> str:
        """Say it: 15 minutes."""
        return counted(self.count, _NAMES[self.unit])

    def floor(self, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return the beginnings of the steps in which stamps lie; days are those of their zone."""
        zone = stamps.tz
        if zone is not None:
            if self.unit in ("s", "min", "h"):
                return self.floor(stamps.tz_convert(None)).tz_localize("UTC").tz_convert(zone)
            return in_zone(self.floor(stamps.tz_localize(None)), zone)
        if self.unit in _MONTHS:
            months = stamps.to_numpy().astype("datetime64[M]").astype(np.int64)
            step = self.count * _MONTHS[self.unit]
            return pd.DatetimeIndex((months // step * step).astype("datetime64[M]")).as_unit("us")
        instants = stamps.to_numpy().astype("datetime64[us]").astype(np.int64)
        step = self.count * _FIXED[self.unit] * 1_000_000
        start = _MONDAY * 1_000_000 if self.unit == "W" else 0
        return pd.DatetimeIndex(
            ((instants - start) // step * step + start).astype("datetime64[us]")
        )

    def after(self, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return the beginnings of the steps after those that begin at ``stamps``."""
        if self.unit in _MONTHS:
            return stamps + pd.DateOffset(months=self.count * _MONTHS[self.unit])
        if self.unit in ("D", "W"):
            return stamps + pd.DateOffset(days=self.count * (7 if self.unit == "W" else 1))
        return stamps + pd.Timedelta(seconds=self.count * _FIXED[self.unit])


def one_row_each(
    table: Table,
    *,
    time: str,
    key: str | None,
    numbers: Sequence[str],
    inputs: Sequence[str] = (),
    aggregate: str | None,
    every: str | None,
) -> Table:
    """Return a table with one row for each key and time stamp, or each key and step.

    Args:
        table: its time read, its ``numbers`` read.
        time: the column of stamps.
        key: of the keys; None for one series.
        numbers: the columns to aggregate; of all others the first value stays.
        inputs: further columns of numbers, that the target depends on: prices, temperatures. They
            are aggregated as it is, but not added up: where it is, they take their mean.
        aggregate: a name out of ``AGGREGATES``; None is the mean for steps, and leaves repeated
            stamps as they are without steps.
        every: the steps, as `Every.of` reads them; None for the stamps as they are.

    Returns:
        The rows in the order of key and time. A step that has no row isn't there. Where values are
        added up, a first or last step that the rows don't reach to the end of is left out.

    Raises:
        DataError: where a word isn't known, or time is given by numbers and ``every`` is asked for.
    """
    if aggregate is not None and aggregate not in AGGREGATES:
        raise DataError(f"aggregate={aggregate!r}: it must be one of {', '.join(AGGREGATES)}")
    # By time, so that the last of a step is its latest, whichever way the rows came.
    order = np.argsort(pd.Index(table.frame[time]), kind="stable")
    frame = table.frame.take(order).reset_index(drop=True)
    stamps = pd.Index(frame[time])
    how, step = aggregate or "mean", None
    if every is not None:
        step = Every.of(every)
        if not isinstance(stamps, pd.DatetimeIndex):
            raise DataError(
                f"every={every!r} needs time stamps, but the time of {table.name} is numbers"
            )
        stamps = step.floor(stamps)
    # Keys keep the order in which they first stand in the table.
    code = (
        pd.factorize(table.frame[key])[0][order] if key is not None else np.zeros(len(frame), int)
    )
    by = [code, stamps]
    place = order
    grouped = with_columns(frame, {time: stamps}).groupby(by, sort=True, dropna=False)
    ways = dict.fromkeys(frame.columns.drop(time), "first")
    ways |= dict.fromkeys(inputs, "mean" if how == "sum" else how) | dict.fromkeys(numbers, how)
    rows = grouped.agg(ways)
    if how == "sum":  # pandas' sum of nothing is 0
        rows[list(numbers)] = grouped[list(numbers)].sum(min_count=1)
    first = pd.Series(place).groupby(by, sort=True, dropna=False).first().to_numpy()
    result = with_columns(rows, {time: rows.index.get_level_values(-1)}).reset_index(drop=True)
    result = result[list(frame.columns)]
    merged = len(frame) - len(result)
    meant = f"of the inputs ({listed(inputs)}) their mean" if inputs and how == "sum" else ""
    if step is not None:
        keep = np.ones(len(result), bool)
        if how == "sum":
            of = np.asarray(rows.index.get_level_values(0))
            keep = ~_partial(
                pd.DatetimeIndex(frame[time]), code, pd.DatetimeIndex(result[time]), of, step
            )
        partial = "" if keep.all() else "; a step at either end that is not whole was left out"
        result, first = result[keep].reset_index(drop=True), first[keep]
        table.understood.tell("repeated", f"in steps of {step}, {AGGREGATES[how]}")
        other = "sum adds them up" if how != "sum" else "mean averages them"
        table.understood.note(
            f"the rows are brought to steps of {step}: of the values in a step {AGGREGATES[how]} "
            f"counts{meant and ', '}{meant} (--aggregate {other}){partial}"
        )
    elif merged:
        table.understood.tell(
            "repeated", f"{counted(merged, 'repeated row')} brought together, {AGGREGATES[how]}"
        )
        if meant:
            table.understood.note(f"of rows that are brought together, {meant} counts")
    return replace(table, frame=result, places=[table.places[row] for row in first])


def _partial(
    stamps: pd.DatetimeIndex,
    code: np.ndarray,
    begins: pd.DatetimeIndex,
    of: np.ndarray,
    step: Every,
) -> np.ndarray:
    """Tell which steps the rows of their series don't fill to an end of it, (steps,) bool.

    Args:
        stamps: of the rows.
        code: the number of each row's series.
        begins: where steps begin.
        of: the number of each step's series.
        step: how long they are.
    """
    unique = stamps.unique().sort_values()
    if len(unique) < 3:
        return np.zeros(len(begins), bool)
    usual = pd.Series(unique[1:] - unique[:-1]).mode().iloc[0]
    ends = pd.Series(stamps).groupby(code).agg(["min", "max"]).loc[of]
    first, last = pd.DatetimeIndex(ends["min"]), pd.DatetimeIndex(ends["max"])
    late = (begins == step.floor(first)) & (first - usual >= begins)
    early = (begins == step.floor(last)) & (last + usual < step.after(begins))
    return np.asarray(late | early)
