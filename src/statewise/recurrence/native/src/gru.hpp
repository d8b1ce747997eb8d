// The steps of both forms of the GRU, see cells.hpp.
#pragma once

#include "cell_units.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// With the reset gate after the recurrent product. Slots: the candidate's inputs' part, z, r, and the
// candidate's recurrent part, which begins with the recurrent bias alone.
template <class F>
struct GRU {
  static constexpr Cell kCell = Cell::kGRU;
  static constexpr bool kPlain = F::kPlain;
  static constexpr Index kSaved = saved_count(kCell, kPlain);
  static constexpr int kSlots = 4;
  static constexpr int kInputSlot = 0, kInputGates[] = {2, 0, 1};
  static constexpr int kPhases = 1;
  static constexpr int kRecurrentSlot[] = {1};
  static constexpr int kRecurrentCount[] = {3};
  static constexpr int kRecurrentGates[] = {0, 1, 2};
  // The candidate has two derivatives: for the recurrent product, in block 0, and for the inputs'.
  static constexpr int kBlocks = 4;
  static constexpr int kInputBlock[] = {1, 2, 3}, kRecurrentBlock[] = {1, 2, 0};
  static constexpr int kBlockPhase[] = {0, 0, 0, 0};

  template <class T>
  [[gnu::always_inline]] static void forward(int, const ForwardUnits<T>& u, Index at) {
    const F f(u.activations);
    const Vec<T> z = f.template gate<T>(load(u.sums + at));
    const Vec<T> r = f.template gate<T>(load(u.sums + at + kPanel<T>));
    const Vec<T> recurrent = load(u.sums + at + 2 * kPanel<T>);
    const Vec<T> entered = load(u.projected + at) + r * recurrent;
    const Vec<T> candidate = f.template value<T>(entered);
    const Vec<T> h = candidate + z * (load(u.h_before + at) - candidate);
    store(u.h + at, h);
    if (u.output) store_first(u.output + at, h, u.count - at);
    if (u.saved) {
      put(u.saved, 0, u.units, at, z, u.count);
      put(u.saved, 1, u.units, at, r, u.count);
      put(u.saved, 2, u.units, at, f.template kept<T>(entered, candidate), u.count);
      put(u.saved, 3, u.units, at, recurrent, u.count);
    }
  }

  template <class T>
  static void backward(int, const BackwardUnits<T>& u) {
    const F f(u.activations);
    for (Index at = 0; at < u.count; at += kLanes<T>) {
      const Vec<T> z = get(u.saved, 0, u.units, at, u.count);
      const Vec<T> r = get(u.saved, 1, u.units, at, u.count);
      const Vec<T> kept = get(u.saved, 2, u.units, at, u.count);
      const Vec<T> candidate = f.template value_of_kept<T>(kept);
      const Vec<T> recurrent = get(u.saved, 3, u.units, at, u.count);
      const Vec<T> h_before = u.h_before ? load_first(u.h_before + at, u.count - at) : Vec<T>{};
      const Vec<T> d_h = load(u.d_h + at);
      const Vec<T> d_candidate = d_h * (T(1) - z) * f.template slope<T>(kept, candidate);
      const Vec<T> d_z = d_h * (h_before - candidate) * f.template gate_slope<T>(z);
      const Vec<T> d_r = d_candidate * recurrent * f.template gate_slope<T>(r);
      put(u.d_gates, 0, u.block_stride, at, d_candidate * r, u.count);
      put(u.d_gates, 1, u.block_stride, at, d_z, u.count);
      put(u.d_gates, 2, u.block_stride, at, d_r, u.count);
      put(u.d_gates, 3, u.block_stride, at, d_candidate, u.count);
      store(u.passed + at, d_h * z);
    }
  }
};

// With the reset gate before the recurrent product: the candidate waits for all units' r * h.
template <class F>
struct GRUResetBefore {
  static constexpr Cell kCell = Cell::kGRUResetBefore;
  static constexpr bool kPlain = F::kPlain;
  static constexpr Index kSaved = saved_count(kCell, kPlain);
  static constexpr int kSlots = 3;
  static constexpr int kInputSlot = 0, kInputGates[] = {0, 1, 2};
  static constexpr int kPhases = 2;
  static constexpr int kRecurrentSlot[] = {0, 2};
  static constexpr int kRecurrentCount[] = {2, 1};
  static constexpr int kRecurrentGates[] = {0, 1, 2};
  static constexpr int kBlocks = 3;
  static constexpr int kInputBlock[] = {0, 1, 2}, kRecurrentBlock[] = {0, 1, 2};
  static constexpr int kBlockPhase[] = {0, 1, 0};

  template <class T>
  [[gnu::always_inline]] static void forward(int phase, const ForwardUnits<T>& u, Index at) {
    const F f(u.activations);
    if (phase == 0) {
      const Vec<T> z = f.template gate<T>(load(u.sums + at));
      const Vec<T> r = f.template gate<T>(load(u.sums + at + kPanel<T>));
      store(u.z + at, z);
      store(u.gated + at, r * load(u.h_before + at));
      if (u.saved) {
        put(u.saved, 0, u.units, at, z, u.count);
        put(u.saved, 1, u.units, at, r, u.count);
      }
      return;
    }
    const Vec<T> entered = load(u.sums + at), candidate = f.template value<T>(entered);
    const Vec<T> h = candidate + load(u.z + at) * (load(u.h_before + at) - candidate);
    store(u.h + at, h);
    if (u.output) store_first(u.output + at, h, u.count - at);
    if (u.saved)
      put(u.saved, 2, u.units, at, f.template kept<T>(entered, candidate), u.count);
  }

  template <class T>
  static void backward(int phase, const BackwardUnits<T>& u) {
    const F f(u.activations);
    for (Index at = 0; at < u.count; at += kLanes<T>) {
      const Vec<T> h_before = u.h_before ? load_first(u.h_before + at, u.count - at) : Vec<T>{};
      if (phase == 0) {
        const Vec<T> z = get(u.saved, 0, u.units, at, u.count);
        const Vec<T> kept = get(u.saved, 2, u.units, at, u.count);
        const Vec<T> candidate = f.template value_of_kept<T>(kept);
        const Vec<T> d_h = load(u.d_h + at);
        const Vec<T> d_z = d_h * (h_before - candidate) * f.template gate_slope<T>(z);
        const Vec<T> d_candidate = d_h * (T(1) - z) * f.template slope<T>(kept, candidate);
        put(u.d_gates, 0, u.block_stride, at, d_z, u.count);
        put(u.d_gates, 2, u.block_stride, at, d_candidate, u.count);
        store(u.passed + at, d_h * z);
        continue;
      }
      const Vec<T> r = get(u.saved, 1, u.units, at, u.count);
      const Vec<T> d_gated = load(u.d_gated + at);
      put(u.d_gates, 1, u.block_stride, at, d_gated * h_before * f.template gate_slope<T>(r),
          u.count);
      store(u.passed + at, load(u.passed + at) + d_gated * r);
    }
  }
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
