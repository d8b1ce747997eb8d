"""What the tests of checkpoints share: JAX keeps what it compiles for them."""

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache


@pytest.fixture(scope="package", autouse=True)
def _kept_programs(tmp_path_factory):
    """Let JAX keep what it compiles: each model is trained several times."""
    wanted = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("programs")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}
    for options in (wanted, before):
        for name, value in options.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()
        if options is wanted:
            yield
