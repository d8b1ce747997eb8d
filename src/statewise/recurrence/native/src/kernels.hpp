// What the kernels offer, without a word about instruction sets: shapes, arrays and a table of
// functions. The arrays are Keras's, batch first and row-major, with no alignment assumed; absent
// ones are null. Gates stand in the order of layout.py: LSTM i f c o, GRU z r h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace statewise {

using Index = std::ptrdiff_t;

enum class Cell : int { kSimpleRNN = 0, kLSTM = 1, kGRU = 2, kGRUResetBefore = 3 };
constexpr int kCells = 4;

static constexpr Index gate_count(Cell cell) {
  return cell == Cell::kSimpleRNN ? 1 : cell == Cell::kLSTM ? 4 : 3;
}

enum class Activation : int {
  kLinear = 0,
  kTanh = 1,
  kSigmoid = 2,
  kRelu = 3,
  kSoftmax = 4,  // of dense layers only, as it isn't a function of one number
  kHardSigmoid = 5,     // relu6(x + 3) / 6
  kOldHardSigmoid = 6,  // that of Keras 1 and 2: x / 5 + 1 / 2 within [0, 1]
  kHardTanh = 7,
  kSoftsign = 8,
  kElu = 9,
  kSelu = 10,
  kSoftplus = 11,
  kSilu = 12,
  kGelu = 13,  // with the error function
};
constexpr int kActivations = 14;

// The functions of a cell. Those of the gates are told by their value alone what their slope is.
struct Activations {
  Activation activation, recurrent;
};

constexpr Activations kPlainActivations = {Activation::kTanh, Activation::kSigmoid};

static constexpr bool is_plain(Cell cell, Activations a) {
  return a.activation == Activation::kTanh &&
         (cell == Cell::kSimpleRNN || a.recurrent == Activation::kSigmoid);
}

static constexpr bool serves_gates(Activation a) {
  return a == Activation::kSigmoid || a == Activation::kHardSigmoid ||
         a == Activation::kOldHardSigmoid || a == Activation::kLinear || a == Activation::kTanh ||
         a == Activation::kRelu;
}

// Whether two numbers are those of a cell's functions.
static constexpr bool are_activations(int activation, int recurrent) {
  return activation >= 0 && activation < kActivations &&
         activation != static_cast<int>(Activation::kSoftmax) && recurrent >= 0 &&
         recurrent < kActivations && serves_gates(static_cast<Activation>(recurrent));
}

// How many values of each unit and step the forward pass keeps for the backward pass, beside the
// outputs: LSTM i f c~ o c; GRU z r h~ and the candidate's recurrent product, which only the form
// with the reset gate after it needs; SimpleRNN nothing, but for other functions than tanh. In place
// of c~ or h~ there stands what entered the function, if the value doesn't say the slope.
static constexpr Index saved_count(Cell cell, bool plain) {
  return cell == Cell::kLSTM              ? 5
         : cell == Cell::kGRU             ? 4
         : cell == Cell::kGRUResetBefore  ? 3
         : plain                          ? 0
                                          : 1;
}

static constexpr Index bias_count(Cell cell) { return (cell == Cell::kGRU ? 2 : 1) * gate_count(cell); }

// A layer and the sequences it is run over.
template <class T>
struct Problem {
  Cell cell;
  Activations activations;
  Index batch, time, features, units;
  bool backwards;          // process the last time step first
  Index threads;           // at most so many threads work on it; 0 for all there are
  const T* x;              // (batch, time, features)
  const T* h0;             // (batch, units)
  const T* c0;             // (batch, units), LSTM only
  const T* kernel;         // (features, gates * units)
  const T* recurrent;      // (units, gates * units)
  const T* bias;           // (gates * units), GRU (2, gates * units), or null
  const unsigned char* mask;    // (batch, time), 0 = the step is skipped, or null
  const unsigned char* resets;  // (batch, time), 1 = a sequence begins at this step, or null
  // Dropout, the same at every step: what multiplies the inputs, and what multiplies the state (and
  // the gated state) where it enters a recurrent product.
  const T* input_masks;      // (gates, batch, features), or null
  const T* recurrent_masks;  // (recurrent_mask_count, batch, units), or null
  Index recurrent_mask_count;  // 1, of all gates, or as many as gates
  // Whether the arrays are bfloat16 in truth: then what enters a product may be rounded to that,
  // where the processor multiplies it faster.
  bool in_bfloat16 = false;
};

// What a forward pass writes; null what is not wanted.
template <class T>
struct Results {
  T* outputs;  // (batch, time, units) in the order of processing
  T* h;        // (batch, units)
  T* c;        // (batch, units), LSTM only
  T* saved;    // (time, batch, saved_count * units) in the order of processing
};

// What a backward pass reads beside the problem: the forward pass's outputs and saved values, and
// the gradients of its results; null where they are zero.
template <class T>
struct Cotangents {
  const T* outputs;    // the forward pass's
  const T* saved;      // the forward pass's
  const T* d_outputs;  // (batch, time, units)
  const T* d_h;        // (batch, units)
  const T* d_c;        // (batch, units)
};

// What a backward pass writes; null what is not wanted (d_kernel, d_recurrent and d_bias go
// together).
template <class T>
struct Gradients {
  T* d_x;
  T* d_h0;
  T* d_c0;
  T* d_kernel;
  T* d_recurrent;
  T* d_bias;
};

// A dense layer, its kernel packed by `pack_dense`.
template <class T>
struct Dense {
  Index inputs, units;
  Activation activation;
  const T* packed;
};

// The numbers of a step of the Adam optimizer (Kingma and Ba, 2015), the corrections for its first
// steps in `rate`.
template <class T>
struct AdamStep {
  T rate, one_minus_beta_1, one_minus_beta_2, epsilon;
};

// What such a step reads and writes; the results may stand where what they replace stood.
template <class T>
struct AdamArrays {
  const T *parameters, *first, *second, *gradient;  // the two moments of the gradient
  T *new_parameters, *new_first, *new_second;
};

// The linear recurrence h_t = a_t h_(t-1) + b_t, each unit by itself, over sequences.
template <class T>
struct LinearProblem {
  Index batch, time, units;
  bool backwards;               // process the last time step first
  Index threads;                // at most so many threads work on it; 0 for all there are
  const T* a;                   // (batch, time, units)
  const T* b;                   // (batch, time, units)
  const T* h0;                  // (batch, units)
  const unsigned char* mask;    // (batch, time), as in Problem
  const unsigned char* resets;  // (batch, time)
};

// What its forward pass writes; null where it isn't wanted.
template <class T>
struct LinearResults {
  T* outputs;  // (batch, time, units) in the order of processing, or null
  T* h;        // (batch, units)
};

// What its backward pass reads beside the problem, of which b isn't read.
template <class T>
struct LinearCotangents {
  const T* outputs;    // the forward pass's
  const T* d_outputs;  // (batch, time, units), or null
  const T* d_h;        // (batch, units), or null
};

// What its backward pass writes.
template <class T>
struct LinearGradients {
  T* d_a;   // (batch, time, units)
  T* d_b;   // (batch, time, units)
  T* d_h0;  // (batch, units), or null
};

// The kernels of one instruction set. None throws but for want of memory (std::bad_alloc).
template <class T>
struct Kernels {
  // Runs a layer; `packed` are its weights packed before, or null to pack them in the call.
  void (*forward)(const Problem<T>&, const Results<T>&, const T* packed);
  void (*backward)(const Problem<T>&, const Cotangents<T>&, const Gradients<T>&);
  // Packs kernel, recurrent and bias of a problem, of which nothing else is read.
  Index (*packed_size)(Cell cell, Index features, Index units);
  void (*pack)(const Problem<T>&, T* packed);
  Index (*packed_dense_size)(Index inputs, Index units);
  void (*pack_dense)(Index inputs, Index units, const T* kernel, const T* bias, T* packed);
  // out (rows, units) = activation(x (rows, inputs) @ kernel + bias)
  void (*dense)(const Dense<T>&, Index rows, const T* x, T* out);
  // A step of Adam for the numbers [from, to) of a variable.
  void (*adam)(const AdamStep<T>&, const AdamArrays<T>&, Index from, Index to);
  void (*linear_forward)(const LinearProblem<T>&, const LinearResults<T>&);
  void (*linear_backward)(const LinearProblem<T>&, const LinearCotangents<T>&,
                          const LinearGradients<T>&);
  // The nonlinearities and their slopes, for tests.
  void (*exp)(const T* x, T* out, Index count);
  void (*activate)(Activation, const T* x, T* out, Index count);
  void (*slope)(Activation, const T* x, T* out, Index count);
};

// The instruction sets that this binary has and this machine runs, best first, ended by null.
const char* const* instruction_sets();

// The one in use: the best, unless `use_instruction_set` or STATEWISE_ISA chose another.
const char* instruction_set();

// Chooses one by name, for tests and measurements; false where it can't run here.
bool use_instruction_set(const char* name);

template <class T>
const Kernels<T>& kernels();

// The bytes of the cache that each core has for itself (its second level); half a MiB where the
// system doesn't say.
Index core_cache_bytes();

// Sets that number, for tests: how a call is shared out depends on it; 0 means the system's again.
void set_core_cache_bytes(Index bytes);

}  // namespace statewise
