// The backward pass over time.
//
// Going from the last step to the first, a step's d_gates follow from d_h, and the next d_h from
// d_gates times the transposed recurrent kernel. The d_gates of a chunk of steps are kept, still
// warm, until the chunk is complete; then the gradients of the weights and of the inputs take one
// product each.
#pragma once

#include "backward_panels.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// `Products`, of which BackwardPanels is one, keeps the derivatives of the gates and does the
// multiplying.
template <class T, class C, class Products>
class Backward {
 public:
  Backward(const Problem<T>& problem, const Cotangents<T>& given, const Gradients<T>& wanted)
      : p_(problem),
        given_(given),
        wanted_(wanted),
        flags_(problem),
        past_(problem, given, flags_),
        groups_(groups_of<T>(problem.units)),
        padded_(groups_ * kPanel<T>),
        plan_(plan_for<Products>(problem, groups_)),
        products_(problem, wanted, past_, plan_, workspace_) {
    const Index rows = Products::sum_rows(ceil_div(p_.batch, plan_.row_blocks));
    passed_ = take<T>(workspace_, p_.batch * padded_);
    if (C::kCell == Cell::kLSTM) d_c_ = take<T>(workspace_, p_.batch * padded_);
    const bool by_units = plan_.unit_blocks > 1;
    for (Index b = 0; b < max_of(plan_.row_blocks, plan_.unit_blocks); ++b) {
      Worker& w = workers_[b];
      w.number = b;
      w.part = by_units ? 0 : b;
      w.rows = part(p_.batch, w.part, plan_.row_blocks);
      w.share = by_units ? b : 0;
      w.shares = plan_.unit_blocks;
      w.groups = part(groups_, w.share, w.shares);
      for (T*& sums : sums_[b]) sums = take<T>(workspace_, rows * kPanel<T>);
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
  void run_by_rows() {
    const Index blocks = plan_.row_blocks;
    auto body = [this, blocks](Index phase, Index block) {
      const typename Products::Unit unit;
      if (phase == 0) {
        products_.pack(block, blocks);
      } else if (phase == 1) {
        run_rows(workers_[block]);
      } else {
        products_.finish_weights(blocks, block, blocks);
      }
    };
    run_blocks(3, blocks, body);
  }

  void run_rows(const Worker& w) {
    const Index chunk = products_.chunk();
    begin(w);
    for (Index done = 0; done < p_.time; done += chunk) {
      const Index steps = min_of(chunk, p_.time - done);
      for (Index i = 0; i < steps; ++i)
        for (int phase = 0; phase < C::kPhases; ++phase) step(w, done + i, phase);
      products_.gather(w, done, steps);
      products_.finish_chunk(w, done, steps);
    }
    finish(w);
  }

  // The phases: packing; for each chunk its steps, the gathering and the products; the end.
  void run_by_units() {
    const Index blocks = plan_.unit_blocks, chunk = products_.chunk();
    const Index chunks = ceil_div(p_.time, chunk), per_chunk = chunk * C::kPhases + 2;
    const Index last = p_.time * C::kPhases + chunks * 2 + 1;
    auto body = [=](Index phase, Index block) {
      const typename Products::Unit unit;
      const Worker& w = workers_[block];
      if (phase == 0) {
        products_.pack(block, blocks);
        begin(w);
        return;
      }
      if (phase == last) {
        finish(w);
        products_.finish_weights(1, block, blocks);
        return;
      }
      const Index done = (phase - 1) / per_chunk * chunk, within = (phase - 1) % per_chunk;
      const Index steps = min_of(chunk, p_.time - done), step_phases = steps * C::kPhases;
      if (within < step_phases) {
        step(w, done + within / C::kPhases, static_cast<int>(within % C::kPhases));
      } else if (within == step_phases) {
        products_.gather(w, done, steps);
      } else {
        products_.finish_chunk(w, done, steps);
      }
    };
    run_blocks(last + 1, blocks, body);
  }

  void begin(const Worker& w) {
    for (Index b = w.rows.from; b < w.rows.to; ++b)
      for (Index g = w.groups.from; g < w.groups.to; ++g) {
        const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
        const Index at = b * padded_ + unit;
        fill(passed_ + at, kPanel<T>, T(0));
        if (given_.d_h) copy(passed_ + at, given_.d_h + b * p_.units + unit, count);
        if (!d_c_) continue;
        fill(d_c_ + at, kPanel<T>, T(0));
        if (given_.d_c) copy(d_c_ + at, given_.d_c + b * p_.units + unit, count);
      }
  }

  // One phase of a step; `done` steps lie behind this pass.
  void step(const Worker& w, Index done, int phase) {
    // The rows from `waiting` on of a group, whose products are there, wait for their gates.
    Index group = w.groups.from, waiting = w.rows.to;
    const auto gates = [&](Index count) {
      for (; count > 0 && waiting < w.rows.to; --count, ++waiting)
        finish_row(w, done, phase, waiting, group);
    };
    for (Index g = w.groups.from; g < w.groups.to; ++g) {
      if (phase == 1 || done > 0) products_.recurrent(w, done, phase, g, sums_of(w, g), gates);
      gates(w.rows.size());
      group = g;
      waiting = w.rows.from;
      if (!Products::kOverlaps) gates(w.rows.size());
    }
    gates(w.rows.size());
  }

  // Where the recurrent product of a group goes: two take turns.
  T* sums_of(const Worker& w, Index g) const { return sums_[w.number][g % 2]; }

  // One phase of a step of one row and group, the product of which is there.
  void finish_row(const Worker& w, Index done, int phase, Index b, Index g) {
    const Index row = b - w.rows.from;
    T* d_gates = products_.d_gates(w, done, row, g * kPanel<T>);
    update(p_.time - 1 - done, phase, b, g, sums_of(w, g) + row * kPanel<T>, d_gates);
    products_.keep(w, done, phase, row, g);
  }

  // One row and group. `sums` is this row's recurrent product: of the step after (phase 0), or with
  // respect to the gated output (phase 1).
  void update(Index s, int phase, Index b, Index g, T* sums, T* d_gates) {
    const Index unit = g * kPanel<T>, at = b * padded_ + unit;
    const Index units = p_.units, count = min_of(kPanel<T>, units - unit);
    if (phase == 0) arrive(s, b, unit, count, sums);
    BackwardUnits<T> u;
    u.d_h = sums;
    u.d_gated = sums;
    u.saved = from_unit(past_.saved(b, s), unit);
    u.saved_before = C::kCell == Cell::kLSTM ? from_unit(past_.cell_before(b, s), unit) : nullptr;
    u.h_before = from_unit(past_.output_before(b, s), unit);
    u.h = given_.outputs + (b * p_.time + s) * units + unit;
    u.d_c = d_c_ ? d_c_ + at : nullptr;
    u.passed = passed_ + at;
    u.d_gates = d_gates;
    u.units = units;
    u.block_stride = products_.block_stride();
    u.count = count;
    u.activations = p_.activations;
    if (flags_.valid(b, s)) {
      C::template backward<T>(phase, u);
      return;
    }
    if (phase == 0) copy(u.passed, sums, kPanel<T>);
    // Only those of this phase: another thread may be reading what the phase before wrote.
    for (Index block = 0; block < C::kBlocks; ++block)
      if (C::kBlockPhase[block] == phase) fill(d_gates + block * u.block_stride, count, T(0));
  }

  static const T* from_unit(const T* row, Index unit) { return row ? row + unit : nullptr; }

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

  // The gradients of the initial state.
  void finish(const Worker& w) {
    T* sums = sums_of(w, 0);
    for (Index g = w.groups.from; g < w.groups.to; ++g) {
      const Index unit = g * kPanel<T>, width = min_of(kPanel<T>, p_.units - unit);
      if (wanted_.d_h0) products_.recurrent(w, p_.time, 0, g, sums, [](Index) {});
      for (Index b = w.rows.from; b < w.rows.to; ++b) {
        const bool cut = flags_.restarts(b, 0);
        const Index at = b * padded_ + unit, to = b * p_.units + unit;
        const T* row = sums + (b - w.rows.from) * kPanel<T>;
        for (Index i = 0; i < width; ++i) {
          if (wanted_.d_h0) wanted_.d_h0[to + i] = cut ? T(0) : row[i] + passed_[at + i];
          if (d_c_ && wanted_.d_c0) wanted_.d_c0[to + i] = cut ? T(0) : d_c_[at + i];
        }
      }
    }
  }

  const Problem<T>& p_;
  const Cotangents<T>& given_;
  const Gradients<T>& wanted_;
  const Flags<T> flags_;
  const Past<T, C> past_;
  const Index groups_, padded_;
  const Plan plan_;
  Workspace workspace_;
  Products products_;
  T* passed_;               // (batch, padded)
  T* d_c_ = nullptr;        // (batch, padded)
  Worker workers_[kMaxBlocks];
  T* sums_[kMaxBlocks][2];  // for each thread two of (rows, kPanel)
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
