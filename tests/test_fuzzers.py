"""Short runs of the scripts that draw odd tables, files and commands."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("fuzz_files", 300), ("fuzz_commands", 80)])
def test_nothing_is_found(name, count):
    command = [sys.executable, SCRIPTS / f"{name}.py", "--count", str(count), "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert f"{count} " in done.stdout
    assert " 0 findings" in done.stdout
