"""What a header is put together of: constants, the state, and the statements of a step."""

from dataclasses import dataclass

import numpy as np

from statewise.interop.cpp.names import Names, comment

_MOST = 4_000_000  # weights, beyond which compilers take minutes and gigabytes
_FEW = 8  # outputs, below which a product is written row by row


def refused(layer, why: str, instead: str = "") -> ValueError:
    """Return the error: which layer can't be written as C++, why, and what is possible instead."""
    name = getattr(layer, "name", type(layer).__name__)
    end = f". {instead}." if instead else "."
    return ValueError(
        f"Layer {name!r} ({type(layer).__name__}) can't be written as C++: {why}{end}"
    )


def padded(size: int) -> int:
    """Return how many values a buffer holds: a multiple of 8."""
    return -(-size // 8) * 8


def literal(value: float) -> str:
    """Return a float32 as C++ writes it exactly.

    >>> literal(0.5), literal(-3.0), literal(0.0)
    ('0x1p-1f', '-0x1.8p+1f', '0x0p+0f')
    """
    mantissa, exponent = float(np.float32(value)).hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}f"


@dataclass(frozen=True)
class Value:
    """What stands for a tensor: one step of it.

    Attributes:
        name: of the buffer, or of a bool for a mask, or of a whole number for a token.
        size: how many values there are in it.
        rank: of the tensor: 3 for a sequence (batch, time, features), 2 for (batch, features).
        kind: "values", "token" or "mask".
        given: the position of the input that it is, if it's one.
    """

    name: str
    size: int
    rank: int
    kind: str = "values"
    given: int | None = None


class Source:
    """The parts of a header.

    Attributes:
        constants: the definitions of weights.
        lines: the statements of a step.
        members: for each array of the state its name, size, and what it is.
        used: the functions that are called.
        stack: bytes of the buffers.
        states: by a recurrent layer's id, what its arrays are called; taken out when it's called.
    """

    def __init__(self) -> None:
        self.constants: list[str] = []
        self.lines: list[str] = []
        self.members: list[tuple[str, int, str]] = []
        self.used: set[str] = set()
        self.stack = 0
        self.weights = 0
        self.states: dict[int, list[str]] = {}
        self._count = 0
        self._constant_names, self._member_names = Names(), Names()
        self._written: dict[tuple[int, str], str] = {}

    def call(self, function: str) -> str:
        """Return a function's name as it's called, and note that it's needed."""
        self.used.add(function)
        return f"detail::{function}"

    def line(self, text: str) -> None:
        """Add statements."""
        self.lines += text.splitlines()

    def heading(self, layer) -> None:
        """Say which layer the next statements are of."""
        self.lines += ["", f"// {comment(layer.name)} ({type(layer).__name__})"]

    def new(self, size: int, rank: int) -> Value:
        """Return a new buffer, in which what is beyond the size is zero."""
        self._count += 1
        name = f"v{self._count}"
        self.buffer(name, size)
        return Value(name, size, rank)

    def flag(self, expression: str) -> Value:
        """Return a new mask: whether the step counts."""
        self._count += 1
        name = f"m{self._count}"
        self.line(f"const bool {name} = {expression};")
        return Value(name, 1, 2, kind="mask")

    def buffer(self, name: str, size: int) -> None:
        """Declare a buffer."""
        zeros = " = {}" if size % 8 else ""
        self.line(f"alignas(32) float {name}[{padded(size)}]{zeros};")
        self.stack += 4 * padded(size)

    def member(self, name: str, size: int, told: str) -> str:
        """Add an array to the state; return how it's called in a step."""
        plain = self._member_names.new(name)
        self.members.append((plain, size, told))
        return f"state.{plain}"

    def constant(self, layer, name: str, values, size: int | None = None) -> str:
        """Write an array of weights, once; return how it's called in a step.

        Args:
            layer: whose it is.
            name: what it is called there.
            values: array; read in its order.
            size: zeros are added up to so many values.
        """
        key = id(layer), name
        if key in self._written:
            return self._written[key]
        flat = np.zeros(size or np.size(values), "float32")
        flat[: np.size(values)] = np.ravel(np.asarray(values))
        if not np.isfinite(flat).all():
            raise refused(layer, f"its {name} holds values that aren't finite")
        self.weights += flat.size
        if self.weights > _MOST:
            raise refused(
                layer,
                f"with it the model has more than {_MOST} weights, which is too many for a header",
                "An ONNX file has no such limit",
            )
        plain = self._constant_names.new(f"{getattr(layer, 'name', 'layer')}_{name}")
        texts = [literal(value) for value in flat.tolist()]
        rows = [", ".join(texts[i : i + 8]) for i in range(0, len(texts), 8)]
        body = ",\n  ".join(rows)
        self.constants.append(
            f"alignas(32) inline constexpr float {plain}[{flat.size}] = {{\n  {body}}};"
        )
        self._written[key] = f"weights::{plain}"
        return self._written[key]

    def begin(self, layer, name: str, bias, size: int, to: str) -> None:
        """Let a buffer begin with a bias, or with zeros."""
        bias = np.zeros(size) if bias is None else bias
        held = padded(size) if size >= _FEW else size
        constant = self.constant(layer, name, bias, held)
        self.line(f"{self.call('copy')}<{held}>({constant}, {to});")

    def product(self, layer, name: str, x: str, kernel, to: str) -> None:
        """Add the product of a buffer with a kernel (inputs, outputs) to another buffer.

        The buffer that is multiplied holds zeros up to a multiple of 8, and the one that is added
        to has room for one.
        """
        kernel = np.asarray(kernel, "float32")
        inputs, outputs = kernel.shape
        if outputs < _FEW:
            rows = np.zeros((outputs, padded(inputs)), "float32")
            rows[:, :inputs] = kernel.T
            constant = self.constant(layer, name, rows)
            sizes, function = f"<{padded(inputs)}, {outputs}>", self.call("add_few")
        else:
            columns = np.zeros((inputs, padded(outputs)), "float32")
            columns[:, :outputs] = kernel
            blocks = [columns[:, j : j + 32].ravel() for j in range(0, padded(outputs), 32)]
            constant = self.constant(layer, name, np.concatenate(blocks))
            sizes, function = f"<{inputs}, {padded(outputs)}>", self.call("add_product")
        self.line(f"{function}{sizes}({x}, {constant}, {to});")
