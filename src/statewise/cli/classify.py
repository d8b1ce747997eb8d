"""``statewise classify``: from a table of labelled sequences to what tells their labels."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.refusal import Refusal, check_environment, refusals

PICTURES = ("confusion.png", "why.png")
LEARNED = ("labels.csv", *PICTURES, "classifier.statewise")
TOLD = ("labels.csv",)


@click.command()
@shared.files
@click.option(
    "--id",
    "--key",
    "key",
    metavar="COLUMN",
    help="Column that tells the sequences apart.",
)
@click.option(
    "--time",
    metavar="COLUMN",
    help="Column in whose order the steps come; found if there is one. none: in that of the rows.",
)
@click.option("--label", metavar="COLUMN", help="Column of the labels, one for each sequence.")
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="COLUMN",
    help="Input; may be repeated. By default all other columns of numbers.",
)
@click.option("--per-step", is_flag=True, help="Each step has a label of its own.")
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Tell labels by a classifier that was saved, and learn nothing.",
)
@click.option(
    "--balanced", is_flag=True, help="Let each class count as much as another, however rare."
)
@click.option(
    "--cell",
    type=click.Choice(["gru", "lstm", "rnn"]),
    default="gru",
    show_default=True,
    help="Kind of the recurrent layer.",
)
@click.option("--units", type=shared.COUNT, help="Units of a layer; by default 64.")
@click.option("--layers", type=shared.COUNT, help="Recurrent layers; by default 1.")
@click.option("--epochs", type=shared.COUNT, help="Length of the training; by default chosen.")
@click.option("--members", type=shared.COUNT, help="Networks to average; by default 3.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all draws."
)
@shared.written
@shared.output
@shared.force
@shared.said
def classify(files, output, **options):
    """Learn which label the sequences in FILE have, and measure how well it's told.

    FILE is long: a row for each step, a column that tells the sequences apart, one of labels. A
    fifth of the sequences is held out, networks learn from the others, and their labels stand
    beside the true ones; then networks learn from all, and are saved. labels.csv has each held-out
    sequence with its probabilities, confusion.png what was taken for what, why.png which steps of
    one of them decided, classifier.statewise the classifier. With --model a saved one tells the
    labels of FILE. Without FILE: simulated walking, running and climbing.

    \b
    Examples:
      statewise classify --epochs 8 --members 1
      statewise classify strides.csv --id person --time second --label gait
    """
    key, label, model = options["key"], options["label"], options["model"]
    if files and (key is None or (label is None and model is None)):
        missing = "--id" if key is None else "--label"
        raise click.UsageError(f"{missing} names a column of FILE, and is needed with one")
    if model and (options["balanced"] or options["epochs"] or options["units"]):
        raise click.UsageError("--model learns nothing: leave --balanced, --epochs, --units out")
    # The engine takes seconds to load: what is wrong with the data is told before that.
    from statewise.cli.classify_data import labelled_table
    from statewise.cli.data import print_understood
    from statewise.cli.places import check_places
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError

    printer = Printer(quiet=options.pop("quiet"), for_json=options.pop("as_json"))
    reading = ("key", "time", "label", "features", "sheet", "decimal", "dayfirst", "missing_value")
    if options.pop("number_keys"):
        raise click.UsageError("--number-keys is for series that are joined; here keys are text")
    given = {name: options.pop(name) for name in reading}
    with refusals(DataError), as_notes(printer):
        with refusals(ValueError):
            table = labelled_table(files, **given)
        print_understood(table.understood, printer)
        names = TOLD if model else LEARNED
        check_places([output / name for name in names], "--output", force=options.pop("force"))
        with printer.busy("Loading the engine"):
            from statewise.cli.classify_sequences import learn_labels, tell_labels
        check_environment()
        per_step = options.pop("per_step")
        del options["model"]
        if model:
            tell_labels(table, model, output, printer)
        else:
            try:
                learn_labels(table, output, printer, per_step=per_step, **options)
            except ValueError as error:
                raise Refusal(str(error)) from None
