// The live step, for the kernels' own check.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "check_case.hpp"
#include "live.hpp"

namespace statewise {
namespace {

// One step of a stack equals the same layers run one after the other.
bool check_live() {
  Case<float> layer(Cell::kGRU, {5, 1, 3, 19}, {false, false, false, true}, 2);
  layer.infer();
  std::vector<float> kernel(19 * 4, 0.1f), y(5 * 4), h(layer.h0);
  Live live;
  live.add_recurrent(Cell::kGRU, kPlainActivations, 3, 19, layer.kernel.data(),
                     layer.recurrent.data(), layer.bias.data());
  for (Activation a : {Activation::kTanh, Activation::kSigmoid, Activation::kRelu,
                       Activation::kSoftmax, Activation::kLinear})
    live.add_dense(a, a == Activation::kTanh ? 19 : 4, 4, kernel.data(), nullptr);
  float* state[] = {h.data()};
  live.step(5, layer.x.data(), state, state, y.data());
  for (std::size_t i = 0; i < h.size(); ++i)
    if (std::fabs(h[i] - layer.h[i]) > 1e-6f) return false;
  for (float value : y)
    if (std::fabs(value - 0.1f) > 1e-5f) return false;  // the sum of a softmax times 0.1
  return true;
}

// An update of many rows, by several threads, is undone where what goes on beside it fails.
bool check_undone() {
  constexpr Index kRows = 2000, kUnits = 32, kCapacity = 3000;
  Case<float> layer(Cell::kLSTM, {kRows, 1, 3, kUnits}, {false, false, false, true}, 2);
  Live live;
  live.add_recurrent(Cell::kLSTM, kPlainActivations, 3, kUnits, layer.kernel.data(),
                     layer.recurrent.data(), layer.bias.data());
  std::vector<float> h(kCapacity * kUnits, 0.5f), c(h), kept(h), y(kRows * kUnits);
  const std::vector<float> before(h);
  float* state[] = {h.data(), c.data()};
  for (const Index stride : {Index{1}, kCapacity - 1}) {  // adjacent rows, and backwards
    std::vector<Index> numbers(kRows);
    for (Index n = 0; n < kRows; ++n) numbers[n] = (7 + n * stride) % kCapacity;
    Live::Beside beside;
    beside.kept = kept.data();
    std::atomic<bool> late{false};
    beside.context = &late;
    beside.meanwhile = [](void* context) {
      auto& late = *static_cast<std::atomic<bool>*>(context);
      if (late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return false;
    };
    for (int turn = 0; turn < 2; ++turn, late = true) {
      if (live.update(kRows, numbers.data(), layer.x.data(), state, y.data(), beside)) return false;
      if (h != before || c != before || kept != before) return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace statewise
