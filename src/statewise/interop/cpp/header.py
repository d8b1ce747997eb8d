"""The text of a header, from its parts."""

import hashlib
from dataclasses import dataclass

from statewise._version import __version__
from statewise.interop.cpp.names import Names, comment
from statewise.interop.cpp.source import Source, Value
from statewise.interop.cpp.support import support


@dataclass(frozen=True)
class Signature:
    """What goes into a step and comes out of it.

    Attributes:
        input_names: of the model.
        inputs: what stands for them.
        output_names: of the model.
        outputs: what stands for them.
    """

    input_names: list[str]
    inputs: list[Value]
    output_names: list[str]
    outputs: list[Value]


_HEAD = """// The live step of the model "{model}", one time step of one sample.
// Written by statewise {version}; {weights} weights, {state} bytes of state, about {stack} bytes of
// stack. Needs C++17 and nothing else; fastest with -O3 and the processor's own instructions.
//
//   {namespace}::State state;                              // a new sequence: zeros
//   {namespace}::Output y = {namespace}::step(x, state);   // one step on
"""


def header(source: Source, signature: Signature, namespace: str, model: str, exact: bool) -> str:
    """Return the text of a header.

    All of it stands in a namespace within the one that is named, whose name is made of the content:
    two headers of one name never mix, in a program that has both.
    """
    for value, position in ((v, i) for i, v in enumerate(signature.outputs)):
        source.line(f"{source.call('copy')}<{value.size}>({value.name}, y{position});")
    content = "\n".join(
        [
            f"namespace detail {{\n{support(source.used, exact)}\n}}  // namespace detail\n",
            "namespace weights {\n",
            *source.constants,
            "\n}  // namespace weights\n",
            _state(source),
            _types(signature),
            _step(source, signature),
        ]
    )
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    guard = f"STATEWISE_{namespace}_{digest}"
    head = _HEAD.format(
        model=comment(model),
        version=__version__,
        weights=source.weights,
        state=4 * sum(size for _, size, _ in source.members),
        stack=source.stack,
        namespace=namespace,
    )
    return f"""{head}
#ifndef {guard}
#define {guard}

#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace {namespace} {{
inline namespace of_{digest} {{

{content}
}}  // namespace of_{digest}
}}  // namespace {namespace}

#endif
"""


def _state(source: Source) -> str:
    """Return the struct of the state."""
    members = "".join(
        f"  float {name}[{size}] = {{}};  // {comment(told)}\n"
        for name, size, told in source.members
    )
    return f"// What is carried from step to step.\nstruct State {{\n{members}}};\n"


def _types(signature: Signature) -> str:
    """Return the types of what goes in and comes out."""
    return _type("Input", signature.input_names, signature.inputs) + _type(
        "Output", signature.output_names, signature.outputs
    )


def _type(kind: str, names: list[str], values: list[Value]) -> str:
    if len(values) == 1:
        return f"using {kind} = {_held(values[0])};\n"
    given = Names()
    members = "".join(
        f"  {_held(value)} {given.new(name)}{{}};  // {comment(repr(name))}\n"
        for name, value in zip(names, values, strict=True)
    )
    return f"struct {kind} {{\n{members}}};\n"


def _held(value: Value) -> str:
    return "std::int32_t" if value.kind == "token" else f"std::array<float, {value.size}>"


def _step(source: Source, signature: Signature) -> str:
    """Return the functions."""
    taken = [
        f"std::int32_t x{i}" if value.kind == "token" else f"const float* x{i}"
        for i, value in enumerate(signature.inputs)
    ]
    left = [f"float* y{i}" for i in range(len(signature.outputs))]
    unused = "" if source.members else "  static_cast<void>(state);\n"
    body = "\n".join(_indented(source.lines))
    ins = _passed("x", signature.input_names, signature.inputs)
    outs = _passed("y", signature.output_names, signature.outputs)
    return f"""
// One step on, with arrays of one's own; they may be the same ones.
inline void step({", ".join([*taken, "State& state", *left])}) noexcept {{
{unused}{body}
}}

// One step on.
inline Output step(const Input& x, State& state) noexcept {{
  Output y{{}};
  step({", ".join([*ins, "state", *outs])});
  return y;
}}
"""


def _passed(name: str, names: list[str], values: list[Value]) -> list[str]:
    given = Names()
    members = [name] if len(values) == 1 else [f"{name}.{given.new(one)}" for one in names]
    return [
        member if value.kind == "token" else f"{member}.data()"
        for member, value in zip(members, values, strict=True)
    ]


def _indented(lines: list[str]) -> list[str]:
    """Return statements, indented by their braces."""
    depth, result = 1, []
    for line in lines:
        plain = line.strip()
        closing = plain.startswith("}")
        if plain.startswith("//"):
            result.append(f"  {plain}")
            continue
        extra = "  " if line.startswith("  ") else ""
        result.append(f"{'  ' * (depth - closing)}{extra}{plain}" if plain else "")
        depth += plain.count("{") - plain.count("}")
    return result
