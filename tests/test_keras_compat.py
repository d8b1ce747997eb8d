"""What is relied on of Keras's insides, name by name: a Keras that changes it fails here."""

import ast
import io
import json
import re
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.sparse

from statewise import _keras_compat as compat
from statewise import layers, models
from statewise._runtime import registry

SOURCE = Path(compat.__file__).parent
KERAS = Path(keras.__file__).parent / "src"
PRIVATE = re.compile(r"(?:\.|\bdef )(_[a-z]\w*)")
# Attributes of ours that Keras has by the same name, on something else: module, text.
OF_OURS = {("models/state.py", "state._layers")}


def stack() -> keras.Sequential:
    """Return a model of Keras's own, with a dense layer inside another model."""
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), inner])


def compiled(**options) -> keras.Sequential:
    """Return a compiled model of Keras's own, on one feature."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    model.compile(**{"loss": "mse", "optimizer": "sgd"} | options)
    return model


def batches(count=1):
    """Yield batches as Keras's reader does."""
    for i in range(count):
        yield i, i, iter([(np.ones((2, 1), "float32"), np.ones((2, 2), "float32"))])


# ---- nothing else leans on them ------------------------------------------------------------------


def is_own(node: ast.expr) -> bool:
    """Whether an expression is the object itself, ``self``, ``cls`` or ``super()``."""
    call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id
    return call == "super" or (isinstance(node, ast.Name) and node.id in ("self", "cls"))


def names_set(tree: ast.AST) -> set[str]:
    """Return the names that a module defines or sets, attributes included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and is_own(node.value)
        ):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def leanings(tree: ast.AST, private: set[str], ours: set[str]) -> list[tuple[int, str]]:
    """Return where a module uses what Keras doesn't promise: lines, and what stands there.

    Args:
        tree: of the module.
        private: the names with an underscore that Keras has.
        ours: the names that this package defines, which an object of ours may have as its own.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found += [(node.lineno, name) for name in names if name.startswith("keras.src")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src"):
            found.append((node.lineno, node.module))
        elif isinstance(node, ast.Attribute) and node.attr in private:
            if not (is_own(node.value) and node.attr in ours):
                found.append((node.lineno, ast.unparse(node)))
        elif isinstance(text := getattr(node, "value", None), str) and (
            "keras.src" in text or text in private - ours
        ):
            found.append((node.lineno, text))
    return found


@pytest.fixture(scope="module")
def private():
    """The names with an underscore in Keras's sources."""
    files = (p for p in KERAS.rglob("*.py") if not p.name.endswith("_test.py"))
    found = {name for p in files for name in PRIVATE.findall(p.read_text("utf-8"))}
    return found - {"_asdict", "_fields", "_make", "_replace"}  # Python's, of named tuples


def test_nothing_else_leans_on_keras(private):
    assert {"_flatten_layers", "_keras_history", "_functional", "_direct_assign"} <= private
    paths = sorted(set(SOURCE.rglob("*.py")) - {Path(compat.__file__), Path(registry.__file__)})
    trees = {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths
    }
    ours = set().union(*map(names_set, trees.values()))
    found = {
        (name, text) for name, tree in trees.items() for _, text in leanings(tree, private, ours)
    }
    assert found == OF_OURS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from keras.src.backend import x", "keras.src.backend"),
        ("import keras.src.utils", "keras.src.utils"),
        ("layer._flatten_layers()", "layer._flatten_layers"),
        ("self.model._value", "self.model._value"),
        ("self._flatten_layers()", "self._flatten_layers"),
        ("super()._flatten_layers()", "super()._flatten_layers"),
        ("getattr(model, '_functional', None)", "_functional"),
        ("sys.modules['keras.src.models']", "keras.src.models"),
        ("self._ours()", None),
        ("other._ours()", None),
        ("model.layers", None),
    ],
)
def test_the_test_itself_finds_them(text, found):
    names = {"_flatten_layers", "_value", "_functional"}
    assert [t for _, t in leanings(ast.parse(text), names, {"_ours"})] == ([found] if found else [])


def test_the_registry_names_keras_once():
    assert Path(registry.__file__).read_text("utf-8").count("keras.src") == 1
    assert registry._REGISTRY in sys.modules
    known = sys.modules[registry._REGISTRY].GLOBAL_CUSTOM_OBJECTS
    assert known["statewise>LSTM"] is layers.LSTM


def test_methods_that_keras_calls_are_listed():
    """A method of ours with an underscore that Keras has too is called by Keras."""
    found, waiting = set(), [keras.Layer, keras.Model, keras.callbacks.Callback, keras.Loss]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        line = kind.__mro__
        of_keras = {n for k in line if k.__module__.startswith("keras.") for n in vars(k)}
        for own in (k for k in line if k.__module__.startswith("statewise.")):
            found |= {
                n for n in vars(own) if n.startswith("_") and not n.startswith("__")
            } & of_keras
    found -= {"_abc_impl"}
    listed = {name for name in compat.OVERRIDDEN if name.startswith("_")}
    assert found == {name for name in listed if hasattr(compat.OVERRIDDEN[name], name)}


def test_methods_that_are_listed_are_keras_s():
    newer = {"_can_attempt_fused_lstm", "_can_attempt_fused_gru"}
    for name, kind in compat.OVERRIDDEN.items():
        assert hasattr(kind, name) or name in newer, name
    ours = (models.Model, layers.LSTM, layers.Bidirectional)
    for name in set(compat.OVERRIDDEN) - {"_configure_async_dispatch"}:
        assert any(
            name in vars(k)
            for one in ours
            for k in one.__mro__
            if k.__module__.startswith("statewise")
        ), name


def test_every_name_has_a_test():
    behind = {  # others, whose tests are theirs
        *("ArrayDataAdapter", "BaseOptimizer", "GLOBAL_CUSTOM_NAMES"),
        *("GeneratorDataAdapter", "JAXTrainer", "MonitorCallback", "PyDatasetAdapter"),
        *("GLOBAL_SEED_GENERATOR", "get_global_attribute", "global_seed_generator"),
    }
    public = {
        name
        for name, value in vars(compat).items()
        if not name.startswith("_")
        and (getattr(value, "__module__", None) or "keras").split(".")[0] in ("keras", "statewise")
        and not isinstance(value, type(sys))
    } - behind
    tree = ast.parse(Path(__file__).read_text("utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "compat"
    }
    assert public - used == set()


# ---- layers and models ---------------------------------------------------------------------------


def test_all_layers():
    model = stack()
    first, inner = model.layers
    assert compat.all_layers(model)[0] is model
    assert set(compat.all_layers(model)) >= {model, first, inner, *inner.layers}
    beside = compat.all_layers(model, include_self=False, recursive=False)
    assert model not in beside
    assert inner.layers[0] not in beside
    assert inner in beside
    classes, waiting = set(), [keras.Layer]
    while waiting:
        waiting += (kind := waiting.pop()).__subclasses__()
        classes.add(kind)
    assert {k for k in classes if "_flatten_layers" in vars(k)} == {keras.Layer}


def test_structure_of():
    model = stack()
    before = compat.structure_of(model)
    assert compat.structure_of(model) == before
    model.layers[0].trainable = False
    assert compat.structure_of(model) != before
    model.layers[0].trainable = True
    assert compat.structure_of(model) == before


def test_graph_of_and_its_holder():
    model = stack()
    assert compat.holder_of_graph(model) is model
    graph = compat.graph_of(model)
    assert graph is not None
    assert compat.graph_of(model) is graph
    model.add(keras.layers.Dense(1))
    assert compat.graph_of(model) is not graph
    inputs = keras.Input((3,))
    other = compat.holder_of_graph(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
    assert compat.graph_of(other) is None


def test_what_a_call_takes():
    takes = [
        (compat.takes_training(layer), compat.takes_mask(layer))
        for layer in (keras.layers.LSTM(2), keras.layers.Dropout(0.1), keras.layers.Flatten())
    ]
    assert takes == [(True, True), (True, False), (False, False)]
    assert compat.takes_training(keras.layers.LSTMCell(2))


def test_child_shape():
    layer = keras.layers.TimeDistributed(keras.layers.Dense(2))
    assert compat.child_shape(layer, (5, 4, 3)) == (5, 3)
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        compat.child_shape(layer, (5, 4))


def test_dropout_masks_are_drawn_once_a_call():
    layer = keras.layers.LSTM(2, dropout=0.5, recurrent_dropout=0.5)
    layer.build((4, 5, 3))
    x, state = np.ones((4, 3), "float32"), [np.ones((4, 2), "float32")] * 2
    assert isinstance(layer.cell, compat.DropoutRNNCell)
    compat.draw_dropout_masks(layer, layer.cell, x, state)
    inputs, outputs = layer.cell.get_dropout_mask(None), layer.cell.get_recurrent_dropout_mask(None)
    assert [mask.shape for mask in inputs] == [(4, 3)] * 4  # one for each gate
    assert [mask.shape for mask in outputs] == [(4, 2)] * 4
    assert all(a is b for a, b in zip(inputs, layer.cell.get_dropout_mask(None), strict=True))
    compat.forget_dropout_masks(layer, layer.cell)
    compat.draw_dropout_masks(layer, layer.cell, x[:1], [s[:1] for s in state])
    assert layer.cell.get_dropout_mask(None)[0].shape == (1, 3)


def test_build_shapes():
    layer = keras.layers.Dense(2)
    assert compat.build_shapes(layer) is None
    layer(np.ones((4, 3), "float32"))
    assert list(compat.build_shapes(layer).values()) == [(4, 3)]


def test_inputs_structure():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    assert set(compat.inputs_structure(model)) == {"a", "b"}

    class Own(keras.Model):
        pass

    assert compat.inputs_structure(Own()) is None


def test_own_variables():
    layer = keras.layers.Bidirectional(keras.layers.GRU(2, stateful=True))
    layer.build((1, 3, 2))
    assert compat.own_variables(layer) == []
    assert len(compat.own_variables(layer.forward_layer.cell)) == 4  # with its seed
    norm = keras.layers.BatchNormalization()
    norm.build((None, 2))
    assert [v.name for v in compat.own_variables(norm)][:2] == ["gamma", "beta"]
    assert len(compat.own_variables(norm)) == 4


def test_a_layer_takes_the_place_of_another():
    class Holder(keras.Layer):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(2)
            self.listed = [self.first, (keras.layers.Dense(3), {"a": keras.layers.Dense(4)})]

    holder, new = Holder(), [keras.layers.Dense(n) for n in (5, 6, 7)]
    olds = compat.all_layers(holder, include_self=False)
    for old, one in zip(olds, new, strict=True):
        compat.replace_layer(holder, old, one)
    assert compat.all_layers(holder, include_self=False) == new
    assert holder.first is holder.listed[0] is new[0]
    assert holder.listed[1][0] is new[1]
    assert holder.listed[1][1]["a"] is new[2]
    holder.again = new[0]  # known already
    assert compat.all_layers(holder, include_self=False) == new


def test_compile_settings():
    loss, metric = keras.losses.MeanSquaredError(), keras.metrics.MeanAbsoluteError()
    settings = compat.compile_settings(compiled(loss=loss, metrics=[metric]))
    assert settings["loss"] is loss
    assert settings["metrics"] == [metric]
    again = compiled()
    again.compile(**settings)
    assert again.compiled


def test_producer_and_call_of():
    inputs, state = keras.Input((None, 3)), keras.Input((2,))
    layer = keras.layers.GRU(2)
    plain, given = layer(inputs), layer(inputs, initial_state=state)
    assert compat.producer(plain) is layer
    call = compat.call_of(plain)
    assert isinstance(call, compat.Call)
    assert (call.layer is layer, call.inputs[0] is inputs, call.others) == (True, True, False)
    assert len(call.inputs) == 1
    assert compat.call_of(given).others


def test_run_graph():
    inputs, state = keras.Input((None, 3)), keras.Input((2,))
    layer = keras.layers.GRU(2, return_state=True)
    outputs = layer(inputs, initial_state=state)
    model = keras.Model([inputs, state], [keras.layers.Dense(1)(outputs[0]), outputs[1]])
    seen = []

    def visit(called, args, kwargs):
        seen.append((called, args, kwargs))
        return ["out", "h"] if called is layer else "dense"

    assert list(compat.run_graph(model, ["x", "begin"], visit)) == ["dense", "h"]
    (first, args, kwargs), (second, given, _) = seen
    assert first is layer
    assert (args, kwargs["initial_state"]) == (("x",), "begin")
    assert (type(second).__name__, given) == ("Dense", ("out",))


def test_inputs_of_calls():
    inputs, others = keras.Input((None, 3)), keras.Input((None, 3))
    layer = keras.layers.GRU(2)
    assert compat.inputs_of_calls(layer) == []
    layer(inputs)
    layer(others)
    (first,), (second,) = compat.inputs_of_calls(layer)
    assert first is inputs
    assert second is others


def test_is_empty():
    model = keras.Sequential()
    assert compat.is_empty(model)
    model.add(keras.Input((3,)))
    assert not compat.is_empty(model)


def test_a_noted_input_shape_is_taken_by_sequential():
    layer = keras.layers.Dense(2)
    assert compat.noted_input_shape(layer) is None
    compat.note_input_shape(layer, (3,))
    assert compat.noted_input_shape(layer) == (3,)
    model = keras.Sequential()
    model.add(layer)
    assert model.input_shape == (None, 3)


def test_save_as():
    class Mine(keras.layers.Dense):
        pass

    compat.save_as(Mine, "package>Other")
    try:
        assert keras.saving.get_registered_name(Mine) == "package>Other"
        assert keras.saving.get_registered_object("package>Other") is None
    finally:
        del sys.modules[registry._REGISTRY].GLOBAL_CUSTOM_NAMES[Mine]


def test_modules_that_files_name(tmp_path):
    inner = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2)])
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, keras.ops.abs(keras.layers.Dense(1)(inner(inputs)) + 1.0))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 3)), "mse")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        text = archive.read("config.json").decode()
    pairs = set(re.findall(r'"module": "([^"]+)", "class_name": "([^"]+)"', text))
    modules, kinds = zip(*pairs, strict=True)
    assert {"Functional", "Sequential", "LSTM", "Adam", "CosineDecay"} <= set(kinds)
    assert all(map(compat.is_module_of_files, modules))
    assert all(
        module in compat.MODULES_OF_MODELS
        for module, kind in pairs
        if kind in ("Functional", "Sequential")
    )
    assert not any(map(compat.is_module_of_files, ("keras.utils", "keras.saving", "os", "kerasx")))
    assert "keras.layers".startswith(compat.MODULES_OF_LAYERS)


def test_an_archive_in_memory_is_loaded_in_safe_mode():
    model, packed = compiled(), io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        packed.write(Path(folder, "model.keras").read_bytes())
    loaded = compat.load_archive(packed, {}, compile=True)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert type(loaded.optimizer) is keras.optimizers.SGD
    assert not compat.load_archive(packed, {}, compile=False).compiled
    with_code = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x + 1)])
    with tempfile.TemporaryDirectory() as folder:
        with_code.save(f"{folder}/model.keras")
        packed = io.BytesIO(Path(folder, "model.keras").read_bytes())
    with pytest.raises(ValueError, match="unsafe_deserialization"):
        compat.load_archive(packed, {}, compile=False)


@pytest.mark.parametrize("config", [None, {}, []])
def test_a_saved_stack_without_its_configuration_is_refused(tmp_path, config):
    path = tmp_path / "model.keras"
    stack().save(path)
    assert len(compat.load_saved(path).layers) == 2
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    kind = {k: json.loads(parts["config.json"])[k] for k in ("module", "class_name")}
    parts["config.json"] = json.dumps(kind | {"registered_name": None, "config": config})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises((TypeError, ValueError), match=r"(?i)config"):
        compat.load_saved(path)


def test_functional_models():
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1)(inputs)
    assert isinstance(keras.Model(inputs, outputs), compat.Functional)
    assert compat.functional_init_arguments((inputs, outputs), {})
    assert compat.functional_init_arguments((), {"inputs": inputs, "outputs": outputs})
    assert not compat.functional_init_arguments((), {})


def test_make_functional_changes_that_class_alone():
    class Own(models.Model):
        pass

    before = models.Model.__bases__
    compat.make_functional(Own, models.Model, models.Functional)
    assert issubclass(Own, models.Functional)
    assert models.Model.__bases__ == before


def test_compute_output_spec():
    spec = compat.compute_output_spec(stack(), keras.KerasTensor((5, 3)), training=False)
    assert spec.shape == (5, 2)


# ---- scopes, masks, variables --------------------------------------------------------------------


def test_masks_travel_on_arrays():
    x = keras.ops.ones((2, 3))
    assert compat.get_keras_mask(x) is None
    mask = keras.ops.ones((2, 3), bool)
    compat.set_keras_mask(x, mask)
    assert compat.get_keras_mask(x) is mask
    compat.set_keras_mask(x, None)
    assert compat.get_keras_mask(x) is None
    embedded = keras.layers.Embedding(4, 2, mask_zero=True)(np.array([[1, 0]]))
    assert np.array_equal(compat.get_keras_mask(embedded), [[True, False]])


def test_scopes():
    assert not compat.in_stateless_scope()
    assert compat.get_stateless_scope() is None
    variable = keras.Variable(np.zeros(2, "float32"))
    with keras.StatelessScope() as scope:
        assert compat.in_stateless_scope()
        assert compat.get_stateless_scope() is scope
        scope.add_update((variable, keras.ops.ones(2)))
        assert scope.get_current_value(variable).sum() == 2
    assert variable.numpy().sum() == 0
    assert not compat.in_symbolic_scope()
    seen = []

    class Looks(keras.layers.Layer):
        def call(self, x):
            seen.append(compat.in_symbolic_scope())
            return x

    compat.compute_output_spec(Looks(), keras.KerasTensor((1, 2)))
    assert seen == [True]


def test_values_of_variables():
    a, b = (keras.Variable(np.full(2, n, "float32")) for n in (1, 2))
    assert [v.sum() for v in compat.values_of([a, b])] == [2, 4]
    compat.assign_values([a, b], [keras.ops.zeros(2), None])
    assert (a.numpy().sum(), b.numpy().sum()) == (0, 4)
    assert compat.values_of([a])[0] is a.value
    noted = compat.arrays_behind([a, b])
    assert compat.hold_these(noted)
    b.assign(keras.ops.ones(2))
    assert not compat.hold_these(noted)


def test_a_variable_that_is_made_later_has_its_value():
    with keras.StatelessScope():
        late = keras.Variable(lambda shape, dtype: keras.ops.ones(shape, dtype), (2,), "float32")
        assert compat.arrays_behind([late])[0][1] is None
    assert compat.values_of([late])[0].sum() == 2


def test_replaced_and_with_attribute():
    layer = keras.layers.Dense(2, activation="relu")
    tracked = list(compat.all_layers(layer))
    with compat.replaced(layer, "call", lambda x: "ours"):
        assert layer.call(1) == "ours"
    assert "call" not in vars(layer)
    with compat.with_attribute(layer, "activation", keras.activations.tanh):
        assert layer.activation is keras.activations.tanh
    assert layer.activation is keras.activations.relu
    with compat.with_attribute(layer, "call", lambda x: x):
        pass
    assert "call" not in vars(layer)
    assert compat.all_layers(layer) == tracked


def test_the_seed_that_keras_draws_from():
    seed = compat.made_global_seed()
    assert compat.global_seed_variable() is seed
    before = np.asarray(seed.value)
    keras.random.normal((2,))
    assert not np.array_equal(seed.value, before)
    drawn = keras.random.normal((3,))
    seed.assign(before)
    keras.random.normal((2,))
    np.testing.assert_array_equal(keras.random.normal((3,)), drawn)


def test_the_direction_of_what_is_monitored_is_chosen_once():
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=0.5)
    compat.choose_direction(stopping)
    compat.choose_direction(stopping)
    compat.choose_direction(keras.callbacks.History())
    assert (stopping.monitor_op, stopping.min_delta) == (keras.ops.less, -0.5)


def test_a_reader_of_a_dataset_that_begins_anew():
    class Two(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, number):
            return np.ones((1, 1)), np.ones((1, 1))

    data = Two()
    assert compat.py_dataset_adapter(compat.JAXEpochIterator(data)).py_dataset is data
    assert compat.py_dataset_adapter(compat.JAXEpochIterator(data, steps_per_epoch=1)) is None
    assert compat.py_dataset_adapter(compat.JAXEpochIterator(np.ones((2, 1)))) is None


# ---- training ------------------------------------------------------------------------------------


def test_has_own():
    class Own(keras.Model):
        def train_step(self, *args):
            pass

    assert compat.has_own(Own(), "train_step")
    assert not compat.has_own(Own(), "test_step")


def test_model_in_training():
    found = []

    class Looks(keras.layers.Layer):
        def call(self, x):
            found.append(compat.model_in_training(sys._getframe()))
            return x

    model = keras.Sequential([keras.Input((1,)), Looks(), keras.layers.Dense(2)])
    model.compile(loss="mse", optimizer="sgd")
    found.clear()
    x = np.ones((2, 1), "float32")
    model(x)
    assert found == [None]
    model.fit(x, np.ones((2, 2)), verbose=0)
    assert found[-1] is model


def test_check_compiled():
    compat.check_compiled(compiled(), "fit")
    with pytest.raises(ValueError, match="compile"):
        compat.check_compiled(stack(), "fit")


def test_build_symbolically():
    for given in ({"iterator": batches()}, {"data_batch": next(next(batches())[2])}):
        model = keras.Sequential([keras.layers.Dense(2)])
        model.compile(loss="mse", optimizer="adam", metrics=["mae"])
        compat.build_symbolically(model, **given)
        assert model.built
        assert model.optimizer.built
        assert compat.compiled_loss(model).built
        assert compat.compiled_metrics(model).built
        assert len(compat.single_losses(compat.compiled_loss(model))) == 1


def test_metrics_of_a_model():
    model = compiled()
    assert compat.loss_tracker(model) in model.metrics
    assert compat.loss_tracker(model).name == "loss"
    assert compat.compiled_metrics(model) is None
    assert isinstance(compat.compiled_loss(model), compat.CompileLoss)
    assert compat.single_losses(compat.compiled_loss(model)) == []  # not built
    assert compat.single_losses(None) == []
    model = compiled(metrics=["mae"])
    assert compat.compiled_metrics(model) in model.metrics


def test_single_losses_can_be_exchanged():
    model = compiled(loss=keras.losses.SparseCategoricalCrossentropy())
    compat.build_symbolically(model, data_batch=(np.ones((2, 1)), np.zeros((2,)), None))
    flat = compat.single_losses(compat.compiled_loss(model))
    (entry,) = flat
    assert isinstance(entry.loss, compat.LossFunctionWrapper)
    assert entry.loss.fn is keras.losses.sparse_categorical_crossentropy
    assert compat.loss_options(entry.loss)["from_logits"] is False

    class Three(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.full((2,), 3.0)

    flat[0] = entry._replace(loss=Three())
    assert float(model.compute_loss(y=np.zeros(2), y_pred=np.full((2, 2), 0.5))) == 3


def test_reduce_weighted_values():
    values = keras.ops.convert_to_tensor([1.0, 3.0])
    mask = keras.ops.convert_to_tensor([True, False])
    assert compat.reduce_weighted_values(values, None, None, "sum_over_batch_size") == 2
    masked = compat.reduce_weighted_values(values, None, mask, "sum_over_batch_size")
    assert float(masked) == pytest.approx(1)
    weights = keras.ops.convert_to_tensor([2.0, 0.0])
    assert compat.reduce_weighted_values(values, weights, None, "sum", dtype="float32") == 2


def test_epochs_of_a_training():
    model = compiled()
    assert compat.first_epoch(model) is None
    assert [compat.validates(model, epoch, 2) for epoch in range(4)] == [False, True, False, True]
    assert [compat.validates(model, epoch, [1]) for epoch in range(2)] == [True, False]


def test_backup_and_restore_sets_the_first_epoch(tmp_path):
    model, x, y = compiled(), np.ones((2, 1)), np.ones((2, 2))
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    model.fit(x, y, epochs=2, callbacks=[backup], verbose=0)
    backup.on_train_begin()
    assert compat.first_epoch(model) == 2


def test_logs():
    model = compiled(metrics=["mae"])
    model.fit(np.ones((2, 1)), np.ones((2, 2)), verbose=0)
    results = model.get_metrics_result()
    assert compat.results_or_logs(model, {"own": 1}) == {"own": 1}
    assert set(compat.results_or_logs(model, dict(results))) == {"loss", "mae"}
    in_order = compat.results_in_order(model, {"mae": 2.0, "loss": 1.0})
    assert in_order == [1.0, 2.0]
    assert compat.results_in_order(compiled(), {"loss": 1.0}) == 1.0
    assert compat.pythonify_logs({"a": np.float32(1), "b": {"c": np.float32(2)}}) == {
        "a": 1,
        "c": 2,
    }
    assert type(compat.pythonify_logs({"a": np.float32(1)})["a"]) is float


def test_resets_only_variables():
    class Own(keras.metrics.MeanAbsoluteError):
        def reset_state(self):
            super().reset_state()

    model = compiled(metrics=["mae"])
    assert compat.resets_only_variables(model)
    model = compiled(metrics=[Own()])
    model.fit(np.ones((2, 1)), np.ones((2, 2)), verbose=0)
    assert not compat.resets_only_variables(model)


def test_callbacks():
    assert compat.progress_bar(keras.callbacks.CallbackList()) is None
    bar = compat.progress_bar(keras.callbacks.CallbackList(add_progbar=True))
    assert isinstance(bar, keras.callbacks.ProgbarLogger)

    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

    assert compat.is_default(Own().on_batch_end)
    assert not compat.is_default(Own().on_epoch_end)


# ---- optimizers ----------------------------------------------------------------------------------


def test_updates_as_adam():
    serves = []
    optimizers = keras.optimizers
    for optimizer in (
        *(optimizers.Adam(), optimizers.AdamW(), optimizers.Adam(amsgrad=True)),
        *(optimizers.SGD(), optimizers.RMSprop(), optimizers.Nadam()),
    ):
        optimizer.build([keras.Variable(np.ones(2, "float32"))])
        serves.append(compat.updates_as_adam(optimizer))
    assert serves == [True, True, False, False, False, False]


def test_the_update_can_be_exchanged():
    optimizer, weights = keras.optimizers.Adam(0.5), keras.Variable(np.ones(2, "float32"))
    other = keras.Variable(np.ones(3, "float32"))
    optimizer.build([weights, other])
    given = []
    with compat.replaced(optimizer, compat.ADAM_UPDATE, lambda *args: given.append(args)):
        optimizer.apply([keras.ops.ones(2), keras.ops.ones(3)])
    ((gradients, variables, rate),) = given
    assert [g.shape for g in gradients] == [(2,), (3,)]
    assert [id(v) for v in variables] == [id(weights), id(other)]
    assert float(rate) == 0.5
    assert int(optimizer.iterations) == 1
    first, second = compat.moments_of(optimizer, [other, weights])
    assert [m.shape for m in (*first, *second)] == [(3,), (2,), (3,), (2,)]
    optimizer.apply([keras.ops.ones(2), keras.ops.ones(3)])
    assert first[0].numpy() == pytest.approx(0.1)
    assert second[0].numpy() == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        (keras.optimizers.Adam(amsgrad=True), {"momentums", "velocities", "velocity_hats"}),
        (
            keras.optimizers.RMSprop(momentum=0.1, centered=True),
            {"velocities", "momentums", "average_gradients"},
        ),
        (keras.optimizers.SGD(momentum=0.1), {"momentums"}),
        (keras.optimizers.SGD(), set()),
        (keras.optimizers.SGD(use_ema=True), {"averages"}),
        (keras.optimizers.Adamax(), {"first moments", "infinity norms"}),
        (keras.optimizers.Adagrad(), {"accumulators"}),
        (keras.optimizers.Adadelta(), {"accumulated gradients", "accumulated changes"}),
        (keras.optimizers.Ftrl(), {"accumulators", "linears"}),
        (keras.optimizers.Lion(), {"momentums"}),
    ],
    ids=lambda one: getattr(one, "name", None),
)
def test_what_an_optimizer_gathers(optimizer, names):
    variables = [keras.Variable(np.ones(2)), keras.Variable(np.ones(3))]
    optimizer.build(variables)
    slots = compat.slots_of(optimizer)
    assert {name for name, found in slots.items() if found} == names
    assert all([v.shape for v in slots[name]] == [(2,), (3,)] for name in names)


# ---- data ----------------------------------------------------------------------------------------


def reader(x, y=None, **options) -> compat.JAXEpochIterator:
    """Return Keras's reader of some data."""
    return compat.JAXEpochIterator(x, y, **options)


def test_arrays_of_a_reader():
    x, y = np.ones((5, 3)), np.zeros((5, 1))
    data, samples, batch_size, shuffle = compat.arrays_of(reader(x, y, batch_size=2, shuffle=True))
    assert (data[0] is x, data[1] is y, samples, batch_size, shuffle) == (True, True, 5, 2, True)
    arrays = compat.arrays_of(reader(x))
    assert isinstance(arrays, compat.Arrays)
    assert arrays.batch_size == 32
    assert compat.arrays_of(reader((x, y) for _ in range(2))) is None


def test_readers():
    x = np.ones((5, 3), "float32")
    given = reader(x, x, batch_size=2)
    assert (given.num_batches, given.steps_per_epoch) == (3, None)
    assert not compat.reads_once(given)
    for _ in range(2):
        spans = []
        with given.catch_stop_iteration():
            for first, last, source in given:
                spans.append((first, last, len(next(source)[0])))
        assert spans == [(0, 0, 2), (1, 1, 2), (2, 2, 1)]
        given.reset()
    once = reader((x, x) for _ in range(2))
    assert compat.reads_once(once)
    assert once.num_batches is None


def test_kinds_of_data():
    assert compat.is_scipy_sparse(scipy.sparse.eye(2).tocsr())
    assert not compat.is_scipy_sparse(np.eye(2))
    assert not compat.is_tensorflow_sparse(np.eye(2))
    assert not compat.is_tf_dataset(np.eye(2))


def test_splitting_and_slicing():
    x = np.arange(10)
    (train,), (validation,) = compat.train_validation_split((x,), validation_split=0.2)
    assert (len(train), list(validation)) == (8, [8, 9])
    frame = pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0]})
    rows = compat.convert_to_sliceable(frame, target_backend="jax")
    assert np.array_equal(rows.convert_to_jax_compatible(rows[np.array([1])]), [[2.0]])


def test_files(monkeypatch):
    assert compat.is_remote_path("gs://bucket/model.keras")
    assert not compat.is_remote_path("model.keras")
    monkeypatch.setattr("builtins.input", lambda *_: "n")
    assert compat.ask_to_proceed_with_overwrite("model.keras") is False


# ---- the words of errors -------------------------------------------------------------------------


def test_says_unknown_class(tmp_path):
    class Unknown(keras.layers.Dense):
        pass

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), Unknown(2)]).save(path)
    with pytest.raises(TypeError) as error:
        keras.saving.load_model(path)
    assert compat.says_unknown_class(error.value)
    assert not compat.says_unknown_class(ValueError("other"))


def test_misfits():
    with pytest.raises(ValueError, match="expected") as error:
        keras.layers.LSTM(2, name="lstm")(np.ones((2, 3), "float32"))
    assert compat.misfit_in(str(error.value)) == compat.Misfit("lstm", "ndim=3", "(2, 3)", False)
    dense = keras.layers.Dense(2, name="dense")
    dense.build((None, 4))
    with pytest.raises(ValueError, match="expected") as error:
        dense(np.ones((2, 3), "float32"))
    misfit = compat.misfit_in(str(error.value))
    assert misfit.expected == "axis -1 of input shape to have value 4"
    assert misfit.came == "(2, 3)"
    with pytest.raises(ValueError, match="expects") as error:
        dense([np.ones((2, 4), "float32")] * 3)
    assert compat.misfit_in(str(error.value)) == compat.Misfit("dense", "1", "3", True)
    assert compat.misfit_in("other") is None


def test_first_line():
    class Fails(keras.layers.Layer):
        def call(self, x):
            raise TypeError("this went wrong.")

    with pytest.raises(TypeError) as error:
        Fails()(np.ones((2, 3), "float32"))
    assert compat.first_line(error.value) == "this went wrong"
    assert compat.first_line(ValueError()) == "ValueError"


# ---- distribution --------------------------------------------------------------------------------


def test_a_variable_is_spread_where_a_distribution_wants_it():
    variable = keras.Variable(np.arange(3.0))
    alone = keras.distribution.DataParallel(devices=keras.distribution.list_devices()[:1])
    assert isinstance(alone, compat.Distribution)
    compat.spread_variable(variable, alone)
    assert compat.layout_of(variable) == alone.get_variable_layout(variable).backend_layout
    assert variable.value.sharding == compat.layout_of(variable)
    assert variable.numpy().tolist() == [0.0, 1.0, 2.0]


def test_whole_batches_come_as_they_are():
    alone = keras.distribution.DataParallel(devices=keras.distribution.list_devices()[:1])
    with alone.scope():
        reader = compat.WholeBatches(np.arange(6.0).reshape(6, 1), batch_size=4)
        batches = [keras.tree.flatten(batch)[0] for _, _, some in reader for batch in some]
        assert keras.distribution.distribution() is alone
    assert [np.asarray(batch).shape for batch in batches] == [(4, 1), (2, 1)]
    assert not any(hasattr(batch, "sharding") for batch in batches)
