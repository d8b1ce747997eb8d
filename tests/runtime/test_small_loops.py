"""Small loops in one piece: XLA is told before it starts, and what the user chose stays."""

import os
import subprocess
import sys

import pytest

from statewise._runtime.small_loops import LIMIT

LOOP = """
import jax, jax.numpy as jnp
{between}
import statewise
step = lambda i, c: jnp.tanh(c) + c.sum()
program = jax.jit(lambda c: jax.lax.fori_loop(0, 9, step, c)).lower(jnp.ones((16, 16))).compile()
print("whole" if "xla_cpu_small_call" in program.as_text() else "apart")
statewise.show_config()
"""


def run(between="", **environment):
    """Return what a process of its own prints: "whole" or "apart", and the configuration."""
    kept = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    code = LOOP.format(between=between)
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    compiled, _, config = done.stdout.partition("\n")
    return compiled, config


@pytest.mark.slow
@pytest.mark.parametrize("flags", ["", "--xla_cpu_enable_fast_math=false"])
def test_a_small_loop_is_one_piece(flags):
    compiled, config = run(XLA_FLAGS=flags)
    assert compiled == "whole"
    assert "small loops compiled in one piece, up to 384 KiB a turn" in config


@pytest.mark.slow
def test_a_child_goes_on_with_what_its_parent_set():
    flags = f"--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold={LIMIT}"
    for between in ("", "jnp.ones(3) + 1"):
        compiled, config = run(between, XLA_FLAGS=flags)
        assert compiled == "whole"
        assert "small loops compiled in one piece" in config


@pytest.mark.slow
def test_what_the_user_chose_stays():
    flags = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=10"
    compiled, config = run(XLA_FLAGS=flags)
    assert compiled == "apart"
    assert "because XLA_FLAGS sets xla_cpu_small_while_loop_byte_threshold" in config


@pytest.mark.slow
def test_it_is_told_where_it_comes_too_late():
    compiled, config = run(between="jnp.ones(3) + 1")
    assert compiled == "apart"
    assert "because JAX had started before statewise was imported" in config
