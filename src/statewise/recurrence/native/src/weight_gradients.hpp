// Gradients of weights: sums over many steps and rows at once, as products of a transposed matrix.
#pragma once

#include "packed.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// Rows of a matrix, gathered one by one, as the left operand of "transposed times panels": blocks
// of kTileRows columns, each (rows, kTileRows).
template <class T>
class Gathered {
 public:
  static Index size(Index columns, Index rows) {
    return ceil_div(columns, kTileRows) * kTileRows * rows;
  }
  static Index block_count(Index columns) { return ceil_div(columns, kTileRows); }

  Gathered() = default;
  Gathered(T* data, Index columns) : data_(data), columns_(columns) {}

  // Row k of `rows`, as far as the blocks in `blocks` go; null stands for zeros. `scale`, and `mask`
  // beside it, multiply it if given.
  void put(Index k, Index rows, const T* from, Range blocks, const T* scale = nullptr,
           const T* mask = nullptr) const {
    for (Index block = blocks.from; block < blocks.to; ++block) {
      T* to = data_ + (block * rows + k) * kTileRows;
      const Index at = block * kTileRows, count = min_of(kTileRows, columns_ - at);
      if (!from) {
        fill(to, kTileRows, T(0));
      } else if (scale) {
        for (Index i = 0; i < count; ++i) to[i] = from[at + i] * scale[at + i];
      } else {
        for (Index i = 0; i < count; ++i) to[i] = from[at + i];
      }
      if (from && mask)
        for (Index i = 0; i < count; ++i) to[i] *= mask[at + i];
    }
  }

  // to (columns, count) (+)= transposed rows @ panel, of which `count` columns are wanted.
  void multiply(const T* panel, Index rows, Index count, T* to, Index to_row, bool add) const {
    for (Index m = 0; m < columns_; m += kTileRows) {
      const Index height = min_of(kTileRows, columns_ - m);
      const T* left = data_ + m * rows;
      T* at = to + m * to_row;
      if (count == kPanel<T>) {
        tile_of<T, kTileRows>(height, rows, left, 1, panel, {add ? at : nullptr, to_row},
                              {at, to_row});
        continue;
      }
      T sums[kTileRows * kPanel<T>];
      tile_of<T, kTileRows>(height, rows, left, 1, panel, {nullptr, 0}, {sums, kPanel<T>});
      for (Index i = 0; i < height; ++i)
        for (Index n = 0; n < count; ++n)
          at[i * to_row + n] = (add ? at[i * to_row + n] : T(0)) + sums[i * kPanel<T> + n];
    }
  }

 private:
  T* data_ = nullptr;
  Index columns_ = 0;
};

// to (count) (+)= the sum of a panel's rows
template <class T>
inline void add_up(const T* panel, Index rows, Index count, T* to, bool add) {
  Vec<T> low{}, high{};
  for (Index k = 0; k < rows; ++k) {
    low += load(panel + k * kPanel<T>);
    high += load(panel + k * kPanel<T> + kLanes<T>);
  }
  T sums[kPanel<T>];
  store(sums, low);
  store(sums + kLanes<T>, high);
  for (Index n = 0; n < count; ++n) to[n] = (add ? to[n] : T(0)) + sums[n];
}

// The gradients of a layer's weights, and how a chunk of steps is added to them.
template <class T, class C>
class WeightGradients {
 public:
  // Those of a part of the batch: the first part's are the result, the others' are added to it.
  static WeightGradients of_part(Index number, const Problem<T>& p, const Gradients<T>& result,
                                 Workspace& workspace) {
    WeightGradients w;
    w.features_ = p.features;
    w.units_ = p.units;
    w.kernel_ = result.d_kernel;
    w.recurrent_ = result.d_recurrent;
    w.bias_ = result.d_bias;
    if (number == 0) return w;
    const Index row = gates_of<C>() * p.units;
    w.kernel_ = take<T>(workspace, p.features * row);
    w.recurrent_ = take<T>(workspace, p.units * row);
    if (w.bias_) w.bias_ = take<T>(workspace, bias_count(C::kCell) * p.units);
    return w;
  }

  static Index panel_count(Index units) { return gates_of<C>() * groups_of<T>(units); }

  // Adds the rows of d_gates (rows, kBlocks * units) for some of the panels. `panel` has room for
  // two panels; the operands, a WeightOperands, are what each gate's kernels multiplied.
  template <class Operands>
  void add(const T* d_gates, Index rows, const Operands& operands, Range panels, T* panel,
           bool first) const {
    const Index groups = groups_of<T>(units_), row = gates_of<C>() * units_;
    for (Index q = panels.from; q < panels.to; ++q) {
      const Index gate = q / groups, unit = q % groups * kPanel<T>;
      const Index count = min_of(kPanel<T>, units_ - unit), at = gate * units_ + unit;
      const Index step = C::kBlocks * units_;
      pack_panel(panel, rows, count, d_gates + C::kInputBlock[gate] * units_ + unit, step, 1);
      const T* recurrent = panel;
      if (C::kRecurrentBlock[gate] != C::kInputBlock[gate]) {
        T* other = panel + rows * kPanel<T>;
        pack_panel(other, rows, count, d_gates + C::kRecurrentBlock[gate] * units_ + unit, step, 1);
        recurrent = other;
      }
      operands.x(gate).multiply(panel, rows, count, kernel_ + at, row, !first);
      operands.h(gate).multiply(recurrent, rows, count, recurrent_ + at, row, !first);
      if (!bias_) continue;
      add_up(panel, rows, count, bias_ + at, !first);
      if constexpr (C::kCell == Cell::kGRU)
        add_up(recurrent, rows, count, bias_ + row + at, !first);
    }
  }

  // Adds another's sums to these: the i-th of n parts of all weights.
  void add(const WeightGradients& other, Index i, Index n) const {
    const Index row = gates_of<C>() * units_;
    add_part(kernel_, other.kernel_, part(features_ * row, i, n));
    add_part(recurrent_, other.recurrent_, part(units_ * row, i, n));
    if (bias_) add_part(bias_, other.bias_, part(bias_count(C::kCell) * units_, i, n));
  }

 private:
  static void add_part(T* to, const T* from, Range range) {
    for (Index i = range.from; i < range.to; ++i) to[i] += from[i];
  }

  Index features_ = 0, units_ = 0;
  T* kernel_ = nullptr;
  T* recurrent_ = nullptr;
  T* bias_ = nullptr;
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
