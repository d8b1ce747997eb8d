"""Write tests/interop/fixtures: files of Keras 2, and of Keras 1's form, with what they compute.

    python -m venv old && old/bin/pip install tf_keras tensorflow-cpu
    old/bin/python scripts/write_keras_fixtures.py

With ``archives`` after it, it writes keras2_archives.zip alone: archives (``.keras``) of Keras 2,
of the same models (their outputs stand in keras2.zip), of others in the midst of a training, and
``after`` it.

Each ``.zip`` has of every model of ``tests/support/interop_models.py`` that the format can hold a
file, and an ``.npz`` with the outputs that Keras 2 computed for it. Keras 1 runs nowhere today;
its files are written here in the form that its source documents (see ``keras1_form.py``), with the
weights of a Keras 2 model of the same equations, whose outputs stand beside. Keras 2, which still
read the weights of Keras 1, has to read these.
"""

import io
import json
import os
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
FOLDER = ROOT / "tests" / "interop" / "fixtures"


def main() -> None:
    """Write the fixtures."""
    import tf_keras

    import interop_models as models
    import keras1_form

    warnings.simplefilter("ignore")
    with Fixtures("keras2_archives") as archives:
        write_archives(archives)
        for name, case in models.CASES.items():
            tf_keras.backend.clear_session()
            model = case.make(tf_keras)
            models.randomise(model, name)
            archives.add_as(name, ".keras", model.save, [])
    if sys.argv[1:] == ["archives"]:
        return
    with Fixtures("keras2") as two, Fixtures("keras1") as one:
        for name, case in models.CASES.items():
            tf_keras.backend.clear_session()
            model = case.make(tf_keras)
            models.randomise(model, name)
            outputs = models.outputs(model, name)
            two.add(name, model.save, outputs)
            try:
                written = keras1_form.of(json.loads(model.to_json()), model)
            except keras1_form.NotThereError:
                continue
            one.add(name, written.save, outputs)
            check_by_keras2(written, model)
    with Fixtures("keras2_more") as more:
        write_more(more)


def check_by_keras2(written, model) -> None:
    """Let Keras 2 read weights of Keras 1's form, and hold them to those they were made of."""
    import h5py
    import numpy as np
    from tf_keras.src.saving.legacy import hdf5_format

    expected = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in expected])
    with tempfile.TemporaryDirectory() as folder:
        written.save(f"{folder}/model.h5")
        with h5py.File(f"{folder}/model.h5", "r+") as file:
            # Keras 2 turns the weights of files without a version, as Keras 1's first ones were;
            # 1.2.2 it takes for its own.
            del file["model_weights"].attrs["keras_version"]
            hdf5_format.load_weights_from_hdf5_group(file["model_weights"], model)
    for got, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def write_more(more) -> None:
    """Write what else files have: CuDNN's layers, optimizers, other forms, time-major layers."""
    import numpy as np
    import tf_keras
    from tf_keras.src.layers.rnn import cudnn_gru, cudnn_lstm

    import interop_models as models
    import keras1_form

    L, rng = tf_keras.layers, np.random.default_rng(5)
    x, y = rng.normal(size=(4, 6, 3)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")

    def model_of(*layers, **options):
        tf_keras.backend.clear_session()
        model = tf_keras.Sequential([L.Input(shape=(6, 3), **options), *layers])
        models.randomise(model, "more")
        return model

    # Only a GPU runs CuDNN's layers; Keras 2 itself puts their weights into those of a CPU.
    cudnn = {"LSTM": cudnn_lstm.CuDNNLSTM, "GRU": cudnn_gru.CuDNNGRU}
    for kind, layer in cudnn.items():
        for both in (False, True):
            wrap = L.Bidirectional if both else (lambda layer: layer)
            fast = model_of(wrap(layer(5)), L.Dense(2))
            slow = model_of(wrap(getattr(L, kind)(5)), L.Dense(2))
            with tempfile.TemporaryDirectory() as folder:
                fast.save(f"{folder}/fast.h5")
                slow.load_weights(f"{folder}/fast.h5")
            name = f"CuDNN{kind}{', both ways' if both else ''}"
            more.add(name, fast.save, [x, slow(x).numpy()])
    for name, optimizer in {
        "Adam": tf_keras.optimizers.Adam(0.01, amsgrad=True),
        "Adam of before": tf_keras.optimizers.legacy.Adam(0.01, decay=0.05),
        "RMSprop": tf_keras.optimizers.RMSprop(0.01, momentum=0.3, centered=True),
        "RMSprop of before": tf_keras.optimizers.legacy.RMSprop(0.01, momentum=0.3),
        "SGD": tf_keras.optimizers.SGD(0.05, momentum=0.7),
        "SGD of before": tf_keras.optimizers.legacy.SGD(0.05, momentum=0.7, nesterov=True),
    }.items():
        model = model_of(L.Bidirectional(L.GRU(4)), L.Dense(2))
        model.compile(optimizer, tf_keras.losses.Huber(), metrics=["mae", "accuracy"])
        for _ in range(3):
            model.train_on_batch(x, y)
        save = _snapshot(model)
        for _ in range(2):
            model.train_on_batch(x, y)
        more.add(f"trained with {name}", save, [x, y, *model.get_weights()])
    model = model_of(L.LSTM(5, return_sequences=True), L.Dense(2))
    more.add("json", model.save_weights, [x, model(x).numpy()])
    more.write("json.json", model.to_json().encode())
    more.add_as("archive", ".keras", model.save, [x, model(x).numpy()])
    tf_keras.backend.clear_session()
    stack = [L.LSTM(5, return_sequences=True, time_major=True), L.GRU(2, time_major=True)]
    model = tf_keras.Sequential([L.Input(batch_shape=(6, 4, 3)), *stack])
    models.randomise(model, "time-major")
    more.add("time-major", model.save, [x, model(x.swapaxes(0, 1)).numpy()])
    options = {"recurrent_activation": "hard_sigmoid"}
    model = model_of(
        L.LSTM(5, return_sequences=True, **options), L.GRU(4, reset_after=False, **options)
    )
    written = keras1_form.of(json.loads(model.to_json()), model, gpu=True)
    more.add("keras1, gpu", written.save, [x, model(x).numpy()])
    written = keras1_form.of(json.loads(model.to_json()), model)
    more.add("keras1, json", written.save_weights, [x, model(x).numpy()])
    more.write(
        "keras1, json.json", json.dumps(written.config | {"keras_version": "1.2.2"}).encode()
    )


def write_archives(archives) -> None:
    """Write archives of a graph whose variables have the same shapes, trained by each optimizer."""
    import numpy as np
    import tf_keras
    from tf_keras.src.layers.rnn import cudnn_lstm

    import interop_models as models

    L, kinds, rng = tf_keras.layers, tf_keras.optimizers, np.random.default_rng(8)
    x, y = (
        rng.normal(size=(2, 4, 5, 3)).astype("float32"),
        rng.normal(size=(4, 3)).astype("float32"),
    )

    def graph():
        tf_keras.backend.clear_session()
        first, second = (L.Input((5, 3), name=name) for name in ("zulu", "alpha"))
        shared = L.GRU(3, name="shared")
        within = tf_keras.Sequential(
            [
                L.Input((3,)),
                L.Dense(3, use_bias=False, name="m"),
                L.BatchNormalization(),
                L.Dense(3, name="b"),
            ],
            name="within",
        )
        frozen = L.Dense(3, trainable=False, name="frozen")
        both = L.Bidirectional(L.LSTM(3), merge_mode="sum", name="both")
        parts = [frozen(shared(second)), within(shared(first)), both(second), L.LSTM(3)(first)]
        model = tf_keras.Model([first, second], L.Dense(3, name="a")(L.Add()(parts)))
        models.randomise(model, "graph")
        return model

    model = graph()
    archives.write("weights.json", model.to_json().encode())
    archives.add_as("weights", ".weights.h5", model.save_weights, [*x, model([*x]).numpy()])
    cudnn = tf_keras.Sequential([L.Input((5, 3)), cudnn_lstm.CuDNNLSTM(2)])
    archives.add_as("CuDNNLSTM", ".keras", cudnn.save, [])
    optimizers = {
        "Adam": lambda: kinds.Adam(kinds.schedules.ExponentialDecay(0.02, 2, 0.7), amsgrad=True),
        "AdamW": lambda: kinds.AdamW(0.01, weight_decay=0.02, use_ema=True, ema_momentum=0.8),
        "RMSprop": lambda: kinds.RMSprop(0.01, momentum=0.3, centered=True),
        "SGD": lambda: kinds.SGD(0.05),
        "SGD with momentum": lambda: kinds.SGD(0.05, momentum=0.7, nesterov=True),
        "Lion": lambda: kinds.Lion(0.01),
        "Adagrad": lambda: kinds.Adagrad(0.05),
        "Adadelta": lambda: kinds.Adadelta(0.5),
        "Adamax": lambda: kinds.Adamax(0.02),
        "Ftrl": lambda: kinds.Ftrl(0.05, l2_regularization_strength=0.01, beta=0.3),
        "Nadam": lambda: kinds.Nadam(0.01),
        "Adam of before": lambda: kinds.legacy.Adam(0.01),
    }
    for name, optimizer in optimizers.items():
        model = graph()
        model.compile(optimizer(), "mse")
        if name == "Adam":
            archives.add_as("untrained", ".keras", model.save, [*x, y])
        for _ in range(3):
            model.train_on_batch([*x], y)
        archives.add_as(name, ".keras", model.save, [*x, y])
        for _ in range(2):
            model.train_on_batch([*x], y)
        archives.add_as(f"{name}, after", ".keras", model.save, [])

    for name, optimizer in {
        "Lion": kinds.Lion(0.01),
        "Adagrad": kinds.Adagrad(0.05),
        "Adagrad of before": kinds.legacy.Adagrad(0.05),
        "Adadelta": kinds.Adadelta(0.5),
        "Adadelta of before": kinds.legacy.Adadelta(0.5),
        "Adamax": kinds.Adamax(0.02),
        "Adamax of before": kinds.legacy.Adamax(0.02),
        "Ftrl": kinds.Ftrl(0.05, beta=0.3),
        "Ftrl of before": kinds.legacy.Ftrl(0.05),
    }.items():
        tf_keras.backend.clear_session()
        model = tf_keras.Sequential([L.Input((5, 3)), L.GRU(3), L.Dense(3)])
        models.randomise(model, "small")
        model.compile(optimizer, "mse")
        for _ in range(3):
            model.train_on_batch(x[0], y)
        archives.add_as(f"small {name}", ".h5", model.save, [x[0], y])
        for _ in range(2):
            model.train_on_batch(x[0], y)
        archives.add_as(f"small {name}, after", ".keras", model.save, [])


def _snapshot(model):
    """Return what writes a model's file as the model is now."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.h5")
        content = Path(folder, "model.h5").read_bytes()
    return lambda path: Path(path).write_bytes(content)


class Fixtures:
    """A zip of files of models, each with the outputs beside it."""

    def __init__(self, name: str):
        self.archive = zipfile.ZipFile(FOLDER / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, True, 9)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.archive.close()

    def add(self, name: str, save, outputs) -> None:
        """Add a model's ``.h5`` and what it puts out."""
        self.add_as(name, ".h5", save, outputs)

    def add_as(self, name: str, ending: str, save, outputs) -> None:
        """Add a model's file and what it puts out."""
        import numpy as np

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{ending}"
            save(str(path))
            self.write(f"{name}{ending}", path.read_bytes())
        packed = io.BytesIO()
        np.savez(packed, *outputs)
        if outputs:
            self.write(f"{name}.npz", packed.getvalue())

    def write(self, name: str, content: bytes) -> None:
        """Add a file."""
        info = zipfile.ZipInfo(name, (2017, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        self.archive.writestr(info, content)


if __name__ == "__main__":
    main()
