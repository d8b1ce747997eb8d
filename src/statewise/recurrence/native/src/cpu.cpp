// What this machine has: which instruction set serves, how large a core's cache is.
#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__unix__)
#include <unistd.h>
#endif
#if defined(STATEWISE_HAS_avx512bf16) && !defined(STATEWISE_EMULATE)
#include <cpuid.h>
#endif
#if defined(STATEWISE_HAS_amx) && !defined(STATEWISE_EMULATE)
#include <sys/syscall.h>
#endif

#include "kernels.hpp"

namespace statewise {

#define STATEWISE_DECLARE(isa)                   \
  namespace isa {                                \
  extern const Kernels<float> kernels_float;     \
  extern const Kernels<double> kernels_double;   \
  }
#ifdef STATEWISE_HAS_avx512
STATEWISE_DECLARE(avx512)
#endif
#ifdef STATEWISE_HAS_avx2
STATEWISE_DECLARE(avx2)
#endif
STATEWISE_DECLARE(portable)
// Those of bfloat16 have a forward and a backward pass of their own, all else from AVX-512.
#define STATEWISE_DECLARE_PASSES(isa)                                                      \
  namespace isa {                                                                          \
  void forward(const Problem<float>&, const Results<float>&, const float* packed);         \
  void backward(const Problem<float>&, const Cotangents<float>&, const Gradients<float>&); \
  }
#ifdef STATEWISE_HAS_avx512bf16
STATEWISE_DECLARE_PASSES(avx512bf16)
#endif
#ifdef STATEWISE_HAS_amx
STATEWISE_DECLARE_PASSES(amx)
#endif

namespace {

#if defined(STATEWISE_EMULATE)
bool has_avx512() { return true; }
bool multiplies_bfloat16_faster() { return true; }
bool may_use_tiles() { return true; }
#elif defined(STATEWISE_HAS_avx512)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

#if defined(STATEWISE_HAS_avx512bf16) && !defined(STATEWISE_EMULATE)
bool has_vector_bfloat16() {
  constexpr unsigned kLeaf = 7, kVectorBfloat16 = 1u << 5;
  unsigned a, b, c, d;
  return has_avx512() && __get_cpuid_count(kLeaf, 1, &a, &b, &c, &d) && (a & kVectorBfloat16);
}

// Whether the vectors' products of bfloat16 are worth it: on AMD's processors they take as long as
// an instruction of floats and do twice its work, on Intel's they take longer.
bool multiplies_bfloat16_faster() { return __builtin_cpu_is("amd") && has_vector_bfloat16(); }
#endif

#if defined(STATEWISE_HAS_amx) && !defined(STATEWISE_EMULATE)
// Whether there is a tile unit and the system lets this process use it: its registers are large, so
// Linux wants to be asked. It isn't, where the user chose other instructions.
bool may_use_tiles() {
  constexpr unsigned kLeaf = 7, kTileBfloat16 = 1u << 22, kTile = 1u << 24;
  const char* asked = std::getenv("STATEWISE_ISA");
  if (asked && *asked && std::strcmp(asked, "amx") != 0) return false;
  constexpr long kAskForState = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned a, b, c, d;
  if (!has_vector_bfloat16() || !__get_cpuid_count(kLeaf, 0, &a, &b, &c, &d)) return false;
  if (!(d & kTileBfloat16) || !(d & kTile)) return false;
  return syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
}
#endif

#ifdef STATEWISE_HAS_avx512bf16
Kernels<float> with_passes(decltype(Kernels<float>::forward) forward,
                           decltype(Kernels<float>::backward) backward) {
  Kernels<float> table = avx512::kernels_float;
  table.forward = forward;
  table.backward = backward;
  return table;
}

const Kernels<float>* vector_bfloat16_kernels() {
  static const Kernels<float> table = with_passes(avx512bf16::forward, avx512bf16::backward);
  return &table;
}
#endif
#ifdef STATEWISE_HAS_amx
const Kernels<float>* tile_kernels() {
  static const Kernels<float> table = with_passes(amx::forward, amx::backward);
  return &table;
}
#endif

struct InstructionSet {
  const char* name;
  const Kernels<float>* single_precision;
  const Kernels<double>* double_precision;
  bool runs_here;
};

const InstructionSet* all() {
  static const InstructionSet sets[] = {
#ifdef STATEWISE_HAS_amx
      {"amx", tile_kernels(), &avx512::kernels_double, may_use_tiles()},
#endif
#ifdef STATEWISE_HAS_avx512bf16
      {"avx512bf16", vector_bfloat16_kernels(), &avx512::kernels_double,
       multiplies_bfloat16_faster()},
#endif
#ifdef STATEWISE_HAS_avx512
      {"avx512", &avx512::kernels_float, &avx512::kernels_double, has_avx512()},
#endif
#ifdef STATEWISE_HAS_avx2
      {"avx2", &avx2::kernels_float, &avx2::kernels_double,
       __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
      {"portable", &portable::kernels_float, &portable::kernels_double, true},
      {nullptr, nullptr, nullptr, false},
  };
  return sets;
}

const InstructionSet* find(const char* name) {
  for (const InstructionSet* set = all(); set->name; ++set)
    if (set->runs_here && (!name || std::strcmp(set->name, name) == 0)) return set;
  return nullptr;
}

std::atomic<const InstructionSet*>& chosen() {
  static std::atomic<const InstructionSet*> set{[] {
    const InstructionSet* asked = find(std::getenv("STATEWISE_ISA"));
    return asked ? asked : find(nullptr);
  }()};
  return set;
}

std::atomic<Index> chosen_cache_bytes{0};

}  // namespace

const char* const* instruction_sets() {
  static const char* names[8] = {};
  static const bool filled = [] {
    int count = 0;
    for (const InstructionSet* set = all(); set->name; ++set)
      if (set->runs_here) names[count++] = set->name;
    return true;
  }();
  (void)filled;
  return names;
}

const char* instruction_set() { return chosen().load()->name; }

bool use_instruction_set(const char* name) {
  const InstructionSet* set = find(name);
  if (set) chosen().store(set);
  return set != nullptr;
}

Index core_cache_bytes() {
  const Index chosen = chosen_cache_bytes.load(std::memory_order_relaxed);
  if (chosen > 0) return chosen;
  static const Index bytes = [] {
    long size = 0;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    size = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return Index(size > 0 ? size : 512 * 1024);
  }();
  return bytes;
}

void set_core_cache_bytes(Index bytes) { chosen_cache_bytes.store(bytes); }

template <>
const Kernels<float>& kernels<float>() {
  return *chosen().load(std::memory_order_acquire)->single_precision;
}

template <>
const Kernels<double>& kernels<double>() {
  return *chosen().load(std::memory_order_acquire)->double_precision;
}

}  // namespace statewise
