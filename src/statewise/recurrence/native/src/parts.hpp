// Numbers as bfloat16, in the tiles that a matrix unit multiplies: it takes bfloat16 and adds up in
// float.
//
// A float has 24 significant bits, a bfloat16 has 8 and the same exponents: x is the sum of three
// parts, each what the parts before it leave, rounded. Of the nine products of two numbers' parts
// the six greatest are summed; the three others are below 2^-24 of the product, which is what
// rounding it to a float would cost. So the results are as exact as those of float arithmetic.
// (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations", 2019.) Where a problem is in bfloat16 itself, one part is all of
// an input or a weight, and one product is enough.
//
// Parts below the normal range are zero: numbers under 1e-33 keep 8 or 16 of their bits. A sum of
// several parts that an infinity enters is NaN.
#pragma once

#include "plan.hpp"
#include "product.hpp"
#ifdef STATEWISE_EMULATE
#include "emulated.hpp"
#endif

namespace statewise {
namespace STATEWISE_ISA {

typedef std::uint16_t Bfloat16;

constexpr Index kTileHeight = 16;                     // rows of a tile, and columns of a sum
constexpr Index kTileDepth = 32;                      // of the inner dimension, in one tile
constexpr Index kTileSize = kTileHeight * kTileDepth;
constexpr Index kTileBytes = 2 * kTileDepth;          // of a tile's row
// All parts of one tile of the left operand, and of the two tiles that a panel has of the right.
template <int kParts>
constexpr Index kLeftSize = kParts * kTileSize;
template <int kParts>
constexpr Index kRightSize = 2 * kParts * kTileSize;

static_assert(kPanel<float> == 2 * kTileHeight && kPanel<float> == kTileDepth,
              "a panel is two tiles wide, and a group of units one tile deep");

inline __m512 widen(__m256i part) {
  typedef Bfloat16 Halves __attribute__((vector_size(32)));
  typedef std::uint32_t Words __attribute__((vector_size(64)));
  return (__m512)(__builtin_convertvector((Halves)part, Words) << 16);
}

template <int kParts>
inline void split(__m512 x, __m256i* parts) {
#pragma GCC unroll 3
  for (int p = 0; p < kParts; ++p) {
    parts[p] = (__m256i)_mm512_cvtneps_pbh(x);
    if (p + 1 < kParts) x = _mm512_sub_ps(x, widen(parts[p]));
  }
}

// Stores 16 values' parts, each in its own tile.
template <int kParts>
inline void store_parts(Bfloat16* to, const __m256i* parts) {
#pragma GCC unroll 3
  for (int p = 0; p < kParts; ++p)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + p * kTileSize), parts[p]);
}

// Rows, filled up to whole tiles.
constexpr Index whole_tiles(Index rows) { return ceil_div(rows, kTileHeight) * kTileHeight; }

// How many tiles deep an inner dimension is.
constexpr Index depth_of(Index inner) { return ceil_div(inner, kTileDepth); }

// A left operand in parts: for each 16 rows and each 32 of the inner dimension the tiles of the
// parts, one after the other.
template <int kParts>
class SplitRows {
 public:
  SplitRows() = default;
  // `cleared` makes all of it zeros, the rows too that only fill up the last tiles.
  SplitRows(Index rows, Index depth, bool cleared, Workspace& workspace) : depth_(depth) {
    const Index size = ceil_div(rows, kTileHeight) * stride();
    data_ = take<Bfloat16>(workspace, size);
    if (cleared) fill(data_, size, Bfloat16(0));
  }

  Bfloat16* data() const { return data_; }
  Bfloat16* tiles(Index row_block, Index inner = 0) const {
    return data_ + (row_block * depth_ + inner) * kLeftSize<kParts>;
  }
  // Between one block of rows and the next.
  Index stride() const { return depth_ * kLeftSize<kParts>; }

  // The first `count` of 32 values of a row, zero in the others. Says whether one of them is
  // infinite, or rounds to infinity.
  bool put(Index row, Index inner, const float* from, Index count = kTileDepth) const {
    Bfloat16* to = tiles(row / kTileHeight, inner) + row % kTileHeight * kTileDepth;
    __mmask16 infinite = 0;
    for (Index at = 0; at < kTileDepth; at += kLanes<float>, to += kLanes<float>) {
      __m256i parts[kParts] = {};
      if (at < count) split<kParts>((__m512)load_first(from + at, count - at), parts);
      infinite |= _mm512_fpclass_ps_mask(widen(parts[0]), 0x18);  // plus or minus infinity
      store_parts<kParts>(to, parts);
    }
    return infinite != 0;
  }

  // Makes 16 rows columns: the `number`-th 16 of the inner dimension, their columns in `blocks` of
  // 16. Null rows are zeros; `scales`, of the rows or null, multiply them.
  void put_columns(Index number, const float* const* rows, const float* const* scales,
                   Index columns, Range blocks) const;

 private:
  Bfloat16* data_ = nullptr;
  Index depth_ = 0;
};

// Transposes a square of 16 vectors.
inline void transpose(__m512* rows) {
#pragma GCC unroll 4
  for (int s = 1; s < 16; s *= 2) {
    // Squares of s by s change places across the diagonal.
    alignas(64) int first[16], second[16];
    for (int lane = 0; lane < 16; ++lane) {
      first[lane] = lane & s ? 16 + lane - s : lane;
      second[lane] = lane & s ? 16 + lane : lane + s;
    }
    const __m512i to_first = _mm512_load_si512(first), to_second = _mm512_load_si512(second);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (i & s) continue;
      const __m512 a = rows[i], b = rows[i + s];
      rows[i] = _mm512_permutex2var_ps(a, to_first, b);
      rows[i + s] = _mm512_permutex2var_ps(a, to_second, b);
    }
  }
}

template <int kParts>
inline void SplitRows<kParts>::put_columns(Index number, const float* const* rows,
                                           const float* const* scales, Index columns,
                                           Range blocks) const {
  for (Index block = blocks.from; block < blocks.to; ++block) {
    const Index at = block * kTileHeight, count = min_of(kTileHeight, columns - at);
    __m512 square[kTileHeight];
    for (Index m = 0; m < kTileHeight; ++m) {
      Vec<float> row{};
      if (rows[m] && !(scales && !scales[m])) row = load_first(rows[m] + at, count);
      if (scales && scales[m]) row *= load_first(scales[m] + at, count);
      square[m] = (__m512)row;
    }
    transpose(square);
    Bfloat16* to = tiles(block, number / 2) + number % 2 * kTileHeight;
    for (Index m = 0; m < kTileHeight; ++m) {
      __m256i parts[kParts];
      split<kParts>(square[m], parts);
      store_parts<kParts>(to + m * kTileDepth, parts);
    }
  }
}

// Two rows of 32 columns as a row of each of a panel's two tiles: the rows' values side by side.
inline void pair_rows(__m512i upper, __m512i lower, Bfloat16* to) {
  alignas(64) static constexpr Bfloat16 kFirst[] = {
      0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
      8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i first = _mm512_load_si512(kFirst);
  const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(upper, first, lower));
  _mm512_storeu_si512(to + kTileSize, _mm512_permutex2var_epi16(upper, second, lower));
}

// Packs `columns` columns of a matrix as one panel of tiles: element (k, n) is at
// from + k * row + n * column. The panel takes depth_of(inner) * kRightSize.
template <int kParts>
inline void pack_tiles(Bfloat16* panel, Index inner, Index columns, const float* from, Index row,
                       Index column) {
  float square[kTileDepth * kPanel<float>];
  for (Index k = 0; k < inner; k += kTileDepth, panel += kRightSize<kParts>) {
    const Index height = min_of(kTileDepth, inner - k);
    fill(square + height * kPanel<float>, (kTileDepth - height) * kPanel<float>, 0.0f);
    pack_panel(square, height, columns, from + k * row, row, column);
    for (Index pair = 0; pair < kTileHeight; ++pair) {
      __m256i parts[4][kParts];
      for (int i = 0; i < 4; ++i)
        split<kParts>((__m512)load(square + 2 * pair * kPanel<float> + i * kLanes<float>),
                      parts[i]);
      for (int p = 0; p < kParts; ++p)
        pair_rows(_mm512_inserti64x4(_mm512_castsi256_si512(parts[0][p]), parts[1][p], 1),
                  _mm512_inserti64x4(_mm512_castsi256_si512(parts[2][p]), parts[3][p], 1),
                  panel + 2 * p * kTileSize + pair * kTileDepth);
    }
  }
}

// A panel's tiles from a left operand's: its rows are the inner dimension now. `from` are 16 rows
// or null for zeros, `half` says which half of the tiles' depth they are.
template <int kParts>
inline void pack_rows(Bfloat16* tiles, const Bfloat16* from, int half) {
  for (int p = 0; p < kParts; ++p)
    for (Index pair = 0; pair < kTileHeight / 2; ++pair) {
      __m512i rows[2] = {};
      for (int i = 0; from && i < 2; ++i)
        rows[i] = _mm512_loadu_si512(from + p * kTileSize + (2 * pair + i) * kTileDepth);
      pair_rows(rows[0], rows[1],
                tiles + 2 * p * kTileSize + (half * kTileHeight / 2 + pair) * kTileDepth);
    }
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
