"""The jobs on statewise, and on stock Keras with one of its backends."""

import os
import time

# The sides, and the backend of Keras that each computes with.
BACKENDS = {
    "statewise": "jax",
    "Keras on JAX": "jax",
    "Keras on TensorFlow": "tensorflow",
    "Keras on PyTorch": "torch",
}
_TRACE = "/jax/core/compile/jaxpr_trace_duration", "/jax/core/compile/jaxpr_to_mlir_module_duration"
_COMPILE = ("/jax/core/compile/backend_compile_duration",)


class Side:
    """A job's model, built and compiled on one side.

    Args:
        side: its name.
        job: the job.
    """

    def __init__(self, side: str, job):
        os.environ["KERAS_BACKEND"] = BACKENDS[side]
        begun = time.perf_counter()
        if side == "statewise":
            import statewise as library
        else:
            import keras as library
        import keras

        _ = library.layers, library.Sequential  # statewise loads them when they are asked for
        self.import_seconds = time.perf_counter() - begun
        self._durations: dict[str, float] = {}
        if BACKENDS[side] == "jax":
            import jax

            jax.monitoring.register_event_duration_secs_listener(self._note)
        self._job, self._side, self._library, self._keras = job, side, library, keras
        keras.utils.set_random_seed(0)
        self.model = self._built(library, job)
        loss = "sparse_categorical_crossentropy" if job.words else "mse"
        self.model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.001))
        self.model.set_weights(job.weights())

    @staticmethod
    def _built(library, job):
        kinds, batch = library.layers, job.batch if job.stateful else None
        shape = (batch, job.steps) if job.words else (batch, job.steps, job.features)
        stack = [kinds.Input(batch_shape=shape, dtype="int32" if job.words else None)]
        sequences = True
        for layer in job.layers:
            if layer.kind == "Embedding":
                stack.append(kinds.Embedding(job.features, layer.units))
            elif layer.kind == "Repeat":
                stack.append(kinds.RepeatVector(layer.units))
                sequences = True
            elif layer.kind == "Dense":
                dense = kinds.Dense(layer.units)
                stack.append(kinds.TimeDistributed(dense) if sequences else dense)
            else:
                options = {"return_sequences": layer.sequences, "stateful": job.stateful}
                stack.append(getattr(kinds, layer.kind)(layer.units, **options))
                sequences = layer.sequences
        if job.words:  # as the page has it
            stack.append(kinds.TimeDistributed(kinds.Activation("softmax")))
        return library.Sequential(stack)

    def trace_and_compile(self) -> tuple[float, float] | None:
        """Return the seconds spent so far with tracing and with compiling, where JAX tells."""
        if BACKENDS[self._side] != "jax":
            return None
        return tuple(
            sum(self._durations.get(name, 0.0) for name in names) for names in (_TRACE, _COMPILE)
        )

    def epoch(self, x, y) -> float:
        """Train for an epoch, as the page does it, and return its loss."""
        history = self.model.fit(x, y, batch_size=self._job.batch, verbose=0, shuffle=False)
        if self._job.stateful:
            for layer in self.model.layers:
                if getattr(layer, "stateful", False):
                    layer.reset_state()
        return history.history["loss"][-1]

    def weights(self) -> list:
        """Return the weights in Keras's order."""
        return self.model.get_weights()

    def ways_to_predict(self, x) -> dict:
        """Return the ways to compute the outputs for a batch, each a function."""
        if self._job.letter == "h":
            return self._live(x)

        def one_batch():
            return self._numpy(self.model.predict_on_batch(x))

        return {
            "predict": lambda: self.model.predict(x, batch_size=self._job.batch, verbose=0),
            "predict_on_batch": one_batch,
        }

    def _live(self, x):
        ways = {
            "predict_on_batch": lambda: self._numpy(self.model.predict_on_batch(x)),
            "predict": lambda: self.model.predict(x, verbose=0),
        }
        if self._side == "statewise":
            from statewise.streams import Streams

            streams, step = Streams(self.model), x[0, 0]
            streams.join(0)
            stream = streams[0]
            ways["Stream.push"] = lambda: stream.push(step)
        else:
            ways["the model, called"] = lambda: self._numpy(self.model(x))
        return ways

    def _numpy(self, array):
        return self._keras.ops.convert_to_numpy(array)

    def _note(self, event, seconds, **_):
        self._durations[event] = self._durations.get(event, 0.0) + seconds
