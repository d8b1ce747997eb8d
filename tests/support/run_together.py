"""Scripts that several processes run together, each a process of its own, through the launcher."""

import subprocess
import sys
import textwrap
from pathlib import Path

from several_devices import BEGIN, environment

JOIN = """
from statewise.distributed import join
run = join()
"""


def together(
    folder: Path, processes: int, code: str, *options: str, begin: str = JOIN
) -> subprocess.CompletedProcess:
    """Run code in several processes, after `join` and `BEGIN`; return what became of the launcher.

    In one process it's run without the launcher. The code finds the folder as ``FOLDER``.
    """
    script = folder / "script.py"
    where = f"FOLDER = {str(folder)!r}\n"
    script.write_text(begin + BEGIN + where + textwrap.dedent(code), encoding="utf-8")
    launcher = ["-m", "statewise.distributed", "--processes", str(processes), *options]
    return subprocess.run(
        [sys.executable, *(launcher if processes > 1 else ()), str(script)],
        env=environment(1),
        capture_output=True,
        text=True,
        timeout=500,
    )
