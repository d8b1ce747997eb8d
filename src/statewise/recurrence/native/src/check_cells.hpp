// Every cell over odd shapes and over drawn ones, with every instruction set of this machine.
#pragma once

#include <cstdio>

#include "check_case.hpp"
#include "pool.hpp"

namespace statewise {
namespace {

constexpr Shape kShapes[] = {{1, 1, 1, 1},    {1, 7, 3, 3},    {2, 1, 8, 7},    {3, 9, 2, 17},
                             {33, 5, 4, 33},  {5, 40, 3, 65},  {1, 300, 2, 64}, {13, 3, 70, 40},
                             {2, 3, 5, 321},  {64, 6, 8, 64},  {70, 3, 16, 260},
                             // Large enough for the tile unit, and full pieces of it or not.
                             {45, 7, 60, 100}, {80, 20, 64, 64}, {31, 12, 40, 200}};

// What a call is shared out by.
struct Sharing {
  Index threads, cache_bytes;
};

constexpr Sharing kSharing[] = {{1, 0}, {2, 0}, {3, 0}, {7, 0}};

// Whether an instruction set multiplies numbers of bfloat16 as these, so that what enters a product
// is rounded.
bool rounds(const char* set, Options options) {
  return options.bfloat16 && (std::strcmp(set, "amx") == 0 || std::strcmp(set, "avx512bf16") == 0);
}

// Of what is rounded on the way; in a sum of many such the errors mostly cancel.
constexpr double kRoundedTolerance = 1e-2;
// How many calls differed by more than floats do, some of those that may be rounded must; and the
// most by which one did.
Index rounded_calls = 0;
double most_rounded = 0;

template <class T, class List>
bool check_cell(Cell cell, Shape shape, Options options, const List& ways, double tolerance,
                unsigned seed, Activations activations = kPlainActivations) {
  Case<T> expected(cell, shape, options, seed, activations);
  set_thread_count(1);
  use_instruction_set("portable");
  expected.forward();
  expected.backward();
  bool equal = true;
  for (const char* const* set = instruction_sets(); *set; ++set) {
    use_instruction_set(*set);
    for (const Sharing& way : ways) {
      set_thread_count(way.threads);
      set_core_cache_bytes(way.cache_bytes);
      Case<T> found(cell, shape, options, seed, activations);
      found.infer();
      found.forward();
      found.backward();
      const bool may_round = sizeof(T) == sizeof(float) && rounds(*set, options);
      const double distance = found.distance(expected, may_round);
      if (may_round && distance > tolerance) ++rounded_calls;
      if (may_round && distance > most_rounded) most_rounded = distance;
      if (distance <= (may_round ? kRoundedTolerance : tolerance)) continue;
      equal = false;
      std::printf("cell %d, activations %d %d, batch %td, time %td, features %td, units %td, "
                  "backwards %d, mask %d, resets %d, bias %d, drops inputs %d, recurrent masks %td, %s, %td threads, "
                  "cache %td, bfloat16 %d, seed %u: %g\n",
                  static_cast<int>(cell), static_cast<int>(activations.activation),
                  static_cast<int>(activations.recurrent), shape.batch, shape.time, shape.features,
                  shape.units,
                  options.backwards, options.mask, options.resets, options.bias,
                  options.drops_inputs, options.recurrent_masks, *set, way.threads,
                  way.cache_bytes, options.bfloat16, seed, distance);
    }
  }
  set_core_cache_bytes(0);
  return equal;
}

bool check() {
  bool equal = true;
  unsigned seed = 0;
  for (const Shape& shape : kShapes)
    for (int cell = 0; cell < kCells; ++cell)
      for (int o = 0; o < 4; ++o) {
        const Options options{o % 2 == 1, o >= 2,  o == 1 || o == 3,
                              o != 1,     o == 3, (o + cell) % 3};
        const Cell kind = static_cast<Cell>(cell);
        equal = check_cell<float>(kind, shape, options, kSharing, 2e-4, ++seed) && equal;
        Options half = options;
        half.bfloat16 = true;
        half.drops_inputs = false;
        half.recurrent_masks = 0;
        if (o == 1) equal = check_cell<float>(kind, shape, half, kSharing, 2e-4, seed) && equal;
        if (shape.units < 100)
          equal = check_cell<double>(kind, shape, options, kSharing, 1e-12, seed) && equal;
      }
  return equal;
}

// Sizes just below, at and above those in which the kernels cut the work, and any others between:
// what goes wrong in a kernel goes wrong where a piece is left over.
Index draw_size(std::mt19937& random, Index most) {
  constexpr Index kPieces[] = {1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512};
  const auto below = [&random](Index n) { return static_cast<Index>(random() % unsigned(n)); };
  Index size = 0;
  if (below(2)) {
    size = kPieces[below(14)] + below(3) - 1;
  } else {
    size = static_cast<Index>(std::exp(std::log(double(most)) * double(random()) / 4294967296.0));
  }
  return std::clamp<Index>(size, 1, most);
}

// The functions of a cell, half of the time tanh and sigmoid. Of single precision those alone whose
// slope has no jump: rounding decides on which side of it a number stands.
Activations draw_activations(std::mt19937& random, bool with_jumps) {
  if (random() % 2 == 0) return kPlainActivations;
  const auto jumps = [](int a) {
    switch (static_cast<Activation>(a)) {
      case Activation::kRelu:
      case Activation::kHardSigmoid:
      case Activation::kOldHardSigmoid:
      case Activation::kHardTanh:
      case Activation::kSelu:
        return true;
      default:
        return false;
    }
  };
  int activation, recurrent;
  do {
    activation = static_cast<int>(random() % unsigned(kActivations));
    recurrent = static_cast<int>(random() % unsigned(kActivations));
  } while (!are_activations(activation, recurrent) ||
           (!with_jumps && (jumps(activation) || jumps(recurrent))));
  return {static_cast<Activation>(activation), static_cast<Activation>(recurrent)};
}

// Few steps where the gates aren't between 0 and 1: there a state may grow until it overflows.
Shape steps_for(Shape s, Activations a) {
  const bool may_grow = a.recurrent == Activation::kLinear || a.recurrent == Activation::kRelu ||
                        a.recurrent == Activation::kTanh;
  if (may_grow) s.time = std::min<Index>(s.time, 4);
  return s;
}

// A drawn call.
struct Drawn {
  Cell cell;
  Shape shape;
  Options options;
  Sharing ways[2];
  Activations smooth, any;
  bool in_double, in_bfloat16;
};

// One of so few multiplications that the sanitizers come to an end.
Drawn draw_call(unsigned seed) {
  constexpr double kMost = 3e7;
  constexpr Index kCaches[] = {0, 1 << 12, 1 << 16};
  std::mt19937 random(seed);
  Shape s;
  do {
    s = {draw_size(random, 1100), draw_size(random, 80), draw_size(random, 200),
         draw_size(random, 300)};
  } while (double(s.batch) * s.time * s.units * (s.units + s.features) > kMost);
  Drawn d{};
  d.shape = s;
  d.options = {random() % 2 == 0, random() % 3 == 0, random() % 3 == 0,
               random() % 4 != 0, random() % 3 == 0, Index(random() % 3)};
  d.cell = static_cast<Cell>(random() % kCells);
  d.ways[0] = {1, 0};
  d.ways[1] = {2 + Index(random() % 6), kCaches[random() % 3]};
  d.smooth = draw_activations(random, false);
  d.any = draw_activations(random, true);
  d.in_double = random() % 2 == 0;
  d.in_bfloat16 = random() % 2 == 0;
  return d;
}

// Without dropout, which is left to the vectors.
Options in_bfloat16(const Options& o) {
  return {o.backwards, o.mask, o.resets, o.bias, false, 0, true};
}

// Few steps of the cell that forgets nothing: what was rounded grows in it from step to step.
Shape steps_in_bfloat16(Shape s, Cell cell) {
  if (cell == Cell::kSimpleRNN) s.time = std::min<Index>(s.time, 4);
  return s;
}

bool check_drawn(Index cases, unsigned seed) {
  bool equal = true;
  for (Index i = 0; i < cases; ++i) {
    const unsigned own = seed + static_cast<unsigned>(i);
    const Drawn d = draw_call(own);
    equal = check_cell<float>(d.cell, steps_for(d.shape, d.smooth), d.options, d.ways, 2e-4, own,
                              d.smooth) &&
            equal;
    if (d.in_double)
      equal = check_cell<double>(d.cell, steps_for(d.shape, d.any), d.options, d.ways, 1e-11, own,
                                 d.any) &&
              equal;
    if (d.in_bfloat16)
      equal = check_cell<float>(d.cell, steps_in_bfloat16(d.shape, d.cell),
                                in_bfloat16(d.options), d.ways, 2e-4, own) &&
              equal;
  }
  return equal;
}

// An infinite input saturates gates and leaves what comes out finite, also where units only fill up a
// panel.
bool check_infinities() {
  constexpr Shape kShape = {32, 5, 70, 100};
  bool finite = true;
  for (int cell = 0; cell < kCells; ++cell)
    for (const bool half : {false, true}) {
      const auto run = [&](const char* set) {
        use_instruction_set(set);
        Case<float> c(static_cast<Cell>(cell), kShape, in_bfloat16({}), 4);
        c.problem.in_bfloat16 = half;
        for (float& w : c.kernel) w = std::fabs(w) + 0.5f;  // no difference of two infinities
        c.x[(3 * kShape.time + 1) * kShape.features + 7] = INFINITY;
        c.x[(20 * kShape.time + 2) * kShape.features] = -INFINITY;
        c.forward();
        return c;
      };
      const Case<float> expected = run("portable");
      for (const char* const* set = instruction_sets(); *set; ++set) {
        const Case<float> found = run(*set);
        for (std::size_t i = 0; i < found.outputs.size(); ++i)
          if (!(std::fabs(found.outputs[i] - expected.outputs[i]) < 0.05f)) finite = false;
        if (!finite) std::printf("cell %d, %s, bfloat16 %d: infinite inputs\n", cell, *set, half);
        if (!finite) return false;
      }
    }
  return finite;
}

// Bit for bit what an instruction set gives for drawn calls, to hold another build against it.
template <class T>
std::uint64_t sum_of(const Drawn& d, unsigned seed, Options options, Activations activations) {
  std::uint64_t sum = 0;
  for (const Sharing& way : d.ways) {
    set_thread_count(way.threads);
    set_core_cache_bytes(way.cache_bytes);
    Case<T> found(d.cell, steps_for(d.shape, activations), options, seed, activations);
    found.forward();
    found.backward();
    sum = sum * 31 + found.sum();
  }
  set_core_cache_bytes(0);
  return sum;
}

void print_sums(Index cases, unsigned seed) {
  for (const char* const* set = instruction_sets(); *set; ++set) {
    use_instruction_set(*set);
    std::uint64_t plain = 0, floats = 0, doubles = 0, halves = 0;
    for (Index i = 0; i < cases; ++i) {
      const unsigned own = seed + static_cast<unsigned>(i);
      const Drawn d = draw_call(own);
      Options no_dropout = in_bfloat16(d.options);
      halves = halves * 31 + sum_of<float>(d, own, no_dropout, kPlainActivations);
      no_dropout.bfloat16 = false;
      plain = plain * 31 + sum_of<float>(d, own, no_dropout, kPlainActivations);
      floats = floats * 31 + sum_of<float>(d, own, d.options, d.smooth);
      doubles = doubles * 31 + sum_of<double>(d, own, d.options, d.any);
    }
    const std::uint64_t sums[] = {plain, floats, doubles, halves};
    std::printf("%-10s plain float, float, double, bfloat16:", *set);
    for (std::uint64_t sum : sums) std::printf(" %016llx", static_cast<unsigned long long>(sum));
    std::printf("\n");
  }
}

}  // namespace
}  // namespace statewise
