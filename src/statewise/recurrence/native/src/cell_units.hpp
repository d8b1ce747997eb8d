// What one step of a cell reads and writes: for one row of the batch and one panel's width of units.
#pragma once

#include "activations.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// What a forward step of one row and group reads and writes.
template <class T>
struct ForwardUnits {
  const T* projected;  // the slots
  const T* sums;       // the slots that this phase's product has been added to
  const T* h_before;
  T* h;
  T* c;       // LSTM: in and out
  T* z;       // GRU with the reset before: kept between its phases
  T* gated;   // likewise: r * h_before
  T* output;  // null if not wanted
  T* saved;   // null if not wanted
  Index units;  // distance between the saved values of a unit
  Index count;  // of the units that exist in this group
  Activations activations;
};

// What a backward step reads and writes. `d_gates` are the derivatives with respect to what enters
// the gates' nonlinearities, in blocks.
template <class T>
struct BackwardUnits {
  const T* d_h;     // of this step's output, all parts added up
  const T* saved;
  const T* saved_before;  // c before the step (LSTM)
  const T* h_before;
  const T* h;
  const T* d_gated;  // second phase: of r * h_before
  T* d_c;            // LSTM: of the cell after the step in, before it out
  T* passed;         // of h_before, but for what comes through the recurrent product
  T* d_gates;
  Index units;         // distance between the saved values of a unit
  Index block_stride;  // distance between a unit's derivatives
  Index count;
  Activations activations;
};

template <class T>
inline void put(T* to, Index block, Index units, Index at, Vec<T> v, Index count) {
  store_first(to + block * units + at, v, count - at);
}

template <class T>
inline Vec<T> get(const T* from, Index block, Index units, Index at, Index count) {
  return load_first(from + block * units + at, count - at);
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
