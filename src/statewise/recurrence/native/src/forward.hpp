// The forward pass over time.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// Inputs are projected for as many steps at once as fit into this much memory, which then is still
// in a core's own cache when the steps come to it.
constexpr Index kChunkBytes = 128 * 1024;

template <class T, class C>
class Forward {
 public:
  Forward(const Problem<T>& problem, const Results<T>& results, const T* packed)
      : p_(problem),
        results_(results),
        flags_(problem),
        layout_(problem.features, problem.units),
        groups_(groups_of<T>(problem.units)),
        padded_(groups_ * kPanel<T>),
        plan_(plan_for(problem, groups_)) {
    own_packed_ = packed ? nullptr : take<T>(workspace_, layout_.size());
    packed_ = packed ? packed : own_packed_;
    const Index state = p_.batch * padded_;
    h_[0] = take<T>(workspace_, state);
    h_[1] = take<T>(workspace_, state);
    c_ = C::kCell == Cell::kLSTM ? take<T>(workspace_, state) : nullptr;
    if constexpr (C::kPhases == 2) {
      z_ = take<T>(workspace_, state);
      gated_ = take<T>(workspace_, state);
      fill(gated_, state, T(0));
    }
    const Index rows = ceil_div(p_.batch, plan_.row_blocks);
    const Index width = ceil_div(groups_, plan_.unit_blocks) * C::kSlots * kPanel<T>;
    const Index step_bytes = rows * width * static_cast<Index>(sizeof(T));
    chunk_ = max_of(1, min_of(p_.time, kChunkBytes / step_bytes));
    for (Index b = 0; b < blocks(); ++b) {
      scratch_[b].projected = take<T>(workspace_, chunk_ * rows * width);
      scratch_[b].sums = take<T>(workspace_, rows * C::kSlots * kPanel<T>);
    }
  }

  void run() {
    if (plan_.unit_blocks == 1) {
      // Phase 0 packs, each block a part of the units; phase 1 runs, each block a part of the rows.
      auto body = [this](Index phase, Index block) {
        if (phase == 0) {
          pack(part(groups_, block, plan_.row_blocks));
          return;
        }
        const Range rows = part(p_.batch, block, plan_.row_blocks), all{0, groups_};
        begin(rows, all, scratch_[block]);
        for (Index s = 0; s < p_.time; ++s)
          for (int i = 0; i < C::kPhases; ++i) step(s, i, rows, all, scratch_[block]);
        finish(rows, all);
      };
      run_blocks(2, plan_.row_blocks, body);
      return;
    }
    auto body = [this](Index phase, Index block) {
      const Range rows{0, p_.batch}, groups = part(groups_, block, plan_.unit_blocks);
      if (phase == 0) {
        pack(groups);
        begin(rows, groups, scratch_[block]);
        return;
      }
      const Index s = (phase - 1) / C::kPhases;
      const int i = static_cast<int>((phase - 1) % C::kPhases);
      step(s, i, rows, groups, scratch_[block]);
      if (s == p_.time - 1 && i == C::kPhases - 1) finish(rows, groups);
    };
    run_blocks(1 + p_.time * C::kPhases, plan_.unit_blocks, body);
  }

 private:
  struct Scratch {
    T* projected;  // (chunk, rows, groups, slots, kPanel)
    T* sums;       // (rows, slots, kPanel)
  };

  Index blocks() const { return max_of(plan_.row_blocks, plan_.unit_blocks); }

  void pack(Range groups) {
    if (own_packed_) layout_.pack(p_, own_packed_, groups.from, groups.to);
  }

  // Brings the state in, and fills the slots that no input reaches.
  void begin(Range rows, Range groups, Scratch& scratch) {
    for (Index b = rows.from; b < rows.to; ++b)
      for (Index g = groups.from; g < groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index at = b * padded_ + unit;
        fill(h_[0] + at, kPanel<T>, T(0));
        fill(h_[1] + at, kPanel<T>, T(0));
        if (c_) fill(c_ + at, kPanel<T>, T(0));
        if (flags_.restarts(b, 0)) continue;
        copy(h_[0] + at, p_.h0 + b * p_.units + unit, count);
        if (c_) copy(c_ + at, p_.c0 + b * p_.units + unit, count);
      }
    if constexpr (C::kCell == Cell::kGRU)
      for (Index i = 0; i < chunk_ * rows.size(); ++i)
        for (Index g = groups.from; g < groups.to; ++g) {
          const Index slot = C::kSlots - 1;
          T* to = scratch.projected + i * width(groups) + (g - groups.from) * C::kSlots * kPanel<T>;
          copy(to + slot * kPanel<T>, layout_.bias(packed_, g) + slot * kPanel<T>, kPanel<T>);
        }
  }

  void finish(Range rows, Range groups) {
    for (Index b = rows.from; b < rows.to; ++b)
      for (Index g = groups.from; g < groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index from = b * padded_ + unit, to = b * p_.units + unit;
        copy(results_.h + to, h_[p_.time % 2] + from, count);
        if (c_) copy(results_.c + to, c_ + from, count);
      }
  }

  Index width(Range groups) const { return groups.size() * C::kSlots * kPanel<T>; }

  // The inputs' part of the gates for the steps [from, to), which are at most a chunk.
  void project(Index from, Index to, Range rows, Range groups, Scratch& scratch) {
    constexpr int gates = gates_of<C>();
    const Index row_width = width(groups), step_width = rows.size() * row_width;
    const Index time_stride = p_.backwards ? -p_.features : p_.features;
    const Index row_stride = p_.time * p_.features;
    const T* x = p_.x + rows.from * row_stride + flags_.time_of(from) * p_.features;
    for (Index g = groups.from; g < groups.to; ++g) {
      const T* panels = layout_.kernel(packed_, g);
      const Initial<T> bias{layout_.bias(packed_, g) + C::kInputSlot * kPanel<T>, 0};
      T* sums = scratch.projected + ((g - groups.from) * C::kSlots + C::kInputSlot) * kPanel<T>;
      if (rows.size() >= to - from) {
        for (Index s = from; s < to; ++s)
          product<T>(rows.size(), gates, p_.features, {x + (s - from) * time_stride, row_stride},
                     panels, bias, {sums + (s - from) * step_width, row_width}, plan_.streams);
      } else {
        for (Index b = 0; b < rows.size(); ++b)
          product<T>(to - from, gates, p_.features, {x + b * row_stride, time_stride}, panels, bias,
                     {sums + b * row_width, step_width}, plan_.streams);
      }
    }
  }

  // One phase of step s for some rows and some units.
  void step(Index s, int phase, Range rows, Range groups, Scratch& scratch) {
    if (phase == 0 && s % chunk_ == 0)
      project(s, min_of(s + chunk_, p_.time), rows, groups, scratch);
    constexpr Index kGroup = C::kSlots * kPanel<T>;
    const Index row_width = width(groups);
    const T* projected = scratch.projected + (s % chunk_) * rows.size() * row_width;
    const T* h_before = h_[s % 2];
    const T* left = phase == 0 ? h_before : gated_;
    const int slot = C::kRecurrentSlot[phase], gates = C::kRecurrentCount[phase];
    for (Index g = groups.from; g < groups.to; ++g) {
      const T* slots = projected + (g - groups.from) * kGroup;
      product<T>(rows.size(), gates, p_.units, {left + rows.from * padded_, padded_},
                 layout_.recurrent(packed_, phase, g), {slots + slot * kPanel<T>, row_width},
                 {scratch.sums, kGroup}, plan_.streams);
      for (Index b = rows.from; b < rows.to; ++b)
        update(s, phase, b, g, slots + (b - rows.from) * row_width,
               scratch.sums + (b - rows.from) * kGroup);
    }
  }

  // The gates and the new state of one row and group.
  void update(Index s, int phase, Index b, Index g, const T* projected, const T* sums) {
    const Index unit = g * kPanel<T>, at = b * padded_ + unit;
    const Index count = min_of(kPanel<T>, p_.units - unit);
    const Index units = p_.units;
    ForwardUnits<T> u;
    u.projected = projected;
    u.sums = sums;
    u.h_before = h_[s % 2] + at;
    u.h = h_[(s + 1) % 2] + at;
    u.c = c_ ? c_ + at : nullptr;
    u.z = C::kPhases == 2 ? z_ + at : nullptr;
    u.gated = C::kPhases == 2 ? gated_ + at : nullptr;
    u.output = results_.outputs ? results_.outputs + (b * p_.time + s) * units + unit : nullptr;
    u.saved = results_.saved
                  ? results_.saved + (s * p_.batch + b) * saved_count(C::kCell) * units + unit
                  : nullptr;
    u.units = units;
    u.count = count;
    if (flags_.valid(b, s)) {
      C::template forward<T>(phase, u);
    } else if (phase == C::kPhases - 1) {
      copy(u.h, u.h_before, kPanel<T>);
      if (u.output) copy(u.output, u.h_before, count);
      if (u.saved && C::kCell == Cell::kLSTM) copy(u.saved + 4 * units, u.c, count);
    }
    // The state before the next step, not this step's output, is what a new sequence wipes out.
    if (phase == C::kPhases - 1 && flags_.restarts(b, s + 1)) {
      fill(u.h, kPanel<T>, T(0));
      if (u.c) fill(u.c, kPanel<T>, T(0));
    }
  }

  const Problem<T>& p_;
  const Results<T>& results_;
  const Flags<T> flags_;
  const Packed<T, C> layout_;
  const Index groups_, padded_;
  const Plan plan_;
  Workspace workspace_;
  T* own_packed_;
  const T* packed_;
  T* h_[2];  // before and after a step, in turn: (batch, padded)
  T* c_;
  T* z_ = nullptr;
  T* gated_ = nullptr;
  Index chunk_;
  Scratch scratch_[kMaxBlocks];
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
