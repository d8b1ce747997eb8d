"""The work of ``statewise classify``, once the table is read: measure, learn, tell, write."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise._version import __version__
from statewise.cli.classify import LEARNED, TOLD
from statewise.cli.classify_data import LabelledTable
from statewise.cli.files import any_letters, write_picture, write_table
from statewise.cli.places import unwritten
from statewise.cli.printer import Printer
from statewise.pictures import plot_confusion, plot_contributions
from statewise.sequences import DataError
from statewise.sequences.tables import counted
from statewise.tasks import SequenceClassifier
from statewise.tasks.classification.holding_out import held_out_keys

_SHOWN = 12  # classes in the printed table of confusions


def learn_labels(
    table: LabelledTable,
    output: Path,
    printer: Printer,
    *,
    per_step: bool,
    balanced: bool,
    **options: Any,
) -> None:
    """Hold sequences out, learn from the others and measure; learn from all, and save.

    Args:
        table: with labels.
        output: an existing folder.
        printer: where to print.
        per_step: whether each step has a label.
        balanced: whether all classes count alike.
        options: arguments of `SequenceClassifier`; None for its default.
    """
    given = {name: value for name, value in options.items() if value is not None}
    classifier = SequenceClassifier(
        per_step=per_step, class_weight="balanced" if balanced else None, **given
    )
    frame, columns = table.frame, table.columns
    key, label = columns["key"], columns["label"]
    keys, held = held_out_keys(frame, key, label, per_step=per_step, seed=classifier.seed)
    lengths = frame.groupby(key, sort=False).size()
    classes = frame[label].nunique()
    printer.line(
        "Data",
        f"{counted(len(keys), 'sequence')} of {lengths.min()} to {lengths.max()} steps with "
        f"{counted(len(columns['features']), 'feature')} each; "
        f"{classes} class{'es' * (classes != 1)} in {label}",
        held=True,
    )
    files = {
        name: output / file
        for name, file in zip(("table", "confusion", "why", "model"), LEARNED, strict=True)
    }
    measured: dict[str, Any] = {}
    written = ["model"]
    if len(held):
        there = frame[key].isin(held)
        with printer.training() as progress:
            classifier.fit(frame[~there], columns=columns, progress=progress)
        measured = _measure(classifier, frame[there], columns, files, printer)
        written = ["table", "confusion", "why", "model"]
    else:
        printer.note(
            "too few sequences of a class to hold some out: nothing was measured, and only "
            f"{files['model'].name} is written"
        )
    with printer.training() as progress:
        classifier.fit(frame, columns=columns, progress=progress)
    for note in classifier.notes_:
        printer.note(note)
    try:
        classifier.save(files["model"])
    except OSError as error:
        raise unwritten(output, error) from None
    printer.line("Network", _network(classifier))
    printer.line("Written", ", ".join(str(files[name]) for name in written))
    printer.object(
        {
            "statewise": __version__,
            "classes": classifier.classes_.tolist(),
            "sequences": len(keys),
            "held_out": len(held),
            **measured,
            "files": {name: str(files[name]) for name in written},
            "notes": printer.notes,
        }
    )


def tell_labels(table: LabelledTable, model: Path, output: Path, printer: Printer) -> None:
    """Tell the labels of all sequences by a saved classifier; measure them where they are known.

    Args:
        table: with labels or without.
        model: the file of the classifier.
        output: an existing folder.
        printer: where to print.
    """
    classifier = SequenceClassifier.load(model)
    names = classifier.feature_names_
    if names is None:
        raise DataError(f"{model} learned from arrays without names, and can't tell columns apart")
    columns = table.columns
    missing = [name for name in names if name not in table.frame.columns]
    if missing:
        raise DataError(f"{model} learned from {missing[0]!r}, which {table.name} has not")
    told = labels_table(classifier, table.frame, columns)
    write_table(told, output / TOLD[0])
    counts = told["told"].value_counts().rename("sequences").rename_axis("told").to_frame()
    printer.table(counts)
    found: dict[str, Any] = {"statewise": __version__, "told": counts["sequences"].to_dict()}
    if "label" in told:
        accuracy = float((told["label"] == told["told"].astype(str)).mean())
        printer.sentence(f"{100 * accuracy:.1f} % are told as their label says.")
        found["accuracy"] = accuracy
    printer.line("Written", str(output / TOLD[0]))
    printer.object({**found, "files": {"table": str(output / TOLD[0])}, "notes": printer.notes})


def labels_table(
    classifier: SequenceClassifier, frame: pd.DataFrame, columns: dict[str, Any]
) -> pd.DataFrame:
    """Return what is told of each sequence of a long frame (or each step), and how likely it is."""
    key, label = columns["key"], columns.get("label")
    chances = classifier.predict_proba(frame, columns=columns)
    told = classifier.classes_[chances.to_numpy().argmax(1)]
    names = [f"p_{one}" for one in classifier.classes_]
    table = pd.DataFrame(chances.to_numpy(), chances.index, names)
    table.insert(0, "told", told)
    if classifier.per_step:
        table.insert(0, key, frame[key])
        if label is not None:
            table.insert(1, "label", frame[label])
        return table.reset_index(drop=True)
    if label is not None:
        table.insert(0, "label", frame.groupby(key, sort=False)[label].first())
    table.index.name = free(key, table.columns)
    return table.reset_index()


def free(key: Any, taken: Any) -> str:
    """Return the name of the column of keys beside others."""
    return f"{key}_" if key in set(taken) else key


def _measure(
    classifier: SequenceClassifier,
    frame: pd.DataFrame,
    columns: dict[str, Any],
    files: dict[str, Path],
    printer: Printer,
) -> dict[str, Any]:
    """Tell the held-out sequences; print and write what came out, and return it."""
    table, key = labels_table(classifier, frame, columns), columns["key"]
    true, told = table["label"], table["told"]
    confusion = pd.crosstab(true, told).reindex(
        index=sorted(true.unique()), columns=classifier.classes_, fill_value=0
    )
    right = float((true == told).mean())
    usual = true.value_counts(normalize=True).iloc[0]
    write_table(table, files["table"])
    with any_letters(printer):
        write_picture(plot_confusion(confusion), files["confusion"])
        first = next(iter(frame.groupby(key, sort=False)))[1]
        (why,) = classifier.explain(first)
        title = f"Which steps decided for {why.told} ({key} {why.key})"
        write_picture(plot_contributions(why, title=title), files["why"])
    if len(confusion.columns) <= _SHOWN:
        printer.table(confusion.rename_axis("true, told"))
    things = "step" if classifier.per_step else "sequence"
    printer.sentence(
        f"{100 * right:.1f} % of {counted(len(table), f'held-out {things}')} told right; the most "
        f"frequent label would be right for {100 * usual:.1f} %."
    )
    chances = table[[f"p_{one}" for one in classifier.classes_]].to_numpy()
    places = pd.Index(classifier.classes_).get_indexer(true)
    of_true = np.maximum(chances[np.arange(len(table)), places], 1e-12)
    return {
        "accuracy": right,
        "most_frequent": float(usual),
        "log_loss": float(-np.log(of_true).mean()),
        "confusion": {
            str(name): {str(k): int(v) for k, v in row.items()}
            for name, row in confusion.iterrows()
        },
    }


def _network(classifier: SequenceClassifier) -> str:
    ways = "read forwards and backwards" if classifier.bidirectional else "read forwards"
    return (
        f"{counted(classifier.members, 'network')} of {classifier.layers} x {classifier.cell}"
        f"({classifier.units}), {ways}, {counted(classifier.epochs_, 'epoch')}; temperature "
        f"{classifier.temperature_:.3g}, seed {classifier.seed}."
    )
