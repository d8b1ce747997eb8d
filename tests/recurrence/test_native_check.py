"""The kernels' own check (check.cpp), which the sanitizers and machines without Python run."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/statewise/recurrence/native/src"
needs_source = pytest.mark.skipif(not SOURCE.exists(), reason="no source checkout")


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} isn't installed")


@needs_source
@needs("c++")
def test_it_is_written_for_the_kernels_as_they_are():
    given = ["c++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE}"]
    run = subprocess.run([*given, SOURCE / "check.cpp"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
@needs_source
@needs("c++")
@needs("cmake")
def test_it_finds_all_instruction_sets_equal(tmp_path):
    def cmake(*arguments):
        subprocess.run(["cmake", *arguments], check=True, capture_output=True)

    cmake("-S", ROOT, "-B", tmp_path, "-DSTATEWISE_CHECK=ON")
    cmake("--build", tmp_path, "--parallel", "2")
    run = subprocess.run([tmp_path / "statewise_check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert "kernels: equal, callers at once: equal, live step: equal" in run.stdout
