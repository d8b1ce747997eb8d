// Products of float matrices on the tile unit of some x86 processors (AMX), which multiplies
// bfloat16 and adds up in float.
//
// A float has 24 significant bits, a bfloat16 has 8 and the same exponents: x is the sum of three
// parts, each what the parts before it leave, rounded. Of the nine products of two numbers' parts
// the six greatest are summed; the three others are below 2^-24 of the product, which is what
// rounding it to a float would cost. So the results are as exact as those of float arithmetic, at
// twice its speed. (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence
// Datatype For Higher-Precision Computations", 2019.)
//
// Parts below the normal range are zero: numbers under 1e-33 keep 8 or 16 of their bits. A sum that
// an infinity enters is NaN.
#pragma once

#include "product.hpp"
#ifdef STATEWISE_EMULATE
#include "emulated.hpp"
#endif

namespace statewise {
namespace STATEWISE_ISA {

typedef std::uint16_t Bfloat16;

constexpr int kParts = 3;
constexpr Index kTileHeight = 16;                     // rows of a tile, and columns of a sum
constexpr Index kTileDepth = 32;                      // of the inner dimension, in one tile
constexpr Index kTileSize = kTileHeight * kTileDepth;
constexpr Index kTileBytes = 2 * kTileDepth;          // of a tile's row
// All parts of one tile of the left operand, and of the two tiles that a panel has of the right.
constexpr Index kLeftSize = kParts * kTileSize, kRightSize = 2 * kParts * kTileSize;

static_assert(kPanel<float> == 2 * kTileHeight && kPanel<float> == kTileDepth,
              "a panel is two tiles wide, and a group of units one tile deep");

// The tile unit, set up for the thread that has this, as long as it lives: registers 0 to 3 are
// sums, 4 and 5 of the left operand, 6 and 7 of the right.
class TileUnit {
 public:
  TileUnit() {
    // Palette 1; from byte 16 on each register's bytes to a row, from 48 on its rows. In memory, as
    // GCC does not see that the instruction reads all of it.
    alignas(64) static constexpr std::uint8_t kShape[64] = {
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        kTileBytes, 0, kTileBytes, 0, kTileBytes, 0, kTileBytes, 0,
        kTileBytes, 0, kTileBytes, 0, kTileBytes, 0, kTileBytes, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        kTileHeight, kTileHeight, kTileHeight, kTileHeight,
        kTileHeight, kTileHeight, kTileHeight, kTileHeight};
    _tile_loadconfig(kShape);
  }
  ~TileUnit() { _tile_release(); }
  TileUnit(const TileUnit&) = delete;
  TileUnit& operator=(const TileUnit&) = delete;
};

// What was written must be in memory before tiles are fetched from there: GCC does not know that they
// are.
inline void before_fetching() { asm volatile("" ::: "memory"); }

inline __m512 widen(__m256i part) {
  typedef Bfloat16 Halves __attribute__((vector_size(32)));
  typedef std::uint32_t Words __attribute__((vector_size(64)));
  return (__m512)(__builtin_convertvector((Halves)part, Words) << 16);
}

inline void split(__m512 x, __m256i* parts) {
#pragma GCC unroll 3
  for (int p = 0; p < kParts; ++p) {
    parts[p] = (__m256i)_mm512_cvtneps_pbh(x);
    x = _mm512_sub_ps(x, widen(parts[p]));
  }
}

// Stores 16 values' parts, each in its own tile.
inline void store_parts(Bfloat16* to, const __m256i* parts) {
#pragma GCC unroll 3
  for (int p = 0; p < kParts; ++p)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + p * kTileSize), parts[p]);
}

// Rows, filled up to whole tiles.
constexpr Index whole_tiles(Index rows) { return ceil_div(rows, kTileHeight) * kTileHeight; }

// A left operand in parts: for each 16 rows and each 32 of the inner dimension the tiles of the
// parts, one after the other.
class SplitRows {
 public:
  SplitRows() = default;
  // `cleared` makes all of it zeros, the rows too that only fill up the last tiles.
  SplitRows(Index rows, Index depth, bool cleared, Workspace& workspace) : depth_(depth) {
    const Index size = ceil_div(rows, kTileHeight) * depth * kLeftSize;
    data_ = take<Bfloat16>(workspace, size);
    if (cleared) fill(data_, size, Bfloat16(0));
  }

  Bfloat16* data() const { return data_; }
  Bfloat16* tiles(Index row_block, Index inner = 0) const {
    return data_ + (row_block * depth_ + inner) * kLeftSize;
  }
  // Between one block of rows and the next.
  Index stride() const { return depth_ * kLeftSize; }

  // The first `count` of 32 values of a row, zero in the others. Says whether one of them is
  // infinite, or rounds to infinity.
  bool put(Index row, Index inner, const float* from, Index count = kTileDepth) const {
    Bfloat16* to = tiles(row / kTileHeight, inner) + row % kTileHeight * kTileDepth;
    __mmask16 infinite = 0;
    for (Index at = 0; at < kTileDepth; at += kLanes<float>, to += kLanes<float>) {
      __m256i parts[kParts] = {};
      if (at < count) split((__m512)load_first(from + at, count - at), parts);
      infinite |= _mm512_fpclass_ps_mask(widen(parts[0]), 0x18);  // plus or minus infinity
      store_parts(to, parts);
    }
    return infinite != 0;
  }

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

// How many tiles deep an inner dimension is.
constexpr Index depth_of(Index inner) { return ceil_div(inner, kTileDepth); }

// Packs `columns` columns of a matrix as one panel of tiles: element (k, n) is at
// from + k * row + n * column. The panel takes depth_of(inner) * kRightSize.
inline void pack_tiles(Bfloat16* panel, Index inner, Index columns, const float* from, Index row,
                       Index column) {
  float square[kTileDepth * kPanel<float>];
  for (Index k = 0; k < inner; k += kTileDepth, panel += kRightSize) {
    const Index height = min_of(kTileDepth, inner - k);
    fill(square + height * kPanel<float>, (kTileDepth - height) * kPanel<float>, 0.0f);
    pack_panel(square, height, columns, from + k * row, row, column);
    for (Index pair = 0; pair < kTileHeight; ++pair) {
      __m256i parts[4][kParts];
      for (int i = 0; i < 4; ++i)
        split((__m512)load(square + 2 * pair * kPanel<float> + i * kLanes<float>), parts[i]);
      for (int p = 0; p < kParts; ++p)
        pair_rows(_mm512_inserti64x4(_mm512_castsi256_si512(parts[0][p]), parts[1][p], 1),
                  _mm512_inserti64x4(_mm512_castsi256_si512(parts[2][p]), parts[3][p], 1),
                  panel + 2 * p * kTileSize + pair * kTileDepth);
    }
  }
}

// A panel's tiles from a left operand's: its rows are the inner dimension now. `from` are 16 rows
// or null for zeros, `half` says which half of the tiles' depth they are.
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

struct Nothing {
  void operator()() const {}
};

// What is multiplied: rows in parts, `stride` between their blocks of 16, and packed panels.
struct Factors {
  const Bfloat16* left;
  Index stride;
  const Bfloat16* panels;
  Index depth;
};

// The sums of 16 or 32 rows and one panel, over the depth of all `count` factors. `meanwhile` is
// called once for each tile of depth: some of the vectors' work is done while the tile unit
// multiplies, though one of their two ports is not free then. The tiles are fetched between the
// products, as soon as their registers are free; the parts come in an order that fetches few of them
// twice.
template <int kRowBlocks, class Meanwhile = Nothing>
inline void tile_sums(const Factors* factors, int count, Initial<float> initial, Sums<float> sums,
                      Meanwhile&& meanwhile = {}) {
  constexpr bool kTwo = kRowBlocks == 2;
  constexpr Index kMiddle = kTileSize, kLow = 2 * kTileSize;  // left; twice as far on the right
  before_fetching();
  if (initial.data) {
    const Index row = initial.row * Index(sizeof(float));
    const float* below = initial.data + kTileHeight * initial.row;
    _tile_loadd(0, initial.data, row);
    _tile_loadd(1, initial.data + kTileHeight, row);
    if (kTwo) _tile_loadd(2, below, row);
    if (kTwo) _tile_loadd(3, below + kTileHeight, row);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    if (kTwo) _tile_zero(2);
    if (kTwo) _tile_zero(3);
  }
#define STATEWISE_LEFT(part)                                            \
  {                                                                     \
    _tile_loadd(4, left + (part), kTileBytes);                          \
    if (kTwo) _tile_loadd(5, left + stride + (part), kTileBytes);       \
  }
#define STATEWISE_RIGHT(part)                                           \
  {                                                                     \
    _tile_loadd(6, panel + 2 * (part), kTileBytes);                     \
    _tile_loadd(7, panel + 2 * (part) + kTileSize, kTileBytes);         \
  }
#define STATEWISE_MULTIPLY()                                            \
  {                                                                     \
    _tile_dpbf16ps(0, 4, 6);                                            \
    _tile_dpbf16ps(1, 4, 7);                                            \
    if (kTwo) _tile_dpbf16ps(2, 5, 6);                                  \
    if (kTwo) _tile_dpbf16ps(3, 5, 7);                                  \
  }
  for (int i = 0; i < count; ++i) {
    const Bfloat16 *left = factors[i].left, *panel = factors[i].panels;
    const Index stride = factors[i].stride;
    for (Index k = 0; k < factors[i].depth; ++k, left += kLeftSize, panel += kRightSize) {
      STATEWISE_LEFT(0)
      STATEWISE_RIGHT(kLow)
      STATEWISE_MULTIPLY()
      STATEWISE_RIGHT(kMiddle)
      STATEWISE_MULTIPLY()
      STATEWISE_LEFT(kMiddle)
      STATEWISE_MULTIPLY()
      STATEWISE_RIGHT(0)
      STATEWISE_MULTIPLY()
      STATEWISE_LEFT(0)
      STATEWISE_MULTIPLY()
      STATEWISE_LEFT(kLow)
      STATEWISE_MULTIPLY()
      meanwhile();
    }
  }
#undef STATEWISE_LEFT
#undef STATEWISE_RIGHT
#undef STATEWISE_MULTIPLY
  const Index row = sums.row * Index(sizeof(float));
  float* below = sums.data + kTileHeight * sums.row;
  _tile_stored(0, sums.data, row);
  _tile_stored(1, sums.data + kTileHeight, row);
  if (kTwo) _tile_stored(2, below, row);
  if (kTwo) _tile_stored(3, below + kTileHeight, row);
}

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
template <class Meanwhile = Nothing>
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
      tile_sums<2>(at, count, begin, to, meanwhile);
    } else {
      tile_sums<1>(at, count, begin, to, meanwhile);
    }
  }
}

// sums (16 * row_blocks, panels * kPanel) = initial + the product, the panels one after the other
template <class Meanwhile = Nothing>
inline void tile_product(Index row_blocks, Index panels, Factors factors, Initial<float> initial,
                         Sums<float> sums, Meanwhile&& meanwhile = {}) {
  for (Index p = 0; p < panels; ++p, factors.panels += factors.depth * kRightSize) {
    const Index column = p * kPanel<float>;
    tile_panel(row_blocks, &factors, 1,
               {initial.data ? initial.data + column : nullptr, initial.row},
               {sums.data + column, sums.row}, meanwhile);
  }
}

// The sum of a panel's rows, all parts of them: 16 equal rows (16, kPanel).
inline void tile_column_sums(Index depth, const Bfloat16* panel, float* sums) {
  alignas(64) Bfloat16 ones[kTileSize];
  for (Bfloat16& one : ones) one = 0x3f80;
  before_fetching();
  _tile_zero(0);
  _tile_zero(1);
  _tile_loadd(4, ones, kTileBytes);
  for (Index k = 0; k < depth; ++k, panel += kRightSize)
    for (Index p = kParts - 1; p >= 0; --p) {
      _tile_loadd(6, panel + 2 * p * kTileSize, kTileBytes);
      _tile_loadd(7, panel + 2 * p * kTileSize + kTileSize, kTileBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
  _tile_stored(0, sums, kPanel<float> * Index(sizeof(float)));
  _tile_stored(1, sums + kTileHeight, kPanel<float> * Index(sizeof(float)));
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
