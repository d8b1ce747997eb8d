"""``statewise learn``: the learner's page, opened in the browser or written to a file."""

import os
import tempfile
import webbrowser
from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.places import check_places
from statewise.cli.refusal import Refusal


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page to this file; nothing is opened then.",
)
@shared.force
def learn(output, force):
    """Open a page on which one builds a network and sees what it does.

    Choose layers, return_sequences, stateful, batch, time steps and features, and see the unrolled
    picture, the shapes, the code, and a trained LSTM calculating step by step. The page is one
    file that needs no network.

    \b
    Example:
      statewise learn --output learn.html
    """
    if output:
        check_places([output], "--output", force=force)
    from statewise.pictures.learn import write_learn_page

    try:
        folder = None if output else tempfile.mkdtemp(prefix="statewise-")  # ours alone
        path = write_learn_page(output or Path(folder) / "learn.html")
    except OSError as error:
        where = f"--output {output}" if output else f"a page in {tempfile.gettempdir()}"
        raise Refusal(f"{where} can't be written: {error.strerror}") from None
    if output:
        click.echo(f"Page      {path}")
    elif _open(path.as_uri()):
        click.echo(f"Page      {path} (opened in the browser)")
    else:
        click.echo(f"Page      {path} (no browser here: open this file in one)")


def _open(address: str) -> bool:
    """Open an address in a graphical browser; return whether there is one."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # Without a display Python falls back to browsers for the terminal, which run no scripts.
    for_terminal = type(browser) is webbrowser.GenericBrowser
    if for_terminal and "BROWSER" not in os.environ:
        return False
    return browser.open(address)
