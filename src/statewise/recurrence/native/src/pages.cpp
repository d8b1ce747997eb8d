#include "pages.hpp"

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace statewise {

#if defined(MADV_HUGEPAGE)
namespace {

constexpr std::uintptr_t kLargePage = std::uintptr_t{2} << 20;
// Below this the call to the system costs more than it saves.
constexpr std::size_t kLargeArray = std::size_t{1} << 20;

}  // namespace

void wish_for_large_pages(void* array, std::size_t bytes) {
  if (!array || bytes < kLargeArray) return;
  // The pages at the ends too: what lies beside is mostly another array of the same program.
  const auto begin = reinterpret_cast<std::uintptr_t>(array);
  const std::uintptr_t from = begin / kLargePage * kLargePage;
  const std::uintptr_t to = (begin + bytes + kLargePage - 1) / kLargePage * kLargePage;
  (void)madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
}
#else
void wish_for_large_pages(void*, std::size_t) {}
#endif

}  // namespace statewise
