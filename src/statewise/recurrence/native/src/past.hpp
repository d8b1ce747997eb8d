// What the forward pass left for the backward pass, and how that is shared out.
#pragma once

#include "cells.hpp"
#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// The rows (steps times batch) of a chunk: enough that reading and writing the weights' gradients
// once for each chunk costs little beside the product.
constexpr Index kChunkRows = 256;

// What the forward pass left for the backward pass.
template <class T, class C>
class Past {
 public:
  Past(const Problem<T>& p, const Cotangents<T>& given, const Flags<T>& flags)
      : p_(p), given_(given), flags_(flags) {}

  // The values that the cell saved at step s.
  const T* saved(Index b, Index s) const {
    return given_.saved ? given_.saved + (s * p_.batch + b) * C::kSaved * p_.units
                        : nullptr;
  }

  // The output that step s began from; null where it began from zeros.
  const T* output_before(Index b, Index s) const {
    if (flags_.restarts(b, s)) return nullptr;
    return s == 0 ? p_.h0 + b * p_.units : given_.outputs + (b * p_.time + s - 1) * p_.units;
  }

  const T* cell_before(Index b, Index s) const {
    if (flags_.restarts(b, s)) return nullptr;
    return s == 0 ? p_.c0 + b * p_.units : saved(b, s - 1) + 4 * p_.units;
  }

  // Where the inputs of step s stand.
  Index input_at(Index b, Index s) const {
    return (b * p_.time + flags_.time_of(s)) * p_.features;
  }

  // The inputs that step s multiplied; null where it was skipped: its derivatives are zeros, but
  // zero times what stands there, a missing value perhaps, need not be zero.
  const T* input(Index b, Index s) const {
    return flags_.valid(b, s) ? p_.x + input_at(b, s) : nullptr;
  }

  // What the GRU's second recurrent product multiplied is output_before times this; null where the
  // step was skipped.
  const T* reset_gate(Index b, Index s) const {
    return flags_.valid(b, s) ? saved(b, s) + p_.units : nullptr;
  }

 private:
  const Problem<T>& p_;
  const Cotangents<T>& given_;
  const Flags<T>& flags_;
};

// What one thread works on.
struct Worker {
  Index number;
  Index part;           // which part of the batch
  Range rows, groups;   // that part, and the units
  Index share, shares;  // which of how many equal shares of what the part's threads do together
};

// A single step whose initial state nobody differentiates by multiplies nothing by the recurrent
// kernel.
template <class C, class T>
inline bool reads_recurrent(const Problem<T>& p, const Gradients<T>& wanted) {
  return p.time > 1 || wanted.d_h0 || C::kPhases > 1;
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
