// Large pages for large arrays.
#pragma once

#include <cstddef>

namespace statewise {

// Asks that an array which is about to be written for the first time gets large pages where it is
// large: entering 50 MB page by page costs as much as the arithmetic that fills them. XLA hands over
// fresh memory in every call. A wish, nothing more: where the system knows no such pages, nothing
// happens, and the array's contents never change.
void wish_for_large_pages(void* array, std::size_t bytes);

}  // namespace statewise
