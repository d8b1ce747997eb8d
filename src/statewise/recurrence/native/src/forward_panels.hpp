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
  struct Share {};

  // The rows of memory that the sums of `rows` rows take.
  static Index sum_rows(Index rows) { return rows; }

  // `packed` are the weights packed before, or null.
  ForwardPanels(const Problem<T>& p, const Flags<T>& flags, const Plan& plan, const T* packed,
                Workspace& workspace)
      : p_(p), flags_(flags), streams_(plan.streams), layout_(p.features, p.units) {
    own_packed_ = packed ? nullptr : take<T>(workspace, layout_.size());
    packed_ = packed ? packed : own_packed_;
  }

  Share make_share(Index, const Share*, Index, Workspace&) const { return {}; }

  void pack(Range groups) const {
    if (own_packed_) layout_.pack(p_, own_packed_, groups.from, groups.to);
  }

  const T* bias(Index group) const { return layout_.bias(packed_, group); }

  // The inputs' part of the gates for the steps [from, to) of some rows, with the bias.
  void project(Index from, Index to, Range rows, Range groups, Share&, T* projected) const {
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
  void recurrent(Index, int phase, Range rows, Index group, const Share&, Left<T> left,
                 Initial<T> projected, Sums<T> sums, Meanwhile&&) const {
    const Index slot = C::kRecurrentSlot[phase] * kPanel<T>;
    product<T>(rows.size(), C::kRecurrentCount[phase], p_.units, left,
               layout_.recurrent(packed_, phase, group), {projected.data + slot, projected.row},
               {sums.data + slot, sums.row}, streams_);
  }

  // Told of every row and group of what enters a product later: the state that enters step s
  // (phase 0), or the gated state of its second phase.
  void keep(Index, int, Index, Index, const Share&, const T*) const {}

 private:
  const Problem<T>& p_;
  const Flags<T>& flags_;
  const bool streams_;
  const Packed<T, C> layout_;
  T* own_packed_;
  const T* packed_;
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
