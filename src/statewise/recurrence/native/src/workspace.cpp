#include "workspace.hpp"

#include <mutex>
#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "pages.hpp"

namespace statewise {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kSmallest = std::size_t{1} << 16;
// What is kept between calls: a few blocks, none larger than this.
constexpr std::size_t kLargestKept = std::size_t{64} << 20;
constexpr int kMostKept = 8;

std::size_t round_up(std::size_t size) { return (size + kLine - 1) / kLine * kLine; }

}  // namespace

struct Workspace::Block {
  Block* next;
  std::size_t size, used;  // of the bytes after the header

  char* bytes() { return reinterpret_cast<char*>(this) + kLine; }

  static Block* create(std::size_t size) {
    static_assert(sizeof(Block) <= kLine, "the header takes one cache line");
    void* memory = ::operator new(size + kLine, std::align_val_t{kLine});
    wish_for_large_pages(memory, size + kLine);
    return new (memory) Block{nullptr, size, 0};
  }
  static void destroy(Block* block) { ::operator delete(block, std::align_val_t{kLine}); }

  // Those that wait for the next call; never destroyed, threads may outlive static objects.
  struct Kept {
    std::mutex mutex;
    Block* first = nullptr;
    int count = 0;
  };
  static Kept& kept() {
    static Kept* kept = create_kept();
    return *kept;
  }

 private:
  static Kept* create_kept() {
#if defined(__unix__) || defined(__APPLE__)
    // Or a fork in the middle of another thread's taking a block leaves the child a lock that nobody
    // will open.
    pthread_atfork([] { Block::kept().mutex.lock(); }, [] { Block::kept().mutex.unlock(); },
                   [] { Block::kept().mutex.unlock(); });
#endif
    return new Kept;
  }
};

Workspace::Workspace() : blocks_(nullptr) {
  Block::Kept& kept = Block::kept();
  std::lock_guard<std::mutex> lock(kept.mutex);
  if (kept.first) {
    blocks_ = kept.first;
    kept.first = blocks_->next;
    --kept.count;
    blocks_->next = nullptr;
    blocks_->used = 0;
  }
}

Workspace::~Workspace() {
  if (!blocks_) return;
  if (blocks_->next) {  // it did not fit in one: leave one that does
    std::size_t total = 0;
    while (blocks_) {
      Block* block = blocks_;
      blocks_ = block->next;
      total += block->size;
      Block::destroy(block);
    }
    if (total > kLargestKept) return;
    try {
      blocks_ = Block::create(total);
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  if (blocks_->size <= kLargestKept) {
    Block::Kept& kept = Block::kept();
    std::lock_guard<std::mutex> lock(kept.mutex);
    if (kept.count < kMostKept) {
      blocks_->next = kept.first;
      kept.first = blocks_;
      ++kept.count;
      return;
    }
  }
  Block::destroy(blocks_);
}

void* Workspace::take(std::size_t size) {
  size = round_up(size);
  if (!blocks_ || blocks_->size - blocks_->used < size) {
    Block* block = Block::create(size > kSmallest ? size : kSmallest);
    block->next = blocks_;
    blocks_ = block;
  }
  void* result = blocks_->bytes() + blocks_->used;
  blocks_->used += size;
  return result;
}

}  // namespace statewise
