"""``statewise text generate``: what a model writes, printed as it comes."""

import codecs
import os
import sys
from pathlib import Path

import click

from statewise.cli.refusal import printable, refusals

_INTERRUPTED = 130


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--prompt", default="", help="The text before; - reads it from standard input.")
@click.option("--length", type=click.IntRange(min=1), default=500, show_default=True,
              help="Tokens to write.")  # fmt: skip
@click.option("--temperature", type=float, default=0.8, show_default=True,
              help="0 takes the likeliest, 1 draws by the probabilities.")  # fmt: skip
@click.option("--top-k", type=click.IntRange(min=1),
              help="Draw one of so many likeliest tokens.")  # fmt: skip
@click.option("--top-p", type=float,
              help="Draw one of the likeliest that sum up to this probability.")  # fmt: skip
@click.option("--stop", multiple=True, help="Text at which to end; may be repeated.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the draws; by default another one "
              "each time.")  # fmt: skip
@click.pass_context
def generate(ctx, model, prompt, **options):
    """Write what MODEL finds likely after a prompt; Ctrl-C ends it.

    The prompt is printed too. In a terminal, what it would obey is shown as a mark; in a file or a
    pipe everything stands as it was written, and nothing else.

    \b
    Example:
      statewise text generate text.model --prompt "def " --length 200
    """
    from statewise.tasks import TextGenerator

    given = sys.stdin.buffer.read() if prompt == "-" else os.fsencode(prompt)
    with refusals(ValueError, TypeError, OSError):
        generator = TextGenerator.load(model)
        before = given if generator.level == "bytes" else given.decode("utf-8", "replace")
        options["stop"] = list(options["stop"]) or None
        pieces = generator.stream(before, **options)
    show = _Shown(generator.level)
    try:
        show(before)
        for piece in pieces:
            show(piece)
        show.end()
    except KeyboardInterrupt:
        show.end()
        ctx.exit(_INTERRUPTED)
    except BrokenPipeError:  # who reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Shown:
    """Prints pieces of a text as they come."""

    def __init__(self, level: str):
        self._terminal = sys.stdout.isatty()
        self._bytes = level == "bytes"
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def __call__(self, piece) -> None:
        if self._bytes and not self._terminal:
            sys.stdout.flush()
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        text = self._decode(piece) if self._bytes else piece
        if self._terminal:
            text = printable(text.replace("\t", "    "))
        click.echo(text, nl=False)

    def end(self) -> None:
        """End the line on a terminal."""
        if self._terminal:
            click.echo()
