"""What the optimizers of Keras 1 and 2 had gathered, given to those of today."""

from collections.abc import Mapping
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import keras

from statewise._keras_compat import slots_of
from statewise.interop.keras_files.hdf5 import names_of, numbers_at

# What the optimizers of Keras 2 called what they gather, and Keras 3's names of it.
_SLOTS = {
    "Adam": {"m": "momentums", "v": "velocities", "vhat": "velocity_hats"},
    "AdamW": {"m": "momentums", "v": "velocities", "vhat": "velocity_hats"},
    "RMSprop": {
        "rms": "velocities",
        "velocity": "velocities",
        "momentum": "momentums",
        "mg": "average_gradients",
        "average_gradient": "average_gradients",
    },
    "SGD": {"momentum": "momentums", "m": "momentums"},
    "Lion": {"m": "momentums"},
    "Adagrad": {"accumulator": "accumulators"},
    "Adadelta": {
        "accumulated_grad": "accumulated gradients",
        "accum_grad": "accumulated gradients",
        "accumulated_delta_var": "accumulated changes",
        "accum_var": "accumulated changes",
    },
    "Adamax": {"m": "first moments", "u": "infinity norms", "v": "infinity norms"},
    "Ftrl": {"accumulator": "accumulators", "linear": "linears"},
}
# In which order those of Keras 2 numbered it: groups one after the other, each with its slots side
# by side for one variable after the other. With the optimizer's own field that says if it's there.
_ORDER: dict[str, list[tuple[tuple[str, ...], str | None]]] = {
    "Adam": [(("momentums", "velocities"), None), (("velocity_hats",), "amsgrad")],
    "AdamW": [(("momentums", "velocities"), None), (("velocity_hats",), "amsgrad")],
    "RMSprop": [
        (("velocities",), None),
        (("momentums",), "momentum"),
        (("average_gradients",), "centered"),
    ],
    "SGD": [(("momentums",), None)],
    "Lion": [(("momentums",), None)],
    "Adagrad": [(("accumulators",), None)],
    "Adadelta": [(("accumulated gradients", "accumulated changes"), None)],
    "Adamax": [(("first moments", "infinity norms"), None)],
    "Ftrl": [(("accumulators", "linears"), None)],
}


def give_named(model: keras.Model, group: h5py.Group, names, path) -> str | None:
    """Give a model's optimizer what an ``.h5`` file says that it had gathered.

    Args:
        model: compiled.
        group: of the file, with an array by name for each slot of each variable.
        names: the model's trained variables by their names in the file; None where these don't
            correspond one to one.
        path: of the file.

    Returns:
        Why it can't be; None where it's done.
    """
    listed = names_of(group.attrs, "weight_names") or []
    optimizer = model.optimizer
    kind = type(optimizer).__name__
    if not listed:
        return None
    if names is None and f"{kind.lower()}/iteration" in listed:
        return _in_order(model, [numbers_at(group, name, path) for name in listed])
    if names is None:
        return "the file has the weights in another form"
    if kind not in _SLOTS:
        return f"that is understood of {', '.join(_SLOTS)}, and this is {kind}"
    optimizer.build(model.trainable_variables)
    slots, given = slots_of(optimizer), []
    for name in listed:
        plain = name.partition(":")[0]
        if plain.rpartition("/")[2] in ("iter", "iteration", "iterations"):
            given.append((optimizer.iterations, numbers_at(group, name, path)))
            continue
        if plain.rpartition("/")[2] in ("learning_rate", "decay"):
            continue
        place = _place(plain, _SLOTS[kind], names)
        if place is None:
            return f"its array {name!r} is of no variable of the model"
        slot, variable = place
        number = next(i for i, v in enumerate(model.trainable_variables) if v is variable)
        if number >= len(slots.get(slot, ())):
            return f"its array {name!r} has no counterpart"
        given.append((slots[slot][number], numbers_at(group, name, path)))
    if any(tuple(v.shape) != a.shape for v, a in given):
        return "its arrays have other shapes than the weights"
    for variable, array in given:
        variable.assign(array)
    return None


def _in_order(model: keras.Model, arrays: list) -> str | None:
    """Give an optimizer its variables in the order in which Keras 3 wrote them."""
    model.optimizer.build(model.trainable_variables)
    variables = model.optimizer.variables
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        return "its arrays have other shapes than the weights"
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return None


def _place(name: str, slots: Mapping[str, str], names: Mapping[str, Any]) -> tuple | None:
    """Return which slot of which variable an array of an optimizer is."""
    found = []
    for variable in names:
        plain = variable.partition(":")[0]
        for slot, today in slots.items():
            if f"/{name}".endswith((f"/{slot}/{plain}", f"/{plain}/{slot}")):
                found.append((len(plain), today, names[variable]))
    return max(found, key=lambda one: one[0])[1:] if found else None


def give_numbered(model: keras.Model, config: Mapping, file: h5py.File, path) -> str | None:
    """Give a model's optimizer what an archive of Keras 2 says that it had gathered.

    Such a file has numbers for names: the updates done, and the slots in the order in which the
    optimizer had made them for the variables that were trained.

    Args:
        model: compiled.
        config: of the model, as the file has it.
        file: that of the weights in the archive.
        path: of the archive.

    Returns:
        Why it can't be; None where it's done.
    """
    optimizer, kind = model.optimizer, type(model.optimizer).__name__
    group = file.get("optimizer/vars")
    if not isinstance(group, h5py.Group) or not len(group):
        return "the file has nothing of it: a legacy optimizer writes it into an .h5 file alone"
    arrays = [numbers_at(group, str(number), path) for number in range(len(group))]
    done, arrays = arrays[0], arrays[1:]
    if done.shape != () or done.dtype.kind not in "iu" or done < 0:
        return "its first number isn't that of the updates done"
    if not arrays and done == 0:
        return None  # it wasn't trained yet
    if kind not in _ORDER:
        return f"that is understood of {', '.join(_ORDER)}, and this is {kind}"
    variables = _trained(model, config)
    if variables is None:
        return "the file's layers aren't those of the model"
    if arrays and arrays[0].shape == () and variables[0].shape != ():
        arrays = arrays[1:]  # the learning rate, which the configuration has too
    optimizer.build(model.trainable_variables)
    slots = slots_of(optimizer)
    order = [(("averages",), "use_ema"), *_ORDER[kind]]
    places = [
        (slot, variable)
        for group_of_slots, field in order
        if field is None or getattr(optimizer, field)
        for variable in variables
        for slot in group_of_slots
    ]
    if [tuple(variable.shape) for _, variable in places] != [array.shape for array in arrays]:
        return "its arrays have other shapes than the weights"
    for (slot, variable), array in zip(places, arrays, strict=True):
        if not slots[slot]:  # of SGD without momentum, which Keras 2 kept all the same
            continue
        number = next(i for i, v in enumerate(model.trainable_variables) if v is variable)
        slots[slot][number].assign(array)
    optimizer.iterations.assign(done)
    return None


def _trained(model: Any, config: Mapping) -> list | None:
    """Return the variables that are trained in the order of Keras 2, by the layers of the file.

    None where the layers aren't those of the file.
    """
    described = config.get("config")
    listed = described.get("layers") if isinstance(described, Mapping) else None
    if not isinstance(listed, list):
        return None
    found: dict[int, Any] = {}
    for one in listed:
        name = one.get("name") or one["config"]["name"]
        layer = next((each for each in model.layers if each.name == name), None)
        if layer is None:
            if one["class_name"] == "InputLayer":
                continue
            return None
        nested = isinstance(layer, (keras.Sequential, keras.Model))
        inside = _trained(layer, one) if nested else layer.trainable_variables
        if inside is None:
            return None
        found |= {id(variable): variable for variable in inside}
    everything = {id(variable) for variable in model.trainable_variables}
    return list(found.values()) if everything == set(found) and found else None
