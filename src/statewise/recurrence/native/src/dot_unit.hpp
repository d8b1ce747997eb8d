// Products by the vectors' own instruction for bfloat16 (AVX512-BF16), which adds two products to
// each sum: twice what multiplying floats does, on AMD's processors.
#pragma once

#include "tiles.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// Nothing to be set up. One part only: with three, six products would take longer than a float's.
class MatrixUnit {
 public:
  static constexpr bool kOverlaps = false;

  MatrixUnit() {}

  template <int kParts, int kRowBlocks, class Meanwhile>
  static void multiply(const Factors* factors, int count, Initial<float> initial, Sums<float> sums,
                       Meanwhile&&) {
    static_assert(kParts == 1, "one product");
    for (Index row = 0; row < kRowBlocks * kTileHeight; row += kRows)
      multiply_rows(row, factors, count,
                    {initial.data ? initial.data + row * initial.row : nullptr, initial.row},
                    {sums.data + row * sums.row, sums.row});
  }

  template <int kParts>
  static void column_sums(Index depth, const Bfloat16* panel, float* sums) {
    static_assert(kParts == 1, "one product");
    constexpr std::int32_t kOnes = 0x3f803f80;
    __m512 sum[2] = {};
    for (Index k = 0; k < depth * kTileHeight; ++k) {
      const Bfloat16* right = panel + k / kTileHeight * kRightSize<1> + k % kTileHeight * kTileDepth;
      for (int v = 0; v < 2; ++v) add_product(sum[v], _mm512_set1_epi32(kOnes), right, v);
    }
    for (int v = 0; v < 2; ++v) store(sums + v * kLanes<float>, (Vec<float>)sum[v]);
  }

 private:
  static constexpr Index kRows = 8;  // 32 registers: 8 x 2 sums, 2 of the panel, 1 broadcast

  // Two of the inner dimension: `left` of one row, repeated, times one of a panel's two tiles.
  static void add_product(__m512& sum, __m512i left, const Bfloat16* right, int tile) {
    sum = _mm512_dpbf16_ps(sum, (__m512bh)left,
                           (__m512bh)_mm512_loadu_si512(right + tile * kTileSize));
  }

  // kRows rows from `row` on.
  static void multiply_rows(Index row, const Factors* factors, int count, Initial<float> initial,
                            Sums<float> sums) {
    __m512 sum[kRows][2];
#pragma GCC unroll 8
    for (Index m = 0; m < kRows; ++m)
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v)
        sum[m][v] = initial.data ? (__m512)load(initial.data + m * initial.row + v * kLanes<float>)
                                 : __m512{};
    for (int i = 0; i < count; ++i) {
      const Bfloat16* left = factors[i].left + row / kTileHeight * factors[i].stride +
                             row % kTileHeight * kTileDepth;
      const Bfloat16* panel = factors[i].panels;
      for (Index k = 0; k < factors[i].depth; ++k) {
        for (Index pair = 0; pair < kTileHeight; ++pair) {
#pragma GCC unroll 8
          for (Index m = 0; m < kRows; ++m) {
            std::int32_t two;
            __builtin_memcpy(&two, left + m * kTileDepth + 2 * pair, sizeof two);
#pragma GCC unroll 2
            for (int v = 0; v < 2; ++v)
              add_product(sum[m][v], _mm512_set1_epi32(two), panel + pair * kTileDepth, v);
          }
        }
        left += kLeftSize<1>;
        panel += kRightSize<1>;
      }
    }
#pragma GCC unroll 8
    for (Index m = 0; m < kRows; ++m)
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v)
        store(sums.data + m * sums.row + v * kLanes<float>, (Vec<float>)sum[m][v]);
  }
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
