"""``statewise text``: a network that learns a text, writes more of its kind, and judges others."""

import click

from statewise.cli.text_generate import generate
from statewise.cli.text_score import score
from statewise.cli.text_train import train


@click.group()
def text():
    """Learn a text, write more of its kind, and say how likely others are."""


text.add_command(train)
text.add_command(generate)
text.add_command(score)
