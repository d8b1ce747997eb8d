// Vectors of the instruction set this file is compiled for.
//
// Everything that is compiled once for each instruction set lives in the namespace STATEWISE_ISA and
// uses no function of the C++ library: the linker merges equal inline functions, and a copy made
// with AVX-512 must not end up in the portable path.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels.hpp"
#include "workspace.hpp"

namespace statewise {
namespace STATEWISE_ISA {

#if defined(__AVX512F__) || defined(STATEWISE_EMULATE)
constexpr int kVectorBytes = 64;
constexpr int kTileRows = 12;  // 32 registers: 12 x 2 sums, 2 of the panel, the rest to spare
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
constexpr int kTileRows = 6;  // 16 registers: 6 x 2 sums, 2 of the panel, 1 broadcast
#else
constexpr int kVectorBytes = 16;
constexpr int kTileRows = 6;
#endif

template <class T>
struct Simd;

template <>
struct Simd<float> {
  typedef float vector __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t bits __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t bit;
};

template <>
struct Simd<double> {
  typedef double vector __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t bits __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t bit;
};

template <class T>
using Vec = typename Simd<T>::vector;
template <class T>
using Bits = typename Simd<T>::bits;

template <class T>
constexpr Index kLanes = kVectorBytes / static_cast<Index>(sizeof(T));

// The columns of a panel, of weights or of a sum: two vectors.
template <class T>
constexpr Index kPanel = 2 * kLanes<T>;

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index min_of(Index a, Index b) { return a < b ? a : b; }
constexpr Index max_of(Index a, Index b) { return a < b ? b : a; }

template <class T>
inline Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
inline void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

template <class T>
inline Vec<T> splat(T value) {
  return value - Vec<T>{};  // unlike value + 0 it needs no addition: it keeps -0
}

#if defined(__AVX512F__)
inline __mmask16 first_lanes(const float*, Index count) {
  return static_cast<__mmask16>((1u << count) - 1);
}
inline __mmask8 first_lanes(const double*, Index count) {
  return static_cast<__mmask8>((1u << count) - 1);
}
inline Vec<float> load_masked(const float* p, Index count) {
  return (Vec<float>)_mm512_maskz_loadu_ps(first_lanes(p, count), p);
}
inline Vec<double> load_masked(const double* p, Index count) {
  return (Vec<double>)_mm512_maskz_loadu_pd(first_lanes(p, count), p);
}
inline void store_masked(float* p, Vec<float> v, Index count) {
  _mm512_mask_storeu_ps(p, first_lanes(p, count), (__m512)v);
}
inline void store_masked(double* p, Vec<double> v, Index count) {
  _mm512_mask_storeu_pd(p, first_lanes(p, count), (__m512d)v);
}
#else
template <class T>
inline Vec<T> load_masked(const T* p, Index count) {
  T lanes[kLanes<T>] = {};
  for (Index i = 0; i < count; ++i) lanes[i] = p[i];
  return load<T>(lanes);
}
template <class T>
inline void store_masked(T* p, Vec<T> v, Index count) {
  T lanes[kLanes<T>];
  store(lanes, v);
  for (Index i = 0; i < count; ++i) p[i] = lanes[i];
}
#endif

// The first `count` lanes, zero in the others; any count above zero.
template <class T>
inline Vec<T> load_first(const T* p, Index count) {
  return count >= kLanes<T> ? load(p) : load_masked(p, count);
}

template <class T>
inline void store_first(T* p, Vec<T> v, Index count) {
  if (count >= kLanes<T>) {
    store(p, v);
  } else {
    store_masked(p, v, count);
  }
}

template <class T>
inline void fill(T* p, Index count, T value) {
  for (Index i = 0; i < count; ++i) p[i] = value;
}

template <class T>
inline void copy(T* to, const T* from, Index count) {
  __builtin_memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
}

// Up to a panel of numbers, mostly the whole of it: then without a call.
template <class T>
inline void copy_panel(T* to, const T* from, Index count) {
  if (count < kPanel<T>) return copy(to, from, count);
  const Vec<T> first = load(from), second = load(from + kLanes<T>);
  store(to, first);
  store(to + kLanes<T>, second);
}

template <class T>
inline T* take(Workspace& workspace, Index count) {
  return static_cast<T*>(workspace.take(static_cast<std::size_t>(count) * sizeof(T)));
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
