"""Any file that holds a table, to a frame of text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from statewise.sequences.reading.archives import PACKED_ENDINGS
from statewise.sequences.reading.arff import without_attributes
from statewise.sequences.reading.encoding import text_of
from statewise.sequences.reading.eurostat import without_flags
from statewise.sequences.reading.finishing import finished
from statewise.sequences.reading.formats import read_typed, typed_names
from statewise.sequences.reading.json_tables import read_json
from statewise.sequences.reading.plan import plan_text
from statewise.sequences.reading.raw_table import Places, RawTable
from statewise.sequences.reading.report import Understood
from statewise.sequences.reading.sheets import read_workbook
from statewise.sequences.reading.sources import Source, open_source
from statewise.sequences.reading.text_table import read_text
from statewise.sequences.tables import DataError, free_name, listed

_TYPED = ("parquet", "feather", "arrow stream", "folder")
_FIRST_ROWS = 400  # of a sheet: enough to tell what its columns are called


def load_file(
    path: str | Path,
    *,
    sheet: str | int | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> RawTable:
    """Read the table in a file, told by its content what kind of file it is.

    Args:
        path: of the file; of a member of a zip archive (``archive.zip/member.csv``); of a folder
            of Parquet files; "-" for standard input.
        sheet: which one of a workbook: its name, or its number from 1; None for the first with a
            table.
        header: whether a text names its columns; None to find out.
        encoding: of a text; None to find out.
        delimiter: of a text; None to find out.

    Raises:
        DataError: where there is no such file, it can't be read, or holds no table.
        TypeError: where the path is none.

    Example:
        >>> from statewise.datasets import airline_path
        >>> table = load_file(airline_path())
        >>> table.frame.shape, table.places[0]
        ((144, 2), 'line 2')
    """
    source = open_source(path)
    if sheet is not None and source.kind != "xlsx":
        raise DataError(f"sheet={sheet!r}: {source.name} is no workbook, it has no sheets")
    understood = Understood()
    for words in source.said:
        understood.tell("file", words)
    if source.kind in _TYPED:
        frame, places = read_typed(source)
    elif source.kind == "xlsx":
        frame, places = read_workbook(
            source.data, source.name, understood, sheet=sheet, header=header
        )
    elif source.kind == "json":
        frame, places = _read_json(source, understood, encoding)
    else:
        frame, places = _read_text(source, understood, header, encoding, delimiter)
    if frame.empty:
        raise DataError(f"{source.name} is empty: it has column names, but no rows")
    return RawTable(frame, source.name, places, understood, typed=source.kind in _TYPED)


def _read_text(
    source: Source,
    understood: Understood,
    header: bool | None,
    encoding: str | None,
    delimiter: str | None,
) -> tuple[pd.DataFrame, Places]:
    text = text_of(source.data, source.name, encoding)
    understood.tell("encoding", text.said)
    if text.note:
        understood.note(text.note)
    data = without_attributes(text.data.rstrip(b"\x1a"), understood)
    plan = plan_text(data, source.name, header=header, delimiter=delimiter)
    frame, places, told = read_text(data, plan, source.name)
    understood.tell("delimiter", plan.dialect.said)
    for topic, words in plan.facts:
        understood.tell(topic, words)
    for topic, words in told.facts.items():
        understood.tell(topic, words)
    for note in told.notes:
        understood.note(note)
    frame, places = finished(frame, plan.names, plan.header, places, understood, source.name)
    return without_flags(frame, understood), places


def _read_json(
    source: Source, understood: Understood, encoding: str | None
) -> tuple[pd.DataFrame, Places]:
    text = text_of(source.data, source.name, encoding)
    understood.tell("encoding", text.said)
    frame, places, words = read_json(text.data.decode(), source.name)
    understood.tell("file", f"JSON, {words}")
    return frame, places


def column_names(path: str | Path) -> list[str]:
    """Return the names of a file's columns: of a text, its first part is all that is read.

    Raises:
        DataError: see ``load_file``.
    """
    source = open_source(path, head=True)
    if source.kind in _TYPED:
        return typed_names(source)
    if source.kind == "xlsx":
        frame, _ = read_workbook(source.data, source.name, Understood(), rows=_FIRST_ROWS)
        return list(frame.columns)
    if source.kind == "json":
        return list(_read_json(source, Understood(), None)[0].columns)
    try:
        return _names_of_text(source)
    except DataError:
        if not source.cut:
            raise
    return list(load_file(path).frame.columns)  # a cell goes beyond the first part


def _names_of_text(source: Source) -> list[str]:
    text = text_of(source.data, source.name, cut=source.cut)
    data = without_attributes(text.data, Understood())
    plan = plan_text(data, source.name, cut=source.cut)
    end = data.rfind(b"\n") if source.cut else len(data)
    data = data[:end] if end > plan.start else data
    frame, places, _ = read_text(data, plan, source.name)
    frame, _ = finished(frame, plan.names, plan.header, places, Understood(), source.name)
    return list(without_flags(frame, Understood()).columns)


def load_files(paths: Sequence[str | Path], **options: Any) -> RawTable:
    """Read several files of the same columns as one table, with a column that says which.

    Args:
        paths: of the files.
        options: as those of ``load_file``.

    Returns:
        The rows of all, with a column ``file`` (or ``file_`` where there is one) of the files'
        names without their endings.

    Raises:
        DataError: where the columns of one are others than those of the first.
    """
    if not paths:
        raise DataError("no files: name at least one")
    tables = [load_file(path, **options) for path in paths]
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    for table in tables[1:]:
        if set(table.frame.columns) != set(first.frame.columns):
            raise DataError(
                f"{table.name} has the columns {listed(table.frame.columns)}, but {first.name} "
                f"has {listed(first.frame.columns)}: files that are read together need the same"
            )
    names = _short_names(paths)
    column = free_name("file", first.frame.columns)
    frames = [
        table.frame[first.frame.columns].assign(**{column: short})
        for table, short in zip(tables, names, strict=True)
    ]
    understood = Understood()
    for table in tables:
        for topic, words in table.understood.facts.items():
            for word in words.split("; "):
                understood.tell(topic, word)
        for note in table.understood.notes:
            understood.note(note if note.startswith(table.name) else f"{table.name}: {note}")
    understood.tell("file", f"{len(tables)} files")
    places = [f"{place} of {Path(table.name).name}" for table in tables for place in table.places]
    name = f"{first.name} and {len(tables) - 1} more"
    whole = pd.concat(frames, ignore_index=True)
    return RawTable(whole, name, places, understood, typed=all(table.typed for table in tables))


def _short_names(paths: Sequence[str | Path]) -> list[str]:
    """Return what to call files: without folder and ending, or all of it where that is one name."""
    short = []
    for path in map(Path, paths):
        while path.suffix.lower() in PACKED_ENDINGS:
            path = path.with_suffix("")
        short.append(path.stem)
    return short if len(set(short)) == len(short) else [str(path) for path in paths]
