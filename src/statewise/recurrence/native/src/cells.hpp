// The arithmetic of one step of each cell, for one row of the batch and one panel's width of units.
//
// Units are worked on in groups of kPanel. For each row and group there are a number of slots, each
// a panel wide, which hold the inputs' part of the gates; the recurrent products are added to some
// of them. A step has one phase, but for the GRU whose reset gate comes before its second product.
#pragma once

#include "activations.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// What a forward step of one row and group reads and writes.
template <class T>
struct ForwardUnits {
  const T* projected;  // the slots
  const T* sums;       // the slots that this phase's product has been added to
  const T* h_before;
  T* h;
  T* c;       // LSTM: in and out
  T* z;       // GRU with the reset before: kept between its phases
  T* gated;   // likewise: r * h_before
  T* output;  // null if not wanted
  T* saved;   // null if not wanted
  Index units;  // distance between the saved values of a unit
  Index count;  // of the units that exist in this group
  Activations activations;
};

// What a backward step reads and writes. `d_gates` are the derivatives with respect to what enters
// the gates' nonlinearities, in blocks.
template <class T>
struct BackwardUnits {
  const T* d_h;     // of this step's output, all parts added up
  const T* saved;
  const T* saved_before;  // c before the step (LSTM)
  const T* h_before;
  const T* h;
  const T* d_gated;  // second phase: of r * h_before
  T* d_c;            // LSTM: of the cell after the step in, before it out
  T* passed;         // of h_before, but for what comes through the recurrent product
  T* d_gates;
  Index units;         // distance between the saved values of a unit
  Index block_stride;  // distance between a unit's derivatives
  Index count;
  Activations activations;
};

template <class T>
inline void put(T* to, Index block, Index units, Index at, Vec<T> v, Index count) {
  store_first(to + block * units + at, v, count - at);
}

template <class T>
inline Vec<T> get(const T* from, Index block, Index units, Index at, Index count) {
  return load_first(from + block * units + at, count - at);
}

template <class F>
struct SimpleRNN {
  static constexpr Cell kCell = Cell::kSimpleRNN;
  static constexpr bool kPlain = F::kPlain;
  static constexpr Index kSaved = saved_count(kCell, kPlain);
  static constexpr int kSlots = 1;
  static constexpr int kInputSlot = 0, kInputGates[] = {0};  // Keras's gate in each input slot
  static constexpr int kPhases = 1;
  static constexpr int kRecurrentSlot[] = {0};
  static constexpr int kRecurrentCount[] = {1};
  static constexpr int kRecurrentGates[] = {0};
  static constexpr int kBlocks = 1, kInputBlock[] = {0}, kRecurrentBlock[] = {0};
  static constexpr int kBlockPhase[] = {0};

  template <class T>
  [[gnu::always_inline]] static void forward(int, const ForwardUnits<T>& u, Index at) {
    const F f(u.activations);
    const Vec<T> entered = load(u.sums + at), h = f.template value<T>(entered);
    store(u.h + at, h);
    if (u.output) store_first(u.output + at, h, u.count - at);
    if constexpr (kSaved > 0)
      if (u.saved) put(u.saved, 0, u.units, at, f.template kept<T>(entered, h), u.count);
  }

  template <class T>
  static void backward(int, const BackwardUnits<T>& u) {
    const F f(u.activations);
    for (Index at = 0; at < u.count; at += kLanes<T>) {
      const Vec<T> h = load_first(u.h + at, u.count - at);
      Vec<T> kept = h;
      if constexpr (kSaved > 0) kept = get(u.saved, 0, u.units, at, u.count);
      put(u.d_gates, 0, u.block_stride, at, load(u.d_h + at) * f.template slope<T>(kept, h),
          u.count);
      store(u.passed + at, Vec<T>{});
    }
  }
};

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

// Calls a generic function object with the cell's class, its functions compiled in or chosen.
template <class F, class Call>
void with_cell(Cell cell, Call&& call) {
  switch (cell) {
    case Cell::kSimpleRNN:
      return call(SimpleRNN<F>{});
    case Cell::kLSTM:
      return call(LSTM<F>{});
    case Cell::kGRU:
      return call(GRU<F>{});
    case Cell::kGRUResetBefore:
      return call(GRUResetBefore<F>{});
  }
}

// The same with the one of the two that a problem asks for.
template <class T, class Call>
void with_cell_of(const Problem<T>& p, Call&& call) {
  if (is_plain(p.cell, p.activations)) return with_cell<Plain>(p.cell, call);
  with_cell<Chosen>(p.cell, call);
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
