// The kernels as XLA custom calls. The shapes are checked here, as XLA hands over what a program
// says; what is absent comes as an array without elements.
#include <utility>

#include "buffers.hpp"
#include "handlers.hpp"
#include "kernels.hpp"
#include "pool.hpp"
#include "shapes.hpp"

namespace statewise {
namespace {

// What all the calls take.
struct Operands {
  ffi::AnyBuffer x, h0, c0, kernel, recurrent, bias, mask, resets, input_masks, recurrent_masks;
  std::int32_t cell, activation, recurrent_activation;
  bool backwards;
  std::int32_t threads;
  bool in_bfloat16;
};

// Fills in the problem, or says what is wrong with it.
template <class T>
void read(const Operands& o, Problem<T>& p, Check& check) {
  const auto x = o.x.dimensions();
  const auto recurrent = o.recurrent.dimensions();
  if (x.size() != 3 || recurrent.size() != 2 || o.x.element_count() == 0) {
    check.fail("x must be (batch, time, features) with one element at least, the recurrent kernel "
               "(units, gates * units); they have the shapes " +
               shape_of(o.x) + " and " + shape_of(o.recurrent));
    return;
  }
  if (o.cell < 0 || o.cell >= kCells) {
    check.fail("there is no cell " + std::to_string(o.cell));
    return;
  }
  p.cell = static_cast<Cell>(o.cell);
  if (!are_activations(o.activation, o.recurrent_activation)) {
    check.fail("no cell has the activation " + std::to_string(o.activation) +
               " and the recurrent activation " + std::to_string(o.recurrent_activation));
    return;
  }
  p.activations = {static_cast<Activation>(o.activation),
                   static_cast<Activation>(o.recurrent_activation)};
  p.batch = x[0];
  p.time = x[1];
  p.features = x[2];
  p.units = recurrent[0];
  p.backwards = o.backwards;
  p.threads = o.threads;
  p.in_bfloat16 = o.in_bfloat16;
  if (p.units < 1) check.fail("the recurrent kernel has no units");
  const Index gates = gate_count(p.cell) * p.units;
  check.shape("the kernel", o.kernel, {p.features, gates});
  check.shape("the recurrent kernel", o.recurrent, {p.units, gates});
  check.shape("h", o.h0, {p.batch, p.units});
  if (p.cell == Cell::kLSTM) check.shape("c", o.c0, {p.batch, p.units});
  if (p.cell == Cell::kGRU) {
    check.shape("the bias", o.bias, {2, gates}, true);
  } else {
    check.shape("the bias", o.bias, {gates}, true);
  }
  check.flags("the mask", o.mask, p.batch, p.time);
  check.flags("resets", o.resets, p.batch, p.time);
  check.shape("the inputs' dropout masks", o.input_masks,
              {gate_count(p.cell), p.batch, p.features}, true);
  const auto masks = o.recurrent_masks.dimensions();
  p.recurrent_mask_count = masks.size() == 3 && masks[0] == 1 ? 1 : gate_count(p.cell);
  check.shape("the recurrent dropout masks", o.recurrent_masks,
              {p.recurrent_mask_count, p.batch, p.units}, true);
  p.x = data<const T>(o.x);
  p.h0 = data<const T>(o.h0);
  p.c0 = data<const T>(o.c0);
  p.kernel = data<const T>(o.kernel);
  p.recurrent = data<const T>(o.recurrent);
  p.bias = data<const T>(o.bias);
  p.mask = data<const unsigned char>(o.mask);
  p.resets = data<const unsigned char>(o.resets);
  p.input_masks = data<const T>(o.input_masks);
  p.recurrent_masks = data<const T>(o.recurrent_masks);
  if (!p.recurrent_masks) p.recurrent_mask_count = 0;
}

struct ForwardTargets {
  ffi::Result<ffi::AnyBuffer>&outputs, &h, &c, &saved;
};

template <class T>
ffi::Error forward_as(const Operands& operands, ForwardTargets to) {
  Check check(operands.x.element_type());
  Problem<T> p{};
  read(operands, p, check);
  if (!check.ok()) return check.error();
  check.shape("outputs", *to.outputs, {p.batch, p.time, p.units}, true);
  check.shape("the last h", *to.h, {p.batch, p.units});
  if (p.cell == Cell::kLSTM) check.shape("the last c", *to.c, {p.batch, p.units});
  const Index saved = saved_count(p.cell, is_plain(p.cell, p.activations));
  check.shape("saved", *to.saved, {p.time, p.batch, saved * p.units}, true);
  if (!check.ok()) return check.error();
  const FlushDenormals flush;
  kernels<T>().forward(
      p, {data<T>(to.outputs), data<T>(to.h), data<T>(to.c), data<T>(to.saved)}, nullptr);
  return ffi::Error::Success();
}

struct BackwardSources {
  const ffi::AnyBuffer &outputs, &saved, &d_outputs, &d_h, &d_c;
};

struct BackwardTargets {
  ffi::Result<ffi::AnyBuffer>&d_x, &d_h0, &d_c0, &d_kernel, &d_recurrent, &d_bias;
};

template <class T>
ffi::Error backward_as(const Operands& operands, BackwardSources from, BackwardTargets to) {
  Check check(operands.x.element_type());
  Problem<T> p{};
  read(operands, p, check);
  if (!check.ok()) return check.error();
  const Index gates = gate_count(p.cell) * p.units;
  check.shape("outputs", from.outputs, {p.batch, p.time, p.units});
  const Index saved = saved_count(p.cell, is_plain(p.cell, p.activations));
  if (saved > 0) check.shape("saved", from.saved, {p.time, p.batch, saved * p.units});
  check.shape("the outputs' gradient", from.d_outputs, {p.batch, p.time, p.units}, true);
  check.shape("the last h's gradient", from.d_h, {p.batch, p.units}, true);
  check.shape("the last c's gradient", from.d_c, {p.batch, p.units}, true);
  check.shape("x's gradient", *to.d_x, {p.batch, p.time, p.features}, true);
  check.shape("h's gradient", *to.d_h0, {p.batch, p.units}, true);
  check.shape("c's gradient", *to.d_c0, {p.batch, p.units}, true);
  check.shape("the kernel's gradient", *to.d_kernel, {p.features, gates}, true);
  check.shape("the recurrent kernel's gradient", *to.d_recurrent, {p.units, gates}, true);
  if (to.d_kernel->element_count() == 0 || to.d_recurrent->element_count() == 0) {
    if (to.d_kernel->element_count() + to.d_recurrent->element_count() > 0)
      check.fail("the kernels' gradients go together");
  } else if (p.bias &&
             to.d_bias->element_count() != static_cast<std::size_t>(bias_count(p.cell) * p.units)) {
    check.fail("the bias's gradient has the shape " + shape_of(*to.d_bias));
  }
  if (!check.ok()) return check.error();
  const FlushDenormals flush;
  kernels<T>().backward(
      p,
      {data<const T>(from.outputs), data<const T>(from.saved), data<const T>(from.d_outputs),
       data<const T>(from.d_h), data<const T>(from.d_c)},
      {data<T>(to.d_x), data<T>(to.d_h0), data<T>(to.d_c0), data<T>(to.d_kernel),
       data<T>(to.d_recurrent), data<T>(to.d_bias)});
  return ffi::Error::Success();
}

ffi::Error forward(ffi::AnyBuffer x, ffi::AnyBuffer h0, ffi::AnyBuffer c0, ffi::AnyBuffer kernel,
                   ffi::AnyBuffer recurrent, ffi::AnyBuffer bias, ffi::AnyBuffer mask,
                   ffi::AnyBuffer resets, ffi::AnyBuffer input_masks,
                   ffi::AnyBuffer recurrent_masks, ffi::Result<ffi::AnyBuffer> outputs,
                   ffi::Result<ffi::AnyBuffer> h, ffi::Result<ffi::AnyBuffer> c,
                   ffi::Result<ffi::AnyBuffer> saved, std::int32_t cell,
                   std::int32_t activation, std::int32_t recurrent_activation, bool backwards,
                   std::int32_t threads, bool in_bfloat16) {
  const Operands operands{x,      h0,          c0,              kernel, recurrent,  bias, mask,
                          resets, input_masks, recurrent_masks, cell,   activation,
                          recurrent_activation, backwards,      threads, in_bfloat16};
  return with_type(x.element_type(), [&](auto zero) {
    return forward_as<decltype(zero)>(operands, {outputs, h, c, saved});
  });
}

ffi::Error backward(ffi::AnyBuffer x, ffi::AnyBuffer h0, ffi::AnyBuffer c0, ffi::AnyBuffer kernel,
                    ffi::AnyBuffer recurrent, ffi::AnyBuffer bias, ffi::AnyBuffer mask,
                    ffi::AnyBuffer resets, ffi::AnyBuffer input_masks,
                    ffi::AnyBuffer recurrent_masks, ffi::AnyBuffer outputs, ffi::AnyBuffer saved,
                    ffi::AnyBuffer d_outputs, ffi::AnyBuffer d_h, ffi::AnyBuffer d_c,
                    ffi::Result<ffi::AnyBuffer> d_x, ffi::Result<ffi::AnyBuffer> d_h0,
                    ffi::Result<ffi::AnyBuffer> d_c0, ffi::Result<ffi::AnyBuffer> d_kernel,
                    ffi::Result<ffi::AnyBuffer> d_recurrent, ffi::Result<ffi::AnyBuffer> d_bias,
                    std::int32_t cell, std::int32_t activation,
                    std::int32_t recurrent_activation, bool backwards, std::int32_t threads,
                    bool in_bfloat16) {
  const Operands operands{x,      h0,          c0,              kernel, recurrent,  bias, mask,
                          resets, input_masks, recurrent_masks, cell,   activation,
                          recurrent_activation, backwards,      threads, in_bfloat16};
  return with_type(x.element_type(), [&](auto zero) {
    return backward_as<decltype(zero)>(operands, {outputs, saved, d_outputs, d_h, d_c},
                                       {d_x, d_h0, d_c0, d_kernel, d_recurrent, d_bias});
  });
}

auto forward_binding() {
  return ffi::Ffi::Bind()
      .Arg<ffi::AnyBuffer>()  // x
      .Arg<ffi::AnyBuffer>()  // h0
      .Arg<ffi::AnyBuffer>()  // c0
      .Arg<ffi::AnyBuffer>()  // kernel
      .Arg<ffi::AnyBuffer>()  // recurrent
      .Arg<ffi::AnyBuffer>()  // bias
      .Arg<ffi::AnyBuffer>()  // mask
      .Arg<ffi::AnyBuffer>()  // resets
      .Arg<ffi::AnyBuffer>()  // input_masks
      .Arg<ffi::AnyBuffer>()  // recurrent_masks
      .Ret<ffi::AnyBuffer>()  // outputs
      .Ret<ffi::AnyBuffer>()  // h
      .Ret<ffi::AnyBuffer>()  // c
      .Ret<ffi::AnyBuffer>()  // saved
      .Attr<std::int32_t>("cell")
      .Attr<std::int32_t>("activation")
      .Attr<std::int32_t>("recurrent_activation")
      .Attr<bool>("backwards")
      .Attr<std::int32_t>("threads");
}

auto backward_binding() {
  return ffi::Ffi::Bind()
      .Arg<ffi::AnyBuffer>()  // x
      .Arg<ffi::AnyBuffer>()  // h0
      .Arg<ffi::AnyBuffer>()  // c0
      .Arg<ffi::AnyBuffer>()  // kernel
      .Arg<ffi::AnyBuffer>()  // recurrent
      .Arg<ffi::AnyBuffer>()  // bias
      .Arg<ffi::AnyBuffer>()  // mask
      .Arg<ffi::AnyBuffer>()  // resets
      .Arg<ffi::AnyBuffer>()  // input_masks
      .Arg<ffi::AnyBuffer>()  // recurrent_masks
      .Arg<ffi::AnyBuffer>()  // outputs
      .Arg<ffi::AnyBuffer>()  // saved
      .Arg<ffi::AnyBuffer>()  // d_outputs
      .Arg<ffi::AnyBuffer>()  // d_h
      .Arg<ffi::AnyBuffer>()  // d_c
      .Ret<ffi::AnyBuffer>()  // d_x
      .Ret<ffi::AnyBuffer>()  // d_h0
      .Ret<ffi::AnyBuffer>()  // d_c0
      .Ret<ffi::AnyBuffer>()  // d_kernel
      .Ret<ffi::AnyBuffer>()  // d_recurrent
      .Ret<ffi::AnyBuffer>()  // d_bias
      .Attr<std::int32_t>("cell")
      .Attr<std::int32_t>("activation")
      .Attr<std::int32_t>("recurrent_activation")
      .Attr<bool>("backwards")
      .Attr<std::int32_t>("threads");
}

// That a call is in bfloat16 it says in one attribute more, which the others haven't.
constexpr std::int64_t kAttributes = 5;
constexpr auto kForward = [](auto&&... given) { return forward(std::move(given)..., false); };
constexpr auto kBackward = [](auto&&... given) { return backward(std::move(given)..., false); };

XLA_FFI_Error* forward_call(XLA_FFI_CallFrame* frame) {
  XLA_FFI_DEFINE_HANDLER(plain, kForward, forward_binding());
  XLA_FFI_DEFINE_HANDLER(marked, forward, forward_binding().Attr<bool>("in_bfloat16"));
  return frame->attrs.size > kAttributes ? marked(frame) : plain(frame);
}

XLA_FFI_Error* backward_call(XLA_FFI_CallFrame* frame) {
  XLA_FFI_DEFINE_HANDLER(plain, kBackward, backward_binding());
  XLA_FFI_DEFINE_HANDLER(marked, backward, backward_binding().Attr<bool>("in_bfloat16"));
  return frame->attrs.size > kAttributes ? marked(frame) : plain(frame);
}

}  // namespace

void* forward_handler() { return reinterpret_cast<void*>(&forward_call); }
void* backward_handler() { return reinterpret_cast<void*>(&backward_call); }

}  // namespace statewise
