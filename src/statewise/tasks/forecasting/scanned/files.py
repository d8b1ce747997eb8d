"""Forecasts written while they are made: to one file, or to a folder that can be gone on with."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from statewise._version import __version__
from statewise._whole_files import written_whole
from statewise.sequences import DataError
from statewise.sequences.stamp_words import format_stamps

ABOUT = "_forecast.json"  # readers of folders pass over what begins so
_PART = "part-{:05}.parquet"
_NOTE = b"statewise"
_FORMAT = 1
ENDINGS = (".parquet", ".csv")


class Sink(Protocol):
    """Where forecasts go, block by block."""

    def write(self, frame: pd.DataFrame, series: int) -> None:
        """Append a table of forecasts.

        Args:
            frame: of some series.
            series: how many were read for it, those that nothing is forecast of included.
        """


@contextmanager
def one_file(path: Path) -> Iterator[Sink]:
    """Give where to write tables that make one Parquet or CSV file; it's there when all of it is.

    Args:
        path: of the file; one that is there is replaced.

    Raises:
        OSError: where it can't be written; what was there before is there still.
    """
    with written_whole(path) as beside:
        writer = _CsvFile(beside) if path.suffix.lower() == ".csv" else _ParquetFile(beside)
        try:
            yield writer
        finally:
            writer.close()


class _CsvFile:
    def __init__(self, path: Path):
        self._file = path.open("w", encoding="utf-8", newline="")
        self._begun = False

    def write(self, frame: pd.DataFrame, series: int) -> None:
        """Append a table."""
        frame = frame.copy(deep=False)
        for name in frame.columns:
            if isinstance(frame[name].dtype, pd.DatetimeTZDtype) or frame[name].dtype.kind == "M":
                frame[name] = format_stamps(pd.Index(frame[name]))
        frame.to_csv(self._file, index=False, header=not self._begun)
        self._begun = True

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _ParquetFile:
    def __init__(self, path: Path):
        self._path = path
        self._writer: parquet.ParquetWriter | None = None

    def write(self, frame: pd.DataFrame, series: int) -> None:
        """Append a table."""
        if self._writer is None:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            self._writer = parquet.ParquetWriter(self._path, table.schema)
        else:
            table = pa.Table.from_pandas(frame, self._writer.schema, preserve_index=False)
        self._writer.write_table(table)

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


class PartsFolder:
    """A folder of Parquet files, each of them there when it's whole, and a note of what they are.

    A run that was stopped anywhere leaves some of them, in order; the next one goes on after the
    last. Each tells of itself which request it is of, and how many series were read for it. One
    process at a time writes to it.

    Args:
        path: of the folder; it's made where it isn't there.
        request: what is asked for, as JSON can hold it: the same one goes on.

    Attributes:
        series: how many series were read for the files that there are.
        found: how many of them for those that were there before.
        parts: the files that there are.

    Raises:
        FileExistsError: where the folder has forecasts of another request, all forecasts of this
            one, or other files by these names; or where another process writes to it.
        OSError: where it can't be made or read.
    """

    def __init__(self, path: Path, request: Mapping[str, Any]):
        self.path = path
        self._request = json.loads(json.dumps(request))
        self.series = 0
        self.parts: list[Path] = []
        path.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(path)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        self.found = self.series

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, frame: pd.DataFrame, series: int) -> None:
        """Write a table as the next file; it's there when all of it is."""
        about = {"request": self._request, "series": series, "before": self.series}
        table = pa.Table.from_pandas(frame, self._schema(), preserve_index=False)
        noted = {**(table.schema.metadata or {}), _NOTE: json.dumps(about).encode()}
        path = self._place(len(self.parts))
        with written_whole(path) as beside:
            parquet.write_table(table.replace_schema_metadata(noted), beside)
        self.parts.append(path)
        self.series += series

    def finish(self, **more: Any) -> None:
        """Note that all forecasts are there.

        Args:
            more: what else there is to note, as JSON can hold it.
        """
        self._note(finished=True, series=self.series, parts=len(self.parts), **more)

    def close(self) -> None:
        """Let others write to the folder."""
        if self._lock is not None:
            self._lock.close()

    def _begin(self) -> None:
        for left in self.path.glob(".*.part*"):  # of a process that was killed
            left.unlink(missing_ok=True)
        noted = self.path / ABOUT
        there = _read(noted)
        strangers = [p.name for p in self.path.glob("part-*.parquet")] if there is None else []
        if strangers:
            raise FileExistsError(
                f"{self.path} has files that aren't known ({strangers[0]}): name another folder"
            )
        if there is not None:
            differs = [k for k, v in self._request.items() if there.get("request", {}).get(k) != v]
            if there.get("format") != _FORMAT or differs:
                raise FileExistsError(
                    f"{self.path} has forecasts of another request"
                    + (f" (another {differs[0]})" if differs else "")
                    + ": name another folder, or remove that one"
                )
            if there.get("finished"):
                raise FileExistsError(
                    f"{self.path} has all forecasts of this request already: name another folder, "
                    "or remove that one"
                )
        else:
            self._note(finished=False)
        while (about := self._about(len(self.parts))) is not None:
            self.parts.append(self._place(len(self.parts)))
            self.series += about["series"]
        for stray in set(self.path.glob("part-*.parquet")) - set(self.parts):
            stray.unlink()  # of this request, but damaged, or after one that is

    def _about(self, number: int) -> dict[str, Any] | None:
        """Return what a file says of itself; None where there is none, or not of this request."""
        try:
            found = parquet.read_schema(self._place(number)).metadata or {}
            about = json.loads(found[_NOTE])
            mine = about["request"] == self._request and about["before"] == self.series
        except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
            return None
        return about if mine else None

    def _note(self, **what: Any) -> None:
        content = {"format": _FORMAT, "statewise": __version__, "request": self._request, **what}
        with written_whole(self.path / ABOUT) as beside:
            beside.write_text(json.dumps(content, indent=1), "utf-8")

    def _schema(self) -> pa.Schema | None:
        return parquet.read_schema(self.parts[0]).remove_metadata() if self.parts else None

    def _place(self, number: int) -> Path:
        return self.path / _PART.format(number)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a note, None where there is none.

    Raises:
        DataError: where it can't be understood.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} can't be read ({error}): remove it with the files beside it, or name another "
            "folder"
        ) from None
    if not isinstance(found, dict):
        raise DataError(f"{path} is no note of forecasts: name another folder")
    return found


def _locked(folder: Path) -> TextIO | None:
    """Return a file that is this process's own until it's closed; None where there are no locks.

    Raises:
        FileExistsError: where another process has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows has none
        return None
    file = (folder / ".lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise FileExistsError(
            f"another process is writing forecasts into {folder}: let it end, or name another "
            "folder"
        ) from None
    return file
