// The arithmetic of one step of each cell, for one row of the batch and one panel's width of units.
//
// Units are worked on in groups of kPanel. For each row and group there are a number of slots, each
// a panel wide, which hold the inputs' part of the gates; the recurrent products are added to some
// of them. A step has one phase, but for the GRU whose reset gate comes before its second product.
#pragma once

#include "gru.hpp"
#include "lstm.hpp"

namespace statewise {
namespace STATEWISE_ISA {

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
