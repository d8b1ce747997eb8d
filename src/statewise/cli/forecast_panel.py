"""The work of ``statewise forecast`` for many series, once they are read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from statewise.cli.defaults import LEVELS, forecaster_for
from statewise.cli.forecast_found import Found
from statewise.cli.forecast_output import print_beyond, write_found
from statewise.cli.printer import Printer
from statewise.cli.refusal import Refusal
from statewise.cli.results import print_result, print_settings, sentences_of, span
from statewise.cli.written_names import check_forecast_file
from statewise.distributed import Executor
from statewise.distributed import backtest as backtest_by_workers
from statewise.distributed import predict as predict_by_workers
from statewise.sequences import Panel
from statewise.sequences.layout import Layout
from statewise.sequences.panel import format_keys
from statewise.sequences.reading.report import Understood
from statewise.tasks import Backtest, Forecaster, backtest
from statewise.tasks.evaluation.beyond import forecast_beyond
from statewise.tasks.forecasting.engine import least_known
from statewise.tasks.forecasting.future_inputs import read_ahead
from statewise.tasks.forecasting.global_model.features import Encoder
from statewise.tasks.forecasting.parameters import fresh
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.result_names import KEY, TIME


def forecast_panel(
    panel: Panel,
    output: Path,
    printer: Printer,
    *,
    no_holdout: bool,
    short: str,
    future_file: Path | None,
    horizon: int | None,
    level: tuple[float, ...] | None,
    peers: tuple[str, ...] = (),
    report: Path | None = None,
    save: Path | None = None,
    understood: Understood | None = None,
    layout: Layout | None = None,
    executor: Executor | None = None,
    **options,
) -> None:
    """Forecast a panel, print what came out, and write forecast.csv, forecast.png and a report.

    Args:
        panel: all that is known.
        output: an existing folder.
        printer: where to print.
        no_holdout: whether to leave out the comparison with held-out steps.
        short: "raise", or "drop" to go on without series that have too few steps.
        future_file: the inputs of the steps beyond the end; None where there are none.
        horizon: steps to forecast; None to take what the calendar proposes.
        level: of the intervals, in percent; None for the usual ones.
        peers: statistical forecasts to stand beside.
        report: the file of the report.
        save: the file of what learned from everything.
        understood: how the table was read.
        layout: which columns of it held what.
        executor: whose workers forecast; None for this process.
        options: arguments of `Forecaster`; None for its default.
    """
    columns = panel.columns
    check_forecast_file({KEY: columns.key, TIME: columns.time})
    forecaster = forecaster_for(panel, horizon, options)
    if short == "raise":
        _refuse_short(panel, forecaster, 0 if no_holdout else forecaster.horizon)
        if future_file:  # what is missing there is told before the training
            read_ahead(future_file, panel, Encoder.fit(panel), forecaster.horizon, panel.time)
    levels = level or LEVELS
    found = Found(
        panel=panel,
        forecaster=forecaster,
        name="",
        time=columns.time,
        keyed=True,
        layout=layout,
    )
    if not no_holdout:
        with printer.training() as progress:
            held = _held_out(forecaster, panel, levels, executor, progress)
        if peers:
            with printer.busy(f"Fitting {', '.join(peers)} to each series"):
                held = held.beside(*peers)
        print_result(held, printer)
        found.held, found.forecaster, found.steps = held, held.forecaster, forecaster.horizon
        found.errors, found.sentences = held.table, sentences_of(held)
    unknown = columns.future and not future_file
    if save is not None or not unknown:
        with printer.training() as progress:
            fitted = fresh(forecaster).fit(panel, short=short, progress=progress)
    if unknown:
        printer.note(
            f"nothing is forecast beyond the end, for the inputs of those steps "
            f"({', '.join(columns.future)}) aren't known: --future-file FILE names them."
        )
    else:
        if no_holdout:
            found.forecaster = fitted
            _print_cut(panel, fitted, printer)
        with _shown(printer, executor) as progress:
            found.beyond = forecast_beyond(
                fitted,
                panel,
                levels=levels,
                peers=peers,
                future=future_file,
                predict=_predict_on(executor, progress),
            )
        print_beyond(found, printer)
    saved = None if save is None else (fitted, save)
    write_found(found, output, printer, report=report, save=saved, understood=understood)


def _held_out(
    forecaster: Forecaster,
    panel: Panel,
    levels: tuple[float, ...],
    executor: Executor | None,
    progress: Progress,
) -> Backtest:
    """Forecast the last steps of each series, here or by workers."""
    given: dict[str, Any] = {"windows": 1, "level": levels, "progress": progress}
    if executor is None:
        return backtest(forecaster, panel, **given)
    return backtest_by_workers(forecaster, panel, executor=executor, **given)


@contextmanager
def _shown(printer: Printer, executor: Executor | None) -> Iterator[Progress | None]:
    """Show that something goes on; of workers, how far they are."""
    if executor is None:
        with printer.busy("Forecasting beyond the end"):
            yield None
    else:
        with printer.training() as progress:
            yield progress


def _predict_on(executor: Executor | None, progress: Progress | None) -> Callable | None:
    """Return what forecasts in place of ``Forecaster.predict``; None for that itself."""
    if executor is None:
        return None
    return partial(predict_by_workers, executor=executor, progress=progress)


def _print_cut(panel: Panel, fitted: Forecaster, printer: Printer) -> None:
    """Print that nothing was held out, and what was chosen."""
    printer.line(
        "Data",
        f"{len(fitted.keys_)} series of {panel.calendar.phrase} steps "
        f"({span(panel.time.sort_values())}): all of them to learn from, nothing held out.",
    )
    for note in fitted.notes_:
        printer.note(note + ".")
    print_settings(fitted, printer)


def _refuse_short(panel: Panel, forecaster: Forecaster, held: int) -> None:
    asked = forecaster.lookback
    least = least_known(asked if isinstance(asked, int) else None)  # else it is "auto"
    need = least + forecaster.horizon + held
    few = panel.lengths < need
    if few.any():
        out = " and those held out" if held else ""
        fits = (panel.lengths >= need - held).all()
        raise Refusal(
            f"{few.sum()} of {len(panel)} series have too few time steps: "
            f"{format_keys(panel.keys[few])}; lookback {least} + horizon {forecaster.horizon}{out} "
            f"need {need}: take a shorter horizon or lookback"
            + ("" if few.all() else ", or go on without them by --short drop")
            + (", or leave the comparison out by --no-holdout" if held and fits else "")
        )
