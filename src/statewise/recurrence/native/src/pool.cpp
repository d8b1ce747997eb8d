#include "pool.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace statewise {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(50);
constexpr int kSpinsBeforeYield = 2000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits a little longer each time it is asked; gives the processor away where many threads compete.
class Spin {
 public:
  void wait() {
    relax();
    if (++count_ > kSpinsBeforeYield) std::this_thread::yield();
  }

 private:
  int count_ = 0;
};

Index default_thread_count() {
  if (const char* text = std::getenv("STATEWISE_NUM_THREADS")) {
    const long count = std::strtol(text, nullptr, 10);
    if (count > 0) return count;
  }
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count > 0 ? count : 1;
}

// A job in hand. A block of phase p is free while its counter stands at p.
struct Job {
  Task task;
  Index blocks, threads;
  std::atomic<Index> phase{0};
  std::atomic<Index> done{0};
  std::atomic<bool> finished{false};
  struct alignas(64) Block {
    std::atomic<Index> taken{0};
  } block[kMaxBlocks];

  // Works on the present phase, beginning with the block of one's own number, so that the same
  // thread meets the same data in each phase.
  void work(Index own) {
    const Index now = phase.load(std::memory_order_acquire);
    for (Index i = 0; i < blocks; ++i) {
      const Index b = (own + i) % blocks;
      Index expected = now;
      if (block[b].taken.compare_exchange_strong(expected, now + 1, std::memory_order_acq_rel)) {
        task.run(task.context, now, b);
        done.fetch_add(1, std::memory_order_acq_rel);
      }
    }
  }
};

class Pool {
 public:
  // Never destroyed: its threads may outlive main's static objects.
  static Pool& instance() {
    static Pool* pool = new Pool;
    return *pool;
  }

  void run(Index phases, Index blocks, Task task, Index threads) {
    if (blocks > kMaxBlocks || forked_.load(std::memory_order_relaxed) ||
        busy_.exchange(true, std::memory_order_acquire)) {
      run_alone(phases, blocks, task);
      return;
    }
    start_helpers(threads - 1);
    Job job;
    job.task = task;
    job.blocks = blocks;
    job.threads = threads;
    current_.store(&job);
    generation_.fetch_add(1);
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    if (task.meanwhile) task.meanwhile(task.context);
    for (Index p = 0; p < phases; ++p) {
      job.work(0);
      Spin spin;
      while (job.done.load(std::memory_order_acquire) != (p + 1) * blocks) spin.wait();
      // After the last phase the number stands: its blocks are taken, and there are no others.
      if (p + 1 < phases) job.phase.store(p + 1, std::memory_order_release);
    }
    job.finished.store(true, std::memory_order_release);
    current_.store(nullptr);
    Spin spin;
    while (inside_.load() > 0) spin.wait();
    busy_.store(false, std::memory_order_release);
  }

  static void run_alone(Index phases, Index blocks, Task task) {
    if (task.meanwhile) task.meanwhile(task.context);
    for (Index p = 0; p < phases; ++p)
      for (Index b = 0; b < blocks; ++b) task.run(task.context, p, b);
  }

 private:
  Pool() {
#if defined(__unix__) || defined(__APPLE__)
    // The child of a fork has no helpers, and perhaps a lock that nobody will open.
    pthread_atfork(nullptr, nullptr, [] { instance().forked_.store(true); });
#endif
  }

  // Called by the one caller that holds `busy_`.
  void start_helpers(Index wanted) {
    while (helpers_ < wanted) {
      try {
        std::thread([this, own = helpers_ + 1] { help(own); }).detach();
      } catch (const std::exception&) {
        return;  // no thread to be had: the caller does the work
      }
      ++helpers_;
    }
  }

  [[noreturn]] void help(Index own) {
    FlushDenormals flush;
    std::uint64_t seen = 0;
    for (;;) {
      inside_.fetch_add(1);
      if (Job* job = current_.load()) {
        Spin spin;
        while (!job->finished.load(std::memory_order_acquire)) {
          if (own < job->threads) job->work(own);
          spin.wait();
        }
      }
      inside_.fetch_sub(1);
      wait_for_job(seen);
    }
  }

  void wait_for_job(std::uint64_t& seen) {
    const auto until = std::chrono::steady_clock::now() + kSpinTime;
    for (;;) {
      for (int i = 0; i < 64; ++i) {
        if (generation_.load() != seen) {
          seen = generation_.load();
          return;
        }
        relax();
      }
      if (std::chrono::steady_clock::now() > until) break;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] { return generation_.load() != seen; });
    sleepers_.fetch_sub(1);
    seen = generation_.load();
  }

  std::atomic<bool> busy_{false}, forked_{false};
  std::atomic<Job*> current_{nullptr};
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> inside_{0}, sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  Index helpers_ = 0;
};

std::atomic<Index> chosen_threads{0};

#if defined(__x86_64__) || defined(__i386__)
constexpr std::uint64_t kFlushBits = 0x8040;  // flush to zero, denormals are zero
std::uint64_t float_control() { return _mm_getcsr(); }
void set_float_control(std::uint64_t bits) { _mm_setcsr(static_cast<unsigned>(bits)); }
#elif defined(__aarch64__)
constexpr std::uint64_t kFlushBits = std::uint64_t{1} << 24;
std::uint64_t float_control() {
  std::uint64_t bits;
  asm volatile("mrs %0, fpcr" : "=r"(bits));
  return bits;
}
void set_float_control(std::uint64_t bits) { asm volatile("msr fpcr, %0" : : "r"(bits)); }
#else
constexpr std::uint64_t kFlushBits = 0;
std::uint64_t float_control() { return 0; }
void set_float_control(std::uint64_t) {}
#endif

}  // namespace

Index thread_count() {
  static const Index by_default = default_thread_count();
  const Index chosen = chosen_threads.load(std::memory_order_relaxed);
  const Index count = chosen > 0 ? chosen : by_default;
  return count < kMaxBlocks ? count : kMaxBlocks;
}

void set_thread_count(Index count) { chosen_threads.store(count, std::memory_order_relaxed); }

void run_phases(Index phases, Index blocks, Task task, Index threads) {
  if (threads <= 0 || threads > blocks) threads = blocks;
  if (threads <= 1) {
    Pool::run_alone(phases, blocks, task);
  } else {
    Pool::instance().run(phases, blocks, task, threads);
  }
}

FlushDenormals::FlushDenormals() : before_(float_control()) {
  if ((before_ & kFlushBits) != kFlushBits) set_float_control(before_ | kFlushBits);
}

FlushDenormals::~FlushDenormals() {
  if ((before_ & kFlushBits) != kFlushBits) set_float_control(before_);
}

}  // namespace statewise
