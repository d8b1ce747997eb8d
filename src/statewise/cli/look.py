"""``statewise look``: what is in a table, and the command that forecasts it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewise.cli import options as shared
from statewise.cli.refusal import refusals

if TYPE_CHECKING:
    from statewise.cli.printer import Printer
    from statewise.sequences.look import Look

PICTURE = "look.png"
_FLAGS = {"wide": "--wide", "number_keys": "--number-keys"}
_INPUTS = ("future", "past", "static", "calendar")


@click.command()
@shared.files
@shared.columns
@shared.rows
@shared.written
@click.option("--png", is_flag=True, help=f"Write {PICTURE}: a dozen series, one picture each.")
@shared.output
@shared.force
@shared.said
@click.pass_context
def look(ctx, files, png, output, force, quiet, as_json, **reading):
    """Say what is in FILE, with a small picture of each series.

    Which columns there are and what they hold, from when to when and how often, gaps and repeated
    stamps, seasons that the values show, single values that stand out; and the command that
    forecasts it, or what is in its way. Nothing is written, but with --png (or --output).

    \b
    Examples:
      statewise look
      statewise look --png --output pictures
    """
    # What takes long to load isn't loaded: a look is quick.
    from statewise.cli.data import table_of
    from statewise.cli.look_lines import look_as_json, print_look
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError
    from statewise.sequences.columns import NUMBERED
    from statewise.sequences.layout import check_columns
    from statewise.sequences.look import look_at

    png = png or ctx.get_parameter_source("output") is click.core.ParameterSource.COMMANDLINE
    printer = Printer(quiet=quiet, for_json=as_json)
    with refusals(DataError, ValueError), as_notes(printer):
        table, asked, given = table_of(files, **reading)
        time = (asked.time,) if isinstance(asked.time, str) else asked.time or ()
        named = [*asked.key, *time, *([asked.target] if asked.target else [])]
        # A wrong option is no obstacle of the table's.
        check_columns(table, [name for name in named if name != NUMBERED])
        found = look_at(table, asked, **given)
        command = forecast_command(found, files, reading)
        print_look(found, command, printer)
        written = [str(_write(found, output, printer, force=force))] if png else []
        printer.object(look_as_json(found, command, written))


def forecast_command(look: "Look", files: Sequence[Path], reading: dict[str, Any]) -> str:
    """Return the command that forecasts what was looked at; "" where nothing can.

    Args:
        look: what was found.
        files: as they were given.
        reading: the options that were given.
    """
    layout = look.layout
    if look.data is None or layout is None:
        return ""
    there = [str(name) for name in look.table.frame.columns]
    said: dict[str, Any] = {
        **reading,
        **{key.replace("-", "_"): v for key, v in look.offers.items()},
    }
    # Of a table that was turned round the columns have other names; they are found again.
    if said["time"] is None:
        said["time"] = (
            _together(look.time) if look.time else "none" if layout.time is None else None
        )
    if not said["key"] and layout.key is not None:
        keys = [str(name) for name in layout.key_columns or (layout.key,)]
        said["key"] = (_together(keys),) if set(keys) <= set(there) else ()
    if layout.wide:
        said["wide"] = True
    elif str(layout.targets[0]) in there:
        said["target"] = str(layout.targets[0])
    words = ["statewise", "forecast", *map(str, files)]
    for name in shared.READING:
        value = said[name]
        option = f"--{name.replace('_', '-')}"
        if name == "dayfirst":
            words += [] if value is None else ["--dayfirst" if value else "--monthfirst"]
        elif name in _FLAGS:
            words += [_FLAGS[name]] if value else []
        else:
            values = value if isinstance(value, (tuple, list)) else [value]
            words += [word for one in values if one is not None for word in (option, str(one))]
    return shlex.join(words)


def _together(names: Sequence[str]) -> str | None:
    """Return several names as one option takes them; None where a comma is in one."""
    return ",".join(names) if len(names) == 1 or not any("," in name for name in names) else None


def _write(look: "Look", folder: Path, printer: "Printer", *, force: bool) -> Path:
    from statewise.cli.files import any_letters, write_picture
    from statewise.cli.places import check_places
    from statewise.cli.refusal import Refusal
    from statewise.pictures.series_grid import SmallPicture, draw_series_grid

    if not look.series:
        raise Refusal(f"{look.table.name} has no series to draw: {look.obstacles[-1]}")
    path = folder / PICTURE
    check_places([path], "--output", force=force)
    pictures = [
        SmallPicture(one.name, one.time, one.values, one.outliers.tolist()) for one in look.series
    ]
    with any_letters(printer):
        write_picture(draw_series_grid(pictures, Path(look.table.name).name), path)
    printer.line("Written", str(path))
    return path
