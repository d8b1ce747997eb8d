// The forward pass over time.
#pragma once

#include "forward_panels.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// Inputs are projected for as many steps at once as fit into this much memory, which then is still
// in a core's own cache when the steps come to it.
constexpr Index kChunkBytes = 384 * 1024;

// `Products`, of which ForwardPanels is one, does the multiplying.
template <class T, class C, class Products>
class Forward {
 public:
  Forward(const Problem<T>& problem, const Results<T>& results, const T* packed)
      : p_(problem),
        results_(results),
        flags_(problem),
        groups_(groups_of<T>(problem.units)),
        padded_(groups_ * kPanel<T>),
        plan_(plan_for<Products>(problem, groups_)),
        products_(p_, flags_, plan_, packed, workspace_) {
    const Index state = p_.batch * padded_;
    h_[0] = take<T>(workspace_, state);
    h_[1] = take<T>(workspace_, state);
    c_ = C::kCell == Cell::kLSTM ? take<T>(workspace_, state) : nullptr;
    if constexpr (C::kPhases == 2) {
      z_ = take<T>(workspace_, state);
      gated_ = take<T>(workspace_, state);
      fill(gated_, state, T(0));
    }
    const bool by_units = plan_.unit_blocks > 1;
    turns_ = !by_units && p_.batch >= plan_.row_blocks * Products::kTurnRows ? 2 : 1;
    const Index rows = Products::sum_rows(ceil_div(ceil_div(p_.batch, plan_.row_blocks), turns_));
    const Index widest = ceil_div(groups_, plan_.unit_blocks) * C::kSlots * kPanel<T>;
    const Index step_bytes = rows * widest * static_cast<Index>(sizeof(T));
    chunk_ = max_of(1, min_of(p_.time, kChunkBytes / step_bytes));
    for (Index b = 0; b < max_of(plan_.row_blocks, plan_.unit_blocks); ++b) {
      const Range all = part(p_.batch, by_units ? 0 : b, plan_.row_blocks);
      const Index middle = min_of(all.to, all.from + rows);
      for (int turn = 0; turn < turns_; ++turn) {
        Share& share = shares_[b][turn];
        share.rows = turn == 0 ? Range{all.from, middle} : Range{middle, all.to};
        share.groups = part(groups_, by_units ? b : 0, plan_.unit_blocks);
        share.projected = take<T>(workspace_, chunk_ * rows * widest);
        for (T*& sums : share.sums) sums = take<T>(workspace_, rows * C::kSlots * kPanel<T>);
        const auto* same_rows = by_units && b > 0 ? &shares_[0][0].operands : nullptr;
        share.operands = products_.make_share(share.rows, same_rows, chunk_, workspace_);
      }
    }
  }

  void run() {
    if (plan_.unit_blocks == 1) {
      // Phase 0 packs, each block a part of the units; phase 1 runs, each block a part of the rows.
      auto body = [this](Index phase, Index block) {
        const typename Products::Unit unit;
        if (phase == 0) {
          products_.pack(part(groups_, block, plan_.row_blocks));
        } else {
          run_rows(shares_[block]);
        }
      };
      run_blocks(2, plan_.row_blocks, body);
      return;
    }
    auto body = [this](Index phase, Index block) {
      const typename Products::Unit unit;
      Share& share = shares_[block][0];
      if (phase == 0) {
        products_.pack(share.groups);
        begin(share);
        return;
      }
      const Index s = (phase - 1) / C::kPhases;
      const int i = static_cast<int>((phase - 1) % C::kPhases);
      Waiting waiting;
      step(s, i, share, waiting);
      finish_rows(waiting);
      if (s == p_.time - 1 && i == C::kPhases - 1) finish(share);
    };
    run_blocks(1 + p_.time * C::kPhases, plan_.unit_blocks, body);
  }

 private:
  // What one thread works on: some rows and groups.
  struct Share {
    Range rows, groups;
    T* projected;  // (chunk, rows, groups, slots, kPanel)
    T* sums[2];    // two groups take turns: (rows, slots, kPanel)
    typename Products::Share operands;

    // Of the sums of all groups of a row.
    Index width() const { return groups.size() * C::kSlots * kPanel<T>; }
  };

  // The rows of a group, from `row` on, whose products are there but not their gates.
  struct Waiting {
    Share* share = nullptr;
    Index s = 0, group = 0, row = 0;
    int phase = 0;
  };

  // One thread's rows, through all steps. Where products leave the vectors free, two shares of the
  // rows take turns: the gates of one are done during the products of the other, which don't wait
  // for them.
  void run_rows(Share* shares) {
    Waiting waiting;
    for (int turn = 0; turn < turns_; ++turn) begin(shares[turn]);
    for (Index s = 0; s < p_.time; ++s)
      for (int phase = 0; phase < C::kPhases; ++phase)
        for (int turn = 0; turn < turns_; ++turn) step(s, phase, shares[turn], waiting);
    finish_rows(waiting);
    for (int turn = 0; turn < turns_; ++turn) finish(shares[turn]);
  }

  // Brings the state in, and fills the slots that no input reaches.
  void begin(const Share& share) {
    for (Index b = share.rows.from; b < share.rows.to; ++b)
      for (Index g = share.groups.from; g < share.groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index at = b * padded_ + unit;
        fill(h_[0] + at, kPanel<T>, T(0));
        fill(h_[1] + at, kPanel<T>, T(0));
        if (c_) fill(c_ + at, kPanel<T>, T(0));
        if (!flags_.restarts(b, 0)) {
          copy_panel(h_[0] + at, p_.h0 + b * p_.units + unit, count);
          if (c_) copy_panel(c_ + at, p_.c0 + b * p_.units + unit, count);
        }
        products_.keep(0, 0, b - share.rows.from, g, share.operands, h_[0] + at);
      }
    if constexpr (C::kCell == Cell::kGRU)
      for (Index i = 0; i < chunk_ * Products::sum_rows(share.rows.size()); ++i)
        for (Index g = share.groups.from; g < share.groups.to; ++g) {
          const Index slot = (C::kSlots - 1) * kPanel<T>;
          const Index group = (g - share.groups.from) * C::kSlots * kPanel<T>;
          copy(share.projected + i * share.width() + group + slot, products_.bias(g) + slot,
               kPanel<T>);
        }
  }

  void finish(const Share& share) {
    for (Index b = share.rows.from; b < share.rows.to; ++b)
      for (Index g = share.groups.from; g < share.groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index from = b * padded_ + unit, to = b * p_.units + unit;
        copy_panel(results_.h + to, h_[p_.time % 2] + from, count);
        if (c_) copy_panel(results_.c + to, c_ + from, count);
      }
  }

  // The products of one phase of step s, and the gates that wait. Those of the last group go on
  // waiting, for the next products.
  void step(Index s, int phase, Share& share, Waiting& waiting) {
    const Range rows = share.rows, groups = share.groups;
    if (waiting.share == &share) finish_rows(waiting);
    if (phase == 0 && s % chunk_ == 0)
      products_.project(s, min_of(s + chunk_, p_.time), rows, groups, share.operands,
                        share.projected);
    const T* left = (phase == 0 ? h_[s % 2] : gated_) + rows.from * padded_;
    for (Index g = groups.from; g < groups.to; ++g) {
      products_.recurrent(s, phase, rows, g, share.operands, {left, padded_},
                          {projected_of(share, s, rows.from, g), share.width()},
                          {sums_of(share, rows.from, g), C::kSlots * kPanel<T>},
                          [&](Index count) { finish_rows(waiting, count); });
      finish_rows(waiting);
      waiting = {&share, s, g, rows.from, phase};
      if (!Products::kOverlaps) finish_rows(waiting);
    }
  }

  // The slots of a row and group: the inputs' part of step s, if it's projected, and the sums.
  const T* projected_of(const Share& share, Index s, Index b, Index g) const {
    const Index step_rows = Products::sum_rows(share.rows.size());
    return share.projected + ((s % chunk_) * step_rows + b - share.rows.from) * share.width() +
           (g - share.groups.from) * C::kSlots * kPanel<T>;
  }
  T* sums_of(const Share& share, Index b, Index g) const {
    return share.sums[g % 2] + (b - share.rows.from) * C::kSlots * kPanel<T>;
  }

  // The gates of some of the rows that wait, or of all.
  void finish_rows(Waiting& w, Index count = PTRDIFF_MAX) {
    if (!w.share) return;
    for (; count > 0 && w.row < w.share->rows.to; --count, ++w.row)
      finish_row(w.s, w.phase, *w.share, w.row, w.group);
  }

  // One phase of a step of one row and group, the products of which are there. Called from many
  // places, and no small function.
  [[gnu::noinline]] void finish_row(Index s, int phase, const Share& share, Index b, Index g) {
    const Index row = b - share.rows.from, at = b * padded_ + g * kPanel<T>;
    const T* sums = sums_of(share, b, g);
    update(s, phase, b, g,
           products_.adds_inputs(share.operands) ? sums : projected_of(share, s, b, g),
           sums + C::kRecurrentSlot[phase] * kPanel<T>);
    if (phase == C::kPhases - 1) {
      products_.keep(s + 1, 0, row, g, share.operands, h_[(s + 1) % 2] + at);
    } else {
      products_.keep(s, 1, row, g, share.operands, gated_ + at);
    }
  }

  // The gates and the new state of one row and group.
  void update(Index s, int phase, Index b, Index g, const T* projected, const T* sums) {
    const Index unit = g * kPanel<T>, first = b * padded_ + unit;
    const Index count = min_of(kPanel<T>, p_.units - unit);
    const Index units = p_.units;
    ForwardUnits<T> u;
    u.projected = projected;
    u.sums = sums;
    u.h_before = h_[s % 2] + first;
    u.h = h_[(s + 1) % 2] + first;
    u.c = c_ ? c_ + first : nullptr;
    u.z = C::kPhases == 2 ? z_ + first : nullptr;
    u.gated = C::kPhases == 2 ? gated_ + first : nullptr;
    u.output = results_.outputs ? results_.outputs + (b * p_.time + s) * units + unit : nullptr;
    u.saved = results_.saved
                  ? results_.saved + (s * p_.batch + b) * C::kSaved * units + unit
                  : nullptr;
    u.units = units;
    u.count = count;
    u.activations = p_.activations;
    if (flags_.valid(b, s)) {
      for (Index at = 0; at < count; at += kLanes<T>) C::template forward<T>(phase, u, at);
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
  const Index groups_, padded_;
  const Plan plan_;
  Workspace workspace_;
  const Products products_;
  T* h_[2];  // before and after a step, in turn: (batch, padded)
  T* c_;
  T* z_ = nullptr;
  T* gated_ = nullptr;
  Index chunk_;
  int turns_;                     // shares of each thread
  Share shares_[kMaxBlocks][2];
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
