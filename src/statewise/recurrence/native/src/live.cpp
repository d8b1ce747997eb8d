#include "live.hpp"

#include <algorithm>
#include <atomic>
#include <new>

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

// Calls block(first, count) on parts of all rows that are small enough, by several threads where
// that is worth it.
template <class F>
void share_out(Index rows, double work, const F& block) {
  const Index blocks = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  if (blocks <= 1) {
    block(0, rows);
    return;
  }
  const Index threads = rows * work < kSharedWork ? 1 : std::min(thread_count(), kMaxBlocks);
  const Index parts = std::min(threads, blocks);
  std::atomic<bool> failed{false};
  auto run_part = [&](Index part) {
    try {
      for (Index b = part * blocks / parts; b < (part + 1) * blocks / parts; ++b) {
        const Index first = b * rows / blocks;
        block(first, (b + 1) * rows / blocks - first);
      }
    } catch (const std::bad_alloc&) {  // a helper thread has nobody to catch it
      failed = true;
    }
  };
  run_phases(1, parts, {[](void* context, Index, Index part) {
                          (*static_cast<decltype(run_part)*>(context))(part);
                        },
                        &run_part});
  if (failed) throw std::bad_alloc();
}

}  // namespace

void Live::add_recurrent(Cell cell, Index features, Index units, const float* kernel,
                         const float* recurrent, const float* bias) {
  Problem<float> p{};
  p.cell = cell;
  p.features = features;
  p.units = units;
  p.kernel = kernel;
  p.recurrent = recurrent;
  p.bias = bias;
  Layer layer{true, cell, Activation::kLinear, features, units, {}};
  layer.packed.resize(static_cast<std::size_t>(kernels_->packed_size(cell, features, units)));
  kernels_->pack(p, layer.packed.data());
  layers_.push_back(std::move(layer));
  state_units_.push_back(units);
  if (cell == Cell::kLSTM) state_units_.push_back(units);
  work_ += 2.0 * gate_count(cell) * units * (features + units);
}

void Live::add_dense(Activation activation, Index inputs, Index units, const float* kernel,
                     const float* bias) {
  Layer layer{false, Cell::kSimpleRNN, activation, inputs, units, {}};
  layer.packed.resize(static_cast<std::size_t>(kernels_->packed_dense_size(inputs, units)));
  kernels_->pack_dense(inputs, units, kernel, bias, layer.packed.data());
  layers_.push_back(std::move(layer));
  work_ += 2.0 * inputs * units;
}

void Live::step(Index rows, const float* x, const float* const* before, float* const* after,
                float* y) const {
  share_out(rows, work_, [&](Index first, Index count) {
    const float* from[kMostArrays];
    float* to[kMostArrays];
    for (std::size_t i = 0; i < state_units_.size(); ++i) {
      from[i] = before[i] + first * state_units_[i];
      to[i] = after[i] + first * state_units_[i];
    }
    step_block(count, x + first * features(), from, to, y + first * outputs());
  });
}

void Live::update(Index rows, const Index* numbers, const float* x, float* const* state,
                  float* y) const {
  // Put back when all rows are computed: where there is no memory for one block of them, none is a
  // step ahead of the others.
  Workspace workspace;
  float* some[kMostArrays];
  for (std::size_t i = 0; i < state_units_.size(); ++i)
    some[i] = static_cast<float*>(
        workspace.take(static_cast<std::size_t>(rows * state_units_[i]) * sizeof(float)));
  share_out(rows, work_, [&](Index first, Index count) {
    float* own[kMostArrays];
    for (std::size_t i = 0; i < state_units_.size(); ++i) {
      const Index units = state_units_[i];
      own[i] = some[i] + first * units;
      for (Index n = 0; n < count; ++n)
        std::copy_n(state[i] + numbers[first + n] * units, units, own[i] + n * units);
    }
    step_block(count, x + first * features(), own, own, y + first * outputs());
  });
  share_out(rows, work_, [&](Index first, Index count) {
    for (std::size_t i = 0; i < state_units_.size(); ++i) {
      const Index units = state_units_[i];
      for (Index n = first; n < first + count; ++n)
        std::copy_n(some[i] + n * units, units, state[i] + numbers[n] * units);
    }
  });
}

void Live::step_block(Index rows, const float* x, const float* const* before, float* const* after,
                      float* y) const {
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
      kernels_->dense({layer.inputs, layer.units, layer.activation, layer.packed.data()}, rows, x,
                      out);
      x = out;
      continue;
    }
    Problem<float> p{};
    p.cell = layer.cell;
    p.batch = rows;
    p.time = 1;
    p.features = layer.inputs;
    p.units = layer.units;
    p.x = x;
    p.h0 = *before++;
    Results<float> results{};
    results.h = *after++;
    if (layer.cell == Cell::kLSTM) {
      p.c0 = *before++;
      results.c = *after++;
    }
    kernels_->forward(p, results, layer.packed.data());
    x = results.h;
    if (last) std::copy(x, x + rows * layer.units, y);
  }
}

}  // namespace statewise
