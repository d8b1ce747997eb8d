"""The error for what a user gave and statewise can't work with."""

import click


class Refusal(click.ClickException):
    """Wrong input: one line on stderr, exit code 2."""

    exit_code = 2
