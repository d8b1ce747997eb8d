"""Where a command's work is done, if not in this process."""

from typing import TYPE_CHECKING

from statewise.cli.refusal import refusals
from statewise.distributed import Ray

if TYPE_CHECKING:
    from statewise.cli.printer import Printer
    from statewise.distributed import Executor


def executor_at(address: str, printer: "Printer") -> "Executor":
    """Return the executor of a Ray cluster.

    Args:
        address: of the cluster, as it was typed.
        printer: where to say what was found.

    Raises:
        Refusal: where there is no cluster, no such address, or no Ray; it takes 10 seconds at most.
    """
    with (
        refusals(ConnectionError, ImportError, ValueError),
        printer.busy("Looking for the cluster"),
    ):
        executor = Ray(address)
    printer.line("Ray", f"{executor.workers} workers at {address}.")
    return executor
