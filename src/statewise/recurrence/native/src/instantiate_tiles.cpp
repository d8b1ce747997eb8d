// The kernels that run on the tile unit; all else, other functions than tanh and sigmoid too, is left
// to those of AVX-512.
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

// Whether the tile unit is the faster way for a layer. It works in pieces of 16 rows and 32 of the
// inner dimension, at about twice the speed of the vectors; cutting a row's values in parts costs as
// much as multiplying it by 32 columns more. (Measured: LSTMs of 32 to 512 units.) Dropout is left to
// the vectors.
bool on_tiles(const Problem<float>& p) {
  if (has_dropout(p)) return false;
  constexpr double kGain = 1.9, kCutting = 32;
  const double rows = double(whole_tiles(p.batch));
  const double inner = double((depth_of(p.units) + depth_of(p.features)) * kTileDepth);
  return rows * inner / kGain + p.batch * kCutting < double(p.batch) * (p.units + p.features);
}

// Whether the weights, half as large again in parts, take longer to fetch than to multiply: where they
// don't stay in the cache, and only one piece of rows uses them. (Measured: 16 rows of 512 and 1024
// units; backward is faster all the same.)
bool mostly_fetches(const Problem<float>& p) {
  const double bytes = double(kParts * sizeof(Bfloat16)) * gate_count(p.cell) * p.units * p.units;
  return p.batch <= kTileHeight && bytes / threads_of(p) > kCacheShare * core_cache_bytes();
}

}  // namespace

void forward(const Problem<float>& problem, const Results<float>& results, const float* packed) {
  if (packed || !is_plain(problem.cell, problem.activations) || !on_tiles(problem) ||
       mostly_fetches(problem))
    return avx512::kernels_float.forward(problem, results, packed);
  with_cell<Plain>(problem.cell, [&](auto cell) {
    using C = decltype(cell);
    Forward<float, C, ForwardTiles<C>>(problem, results, nullptr).run();
  });
}

void backward(const Problem<float>& problem, const Cotangents<float>& given,
              const Gradients<float>& wanted) {
  if (!is_plain(problem.cell, problem.activations) || !on_tiles(problem))
    return avx512::kernels_float.backward(problem, given, wanted);
  with_cell<Plain>(problem.cell, [&](auto cell) {
    using C = decltype(cell);
    Backward<float, C, BackwardTiles<C>>(problem, given, wanted).run();
  });
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
