// The kernels that multiply in tiles of bfloat16; all else, other functions than tanh and sigmoid too,
// is left to those of AVX-512.
#include "backward.hpp"
#include "backward_tiles.hpp"
#include "forward.hpp"
#include "forward_tiles.hpp"

namespace statewise {
namespace avx512 {

extern const Kernels<float> kernels_float;

}  // namespace avx512

namespace STATEWISE_ISA {
namespace {

// What the ways to multiply take, in units of what the vectors take for floats: how much faster a
// product is, and how many of its columns cutting a row's values in parts is worth.
struct Costs {
  double gain, cutting;
};

#ifdef STATEWISE_TILE_UNIT
constexpr bool kServesFloats = true;
constexpr Costs kOfFloats = {1.9, 32};  // (Measured: LSTMs of 32 to 512 units.)
// A sixth of the products, of which fetching the tiles leaves about a half.
constexpr Costs kOfBfloat16 = {6, 16};
#else
constexpr bool kServesFloats = false;
constexpr Costs kOfFloats = {0, 0};
constexpr Costs kOfBfloat16 = {1.8, 16};  // two products by one instruction
#endif

// Whether tiles are the faster way for a layer. They are pieces of 16 rows and 32 of the inner
// dimension. Dropout is left to the vectors.
bool on_tiles(const Problem<float>& p, Costs costs) {
  if (has_dropout(p) || !is_plain(p.cell, p.activations)) return false;
  const double rows = double(whole_tiles(p.batch));
  const double inner = double((depth_of(p.units) + depth_of(p.features)) * kTileDepth);
  return rows * inner / costs.gain + p.batch * costs.cutting <
         double(p.batch) * (p.units + p.features);
}

// Whether the weights, half as large again in three parts, take longer to fetch than to multiply:
// where they don't stay in the cache, and only one piece of rows uses them. (Measured: 16 rows of 512
// and 1024 units; backward is faster all the same.)
bool mostly_fetches(const Problem<float>& p) {
  const double bytes = 3.0 * sizeof(Bfloat16) * gate_count(p.cell) * p.units * p.units;
  return p.batch <= kTileHeight && bytes / threads_of(p) > kCacheShare * core_cache_bytes();
}

template <int kParts>
void forward_on_tiles(const Problem<float>& problem, const Results<float>& results) {
  with_cell<Plain>(problem.cell, [&](auto cell) {
    using C = decltype(cell);
    Forward<float, C, ForwardTiles<C, kParts>>(problem, results, nullptr).run();
  });
}

template <int kParts>
void backward_on_tiles(const Problem<float>& problem, const Cotangents<float>& given,
                       const Gradients<float>& wanted) {
  with_cell<Plain>(problem.cell, [&](auto cell) {
    using C = decltype(cell);
    Backward<float, C, BackwardTiles<C, kParts>>(problem, given, wanted).run();
  });
}

}  // namespace

void forward(const Problem<float>& problem, const Results<float>& results, const float* packed) {
  if (!packed && problem.in_bfloat16 && on_tiles(problem, kOfBfloat16))
    return forward_on_tiles<1>(problem, results);
  if constexpr (kServesFloats)
    if (!packed && !problem.in_bfloat16 && on_tiles(problem, kOfFloats) && !mostly_fetches(problem))
      return forward_on_tiles<3>(problem, results);
  avx512::kernels_float.forward(problem, results, packed);
}

void backward(const Problem<float>& problem, const Cotangents<float>& given,
              const Gradients<float>& wanted) {
  if (problem.in_bfloat16 && on_tiles(problem, kOfBfloat16))
    return backward_on_tiles<1>(problem, given, wanted);
  if constexpr (kServesFloats)
    if (!problem.in_bfloat16 && on_tiles(problem, kOfFloats))
      return backward_on_tiles<3>(problem, given, wanted);
  avx512::kernels_float.backward(problem, given, wanted);
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
