#include "live.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

#include "pool.hpp"
#include "workspace.hpp"

namespace statewise {
namespace {

// So many rows at once that what a layer makes of them stays in one core's own cache: ten thousand
// rows of an LSTM(64) take a third of the time that they take all at once.
constexpr Index kRowsAtOnce = 256;
// Below this many multiplications and additions, a tenth of a millisecond, a call is not worth waking
// a thread for.
constexpr double kSharedWork = 1.0e7;

// A number of rows, worked on in blocks that are small enough, by several threads where that is worth
// it. Where one thing fails nothing further begins.
class Rows {
 public:
  Rows(Index rows, double work)
      : rows_(rows),
        blocks_((rows + kRowsAtOnce - 1) / kRowsAtOnce),
        threads_(rows * work < kSharedWork ? 1 : std::min(thread_count(), blocks_)) {}

  Index threads() const { return threads_; }
  Index first(Index block) const { return block * rows_ / blocks_; }
  Index count(Index block) const { return first(block + 1) - first(block); }

  // Calls run(phase, block) for all blocks of all phases, and meanwhile() as the pool does. Throws
  // std::bad_alloc where a block does; false where meanwhile() is false.
  template <class F, class G>
  bool share_out(Index phases, const F& run, const G& meanwhile) const {
    // More parts than threads: of a thread that comes late, the others take what is left.
    const Index parts = threads_ == 1 ? 1 : std::min(blocks_, kMaxBlocks);
    struct Work {
      const Rows& rows;
      const F& run;
      const G& meanwhile;
      Index parts;
      std::atomic<bool> refused, no_memory;
    } work{*this, run, meanwhile, parts, {false}, {false}};
    const Task task{
        [](void* context, Index phase, Index part) {
          Work& work = *static_cast<Work*>(context);
          const Index blocks = work.rows.blocks_;
          try {
            for (Index b = part * blocks / work.parts; b < (part + 1) * blocks / work.parts; ++b)
              if (!work.refused && !work.no_memory) work.run(phase, b);
          } catch (const std::bad_alloc&) {  // a helper thread has nobody to catch it
            work.no_memory = true;
          }
        },
        &work,
        [](void* context) {
          Work& work = *static_cast<Work*>(context);
          if (!work.meanwhile()) work.refused = true;
        }};
    run_phases(phases, parts, task, threads_);
    if (work.no_memory) throw std::bad_alloc();
    return !work.refused;
  }

 private:
  Index rows_, blocks_, threads_;
};

// Whether rows of these numbers lie one after the other.
bool is_adjacent(const Index* numbers, Index count) {
  for (Index n = 1; n < count; ++n)
    if (numbers[n] != numbers[0] + n) return false;
  return true;
}

// Calls move(n, number, count) for all rows, or for those together that lie one after the other.
template <class F>
void for_rows(const Index* numbers, Index count, const F& move) {
  if (is_adjacent(numbers, count)) return move(Index{0}, numbers[0], count);
  for (Index n = 0; n < count; ++n) move(n, numbers[n], Index{1});
}

// The rows of these numbers, one after the other.
void gather(const Index* numbers, Index count, Index units, const float* all, float* some) {
  for_rows(numbers, count, [=](Index n, Index number, Index together) {
    std::copy_n(all + number * units, together * units, some + n * units);
  });
}

// The same the other way round.
void scatter(const Index* numbers, Index count, Index units, const float* some, float* all) {
  for_rows(numbers, count, [=](Index n, Index number, Index together) {
    std::copy_n(some + n * units, together * units, all + number * units);
  });
}

}  // namespace

void Live::add_recurrent(Cell cell, Activations activations, Index features, Index units,
                         const float* kernel, const float* recurrent, const float* bias) {
  Problem<float> p{};
  p.cell = cell;
  p.features = features;
  p.units = units;
  p.kernel = kernel;
  p.recurrent = recurrent;
  p.bias = bias;
  Layer layer{true, cell, activations, features, units, {}};
  layer.packed.resize(static_cast<std::size_t>(kernels_->packed_size(cell, features, units)));
  kernels_->pack(p, layer.packed.data());
  layers_.push_back(std::move(layer));
  state_units_.push_back(units);
  if (cell == Cell::kLSTM) state_units_.push_back(units);
  work_ += 2.0 * gate_count(cell) * units * (features + units);
}

void Live::add_dense(Activation activation, Index inputs, Index units, const float* kernel,
                     const float* bias) {
  Layer layer{false, Cell::kSimpleRNN, {activation, activation}, inputs, units, {}};
  layer.packed.resize(static_cast<std::size_t>(kernels_->packed_dense_size(inputs, units)));
  kernels_->pack_dense(inputs, units, kernel, bias, layer.packed.data());
  layers_.push_back(std::move(layer));
  work_ += 2.0 * inputs * units;
}

void Live::step(Index rows, const float* x, const float* const* before, float* const* after,
                float* y) const {
  const Rows all(rows, work_);
  const auto run = [&](Index, Index block) {
    const Index first = all.first(block);
    const float* from[kMostArrays];
    float* to[kMostArrays];
    for (std::size_t i = 0; i < state_units_.size(); ++i) {
      from[i] = before[i] + first * state_units_[i];
      to[i] = after[i] + first * state_units_[i];
    }
    step_block(all.count(block), x + first * features(), from, to, y + first * outputs(),
               all.threads() > 1);
  };
  all.share_out(1, run, [] { return true; });
}

bool Live::update(Index rows, const Index* numbers, const float* x, float* const* state, float* y,
                  const Beside& beside) const {
  // What comes of the step lies apart until all of it is there: without memory for one block of the
  // rows, none is to be a step ahead of the others.
  const Rows all(rows, work_);
  Workspace workspace;
  float* after[kMostArrays];
  const Index shown = layers_.back().recurrent ? last_output() : -1;
  for (Index i = 0; i < state_count(); ++i)
    after[i] = i == shown ? y
                          : static_cast<float*>(workspace.take(
                                static_cast<std::size_t>(rows * state_units_[i]) * sizeof(float)));
  const auto step_rows = [&](Index block) {
    const Index first = all.first(block), count = all.count(block);
    const Index* number = numbers + first;
    const bool adjacent = is_adjacent(number, count);
    Workspace own;
    const float* from[kMostArrays];
    float* to[kMostArrays];
    for (Index i = 0; i < state_count(); ++i) {
      const Index units = state_units_[i];
      to[i] = after[i] + first * units;
      from[i] = state[i] + number[0] * units;
      if (adjacent) continue;
      float* some = static_cast<float*>(
          own.take(static_cast<std::size_t>(count * units) * sizeof(float)));
      gather(number, count, units, state[i], some);
      from[i] = some;
    }
    step_block(count, x + first * features(), from, to, y + first * outputs(), all.threads() > 1);
  };
  const auto put = [&](Index block) {
    const Index first = all.first(block), count = all.count(block);
    const Index* number = numbers + first;
    for (Index i = 0; i < state_count(); ++i)
      scatter(number, count, state_units_[i], after[i] + first * state_units_[i], state[i]);
    if (beside.kept) scatter(number, count, outputs(), y + first * outputs(), beside.kept);
  };
  return all.share_out(
      2, [&](Index phase, Index block) { return phase == 0 ? step_rows(block) : put(block); },
      [&] { return !beside.meanwhile || beside.meanwhile(beside.context); });
}

void Live::step_block(Index rows, const float* x, const float* const* before, float* const* after,
                      float* y, bool beside_others) const {
  const FlushDenormals flush;
  Workspace workspace;
  Index widest = 0;
  for (const Layer& layer : layers_) widest = std::max(widest, layer.units);
  const std::size_t size = static_cast<std::size_t>(rows * widest) * sizeof(float);
  float* buffers[2] = {static_cast<float*>(workspace.take(size)),
                       static_cast<float*>(workspace.take(size))};
  int turn = 0;
  for (const Layer& layer : layers_) {
    const bool last = &layer == &layers_.back();
    if (!layer.recurrent) {
      float* out = last ? y : buffers[turn ^= 1];
      kernels_->dense({layer.inputs, layer.units, layer.activations.activation, layer.packed.data()}, rows, x,
                      out);
      x = out;
      continue;
    }
    Problem<float> p{};
    p.cell = layer.cell;
    p.activations = layer.activations;
    p.batch = rows;
    p.time = 1;
    p.threads = beside_others ? 1 : 0;
    p.features = layer.inputs;
    p.units = layer.units;
    p.x = x;
    p.h0 = *before++;
    Results<float> results{};
    results.h = *after++;
    results.outputs = last && y != results.h ? y : nullptr;
    if (layer.cell == Cell::kLSTM) {
      p.c0 = *before++;
      results.c = *after++;
    }
    kernels_->forward(p, results, layer.packed.data());
    x = results.h;
  }
}

}  // namespace statewise
