"""The command ``statewise`` and how it fails: in one line on stderr, never with a traceback."""

import _thread
import sys
import threading
import time
from contextlib import contextmanager

import click

from statewise._version import __version__
from statewise.cli.anomalies import anomalies
from statewise.cli.backtest import backtest
from statewise.cli.classify import classify
from statewise.cli.explain import explain
from statewise.cli.export import export
from statewise.cli.forecast import forecast
from statewise.cli.learn import learn
from statewise.cli.look import look
from statewise.cli.refusal import let_any_console_show, one_line
from statewise.cli.text import text

_PAUSE = 0.05  # seconds, after which a place that ignores exceptions will have been left
INTERRUPTED = 130  # what a shell expects after Ctrl-C: 128 + SIGINT


class _Statewise(click.Group):
    """A group whose errors are one line, and whose end by Ctrl-C is one line too."""

    def main(self, *args, standalone_mode=True, **kwargs):
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **kwargs)
        let_any_console_show()
        try:
            with _hearing_ctrl_c():
                code = super().main(*args, standalone_mode=False, **kwargs)
        except click.Abort:
            code = _print_error("stopped; nothing was written.", INTERRUPTED)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "statewise"
            code = _print_error(f"{error.format_message()} ({path} --help lists the options)", 2)
        except click.ClickException as error:
            code = _print_error(error.format_message(), error.exit_code)
        sys.exit(code)

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.Abort from None  # click itself would put an empty line before ours


@contextmanager
def _hearing_ctrl_c():
    """Repeat an interrupt that came where Python ignores exceptions, as JAX's hook on its garbage
    collector is one.
    """
    usual = sys.unraisablehook

    def hook(unraisable):
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            return usual(unraisable)
        # In one call that waits for nothing: an interrupt that came in here would be lost.
        _thread.start_new_thread(_interrupt_again, (threading.get_ident(), hook.__code__))

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = usual


def _interrupt_again(thread: int, hook) -> None:
    """Interrupt the main thread once ``thread`` has left the hook, and the place that it's for."""
    while True:
        time.sleep(_PAUSE)
        frame = sys._current_frames().get(thread)
        while frame is not None and frame.f_code is not hook:
            frame = frame.f_back
        if frame is None:
            _thread.interrupt_main()
            return


def _print_error(message: str, code: int) -> int:
    click.echo("statewise: " + one_line(message), err=True)
    return code


@click.group(cls=_Statewise, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="statewise %(version)s")
def main():
    """Recurrent networks on sequences."""


main.add_command(anomalies)
main.add_command(backtest)
main.add_command(classify)
main.add_command(explain)
main.add_command(export)
main.add_command(forecast)
main.add_command(learn)
main.add_command(look)
main.add_command(text)
