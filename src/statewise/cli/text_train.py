"""``statewise text train``: files to a model that writes more of their kind."""

import math
from pathlib import Path
from typing import Any

import click

from statewise.cli import options as shared
from statewise.cli.places import check_places, unwritten
from statewise.cli.refusal import Refusal, printable, refusals

MODEL = "text.model"
_DEMO = 1_000_000  # characters of the standard library
_SAMPLE = 300  # tokens that are written at the end


@click.command()
@click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "--level",
    type=click.Choice(["char", "word", "bytes"]),
    default="char",
    show_default=True,
    help="What a token is.",
)
@click.option(
    "--cell",
    type=click.Choice(["lstm", "gru", "rnn"]),
    default="lstm",
    show_default=True,
    help="Kind of the recurrent layer.",
)
@click.option("--units", type=shared.COUNT, default=512, show_default=True,
              help="Units of a layer.")  # fmt: skip
@click.option("--layers", type=shared.COUNT, default=1, show_default=True,
              help="Recurrent layers.")  # fmt: skip
@click.option("--embedding", type=shared.COUNT,
              help="Numbers that a token becomes; by default 64, of words 128.")  # fmt: skip
@click.option(
    "--vocabulary",
    type=click.IntRange(min=2),
    help="How many tokens are known at most; by default all characters, 10,000 words.",
)
@click.option("--dropout", type=float, default=0.0, show_default=True,
              help="Share of the values between layers that are 0 in training.")  # fmt: skip
@click.option("--weight-drop", type=float, default=0.0, show_default=True,
              help="Share of the recurrent weights that are 0 in training.")  # fmt: skip
@click.option("--tied", is_flag=True, help="The embedding's weights make the scores too.")
@click.option("--layer-norm", is_flag=True, help="Normalise what comes out of the layers.")
@click.option("--lanes", type=shared.COUNT,
              help="Parts of the text read beside each other; by default up to 16.")  # fmt: skip
@click.option("--steps", type=shared.COUNT, default=64, show_default=True,
              help="Tokens over which gradients flow.")  # fmt: skip
@click.option("--epochs", type=shared.COUNT,
              help="Passes over the text; by default to see 8 million tokens.")  # fmt: skip
@click.option("--learning-rate", type=float, default=0.003, show_default=True,
              help="The highest.")  # fmt: skip
@click.option("--validation", type=float, default=0.1, show_default=True,
              help="Share of the text, its end, that tells the best epoch.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of all draws.")  # fmt: skip
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder in which the training is kept; the same command goes on after a kill.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(MODEL),
    show_default=True,
    metavar="FILE",
    help="The model.",
)
@shared.force
@click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
def train(files, output, force, quiet, checkpoint, encoding, **params):
    """Learn the text of FILE, each a document, and save the model.

    With no file the text is a million characters of Python's own library, as it's installed here.

    \b
    Examples:
      statewise text train shakespeare.txt --output shakespeare.model
      statewise text train --units 128 --epochs 2
    """
    check_places([output], "--output", force=force)
    from statewise.cli.printer import Printer, as_notes

    printer = Printer(quiet=quiet)
    with printer.busy("Loading the engine"):
        from statewise.tasks import TextGenerator
    generator = TextGenerator(**{name: value for name, value in params.items() if value})
    for name in ("validation", "dropout", "weight_drop"):
        generator.set_params(**{name: params[name]})
    generator.set_params(seed=params["seed"])
    with refusals(ValueError, TypeError, OSError), as_notes(printer), printer.training() as show:
        generator.fit(_given(files), encoding=encoding, progress=show, checkpoint=checkpoint)
    _tell(generator, printer, files)
    try:
        generator.save(output)
    except OSError as error:
        raise unwritten(output.parent, error) from None
    printer.line("Model", f"{output} (statewise text generate {output} --prompt ...)")


def _given(files) -> Any:
    if files:
        return list(files)
    from statewise import datasets

    try:
        return datasets.library_source(limit=_DEMO)
    except FileNotFoundError as error:
        raise Refusal(f"{error}: name a file") from None


def _tell(generator, printer, files) -> None:
    """Print what was learned from, how well, and a sample."""
    unit = {"char": "character", "word": "word", "bytes": "byte"}[generator.level]
    where = ", ".join(map(str, files)) or "Python's own library"
    count = sum(generator.counts_.values()) + generator.unknown_
    unknown = f", {generator.unknown_:,} of them unknown" if generator.unknown_ else ""
    printer.line(
        "Text",
        f"{where}: {count:,} {unit}s, {len(generator.vocabulary_):,} different ones{unknown}",
    )
    told = f"{generator.cell.upper()}({generator.units})"
    layers = f"{generator.layers} x {told}" if generator.layers > 1 else told
    lanes = f"{generator.lanes_} lane{'s' * (generator.lanes_ != 1)}"
    printer.line("Network", f"{layers}, {generator.epochs_} epochs in {lanes}")
    loss, where = generator.validation_loss_, "the validation part"
    if loss is None:
        loss, where = generator.history_["loss"][-1], "what was trained on"
    perplexity = f", perplexity {math.exp(loss):.1f}" if generator.level == "word" else ""
    bits = loss / math.log(2)
    printer.line("Loss", f"{loss:.4f} nats, {bits:.4f} bits a {unit} on {where}{perplexity}")
    sample = generator.generate("", _SAMPLE, temperature=0.8, seed=0)
    sample = sample.decode("utf-8", "replace") if isinstance(sample, bytes) else sample
    printer.sentence("A sample")
    printer.console.print(printable(sample.replace("\t", "    ")), markup=False, soft_wrap=True)
