// The step of the LSTM, see cells.hpp.
#pragma once

#include "cell_units.hpp"

namespace statewise {
namespace STATEWISE_ISA {

template <class F>
struct LSTM {
  static constexpr Cell kCell = Cell::kLSTM;
  static constexpr bool kPlain = F::kPlain;
  static constexpr Index kSaved = saved_count(kCell, kPlain);
  static constexpr int kSlots = 4;
  static constexpr int kInputSlot = 0, kInputGates[] = {0, 1, 2, 3};
  static constexpr int kPhases = 1;
  static constexpr int kRecurrentSlot[] = {0};
  static constexpr int kRecurrentCount[] = {4};
  static constexpr int kRecurrentGates[] = {0, 1, 2, 3};
  // The blocks of d_gates, where each of Keras's gates is found in them, and the phase of the
  // backward pass that makes each.
  static constexpr int kBlocks = 4;
  static constexpr int kInputBlock[] = {0, 1, 2, 3}, kRecurrentBlock[] = {0, 1, 2, 3};
  static constexpr int kBlockPhase[] = {0, 0, 0, 0};

  // What the first half of a step gives to the second: a loop over each is quicker than one over
  // both, where there are rows enough, as the second waits for all of the first.
  template <class T>
  struct Halfway {
    Vec<T> o, c;
  };

  template <class T>
  [[gnu::always_inline]] static void forward(int, const ForwardUnits<T>& u, Index at) {
    show(u, at, enter(u, at));
  }

  template <class T>
  [[gnu::always_inline]] static void show(const ForwardUnits<T>& u, Index at, Halfway<T> half) {
    const F f(u.activations);
    const Vec<T> h = half.o * f.template value<T>(half.c);
    store(u.h + at, h);
    if (u.output) store_first(u.output + at, h, u.count - at);
  }

  template <class T>
  [[gnu::always_inline]] static Halfway<T> enter(const ForwardUnits<T>& u, Index at) {
    const F f(u.activations);
    const T* sums = u.sums + at;
    const Vec<T> i = f.template gate<T>(load(sums));
    const Vec<T> forget = f.template gate<T>(load(sums + kPanel<T>));
    const Vec<T> entered = load(sums + 2 * kPanel<T>);
    const Vec<T> candidate = f.template value<T>(entered);
    const Vec<T> o = f.template gate<T>(load(sums + 3 * kPanel<T>));
    const Vec<T> c = forget * load(u.c + at) + i * candidate;
    store(u.c + at, c);
    if (u.saved) {
      put(u.saved, 0, u.units, at, i, u.count);
      put(u.saved, 1, u.units, at, forget, u.count);
      put(u.saved, 2, u.units, at, f.template kept<T>(entered, candidate), u.count);
      put(u.saved, 3, u.units, at, o, u.count);
      put(u.saved, 4, u.units, at, c, u.count);
    }
    return {o, c};
  }

  template <class T>
  static void backward(int, const BackwardUnits<T>& u) {
    const F f(u.activations);
    for (Index at = 0; at < u.count; at += kLanes<T>) {
      const Vec<T> i = get(u.saved, 0, u.units, at, u.count);
      const Vec<T> forget = get(u.saved, 1, u.units, at, u.count);
      const Vec<T> kept = get(u.saved, 2, u.units, at, u.count);
      const Vec<T> candidate = f.template value_of_kept<T>(kept);
      const Vec<T> o = get(u.saved, 3, u.units, at, u.count);
      const Vec<T> c = get(u.saved, 4, u.units, at, u.count);
      const Vec<T> shown = f.template value<T>(c);
      const Vec<T> c_before =
          u.saved_before ? load_first(u.saved_before + at, u.count - at) : Vec<T>{};
      const Vec<T> d_h = load(u.d_h + at);
      const Vec<T> d_c = load(u.d_c + at) + d_h * o * f.template slope<T>(c, shown);
      put(u.d_gates, 0, u.block_stride, at, d_c * candidate * f.template gate_slope<T>(i),
          u.count);
      put(u.d_gates, 1, u.block_stride, at, d_c * c_before * f.template gate_slope<T>(forget),
          u.count);
      put(u.d_gates, 2, u.block_stride, at, d_c * i * f.template slope<T>(kept, candidate),
          u.count);
      put(u.d_gates, 3, u.block_stride, at, d_h * shown * f.template gate_slope<T>(o), u.count);
      store(u.d_c + at, d_c * forget);
      store(u.passed + at, Vec<T>{});
    }
  }
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
