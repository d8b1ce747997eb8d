// The products of the forward pass, in the arithmetic of the vectors.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

template <class T, class C>
class ForwardPanels {
 public:
  static constexpr Index kWeightBytes = sizeof(T);  // of a packed weight
  static constexpr Index kRows = 1;                 // worked on as one piece
  static constexpr bool kOverlaps = false;          // whether a product leaves the vectors free
  static constexpr Index kTurnRows = PTRDIFF_MAX / kMaxBlocks;  // so many take turns, see run_rows

  // What a thread needs while it works.
  struct Unit {
    Unit() {}
  };
  // What the products keep for a share of the work.
  struct Share {
    Index from;   // its first row
    T* inputs;    // with dropout: (kMaskedRows or one step's rows, features)
  };

  // The rows of memory that the sums of `rows` rows take.
  static Index sum_rows(Index rows) { return rows; }

  // `packed` are the weights packed before, or null.
  ForwardPanels(const Problem<T>& p, const Flags<T>& flags, const Plan& plan, const T* packed,
                Workspace& workspace)
      : p_(p),
        flags_(flags),
        streams_(plan.streams),
        layout_(p.features, p.units),
        padded_(groups_of<T>(p.units) * kPanel<T>) {
    own_packed_ = packed ? nullptr : take<T>(workspace, layout_.size());
    packed_ = packed ? packed : own_packed_;
    for (int i = 0; p.recurrent_masks && i < C::kPhases + 1; ++i)
      masked_[i] = take<T>(workspace, masks_of_phase(i / 2) * p.batch * padded_);
  }

  Share make_share(Range rows, const Share*, Index, Workspace& workspace) const {
    if (!p_.input_masks) return {rows.from, nullptr};
    return {rows.from, take<T>(workspace, max_of(kMaskedRows, rows.size()) * p_.features)};
  }

  void pack(Range groups) const {
    if (own_packed_) layout_.pack(p_, own_packed_, groups.from, groups.to);
  }

  const T* bias(Index group) const { return layout_.bias(packed_, group); }

  // The inputs' part of the gates for the steps [from, to) of some rows, with the bias.
  void project(Index from, Index to, Range rows, Range groups, Share& share, T* projected) const {
    if (p_.input_masks) return project_masked(from, to, rows, groups, share.inputs, projected);
    constexpr int gates = gates_of<C>();
    const Index row_width = groups.size() * C::kSlots * kPanel<T>;
    const Index step_width = rows.size() * row_width;
    const Index time_stride = p_.backwards ? -p_.features : p_.features;
    const Index row_stride = p_.time * p_.features;
    const T* x = p_.x + rows.from * row_stride + flags_.time_of(from) * p_.features;
    for (Index g = groups.from; g < groups.to; ++g) {
      const T* panels = layout_.kernel(packed_, g);
      const Initial<T> begin{bias(g) + C::kInputSlot * kPanel<T>, 0};
      T* sums = projected + ((g - groups.from) * C::kSlots + C::kInputSlot) * kPanel<T>;
      if (rows.size() >= to - from) {
        for (Index s = from; s < to; ++s)
          product<T>(rows.size(), gates, p_.features, {x + (s - from) * time_stride, row_stride},
                     panels, begin, {sums + (s - from) * step_width, row_width}, streams_);
      } else {
        for (Index b = 0; b < rows.size(); ++b)
          product<T>(to - from, gates, p_.features, {x + b * row_stride, time_stride}, panels,
                     begin, {sums + b * row_width, step_width}, streams_);
      }
    }
  }

  // Whether the sums get the inputs' part without it being projected before.
  bool adds_inputs(const Share&) const { return false; }

  // The recurrent product of a phase of step s for one group; `left` are the rows that enter it,
  // `projected` and `sums` the slots of the group. A product that leaves the vectors free calls
  // meanwhile(n) to have the gates of n rows done.
  template <class Meanwhile>
  void recurrent(Index s, int phase, Range rows, Index group, const Share&, Left<T> left,
                 Initial<T> projected, Sums<T> sums, Meanwhile&&) const {
    if (p_.recurrent_masks) return recurrent_masked(s, phase, rows, group, projected, sums);
    const Index slot = C::kRecurrentSlot[phase] * kPanel<T>;
    product<T>(rows.size(), C::kRecurrentCount[phase], p_.units, left,
               layout_.recurrent(packed_, phase, group), {projected.data + slot, projected.row},
               {sums.data + slot, sums.row}, streams_);
  }

  // Told of every row and group of what enters a product later: the state that enters step s
  // (phase 0), or the gated state of its second phase.
  void keep(Index s, int phase, Index row, Index group, const Share& share, const T* values) const {
    if (p_.recurrent_masks) keep_masked(s, phase, share.from + row, group * kPanel<T>, values);
  }

 private:
  // So many rows of the inputs are multiplied by a mask at once.
  static constexpr Index kMaskedRows = 16 * kTileRows;

  // The different masks of the recurrent products of a phase.
  Index masks_of_phase(int phase) const {
    return p_.recurrent_mask_count == 1 ? 1 : C::kRecurrentCount[phase];
  }

  T* masked(Index s, int phase, Index i) const {
    return masked_[phase == 0 ? s % 2 : 2] + i * p_.batch * padded_;
  }

  // What follows is called, not compiled into what runs without dropout.

  [[gnu::noinline]] void keep_masked(Index s, int phase, Index b, Index unit,
                                     const T* values) const {
    for (Index i = 0; i < masks_of_phase(phase); ++i)
      put_masked<T>(values, recurrent_mask(p_, first_recurrent_gate<C>(phase) + i, b) + unit,
                    min_of(kPanel<T>, p_.units - unit), masked(s, phase, i) + b * padded_ + unit);
  }

  // As `recurrent`; with a mask for each gate, each has a left operand of its own.
  [[gnu::noinline]] void recurrent_masked(Index s, int phase, Range rows, Index group,
                                          Initial<T> projected, Sums<T> sums) const {
    const Index lefts = masks_of_phase(phase), panels = C::kRecurrentCount[phase] / lefts;
    for (Index i = 0; i < lefts; ++i) {
      const Index slot = (C::kRecurrentSlot[phase] + i) * kPanel<T>;
      product<T>(rows.size(), panels, p_.units,
                 {masked(s, phase, i) + rows.from * padded_, padded_},
                 layout_.recurrent(packed_, phase, group) + i * p_.units * kPanel<T>,
                 {projected.data + slot, projected.row}, {sums.data + slot, sums.row}, streams_);
    }
  }

  // As `project`, where each gate has its own mask for the inputs.
  [[gnu::noinline]] void project_masked(Index from, Index to, Range rows, Range groups, T* inputs,
                                        T* projected) const {
    const Index row_width = groups.size() * C::kSlots * kPanel<T>, size = p_.features * kPanel<T>;
    const Index most = max_of(1, kMaskedRows / rows.size());
    for (Index s = from; s < to; s += most) {
      const Index steps = min_of(most, to - s);
      for (int i = 0; i < gates_of<C>(); ++i) {
        T* row = inputs;
        for (Index t = s; t < s + steps; ++t)
          for (Index b = rows.from; b < rows.to; ++b, row += p_.features)
            put_masked<T>(p_.x + (b * p_.time + flags_.time_of(t)) * p_.features,
                          input_mask(p_, C::kInputGates[i], b), p_.features, row);
        for (Index g = groups.from; g < groups.to; ++g) {
          const Index slot = (C::kInputSlot + i) * kPanel<T>;
          T* sums = projected + (s - from) * rows.size() * row_width +
                    (g - groups.from) * C::kSlots * kPanel<T> + slot;
          product<T>(steps * rows.size(), 1, p_.features, {inputs, p_.features},
                     layout_.kernel(packed_, g) + i * size, {bias(g) + slot, 0}, {sums, row_width},
                     streams_);
        }
      }
    }
  }

  const Problem<T>& p_;
  const Flags<T>& flags_;
  const bool streams_;
  const Packed<T, C> layout_;
  const Index padded_;
  T* own_packed_;
  const T* packed_;
  T* masked_[3];  // with dropout: the states that enter steps in turn, and the gated state
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
