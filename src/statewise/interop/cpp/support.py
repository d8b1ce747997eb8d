"""The C++ that headers share: exponentials and what is made of them, and what a header needs.

The exponential is that of a value below zero: :math:`e^{-a} = 2^{-n} e^r` with
:math:`|r| \\le \\ln(2) / 2`, where :math:`e^r - 1` is a polynomial. It's written without a branch,
so that compilers compute several values at once. Measured between -87 and 87, sigmoid and tanh are
off by at most 1.8e-7 of their value, 2 units in the last place. NaN stays NaN.

Source of the polynomial and the split of ln(2): Moshier, "Cephes Mathematical Library", expf.
"""

from collections.abc import Iterable

from statewise.interop.cpp.products import FEW, PRODUCT, SETTLE

_COPY = """
template <std::size_t N>
inline void copy(const float* from, float* to) noexcept {
  for (std::size_t j = 0; j < N; ++j) to[j] = from[j];
}
"""

_EITHER = """
inline std::int32_t bits_of(float x) noexcept {
  std::int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float from_bits(std::int32_t bits) noexcept {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// first ? a : b, without a branch.
inline float either(bool first, float a, float b) noexcept {
  const std::int32_t mask = -static_cast<std::int32_t>(first);
  return from_bits((bits_of(a) & mask) | (bits_of(b) & ~mask));
}
"""

_POWER = """
struct Power {
  float scale, part;
};

// exp(-a) as scale * (1 + part), for a of 0 and more, of which the bits are given; 87 at most.
inline Power power(std::int32_t given) noexcept {
  const float a = either(given < 0x42ae0000, from_bits(given), 87.0f);
  const std::int32_t n = static_cast<std::int32_t>(a * 1.44269504f + 0.5f);
  const float whole = static_cast<float>(n);
  const float r = (whole * 0.693359375f - a) + whole * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {from_bits((127 - n) << 23), p * r * r + r};
}
"""

_EXP = """
// exp(-a) for a of 0 and more.
inline float exp_minus(float a) noexcept {
  const Power e = power(bits_of(a));
  return either(bits_of(a) <= 0x7f800000, e.scale * e.part + e.scale, a);
}
"""

_EXPM1 = """
// exp(-a) - 1 for a of 0 and more.
inline float expm1_minus(float a) noexcept {
  const Power e = power(bits_of(a));
  return either(bits_of(a) <= 0x7f800000, e.scale * e.part + (e.scale - 1.0f), a);
}
"""

_EXACT_EXP = """
inline float exp_minus(float a) noexcept { return std::exp(-a); }
"""

_EXACT_EXPM1 = """
inline float expm1_minus(float a) noexcept { return std::expm1(-a); }
"""

_TANH = """
inline float tanh(float x) noexcept {
  const float e = expm1_minus(2.0f * std::fabs(x));
  return std::copysign(e / (2.0f + e), x);
}
"""

_EXACT_TANH = """
inline float tanh(float x) noexcept { return std::tanh(x); }
"""

_SIGMOID = """
inline float sigmoid(float x) noexcept {
  const float e = exp_minus(std::fabs(x));
  return either(bits_of(x) < 0, e, 1.0f) / (1.0f + e);
}
"""

_CLIP = """
inline float clip(float x, float low, float high) noexcept {
  return x < low ? low : (x > high ? high : x);
}
"""

_SOFTPLUS = """
inline float softplus(float x) noexcept {
  return std::log1p(exp_minus(std::fabs(x))) + (x < 0.0f ? 0.0f : x);
}
"""

_ELU = """
inline float elu(float x) noexcept {
  const float below = expm1_minus(std::fabs(x));
  return either(x < 0.0f, below, x);
}
"""

_SUM = """
template <std::size_t N>
inline float sum(const float* x) noexcept {
  float s[8] = {};
  for (std::size_t j = 0; j < N; ++j) s[j % 8] += x[j];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
"""

_NORMALISE = """
// x with mean 0 and variance 1, then scaled and shifted.
template <std::size_t N>
inline void normalise(float* x, float epsilon, const float* scale, const float* shift) noexcept {
  const float mean = sum<N>(x) / static_cast<float>(N);
  float squares[N];
  for (std::size_t j = 0; j < N; ++j) x[j] -= mean;
  for (std::size_t j = 0; j < N; ++j) squares[j] = x[j] * x[j];
  const float factor = 1.0f / std::sqrt(sum<N>(squares) / static_cast<float>(N) + epsilon);
  for (std::size_t j = 0; j < N; ++j) x[j] = x[j] * factor * scale[j] + shift[j];
}
"""

_LARGEST = """
template <std::size_t N>
inline float largest(const float* x) noexcept {
  float most = x[0];
  for (std::size_t j = 1; j < N; ++j) most = x[j] > most ? x[j] : most;
  return most;
}
"""

_SOFTMAX = """
template <std::size_t N>
inline void softmax(float* x) noexcept {
  const float most = largest<N>(x);
  for (std::size_t j = 0; j < N; ++j) x[j] = exp_minus(std::fabs(most - x[j]));
  const float total = sum<N>(x);
  for (std::size_t j = 0; j < N; ++j) x[j] /= total;
}
"""

_LOG_SOFTMAX = """
template <std::size_t N>
inline void log_softmax(float* x) noexcept {
  const float most = largest<N>(x);
  float powers[N];
  for (std::size_t j = 0; j < N; ++j) powers[j] = exp_minus(std::fabs(most - x[j]));
  const float total = most + std::log(sum<N>(powers));
  for (std::size_t j = 0; j < N; ++j) x[j] -= total;
}
"""


def _one(name: str, expression: str) -> str:
    return f"\ninline float {name}(float x) noexcept {{ return {expression}; }}\n"


# In the order in which they are written: what a part needs stands before it.
_PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "copy": (_COPY, ()),
    "settle": (SETTLE, ()),
    "add_product": (PRODUCT, ("settle",)),
    "add_few": (FEW, ("settle",)),
    "either": (_EITHER, ()),
    "power": (_POWER, ("either",)),
    "exp_minus": (_EXP, ("power",)),
    "expm1_minus": (_EXPM1, ("power",)),
    "clip": (_CLIP, ()),
    "sum": (_SUM, ()),
    "largest": (_LARGEST, ()),
    "normalise": (_NORMALISE, ("sum",)),
    "tanh": (_TANH, ("expm1_minus",)),
    "sigmoid": (_SIGMOID, ("exp_minus", "either")),
    "relu": (_one("relu", "x < 0.0f ? 0.0f : x"), ()),
    "relu6": (_one("relu6", "clip(x, 0.0f, 6.0f)"), ("clip",)),
    "leaky_relu": (_one("leaky_relu", "x < 0.0f ? 0.2f * x : x"), ()),
    "hard_tanh": (_one("hard_tanh", "clip(x, -1.0f, 1.0f)"), ("clip",)),
    "hard_sigmoid": (_one("hard_sigmoid", "clip(x + 3.0f, 0.0f, 6.0f) / 6.0f"), ("clip",)),
    "old_hard_sigmoid": (
        _one("old_hard_sigmoid", "clip(0.2f * x + 0.5f, 0.0f, 1.0f)"),
        ("clip",),
    ),
    "hard_silu": (_one("hard_silu", "x * hard_sigmoid(x)"), ("hard_sigmoid",)),
    "softsign": (_one("softsign", "x / (1.0f + std::fabs(x))"), ()),
    "softplus": (_SOFTPLUS, ("exp_minus",)),
    "log_sigmoid": (_one("log_sigmoid", "-softplus(-x)"), ("softplus",)),
    "elu": (_ELU, ("expm1_minus", "either")),
    "selu": (
        _one(
            "selu",
            "1.0507009873554805f * (x < 0.0f ? 1.6732632423543772f * elu(x) : x)",
        ),
        ("elu",),
    ),
    "silu": (_one("silu", "x * sigmoid(x)"), ("sigmoid",)),
    "gelu": (_one("gelu", "0.5f * x * std::erfc(x * -0.70710678118654752f)"), ()),
    "mish": (_one("mish", "x * tanh(softplus(x))"), ("tanh", "softplus")),
    "exponential": (_one("exponential", "std::exp(x)"), ()),
    "softmax": (_SOFTMAX, ("exp_minus", "sum", "largest")),
    "log_softmax": (_LOG_SOFTMAX, ("exp_minus", "sum", "largest")),
}
_EXACT = {"exp_minus": _EXACT_EXP, "expm1_minus": _EXACT_EXPM1, "tanh": _EXACT_TANH}


def support(names: Iterable[str], exact: bool) -> str:
    """Return the C++ of the functions named, and of those that they need.

    Args:
        names: of functions.
        exact: whether exponentials are the standard library's.
    """
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += () if exact and name in _EXACT else _PARTS[name][1]
    return "".join(
        _EXACT[name] if exact and name in _EXACT else text
        for name, (text, _) in _PARTS.items()
        if name in needed
    )
