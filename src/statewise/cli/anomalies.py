"""``statewise anomalies``: which steps of a series are none that were to be expected."""

import sys
from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.refusal import Refusal, check_environment, refusals

TABLE, PICTURE = "anomalies.csv", "anomalies.png"
_METHODS = ("forecast", "autoencoder", "feedback")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@shared.files
@shared.columns
@click.option(
    "--learn-from",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.3,
    show_default=True,
    help="Share of each series at its beginning to learn from.",
)
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default="forecast",
    show_default=True,
    help="What a step is measured by: a forecast of it, or its reconstruction.",
)
@click.option("--units", type=shared.COUNT, default=16, show_default=True, help="Units of a layer.")
@click.option("--season", type=shared.COUNT, help="Steps in a season, 1 for none; else found.")
@click.option("--epochs", type=shared.COUNT, default=20, show_default=True, help="Passes at most.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="How rare an anomalous step is, a share of all steps; by default 0.0001.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all draws."
)
@click.option("--model", type=_FILE, help="A detector that --save wrote: nothing is learned.")
@click.option("--save", type=_FILE, help="Write the detector to a file.")
@click.option(
    "--follow",
    is_flag=True,
    help="Score lines from standard input as they come: values, or time and values.",
)
@click.option(
    "--store",
    type=_FILE,
    help="With --follow: keep the state in this file; the next start goes on from there.",
)
@shared.output
@shared.force
@shared.rows
@shared.written
@shared.said
@click.pass_context
def anomalies(ctx, files, output, force, model, save, follow, store, **options):
    """Find the steps of the series in FILE that were not to be expected.

    A network learns from the beginning what comes next. Each step is scored by how rarely one is
    that odd, strictly by what came before it: 4 is once in 10,000 steps. Intervals are printed,
    scores written to anomalies.csv and drawn in anomalies.png. Several features of one series: one
    as --target, the others as --past. Without FILE: the airline passengers.

    With --follow the lines of standard input are scored as they come, after FILE was learned from
    (or with --model); each gives a line time,score,anomaly.

    \b
    Examples:
      statewise anomalies --epochs 2
      statewise anomalies sales.csv --time day --target sold --save sales.detector
      tail -f sensor.log | statewise anomalies --model sales.detector --follow --store live.db
    """
    from statewise.cli.places import check_places
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError

    printer = Printer(quiet=options.pop("quiet") or follow, for_json=options.pop("as_json"))
    reading = {name: options.pop(name) for name in shared.READING}
    for name in ("future", "static", "calendar"):
        if reading[name]:
            raise click.UsageError(f"--{name} isn't looked at here; further features are --past")
    if store is not None and not follow:
        raise click.UsageError("--store goes with --follow")
    if model is not None and not model.is_file():
        raise Refusal(f"--model {model}: no such file")
    if model is not None and save is not None:
        raise click.UsageError("--save writes what was learned, but with --model nothing is")
    learns = model is None
    with refusals(DataError), as_notes(printer):
        read = None
        if learns or not follow or files:
            with refusals(ValueError):
                from statewise.cli.data import print_understood, read_data

                read = read_data(files, **reading)
            print_understood(read.understood, printer)
        if not follow:
            check_places([output / TABLE, output / PICTURE], "--output", force=force)
        if save is not None:
            check_places([save], "--save", force=force)
        with printer.busy("Loading the engine"):
            from statewise.cli.anomaly_work import detector_for, find, write_detector
        check_environment()
        with printer.busy("Learning"), refusals(ValueError, TypeError):
            data = None if read is None else read.data
            detector, learned = detector_for(data, model, whole=follow, **options)
        if save is not None:
            write_detector(detector, save, printer)
        if follow:
            from statewise.cli.anomaly_follow import follow_lines

            follow_lines(detector, sys.stdin, store)
            return
        find(detector, data, learned, output, printer)
