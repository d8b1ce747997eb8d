// Products on the tile unit of some x86 processors (AMX).
#pragma once

#include "tiles.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// What was written must be in memory before tiles are fetched from there: GCC does not know that they
// are.
inline void before_fetching() { asm volatile("" ::: "memory"); }

// The tile unit, set up for the thread that has this, as long as it lives: registers 0 to 3 are
// sums, 4 and 5 of the left operand, 6 and 7 of the right.
class MatrixUnit {
 public:
  // Some of the vectors' work is done while the tile unit multiplies, though one of their two ports
  // is not free then.
  static constexpr bool kOverlaps = true;

  MatrixUnit() {
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
  ~MatrixUnit() { _tile_release(); }
  MatrixUnit(const MatrixUnit&) = delete;
  MatrixUnit& operator=(const MatrixUnit&) = delete;

  // The tiles are fetched between the products, as soon as their registers are free; the parts come
  // in an order that fetches few of them twice.
  template <int kParts, int kRowBlocks, class Meanwhile>
  static void multiply(const Factors* factors, int count, Initial<float> initial, Sums<float> sums,
                       Meanwhile&& meanwhile) {
    static_assert(kParts == 1 || kParts == 3, "one product, or the six greatest of three parts");
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
#define STATEWISE_LEFT(part)                                      \
  {                                                               \
    _tile_loadd(4, left + (part), kTileBytes);                    \
    if (kTwo) _tile_loadd(5, left + stride + (part), kTileBytes); \
  }
#define STATEWISE_RIGHT(part)                                   \
  {                                                             \
    _tile_loadd(6, panel + 2 * (part), kTileBytes);             \
    _tile_loadd(7, panel + 2 * (part) + kTileSize, kTileBytes); \
  }
#define STATEWISE_MULTIPLY()             \
  {                                      \
    _tile_dpbf16ps(0, 4, 6);             \
    _tile_dpbf16ps(1, 4, 7);             \
    if (kTwo) _tile_dpbf16ps(2, 5, 6);   \
    if (kTwo) _tile_dpbf16ps(3, 5, 7);   \
  }
    for (int i = 0; i < count; ++i) {
      const Bfloat16 *left = factors[i].left, *panel = factors[i].panels;
      const Index stride = factors[i].stride;
      for (Index k = 0; k < factors[i].depth; ++k) {
        STATEWISE_LEFT(0)
        if constexpr (kParts == 1) {
          STATEWISE_RIGHT(0)
          STATEWISE_MULTIPLY()
        } else {
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
        }
        left += kLeftSize<kParts>;
        panel += kRightSize<kParts>;
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

  template <int kParts>
  static void column_sums(Index depth, const Bfloat16* panel, float* sums) {
    alignas(64) Bfloat16 ones[kTileSize];
    for (Bfloat16& one : ones) one = 0x3f80;
    before_fetching();
    _tile_zero(0);
    _tile_zero(1);
    _tile_loadd(4, ones, kTileBytes);
    for (Index k = 0; k < depth; ++k, panel += kRightSize<kParts>)
      for (Index p = kParts - 1; p >= 0; --p) {
        _tile_loadd(6, panel + 2 * p * kTileSize, kTileBytes);
        _tile_loadd(7, panel + 2 * p * kTileSize + kTileSize, kTileBytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
      }
    _tile_stored(0, sums, kPanel<float> * Index(sizeof(float)));
    _tile_stored(1, sums + kTileHeight, kPanel<float> * Index(sizeof(float)));
  }
};

}  // namespace STATEWISE_ISA
}  // namespace statewise
