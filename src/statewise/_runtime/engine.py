"""The choice of Keras's engine: JAX, or a clear word about why it can't be."""

import os
import sys


def choose_engine() -> None:
    """Make JAX the engine of Keras unless another one was chosen before.

    Keras reads its engine once, when it is first imported; after that it can't be changed.

    Raises:
        ImportError: where Keras is already loaded with another engine, or the environment
            asks for another one.
    """
    keras = sys.modules.get("keras")
    config = getattr(keras, "config", None)
    if config is not None:
        engine = config.backend()
        if engine != "jax":
            raise ImportError(
                f"statewise computes with JAX, but Keras is already loaded with {engine!r}. "
                "Import statewise before keras, or keras from it (from statewise import keras), or "
                "set the environment variable KERAS_BACKEND=jax, and start Python again."
            )
        return
    engine = os.environ.get("KERAS_BACKEND") or "jax"
    if engine != "jax":
        raise ImportError(
            f"statewise computes with JAX, but the environment says KERAS_BACKEND={engine!r}. "
            "Set KERAS_BACKEND=jax, or remove it, and start Python again."
        )
    os.environ["KERAS_BACKEND"] = engine
    if keras is None:
        _forget_failed_import()


def _forget_failed_import() -> None:
    """Let Keras be imported from its beginning.

    Imported first, where TensorFlow isn't installed, Keras fails: TensorFlow is what it takes if
    nobody chooses. In a notebook the next import would go on with the modules that it had got to,
    and with the engine that they have chosen.
    """
    for name in [name for name in sys.modules if name.startswith("keras.")]:
        del sys.modules[name]
