// The derivatives of the gates and the products of the backward pass, in tiles of bfloat16.
#pragma once

#include "backward_panels.hpp"
#include "tiles.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// See BackwardPanels for what the functions mean. The derivatives of the gates are kept in parts
// only: as they are needed from the left for the step before, and rearranged for the weights.
template <class C, int kParts>
class BackwardTiles {
  using Rows = SplitRows<kParts>;
  static constexpr Index kRight = kRightSize<kParts>;

 public:
  static constexpr Index kWeightBytes = kParts * sizeof(Bfloat16);
  static constexpr Index kRows = kTileHeight;
  static constexpr bool kOverlaps = MatrixUnit::kOverlaps;
  using Unit = MatrixUnit;

  static Index sum_rows(Index rows) { return whole_tiles(rows); }

  BackwardTiles(const Problem<float>& p, const Gradients<float>& wanted,
                const Past<float, C>& past, const Plan& plan, Workspace& workspace)
      : p_(p), wanted_(wanted), past_(past), groups_(groups_of<float>(p.units)) {
    constexpr Index gates = gates_of<C>();
    const Index rows = sum_rows(ceil_div(p.batch, plan.row_blocks));
    chunk_ = max_of(1, min_of(p.time, kChunkRows / rows));
    if (reads_recurrent<C>(p, wanted))
      recurrent_ = take<Bfloat16>(workspace, groups_ * gates * groups_ * kRight);
    if (wanted.d_x)
      kernel_ = take<Bfloat16>(workspace, feature_panels() * gates * groups_ * kRight);
    for (Index b = 0; b < plan.row_blocks; ++b) {
      const bool fills_up = part(p.batch, b, plan.row_blocks).size() < rows;
      parts_[b] = make_part(rows, fills_up, workspace);
    }
    const Index depth = depth_of(chunk_ * rows), width = feature_panels() * kPanel<float>;
    for (Index b = 0; b < max_of(plan.row_blocks, plan.unit_blocks); ++b) {
      d_gates_[b] = take<float>(workspace, C::kBlocks * kPanel<float>);
      panels_[b] = take<Bfloat16>(workspace, 2 * depth * kRight);
      if (wanted.d_x) d_x_[b] = take<float>(workspace, chunk_ * rows * width);
    }
  }

  Index chunk() const { return chunk_; }

  void pack(Index share, Index shares) const {
    constexpr int gates = gates_of<C>();
    const Index row = gates * p_.units, size = groups_ * kRight;  // of a gate's part of a panel
    const Range groups = part(groups_, share, shares);
    for (Index g = groups.from; recurrent_ && g < groups.to; ++g) {
      const Index unit = g * kPanel<float>, count = min_of(kPanel<float>, p_.units - unit);
      for (int gate = 0; gate < gates; ++gate)
        pack_tiles<kParts>(recurrent_ + (g * gates + C::kRecurrentBlock[gate]) * size, p_.units,
                           count, p_.recurrent + unit * row + gate * p_.units, 1, row);
    }
    if (!wanted_.d_x) return;
    const Range panels = part(feature_panels(), share, shares);
    for (Index q = panels.from; q < panels.to; ++q) {
      const Index feature = q * kPanel<float>, count = min_of(kPanel<float>, p_.features - feature);
      for (int gate = 0; gate < gates; ++gate)
        pack_tiles<kParts>(kernel_ + (q * gates + gate) * size, p_.units, count,
                           p_.kernel + feature * row + gate * p_.units, 1, row);
    }
  }

  float* d_gates(const Worker& w, Index, Index, Index) const { return d_gates_[w.number]; }
  Index block_stride() const { return kPanel<float>; }

  void keep(const Worker& w, Index done, int phase, Index row, Index group) const {
    const Part& own = parts_[w.part];
    const Index count = min_of(kPanel<float>, p_.units - group * kPanel<float>);
    const bool last = done % chunk_ == chunk_ - 1 || done == p_.time - 1;
    const Index at = (done % chunk_) * sum_rows(w.rows.size()) + row;
    for (int block = 0; block < C::kBlocks; ++block) {
      if (C::kBlockPhase[block] != phase) continue;
      const float* values = d_gates_[w.number] + block * kPanel<float>;
      own.d_gates.put(at, block * groups_ + group, values, count);
      if (last) last_of_chunk(own, done).put(row, block * groups_ + group, values, count);
    }
  }

  template <class Meanwhile>
  void recurrent(const Worker& w, Index done, int phase, Index group, float* sums,
                 Meanwhile&& meanwhile) const {
    const Part& own = parts_[w.part];
    const Index blocks = sum_rows(w.rows.size()) / kTileHeight;
    const Index before = phase == 1 ? C::kRecurrentCount[0] * groups_ : 0;
    const Bfloat16* left;
    if (phase == 1) {
      left = own.d_gates.tiles((done % chunk_) * blocks, before);
    } else if (done % chunk_ == 0 || done == p_.time) {
      left = last_of_chunk(own, done - 1).tiles(0);
    } else {
      left = own.d_gates.tiles((done - 1) % chunk_ * blocks);
    }
    const Index depth = C::kRecurrentCount[phase] * groups_;
    const Bfloat16* panel = recurrent_ + (group * gates_of<C>() * groups_ + before) * kRight;
    Paced paced(w.rows.size(), depth * ceil_div(blocks, 2), meanwhile);
    tile_product<kParts>(blocks, 1, {left, own.d_gates.stride(), panel, depth}, {nullptr, 0},
                         {sums, kPanel<float>}, paced);
  }

  void gather(const Worker& w, Index done, Index steps) const {
    if (!wanted_.d_kernel) return;
    const Part& own = parts_[w.part];
    const Index blocks = sum_rows(w.rows.size()) / kTileHeight;
    const Range units = part(ceil_div(p_.units, kTileHeight), w.share, w.shares);
    const Range features = part(ceil_div(p_.features, kTileHeight), w.share, w.shares);
    const float *inputs[kTileHeight], *outputs[kTileHeight], *resets[kTileHeight];
    for (Index i = 0; i < steps * blocks; ++i) {
      const Index s = p_.time - 1 - done - i / blocks, first = i % blocks * kTileHeight;
      for (Index m = 0; m < kTileHeight; ++m) {
        const Index b = w.rows.from + first + m;
        const bool there = b < w.rows.to;
        inputs[m] = there ? past_.input(b, s) : nullptr;
        outputs[m] = there ? past_.output_before(b, s) : nullptr;
        resets[m] = there && C::kPhases == 2 ? past_.reset_gate(b, s) : nullptr;
      }
      own.x.put_columns(i, inputs, nullptr, p_.features, features);
      own.h.put_columns(i, outputs, nullptr, p_.units, units);
      if (C::kPhases == 2) own.gated.put_columns(i, outputs, resets, p_.units, units);
    }
    if (steps * blocks % 2 == 0) return;
    fill(inputs, kTileHeight, static_cast<const float*>(nullptr));
    own.x.put_columns(steps * blocks, inputs, nullptr, p_.features, features);
    own.h.put_columns(steps * blocks, inputs, nullptr, p_.units, units);
    if (C::kPhases == 2) own.gated.put_columns(steps * blocks, inputs, nullptr, p_.units, units);
  }

  void finish_chunk(const Worker& w, Index done, Index steps) const {
    const Part& own = parts_[w.part];
    const Index blocks = steps * sum_rows(w.rows.size()) / kTileHeight;
    if (wanted_.d_kernel) {
      const Index panels = gates_of<C>() * groups_;
      const Range share = part(panels, w.share, w.shares);
      for (Index q = share.from; q < share.to; ++q)
        add_weights(own, q, blocks, panels_[w.number], done == 0);
    }
    if (wanted_.d_x) finish_inputs(w, done, part(blocks, w.share, w.shares));
  }

  void finish_weights(Index parts, Index share, Index shares) const {
    if (!wanted_.d_kernel) return;
    const Range panels = part(gates_of<C>() * groups_, share, shares);
    for (Index q = panels.from; q < panels.to; ++q) {
      const Index gate = q / groups_, unit = q % groups_ * kPanel<float>;
      const Index at = gate * p_.units + unit, row = gates_of<C>() * p_.units;
      const Index count = min_of(kPanel<float>, p_.units - unit);
      add_up(parts, q, 0, p_.features, wanted_.d_kernel + at, row, count);
      add_up(parts, q, whole_tiles(p_.features), p_.units, wanted_.d_recurrent + at, row, count);
      if (wanted_.d_bias)
        add_up(parts, q, bias_row(), bias_count(C::kCell) / gates_of<C>(), wanted_.d_bias + at, row,
               count);
    }
  }

 private:
  struct Part {
    Rows d_gates;       // (chunk and rows, kBlocks and units), steps in the order of this pass
    Rows previous[2];   // those of the last step of a chunk, see BackwardPanels
    Rows x, h, gated;   // transposed: (columns, chunk and rows)
    // The sums for the weights: for each panel of a gate and group its rows in blocks of 16, those
    // of the kernel, then those of the recurrent kernel, and the bias, twice for two of them. Where
    // the rows of the result lie, a power of two apart, a tile's would share few lines of the cache.
    float* weights;
  };

  const Rows& last_of_chunk(const Part& own, Index done) const {
    return own.previous[done / chunk_ % 2];
  }

  Index feature_panels() const { return ceil_div(p_.features, kPanel<float>); }

  // Where some rows only fill up tiles, their derivatives have to be zero.
  Part make_part(Index rows, bool fills_up, Workspace& workspace) const {
    const auto make = [&](Index count, Index depth, bool cleared) {
      return Rows(count, depth, cleared, workspace);
    };
    Part own;
    own.d_gates = make(chunk_ * rows, C::kBlocks * groups_, fills_up);
    for (Rows& previous : own.previous) previous = make(rows, C::kBlocks * groups_, fills_up);
    if (!wanted_.d_kernel) return own;
    const Index depth = depth_of(chunk_ * rows);
    own.x = make(p_.features, depth, false);
    own.h = make(p_.units, depth, false);
    if (C::kPhases == 2) own.gated = make(p_.units, depth, false);
    own.weights = take<float>(workspace, gates_of<C>() * groups_ * panel_rows() * kPanel<float>);
    return own;
  }

  // Adds a chunk, `blocks` times 16 rows, to the gradients of one gate's weights of one group.
  void add_weights(const Part& own, Index q, Index blocks, Bfloat16* panel, bool first) const {
    const Index gate = q / groups_, group = q % groups_, depth = ceil_div(blocks, 2);
    turn(own.d_gates, C::kInputBlock[gate] * groups_ + group, blocks, panel);
    const Bfloat16* recurrent = panel;
    if (C::kRecurrentBlock[gate] != C::kInputBlock[gate]) {
      Bfloat16* other = panel + depth * kRight;
      turn(own.d_gates, C::kRecurrentBlock[gate] * groups_ + group, blocks, other);
      recurrent = other;
    }
    float* to = sums_of(own, q, 0);
    multiply(own.x, p_.features, depth, panel, to, !first);
    const bool second = C::kPhases == 2 && gate >= C::kRecurrentCount[0];
    multiply(second ? own.gated : own.h, p_.units, depth, recurrent,
             sums_of(own, q, whole_tiles(p_.features)), !first);
    if (!wanted_.d_bias) return;
    add_rows(panel, depth, sums_of(own, q, bias_row()), !first);
    if constexpr (C::kCell == Cell::kGRU)
      add_rows(recurrent, depth, sums_of(own, q, bias_row() + 1), !first);
  }

  // The derivatives of one block and group as a panel.
  static void turn(const Rows& d_gates, Index inner, Index blocks, Bfloat16* panel) {
    for (Index i = 0; i < blocks; ++i)
      pack_rows<kParts>(panel + i / 2 * kRight, d_gates.tiles(i, inner), static_cast<int>(i % 2));
    if (blocks % 2 == 1) pack_rows<kParts>(panel + blocks / 2 * kRight, nullptr, 1);
  }

  // to (rows, kPanel) (+)= left @ panel, the rows filled up to whole tiles
  static void multiply(const Rows& left, Index rows, Index depth, const Bfloat16* panel,
                       float* to, bool add) {
    tile_product<kParts>(ceil_div(rows, kTileHeight), 1,
                         {left.data(), left.stride(), panel, depth},
                         {add ? to : nullptr, kPanel<float>}, {to, kPanel<float>});
  }

  // to (kPanel) (+)= the sum of a panel's rows
  static void add_rows(const Bfloat16* panel, Index depth, float* to, bool add) {
    float sums[kTileHeight * kPanel<float>];
    Unit::column_sums<kParts>(depth, panel, sums);
    for (Index n = 0; n < kPanel<float>; ++n) to[n] = (add ? to[n] : 0.0f) + sums[n];
  }

  // Where the bias stands in the sums of a panel, and how many rows those have.
  Index bias_row() const { return whole_tiles(p_.features) + whole_tiles(p_.units); }
  Index panel_rows() const { return bias_row() + 2; }

  float* sums_of(const Part& own, Index q, Index row) const {
    return own.weights + (q * panel_rows() + row) * kPanel<float>;
  }

  // to (rows, count) = the sums of all parts from a row of a panel on
  void add_up(Index parts, Index q, Index from, Index rows, float* to, Index to_row,
              Index count) const {
    for (Index i = 0; i < rows; ++i)
      for (Index n = 0; n < count; ++n) {
        float sum = sums_of(parts_[0], q, from + i)[n];
        for (Index b = 1; b < parts; ++b) sum += sums_of(parts_[b], q, from + i)[n];
        to[i * to_row + n] = sum;
      }
  }

  // The gradients of the inputs of some of a chunk's blocks of 16 rows.
  void finish_inputs(const Worker& w, Index done, Range blocks) const {
    if (blocks.size() == 0) return;
    const Rows& d_gates = parts_[w.part].d_gates;
    const Index width = feature_panels() * kPanel<float>, rows = sum_rows(w.rows.size());
    float* d_x = d_x_[w.number];
    const Bfloat16* left = d_gates.tiles(blocks.from, C::kInputBlock[0] * groups_);
    tile_product<kParts>(blocks.size(), feature_panels(),
                         {left, d_gates.stride(), kernel_, gates_of<C>() * groups_}, {nullptr, 0},
                         {d_x, width});
    for (Index k = blocks.from * kTileHeight; k < blocks.to * kTileHeight; ++k, d_x += width) {
      if (k % rows >= w.rows.size()) continue;
      copy(wanted_.d_x + past_.input_at(w.rows.from + k % rows, p_.time - 1 - done - k / rows),
           d_x, p_.features);
    }
  }

  const Problem<float>& p_;
  const Gradients<float>& wanted_;
  const Past<float, C>& past_;
  const Index groups_;
  Index chunk_;
  Bfloat16* recurrent_ = nullptr;  // transposed: for each group a panel
  Bfloat16* kernel_ = nullptr;     // transposed: for each kPanel features a panel
  Part parts_[kMaxBlocks];
  float* d_gates_[kMaxBlocks];     // for each thread (kBlocks, kPanel): one row of one group
  Bfloat16* panels_[kMaxBlocks];   // for each thread two panels of a chunk's rows
  float* d_x_[kMaxBlocks];         // for each thread (chunk * rows, features, in whole panels)
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
