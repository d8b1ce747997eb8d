// The backward pass over time.
//
// Going from the last step to the first, a step's d_gates follow from d_h, and the next d_h from
// d_gates times the transposed recurrent kernel. The d_gates of a chunk of steps are kept, still
// warm, until the chunk is complete; then the gradients of the weights and of the inputs take one
// product each.
#pragma once

#include "cells.hpp"
#include "weight_gradients.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// The rows (steps times batch) of a chunk: enough that reading and writing the weights' gradients
// once for each chunk costs little beside the product.
constexpr Index kChunkRows = 256;

template <class T, class C>
class Backward {
 public:
  Backward(const Problem<T>& problem, const Cotangents<T>& given, const Gradients<T>& wanted)
      : p_(problem),
        given_(given),
        wanted_(wanted),
        flags_(problem),
        groups_(groups_of<T>(problem.units)),
        padded_(groups_ * kPanel<T>),
        row_(C::kBlocks * problem.units),
        plan_(plan_for(problem, groups_)) {
    const Index rows = ceil_div(p_.batch, plan_.row_blocks);
    chunk_ = max_of(1, min_of(p_.time, kChunkRows / rows));
    if (reads_recurrent())
      recurrent_ = take<T>(workspace_, padded_ * gates_of<C>() * p_.units);
    if (wanted_.d_x) kernel_ = take<T>(workspace_, features_padded() * gates_of<C>() * p_.units);
    passed_ = take<T>(workspace_, p_.batch * padded_);
    if (C::kCell == Cell::kLSTM) d_c_ = take<T>(workspace_, p_.batch * padded_);
    previous_ = take<T>(workspace_, p_.batch * row_);
    for (Index b = 0; b < plan_.row_blocks; ++b) make_part(parts_[b], rows, b);
    for (Index b = 0; b < max_of(plan_.row_blocks, plan_.unit_blocks); ++b) {
      scratch_[b].sums = take<T>(workspace_, rows * kPanel<T>);
      scratch_[b].panels = take<T>(workspace_, 2 * chunk_ * rows * kPanel<T>);
      if (wanted_.d_x) scratch_[b].d_x = take<T>(workspace_, chunk_ * rows * features_padded());
    }
  }

  void run() {
    if (plan_.unit_blocks == 1) {
      run_by_rows();
    } else {
      run_by_units();
    }
  }

 private:
  // What belongs to some rows of the batch and to all units.
  struct Part {
    Range rows;
    T* d_gates;  // (chunk, rows, kBlocks * units), steps in the order of this pass
    Gathered<T> x, h, gated;
    WeightGradients<T, C> weights;
  };
  struct Scratch {
    T* sums;    // (rows, kPanel)
    T* panels;  // two of (chunk * rows, kPanel)
    T* d_x;     // (chunk * rows, features, filled up to whole panels)
  };

  // A single step whose initial state nobody differentiates by multiplies nothing by the recurrent
  // kernel.
  bool reads_recurrent() const { return p_.time > 1 || wanted_.d_h0 || C::kPhases > 1; }

  Index features_padded() const { return ceil_div(p_.features, kPanel<T>) * kPanel<T>; }

  void make_part(Part& part_of, Index rows, Index block) {
    part_of.rows = part(p_.batch, block, plan_.row_blocks);
    part_of.d_gates = take<T>(workspace_, chunk_ * rows * row_);
    if (!wanted_.d_kernel) return;
    const Index count = chunk_ * rows;
    part_of.x = {take<T>(workspace_, Gathered<T>::size(p_.features, count)), p_.features};
    part_of.h = {take<T>(workspace_, Gathered<T>::size(p_.units, count)), p_.units};
    if (C::kPhases == 2)
      part_of.gated = {take<T>(workspace_, Gathered<T>::size(p_.units, count)), p_.units};
    using Weights = WeightGradients<T, C>;
    part_of.weights = block == 0
                          ? Weights(p_, wanted_)
                          : Weights(p_, take<T>(workspace_, Weights::size(p_)));
  }

  void run_by_rows() {
    const Index blocks = plan_.row_blocks;
    auto body = [this, blocks](Index phase, Index block) {
      if (phase == 0) {
        pack(block, blocks);
      } else if (phase == 1) {
        run_rows(parts_[block], scratch_[block]);
      } else if (wanted_.d_kernel) {
        for (Index b = 1; b < blocks; ++b)
          parts_[0].weights.add(parts_[b].weights, block, blocks);
      }
    };
    run_blocks(blocks > 1 ? 3 : 2, blocks, body);
  }

  void run_rows(Part& rows, Scratch& scratch) {
    const Range all{0, groups_};
    begin(rows.rows, all);
    for (Index done = 0; done < p_.time; done += chunk_) {
      const Index steps = min_of(chunk_, p_.time - done);
      for (Index i = 0; i < steps; ++i)
        for (int phase = 0; phase < C::kPhases; ++phase)
          step(done + i, phase, rows, all, scratch);
      gather(rows, done, steps, 0, 1);
      finish_chunk(rows, done, steps, scratch, 0, 1);
    }
    finish(rows.rows, all, scratch);
  }

  // The phases: packing; for each chunk its steps, the gathering and the products; the end.
  void run_by_units() {
    const Index blocks = plan_.unit_blocks;
    const Index chunks = ceil_div(p_.time, chunk_), per_chunk = chunk_ * C::kPhases + 2;
    const Index last = p_.time * C::kPhases + chunks * 2 + 1;
    auto body = [=](Index phase, Index block) {
      Part& rows = parts_[0];
      Scratch& scratch = scratch_[block];
      const Range groups = part(groups_, block, blocks);
      if (phase == 0) {
        pack(block, blocks);
        begin(rows.rows, groups);
        return;
      }
      if (phase == last) {
        finish(rows.rows, groups, scratch);
        return;
      }
      const Index done = (phase - 1) / per_chunk * chunk_, within = (phase - 1) % per_chunk;
      const Index steps = min_of(chunk_, p_.time - done), step_phases = steps * C::kPhases;
      if (within < step_phases) {
        step(done + within / C::kPhases, static_cast<int>(within % C::kPhases), rows, groups,
             scratch);
      } else if (within == step_phases) {
        gather(rows, done, steps, block, blocks);
      } else {
        finish_chunk(rows, done, steps, scratch, block, blocks);
      }
    };
    run_blocks(last + 1, blocks, body);
  }

  // The transposed kernels: recurrent, a panel for each group of units, the inner dimension in the
  // order of the blocks of d_gates; inputs, a panel for each kPanel features.
  void pack(Index block, Index blocks) {
    constexpr int gates = gates_of<C>();
    const Index row = gates * p_.units, size = p_.units * kPanel<T>;
    const Range groups = part(groups_, block, blocks);
    for (Index g = groups.from; reads_recurrent() && g < groups.to; ++g) {
      const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
      for (int gate = 0; gate < gates; ++gate)
        pack_panel(recurrent_ + (g * gates + C::kRecurrentBlock[gate]) * size, p_.units, count,
                   p_.recurrent + unit * row + gate * p_.units, 1, row);
    }
    if (!wanted_.d_x) return;
    const Range panels = part(features_padded() / kPanel<T>, block, blocks);
    for (Index q = panels.from; q < panels.to; ++q) {
      const Index feature = q * kPanel<T>, count = min_of(kPanel<T>, p_.features - feature);
      pack_panel(kernel_ + q * row * kPanel<T>, row, count, p_.kernel + feature * row, 1, row);
    }
  }

  void begin(Range rows, Range groups) {
    for (Index b = rows.from; b < rows.to; ++b)
      for (Index g = groups.from; g < groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index at = b * padded_ + unit;
        fill(passed_ + at, kPanel<T>, T(0));
        if (given_.d_h) copy(passed_ + at, given_.d_h + b * p_.units + unit, count);
        if (!d_c_) continue;
        fill(d_c_ + at, kPanel<T>, T(0));
        if (given_.d_c) copy(d_c_ + at, given_.d_c + b * p_.units + unit, count);
      }
  }

  // The d_gates of the step that this pass came to `back` steps ago, at row `b` of the part.
  T* d_gates(Part& rows, Index done, Index b) const {
    return rows.d_gates + ((done % chunk_) * rows.rows.size() + b - rows.rows.from) * row_;
  }

  // sums = the d_gates of the step done before, from a chunk or from `previous_`, times the
  // transposed recurrent kernel.
  void recurrent_product(Index done, Part& rows, Index g, Scratch& scratch) {
    const T* left = done % chunk_ == 0 ? previous_ + rows.rows.from * row_
                                       : d_gates(rows, done - 1, rows.rows.from);
    constexpr int count = C::kRecurrentCount[0];
    product<T>(rows.rows.size(), 1, count * p_.units, {left, row_}, recurrent_panel(g),
               {nullptr, 0}, {scratch.sums, kPanel<T>}, plan_.streams);
  }

  const T* recurrent_panel(Index g) const {
    return recurrent_ + g * gates_of<C>() * p_.units * kPanel<T>;
  }

  // One phase of a step for some rows and units; `done` steps lie behind this pass.
  void step(Index done, int phase, Part& rows, Range groups, Scratch& scratch) {
    const Index s = p_.time - 1 - done;
    for (Index g = groups.from; g < groups.to; ++g) {
      if (phase == 0) {
        if (done > 0) recurrent_product(done, rows, g, scratch);
      } else {
        constexpr Index kBefore = C::kRecurrentCount[0];
        product<T>(rows.rows.size(), 1, p_.units,
                   {d_gates(rows, done, rows.rows.from) + kBefore * p_.units, row_},
                   recurrent_panel(g) + kBefore * p_.units * kPanel<T>, {nullptr, 0},
                   {scratch.sums, kPanel<T>}, plan_.streams);
      }
      for (Index b = rows.rows.from; b < rows.rows.to; ++b) {
        T* sums = scratch.sums + (b - rows.rows.from) * kPanel<T>;
        update(s, phase, b, g, sums, d_gates(rows, done, b));
      }
    }
  }

  // One row and group. `sums` is this row's recurrent product: of the step after (phase 0), or with
  // respect to the gated output (phase 1).
  void update(Index s, int phase, Index b, Index g, T* sums, T* d_gates) {
    const Index unit = g * kPanel<T>, at = b * padded_ + unit;
    const Index units = p_.units, count = min_of(kPanel<T>, units - unit);
    const bool valid = flags_.valid(b, s);
    if (phase == 0) arrive(s, b, unit, count, sums);
    const T* h_before = output_before(b, s);
    const T* saved = given_.saved ? saved_of(b, s) + unit : nullptr;
    BackwardUnits<T> u;
    u.d_h = sums;
    u.d_gated = sums;
    u.saved = saved;
    u.saved_before = C::kCell == Cell::kLSTM ? cell_before(b, s) : nullptr;
    if (u.saved_before) u.saved_before += unit;
    u.h_before = h_before ? h_before + unit : nullptr;
    u.h = given_.outputs + (b * p_.time + s) * units + unit;
    u.d_c = d_c_ ? d_c_ + at : nullptr;
    u.passed = passed_ + at;
    u.d_gates = d_gates + unit;
    u.units = units;
    u.count = count;
    if (valid) {
      C::template backward<T>(phase, u);
    } else if (phase == 0) {
      copy(u.passed, sums, kPanel<T>);
      for (Index block = 0; block < C::kBlocks; ++block)
        fill(u.d_gates + block * units, count, T(0));
    }
    const Index done = p_.time - 1 - s;
    if (phase == C::kPhases - 1 && (s == 0 || done % chunk_ == chunk_ - 1))
      for (Index block = 0; block < C::kBlocks; ++block)
        copy(previous_ + b * row_ + block * units + unit, u.d_gates + block * units, count);
  }

  // Makes `sums` the whole derivative with respect to the output of step s; nothing comes from a
  // step that began a new sequence.
  void arrive(Index s, Index b, Index unit, Index count, T* sums) {
    const Index at = b * padded_ + unit;
    const bool last = s == p_.time - 1, cut = !last && flags_.restarts(b, s + 1);
    const T* d_output =
        given_.d_outputs ? given_.d_outputs + (b * p_.time + s) * p_.units + unit : nullptr;
    if (cut && d_c_) fill(d_c_ + at, kPanel<T>, T(0));
    for (Index i = 0; i < kPanel<T>; i += kLanes<T>) {
      Vec<T> d_h = cut ? Vec<T>{} : load(passed_ + at + i);
      if (!last && !cut) d_h += load(sums + i);
      if (d_output && i < count) d_h += load_first(d_output + i, count - i);
      store(sums + i, d_h);
    }
  }

  const T* saved_of(Index b, Index s) const {
    return given_.saved + (s * p_.batch + b) * saved_count(C::kCell) * p_.units;
  }

  // The output that step s began from; null where it began from zeros.
  const T* output_before(Index b, Index s) const {
    if (flags_.restarts(b, s)) return nullptr;
    return s == 0 ? p_.h0 + b * p_.units : given_.outputs + (b * p_.time + s - 1) * p_.units;
  }

  const T* cell_before(Index b, Index s) const {
    if (flags_.restarts(b, s)) return nullptr;
    return s == 0 ? p_.c0 + b * p_.units : saved_of(b, s - 1) + 4 * p_.units;
  }

  // Collects what the weights of a chunk's steps were multiplied by.
  void gather(const Part& rows, Index done, Index steps, Index block, Index blocks) {
    if (!wanted_.d_kernel) return;
    const Range units = part(Gathered<T>::block_count(p_.units), block, blocks);
    const Range features = part(Gathered<T>::block_count(p_.features), block, blocks);
    const Index count = steps * rows.rows.size();
    Index k = 0;
    for (Index i = done; i < done + steps; ++i) {
      const Index s = p_.time - 1 - i;
      for (Index b = rows.rows.from; b < rows.rows.to; ++b, ++k) {
        rows.x.put(k, count, p_.x + (b * p_.time + flags_.time_of(s)) * p_.features, features);
        const T* before = output_before(b, s);
        rows.h.put(k, count, before, units);
        if (C::kPhases == 2)
          rows.gated.put(k, count, flags_.valid(b, s) ? before : nullptr, units,
                         saved_of(b, s) + p_.units);
      }
    }
  }

  // The gradients of the weights and the inputs from a complete chunk: the share of one block.
  void finish_chunk(Part& rows, Index done, Index steps, Scratch& scratch, Index block,
                    Index blocks) {
    const Index count = steps * rows.rows.size();
    const T* all = d_gates(rows, done, rows.rows.from);
    if (wanted_.d_kernel) {
      const Range panels = part(WeightGradients<T, C>::panel_count(p_.units), block, blocks);
      rows.weights.add(all, count, rows.x, rows.h, rows.gated, panels, scratch.panels, done == 0);
    }
    if (!wanted_.d_x) return;
    const Range share = part(count, block, blocks);
    if (share.size() == 0) return;
    const Index inner = gates_of<C>() * p_.units, width = features_padded();
    product<T>(share.size(), width / kPanel<T>, inner,
               {all + share.from * row_ + C::kInputBlock[0] * p_.units, row_}, kernel_,
               {nullptr, 0}, {scratch.d_x, width}, plan_.streams);
    for (Index k = share.from; k < share.to; ++k) {
      const Index s = p_.time - 1 - done - k / rows.rows.size();
      const Index b = rows.rows.from + k % rows.rows.size();
      copy(wanted_.d_x + (b * p_.time + flags_.time_of(s)) * p_.features,
           scratch.d_x + (k - share.from) * width, p_.features);
    }
  }

  // The gradients of the initial state.
  void finish(Range rows, Range groups, Scratch& scratch) {
    constexpr int count = C::kRecurrentCount[0];
    for (Index g = groups.from; g < groups.to; ++g) {
      const Index unit = g * kPanel<T>, width = min_of(kPanel<T>, p_.units - unit);
      if (wanted_.d_h0)
        product<T>(rows.size(), 1, count * p_.units, {previous_ + rows.from * row_, row_},
                   recurrent_panel(g), {nullptr, 0}, {scratch.sums, kPanel<T>});
      for (Index b = rows.from; b < rows.to; ++b) {
        const bool cut = flags_.restarts(b, 0);
        const Index at = b * padded_ + unit, to = b * p_.units + unit;
        const T* sums = scratch.sums + (b - rows.from) * kPanel<T>;
        for (Index i = 0; i < width; ++i) {
          if (wanted_.d_h0) wanted_.d_h0[to + i] = cut ? T(0) : sums[i] + passed_[at + i];
          if (d_c_ && wanted_.d_c0) wanted_.d_c0[to + i] = cut ? T(0) : d_c_[at + i];
        }
      }
    }
  }

  const Problem<T>& p_;
  const Cotangents<T>& given_;
  const Gradients<T>& wanted_;
  const Flags<T> flags_;
  const Index groups_, padded_, row_;
  const Plan plan_;
  Workspace workspace_;
  Index chunk_;
  T* recurrent_ = nullptr;  // packed, transposed
  T* kernel_ = nullptr;     // packed, transposed
  T* passed_;               // (batch, padded)
  T* d_c_ = nullptr;        // (batch, padded)
  T* previous_;             // (batch, kBlocks * units): the d_gates of the last step of a chunk
  Part parts_[kMaxBlocks];
  Scratch scratch_[kMaxBlocks];
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
