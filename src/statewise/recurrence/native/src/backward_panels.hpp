// The derivatives of the gates and the products of the backward pass, in the arithmetic of the
// vectors.
#pragma once

#include "past.hpp"
#include "weight_operands.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// Steps are counted in the order of the backward pass: `done` lie behind it.
template <class T, class C>
class BackwardPanels {
 public:
  static constexpr Index kWeightBytes = sizeof(T);
  static constexpr Index kRows = 1;
  static constexpr bool kOverlaps = false;  // see ForwardPanels
  struct Unit {
    Unit() {}
  };

  static Index sum_rows(Index rows) { return rows; }

  BackwardPanels(const Problem<T>& p, const Gradients<T>& wanted, const Past<T, C>& past,
                 const Plan& plan, Workspace& workspace)
      : p_(p),
        wanted_(wanted),
        past_(past),
        streams_(plan.streams),
        groups_(groups_of<T>(p.units)),
        row_(C::kBlocks * p.units) {
    const Index rows = ceil_div(p.batch, plan.row_blocks);
    chunk_ = max_of(1, min_of(p.time, kChunkRows / rows));
    if (reads_recurrent<C>(p, wanted))
      recurrent_ = take<T>(workspace, groups_ * kPanel<T> * gates_of<C>() * p.units);
    if (wanted.d_x) kernel_ = take<T>(workspace, features_padded() * gates_of<C>() * p.units);
    for (T*& previous : previous_) previous = take<T>(workspace, p.batch * row_);
    for (Index b = 0; b < plan.row_blocks; ++b) parts_[b] = make_part(b, rows, workspace);
    for (Index b = 0; b < max_of(plan.row_blocks, plan.unit_blocks); ++b) {
      panels_[b] = take<T>(workspace, 2 * chunk_ * rows * kPanel<T>);
      if (p.recurrent_masks) unmasked_[b] = take<T>(workspace, rows * kPanel<T>);
      if (wanted.d_x) d_x_[b] = take<T>(workspace, chunk_ * rows * features_padded());
    }
  }

  Index chunk() const { return chunk_; }

  // The transposed kernels: recurrent, a panel for each group of units, the inner dimension in the
  // order of the blocks of d_gates; inputs, a panel for each kPanel features.
  void pack(Index share, Index shares) const {
    constexpr int gates = gates_of<C>();
    const Index row = gates * p_.units, size = p_.units * kPanel<T>;
    const Range groups = part(groups_, share, shares);
    for (Index g = groups.from; recurrent_ && g < groups.to; ++g) {
      const Index unit = g * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
      for (int gate = 0; gate < gates; ++gate)
        pack_panel(recurrent_ + (g * gates + C::kRecurrentBlock[gate]) * size, p_.units, count,
                   p_.recurrent + unit * row + gate * p_.units, 1, row);
    }
    if (!wanted_.d_x) return;
    const Range panels = part(features_padded() / kPanel<T>, share, shares);
    for (Index q = panels.from; q < panels.to; ++q) {
      const Index feature = q * kPanel<T>, count = min_of(kPanel<T>, p_.features - feature);
      pack_panel(kernel_ + q * row * kPanel<T>, row, count, p_.kernel + feature * row, 1, row);
    }
  }

  // Where a step's derivatives of the gates go, of one row of the worker's and of the units from
  // `unit` on; blocks are `block_stride` apart.
  T* d_gates(const Worker& w, Index done, Index row, Index unit) const {
    return parts_[w.part].d_gates + ((done % chunk_) * w.rows.size() + row) * row_ + unit;
  }
  Index block_stride() const { return p_.units; }

  // Told when a phase has written them.
  void keep(const Worker& w, Index done, int phase, Index row, Index group) const {
    const bool last = done % chunk_ == chunk_ - 1 || done == p_.time - 1;
    if (phase != C::kPhases - 1 || !last) return;
    const Index unit = group * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
    const T* from = d_gates(w, done, row, unit);
    T* to = last_of_chunk(done) + (w.rows.from + row) * row_ + unit;
    for (Index block = 0; block < C::kBlocks; ++block)
      copy(to + block * p_.units, from + block * p_.units, count);
  }

  // sums = derivatives of the gates times the transposed recurrent kernel: in phase 0 those of the
  // step before, in phase 1 the candidate's of this step.
  template <class Meanwhile>
  void recurrent(const Worker& w, Index done, int phase, Index group, T* sums, Meanwhile&&) const {
    const T* panel = recurrent_ + group * gates_of<C>() * p_.units * kPanel<T>;
    const T* left;
    if (phase == 1) {
      constexpr Index kBefore = C::kRecurrentCount[0];
      left = d_gates(w, done, 0, kBefore * p_.units);
      panel += kBefore * p_.units * kPanel<T>;
    } else if (done % chunk_ == 0 || done == p_.time) {
      left = last_of_chunk(done - 1) + w.rows.from * row_;
    } else {
      left = d_gates(w, done - 1, 0, 0);
    }
    if (p_.recurrent_masks) return recurrent_masked(w, phase, group, left, panel, sums);
    product<T>(w.rows.size(), 1, C::kRecurrentCount[phase] * p_.units, {left, row_}, panel,
               {nullptr, 0}, {sums, kPanel<T>}, streams_);
  }

  // Collects what the weights of a chunk's steps were multiplied by.
  void gather(const Worker& w, Index done, Index steps) const {
    if (!wanted_.d_kernel) return;
    parts_[w.part].operands.gather(p_, past_, p_.time - 1 - done, steps, w.rows, w.share,
                                   w.shares);
  }

  // The gradients of the weights and the inputs from a complete chunk: this worker's share.
  void finish_chunk(const Worker& w, Index done, Index steps) const {
    const Part& own = parts_[w.part];
    const Index rows = w.rows.size(), count = steps * rows;
    const T* all = d_gates(w, done, 0, 0);
    if (wanted_.d_kernel) {
      const Range panels = part(WeightGradients<T, C>::panel_count(p_.units), w.share, w.shares);
      own.weights.add(all, count, own.operands, panels, panels_[w.number], done == 0);
    }
    if (!wanted_.d_x) return;
    const Range share = part(count, w.share, w.shares);
    if (share.size() == 0) return;
    const T* left = all + share.from * row_ + C::kInputBlock[0] * p_.units;
    if (p_.input_masks) return finish_masked_inputs(w, done, share, left);
    const Index inner = gates_of<C>() * p_.units, width = features_padded();
    T* d_x = d_x_[w.number];
    product<T>(share.size(), width / kPanel<T>, inner, {left, row_}, kernel_, {nullptr, 0},
               {d_x, width}, streams_);
    for (Index k = share.from; k < share.to; ++k)
      copy(wanted_.d_x + past_.input_at(w.rows.from + k % rows, p_.time - 1 - done - k / rows),
           d_x + (k - share.from) * width, p_.features);
  }

  // Adds up the parts' gradients of the weights: one of several equal shares.
  void finish_weights(Index parts, Index share, Index shares) const {
    if (!wanted_.d_kernel) return;
    for (Index b = 1; b < parts; ++b) parts_[0].weights.add(parts_[b].weights, share, shares);
  }

 private:
  // What belongs to some rows of the batch and to all units.
  struct Part {
    T* d_gates;  // (chunk, rows, kBlocks * units), steps in the order of this pass
    WeightOperands<T, C> operands;
    WeightGradients<T, C> weights;
  };

  static int gate_of_block(Index block) {
    int gate = 0;
    while (C::kRecurrentBlock[gate] != block) ++gate;
    return gate;
  }

  // As `recurrent`; with a mask for each gate, each gate's part is multiplied by its own.
  [[gnu::noinline]] void recurrent_masked(const Worker& w, int phase, Index group, const T* left,
                                          const T* panel, T* sums) const {
    const Index parts = p_.recurrent_mask_count > 1 ? C::kRecurrentCount[phase] : 1;
    const Index inner = C::kRecurrentCount[phase] / parts * p_.units, rows = w.rows.size();
    const Index unit = group * kPanel<T>, count = min_of(kPanel<T>, p_.units - unit);
    for (Index i = 0; i < parts; ++i) {
      const int gate = gate_of_block(first_recurrent_gate<C>(phase) + i);
      T* to = i == 0 ? sums : unmasked_[w.number];
      product<T>(rows, 1, inner, {left + i * inner, row_}, panel + i * inner * kPanel<T>,
                 {nullptr, 0}, {to, kPanel<T>}, streams_);
      for (Index b = 0; b < rows; ++b)
        put_masked(to + b * kPanel<T>, recurrent_mask(p_, gate, w.rows.from + b) + unit, count,
                   sums + b * kPanel<T>, i > 0);
    }
  }

  // The gradients of the inputs of some of a chunk's rows, one gate and panel after the other.
  [[gnu::noinline]] void finish_masked_inputs(const Worker& w, Index done, Range share,
                                              const T* left) const {
    const Index width = features_padded(), rows = w.rows.size();
    T* d_x = d_x_[w.number];
    for (Index gate = 0; gate < gates_of<C>(); ++gate) {
      const T* panels = kernel_ + gate * p_.units * kPanel<T>;
      for (Index at = 0; at < width; at += kPanel<T>)
        product<T>(share.size(), 1, p_.units, {left + gate * p_.units, row_},
                   panels + at * gates_of<C>() * p_.units, {nullptr, 0}, {d_x + at, width},
                   streams_);
      for (Index k = share.from; k < share.to; ++k) {
        const Index b = w.rows.from + k % rows;
        T* to = wanted_.d_x + past_.input_at(b, p_.time - 1 - done - k / rows);
        put_masked(d_x + (k - share.from) * width, input_mask(p_, gate, b), p_.features, to,
                   gate > 0);
      }
    }
  }

  // Two take turns from chunk to chunk: in a chunk of one step, the groups that are done leave theirs
  // while those that come still read what the step before left.
  T* last_of_chunk(Index done) const { return previous_[done / chunk_ % 2]; }

  Index features_padded() const { return ceil_div(p_.features, kPanel<T>) * kPanel<T>; }

  Part make_part(Index number, Index rows, Workspace& workspace) const {
    Part own;
    own.d_gates = take<T>(workspace, chunk_ * rows * row_);
    if (!wanted_.d_kernel) return own;
    own.operands = WeightOperands<T, C>::of_rows(p_, chunk_ * rows, workspace);
    own.weights = WeightGradients<T, C>::of_part(number, p_, wanted_, workspace);
    return own;
  }

  const Problem<T>& p_;
  const Gradients<T>& wanted_;
  const Past<T, C>& past_;
  const bool streams_;
  const Index groups_, row_;
  Index chunk_;
  T* recurrent_ = nullptr;  // packed, transposed
  T* kernel_ = nullptr;     // packed, transposed
  T* previous_[2];          // (batch, kBlocks * units): the d_gates of the last step of a chunk
  Part parts_[kMaxBlocks];
  T* panels_[kMaxBlocks];   // for each thread two of (chunk * rows, kPanel)
  T* unmasked_[kMaxBlocks];  // with dropout, for each thread (rows, kPanel)
  T* d_x_[kMaxBlocks];      // for each thread (chunk * rows, features, filled up to whole panels)
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
