// The threads that work beside the caller.
//
// A job is a number of phases, each a number of blocks; a phase begins when the one before it is
// complete. The caller works too, and takes every block that nobody else took, so a helper that is
// late, asleep or missing (after a fork, or busy with another caller's job) only costs speed. The
// caller waits for nobody but helpers that have begun a block. Idle helpers spin for a moment, in
// case the next job comes at once, and then sleep.
#pragma once

#include "kernels.hpp"

namespace statewise {

struct Task {
  void (*run)(void* context, Index phase, Index block);
  void* context;
  // What the caller does before it works, while helpers have begun; or null.
  void (*meanwhile)(void* context) = nullptr;
};

// At most this many blocks are shared out; more than that one thread takes all.
constexpr Index kMaxBlocks = 64;

// How many threads may work on a job, the caller among them: STATEWISE_NUM_THREADS, or the
// processors this process may run on.
Index thread_count();

// Sets that number, for tests and measurements; 0 means the default again.
void set_thread_count(Index count);

// Runs all blocks of all phases, on at most so many threads, 0 for one a block; returns when they are
// done. More blocks than threads even out what the threads get done. Blocks must not throw.
void run_phases(Index phases, Index blocks, Task task, Index threads = 0);

// Numbers too small for the normal format are zero while this lives, as in XLA's own threads: they
// can slow a product down a hundredfold.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t before_;
};

}  // namespace statewise
