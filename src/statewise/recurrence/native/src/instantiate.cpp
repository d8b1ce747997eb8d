// The kernels of one instruction set, STATEWISE_ISA, as a table.
#include "backward.hpp"
#include "forward.hpp"
#include "forward_row.hpp"
#include "forward_step.hpp"
#include "linear.hpp"

namespace statewise {
namespace STATEWISE_ISA {
namespace {

template <class T>
void forward(const Problem<T>& problem, const Results<T>& results, const T* packed) {
  with_cell_of(problem, [&](auto cell) {
    using C = decltype(cell);
    if (is_small_row(problem)) {
      if (problem.units <= kLanes<T>) {
        ForwardRow<T, C, 1>(problem, results, packed).run();
      } else {
        ForwardRow<T, C, 2>(problem, results, packed).run();
      }
      return;
    }
    if constexpr (C::kPhases == 1) {
      const Plan plan = plan_for<ForwardPanels<T, C>>(problem, groups_of<T>(problem.units));
      if (is_step<T, C>(problem, plan))
        return ForwardStep<T, C>(problem, results, plan, packed).run();
    }
    Forward<T, C, ForwardPanels<T, C>>(problem, results, packed).run();
  });
}

template <class T>
void backward(const Problem<T>& problem, const Cotangents<T>& given, const Gradients<T>& wanted) {
  with_cell_of(problem, [&](auto cell) {
    using C = decltype(cell);
    Backward<T, C, BackwardPanels<T, C>>(problem, given, wanted).run();
  });
}

template <class T>
Index packed_size(Cell cell, Index features, Index units) {
  Index size = 0;
  with_cell<Plain>(cell, [&](auto c) { size = Packed<T, decltype(c)>(features, units).size(); });
  return size;
}

template <class T>
void pack(const Problem<T>& p, T* packed) {
  with_cell<Plain>(p.cell, [&](auto c) {
    Packed<T, decltype(c)>(p.features, p.units).pack(p, packed, 0, groups_of<T>(p.units));
  });
}

// A dense layer's panels, then its bias.
template <class T>
Index packed_dense_size(Index inputs, Index units) {
  return groups_of<T>(units) * kPanel<T> * (inputs + 1);
}

template <class T>
void pack_dense(Index inputs, Index units, const T* kernel, const T* bias, T* packed) {
  T* slots = packed + groups_of<T>(units) * kPanel<T> * inputs;
  for (Index g = 0; g < groups_of<T>(units); ++g) {
    const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, units - unit);
    pack_panel(packed + unit * inputs, inputs, count, kernel + unit, units, 1);
    for (Index n = 0; n < kPanel<T>; ++n)
      slots[unit + n] = bias && n < count ? bias[unit + n] : T(0);
  }
}

template <class T, Vec<T> (*function)(Vec<T>)>
void apply(const T* x, T* out, Index count) {
  for (Index i = 0; i < count; i += kLanes<T>)
    store_first(out + i, function(load_first(x + i, count - i)), count - i);
}

// Softmax of one row, in place; a greatest value that is infinite or NaN gives NaN.
template <class T>
void softmax(T* row, Index count) {
  T greatest = row[0];
  for (Index i = 1; i < count; ++i) greatest = row[i] > greatest ? row[i] : greatest;
  for (Index i = 0; i < count; ++i) row[i] -= greatest;
  apply<T, exp<T>>(row, row, count);
  T sum = 0;
  for (Index i = 0; i < count; ++i) sum += row[i];
  for (Index i = 0; i < count; ++i) row[i] /= sum;
}

template <class T>
void activate(Activation activation, const T* x, T* out, Index count) {
  for (Index i = 0; i < count; i += kLanes<T>)
    store_first(out + i, value_of<T>(activation, load_first(x + i, count - i)), count - i);
}

template <class T>
void slope(Activation activation, const T* x, T* out, Index count) {
  for (Index i = 0; i < count; i += kLanes<T>) {
    const Vec<T> at = load_first(x + i, count - i), y = value_of<T>(activation, at);
    const Vec<T> entered = needs_entered(activation) ? at : Vec<T>{};
    store_first(out + i, slope_of<T>(activation, entered, y), count - i);
  }
}

// In place, of a row of a dense layer.
template <class T>
void activate_row(Activation activation, T* row, Index count) {
  switch (activation) {
    case Activation::kLinear:
      return;
    case Activation::kTanh:
      return apply<T, tanh<T>>(row, row, count);
    case Activation::kSigmoid:
      return apply<T, sigmoid<T>>(row, row, count);
    case Activation::kSoftmax:
      return softmax(row, count);
    default:
      return activate(activation, row, row, count);
  }
}

template <class T>
void dense(const Dense<T>& layer, Index rows, const T* x, T* out) {
  // Rows are taken a few tiles at a time, so that their sums stay in the cache.
  constexpr Index kRows = 8 * kTileRows;
  const Index groups = groups_of<T>(layer.units), width = groups * kPanel<T>;
  Workspace workspace;
  T* sums = take<T>(workspace, min_of(rows, kRows) * width);
  const T* bias = layer.packed + width * layer.inputs;
  for (Index m = 0; m < rows; m += kRows) {
    const Index height = min_of(kRows, rows - m);
    product<T>(height, groups, layer.inputs, {x + m * layer.inputs, layer.inputs}, layer.packed,
               {bias, 0}, {sums, width});
    for (Index i = 0; i < height; ++i) {
      activate_row(layer.activation, sums + i * width, layer.units);
      copy(out + (m + i) * layer.units, sums + i * width, layer.units);
    }
  }
}

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

template <class T>
void adam(const AdamStep<T>& step, const AdamArrays<T>& a, Index from, Index to) {
  // Results replace at most what they are made of.
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (Index i = from; i < to; ++i) {
    const T g = a.gradient[i];
    const T m = a.first[i] + (g - a.first[i]) * step.one_minus_beta_1;
    const T v = a.second[i] + (g * g - a.second[i]) * step.one_minus_beta_2;
    a.new_first[i] = m;
    a.new_second[i] = v;
    a.new_parameters[i] = a.parameters[i] - m * step.rate / (root(v) + step.epsilon);
  }
}

template <class T>
constexpr Kernels<T> table() {
  return {forward<T>,    backward<T>,
          packed_size<T>, pack<T>,
          packed_dense_size<T>, pack_dense<T>,
          dense<T>,       adam<T>,
          linear_forward<T>, linear_backward<T>,
          apply<T, exp<T>>,
          activate<T>,    slope<T>};
}

}  // namespace

extern const Kernels<float> kernels_float;
extern const Kernels<double> kernels_double;
const Kernels<float> kernels_float = table<float>();
const Kernels<double> kernels_double = table<double>();

}  // namespace STATEWISE_ISA
}  // namespace statewise
