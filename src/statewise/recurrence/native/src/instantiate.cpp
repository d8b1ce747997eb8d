// The kernels of one instruction set, STATEWISE_ISA, as a table.
#include "backward.hpp"
#include "forward.hpp"

namespace statewise {
namespace STATEWISE_ISA {
namespace {

// Calls a generic function object with the cell's class.
template <class F>
void with_cell(Cell cell, F&& f) {
  switch (cell) {
    case Cell::kSimpleRNN:
      return f(SimpleRNN{});
    case Cell::kLSTM:
      return f(LSTM{});
    case Cell::kGRU:
      return f(GRU{});
    case Cell::kGRUResetBefore:
      return f(GRUResetBefore{});
  }
}

#if defined(__AMX_BF16__)
// Whether the tile unit is the faster way for a layer. It works in pieces of 16 rows and 32 of the
// inner dimension, at about twice the speed of the vectors; cutting a row's values in parts costs as
// much as multiplying it by 32 columns more. (Measured: LSTMs of 32 to 512 units.)
bool on_tiles(const Problem<float>& p) {
  constexpr double kGain = 1.9, kCutting = 32;
  const double rows = double(ceil_div(p.batch, kTileHeight) * kTileHeight);
  const double inner = double((depth_of(p.units) + depth_of(p.features)) * kTileDepth);
  return rows * inner / kGain + p.batch * kCutting < double(p.batch) * (p.units + p.features);
}
#endif

template <class T>
void forward(const Problem<T>& problem, const Results<T>& results, const T* packed) {
  with_cell(problem.cell, [&](auto cell) {
    using C = decltype(cell);
#if defined(__AMX_BF16__)
    if (!packed && on_tiles(problem))
      return Forward<T, C, ForwardTiles<C>>(problem, results, packed).run();
#endif
    Forward<T, C, ForwardPanels<T, C>>(problem, results, packed).run();
  });
}

template <class T>
void backward(const Problem<T>& problem, const Cotangents<T>& given, const Gradients<T>& wanted) {
  with_cell(problem.cell, [&](auto cell) {
    using C = decltype(cell);
#if defined(__AMX_BF16__)
    if (on_tiles(problem))
      return Backward<T, C, BackwardTiles<C>>(problem, given, wanted).run();
#endif
    Backward<T, C, BackwardPanels<T, C>>(problem, given, wanted).run();
  });
}

template <class T>
Index packed_size(Cell cell, Index features, Index units) {
  Index size = 0;
  with_cell(cell, [&](auto c) { size = Packed<T, decltype(c)>(features, units).size(); });
  return size;
}

template <class T>
void pack(const Problem<T>& p, T* packed) {
  with_cell(p.cell, [&](auto c) {
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

template <class T>
Vec<T> relu(Vec<T> x) {
  return x < Vec<T>{} ? Vec<T>{} : x;
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
void activate(Activation activation, T* row, Index count) {
  switch (activation) {
    case Activation::kLinear:
      return;
    case Activation::kTanh:
      return apply<T, tanh<T>>(row, row, count);
    case Activation::kSigmoid:
      return apply<T, sigmoid<T>>(row, row, count);
    case Activation::kRelu:
      return apply<T, relu<T>>(row, row, count);
    case Activation::kSoftmax:
      return softmax(row, count);
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
      activate(layer.activation, sums + i * width, layer.units);
      copy(out + (m + i) * layer.units, sums + i * width, layer.units);
    }
  }
}

template <class T>
constexpr Kernels<T> table() {
  return {forward<T>,    backward<T>,
          packed_size<T>, pack<T>,
          packed_dense_size<T>, pack_dense<T>,
          dense<T>,       apply<T, exp<T>>,
          apply<T, tanh<T>>, apply<T, sigmoid<T>>};
}

}  // namespace

extern const Kernels<float> kernels_float;
const Kernels<float> kernels_float = table<float>();
#if !defined(__AMX_BF16__)  // the tile unit has nothing for float64
extern const Kernels<double> kernels_double;
const Kernels<double> kernels_double = table<double>();
#endif

}  // namespace STATEWISE_ISA
}  // namespace statewise
