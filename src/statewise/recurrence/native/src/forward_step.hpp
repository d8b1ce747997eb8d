// The forward pass of one time step of many rows: what a push of live streams is, and a stateful
// layer that is given a step at a time.
//
// A sequence's inputs are projected for many steps at once, and its state stays between them. Of one
// step nothing is left to keep: each sum begins with the bias and gets both products while it is in
// registers, the gates of a few rows follow while their sums are at hand, and the state is read where
// it was given and written where it is wanted. The order of all sums is that of `Forward`.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// The sums of kRows rows and one panel: what they begin with, and two products, each (inner) from
// panels, either of which may have an inner dimension of 0.
template <class T>
struct Factor {
  Index inner;
  const T* left;  // (rows, inner)
  const T* panel;
};

template <class T, int kRows>
inline void two_products(const T* begin, Factor<T> first, Factor<T> second, Sums<T> sums) {
  constexpr Index V = kLanes<T>;
  Vec<T> sum[kRows][2];
#pragma GCC unroll 16
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) sum[m][v] = load(begin + v * V);
  const auto add = [&](const Factor<T>& factor) __attribute__((always_inline)) {
    for (Index k = 0; k < factor.inner; ++k) {
      const T* at = factor.panel + k * kPanel<T>;
      const Vec<T> right[2] = {load(at), load(at + V)};
#pragma GCC unroll 16
      for (int m = 0; m < kRows; ++m) {
        const Vec<T> a = splat(factor.left[m * factor.inner + k]);
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) sum[m][v] += a * right[v];
      }
    }
  };
  add(first);
  add(second);
#pragma GCC unroll 16
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) store(sums.data + m * sums.row + v * V, sum[m][v]);
}

// The same for up to kTileRows rows, kFewest at least.
template <class T, int kFewest, int kRows = kTileRows>
inline void two_products_of(Index rows, const T* begin, Factor<T> first, Factor<T> second,
                            Sums<T> sums) {
  if constexpr (kRows > kFewest) {
    if (rows < kRows)
      return two_products_of<T, kFewest, kRows - 1>(rows, begin, first, second, sums);
  }
  two_products<T, kRows>(begin, first, second, sums);
}

template <class T, class C>
class ForwardStep {
 public:
  // So many rows make tiles of kFewestRows and more, which `product` sums in one order too.
  static constexpr int kFewestRows = 4;
  static constexpr Index kRows = 2 * kFewestRows;

  ForwardStep(const Problem<T>& problem, const Results<T>& results, const Plan& plan,
              const T* packed)
      : p_(problem),
        results_(results),
        blocks_(plan.row_blocks),
        layout_(problem.features, problem.units),
        groups_(groups_of<T>(problem.units)) {
    own_packed_ = packed ? nullptr : take<T>(workspace_, layout_.size());
    packed_ = packed ? packed : own_packed_;
    h_before_ = p_.h0;
    if (results_.h == p_.h0) {  // all of a row's units enter the sums of each
      T* own = take<T>(workspace_, p_.batch * p_.units);
      copy(own, p_.h0, p_.batch * p_.units);
      h_before_ = own;
    }
  }

  void run() {
    auto body = [this](Index phase, Index block) {
      if (phase == 0) {
        const Range groups = part(groups_, block, blocks_);
        layout_.pack(p_, own_packed_, groups.from, groups.to);
        return;
      }
      const Range rows = part(p_.batch, block, blocks_);
      const Index tiles = ceil_div(rows.size(), kTileRows);
      for (Index g = 0; g < groups_; ++g)
        for (Index i = 0; i < tiles; ++i) {
          const Range some = part(rows.size(), i, tiles);
          step({rows.from + some.from, rows.from + some.to}, g);
        }
    };
    if (own_packed_) return run_blocks(2, blocks_, body);
    auto packed_before = [&](Index, Index block) { body(1, block); };
    run_blocks(1, blocks_, packed_before);
  }

 private:
  // The step of a tile's rows and one group.
  void step(Range rows, Index g) const {
    constexpr Index kWidth = C::kSlots * kPanel<T>;
    T sums[kTileRows * kWidth];
    const T* bias = layout_.bias(packed_, g);
    const T* x = p_.x + rows.from * p_.features;
    const T* h = h_before_ + rows.from * p_.units;
    for (int slot = 0; slot < C::kSlots; ++slot) {
      const int i = slot - C::kInputSlot, r = slot - C::kRecurrentSlot[0];
      Factor<T> inputs{0, x, nullptr}, recurrent{0, h, nullptr};
      if (i >= 0 && i < gates_of<C>())
        inputs = {p_.features, x, layout_.kernel(packed_, g) + i * p_.features * kPanel<T>};
      if (r >= 0 && r < C::kRecurrentCount[0])
        recurrent = {p_.units, h, layout_.recurrent(packed_, 0, g) + r * p_.units * kPanel<T>};
      two_products_of<T, kFewestRows>(rows.size(), bias + slot * kPanel<T>, inputs, recurrent,
                                      {sums + slot * kPanel<T>, kWidth});
    }
    finish(rows, g, sums);
  }

  // The gates and the new state of a tile's rows and one group. `sums` are free afterwards.
  void finish(Range rows, Index g, T* sums) const {
    constexpr Index kWidth = C::kSlots * kPanel<T>;
    const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
    T before[kPanel<T>] = {}, after[kPanel<T>], c[kTileRows * kPanel<T>] = {};
    ForwardUnits<T> u;
    u.h_before = before;
    u.h = after;
    u.z = u.gated = nullptr;
    u.units = p_.units;
    u.count = count;
    u.activations = p_.activations;
    const auto point_at = [&](Index b) __attribute__((always_inline)) {
      const Index row = b - rows.from, at = b * p_.units + unit;
      u.projected = sums + row * kWidth;
      u.sums = u.projected + C::kRecurrentSlot[0] * kPanel<T>;
      u.c = c + row * kPanel<T>;
      u.output = results_.outputs ? results_.outputs + at : nullptr;
      u.saved = results_.saved ? results_.saved + b * C::kSaved * p_.units + unit : nullptr;
    };
    if constexpr (C::kCell == Cell::kLSTM)  // in two loops, see there
      for (Index b = rows.from; b < rows.to; ++b) {
        point_at(b);
        copy_panel(u.c, p_.c0 + b * p_.units + unit, count);
        for (Index lane = 0; lane < count; lane += kLanes<T>)
          store(sums + (b - rows.from) * kWidth + lane, C::template enter<T>(u, lane).o);
        copy_panel(results_.c + b * p_.units + unit, u.c, count);
      }
    for (Index b = rows.from; b < rows.to; ++b) {
      point_at(b);
      if constexpr (C::kCell == Cell::kGRU)
        copy_panel(before, h_before_ + b * p_.units + unit, count);
      for (Index lane = 0; lane < count; lane += kLanes<T>) {
        if constexpr (C::kCell == Cell::kLSTM) {
          C::template show<T>(u, lane, {load(u.projected + lane), load(u.c + lane)});
        } else {
          C::template forward<T>(0, u, lane);
        }
      }
      copy_panel(results_.h + b * p_.units + unit, after, count);
    }
  }

  const Problem<T>& p_;
  const Results<T>& results_;
  const Index blocks_;
  Workspace workspace_;
  const Packed<T, C> layout_;
  const Index groups_;
  T* own_packed_;
  const T* packed_;
  const T* h_before_;
};

// Whether ForwardStep serves, as the plan has it.
template <class T, class C>
inline bool is_step(const Problem<T>& p, const Plan& plan) {
  return C::kPhases == 1 && p.time == 1 && plan.unit_blocks == 1 && !plan.streams && !p.mask &&
         !p.resets && !has_dropout(p) &&
         p.batch >= plan.row_blocks * ForwardStep<T, C>::kRows;
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
