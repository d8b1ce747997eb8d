"""``statewise text score``: how likely texts are by a model."""

import json
import math
from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.places import check_places
from statewise.cli.refusal import Refusal, refusals

_SHOWN = 4000  # tokens that a picture has room for


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)  # fmt: skip
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a picture of the first file, shaded by its surprise.")  # fmt: skip
@shared.force
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def score(model, files, encoding, png, force, as_json):
    """Say how likely each FILE is by MODEL: nats and bits a token, and the perplexity.

    Each file is read from its begin to its end, the state carried through it.

    \b
    Example:
      statewise text score shakespeare.model letters.txt
    """
    if png:
        check_places([png], "--png", force=force)
    import numpy as np
    import pandas as pd

    from statewise.cli.printer import Printer
    from statewise.tasks import TextGenerator

    rows = []
    with refusals(ValueError, TypeError, OSError):
        generator = TextGenerator.load(model)
        for path in files:
            told = generator.log_likelihood(path, each=True, encoding=encoding)
            if not len(told):
                raise Refusal(f"{path} is empty: there is nothing to score")
            loss = -float(np.mean(told))
            numbers = (len(told), loss, loss / math.log(2), math.exp(min(loss, 700)))
            rows.append((str(path), *numbers))
            if png and len(rows) == 1:
                _draw(generator, path, told, encoding, png)
    unit = {"char": "character", "word": "word", "bytes": "byte"}[generator.level]
    names = (f"{unit}s", f"nats a {unit}", f"bits a {unit}", "perplexity")
    if as_json:
        keys = ("file", "tokens", "nats", "bits", "perplexity")
        print(json.dumps({"scores": [dict(zip(keys, row, strict=True)) for row in rows]}))
        return
    frame = pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], names)
    Printer().table(frame.rename_axis("File"))


def _draw(generator, path: Path, told, encoding: str, png: Path) -> None:
    """Write the picture of a text by its surprise."""
    from statewise.cli.files import any_letters, write_picture
    from statewise.cli.printer import Printer
    from statewise.pictures import plot_surprise

    tokens = generator.tokens_of(path, most=_SHOWN, encoding=encoding)
    if generator.level == "bytes":
        tokens = [token.decode("latin-1") for token in tokens]
    bits = -float(told.mean()) / math.log(2)
    with any_letters(Printer(for_json=True)):
        figure = plot_surprise(
            tokens, told[: len(tokens)], title=f"{path}: {bits:.2f} bits a token"
        )
        write_picture(figure, png)
