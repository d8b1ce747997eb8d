"""Floor 1: whatever leans on Keras's insides, one name each.

Keras promises what ``keras.*`` exports. What else this package relies on (modules of ``keras.src``,
attributes with an underscore, the words of an error, methods of one object exchanged for a while)
stands here and nowhere else, and says what it relies on. ``tests/test_keras_compat.py`` tests each
name, so that a Keras which changes one of them fails there, by its name.

Two more things lean on Keras by their nature. `statewise._runtime.registry` names the module of
Keras's registry of classes: it waits for that module to be imported, so it runs without Keras. And
`OVERRIDDEN` lists the methods that classes of this package define because Keras calls them.
"""

import contextlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras.src.backend import compute_output_spec as compute_output_spec
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.masking import get_keras_mask as get_keras_mask
from keras.src.backend.common.masking import set_keras_mask as set_keras_mask
from keras.src.backend.common.stateless_scope import get_stateless_scope as get_stateless_scope
from keras.src.backend.common.stateless_scope import in_stateless_scope as in_stateless_scope
from keras.src.backend.common.symbolic_scope import in_symbolic_scope as in_symbolic_scope
from keras.src.backend.jax.trainer import JAXEpochIterator as JAXEpochIterator
from keras.src.backend.jax.trainer import JAXTrainer
from keras.src.callbacks.monitor_callback import MonitorCallback
from keras.src.distribution.distribution_lib import Distribution as Distribution
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell as DropoutRNNCell
from keras.src.losses.loss import reduce_weighted_values as reduce_weighted_values
from keras.src.losses.losses import LossFunctionWrapper as LossFunctionWrapper
from keras.src.models.functional import Functional as Functional
from keras.src.models.model import functional_init_arguments as functional_init_arguments
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR, global_seed_generator
from keras.src.saving.object_registration import GLOBAL_CUSTOM_NAMES
from keras.src.saving.saving_lib import load_model as _load_archive
from keras.src.trainers.compile_utils import CompileLoss as CompileLoss
from keras.src.trainers.data_adapters import is_tf_dataset as is_tf_dataset
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
from keras.src.trainers.data_adapters.array_slicing import (
    convert_to_sliceable as convert_to_sliceable,
)
from keras.src.trainers.data_adapters.array_slicing import (
    train_validation_split as train_validation_split,
)
from keras.src.trainers.data_adapters.data_adapter_utils import (
    is_scipy_sparse as is_scipy_sparse,
)
from keras.src.trainers.data_adapters.data_adapter_utils import (
    is_tensorflow_sparse as is_tensorflow_sparse,
)
from keras.src.trainers.data_adapters.generator_data_adapter import GeneratorDataAdapter
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter
from keras.src.utils.file_utils import is_remote_path as is_remote_path
from keras.src.utils.io_utils import ask_to_proceed_with_overwrite as ask_to_proceed_with_overwrite
from keras.src.utils.python_utils import pythonify_logs as pythonify_logs

# What Keras calls, and a class of this package defines: the method, by the Keras class that has it.
# Of the last two no Keras before 3.15 knows; there they are never called.
OVERRIDDEN = {
    "compute_loss_and_updates": JAXTrainer,
    "stateless_compute_loss": keras.Model,
    "_update_metrics_variables": JAXTrainer,
    "inner_loop": keras.layers.RNN,
    "_configure_async_dispatch": keras.callbacks.CallbackList,
    "_can_attempt_fused_lstm": keras.layers.Bidirectional,
    "_can_attempt_fused_gru": keras.layers.Bidirectional,
}

# ---- layers and models ---------------------------------------------------------------------------

# All layers of a layer, those within others too, itself first: ``(layer, include_self=True,
# recursive=True) -> list``. Keras's method itself, which no class of Keras overrides.
all_layers: Callable[..., list[keras.Layer]] = keras.Layer._flatten_layers

# The graph of a `Sequential`, which makes itself a new one whenever its layers change; to be asked
# of what `holder_of_graph` returns. About as quick as the attribute that it reads.
graph_of = attrgetter("_functional")


def holder_of_graph(model: keras.Model) -> Any:
    """Return what `graph_of` can be asked of: the model, or what stands for one without a graph."""
    return (
        SimpleNamespace(_functional=None) if getattr(model, "_functional", None) is None else model
    )


def structure_of(model: keras.Model) -> list:
    """Return what a program that is compiled for a model is compiled for.

    Two of them are equal while the model is made of the same layers, put together in the same way
    (a `Sequential` has another graph then), with the same ones trained.

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    >>> before = structure_of(model)
    >>> _ = model.pop()
    >>> model.add(keras.layers.Dense(1))
    >>> structure_of(model) == before
    False
    """
    layers = model._flatten_layers()
    return [*layers, getattr(model, "_functional", None), [part._trainable for part in layers]]


def takes_training(layer: keras.Layer) -> bool:
    """Whether the ``call`` of a layer has the argument ``training``."""
    return layer._call_has_training_arg


def takes_mask(layer: keras.Layer) -> bool:
    """Whether the ``call`` of a layer has the argument ``mask``."""
    return layer._call_has_mask_arg


def child_shape(layer: keras.layers.TimeDistributed, shape: tuple) -> tuple:
    """Return the shape of what the layer in a `TimeDistributed` is given, checked by Keras."""
    return layer._get_child_input_shape(shape)


def draw_dropout_masks(layer: keras.layers.RNN, cell, step, state) -> None:
    """Let a cell (or the cells of a stack) draw the dropout masks for all steps of a call."""
    layer._maybe_config_dropout_masks(cell, step, state)


def forget_dropout_masks(layer: keras.layers.RNN, cell) -> None:
    """Let a cell forget the masks it has drawn: the next call may have another batch size."""
    layer._maybe_reset_dropout_masks(cell)


def build_shapes(layer: keras.Layer) -> dict | None:
    """Return the shapes a layer was built for, by the names of ``build``'s arguments."""
    return getattr(layer, "_build_shapes_dict", None)


def inputs_structure(model: keras.Model) -> Any:
    """Return how the inputs of a functional model are nested; None for other models."""
    return getattr(model, "_inputs_struct", None)


def own_variables(layer: keras.Layer) -> list[keras.Variable]:
    """Return a layer's variables without those of layers within it: weights, others, seeds."""
    seeds = [generator.state for generator in layer._seed_generators]
    return [*layer._trainable_variables, *layer._non_trainable_variables, *seeds]


def replace_layer(owner: keras.Layer, old: keras.Layer, new: keras.Layer) -> None:
    """Put another layer in the place of one that a layer holds, in its attributes too.

    It takes the other's place in the order of the layers within, so that variables keep their
    order. Attributes may be lists, tuples and dicts of layers.
    """

    def exchanged(value):
        if value is old:
            return new
        if isinstance(value, list):
            for i, one in enumerate(value):
                list.__setitem__(value, i, exchanged(one))
        elif isinstance(value, dict):
            for key, one in value.items():
                dict.__setitem__(value, key, exchanged(one))
        elif type(value) is tuple:
            return tuple(exchanged(one) for one in value)
        return value

    for name, value in list(vars(owner).items()):
        if name != "_tracker":  # the list of layers itself is an attribute too
            object.__setattr__(owner, name, exchanged(value))
    ids = owner._tracker.stored_ids["layers"]
    ids.discard(id(old))
    ids.add(id(new))


def compile_settings(model: keras.Model) -> dict[str, Any]:
    """Return the arguments with which a model was compiled, as they were given."""
    return dict(model._compile_config.config)


class Call(NamedTuple):
    """The call of a layer from which a symbolic tensor comes.

    Attributes:
        layer: the layer.
        inputs: the symbolic tensors that it was given.
        others: whether it was given more than these by position, or anything by keyword.
    """

    layer: keras.Layer
    inputs: list
    others: bool


def producer(tensor: keras.KerasTensor) -> keras.Layer:
    """Return the layer (or operation) of which a symbolic tensor is an output."""
    return tensor._keras_history.operation


def call_of(tensor: keras.KerasTensor) -> Call:
    """Return the call that made a symbolic tensor."""
    layer, number, _ = tensor._keras_history
    arguments = layer._inbound_nodes[number].arguments
    plain = all(value is None or value is False for value in arguments.kwargs.values())
    others = len(arguments.args) != 1 or not plain
    return Call(layer, arguments.keras_tensors, others)


def run_graph(graph, inputs: list, visit: Callable[[Any, tuple, dict], Any]):
    """Go through a functional model in the order in which it computes, and return the outputs.

    Args:
        graph: the model.
        inputs: what stands for its inputs, in their order; anything but a list, tuple or mapping.
        visit: ``visit(layer, args, kwargs)`` stands for the call of a layer; in the arguments are
            what it was given, or returned for another layer.

    >>> x = keras.Input((3,))
    >>> model = keras.Model(x, keras.layers.Dense(2, name="two")(x))
    >>> run_graph(model, ["x"], lambda layer, args, kwargs: f"{layer.name}({args[0]})")
    'two(x)'
    """

    def standing_for(operation):
        return lambda *args, **kwargs: visit(operation, args, kwargs)

    return graph._run_through_graph(inputs, operation_fn=standing_for)


def inputs_of_calls(layer: keras.Layer) -> list[list]:
    """Return for each call of a layer the symbolic tensors that it was given."""
    return [node.arguments.keras_tensors for node in layer._inbound_nodes]


def is_empty(model: keras.Sequential) -> bool:
    """Whether a `Sequential` has no layer yet, not even the one of its input."""
    return not model._layers


def note_input_shape(layer: keras.Layer, shape: tuple) -> None:
    """Note the shape of a sample on a layer, where a `Sequential` looks for its input's."""
    layer._input_shape_arg = shape


def noted_input_shape(layer: keras.Layer) -> tuple | None:
    """Return the shape of a sample that is noted on a layer."""
    return getattr(layer, "_input_shape_arg", None)


def save_as(kind: type, name: str) -> None:
    """Let Keras write another class's registered name for this one, in files only."""
    GLOBAL_CUSTOM_NAMES[kind] = name


def load_saved(path, **options):
    """Return what `keras.saving.load_model` does.

    Raises:
        ValueError: for a `Sequential` whose configuration is missing, of which Keras before 3.15
            makes one without layers.
    """
    model = keras.saving.load_model(path, **options)
    if isinstance(model, keras.Sequential) and not model.layers and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json")).get("config")
        if not isinstance(config, dict) or "layers" not in config:
            raise ValueError(f"the configuration of a Sequential is {config!r:.200}")
    return model


# The modules that Keras's files say its layers and its models are of.
MODULES_OF_LAYERS = ("keras.layers", "keras.src.layers")
MODULES_OF_MODELS = (
    "keras",
    "keras.models",
    "keras.src.models.model",
    "keras.src.models.functional",
    "keras.src.models.sequential",
)
_MODULES_OF_FILES = (
    *MODULES_OF_LAYERS,
    *(
        f"{source}.{name}"
        for source in ("keras", "keras.src")
        for name in (
            "activations constraints dtype_policies initializers losses metrics models ops "
            "optimizers quantizers random regularizers trainers.compile_utils"
        ).split()
    ),
)


def is_module_of_files(module: str) -> bool:
    """Whether Keras's files may say that a class or function is of a module of Keras's.

    Not those whose functions read and write files or call others (``keras.utils``,
    ``keras.saving``, ``keras.config``), which no file of a model names.

    >>> is_module_of_files("keras.layers"), is_module_of_files("keras.utils")
    (True, False)
    """
    if module in ("keras", "builtins"):
        return True
    return any(module == one or module.startswith(f"{one}.") for one in _MODULES_OF_FILES)


def load_archive(file, custom_objects: dict, compile: bool) -> keras.Model:
    """Return the model of a ``.keras`` archive in a file object, by Keras's safe mode."""
    return _load_archive(file, custom_objects=custom_objects, compile=compile, safe_mode=True)


# ---- variables -----------------------------------------------------------------------------------


def values_of(variables: Iterable[keras.Variable]) -> list:
    """Return the arrays of variables, outside of every scope that replaces or casts values.

    A variable's ``value`` asks first whether there is such a scope, which takes longer than a small
    network's step. One whose array isn't made yet is asked for it.
    """
    return [v.value if v._value is None else v._value for v in variables]


def assign_values(variables: Iterable[keras.Variable], values: Iterable) -> None:
    """Give variables new arrays of their shapes and dtypes, unchecked; None leaves one as it is."""
    for variable, value in zip(variables, values, strict=True):
        if value is not None:
            variable._direct_assign(value)


def arrays_behind(variables: Iterable[keras.Variable]) -> list[tuple]:
    """Return variables with the arrays they hold now; `hold_these` tells whether they still do."""
    return [(variable, variable._value) for variable in variables]


def hold_these(noted: list[tuple]) -> bool:
    """Whether every variable still holds the very array that was noted."""
    for variable, value in noted:  # noqa: SIM110 (a generator costs half a microsecond)
        if variable._value is not value:
            return False
    return True


def global_seed_variable() -> keras.Variable | None:
    """Return what Keras draws from where no seed is given; None while nothing was drawn so."""
    made = get_global_attribute(GLOBAL_SEED_GENERATOR)
    return None if made is None else made.state


def made_global_seed() -> keras.Variable:
    """Return the same, made where there is none."""
    return global_seed_generator().state


# ---- instances with a method or an attribute of their own for a while ---------------------------


@contextlib.contextmanager
def replaced(instance, name: str, method: Callable) -> Iterator[None]:
    """Let one object have another method of that name, within this context.

    >>> optimizer = keras.optimizers.Adam()
    >>> with replaced(optimizer, "get_config", lambda: "another"):
    ...     optimizer.get_config()
    'another'
    """
    # Past Keras's own __setattr__, which looks for variables and layers to keep track of.
    object.__setattr__(instance, name, method)
    try:
        yield
    finally:
        object.__delattr__(instance, name)


@contextlib.contextmanager
def with_attribute(layer: keras.Layer, name: str, value) -> Iterator[None]:
    """Let a layer have an attribute of its own for a while; what it had comes back."""
    has_own, own = name in vars(layer), vars(layer).get(name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        if has_own:
            setattr(layer, name, own)
        else:
            delattr(layer, name)


def make_functional(cls: type, ours: type, functional: type) -> None:
    """Let a subclass of a model class be a functional model's too, since it was given a graph.

    Keras does that by exchanging ``keras.Model`` for its own functional class wherever it finds it
    among the ancestors; then every class of this package's models would be another. Here nothing
    but the class itself learns of it.

    Args:
        cls: the subclass.
        ours: the class of models among whose descendants it is.
        functional: the functional one of these.
    """
    bases = [functional if issubclass(functional, base) else base for base in cls.__bases__]
    if functional not in bases:
        last = max(i for i, base in enumerate(bases) if issubclass(base, ours))
        bases.insert(last + 1, functional)
    cls.__bases__ = tuple(dict.fromkeys(bases))


# ---- training ------------------------------------------------------------------------------------


def has_own(model: keras.Model, name: str) -> bool:
    """Whether a model's ``train_step`` or ``test_step`` isn't that of Keras's trainer for JAX."""
    return getattr(type(model), name) is not getattr(JAXTrainer, name)


def model_in_training(frame: FrameType | None) -> keras.Model | None:
    """Return the model whose step Keras's trainer is running below a frame of the stack.

    The trainer calls the layers as if nobody stood above them, so only the stack knows.
    """
    while frame is not None:
        model = frame.f_locals.get("self")
        if frame.f_globals.get("__name__") == JAXTrainer.__module__ and model is not None:
            return model
        frame = frame.f_back
    return None


def check_compiled(model: keras.Model, method: str) -> None:
    """Refuse a model that isn't compiled, naming the method; a word on what isn't trained now."""
    model._assert_compile_called(method)


def build_symbolically(model: keras.Model, *, iterator=None, data_batch=None) -> None:
    """Build the model, its loss, metrics and optimizer for a batch, without computing anything.

    Args:
        model: a compiled model.
        iterator: yields ``(first, last, iterator of batches)``, as Keras's reader does; or
        data_batch: the batch ``(x, y, sample_weight)``.
    """
    model._symbolic_build(iterator=iterator, data_batch=data_batch)


def first_epoch(model: keras.Model) -> int | None:
    """Return the epoch at which ``BackupAndRestore`` lets a training go on; None without one."""
    return model._initial_epoch


def validates(model: keras.Model, epoch: int, frequency) -> bool:
    """Whether an epoch is one after which ``validation_freq`` wants a validation."""
    return model._should_eval(epoch, frequency)


def results_or_logs(model: keras.Model, logs) -> dict:
    """Return the metrics' results where they are what a step of the user's own returned."""
    return model._get_metrics_result_or_logs(logs)


def results_in_order(model: keras.Model, logs: dict):
    """Return logs as ``evaluate`` does: a list in the order of the metrics, or one number."""
    return model._flatten_metrics_in_order(logs)


def loss_tracker(model: keras.Model) -> keras.metrics.Metric:
    """Return the metric that averages a model's loss."""
    return model._loss_tracker


def compiled_loss(model: keras.Model) -> CompileLoss | None:
    """Return what ``compile`` made of the losses."""
    return model._compile_loss


def compiled_metrics(model: keras.Model):
    """Return the metric that holds those given to ``compile``; None where none were."""
    return model._compile_metrics


def single_losses(loss: CompileLoss | None) -> list:
    """Return the list in which a built loss keeps one named tuple (``.loss``) for each output."""
    return getattr(loss, "_flat_losses", None) or []


def loss_options(loss: LossFunctionWrapper) -> dict:
    """Return the options with which a loss calls its function ``fn``."""
    return loss._fn_kwargs


def resets_only_variables(model: keras.Model) -> bool:
    """Whether a reset of the metrics is Keras's own, which sets their variables and no more."""
    resets = [type(model).reset_metrics]
    for metric in model.metrics:  # those given to compile() stand together within one of Keras's
        resets += [type(m).reset_state for m in (metric, *getattr(metric, "metrics", ()))]
    return all(reset.__module__.startswith("keras.") for reset in resets)


def choose_direction(callback: keras.callbacks.Callback) -> None:
    """Let a callback that monitors a value find out whether less or more of it is better.

    It does so at its first epoch's end otherwise, and changes the sign of its ``min_delta`` then.
    """
    if isinstance(callback, MonitorCallback) and callback.monitor_op is None:
        callback._set_monitor_op()


def progress_bar(callbacks: keras.callbacks.CallbackList) -> keras.callbacks.ProgbarLogger | None:
    """Return the progress bar among callbacks."""
    return callbacks._progbar


def is_default(method: Callable) -> bool:
    """Whether a method is Keras's own empty one, by the mark that Keras puts on those."""
    return getattr(method, "_is_default", False)


# ---- optimizers ----------------------------------------------------------------------------------


def updates_as_adam(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether a built optimizer does what Keras's Adam does (AdamW too), to variables of one dtype.

    Then the method that `replaced` may exchange by the name `ADAM_UPDATE` is given gradients,
    variables and the learning rate, and has to do the update alone.
    """
    kind = type(optimizer)
    return (
        getattr(kind, "update_step", None) is keras.optimizers.Adam.update_step
        and kind._backend_update_step is BaseOptimizer._backend_update_step
        and not optimizer.amsgrad
        and len({v.dtype for v in optimizer._trainable_variables}) == 1
        and optimizer._trainable_variables[0].dtype in ("float32", "float64")
    )


ADAM_UPDATE = "_backend_update_step"


def moments_of(optimizer: keras.optimizers.Adam, variables) -> tuple[list, list]:
    """Return Adam's variables of the first and second moments of these trained variables."""
    places = [optimizer._get_variable_index(variable) for variable in variables]
    first, second = optimizer._momentums, optimizer._velocities
    return [first[i] for i in places], [second[i] for i in places]


_SLOTS = {
    "momentums": "_momentums",
    "velocities": "_velocities",
    "velocity_hats": "_velocity_hats",
    "average_gradients": "_average_gradients",
    "first moments": "_m",
    "infinity norms": "_u",
    "accumulators": "_accumulators",
    "linears": "_linears",
    "accumulated gradients": "_accumulated_grads",
    "accumulated changes": "_accumulated_delta_vars",
    "averages": "_model_variables_moving_average",
}


def slots_of(optimizer: keras.optimizers.Optimizer) -> dict[str, list]:
    """Return what a built optimizer gathers for each trained variable, by what it is.

    Names are those of ``_SLOTS``; of those that it has none of, the list is empty or missing.
    """
    found = {
        name: getattr(optimizer, own, getattr(optimizer, own[1:], []))
        for name, own in _SLOTS.items()
    }
    return {name: list(slots) for name, slots in found.items()}


# ---- data ----------------------------------------------------------------------------------------


class Arrays(NamedTuple):
    """What Keras's reader of arrays has made of what it was given.

    Attributes:
        data: ``(x, y, sample_weight)``, or fewer.
        samples: how many there are.
        batch_size: samples of a batch.
        shuffle: True, False or "batch".
    """

    data: Any
    samples: int
    batch_size: int
    shuffle: bool | str


def arrays_of(reader: JAXEpochIterator) -> Arrays | None:
    """Return the arrays that a reader takes its batches from; None where it has others."""
    adapter = reader.data_adapter
    if not isinstance(adapter, ArrayDataAdapter):
        return None
    return Arrays(adapter._inputs, adapter._num_samples, adapter._batch_size, adapter._shuffle)


def py_dataset_adapter(reader: JAXEpochIterator) -> PyDatasetAdapter | None:
    """Return a reader's adapter of a `PyDataset` that begins anew with each epoch, or None."""
    adapter = reader.data_adapter
    anew = reader.steps_per_epoch is None and adapter.num_batches is not None
    return adapter if isinstance(adapter, PyDatasetAdapter) and anew else None


def reads_once(reader: JAXEpochIterator) -> bool:
    """Whether a reader's batches come from a generator, which can't begin again."""
    return isinstance(reader.data_adapter, GeneratorDataAdapter)


class WholeBatches(JAXEpochIterator):
    """Keras's reader of batches, which hands them on as they are, whole.

    Under a distribution of several processes Keras's own takes what it reads for this process's
    part of a batch, and reads nothing but TensorFlow's data sets.
    """

    def __init__(self, *args, **kwargs):
        distribution = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            super().__init__(*args, **kwargs)
        finally:
            keras.distribution.set_distribution(distribution)

    def _get_iterator(self):
        if keras.distribution.distribution() is None:
            return super()._get_iterator()
        return self.data_adapter.get_jax_iterator()


# ---- distribution --------------------------------------------------------------------------------


def spread_variable(variable: keras.Variable, distribution: Distribution) -> None:
    """Let a variable lie where a distribution wants it, if it was made without one."""
    if variable._layout is None:
        variable._layout = distribution.get_variable_layout(variable)
        variable._direct_assign(np.asarray(variable.value))


def layout_of(variable: keras.Variable):
    """Return where a variable of a distribution lies, as a sharding of JAX."""
    return getattr(variable._layout, "backend_layout", variable._layout)


# ---- the words of errors -------------------------------------------------------------------------


def says_unknown_class(error: Exception) -> bool:
    """Whether Keras says that it doesn't know a class of a saved model."""
    return "Could not locate" in str(error)


class Misfit(NamedTuple):
    """What a layer expects and was given, in Keras's words.

    Attributes:
        layer: its name.
        expected: what it takes: a number of arrays, ``ndim=3``, ``axis -1 of input shape to ...``.
        came: a number of arrays, or a shape.
        arrays: whether it's the number of arrays that doesn't fit.
    """

    layer: str
    expected: str
    came: str
    arrays: bool


_ARRAYS = re.compile(r"Layer [\"']([^\"']+)[\"'] expects (\d+) input\(s\), but it received (\d+)")
_SHAPE = re.compile(
    r"Input \d+ (?:of|with name \S+ of) layer [\"']([^\"']+)[\"'] is incompatible with the "
    r"layer: expected (.+?), (?:found|but received) (?:ndim=\d+|input with shape|shape=)?.*?"
    r"(\([^()]*\))",
    re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def misfit_in(text: str) -> Misfit | None:
    """Return what doesn't fit, where an error of Keras says that a layer can't take its inputs."""
    arrays = _ARRAYS.search(text)
    found = _SHAPE.search(text) if arrays is None else arrays
    return None if found is None else Misfit(found[1], found[2], found[3], arrays is not None)


def first_line(error: Exception) -> str:
    """Return what an error says in its first line of words; Keras puts a heading and colours."""
    lines = [_COLOUR.sub("", line).strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith("Exception encountered")]
    return said[0].rstrip(".") if said else type(error).__name__
