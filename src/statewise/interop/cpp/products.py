"""Products with weights as C++, written with the vector types of GCC and Clang where they are."""

# Where Clang sees what was stored last it hands the first value on to the loop that reads them, and
# each further one from turn to turn. The loop then carries a value, so it's not vectorised: a step
# of LSTM(8) took three times as long. GCC doesn't, and keeps small layers in registers: stopped
# from that, a step of two small GRUs took a fifth longer.
SETTLE = """
// What was stored is loaded again by the loop that comes next, several values at once.
inline void settle() noexcept {
#if defined(__clang__)
  std::atomic_signal_fence(std::memory_order_acq_rel);
#endif
}
"""

PRODUCT = """
#if defined(__GNUC__) && defined(__AVX__)
inline constexpr std::size_t lanes = 8;
#else
inline constexpr std::size_t lanes = 4;
#endif
#if defined(__GNUC__)
typedef float Lanes __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
#endif

// y += x W, for Out outputs, of which W holds a row for each of the In inputs.
template <std::size_t In, std::size_t Out>
inline void add_block(const float* __restrict x, const float* __restrict w,
                      float* __restrict y) noexcept {
#if defined(__GNUC__)
  constexpr std::size_t count = Out / lanes;
  Lanes sums[count];
  for (std::size_t j = 0; j < count; ++j) sums[j] = reinterpret_cast<const Lanes*>(y)[j];
  for (std::size_t i = 0; i < In; ++i) {
    const Lanes* row = reinterpret_cast<const Lanes*>(w + i * Out);
    for (std::size_t j = 0; j < count; ++j) sums[j] += row[j] * x[i];
  }
  for (std::size_t j = 0; j < count; ++j) reinterpret_cast<Lanes*>(y)[j] = sums[j];
#else
  float sums[Out];
  for (std::size_t j = 0; j < Out; ++j) sums[j] = y[j];
  for (std::size_t i = 0; i < In; ++i)
    for (std::size_t j = 0; j < Out; ++j) sums[j] += w[i * Out + j] * x[i];
  for (std::size_t j = 0; j < Out; ++j) y[j] = sums[j];
#endif
}

// y += x W, for any multiple of 8 outputs; W lies in blocks of up to 32 outputs.
template <std::size_t In, std::size_t Out>
inline void add_product(const float* __restrict x, const float* __restrict w,
                        float* __restrict y) noexcept {
  constexpr std::size_t whole = Out / 32, rest = Out % 32;
  for (std::size_t b = 0; b < whole; ++b) add_block<In, 32>(x, w + b * 32 * In, y + b * 32);
  if constexpr (rest != 0) add_block<In, rest>(x, w + whole * 32 * In, y + whole * 32);
  settle();
}
"""

FEW = """
// y += x W for few outputs: W holds a row for each output, of a multiple of 8 inputs.
template <std::size_t In, std::size_t Out>
inline void add_few(const float* __restrict x, const float* __restrict w,
                    float* __restrict y) noexcept {
  for (std::size_t j = 0; j < Out; ++j) {
    float s[8] = {};
    for (std::size_t i = 0; i < In; i += 8)
      for (std::size_t k = 0; k < 8; ++k) s[k] += x[i + k] * w[j * In + i + k];
    y[j] += ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  }
  settle();
}
"""
