// The intrinsics that the kernels of the tile unit use, in plain C++: with CMake's STATEWISE_EMULATE
// the kernels of AVX-512 and of the tile unit are compiled for any processor, to check them where
// there are none. Far slower. Only what is used is here, and only as it is used.
#pragma once

#include <cstddef>
#include <cstdint>

namespace statewise {
namespace emulated {

typedef std::ptrdiff_t Index;
template <class T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
typedef VectorOf<float, 64>::type Floats;
typedef VectorOf<std::uint32_t, 64>::type Words;
typedef VectorOf<std::uint16_t, 64>::type Halves;
typedef VectorOf<long long, 64>::type Bits;
typedef VectorOf<long long, 32>::type HalfBits;
typedef VectorOf<std::uint16_t, 32>::type FewHalves;

template <class V>
inline V load(const void* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <class V>
inline void store(void* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// To the nearest bfloat16, ties to even; numbers below the normal range are zero.
inline HalfBits round_parts(Floats x) {
  FewHalves rounded;
  for (int i = 0; i < 16; ++i) {
    std::uint32_t bits;
    const float value = x[i];
    __builtin_memcpy(&bits, &value, sizeof bits);
    const std::uint32_t exponent = bits & 0x7f800000u;
    if (exponent == 0) {
      bits &= 0x80000000u;
    } else if (value != value) {
      bits |= 0x400000u;
    } else {
      bits += 0x7fffu + (bits >> 16 & 1u);
    }
    rounded[i] = static_cast<std::uint16_t>(bits >> 16);
  }
  return (HalfBits)rounded;
}

inline unsigned is_infinite(Floats x) {
  unsigned mask = 0;
  for (int i = 0; i < 16; ++i) mask |= unsigned(__builtin_isinf(x[i]) != 0) << i;
  return mask;
}

// One of two vectors' elements for each index.
template <class V>
inline V choose(V a, Bits index, V b) {
  constexpr int kCount = int(sizeof(V) / sizeof(a[0]));
  typedef typename VectorOf<std::uint16_t, 64>::type Short;
  V result;
  for (int i = 0; i < kCount; ++i) {
    const int from = kCount == 16 ? int(((Words)index)[i]) : int(((Short)index)[i]);
    const int at = from & (2 * kCount - 1);
    result[i] = at < kCount ? a[at] : b[at - kCount];
  }
  return result;
}

inline Bits join(HalfBits low, HalfBits high) {
  return Bits{low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]};
}

// The halves of words as floats.
inline Floats upper(Words w) { return (Floats)(w & 0xffff0000u); }
inline Floats lower(Words w) { return (Floats)(w << 16); }

// sum += the products of both rows of the inner dimension that stand side by side.
inline Floats add_products(Floats sum, Words left, Words right) {
  sum += lower(left) * lower(right);
  return sum + upper(left) * upper(right);
}

struct Tile {
  Words rows[16];
};
inline Tile* tiles() {
  static thread_local Tile all[8];
  return all;
}

inline void fetch(int tile, const void* from, Index bytes) {
  for (Index m = 0; m < 16; ++m)
    tiles()[tile].rows[m] = load<Words>(static_cast<const char*>(from) + m * bytes);
}

inline void put_back(int tile, void* to, Index bytes) {
  for (Index m = 0; m < 16; ++m) store(static_cast<char*>(to) + m * bytes, tiles()[tile].rows[m]);
}

// sums += left @ right: each row of `right` holds two rows of the inner dimension, side by side. The
// unit adds up the first and the second of them from zero, and both sums at last.
inline void multiply(int sums, int left, int right) {
  for (Index m = 0; m < 16; ++m) {
    Floats first{}, second{};
    for (Index k = 0; k < 16; ++k) {
      const Words pair = Words{} + tiles()[left].rows[m][k], row = tiles()[right].rows[k];
      first += lower(pair) * lower(row);
      second += upper(pair) * upper(row);
    }
    tiles()[sums].rows[m] = (Words)((Floats)tiles()[sums].rows[m] + (first + second));
  }
}

}  // namespace emulated
}  // namespace statewise

#define __m512 ::statewise::emulated::Floats
#define __m512i ::statewise::emulated::Bits
#define __m512bh ::statewise::emulated::Words
#define __m256i ::statewise::emulated::HalfBits
#define __mmask16 std::uint16_t
#define _mm512_cvtneps_pbh(x) ::statewise::emulated::round_parts(x)
#define _mm512_dpbf16_ps(sum, a, b) ::statewise::emulated::add_products(sum, a, b)
#define _mm512_set1_epi32(n) \
  (__m512i)(::statewise::emulated::Words{} + static_cast<std::uint32_t>(n))
#define _mm512_sub_ps(a, b) ((a) - (b))
#define _mm256_storeu_si256(to, v) ::statewise::emulated::store(to, v)
#define _mm512_fpclass_ps_mask(x, kinds) \
  static_cast<std::uint16_t>(::statewise::emulated::is_infinite(x))
#define _mm512_load_si512(from) \
  ::statewise::emulated::load< ::statewise::emulated::Bits>(from)
#define _mm512_loadu_si512(from) \
  ::statewise::emulated::load< ::statewise::emulated::Bits>(from)
#define _mm512_storeu_si512(to, v) ::statewise::emulated::store(to, v)
#define _mm512_permutex2var_ps(a, index, b) ::statewise::emulated::choose(a, index, b)
#define _mm512_permutex2var_epi16(a, index, b)                                       \
  (__m512i)::statewise::emulated::choose((::statewise::emulated::Halves)(a), (index), \
                                         (::statewise::emulated::Halves)(b))
#define _mm512_add_epi16(a, b) \
  (__m512i)((::statewise::emulated::Halves)(a) + (::statewise::emulated::Halves)(b))
#define _mm512_set1_epi16(n) (__m512i)(::statewise::emulated::Halves{} + std::uint16_t(n))
#define _mm512_castsi256_si512(v) (v)
#define _mm512_inserti64x4(low, high, place) ::statewise::emulated::join(low, high)
#define _tile_loadconfig(shape) static_cast<void>(shape)
#define _tile_release() static_cast<void>(0)
#define _tile_loadd(tile, from, bytes) ::statewise::emulated::fetch(tile, from, bytes)
#define _tile_stored(tile, to, bytes) ::statewise::emulated::put_back(tile, to, bytes)
#define _tile_zero(tile) ::statewise::emulated::tiles()[tile] = ::statewise::emulated::Tile{}
#define _tile_dpbf16ps(sums, left, right) ::statewise::emulated::multiply(sums, left, right)
