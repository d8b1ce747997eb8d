// A layer with drawn inputs, for the kernels' own check, and what the passes make of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels.hpp"

namespace statewise {
namespace {

struct Shape {
  Index batch, time, features, units;
};

struct Options {
  bool backwards, mask, resets, bias;
  bool drops_inputs = false;
  Index recurrent_masks = 0;  // dropout masks of the state: none, one, or more for one of each gate
  bool bfloat16 = false;      // the arrays hold numbers of bfloat16
};

// The nearest bfloat16.
template <class T>
T rounded(T value) {
  const float as_float = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &as_float, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  float result;
  std::memcpy(&result, &bits, sizeof bits);
  return static_cast<T>(result);
}

// A layer, its inputs and all that the passes write, on the heap so that a sanitizer sees its ends.
template <class T>
struct Case {
  std::vector<T> x, h0, c0, kernel, recurrent, bias, d_outputs, d_h, d_c;
  std::vector<T> input_masks, recurrent_masks;
  std::vector<unsigned char> mask, resets;
  std::vector<T> outputs, h, c, saved, d_x, d_h0, d_c0, d_kernel, d_recurrent, d_bias;
  Problem<T> problem{};

  Case(Cell cell, Shape s, Options o, unsigned seed, Activations activations = kPlainActivations) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0.0, 0.5);
    const auto draw = [&](std::vector<T>& v, Index size) {
      v.resize(static_cast<std::size_t>(size));
      for (T& value : v) value = static_cast<T>(normal(random));
    };
    const auto flags = [&](std::vector<unsigned char>& v, bool wanted, double share) {
      if (!wanted) return;
      v.resize(static_cast<std::size_t>(s.batch * s.time));
      std::bernoulli_distribution flip(share);
      for (unsigned char& flag : v) flag = flip(random);
    };
    const Index gates = gate_count(cell) * s.units, state = s.batch * s.units;
    draw(x, s.batch * s.time * s.features);
    draw(h0, state);
    draw(c0, state);
    draw(kernel, s.features * gates);
    draw(recurrent, s.units * gates);
    for (T& value : recurrent) value /= std::sqrt(static_cast<T>(s.units));
    if (!is_plain(cell, activations)) {  // what isn't bounded must not grow from step to step
      for (T& value : kernel) value *= T(0.4) / std::sqrt(static_cast<T>(s.features));
      for (T& value : recurrent) value *= T(0.4);
    }
    draw(bias, o.bias ? bias_count(cell) * s.units : 0);
    draw(d_outputs, state * s.time);
    draw(d_h, state);
    draw(d_c, state);
    flags(mask, o.mask, 0.7);
    flags(resets, o.resets, 0.2);
    const auto drop = [&](std::vector<T>& v, Index size) {
      v.resize(static_cast<std::size_t>(size));
      std::bernoulli_distribution flip(0.6);
      for (T& factor : v) factor = flip(random) ? T(1) / T(0.6) : T(0);
    };
    const Index masks = o.recurrent_masks > 1 ? gate_count(cell) : o.recurrent_masks;
    drop(input_masks, o.drops_inputs ? gate_count(cell) * s.batch * s.features : 0);
    drop(recurrent_masks, masks * state);
    outputs.resize(d_outputs.size());
    h.resize(h0.size());
    c.resize(h0.size());
    saved.resize(static_cast<std::size_t>(s.time * state *
                                          saved_count(cell, is_plain(cell, activations))));
    d_x.resize(x.size());
    d_h0.resize(h0.size());
    d_c0.resize(h0.size());
    d_kernel.resize(kernel.size());
    d_recurrent.resize(recurrent.size());
    d_bias.resize(bias.size());
    problem = {cell,        activations, s.batch,  s.time,    s.features, s.units,
               o.backwards, 0,           x.data(), h0.data(), c0.data(),  kernel.data(),
               recurrent.data(), pointer(bias), pointer(mask), pointer(resets),
               pointer(input_masks), pointer(recurrent_masks), masks, o.bfloat16};
    if (!o.bfloat16) return;
    for (auto* array : {&x, &h0, &c0, &kernel, &recurrent, &bias, &d_outputs, &d_h, &d_c})
      for (T& value : *array) value = rounded(value);
  }

  template <class V>
  static auto pointer(V& v) -> decltype(v.data()) {
    return v.empty() ? nullptr : v.data();
  }

  void forward() {
    kernels<T>().forward(problem, {outputs.data(), h.data(), c.data(), pointer(saved)}, nullptr);
  }
  void infer() {
    kernels<T>().forward(problem, {outputs.data(), h.data(), c.data(), nullptr}, nullptr);
  }
  void backward() {
    kernels<T>().backward(problem,
                          {outputs.data(), pointer(saved), d_outputs.data(), d_h.data(),
                           d_c.data()},
                          {d_x.data(), d_h0.data(), d_c0.data(), d_kernel.data(),
                           d_recurrent.data(), pointer(d_bias)});
  }

  // Bit for bit what the passes wrote, as a number to be compared with that of another build.
  std::uint64_t sum() const {
    std::uint64_t sum = 14695981039346656037u;  // FNV-1a
    for (const auto* array : {&outputs, &h, &c, &d_x, &d_h0, &d_c0, &d_kernel, &d_recurrent, &d_bias})
      for (const T& value : *array) {
        unsigned char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        for (unsigned char byte : bytes) sum = (sum ^ byte) * 1099511628211u;
      }
    return sum;
  }

  // The greatest difference from another run, relative to the greatest value of each array. The
  // gradients of the weights are sums over all rows and steps; where they are `rounded`, they are
  // held against the greatest of all three, since one that has a few numbers may have cancelled out.
  double distance(const Case& other, bool rounded = false) const {
    const bool lstm = problem.cell == Cell::kLSTM;
    double worst = 0, least = 1e-2;
    const auto compare = [&](const std::vector<T>& a, const std::vector<T>& b) {
      double difference = 0, greatest = least;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::fabs(double(a[i]) - double(b[i]));
        if (!(d <= difference)) difference = d;
        greatest = std::fmax(greatest, std::fabs(double(b[i])));
      }
      if (!(difference / greatest <= worst)) worst = difference / greatest;
    };
    compare(outputs, other.outputs);
    compare(h, other.h);
    if (lstm) compare(c, other.c);
    compare(d_x, other.d_x);
    compare(d_h0, other.d_h0);
    if (lstm) compare(d_c0, other.d_c0);
    if (rounded)
      for (const auto* array : {&other.d_kernel, &other.d_recurrent, &other.d_bias})
        for (const T& value : *array) least = std::fmax(least, std::fabs(double(value)));
    compare(d_kernel, other.d_kernel);
    compare(d_recurrent, other.d_recurrent);
    compare(d_bias, other.d_bias);
    return worst;
  }
};

}  // namespace
}  // namespace statewise
