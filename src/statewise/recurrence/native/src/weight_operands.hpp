// What the weights of a chunk of steps multiplied: the left operands of their gradients.
#pragma once

#include "past.hpp"
#include "weight_gradients.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// For each gate the inputs and the state, mostly the same arrays for several gates.
template <class T, class C>
class WeightOperands {
 public:
  static WeightOperands of_rows(const Problem<T>& p, Index rows, Workspace& workspace) {
    const auto make = [&](Index columns) {
      return Gathered<T>(take<T>(workspace, Gathered<T>::size(columns, rows)), columns);
    };
    WeightOperands own;
    for (int gate = 0; gate < gates_of<C>(); ++gate) {
      own.x_[gate] = has_own_inputs(p, gate) ? make(p.features) : own.x_[gate - 1];
      own.h_[gate] = has_own_state(p, gate) ? make(p.units) : own.h_[gate - 1];
    }
    return own;
  }

  const Gathered<T>& x(Index gate) const { return x_[gate]; }
  const Gathered<T>& h(Index gate) const { return h_[gate]; }

  // Collects those of `steps` steps back from `last` on, of some rows: one of several equal shares.
  [[gnu::noinline]] void gather(const Problem<T>& p, const Past<T, C>& past, Index last,
                                Index steps, Range rows, Index share, Index shares) const {
    const Range units = part(Gathered<T>::block_count(p.units), share, shares);
    const Range features = part(Gathered<T>::block_count(p.features), share, shares);
    const Index count = steps * rows.size();
    for (int gate = 0; gate < gates_of<C>(); ++gate) {
      const bool inputs = has_own_inputs(p, gate), state = has_own_state(p, gate);
      if (!inputs && !state) continue;
      Index k = 0;
      for (Index s = last; s > last - steps; --s)
        for (Index b = rows.from; b < rows.to; ++b, ++k) {
          if (inputs)
            x_[gate].put(k, count, past.input(b, s), features,
                         p.input_masks ? input_mask(p, gate, b) : nullptr);
          if (state) put_state(p, past, k, count, units, gate, b, s);
        }
    }
  }

 private:
  // Whether a gate's kernels multiplied something else than those of the gate before.
  static bool has_own_inputs(const Problem<T>& p, int gate) { return gate == 0 || p.input_masks; }
  static bool has_own_state(const Problem<T>& p, int gate) {
    return gate == 0 || p.recurrent_mask_count > 1 || is_second(gate);
  }
  static bool is_second(int gate) { return C::kPhases == 2 && gate == C::kRecurrentCount[0]; }

  void put_state(const Problem<T>& p, const Past<T, C>& past, Index k, Index count, Range units,
                 int gate, Index b, Index s) const {
    const T* before = past.output_before(b, s);
    const T* mask = recurrent_mask(p, gate, b);
    if (!is_second(gate)) return h_[gate].put(k, count, before, units, mask);
    const T* reset = past.reset_gate(b, s);
    h_[gate].put(k, count, reset ? before : nullptr, units, reset, mask);
  }

  Gathered<T> x_[gates_of<C>()], h_[gates_of<C>()];
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
