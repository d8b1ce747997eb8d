// Products of matrices in tiles of bfloat16, on the tile unit or by the vectors' own products.
#pragma once

#include "parts.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// What is multiplied: rows in parts, `stride` between their blocks of 16, and packed panels.
struct Factors {
  const Bfloat16* left;
  Index stride;
  const Bfloat16* panels;
  Index depth;
};

struct Nothing {
  void operator()() const {}
};

}  // namespace STATEWISE_ISA
}  // namespace statewise

// The class MatrixUnit: what a thread that multiplies has while it works, and
//
//   multiply<kParts, kRowBlocks>   the sums of 16 or 32 rows and one panel, over the depth of all
//                                  `count` factors; where it leaves the vectors free (kOverlaps),
//                                  `meanwhile` is called once for each tile of depth
//   column_sums<kParts>            the sum of a panel's rows, all parts of them: 16 rows
//                                  (16, kPanel), of which the first is it
#ifdef STATEWISE_TILE_UNIT
#include "tile_unit.hpp"
#else
#include "dot_unit.hpp"
#endif

namespace statewise {
namespace STATEWISE_ISA {

// Has `rows` rows' gates done meanwhile, evenly over the products of `depth` tiles.
template <class Meanwhile>
class Paced {
 public:
  Paced(Index rows, Index depth, Meanwhile& meanwhile)
      : rows_(rows), calls_(depth), meanwhile_(meanwhile) {}

  void operator()() {
    due_ += rows_;
    meanwhile_(due_ / calls_);
    due_ %= calls_;
  }

 private:
  Index rows_, calls_, due_ = 0;
  Meanwhile& meanwhile_;
};

// sums (16 * row_blocks, kPanel) = initial + the factors' products
template <int kParts, class Meanwhile = Nothing>
inline void tile_panel(Index row_blocks, const Factors* factors, int count, Initial<float> initial,
                       Sums<float> sums, Meanwhile&& meanwhile = {}) {
  Factors at[2];
  for (Index i = 0; i < row_blocks; i += 2) {
    const Index row = i * kTileHeight;
    for (int f = 0; f < count; ++f) {
      at[f] = factors[f];
      at[f].left += i * at[f].stride;
    }
    const Initial<float> begin{initial.data ? initial.data + row * initial.row : nullptr,
                               initial.row};
    const Sums<float> to{sums.data + row * sums.row, sums.row};
    if (i + 1 < row_blocks) {
      MatrixUnit::multiply<kParts, 2>(at, count, begin, to, meanwhile);
    } else {
      MatrixUnit::multiply<kParts, 1>(at, count, begin, to, meanwhile);
    }
  }
}

// sums (16 * row_blocks, panels * kPanel) = initial + the product, the panels one after the other
template <int kParts, class Meanwhile = Nothing>
inline void tile_product(Index row_blocks, Index panels, Factors factors, Initial<float> initial,
                         Sums<float> sums, Meanwhile&& meanwhile = {}) {
  for (Index p = 0; p < panels; ++p, factors.panels += factors.depth * kRightSize<kParts>) {
    const Index column = p * kPanel<float>;
    tile_panel<kParts>(row_blocks, &factors, 1,
                       {initial.data ? initial.data + column : nullptr, initial.row},
                       {sums.data + column, sums.row}, meanwhile);
  }
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
