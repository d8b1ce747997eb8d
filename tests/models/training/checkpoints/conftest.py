"""What the tests of checkpoints share: JAX keeps what it compiles for them."""

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache


@pytest.fixture(scope="session")
def _programs(tmp_path_factory):
    return str(tmp_path_factory.mktemp("programs"))


# By module: a package's end is that of the session where folders aren't packages.
@pytest.fixture(scope="module", autouse=True)
def _kept_programs(_programs):
    """Let JAX keep what it compiles: each model is trained several times."""
    wanted = {
        "jax_compilation_cache_dir": _programs,
        "jax_compilation_cache_max_size": -1,
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
