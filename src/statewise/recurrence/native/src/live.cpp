#include "live.hpp"

#include <algorithm>

#include "pool.hpp"
#include "workspace.hpp"

namespace statewise {

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
