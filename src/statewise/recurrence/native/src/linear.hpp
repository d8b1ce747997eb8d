// The linear recurrence h_t = a_t h_(t-1) + b_t, each unit by itself, and its gradients by the same
// recurrence in the other direction. It does so little with each number that fetching them is most
// of the work: rows are walked through in the order in which they lie in memory, and what the
// gradient needs beside the recurrence is made on the way.
#pragma once

#include "plan.hpp"

namespace statewise {
namespace STATEWISE_ISA {

// What a step carries to the next stays in the first cache: that of so many units at most.
constexpr Index kMostUnits = 1024;
// So many numbers, some 10 microseconds' worth, are worth another thread.
constexpr Index kNumbersOfAThread = Index(1) << 14;

// Calls body(row, units) for every row of the batch and every piece of its units, on as many threads
// as there is work for. Rows are shared out first; few rows are cut in pieces.
template <class T, class F>
inline void share_out(const LinearProblem<T>& p, const F& body) {
  const Index most = p.threads > 0 ? min_of(p.threads, thread_count()) : thread_count();
  const Index numbers = p.batch * p.time * p.units;
  const Index blocks = max_of(Index(1), min_of(numbers / kNumbersOfAThread, most));
  Index pieces = ceil_div(p.units, kMostUnits);
  if (p.batch * pieces < blocks) pieces = ceil_div(blocks, p.batch);
  const Index width = ceil_div(ceil_div(p.units, pieces), kPanel<T>) * kPanel<T>;
  pieces = ceil_div(p.units, width);
  auto block = [&](Index, Index number) {
    const Range mine = part(p.batch * pieces, number, blocks);
    for (Index i = mine.from; i < mine.to; ++i) {
      const Index from = i % pieces * width;
      body(i / pieces, Range{from, min_of(from + width, p.units)});
    }
  };
  run_blocks(1, blocks, block);
}

template <class T>
inline void add_to(T* sums, const T* values, Index count) {
  for (Index i = 0; i < count; i += kLanes<T>)
    store_first(sums + i, load_first(sums + i, count - i) + load_first(values + i, count - i),
                count - i);
}

template <class T>
void linear_forward(const LinearProblem<T>& p, const LinearResults<T>& r) {
  const Flags<T> flags(p.mask, p.resets, p.time, p.backwards);
  share_out(p, [&](Index row, Range units) {
    const Index count = units.size();
    T state[kMostUnits];
    copy(state, p.h0 + row * p.units + units.from, count);
    for (Index step = 0; step < p.time; ++step) {
      if (flags.restarts(row, step)) fill(state, count, T(0));
      const Index now = (row * p.time + flags.time_of(step)) * p.units + units.from;
      T* out = r.outputs ? r.outputs + (row * p.time + step) * p.units + units.from : nullptr;
      if (flags.valid(row, step)) {
        for (Index i = 0; i < count; i += kLanes<T>) {
          const Index lanes = count - i;
          const Vec<T> h = load_first(p.a + now + i, lanes) * load_first(state + i, lanes) +
                           load_first(p.b + now + i, lanes);
          store_first(state + i, h, lanes);
          if (out) store_first(out + i, h, lanes);
        }
      } else if (out) {
        copy(out, state, count);
      }
    }
    copy(r.h + row * p.units + units.from, state, count);
  });
}

template <class T>
void linear_backward(const LinearProblem<T>& p, const LinearCotangents<T>& given,
                     const LinearGradients<T>& wanted) {
  const Flags<T> flags(p.mask, p.resets, p.time, p.backwards);
  share_out(p, [&](Index row, Range units) {
    const Index count = units.size(), first = row * p.units + units.from;
    T carried[kMostUnits], zeros[kMostUnits];  // the gradient of the state; a state that's reset
    fill(zeros, count, T(0));
    if (given.d_h) {
      copy(carried, given.d_h + first, count);
    } else {
      fill(carried, count, T(0));
    }
    for (Index step = p.time - 1; step >= 0; --step) {
      const Index now = (row * p.time + flags.time_of(step)) * p.units + units.from;
      const Index place = (row * p.time + step) * p.units + units.from;
      const bool restarts = flags.restarts(row, step);
      if (given.d_outputs) add_to(carried, given.d_outputs + place, count);
      if (flags.valid(row, step)) {
        const T* before = restarts ? zeros : step ? given.outputs + place - p.units : p.h0 + first;
        for (Index i = 0; i < count; i += kLanes<T>) {
          const Index lanes = count - i;
          const Vec<T> d = load_first(carried + i, lanes);
          store_first(wanted.d_b + now + i, d, lanes);
          store_first(wanted.d_a + now + i, d * load_first(before + i, lanes), lanes);
          store_first(carried + i, d * load_first(p.a + now + i, lanes), lanes);
        }
      } else {
        fill(wanted.d_a + now, count, T(0));
        fill(wanted.d_b + now, count, T(0));
      }
      if (restarts) fill(carried, count, T(0));
    }
    if (wanted.d_h0) copy(wanted.d_h0 + first, carried, count);
  });
}

}  // namespace STATEWISE_ISA
}  // namespace statewise
