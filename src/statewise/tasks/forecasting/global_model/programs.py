"""What the compiled programs of a global network share: their options, and the memory they take."""

import os
from typing import Any

# Without XLA's newer way to emit fused loops these programs compile in half the time, and run a
# fifth faster.
COMPILED = {"xla_cpu_use_fusion_emitters": False}
# Two networks at least train side by side (see `training_runs`), and share the processors.
THREADS = max(1, (os.cpu_count() or 1) // 2)
_SHAPES = 24  # of panels and their windows, that a program is kept compiled for


def forget_some(program: Any) -> None:
    """Forget what a program was compiled for, once that's many panels: it holds memory."""
    if program._cache_size() > _SHAPES:
        program.clear_cache()
