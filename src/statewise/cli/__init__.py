"""Floor 6: the command line. Thin: every command is one call into tasks and pictures.

Nothing heavy is loaded before a command runs, so that ``statewise --help`` answers at once.
"""

from statewise.cli.group import main

__all__ = ["main"]
