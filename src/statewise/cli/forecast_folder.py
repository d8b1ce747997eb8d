"""The work of ``statewise forecast`` for a folder that is larger than memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statewise._version import __version__
from statewise.cli.defaults import LEVELS, forecaster_for
from statewise.cli.executors import executor_at
from statewise.cli.forecast_found import settings_of
from statewise.cli.printer import Printer
from statewise.cli.refusal import Refusal
from statewise.cli.results import print_result, print_settings
from statewise.cli.written_names import as_written, check_forecast_file
from statewise.distributed import Executor
from statewise.distributed.files import files_of
from statewise.sequences import Columns, DataError, scan_panel
from statewise.sequences.layout import Asked
from statewise.sequences.panel_reading import read_panel
from statewise.sequences.tables import counted
from statewise.tasks import Backtest, Forecaster, backtest
from statewise.tasks.forecasting.parameters import fresh
from statewise.tasks.forecasting.predicting import Asked as AskedFor
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.result_names import KEY, TIME
from statewise.tasks.forecasting.scanned import job
from statewise.tasks.forecasting.scanned.kinds import ROWS
from statewise.tasks.forecasting.scanned.opening import found_in
from statewise.tasks.forecasting.scanned.panel import ScannedPanel
from statewise.tasks.forecasting.scanned.writing import ForecastFiles

INTERRUPTED = 130
_UNFIT = {  # options that are for what is in memory, with what they have where nobody gave them
    **dict.fromkeys(("wide", "one_step", "number_keys", "all_peers"), False),
    **dict.fromkeys(("peers", "missing_value"), ()),
    **dict.fromkeys(("report", "save", "every", "aggregate", "decimal", "dayfirst", "sheet"), None),
    "train_fraction": None,
}


@dataclass(frozen=True)
class Folder:
    """A folder to forecast, and where to.

    Attributes:
        path: of its files.
        output: the folder of the forecasts.
        rows: how many rows are in memory at a time.
        corrupt: what to do about a file that can't be read, "raise" or "skip".
        force: whether to begin anew, whatever is in ``output``.
        ray: the address of the cluster whose workers forecast; None for this process.
    """

    path: Path
    output: Path
    rows: int | None
    corrupt: str | None
    force: bool
    ray: str | None = None


class Stopped(click.ClickException):
    """The end by Ctrl-C: what is done stays."""

    exit_code = INTERRUPTED


def forecast_folder(folder: Folder, printer: Printer, options: dict[str, Any]) -> None:
    """Forecast a folder, print what came out, and write Parquet files, a block of series each.

    Args:
        folder: what to forecast, and where to.
        printer: where to print.
        options: of the command.

    Raises:
        Refusal: where that isn't possible.
        Stopped: where somebody stopped it.
    """
    _refuse_unfit(folder, options)
    if folder.force:
        job.remove(folder.output)
    with _refused(folder):
        scan = _scanned(folder, options)
        check_forecast_file({KEY: scan.columns.key, TIME: scan.columns.time})
        forecaster = _forecaster(scan, options)
        levels = list(options["level"] or LEVELS)
        with printer.training() as progress:
            learned = job.learn(
                forecaster,
                scan,
                folder.output,
                short=options["short"],
                missing=options["missing"] or "mask",
                progress=progress,
            )
        fitted = learned.forecaster
        for note in fitted.notes_:
            printer.note(note + ".")
        print_settings(fitted, printer)
        held = None
        if learned.anew and not options["no_holdout"]:
            held = _held_out(forecaster, fitted, levels, printer)
        elif not learned.anew:
            printer.line("Going on", f"with what was learned before, in {folder.output}.")
        executor = None if folder.ray is None else executor_at(folder.ray, printer)
        with printer.training() as progress:
            written = _written(fitted, folder, executor, levels, options["future_file"], progress)
    _tell(written, scan, fitted, held, levels, printer)


def _written(
    fitted: Forecaster,
    folder: Folder,
    executor: Executor | None,
    levels: list[float],
    future: Path | None,
    progress: Progress,
) -> ForecastFiles:
    """Forecast and write all that isn't written, here or by workers."""
    if executor is None:
        return job.forecast(
            fitted,
            folder.output,
            levels=levels,
            progress=progress,
            future=future,
            names=as_written,
        )
    asked = AskedFor(fitted.horizon, levels, None, fitted.likelihood, as_written)
    return files_of(fitted, asked, folder.output, executor, progress)


def _refuse_unfit(folder: Folder, options: Mapping[str, Any]) -> None:
    for name, usual in _UNFIT.items():
        if options[name] != usual:
            said = {"all_peers": "peers", "peers": "peer", "dayfirst": "dayfirst"}.get(name, name)
            raise click.UsageError(
                f"--{said.replace('_', '-')} is for what fits into memory, but {folder.path} is "
                "forecast block by block: leave it out"
            )
    if options["missing"] in ("fill", "drop"):
        raise click.UsageError(f"--missing {options['missing']} is for one series")
    if folder.ray is not None and options["future"]:
        raise click.UsageError("--ray forecasts a folder without --future inputs: leave one out")
    output, path = folder.output.resolve(), folder.path.resolve()
    if output == path or path in output.parents:
        raise click.UsageError(
            f"the forecasts of {folder.path} would be files beside its own: name a folder for them "
            "elsewhere by --output DIR"
        )
    if folder.output == Path():
        raise click.UsageError(
            f"the forecasts of {folder.path} are many files: name a folder for them by --output DIR"
        )


def _scanned(folder: Folder, options: Mapping[str, Any]) -> ScannedPanel:
    """Open the folder, its columns as they were named or found."""
    parts = ("future", "past", "static")
    inputs = {part: tuple(options[part]) for part in parts}
    key = [name.strip() for text in options["key"] for name in text.split(",")]
    if len(key) > 1 or "," in (options["time"] or ""):
        raise Refusal(
            "what is read block by block has one column of keys and one of times: make one of "
            "several, in its files"
        )
    asked = Asked(
        time=options["time"],
        key=tuple(key),
        target=options["target"],
        inputs=[name for names in inputs.values() for name in names],
    )
    columns = None
    if key and options["time"] and options["target"]:
        columns = Columns(key=key[0], time=options["time"], target=options["target"])
    columns = columns or found_in(folder.path, asked)
    columns = Columns(
        key=columns.key,
        time=columns.time,
        target=columns.target,
        calendar=tuple(options["calendar"]),
        **inputs,
    )
    scan = scan_panel(
        folder.path,
        key=columns.key,
        time=columns.time,
        columns=[columns.target, *columns.inputs],
        corrupt=folder.corrupt or "raise",
    )
    return ScannedPanel(scan, columns, folder.rows or ROWS, folder.path)


def _forecaster(scan: ScannedPanel, options: Mapping[str, Any]) -> Forecaster:
    """Return a forecaster; where no horizon was named the first series propose one."""
    if options["horizon"] is not None:
        return forecaster_for(None, options["horizon"], dict(options))  # type: ignore[arg-type]
    first = next(scan.scan.blocks(min(scan.rows, ROWS // 16)))
    return forecaster_for(read_panel(first, scan.columns), None, dict(options))


def _held_out(
    forecaster: Forecaster, fitted: Forecaster, levels: list[float], printer: Printer
) -> Backtest | None:
    """Measure forecasts of held-out steps of the sample, learned from it alone."""
    sample = fitted._engine.data.panel
    if sample.columns.future:
        printer.note("nothing is held out where inputs are known for the future.")
        return None
    printer.sentence(
        f"Held out: the same, learned from a sample of {len(sample):,} series alone "
        "but for its last steps. (--no-holdout leaves this out.)"
    )
    with printer.training() as progress:
        held = backtest(fresh(forecaster), sample, windows=1, level=levels, progress=progress)
    print_result(held, printer)
    return held


def _tell(
    written: ForecastFiles,
    scan: ScannedPanel,
    fitted: Forecaster,
    held: Backtest | None,
    levels: list[float],
    printer: Printer,
) -> None:
    """Print what was written, or give it as JSON."""
    if written.found:
        printer.line("Before", f"{written.found:,} series were done by a run that was stopped.")
    if written.left_out:
        printer.note(f"{written.left_out:,} series have too few values to be forecast.")
    for file in written.skipped:
        printer.note(f"left out: {file.path} can't be read: {file.reason}.")
    levels_told = ", ".join(f"{level:g}" for level in levels)
    printer.sentence(
        f"{counted(fitted.horizon, 'step')} beyond the end of {written.series:,} series, with "
        f"intervals of {levels_told} %."
    )
    printer.line("Written", f"{written.path}: {counted(len(written.files), 'Parquet file')}")
    printer.object(
        {
            "statewise": __version__,
            "source": {"files": len(scan.scan.files), "series": written.series + written.found},
            "settings": settings_of(fitted),
            "held_out": None if held is None else _errors(held),
            "future": {
                "steps": fitted.horizon,
                "series": written.series,
                "found": written.found,
                "left_out": written.left_out,
            },
            "skipped": [{"path": one.path, "reason": one.reason} for one in written.skipped],
            "files": [str(path) for path in written.files],
            "notes": printer.notes,
        }
    )


def _errors(held: Backtest) -> dict[str, Any]:
    from statewise.cli.forecast_found import backtest_json

    found = backtest_json(held, list(held.sentences()), {}, [])
    return {"steps": found["horizon"], "errors": found["errors"], "verdict": found["verdict"]}


@contextmanager
def _refused(folder: Folder) -> Iterator[None]:
    """Turn errors into one line; tell who stopped the work that it can be gone on with."""
    try:
        yield
    except FileExistsError as error:
        raise Refusal(f"{error} (--force begins anew)") from None
    except (DataError, ValueError) as error:
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(
            f"{folder.output} can't be written to: {error.strerror or error}. What is done stays; "
            "the same command goes on"
        ) from None
    except KeyboardInterrupt:
        raise Stopped(
            f"stopped; what is done stays in {folder.output}, and the same command goes on."
        ) from None
