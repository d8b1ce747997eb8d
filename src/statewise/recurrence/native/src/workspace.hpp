// Memory for the length of one call, which stays warm from call to call: fresh pages cost more than
// the arithmetic done in them.
#pragma once

#include <cstddef>

namespace statewise {

class Workspace {
 public:
  Workspace();   // takes a block that an earlier call left, if there is one
  ~Workspace();  // leaves it for the next
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Uninitialised bytes, aligned to a cache line. Throws std::bad_alloc.
  void* take(std::size_t size);

 private:
  struct Block;
  Block* blocks_;  // newest first; only the newest has room
};

}  // namespace statewise
