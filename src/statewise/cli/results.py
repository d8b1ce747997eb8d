"""What a backtest found: printed, written, and drawn."""

from pathlib import Path

import pandas as pd

from statewise.cli.files import any_letters, command_line, write_page, write_picture, write_table
from statewise.cli.forecast_picture import picture_of
from statewise.cli.printer import Printer
from statewise.cli.written_names import as_written
from statewise.pictures.report import report_of_backtest
from statewise.sequences.layout import Layout
from statewise.sequences.stamp_words import format_stamp
from statewise.tasks import Backtest, Forecaster
from statewise.tasks.forecasting.result_names import MODEL, PEERS


def print_result(result: Backtest, printer: Printer) -> None:
    """Print how the data were cut, the settings, the errors and the verdict."""
    panel, (series, windows, horizon) = result.origins.panel, result.truth.shape
    count = f"{series} series" if series > 1 else f"1 series ({panel.keys[0]})"
    lengths = panel.lengths
    steps = (
        f"{lengths[0]}" if (lengths == lengths[0]).all() else f"{lengths.min()} to {lengths.max()}"
    )
    way = "learned anew before each" if result.refit else "learned once, before the first"
    held = (
        f"the last {horizon} of each held out and forecast in closed loop"
        if windows == 1
        else f"the last {windows * horizon} of each held out, {windows} windows of {horizon}, {way}"
    )
    printer.line(
        "Data",
        f"{count} of {steps} {panel.calendar.phrase} steps ({span(panel.time.sort_values())}): "
        f"{held}.",
    )
    for note in result.notes:
        printer.note(note + ".")
    print_settings(result.forecaster, printer)
    table = result.table[["MAE", "RMSE", "sMAPE", "MASE", "WQL"]]
    table = table.rename(columns={"sMAPE": "sMAPE %"})
    printer.table(table, best=f"{windows * horizon * series:,} held-out steps")
    for sentence in sentences_of(result):
        printer.sentence(sentence)


def sentences_of(result: Backtest) -> list[str]:
    """Return the verdict, and which forecast is best where there are peers beside."""
    measure = "MASE" if len(result.origins.panel) > 1 else "MAE"
    return [*result.sentences(), *best_of(result.table[measure])]


def best_of(errors: pd.Series) -> list[str]:
    """Say which forecast has the least error, ours or not; nothing where there are no peers.

    >>> best_of(pd.Series({"model": 2.0, "naive": 5.0, "AutoETS": 1.5}, name="MAE"))
    ['The best of these is AutoETS: MAE 1.5 against 2 of the model, 25 % less.']
    >>> best_of(pd.Series({"model": 2.0, "naive": 5.0, "AutoETS": 3.0}, name="MAE"))
    ['The best of these is the model: MAE 2 against 3 of AutoETS, 33 % less.']
    """
    known = errors.dropna()
    if not set(PEERS) & set(errors.index) or MODEL not in known.index or len(known) < 2:
        return []
    order = known.sort_values(kind="stable")
    best = str(order.index[0])
    other = str(order.index[1]) if best == MODEL else MODEL
    mine, theirs = float(order.iloc[0]), float(known[other])
    said = {MODEL: "the model", **{name: name for name in PEERS}}
    first, second = (said.get(name, f"the {name} forecast") for name in (best, other))
    if mine == theirs:
        return [f"The best of these are {first} and {second}: {errors.name} {mine:,.4g} each."]
    less = 100 * (1 - mine / theirs)
    percent = f"{less:.0f}" if less >= 1 else f"{less:.1g}"
    return [
        f"The best of these is {first}: {errors.name} {mine:,.4g} against {theirs:,.4g} of "
        f"{second}, {percent} % less."
    ]


def print_settings(forecaster: Forecaster, printer: Printer) -> None:
    """Print the shape that was trained on, and what was chosen."""
    samples, steps, features = forecaster.training_shape_
    printer.line(
        "Network",
        f"trained on [samples, time steps, features] = [{samples}, {steps}, {features}]; level and "
        f"season: {forecaster.transform_}; all scaling fitted on what is known alone.",
    )
    printer.line(
        "Settings",
        f"horizon {forecaster.horizon}, season {seasons_of(forecaster)}, lookback "
        f"{forecaster.lookback_}, cell {forecaster.cell}, units {forecaster.units_}, layers "
        f"{forecaster.layers}, likelihood {forecaster.likelihood}, epochs {forecaster.epochs_}, "
        f"seed {forecaster.seed}.",
    )


def seasons_of(forecaster: Forecaster) -> str:
    """Return the steps of the seasons that are looked at, 1 where there is none."""
    return " and ".join(map(str, forecaster.seasons_ or (1,)))


def write_backtest(
    result: Backtest,
    output: Path,
    printer: Printer,
    *,
    report: Path | None,
    layout: Layout | None = None,
) -> dict[str, str]:
    """Write all forecasts, their errors, and the picture of a typical series.

    Returns:
        The paths of the files, by what they are.
    """
    table, errors, picture = (
        output / name for name in ("backtest.csv", "errors.csv", "backtest.png")
    )
    forecasts, measured = result.forecasts, result.errors
    if layout is not None:
        forecasts, measured = layout.with_key_columns(forecasts), layout.with_key_columns(measured)
    write_table(forecasts.rename(columns=as_written), table)
    write_table(measured, errors)
    with any_letters(printer):
        write_picture(picture_of(result, None), picture)
    printer.line("Written", f"{table}, {errors} and {picture}")
    files = {"table": str(table), "errors": str(errors), "picture": str(picture)}
    if report:
        write_page(report_of_backtest(result, command=command_line()), report, printer)
        files["report"] = str(report)
    return files


def span(time: pd.Index) -> str:
    """Say from when to when; of one step, when.

    >>> span(pd.Index([1, 2, 5])), span(pd.Index([7]))
    ('1 to 5', '7')
    """
    ends = dict.fromkeys((format_stamp(time[0]), format_stamp(time[-1])))
    return " to ".join(ends)
