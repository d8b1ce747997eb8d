// A layer's weights as the forward pass wants them: for each group of units, the panels of its gates
// side by side, so that one group's sums are what one step of its units needs.
#pragma once

#include "product.hpp"

namespace statewise {
namespace STATEWISE_ISA {

template <class T>
constexpr Index groups_of(Index units) {
  return ceil_div(units, kPanel<T>);
}

template <class C>
constexpr int gates_of() {
  return static_cast<int>(gate_count(C::kCell));
}

// The first of the gates whose recurrent product belongs to a phase.
template <class C>
constexpr int first_recurrent_gate(int phase) {
  int first = 0;
  for (int p = 0; p < phase; ++p) first += C::kRecurrentCount[p];
  return first;
}

// What the slots of the group of units from `unit` on begin with; `bias` may be null.
template <class T, class C>
inline void pack_bias(const T* bias, Index units, Index unit, Index count, T* slots) {
  fill(slots, C::kSlots * kPanel<T>, T(0));
  if (!bias) return;
  const auto add = [count](T* to, const T* from) {
    for (Index n = 0; n < count; ++n) to[n] += from[n];
  };
  for (int i = 0; i < gates_of<C>(); ++i)
    add(slots + (C::kInputSlot + i) * kPanel<T>, bias + C::kInputGates[i] * units + unit);
  if constexpr (C::kCell == Cell::kGRU) {
    const T* second = bias + gates_of<C>() * units;
    for (int i = 0; i < C::kRecurrentCount[0]; ++i)
      add(slots + (C::kRecurrentSlot[0] + i) * kPanel<T>,
          second + C::kRecurrentGates[i] * units + unit);
  }
}

template <class T, class C>
class Packed {
 public:
  Packed(Index features, Index units)
      : features_(features), units_(units), groups_(groups_of<T>(units)) {}

  Index size() const { return bias_at() + groups_ * C::kSlots * kPanel<T>; }

  const T* kernel(const T* packed, Index group) const {
    return packed + group * gates_of<C>() * features_ * kPanel<T>;
  }
  const T* recurrent(const T* packed, int phase, Index group) const {
    return packed + recurrent_at(phase, group);
  }
  // What the slots of a group begin with.
  const T* bias(const T* packed, Index group) const {
    return packed + bias_at() + group * C::kSlots * kPanel<T>;
  }

  // Packs the groups [from, to).
  void pack(const Problem<T>& p, T* packed, Index from, Index to) const {
    constexpr int gates = gates_of<C>();
    const Index row = gates * units_;
    for (Index g = from; g < to; ++g) {
      const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, units_ - unit);
      for (int i = 0; i < gates; ++i) {
        T* panel = packed + (g * gates + i) * features_ * kPanel<T>;
        pack_panel(panel, features_, count, p.kernel + C::kInputGates[i] * units_ + unit, row, 1);
      }
      for (int phase = 0; phase < C::kPhases; ++phase)
        for (int i = 0; i < C::kRecurrentCount[phase]; ++i) {
          const int gate = C::kRecurrentGates[first_recurrent_gate<C>(phase) + i];
          T* panel = packed + recurrent_at(phase, g) + i * units_ * kPanel<T>;
          pack_panel(panel, units_, count, p.recurrent + gate * units_ + unit, row, 1);
        }
      pack_bias<T, C>(p.bias, units_, unit, count,
                      packed + bias_at() + g * C::kSlots * kPanel<T>);
    }
  }

 private:
  Index recurrent_at(int phase, Index group) const {
    return groups_ * gates_of<C>() * features_ * kPanel<T> +
           (groups_ * first_recurrent_gate<C>(phase) + group * C::kRecurrentCount[phase]) *
               units_ * kPanel<T>;
  }
  Index bias_at() const {
    return groups_ * gates_of<C>() * (features_ + units_) * kPanel<T>;
  }

  Index features_, units_, groups_;
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
