// The products of the forward pass, on the tile unit.
#pragma once

#include "cells.hpp"
#include "packed.hpp"
#include "plan.hpp"
#include "tiles.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// See ForwardPanels for what the functions mean.
template <class C>
class ForwardTiles {
 public:
  static constexpr Index kWeightBytes = kParts * sizeof(Bfloat16);
  static constexpr Index kRows = kTileHeight;
  static constexpr bool kOverlaps = true;

  using Unit = TileUnit;
  struct Share {
    SplitRows x;       // of a chunk's steps
    SplitRows h[2];    // before and after a step, in turn
    SplitRows gated;
  };

  static Index sum_rows(Index rows) { return whole_tiles(rows); }

  ForwardTiles(const Problem<float>& p, const Flags<float>& flags, const Plan&, const float*,
               Workspace& workspace)
      : p_(p), flags_(flags), groups_(groups_of<float>(p.units)), depth_(depth_of(p.features)) {
    constexpr Index gates = gates_of<C>();
    kernel_ = take<Bfloat16>(workspace, groups_ * gates * depth_ * kRightSize);
    recurrent_ = take<Bfloat16>(workspace, groups_ * gates * groups_ * kRightSize);
    bias_ = take<float>(workspace, groups_ * C::kSlots * kPanel<float>);
  }

  // `shared` is the share of another thread that works on the same rows, or null.
  Share make_share(Index rows, const Share* shared, Index chunk, Workspace& workspace) const {
    const auto make = [&](Index count, Index depth) {
      return SplitRows(count, depth, true, workspace);
    };
    Share share;
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
        pack_tiles(kernel_ + (g * gates + i) * depth_ * kRightSize, p_.features, count,
                   p_.kernel + C::kInputGates[i] * p_.units + unit, row, 1);
      for (int phase = 0; phase < C::kPhases; ++phase)
        for (int i = 0; i < C::kRecurrentCount[phase]; ++i) {
          const int gate = C::kRecurrentGates[first_recurrent_gate<C>(phase) + i];
          pack_tiles(recurrent_panels(phase, g) + i * groups_ * kRightSize, p_.units, count,
                     p_.recurrent + gate * p_.units + unit, row, 1);
        }
      pack_bias<float, C>(p_.bias, p_.units, unit, count,
                          bias_ + g * C::kSlots * kPanel<float>);
    }
  }

  const float* bias(Index group) const { return bias_ + group * C::kSlots * kPanel<float>; }

  void project(Index from, Index to, Range rows, Range groups, const Share& share,
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
    for (Index g = groups.from; g < groups.to; ++g) {
      const Index at = ((g - groups.from) * C::kSlots + C::kInputSlot) * kPanel<float>;
      tile_product((to - from) * step_rows / kTileHeight, gates, depth_, share.x.data(),
                   share.x.stride(), kernel_ + g * gates * depth_ * kRightSize,
                   {bias(g) + C::kInputSlot * kPanel<float>, 0}, {projected + at, row_width});
      if (!infinite) continue;
      for (Index s = from; s < to; ++s)
        for (Index b = 0; b < rows.size(); ++b)
          project_infinite(g, input(rows.from + b, s),
                           projected + ((s - from) * step_rows + b) * row_width + at);
    }
  }

  template <class Meanwhile>
  void recurrent(Index s, int phase, Range rows, Index group, const Share& share, Left<float>,
                 Initial<float> initial, Sums<float> sums, Meanwhile&& meanwhile) const {
    const SplitRows& left = phase == 0 ? share.h[s % 2] : share.gated;
    const Index blocks = sum_rows(rows.size()) / kTileHeight, panels = C::kRecurrentCount[phase];
    const Index each = ceil_div(rows.size(), panels * groups_ * ceil_div(blocks, 2));
    tile_product(blocks, panels, groups_, left.data(), left.stride(),
                 recurrent_panels(phase, group), initial, sums, [&] { meanwhile(each); });
  }

  void keep(Index s, int phase, Index row, Index group, const Share& share,
            const float* values) const {
    (phase == 0 ? share.h[s % 2] : share.gated).put(row, group, values);
  }

 private:
  const float* input(Index b, Index s) const {
    return p_.x + (b * p_.time + flags_.time_of(s)) * p_.features;
  }

  Bfloat16* recurrent_panels(int phase, Index group) const {
    const Index panels =
        groups_ * first_recurrent_gate<C>(phase) + group * C::kRecurrentCount[phase];
    return recurrent_ + panels * groups_ * kRightSize;
  }

  // One row's sums of a group again, in plain arithmetic, if there is an infinity in it.
  void project_infinite(Index group, const float* x, float* sums) const {
    bool infinite = false;
    for (Index k = 0; k < p_.features; ++k)
      infinite |= __builtin_fabsf(x[k]) > 3.3e38f;
    if (!infinite) return;
    const Index unit = group * kPanel<float>, row = gates_of<C>() * p_.units;
    for (int i = 0; i < gates_of<C>(); ++i)
      for (Index n = 0; n < min_of(kPanel<float>, p_.units - unit); ++n) {
        const float* weights = p_.kernel + C::kInputGates[i] * p_.units + unit + n;
        float sum = bias(group)[(C::kInputSlot + i) * kPanel<float> + n];
        for (Index k = 0; k < p_.features; ++k) sum += x[k] * weights[k * row];
        sums[i * kPanel<float> + n] = sum;
      }
  }

  const Problem<float>& p_;
  const Flags<float>& flags_;
  const Index groups_, depth_;
  Bfloat16* kernel_;     // for each group and gate a panel
  Bfloat16* recurrent_;  // for each phase and group the panels of its gates
  float* bias_;          // for each group the slots
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
