// How a call is shared out among threads, and when a step of a sequence is skipped or begins anew.
#pragma once

#include "dropout.hpp"
#include "pool.hpp"

namespace statewise {
namespace STATEWISE_ISA {

struct Range {
  Index from, to;
  Index size() const { return to - from; }
};

// The i-th of n nearly equal parts of [0, count).
inline Range part(Index count, Index i, Index n) { return {i * count / n, (i + 1) * count / n}; }

// A call is worked on by one thread, or each thread takes some rows of the batch through all steps,
// or each takes some units and all meet at every step. Rows need no meeting; units share out the
// recurrent weights, so that each thread's part fits its own cache.
struct Plan {
  Index row_blocks, unit_blocks;
  bool streams;  // a thread's weights don't all stay in its core's cache
};

// Below this many multiplications and additions, a tenth of a millisecond, a call is not worth waking
// a thread for.
constexpr double kSmallCall = 1.0e7;
// Meeting costs about a microsecond; a thread's share of a step must be worth that.
constexpr double kSmallStep = 2.0e5;
// Recurrent weights up to this part of a core's own cache stay there.
constexpr double kCacheShare = 0.75;

// How many threads may work on a call.
template <class T>
inline Index threads_of(const Problem<T>& p) {
  return p.threads > 0 ? min_of(p.threads, thread_count()) : thread_count();
}

// `Products` says what a packed weight takes and of how many rows it makes one piece.
template <class Products, class T>
inline Plan plan_for(const Problem<T>& p, Index groups) {
  const Index threads = threads_of(p);
  const double weights = double(gate_count(p.cell)) * p.units * p.units;
  const double step = 2.0 * p.batch * weights;
  const double inputs = 2.0 * p.batch * gate_count(p.cell) * p.units * p.features;
  const double kept = kCacheShare * core_cache_bytes() / Products::kWeightBytes;
  const double all = weights + double(gate_count(p.cell)) * p.units * p.features;
  if (threads == 1 || p.time * (step + inputs) < kSmallCall) return {1, 1, all > kept};
  const Index unit_blocks = min_of(min_of(threads, groups), Index(step / kSmallStep));
  const Index row_blocks = min_of(threads, ceil_div(p.batch, Products::kRows));
  const bool by_units = weights > kept || row_blocks < min_of(threads, p.batch);
  if (by_units && unit_blocks > 1) return {1, unit_blocks, all / unit_blocks > kept};
  return {row_blocks, 1, all > kept};
}

// Which rows of the batch are skipped at a step, and which begin anew there. Steps are counted in
// the order of processing.
template <class T>
class Flags {
 public:
  explicit Flags(const Problem<T>& p) : Flags(p.mask, p.resets, p.time, p.backwards) {}

  Flags(const unsigned char* mask, const unsigned char* resets, Index time, bool backwards)
      : mask_(mask), resets_(resets), time_(time), backwards_(backwards) {}

  Index time_of(Index step) const { return backwards_ ? time_ - 1 - step : step; }

  bool valid(Index row, Index step) const {
    return !mask_ || mask_[row * time_ + time_of(step)];
  }

  // Running backwards, the flag of the sequence that begins at time t ends it: its neighbour is
  // entered at t - 1.
  bool restarts(Index row, Index step) const {
    if (!resets_ || step >= time_) return false;
    if (!backwards_) return resets_[row * time_ + step];
    return step > 0 && resets_[row * time_ + time_ - step];
  }

 private:
  const unsigned char* mask_;
  const unsigned char* resets_;
  Index time_;
  bool backwards_;
};

// Calls a function object on every block of every phase, on as many threads as there are blocks.
template <class F>
inline void run_blocks(Index phases, Index blocks, F& body) {
  run_phases(phases, blocks, {[](void* context, Index phase, Index block) {
                                (*static_cast<F*>(context))(phase, block);
                              },
                              &body});
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
