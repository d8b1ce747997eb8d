// Runs the kernels without Python: every cell over odd shapes and over drawn ones, with every
// instruction set of this machine, on one thread and on several, held against the portable path on
// one thread. For the sanitizers (scripts/sanitize.sh), and for machines whose instruction set the
// tests have not met.
//
//   statewise_check                   compares; the exit code says whether all was equal
//   statewise_check drawn COUNT SEED  compares COUNT drawn cases only
//   statewise_check time              prints the speed of some shapes in processor time, one thread
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check_linear.hpp"
#include "kernels.hpp"
#include "live.hpp"
#include "pool.hpp"
#include "workspace.hpp"

namespace statewise {
namespace {

struct Shape {
  Index batch, time, features, units;
};

struct Options {
  bool backwards, mask, resets, bias;
  bool drops_inputs = false;
  Index recurrent_masks = 0;  // dropout masks of the state: none, one, or more for one of each gate
};

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
               pointer(input_masks), pointer(recurrent_masks), masks};
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

  // The greatest difference from another run, relative to the greatest value of each array.
  double distance(const Case& other) const {
    const bool lstm = problem.cell == Cell::kLSTM;
    double worst = 0;
    const auto compare = [&](const std::vector<T>& a, const std::vector<T>& b) {
      double difference = 0, greatest = 1e-2;
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
    compare(d_kernel, other.d_kernel);
    compare(d_recurrent, other.d_recurrent);
    compare(d_bias, other.d_bias);
    return worst;
  }
};

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
      const double distance = found.distance(expected);
      if (distance <= tolerance) continue;
      equal = false;
      std::printf("cell %d, activations %d %d, batch %td, time %td, features %td, units %td, "
                  "backwards %d, mask %d, resets %d, bias %d, drops inputs %d, recurrent masks %td, %s, %td threads, "
                  "cache %td, seed %u: %g\n",
                  static_cast<int>(cell), static_cast<int>(activations.activation),
                  static_cast<int>(activations.recurrent), shape.batch, shape.time, shape.features,
                  shape.units,
                  options.backwards, options.mask, options.resets, options.bias,
                  options.drops_inputs, options.recurrent_masks, *set, way.threads,
                  way.cache_bytes, seed, distance);
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

// Drawn shapes and options, of so few multiplications that the sanitizers come to an end.
bool check_drawn(Index cases, unsigned seed) {
  constexpr double kMost = 3e7;
  constexpr Index kCaches[] = {0, 1 << 12, 1 << 16};
  bool equal = true;
  for (Index i = 0; i < cases; ++i) {
    const unsigned own = seed + static_cast<unsigned>(i);
    std::mt19937 random(own);
    Shape s;
    do {
      s = {draw_size(random, 1100), draw_size(random, 80), draw_size(random, 200),
           draw_size(random, 300)};
    } while (double(s.batch) * s.time * s.units * (s.units + s.features) > kMost);
    const Options options{random() % 2 == 0, random() % 3 == 0, random() % 3 == 0,
                          random() % 4 != 0, random() % 3 == 0, Index(random() % 3)};
    const Cell cell = static_cast<Cell>(random() % kCells);
    const Sharing ways[] = {{1, 0}, {2 + Index(random() % 6), kCaches[random() % 3]}};
    const Activations smooth = draw_activations(random, false);
    const Activations any = draw_activations(random, true);
    equal = check_cell<float>(cell, steps_for(s, smooth), options, ways, 2e-4, own, smooth) &&
            equal;
    if (random() % 2 == 0)
      equal = check_cell<double>(cell, steps_for(s, any), options, ways, 1e-11, own, any) && equal;
  }
  return equal;
}

// Several callers at once share one pool: one gets the helpers, the others work alone.
bool check_callers() {
  set_thread_count(3);
  Case<float> expected(Cell::kLSTM, {16, 20, 8, 64}, {false, false, false, true}, 1);
  expected.forward();
  expected.backward();
  bool equal[4] = {};
  std::vector<std::thread> callers;
  for (bool& result : equal)
    callers.emplace_back([&result, &expected] {
      result = true;
      for (int i = 0; i < 5; ++i) {
        Case<float> found(Cell::kLSTM, {16, 20, 8, 64}, {false, false, false, true}, 1);
        found.forward();
        found.backward();
        result = result && found.distance(expected) < 2e-5;
      }
    });
  for (std::thread& caller : callers) caller.join();
  return equal[0] && equal[1] && equal[2] && equal[3];
}

// The child of a fork computes too, whatever the parent's threads were at.
bool check_forks() {
#if defined(__unix__) || defined(__APPLE__)
  constexpr unsigned kPatience = 20;  // seconds
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&stop] {
      while (!stop) {
        Workspace workspace;
        workspace.take(64);
      }
    });
  bool all = true;
  for (int i = 0; i < 200 && all; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kPatience);
      Case<float> found(Cell::kLSTM, {4, 3, 2, 8}, {false, false, false, true}, 1);
      found.forward();
      _exit(0);
    }
    int status = 0;
    all = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  return all;
#else
  return true;
#endif
}

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

double processor_time() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void time_shapes() {
  constexpr struct {
    const char* name;
    Cell cell;
    Shape shape;
  } kJobs[] = {{"LSTM", Cell::kLSTM, {64, 50, 8, 64}},     {"GRU", Cell::kGRU, {64, 50, 8, 64}},
               {"LSTM", Cell::kLSTM, {400, 1, 8, 64}},     {"LSTM", Cell::kLSTM, {1, 1000, 8, 32}},
               {"GRU", Cell::kGRU, {1, 1000, 8, 32}},      {"LSTM", Cell::kLSTM, {64, 50, 32, 256}},
               {"LSTM", Cell::kLSTM, {32, 25, 128, 512}},  {"GRU", Cell::kGRU, {32, 25, 128, 512}},
               {"LSTM", Cell::kLSTM, {1, 100, 8, 256}}};
  set_thread_count(1);
  const FlushDenormals flush;
  for (const auto& job : kJobs) {
    Case<float> c(job.cell, job.shape, {false, false, false, true}, 3);
    const double work = 2.0 * job.shape.batch * job.shape.time * gate_count(job.cell) *
                        job.shape.units * (job.shape.features + job.shape.units);
    double best[3] = {1e9, 1e9, 1e9};
    for (int round = 0; round < 20; ++round)
      for (int kind = 0; kind < 3; ++kind) {
        const int count = 1 + static_cast<int>(2e8 / work);
        const double start = processor_time();
        for (int i = 0; i < count; ++i) {
          if (kind == 0) c.infer();
          if (kind == 1) c.forward();
          if (kind == 2) c.backward();
        }
        best[kind] = std::fmin(best[kind], (processor_time() - start) / count);
      }
    std::printf("%-5s batch %3td time %4td features %3td units %3td", job.name, job.shape.batch,
                job.shape.time, job.shape.features, job.shape.units);
    std::printf("  infer %8.3f ms %4.0f GFLOP/s  forward %8.3f ms %4.0f  backward %8.3f ms %4.0f\n",
                best[0] * 1e3, work / best[0] / 1e9, best[1] * 1e3, work / best[1] / 1e9,
                best[2] * 1e3, 2 * work / best[2] / 1e9);
  }
}

}  // namespace
}  // namespace statewise

int main(int count, char** arguments) {
  using namespace statewise;
  std::printf("instruction sets:");
  for (const char* const* set = instruction_sets(); *set; ++set) std::printf(" %s", *set);
  std::printf("; in use: %s\n", instruction_set());
  if (count > 1 && std::strcmp(arguments[1], "time") == 0) {
    time_shapes();
    return 0;
  }
  if (count == 4 && std::strcmp(arguments[1], "drawn") == 0) {
    const bool equal =
        check_drawn(std::atoi(arguments[2]), static_cast<unsigned>(std::atoi(arguments[3])));
    std::printf("drawn shapes: %s\n", equal ? "equal" : "DIFFERENT");
    return equal ? 0 : 1;
  }
  const bool equal = check() && check_drawn(100, 1) && check_linear(), callers = check_callers(),
             live = check_live() && check_undone(), forks = check_forks();
  std::printf("kernels: %s, callers at once: %s, live step: %s, children of forks: %s\n",
              equal ? "equal" : "DIFFERENT", callers ? "equal" : "DIFFERENT",
              live ? "equal" : "DIFFERENT", forks ? "compute" : "HANG");
  return equal && callers && live && forks ? 0 : 1;
}
