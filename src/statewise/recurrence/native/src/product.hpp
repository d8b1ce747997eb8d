// Matrix products with packed panels.
//
// A panel holds two vectors' worth of a matrix's columns, row after row: (inner, kPanel), the last
// one filled up with zeros. A tile of up to kTileRows rows times one panel is summed in registers;
// few rows take several panels at once, or split the inner dimension, so that there are always
// enough independent sums to hide the latency of an addition.
#pragma once

#include "simd.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// The left operand, `row` apart between rows; how far apart along the inner dimension says kStep.
template <class T>
struct Left {
  const T* data;
  Index row;
};

// Sums of `panels` adjacent panels: row m begins at data + m * row.
template <class T>
struct Sums {
  T* data;
  Index row;
};

// What the sums begin with, laid out alike (row 0 repeats one row); null data begins with zeros.
template <class T>
struct Initial {
  const T* data;
  Index row;
};

// One tile: kRows x kPanels panels, the inner dimension dealt out to kSplit sets of sums. kStep is
// the left operand's distance along the inner dimension. A vector of `ahead`, if given, is fetched
// at each step of the inner dimension, for a later tile.
template <class T, int kRows, int kPanels, int kSplit, int kStep>
inline void tile(Index inner, const T* left, Index left_row, const T* panels, Initial<T> initial,
                 Sums<T> sums, const T* ahead = nullptr) {
  constexpr int kVectors = 2 * kPanels;
  constexpr Index V = kLanes<T>;
  const Index panel_size = inner * kPanel<T>;
  Vec<T> sum[kSplit][kRows][kVectors];
#pragma GCC unroll 16
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      sum[0][m][v] =
          initial.data ? load(initial.data + m * initial.row + v * V) : Vec<T>{};
#pragma GCC unroll 4
      for (int s = 1; s < kSplit; ++s) sum[s][m][v] = Vec<T>{};
    }
  const T* rows[kRows];
#pragma GCC unroll 16
  for (int m = 0; m < kRows; ++m) rows[m] = left + m * left_row;

  Index k = 0;
  for (; k + kSplit <= inner; k += kSplit) {
#pragma GCC unroll 4
    for (int s = 0; s < kSplit; ++s) {
      const T* at = panels + (k + s) * kPanel<T>;
      if (ahead) __builtin_prefetch(ahead + (k + s) * V, 0, 2);
      Vec<T> right[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) right[v] = load(at + (v / 2) * panel_size + (v % 2) * V);
#pragma GCC unroll 16
      for (int m = 0; m < kRows; ++m) {
        const Vec<T> a = splat(rows[m][(k + s) * kStep]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[s][m][v] += a * right[v];
      }
    }
  }
  if constexpr (kSplit > 1) {
    for (; k < inner; ++k) {
      const T* at = panels + k * kPanel<T>;
#pragma GCC unroll 16
      for (int m = 0; m < kRows; ++m) {
        const Vec<T> a = splat(rows[m][k * kStep]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v)
          sum[0][m][v] += a * load(at + (v / 2) * panel_size + (v % 2) * V);
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 4
      for (int s = 1; s < kSplit; ++s) sum[0][m][v] += sum[s][m][v];
      store(sums.data + m * sums.row + v * V, sum[0][m][v]);
    }
}

// Adds one row times some panels to sums, a panel's width for each: the first kVectors vectors of
// each. To be compiled into its caller, where the sums then stay in registers.
template <class T, int kPanels, int kVectors>
[[gnu::always_inline]] inline void row_product(Index inner, const T* left, const T* panels,
                                               T* sums) {
  // Sums enough to hide the latency of an addition.
  constexpr int kSplit = kPanels * kVectors >= 6 ? 1 : kPanels * kVectors >= 3 ? 2 : 4;
  constexpr Index V = kLanes<T>;
  Vec<T> sum[kSplit][kPanels][kVectors];
  const T* panel[kPanels];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    panel[p] = panels + p * inner * kPanel<T>;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[0][p][v] = load(sums + p * kPanel<T> + v * V);
#pragma GCC unroll 4
      for (int s = 1; s < kSplit; ++s) sum[s][p][v] = Vec<T>{};
    }
  }
  const auto add = [&](Index k, int s) __attribute__((always_inline)) {
    const Vec<T> a = splat(left[k]);
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[s][p][v] += a * load(panel[p] + k * kPanel<T> + v * V);
  };
  Index k = 0;
  for (; k + 4 <= inner; k += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) add(k + i, i % kSplit);
  }
  for (; k < inner; ++k) add(k, 0);
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 4
      for (int s = 1; s < kSplit; ++s) sum[0][p][v] += sum[s][p][v];
      store(sums + p * kPanel<T> + v * V, sum[0][p][v]);
    }
}

// A tile of one panel and any number of rows up to kTileRows.
template <class T, int kStep, int kRows = kTileRows>
inline void tile_of(Index rows, Index inner, const T* left, Index left_row, const T* panel,
                    Initial<T> initial, Sums<T> sums, const T* ahead = nullptr) {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      tile_of<T, kStep, kRows - 1>(rows, inner, left, left_row, panel, initial, sums, ahead);
      return;
    }
  }
  constexpr int kSplit = kRows == 1 ? 4 : kRows <= 3 ? 2 : 1;
  tile<T, kRows, 1, kSplit, kStep>(inner, left, left_row, panel, initial, sums, ahead);
}

// Few rows: several panels in one go.
template <class T, int kRows, int kPanels>
inline Index few_rows(Index from, Index panels, Index inner, Left<T> left, const T* packed,
                      Initial<T> initial, Sums<T> sums) {
  Index p = from;
  for (; p + kPanels <= panels; p += kPanels) {
    const Index column = p * kPanel<T>;
    tile<T, kRows, kPanels, 1, 1>(
        inner, left.data, left.row, packed + column * inner,
        {initial.data ? initial.data + column : nullptr, initial.row},
        {sums.data + column, sums.row});
  }
  return p;
}

// sums (rows, panels * kPanel) = initial + left (rows, inner) @ packed panels
//
// With `stream`, the panels come from beyond the core's cache, and what follows them in memory is
// wanted next: the first two tiles of a panel fetch half of the next one each, so that the memory
// has the time of all the tiles for it and not just that of the first.
template <class T>
inline void product(Index rows, Index panels, Index inner, Left<T> left, const T* packed,
                    Initial<T> initial, Sums<T> sums, bool stream = false) {
  Index p = 0;
  if (rows == 1) {
    p = few_rows<T, 1, 4>(p, panels, inner, left, packed, initial, sums);
    p = few_rows<T, 1, 3>(p, panels, inner, left, packed, initial, sums);
  } else if (rows <= 3) {
    if (rows == 2) p = few_rows<T, 2, 2>(p, panels, inner, left, packed, initial, sums);
    if (rows == 3) p = few_rows<T, 3, 2>(p, panels, inner, left, packed, initial, sums);
  }
  const Index tiles = ceil_div(rows, kTileRows);  // of nearly equal height
  for (; p < panels; ++p) {
    const Index column = p * kPanel<T>;
    for (Index i = 0; i < tiles; ++i) {
      const Index m = i * rows / tiles, height = (i + 1) * rows / tiles - m;
      const T* next = packed + (column + kPanel<T>) * inner + i * inner * kLanes<T>;
      tile_of<T, 1>(height, inner, left.data + m * left.row, left.row, packed + column * inner,
                    {initial.data ? initial.data + m * initial.row + column : nullptr, initial.row},
                    {sums.data + m * sums.row + column, sums.row},
                    stream && i < 2 ? next : nullptr);
    }
  }
}

// Packs `columns` columns of a matrix as one panel: element (k, n) is at from + k * row + n * column.
template <class T>
inline void pack_panel(T* panel, Index inner, Index columns, const T* from, Index row,
                       Index column) {
  if (column == 1) {
    for (Index k = 0; k < inner; ++k) {
      T* to = panel + k * kPanel<T>;
      const T* at = from + k * row;
      if (columns == kPanel<T>) {
        store(to, load(at));
        store(to + kLanes<T>, load(at + kLanes<T>));
      } else {
        for (Index n = 0; n < kPanel<T>; ++n) to[n] = n < columns ? at[n] : T(0);
      }
    }
    return;
  }
  for (Index n = 0; n < kPanel<T>; ++n)
    for (Index k = 0; k < inner; ++k)
      panel[k * kPanel<T> + n] = n < columns ? from[k * row + n * column] : T(0);
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
