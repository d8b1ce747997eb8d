// The check of the linear recurrence (see check.cpp): over odd shapes, with every instruction set of
// this machine, on one thread and on several, held against the portable path on one thread.
#pragma once

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "kernels.hpp"
#include "pool.hpp"

namespace statewise {

// A problem and all that its passes write, on the heap so that a sanitizer sees its ends.
template <class T>
struct LinearCase {
  std::vector<T> a, b, h0, d_outputs, d_h, outputs, h, d_a, d_b, d_h0;
  std::vector<unsigned char> mask, resets;
  LinearProblem<T> problem{};

  LinearCase(Index batch, Index time, Index units, bool backwards, bool flags, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    const auto draw = [&](std::vector<T>& v, Index size) {
      v.resize(static_cast<std::size_t>(size));
      for (T& value : v) value = static_cast<T>(uniform(random));
    };
    const Index all = batch * time * units, one = batch * units;
    draw(a, all);
    draw(b, all);
    draw(h0, one);
    draw(d_outputs, all);
    draw(d_h, one);
    for (auto* v : {&outputs, &d_a, &d_b}) v->resize(a.size());
    for (auto* v : {&h, &d_h0}) v->resize(h0.size());
    if (flags) {
      for (Index i = 0; i < batch * time; ++i) {
        mask.push_back(uniform(random) < 0.7);
        resets.push_back(uniform(random) < 0.2);
      }
    }
    problem = {batch,    time,     units,     backwards,
               0,        a.data(), b.data(),  h0.data(),
               flags ? mask.data() : nullptr, flags ? resets.data() : nullptr};
  }

  void run() {
    kernels<T>().linear_forward(problem, {nullptr, h.data()});
    kernels<T>().linear_forward(problem, {outputs.data(), h.data()});
    kernels<T>().linear_backward(problem, {outputs.data(), d_outputs.data(), d_h.data()},
                                 {d_a.data(), d_b.data(), d_h0.data()});
  }

  double distance(const LinearCase& other) const {
    double worst = 0;
    const auto compare = [&](const std::vector<T>& one, const std::vector<T>& two) {
      for (std::size_t i = 0; i < one.size(); ++i) {
        const double difference = std::fabs(double(one[i]) - double(two[i]));
        if (!(difference <= worst)) worst = difference;
      }
    };
    compare(outputs, other.outputs);
    compare(h, other.h);
    compare(d_a, other.d_a);
    compare(d_b, other.d_b);
    compare(d_h0, other.d_h0);
    return worst;
  }
};

template <class T>
bool check_linear_as(double tolerance) {
  constexpr Index kShapes[][3] = {{1, 1, 1},   {3, 7, 5},     {2, 9, 17},   {1, 40, 129},
                                  {9, 33, 64}, {2, 30, 1030}, {70, 11, 33}, {1, 90, 1025}};
  bool equal = true;
  unsigned seed = 0;
  for (const auto& s : kShapes)
    for (int o = 0; o < 4; ++o) {
      const bool backwards = o % 2 == 1, flags = o >= 2;
      ++seed;
      set_thread_count(1);
      use_instruction_set("portable");
      LinearCase<T> expected(s[0], s[1], s[2], backwards, flags, seed);
      expected.run();
      for (const char* const* set = instruction_sets(); *set; ++set)
        for (const Index threads : {1, 2, 3, 7}) {
          use_instruction_set(*set);
          set_thread_count(threads);
          LinearCase<T> found(s[0], s[1], s[2], backwards, flags, seed);
          found.run();
          const double distance = found.distance(expected);
          if (distance <= tolerance) continue;
          equal = false;
          std::printf("linear: batch %td, time %td, units %td, backwards %d, flags %d, %s, %td "
                      "threads: %g\n", s[0], s[1], s[2], backwards, flags, *set, threads, distance);
        }
    }
  return equal;
}

inline bool check_linear() {
  const bool single = check_linear_as<float>(1e-4);
  return check_linear_as<double>(1e-11) && single;
}

}  // namespace statewise
