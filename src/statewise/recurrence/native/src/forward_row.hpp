// The forward pass of one row of no more units than a panel is wide: the steps of a small network
// that follows one series. Each step waits for the one before, so what counts is what lies between
// them: here all that can be known beforehand is, the sums stay in registers, and the inputs'
// products are done while the gates of the step before are waited for.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// `kVectors` is how many vectors of a panel have units in them.
template <class T, class C, int kVectors>
class ForwardRow {
 public:
  ForwardRow(const Problem<T>& problem, const Results<T>& results, const T* packed)
      : p_(problem), results_(results), layout_(problem.features, problem.units), packed_(packed) {
    if (packed) return;
    T* own = take<T>(workspace_, layout_.size());
    layout_.pack(problem, own, 0, 1);
    packed_ = own;
  }

  void run() {
    T h[kPanel<T>] = {}, c[kPanel<T>] = {}, z[kPanel<T>], gated[kPanel<T>] = {};
    copy(h, p_.h0, p_.units);
    if (C::kCell == Cell::kLSTM) copy(c, p_.c0, p_.units);
    ForwardUnits<T> u;
    u.h_before = u.h = h;
    u.c = c;
    u.z = z;
    u.gated = gated;
    u.output = results_.outputs;
    u.saved = results_.saved;
    u.units = u.count = p_.units;
    u.activations = p_.activations;
    const T* x = p_.x + (p_.backwards ? p_.time - 1 : 0) * p_.features;
    for (Index s = 0; s < p_.time; ++s) {
      T sums[C::kSlots * kPanel<T>];
      begin(x, sums);
      phase<0>(u, h, sums);
      if constexpr (C::kPhases == 2) phase<1>(u, gated, sums);
      x += p_.backwards ? -p_.features : p_.features;
      if (u.output) u.output += p_.units;
      if (u.saved) u.saved += C::kSaved * p_.units;
    }
    copy(results_.h, h, p_.units);
    if (C::kCell == Cell::kLSTM) copy(results_.c, c, p_.units);
  }

 private:
  // The slots, without the recurrent products.
  [[gnu::always_inline]] void begin(const T* x, T* sums) const {
    const T* bias = layout_.bias(packed_, 0);
#pragma GCC unroll 4
    for (int i = 0; i < C::kSlots; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const Index at = i * kPanel<T> + v * kLanes<T>;
        store(sums + at, load(bias + at));
      }
    row_product<T, gates_of<C>(), kVectors>(p_.features, x, layout_.kernel(packed_, 0),
                                            sums + C::kInputSlot * kPanel<T>);
  }

  template <int kPhase>
  [[gnu::always_inline]] void phase(ForwardUnits<T> u, const T* left, T* sums) const {
    T* own = sums + C::kRecurrentSlot[kPhase] * kPanel<T>;
    row_product<T, C::kRecurrentCount[kPhase], kVectors>(
        p_.units, left, layout_.recurrent(packed_, kPhase, 0), own);
    u.projected = sums;
    u.sums = own;
    C::template forward<T>(kPhase, u, 0);
    if constexpr (kVectors == 2) C::template forward<T>(kPhase, u, kLanes<T>);
  }

  const Problem<T>& p_;
  const Results<T>& results_;
  const Packed<T, C> layout_;
  Workspace workspace_;
  const T* packed_;
};

// Whether ForwardRow serves. More features are better projected for many steps at once.
template <class T>
inline bool is_small_row(const Problem<T>& p) {
  return p.batch == 1 && p.units <= kPanel<T> && p.features <= kPanel<T> && !p.mask &&
         !p.resets && !has_dropout(p);
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
