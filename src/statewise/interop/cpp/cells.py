"""One step of a cell as C++, from its equations in `statewise.recurrence`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise import recurrence
from statewise.interop.cpp.activations import applied
from statewise.interop.cpp.source import Source, literal, refused
from statewise.layers.arithmetic import weights_of
from statewise.recurrence.minimal import MinGRU, MinLSTM
from statewise.recurrence.normalised import LayerNormLSTM
from statewise.recurrence.projected import ProjectedLSTM


class Step:
    """The step of one cell, while it's written.

    Args:
        source: to write to.
        layer: the recurrent layer, for messages.
        cell: the Keras cell.
        arithmetic: its equations.
        number: of the cell in its layer, as a suffix of the names of weights.
        x: the buffer of what comes in.
        state: the arrays of its state, in the equations' order.
    """

    def __init__(self, source: Source, layer, cell, arithmetic, number: str, x: str, state):
        self.source, self.layer, self.cell, self.arithmetic = source, layer, cell, arithmetic
        self.x, self.state, self._number = x, state, number
        weights = weights_of(cell)
        self.kernel = np.asarray(weights.kernel, "float32")
        recurrent = weights.recurrent_kernel
        self.recurrent = None if recurrent is None else np.asarray(recurrent, "float32")
        self.bias = None if weights.bias is None else np.asarray(weights.bias, "float32")
        self.further = [np.asarray(weight, "float32") for weight in weights.further]
        self.features, self.units = self.kernel.shape[0], cell.units

    def function(self, value: str) -> str:
        """Return the cell's activation of a value."""
        return applied(self.source, self.layer, self.arithmetic.activation, value)

    def gate(self, value: str) -> str:
        """Return the activation of a gate's value."""
        return applied(self.source, self.layer, self.arithmetic.recurrent_activation, value)

    def begin(self, name: str, bias, size: int, to: str) -> None:
        """Declare a buffer that begins with a bias, or with zeros."""
        self.source.buffer(to, size)
        self.source.begin(self.layer, f"{name}{self._number}", bias, size, to)

    def product(self, name: str, x: str, kernel, to: str) -> None:
        """Add a product to a buffer."""
        self.source.product(self.layer, f"{name}{self._number}", x, kernel, to)

    def constant(self, name: str, values) -> str:
        """Return weights that are written as they are."""
        return self.source.constant(self.layer, f"{name}{self._number}", values)

    def copy(self, size: int, start: str, to: str) -> None:
        """Copy a buffer into another."""
        self.source.line(f"{self.source.call('copy')}<{size}>({start}, {to});")

    def join(self, h: str, rows: int) -> str:
        """Declare a buffer of the inputs with ``h``, of so many values, behind them."""
        self.source.buffer("joined", self.features + rows)
        self.copy(self.features, self.x, "joined")
        self.copy(rows, h, f"joined + {self.features}")
        return "joined"

    def loop(self, *statements: str, size: int | None = None) -> None:
        """Add statements for each unit ``j``."""
        self.source.line(f"for (std::size_t j = 0; j < {size or self.units}; ++j) {{")
        for statement in statements:
            self.source.line(statement)
        self.source.line("}")


def write_step(step: Step) -> None:
    """Write what changes the state of a cell.

    Raises:
        ValueError: for equations that aren't written, and activations.
    """
    write = _CELLS.get(type(step.arithmetic))
    if write is None:
        raise refused(step.layer, f"the equations of {type(step.cell).__name__} aren't written")
    write(step)


def _simple(step: Step) -> None:
    (h,), units = step.state, step.units
    joined = step.join(h, units)
    step.begin("bias", step.bias, units, "sums")
    step.product("kernels", joined, np.concatenate([step.kernel, step.recurrent]), "sums")
    step.loop(f"{h}[j] = {step.function('sums[j]')};")


def _gru(step: Step) -> None:
    (h,), units, after = step.state, step.units, step.arithmetic.reset_after
    bias = np.zeros(3 * units, "float32") if step.bias is None else step.bias
    inner = np.zeros(3 * units, "float32")
    if bias.ndim == 2:
        bias, inner = bias
    outer = 2 * units
    kernels = np.concatenate([step.kernel, step.recurrent])
    joined = step.join(h, units)
    step.begin("bias", (bias + inner)[:outer], outer, "gates")
    step.product("kernels", joined, kernels[:, :outer], "gates")
    if after:
        step.begin("candidate_bias", bias[outer:], units, "candidate")
        step.product("candidate_kernel", step.x, step.kernel[:, outer:], "candidate")
        step.begin("recurrent_bias", inner[outer:], units, "kept")
        # What stands behind the inputs is h, in a buffer that is zero beyond it.
        step.source.buffer("before", units)
        step.copy(units, h, "before")
        step.product("recurrent_kernel", "before", step.recurrent[:, outer:], "kept")
        total = f"candidate[j] + {step.gate(f'gates[{units} + j]')} * kept[j]"
    else:
        step.loop(f"joined[{step.features} + j] *= {step.gate(f'gates[{units} + j]')};")
        step.begin("candidate_bias", bias[outer:], units, "candidate")
        step.product("candidate_kernels", joined, kernels[:, outer:], "candidate")
        total = "candidate[j]"
    step.loop(
        f"const float z = {step.gate('gates[j]')};",
        f"{h}[j] = z * {h}[j] + (1.0f - z) * {step.function(total)};",
    )


def _gates(step: Step, rows: int) -> None:
    """Add up the four gates of an LSTM, of which ``h`` has so many values."""
    joined = step.join(step.state[0], rows)
    step.begin("bias", step.bias, 4 * step.units, "gates")
    step.product("kernels", joined, np.concatenate([step.kernel, step.recurrent]), "gates")


def _cell_state(step: Step) -> str:
    """Return the expression for the state ``c`` after the step."""
    units, c = step.units, step.state[1]
    i, f = step.gate("gates[j]"), step.gate(f"gates[{units} + j]")
    return f"{f} * {c}[j] + {i} * {step.function(f'gates[{2 * units} + j]')}"


def _lstm(step: Step) -> None:
    (h, c), units = step.state, step.units
    _gates(step, units)
    step.loop(
        f"const float c = {_cell_state(step)};",
        f"{c}[j] = c;",
        f"{h}[j] = {step.gate(f'gates[{3 * units} + j]')} * {step.function('c')};",
    )


def _projected(step: Step) -> None:
    (h, c), units = step.state, step.units
    (projection,) = step.further
    size = projection.shape[1]
    _gates(step, size)
    step.source.buffer("wide", units)
    step.loop(
        f"const float c = {_cell_state(step)};",
        f"{c}[j] = c;",
        f"wide[j] = {step.gate(f'gates[{3 * units} + j]')} * {step.function('c')};",
    )
    step.begin("no_bias", None, size, "narrow")
    step.product("projection", "wide", projection, "narrow")
    step.copy(size, "narrow", h)


def _normalised(step: Step) -> None:
    (h, c), units, source = step.state, step.units, step.source
    norms = [step.constant(f"norm_{i}", values) for i, values in enumerate(step.further)]
    epsilon = literal(step.arithmetic.epsilon)

    def normalise(buffer: str, size: int, scale: str, shift: str) -> None:
        function = source.call("normalise")
        source.line(f"{function}<{size}>({buffer}, {epsilon}, {scale}, {shift});")

    step.begin("no_bias", None, 4 * units, "gates")
    step.product("kernel", step.x, step.kernel, "gates")
    normalise("gates", 4 * units, *norms[:2])
    step.begin("no_bias", None, 4 * units, "kept")
    source.buffer("before", units)
    step.copy(units, h, "before")
    step.product("recurrent_kernel", "before", step.recurrent, "kept")
    normalise("kept", 4 * units, *norms[2:4])
    bias = "" if step.bias is None else f" + {step.constant('bias', step.bias)}[j]"
    step.loop(f"gates[j] += kept[j]{bias};", size=4 * units)
    step.loop(f"{c}[j] = {_cell_state(step)};")
    normalise(c, units, *norms[4:])
    step.loop(f"{h}[j] = {step.gate(f'gates[{3 * units} + j]')} * {step.function(f'{c}[j]')};")


def _min_gru(step: Step) -> None:
    (h,), units = step.state, step.units
    step.begin("bias", step.bias, 2 * units, "gates")
    step.product("kernel", step.x, step.kernel, "gates")
    step.loop(
        f"const float z = {step.source.call('sigmoid')}(gates[j]);",
        f"{h}[j] = (1.0f - z) * {h}[j] + z * {step.function(f'gates[{units} + j]')};",
    )


def _min_lstm(step: Step) -> None:
    (h,), units, call = step.state, step.units, step.source.call
    step.begin("bias", step.bias, 3 * units, "gates")
    step.product("kernel", step.x, step.kernel, "gates")
    step.loop(
        f"const float i = {call('log_sigmoid')}(gates[j]);",
        f"const float f = {call('sigmoid')}({call('log_sigmoid')}(gates[{units} + j]) - i);",
        f"{h}[j] = f * {h}[j] + (1.0f - f) * {step.function(f'gates[{2 * units} + j]')};",
    )


_CELLS: dict[Any, Callable[[Step], None]] = {
    recurrence.SimpleRNN: _simple,
    recurrence.GRU: _gru,
    recurrence.LSTM: _lstm,
    ProjectedLSTM: _projected,
    LayerNormLSTM: _normalised,
    MinGRU: _min_gru,
    MinLSTM: _min_lstm,
}
