"""``statewise forecast``: from a table to a forecast, its errors and its picture."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.data import print_understood, read_data
from statewise.cli.refusal import check_cluster, check_environment, chosen_peers, refusals

FILES = ("forecast.csv", "forecast.png")


@click.command()
@shared.files
@shared.columns
@click.option("--horizon", type=shared.COUNT, help="Steps to forecast; by default two seasons.")
@shared.network
@shared.level
@shared.output
@shared.force
@shared.report
@shared.save
@click.option(
    "--no-holdout",
    is_flag=True,
    help="Leave out the comparison: learn from everything, forecast beyond the end.",
)
@shared.peers
@click.option(
    "--future-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --future: the inputs of the steps beyond the end.",
)
@click.option(
    "--short",
    type=click.Choice(["raise", "drop"]),
    default="raise",
    show_default=True,
    help="Many series: refuse those with too few steps, or go on without them.",
)
@click.option(
    "--one-step",
    is_flag=True,
    help="Forecast each held-out step one ahead, the truth before it given.",
)
@click.option(
    "--train-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --one-step: the part to learn from; by default 0.67.",
)
@click.option(
    "--rows",
    type=shared.COUNT,
    metavar="N",
    help="A folder: how many rows are in memory at a time; by default 1,048,576.",
)
@click.option(
    "--corrupt",
    type=click.Choice(["raise", "skip"]),
    help="A folder read block by block: stop at a file that can't be read, or go on without it. By "
    "default stop.",
)
@shared.ray
@shared.rows
@shared.written
@shared.said
def forecast(files, output, **options):
    """Forecast the series in FILE, and measure the forecast.

    The last steps are held out, a recurrent network learns from those before, and its forecast
    stands beside the naive ones. Then it learns from everything, and forecasts beyond the end.
    forecast.csv has both, with intervals; forecast.png shows them. With --key (or a column
    unique_id) the file holds many series, and one network learns from all of them. A folder that is
    larger than memory is read block by block, its forecasts are Parquet files in --output, and
    the same command goes on with a run that was stopped. Without FILE: the airline passengers,
    1949 to 1960.

    \b
    Examples:
      statewise forecast
      statewise forecast --horizon 12 --level 80,95 --no-holdout --output next_year
    """
    _check_together(options, options["future"])
    # The engine takes seconds to load: what is wrong with the data is told before that.
    from statewise.cli.places import check_places
    from statewise.cli.printer import Printer, as_notes
    from statewise.cli.written_names import target_name
    from statewise.sequences import DataError, Panel

    printer = Printer(quiet=options.pop("quiet"), for_json=options.pop("as_json"))
    ray = options.pop("ray")
    check_cluster(ray)
    rows, corrupt = options.pop("rows"), options.pop("corrupt")
    if _by_blocks(files, rows, corrupt):
        folder = {"path": files[0], "output": output, "rows": rows, "corrupt": corrupt}
        folder["ray"] = ray
        _forecast_folder(folder, printer, options)
        return
    reading = {name: options.pop(name) for name in shared.READING}
    with refusals(DataError), as_notes(printer):
        with refusals(ValueError):
            read = read_data(files, **reading)
        data = read.data
        print_understood(read.understood, printer)
        many = isinstance(data, Panel)
        if ray is not None and not many:
            raise click.UsageError("--ray is for many series, but FILE holds one")
        if many and options["one_step"]:
            raise click.UsageError("--one-step is for one series, but FILE holds a panel")
        force = options.pop("force")
        check_places([output / name for name in FILES], "--output", force=force)
        for name in ("report", "save"):
            if options[name]:
                check_places([options[name]], f"--{name}", force=force)
        options["peers"] = chosen_peers(options.pop("all_peers"), options["peers"])
        with printer.busy("Loading the engine"):
            from statewise.cli.executors import executor_at
            from statewise.cli.forecast_panel import forecast_panel
            from statewise.cli.forecast_series import forecast_one_step, forecast_series
        check_environment()
        one_step, fraction = options.pop("one_step"), options.pop("train_fraction")
        if many:
            options |= {"understood": read.understood, "layout": read.layout}
            options["executor"] = None if ray is None else executor_at(ray, printer)
            forecast_panel(data, output, printer, **options)
            return
        options["name"] = target_name(data.names[0], files[0] if files else None)
        del options["future_file"], options["short"]
        if one_step:
            for name in ("no_holdout", "level", "report", "save", "peers", "horizon"):
                del options[name]
            options["understood"] = read.understood
            forecast_one_step(data, output, printer, train_fraction=fraction, **options)
        else:
            forecast_series(data, output, printer, understood=read.understood, **options)


def _by_blocks(files, rows, corrupt) -> bool:
    """Whether what was named is a folder that is read block by block."""
    if len(files) != 1 or not files[0].is_dir():
        if rows or corrupt:
            raise click.UsageError("--rows and --corrupt go with one folder only")
        return False
    if rows or corrupt:
        return True
    from statewise.sequences.scanning.larger import is_larger

    return is_larger(files[0])


def _forecast_folder(folder, printer, options) -> None:
    from statewise.cli.printer import as_notes

    with as_notes(printer), printer.busy("Loading the engine"):
        from statewise.cli.forecast_folder import Folder, forecast_folder
    check_environment()
    with as_notes(printer):
        forecast_folder(Folder(force=options.pop("force"), **folder), printer, options)


def _check_together(options, future) -> None:
    one_step = options["one_step"]
    if one_step and options["no_holdout"]:
        raise click.UsageError("--one-step needs held-out steps, so it can't go with --no-holdout")
    if one_step and options["horizon"] not in (None, 1):
        raise click.UsageError("--one-step has a horizon of 1: leave --horizon out")
    if one_step and (options["level"] or options["report"]):
        raise click.UsageError("--level and --report are for a closed loop, not for --one-step")
    if one_step and (options["peers"] or options["all_peers"]):
        raise click.UsageError("--peers and --peer are for a closed loop, not for --one-step")
    if one_step and options["save"]:
        raise click.UsageError("--save is for what learned from everything, not for --one-step")
    if options["train_fraction"] is not None and not one_step:
        raise click.UsageError("--train-fraction goes with --one-step only")
    if future and options["no_holdout"] and not options["future_file"]:
        raise click.UsageError(
            "--future and --no-holdout need the inputs of the steps to forecast: --future-file"
        )
    if options["future_file"] and not future:
        raise click.UsageError("--future-file goes with --future only")
