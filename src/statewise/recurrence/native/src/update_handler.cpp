// A step of the Adam optimizer for all variables of a model, as an XLA custom call. Every number is
// read and written once, where XLA's own code has a loop for each result of each variable.
#include <algorithm>
#include <vector>

#include "buffers.hpp"
#include "handlers.hpp"
#include "kernels.hpp"
#include "pool.hpp"

namespace statewise {
namespace {

// So many numbers, some 5 microseconds' worth, are worth another thread.
constexpr Index kNumbersOfAThread = 1 << 13;

template <class T>
struct Variable {
  AdamArrays<T> arrays;
  Index from, to;  // where its numbers stand in the row of all variables' numbers
};

template <class T>
void run(const AdamStep<T>& step, const std::vector<Variable<T>>& variables) {
  const Index total = variables.empty() ? 0 : variables.back().to;
  const Index blocks = std::clamp<Index>(total / kNumbersOfAThread, 1, thread_count());
  const auto body = [&](Index block) {
    const Index from = block * total / blocks, to = (block + 1) * total / blocks;
    for (const Variable<T>& v : variables) {
      const Index begin = std::max(from, v.from), end = std::min(to, v.to);
      if (begin < end) kernels<T>().adam(step, v.arrays, begin - v.from, end - v.from);
    }
  };
  run_phases(1, blocks, {[](void* context, Index, Index block) {
                           (*static_cast<decltype(body)*>(context))(block);
                         },
                         const_cast<void*>(static_cast<const void*>(&body))});
}

// The arguments after the rate are all variables' parameters, then all first moments, all second
// moments, all gradients; the results all parameters, first and second moments.
template <class T>
ffi::Error adam_as(const ffi::AnyBuffer& rate, ffi::RemainingArgs arguments,
                   ffi::RemainingRets results, AdamStep<T> step) {
  constexpr std::size_t kArguments = 4, kResults = 3;
  const std::size_t count = results.size() / kResults;
  if (results.size() != count * kResults || arguments.size() != count * kArguments)
    return ffi::Error::InvalidArgument("statewise's native Adam takes four arrays a variable.");
  if (rate.element_count() != 1)
    return ffi::Error::InvalidArgument("statewise's native Adam takes one learning rate.");
  std::vector<Variable<T>> variables(count);
  Index from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    T* arrays[kArguments + kResults];
    std::size_t size = 0;
    for (std::size_t k = 0; k < kArguments + kResults; ++k) {
      const ffi::AnyBuffer buffer =
          k < kArguments ? *arguments.get<ffi::AnyBuffer>(k * count + i)
                         : **results.get<ffi::AnyBuffer>((k - kArguments) * count + i);
      if (k == 0) size = buffer.element_count();
      if (buffer.element_count() != size || buffer.element_type() != rate.element_type())
        return ffi::Error::InvalidArgument(
            "statewise's native Adam takes arrays of one size for a variable, all of one dtype; "
            "got " + shape_of(buffer) + ".");
      arrays[k] = data<T>(buffer);
    }
    const Index to = from + static_cast<Index>(size);
    variables[i] = {{arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], arrays[6]},
                    from, to};
    from = to;
  }
  step.rate = *data<const T>(rate);
  const FlushDenormals flush;
  run(step, variables);
  return ffi::Error::Success();
}

ffi::Error adam(ffi::AnyBuffer rate, ffi::RemainingArgs arguments, ffi::RemainingRets results,
                double one_minus_beta_1, double one_minus_beta_2, double epsilon) {
  return with_type(rate.element_type(), [&](auto zero) {
    using T = decltype(zero);
    return adam_as<T>(rate, arguments, results,
                      {T(0), T(one_minus_beta_1), T(one_minus_beta_2), T(epsilon)});
  });
}

XLA_FFI_DEFINE_HANDLER(adam_call, adam,
                       ffi::Ffi::Bind()
                           .Arg<ffi::AnyBuffer>()  // the learning rate, corrected
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<double>("one_minus_beta_1")
                           .Attr<double>("one_minus_beta_2")
                           .Attr<double>("epsilon"));

}  // namespace

void* adam_handler() { return reinterpret_cast<void*>(adam_call); }

}  // namespace statewise
