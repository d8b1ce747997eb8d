// A stack of layers that is stepped through time as the inputs arrive.
#pragma once

#include <memory>
#include <vector>

#include "kernels.hpp"

namespace statewise {

// At most so many arrays make up the state of a stack.
constexpr Index kMostArrays = 64;

// Recurrent and dense layers with their own packed copies of the weights. Stepping changes nothing
// in it, so any number of threads may step at once.
class Live {
 public:
  struct Layer {
    bool recurrent;
    Cell cell;                // of a recurrent layer
    Activations activations;  // of a dense one the first
    Index inputs, units;
    std::vector<float> packed;
  };

  Live() : kernels_(&statewise::kernels<float>()) {}

  void add_recurrent(Cell cell, Activations activations, Index features, Index units,
                     const float* kernel, const float* recurrent, const float* bias);
  void add_dense(Activation activation, Index inputs, Index units, const float* kernel,
                 const float* bias);

  const std::vector<Layer>& layers() const { return layers_; }
  Index features() const { return layers_.front().inputs; }
  Index outputs() const { return layers_.back().units; }
  // The width of each array of the state: h, and c for an LSTM, layer by layer.
  const std::vector<Index>& state_units() const { return state_units_; }
  // Multiplications and additions of a step of one row.
  double work() const { return work_; }

  // y (rows, outputs) from x (rows, features); `before` and `after` hold an array (rows, units) for
  // each of `state_units`, and may be the same.
  void step(Index rows, const float* x, const float* const* before, float* const* after,
            float* y) const;

  // What an update does beside stepping.
  struct Beside {
    float* kept = nullptr;  // (more rows, outputs): gets the outputs, at the rows' numbers
    // Called before the caller's own part of the work, when other threads have begun with theirs;
    // false where it failed.
    bool (*meanwhile)(void* context) = nullptr;
    void* context = nullptr;
  };

  // The same in place for some rows of a larger state: those of these numbers, each once. Without
  // memory for a part of them all are as before, and std::bad_alloc is thrown; where `meanwhile` fails
  // likewise, and the result is false.
  bool update(Index rows, const Index* numbers, const float* x, float* const* state, float* y,
              const Beside& beside) const;

 private:
  // `step` for so few rows that they are worked on together, perhaps beside others of the same call.
  // `y` may be the last recurrent layer's part of `after`, if that is the last layer.
  void step_block(Index rows, const float* x, const float* const* before, float* const* after,
                  float* y, bool beside_others) const;

  Index state_count() const { return static_cast<Index>(state_units_.size()); }
  // Which array of the state is the output of the last recurrent layer.
  Index last_output() const {
    return state_count() - (layers_.back().cell == Cell::kLSTM ? 2 : 1);
  }

  const Kernels<float>* kernels_;
  std::vector<Layer> layers_;
  std::vector<Index> state_units_;
  double work_ = 0;
};

}  // namespace statewise
