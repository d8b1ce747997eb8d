// Runs the kernels without Python: every cell over odd shapes and over drawn ones, with every
// instruction set of this machine, on one thread and on several, held against the portable path on
// one thread. For the sanitizers (scripts/sanitize.sh), and for machines whose instruction set the
// tests have not met.
//
//   statewise_check                   compares; the exit code says whether all was equal
//   statewise_check drawn COUNT SEED  compares COUNT drawn cases only
//   statewise_check sums COUNT SEED   prints a number of every bit of COUNT drawn cases' results
//   statewise_check time              prints the speed of some shapes in processor time, one thread
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check_cells.hpp"
#include "check_linear.hpp"
#include "check_live.hpp"
#include "workspace.hpp"

namespace statewise {
namespace {

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
        check_drawn(std::atoi(arguments[2]), static_cast<unsigned>(std::atoi(arguments[3]))) &&
        check_infinities();
    std::printf("drawn shapes: %s; rounded to bfloat16: %td, by %.1e at most\n",
                equal ? "equal" : "DIFFERENT", rounded_calls, most_rounded);
    return equal ? 0 : 1;
  }
  if (count == 4 && std::strcmp(arguments[1], "sums") == 0) {
    print_sums(std::atoi(arguments[2]), static_cast<unsigned>(std::atoi(arguments[3])));
    return 0;
  }
  const bool equal = check() && check_drawn(100, 1) && check_linear() && check_infinities(),
             callers = check_callers(),
             live = check_live() && check_undone(), forks = check_forks();
  std::printf("kernels: %s, callers at once: %s, live step: %s, children of forks: %s\n",
              equal ? "equal" : "DIFFERENT", callers ? "equal" : "DIFFERENT",
              live ? "equal" : "DIFFERENT", forks ? "compute" : "HANG");
  return equal && callers && live && forks ? 0 : 1;
}
