// The dropout masks of a call.
#pragma once

#include "simd.hpp"

namespace statewise {
namespace STATEWISE_ISA {

template <class T>
inline bool has_dropout(const Problem<T>& p) {
  return p.input_masks || p.recurrent_masks;
}

// What multiplies the inputs of a gate of one row of the batch.
template <class T>
inline const T* input_mask(const Problem<T>& p, Index gate, Index row) {
  return p.input_masks + (gate * p.batch + row) * p.features;
}

// What multiplies the state where it enters the recurrent product of a gate; null for no dropout.
template <class T>
inline const T* recurrent_mask(const Problem<T>& p, Index gate, Index row) {
  if (!p.recurrent_masks) return nullptr;
  return p.recurrent_masks + ((p.recurrent_mask_count > 1 ? gate : 0) * p.batch + row) * p.units;
}

// to (+)= values * mask
template <class T>
inline void put_masked(const T* values, const T* mask, Index count, T* to, bool add = false) {
  for (Index i = 0; i < count; i += kLanes<T>) {
    Vec<T> v = load_first(values + i, count - i) * load_first(mask + i, count - i);
    if (add) v += load_first(to + i, count - i);
    store_first(to + i, v, count - i);
  }
}


}  // namespace STATEWISE_ISA
}  // namespace statewise
