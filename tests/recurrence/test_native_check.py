"""The kernels' own check (check.cpp), which the sanitizers and machines without Python run."""

import re
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


def built(folder, *options):
    """Build the check; return a function that runs it and gives what it prints."""

    def cmake(*arguments):
        run = subprocess.run(["cmake", *arguments], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr

    def check(*arguments):
        run = subprocess.run(
            [folder / "statewise_check", *arguments], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    cmake("-S", ROOT, "-B", folder, "-DSTATEWISE_CHECK=ON", *options)
    cmake("--build", folder, "--parallel", "2")
    return check


@pytest.mark.slow
@needs_source
@needs("c++")
@needs("cmake")
def test_it_finds_all_instruction_sets_equal(tmp_path):
    check = built(tmp_path)
    expected = (
        "kernels: equal, callers at once: equal, live step: equal, children of forks: compute"
    )
    assert expected in check()
    assert "drawn shapes: equal" in check("drawn", "600", "10000")


@pytest.mark.slow
@needs_source
@needs("c++")
@needs("cmake")
def test_the_kernels_of_processors_that_are_not_here(tmp_path):
    # Slower, and the same in what they share out, keep and multiply.
    check = built(tmp_path, "-DSTATEWISE_EMULATE=ON")
    found = check("drawn", "120", "1")
    assert found.startswith("instruction sets: amx avx512bf16 avx512 portable;")
    assert "drawn shapes: equal" in found
    # Calls in bfloat16 that were multiplied as that, each within its own tolerance.
    assert int(re.search(r"rounded to bfloat16: (\d+)", found)[1]) > 50
