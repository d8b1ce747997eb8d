// The products of the forward pass, in tiles of bfloat16.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"
#include "tiles.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// See ForwardPanels for what the functions mean.
template <class C, int kParts>
class ForwardTiles {
  using Rows = SplitRows<kParts>;
  static constexpr Index kRight = kRightSize<kParts>;

 public:
  static constexpr Index kWeightBytes = kParts * sizeof(Bfloat16);
  static constexpr Index kRows = kTileHeight;
  static constexpr bool kOverlaps = MatrixUnit::kOverlaps;
  static constexpr Index kTurnRows = kOverlaps ? 4 * kTileHeight : PTRDIFF_MAX / kMaxBlocks;

  using Unit = MatrixUnit;
  struct Share {
    Rows x;            // of a chunk's steps
    Rows h[2];         // before and after a step, in turn
    Rows gated;
    Index from;        // the first step of the chunk
    bool projected;    // its inputs' part was multiplied beforehand
  };

  static Index sum_rows(Index rows) { return whole_tiles(rows); }

  ForwardTiles(const Problem<float>& p, const Flags<float>& flags, const Plan& plan, const float*,
               Workspace& workspace)
      : p_(p), flags_(flags), groups_(groups_of<float>(p.units)), depth_(depth_of(p.features)) {
    constexpr Index gates = gates_of<C>();
    const Index bytes = kRight * Index(sizeof(Bfloat16)) * gates * groups_ * (depth_ + groups_);
    all_stay_ = double(bytes) / plan.unit_blocks < kStayingShare * core_cache_bytes();
    kernel_ = take<Bfloat16>(workspace, groups_ * gates * depth_ * kRight);
    recurrent_ = take<Bfloat16>(workspace, groups_ * gates * groups_ * kRight);
    bias_ = take<float>(workspace, groups_ * C::kSlots * kPanel<float>);
  }

  // `shared` is the share of another thread that works on the same rows, or null.
  Share make_share(Range own, const Share* shared, Index chunk, Workspace& workspace) const {
    const Index rows = own.size();
    const auto make = [&](Index count, Index depth) {
      return Rows(count, depth, true, workspace);
    };
    Share share{};
    if (shared) share = *shared;
    share.x = make(chunk * sum_rows(rows), depth_);
    if (shared) return share;
    share.h[0] = make(rows, groups_);
    share.h[1] = make(rows, groups_);
    if (C::kPhases == 2) share.gated = make(rows, groups_);
    return share;
  }

  void pack(Range groups) const {
    constexpr int gates = gates_of<C>();
    const Index row = gates * p_.units;
    for (Index g = groups.from; g < groups.to; ++g) {
      const Index unit = g * kPanel<float>, count = min_of(kPanel<float>, p_.units - unit);
      for (int i = 0; i < gates; ++i)
        pack_tiles<kParts>(kernel_panels(g) + i * depth_ * kRight, p_.features, count,
                           p_.kernel + C::kInputGates[i] * p_.units + unit, row, 1);
      for (int phase = 0; phase < C::kPhases; ++phase)
        for (int i = 0; i < C::kRecurrentCount[phase]; ++i) {
          const int gate = C::kRecurrentGates[first_recurrent_gate<C>(phase) + i];
          pack_tiles<kParts>(recurrent_panels(phase, g) + i * groups_ * kRight, p_.units, count,
                             p_.recurrent + gate * p_.units + unit, row, 1);
        }
      pack_bias<float, C>(p_.bias, p_.units, unit, count,
                          bias_ + g * C::kSlots * kPanel<float>);
    }
  }

  const float* bias(Index group) const { return bias_ + group * C::kSlots * kPanel<float>; }

  // Cuts the inputs in parts. Multiplies them for all steps at once only where that's needed: the
  // inputs' part would be written and read again, a tile of it for each of the recurrent product.
  void project(Index from, Index to, Range rows, Range groups, Share& share,
               float* projected) const {
    constexpr int gates = gates_of<C>();
    const Index row_width = groups.size() * C::kSlots * kPanel<float>;
    const Index step_rows = sum_rows(rows.size());
    bool infinite = false;
    for (Index s = from; s < to; ++s)
      for (Index b = 0; b < rows.size(); ++b)
        for (Index k = 0; k < depth_; ++k)
          infinite |= share.x.put((s - from) * step_rows + b, k,
                                  input(rows.from + b, s) + k * kTileDepth,
                                  min_of(kTileDepth, p_.features - k * kTileDepth));
    share.from = from;
    share.projected = infinite || !all_stay_;
    for (Index g = groups.from; share.projected && g < groups.to; ++g) {
      const Index at = ((g - groups.from) * C::kSlots + C::kInputSlot) * kPanel<float>;
      tile_product<kParts>((to - from) * step_rows / kTileHeight, gates,
                           {share.x.data(), share.x.stride(), kernel_panels(g), depth_},
                           {bias(g) + C::kInputSlot * kPanel<float>, 0},
                           {projected + at, row_width});
      if (!infinite) continue;
      for (Index s = from; s < to; ++s)
        for (Index b = 0; b < rows.size(); ++b)
          project_infinite(g, input(rows.from + b, s),
                           projected + ((s - from) * step_rows + b) * row_width + at);
    }
  }

  bool adds_inputs(const Share& share) const { return !share.projected; }

  template <class Meanwhile>
  void recurrent(Index s, int phase, Range rows, Index group, const Share& share, Left<float>,
                 Initial<float> projected, Sums<float> sums, Meanwhile&& meanwhile) const {
    const Rows& left = phase == 0 ? share.h[s % 2] : share.gated;
    const Index blocks = sum_rows(rows.size()) / kTileHeight;
    const Bfloat16* x = share.x.tiles((s - share.from) * blocks);
    const Initial<float> begin = share.projected ? projected : Initial<float>{bias(group), 0};
    Index depth = C::kRecurrentCount[phase] * groups_;
    for (int slot = 0; slot < C::kSlots; ++slot)
      if (!share.projected && enters(slot, phase)) depth += depth_;
    Paced paced(rows.size(), depth * ceil_div(blocks, 2), meanwhile);
    for (int slot = 0; slot < C::kSlots; ++slot) {
      Factors factors[2];
      int count = 0;
      if (!share.projected && enters(slot, phase))
        factors[count++] = {x, share.x.stride(),
                            kernel_panels(group) + (slot - C::kInputSlot) * depth_ * kRight,
                            depth_};
      const int gate = slot - C::kRecurrentSlot[phase];
      if (gate >= 0 && gate < C::kRecurrentCount[phase])
        factors[count++] = {left.data(), left.stride(),
                            recurrent_panels(phase, group) + gate * groups_ * kRight, groups_};
      const Index at = slot * kPanel<float>;
      if (count > 0)
        tile_panel<kParts>(blocks, factors, count, {begin.data + at, begin.row},
                           {sums.data + at, sums.row}, paced);
    }
  }

  void keep(Index s, int phase, Index row, Index group, const Share& share,
            const float* values) const {
    (phase == 0 ? share.h[s % 2] : share.gated).put(row, group, values);
  }

 private:
  // The part of a core's cache that all its weights may take to be read anew at each step.
  static constexpr double kStayingShare = 0.5;

  // Whether the inputs' part enters a slot in a phase: in the one whose product it is added to, in
  // the first where there is none.
  static constexpr bool enters(int slot, int phase) {
    if (slot < C::kInputSlot || slot >= C::kInputSlot + gates_of<C>()) return false;
    for (int i = 0; i < C::kPhases; ++i)
      if (slot >= C::kRecurrentSlot[i] && slot < C::kRecurrentSlot[i] + C::kRecurrentCount[i])
        return i == phase;
    return phase == 0;
  }

  const float* input(Index b, Index s) const {
    return p_.x + (b * p_.time + flags_.time_of(s)) * p_.features;
  }

  Bfloat16* kernel_panels(Index group) const {
    return kernel_ + group * gates_of<C>() * depth_ * kRight;
  }

  Bfloat16* recurrent_panels(int phase, Index group) const {
    const Index panels =
        groups_ * first_recurrent_gate<C>(phase) + group * C::kRecurrentCount[phase];
    return recurrent_ + panels * groups_ * kRight;
  }

  // One row's sums of a group again, in plain arithmetic, if there is an infinity in it; those that
  // only fill up the panel too, which the state's product reads.
  void project_infinite(Index group, const float* x, float* sums) const {
    bool infinite = false;
    for (Index k = 0; k < p_.features; ++k)
      infinite |= __builtin_fabsf(x[k]) > 3.3e38f;
    if (!infinite) return;
    const Index unit = group * kPanel<float>, row = gates_of<C>() * p_.units;
    const Index count = min_of(kPanel<float>, p_.units - unit);
    for (int i = 0; i < gates_of<C>(); ++i) {
      fill(sums + i * kPanel<float> + count, kPanel<float> - count, 0.0f);
      for (Index n = 0; n < count; ++n) {
        const float* weights = p_.kernel + C::kInputGates[i] * p_.units + unit + n;
        float sum = bias(group)[(C::kInputSlot + i) * kPanel<float> + n];
        for (Index k = 0; k < p_.features; ++k) sum += x[k] * weights[k * row];
        sums[i * kPanel<float> + n] = sum;
      }
    }
  }

  const Problem<float>& p_;
  const Flags<float>& flags_;
  const Index groups_, depth_;
  bool all_stay_;        // the weights of a thread, in its core's cache
  Bfloat16* kernel_;     // for each group and gate a panel
  Bfloat16* recurrent_;  // for each phase and group the panels of its gates
  float* bias_;          // for each group the slots
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
