"""Quick compilation, for functions that a test runs once."""

from functools import partial

import jax

# A quarter of the compile time; what is computed stays the same.
quick_jit = partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_cpu_parallel_codegen_split_count": 1,
        "xla_cpu_use_fusion_emitters": False,
        "xla_llvm_disable_expensive_passes": True,
    },
)
