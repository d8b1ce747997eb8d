// The functions that enter a cell: tanh and sigmoid, compiled in (`Plain`), or any that are named by
// a number of the problem (`Chosen`). Of each there is its value and its slope.
//
// Those that aren't in math.hpp are made of its exp and of two polynomials. Against correctly rounded
// values the error of each function stays below 1e-6 in float32 and 3e-15 in float64, relative to the
// value where that is 1000 times the smallest normal number or more (below, silu and gelu may be zero
// already); that of its slope below the same, relative to 1.
#pragma once

#include "math.hpp"

namespace statewise {
namespace STATEWISE_ISA {

template <class T>
struct ActivationConstants;

// kTail: (a + 3) exp(a**2 / 2) Q(a) by t = (a - 3) / (a + 3), for the normal distribution's upper tail
// Q(a) = erfc(a / sqrt(2)) / 2 and a from 0 to kFar. kLog: atanh(s) / s by s**2, up to s = 1/3. Both
// are fitted for the smallest greatest relative error: 9.3e-10 and 4e-9, 1.4e-17 and 1.3e-18.
template <>
struct ActivationConstants<float> {
  static constexpr float kFar = 14.0f;
  static constexpr std::int32_t kHighBits = ~0xfff;  // their square is exact
  static constexpr float kTail[] = {
      0.7290836904f,    -0.5093319914f,   0.2300177008f,     -0.04726268698f,
      -0.01046253275f,  0.006969287626f,  0.001024834436f,   -0.001032442293f,
      -0.0002447970561f, 0.0001311256966f, 5.43982037e-5f};
  static constexpr float kLog[] = {1.000000004f, 0.3333315734f, 0.2001245514f, 0.1398030133f,
                                   0.1408916766f};
};

template <>
struct ActivationConstants<double> {
  static constexpr double kFar = 39.0;
  static constexpr std::int64_t kHighBits = ~std::int64_t(0x7ffffff);
  static constexpr double kTail[] = {
      0.729083690133373,       -0.50933198191748957,   0.23001771997460355,
      -0.047263025142961088,   -0.010462867023303256,  0.0069726212401208462,
      0.0010275922589395028,   -0.001045828617205902,  -0.0002565753446391214,
      0.00015439441121662392,  7.8812666280430167e-5,  -1.3245692465684493e-5,
      -2.0689172159433499e-5,  -3.5191628748243887e-6, 3.6404415893194526e-6,
      2.2604833462835628e-6,   6.3673024277743658e-9,  -6.0002884668522501e-7,
      -2.6985365018715467e-7,  5.0207760737244846e-8,  9.1391762626779816e-8,
      1.9962933101199812e-8,   -1.1159983873514277e-8, -5.544901810968855e-9,
      -4.8148293330849894e-10};
  static constexpr double kLog[] = {1.0,
                                    0.33333333333333067,
                                    0.20000000000095163,
                                    0.14285714272462577,
                                    0.11111112055886167,
                                    0.090908698938740172,
                                    0.076933177268938999,
                                    0.066500512581793755,
                                    0.060561244753431487,
                                    0.041578421826348636,
                                    0.085300312343156189};
};

template <class T, std::size_t kTerms>
inline Vec<T> polynomial(const T (&terms)[kTerms], Vec<T> x) {
  Vec<T> sum = splat<T>(terms[kTerms - 1]);
#pragma GCC unroll 32
  for (int i = static_cast<int>(kTerms) - 2; i >= 0; --i) sum = sum * x + terms[i];
  return sum;
}

template <class T>
inline Vec<T> absolute(Vec<T> x) {
  return x < Vec<T>{} ? -x : x;
}

template <class T>
inline Vec<T> relu(Vec<T> x) {
  return x < Vec<T>{} ? Vec<T>{} : x;
}

// x within [low, high]; NaN stays NaN.
template <class T>
inline Vec<T> clip(Vec<T> x, T low, T high) {
  return x < low ? splat<T>(low) : (x > high ? splat<T>(high) : x);
}

// exp(x) - 1 for x up to 0.
template <class T>
inline Vec<T> expm1(Vec<T> x) {
  const Reduced<T> e = reduce<T>(x);
  const Vec<T> two_to_n = power(e);
  return x < ExpConstants<T>::kUnderflow ? splat<T>(-1)
                                         : e.expm1 * two_to_n + (two_to_n - T(1));
}

// log(1 + exp(x))
template <class T>
inline Vec<T> softplus(Vec<T> x) {
  const Vec<T> e = exp<T>(-absolute<T>(x)), s = e / (e + T(2));
  return relu<T>(x) + T(2) * s * polynomial(ActivationConstants<T>::kLog, s * s);
}

// The normal distribution: exp(-a**2 / 2) and the part of it beyond a, for a = |x|.
template <class T>
struct Normal {
  Vec<T> bell, tail;
};

template <class T>
inline Normal<T> normal(Vec<T> x) {
  using C = ActivationConstants<T>;
  const Vec<T> all = absolute<T>(x), a = all > C::kFar ? splat<T>(C::kFar) : all;
  // The square is large where the tail is small, so what its rounding loses is made up for.
  const Vec<T> high = (Vec<T>)((Bits<T>)a & C::kHighBits);
  const Vec<T> rest = reduce<T>((high - a) * (high + a) * T(0.5)).expm1;
  const Vec<T> most = exp<T>(high * high * T(-0.5)), bell = most * (rest + T(1));
  const Vec<T> scale = T(1) / (a + T(3));
  return {bell, bell * scale * polynomial(C::kTail, (a - T(3)) * scale)};
}

template <class T>
inline Vec<T> below(Vec<T> x, const Normal<T>& n) {
  return x > Vec<T>{} ? T(1) - n.tail : n.tail;
}

constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kBellHeight = 0.39894228040143267793994605993438;  // 1 / sqrt(2 pi)

// Whether the backward pass needs what entered the function; else its value says its slope.
constexpr bool needs_entered(Activation a) {
  return a == Activation::kSilu || a == Activation::kGelu || a == Activation::kHardTanh;
}

template <class T>
inline Vec<T> hard_sigmoid(Vec<T> x) {
  return clip<T>(x + T(3), T(0), T(6)) * T(1.0 / 6);
}

// 1 / 6 where a value of hard_sigmoid lies between its ends.
template <class T>
inline Vec<T> hard_sigmoid_slope(Vec<T> y) {
  const Vec<T> zero{}, slope = splat<T>(T(1.0 / 6));
  return y > zero ? (y < splat<T>(1) ? slope : zero) : zero;
}

template <class T>
[[gnu::noinline]] Vec<T> value_of(Activation activation, Vec<T> x) {
  switch (activation) {
    case Activation::kLinear:
    case Activation::kSoftmax:  // not of one number alone
      return x;
    case Activation::kTanh:
      return tanh<T>(x);
    case Activation::kSigmoid:
      return sigmoid<T>(x);
    case Activation::kRelu:
      return relu<T>(x);
    case Activation::kHardSigmoid:
      return hard_sigmoid<T>(x);
    case Activation::kOldHardSigmoid:
      return clip<T>(x + T(2.5), T(0), T(5)) * T(0.2);
    case Activation::kHardTanh:
      return clip<T>(x, T(-1), T(1));
    case Activation::kSoftsign:
      return x / (absolute<T>(x) + T(1));
    case Activation::kElu:
      return x > Vec<T>{} ? x : expm1<T>(x);
    case Activation::kSelu:
      return T(kSeluScale) * (x > Vec<T>{} ? x : T(kSeluAlpha) * expm1<T>(x));
    case Activation::kSoftplus:
      return softplus<T>(x);
    case Activation::kSilu:
      return x * sigmoid<T>(x);
    case Activation::kGelu:
      return x * below<T>(x, normal<T>(x));
  }
  return x;
}

// The slope at x, where the function's value is y; x counts only where `needs_entered`.
template <class T>
[[gnu::noinline]] Vec<T> slope_of(Activation activation, Vec<T> x, Vec<T> y) {
  const Vec<T> zero{}, one = splat<T>(1);
  switch (activation) {
    case Activation::kLinear:
    case Activation::kSoftmax:
      return one;
    case Activation::kTanh:
      return T(1) - y * y;
    case Activation::kSigmoid:
      return y * (T(1) - y);
    case Activation::kRelu:
      return y > zero ? one : zero;
    case Activation::kHardSigmoid:
      return hard_sigmoid_slope<T>(y);
    case Activation::kOldHardSigmoid:
      return y > zero ? (y < one ? splat<T>(T(0.2)) : zero) : zero;
    case Activation::kHardTanh:
      return absolute<T>(x) > one ? zero : one;
    case Activation::kSoftsign: {
      const Vec<T> rest = T(1) - absolute<T>(y);
      return rest * rest;
    }
    case Activation::kElu:
      return y > zero ? one : y + T(1);
    case Activation::kSelu:
      return y > zero ? splat<T>(T(kSeluScale)) : y + T(kSeluScale * kSeluAlpha);
    case Activation::kSoftplus:
      return -expm1<T>(-y);
    case Activation::kSilu: {
      const Vec<T> rest = sigmoid<T>(-x);  // 1 - sigmoid(x), which times x must not lose its digits
      return sigmoid<T>(x) * (x * rest + T(1));
    }
    case Activation::kGelu: {
      const Normal<T> n = normal<T>(x);
      return below<T>(x, n) + x * n.bell * T(kBellHeight);
    }
  }
  return one;
}

// tanh, with sigmoid at the gates.
struct Plain {
  static constexpr bool kPlain = true;
  explicit Plain(Activations) {}

  template <class T>
  [[gnu::always_inline]] Vec<T> value(Vec<T> x) const {
    return tanh<T>(x);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> slope(Vec<T>, Vec<T> y) const {
    return T(1) - y * y;
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> gate(Vec<T> x) const {
    return sigmoid<T>(x);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> gate_slope(Vec<T> y) const {
    return y * (T(1) - y);
  }
  // What the forward pass keeps of a value y at x, and the value again from it; `slope` takes what
  // was kept for x.
  template <class T>
  [[gnu::always_inline]] Vec<T> kept(Vec<T>, Vec<T> y) const {
    return y;
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> value_of_kept(Vec<T> kept) const {
    return kept;
  }
};

// Those that the problem names. The numbers are the same for every vector of a call, so a processor
// foresees the ways that they choose; the most frequent ones need no call of a function.
struct Chosen {
  static constexpr bool kPlain = false;
  explicit Chosen(Activations a) : a_(a) {}

  template <class T>
  [[gnu::always_inline]] Vec<T> value(Vec<T> x) const {
    if (a_.activation == Activation::kRelu) return relu<T>(x);
    return value_of<T>(a_.activation, x);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> slope(Vec<T> x, Vec<T> y) const {
    if (a_.activation == Activation::kRelu) return y > Vec<T>{} ? splat<T>(1) : Vec<T>{};
    return slope_of<T>(a_.activation, x, y);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> gate(Vec<T> x) const {
    if (a_.recurrent == Activation::kSigmoid) return sigmoid<T>(x);
    if (a_.recurrent == Activation::kHardSigmoid) return hard_sigmoid<T>(x);
    return value_of<T>(a_.recurrent, x);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> gate_slope(Vec<T> y) const {
    if (a_.recurrent == Activation::kSigmoid) return y * (T(1) - y);
    if (a_.recurrent == Activation::kHardSigmoid) return hard_sigmoid_slope<T>(y);
    return slope_of<T>(a_.recurrent, y, y);
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> kept(Vec<T> x, Vec<T> y) const {
    return needs_entered(a_.activation) ? x : y;
  }
  template <class T>
  [[gnu::always_inline]] Vec<T> value_of_kept(Vec<T> kept) const {
    return needs_entered(a_.activation) ? value<T>(kept) : kept;
  }

 private:
  Activations a_;
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
