"""Eurostat's tables: several keys in the first column, a flag behind some of the values."""

import re

import pandas as pd

from statewise.sequences.reading.report import Understood

_KEYS = re.compile(r"([\w.-]+(?:,[\w.-]+)*)\\(\w+)")
_VALUE = re.compile(r"\s*(:|[-+]?\d[\d.]*(?:[eE][-+]?\d+)?)?\s*[a-z]{0,4}\s*")


def without_flags(frame: pd.DataFrame, understood: Understood) -> pd.DataFrame:
    """Take the keys apart and the flags off, where a table's first name says that it is such one.

    Its first name is "freq,unit,geo\\TIME_PERIOD": the names of the keys, and what the other
    columns are called by. A value "12.3 p" is provisional; ":" is none at all.

    >>> frame = pd.DataFrame({"unit,geo\\\\time": ["PC,AT", "PC,BE"], "2020": ["1.5 p", ": "]})
    >>> without_flags(frame, Understood()).to_dict("list")
    {'unit': ['PC', 'PC'], 'geo': ['AT', 'BE'], '2020': ['1.5', ':']}
    """
    found = _KEYS.fullmatch(str(frame.columns[0]))
    if found is None or frame.shape[1] < 2:
        return frame
    names = found[1].split(",")
    first = frame.iloc[:, 0]
    if not (first.str.count(",") == len(names) - 1).all() or set(names) & set(frame.columns[1:]):
        return frame
    keys = first.str.split(",", expand=True)
    keys.columns = pd.Index(names, dtype=object)
    values = frame.iloc[:, 1:]
    for name in values.columns:
        texts = values[name].dropna().unique()
        if not all(_VALUE.fullmatch(text) for text in texts):
            understood.tell("header", "keys taken apart")
            return pd.concat([keys, values], axis=1)
    bare = {
        name: values[name].str.extract(_VALUE, expand=False).fillna("").where(values[name].notna())
        for name in values.columns
    }
    understood.tell("header", "keys taken apart, flags left out")
    return pd.concat([keys, pd.DataFrame(bare, index=frame.index)], axis=1)
