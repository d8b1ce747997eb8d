// The linear recurrence as XLA custom calls; absent arrays come without elements.
#include "buffers.hpp"
#include "handlers.hpp"
#include "kernels.hpp"
#include "pool.hpp"
#include "shapes.hpp"

namespace statewise {
namespace {

// What both calls take.
struct Operands {
  const ffi::AnyBuffer &a, &b, &h0, &mask, &resets;
  bool backwards;
  std::int32_t threads;
};

template <class T>
LinearProblem<T> read(const Operands& o, Check& check) {
  const auto sizes = o.a.dimensions();
  if (sizes.size() != 3 || o.a.element_count() == 0) {
    check.fail("a must be (batch, time, units) with one element at least; it has the shape " +
               shape_of(o.a));
    return {};
  }
  const Index batch = sizes[0], time = sizes[1], units = sizes[2];
  check.shape("b", o.b, {batch, time, units});
  check.shape("h", o.h0, {batch, units});
  check.flags("the mask", o.mask, batch, time);
  check.flags("resets", o.resets, batch, time);
  return {batch,
          time,
          units,
          o.backwards,
          o.threads,
          data<const T>(o.a),
          data<const T>(o.b),
          data<const T>(o.h0),
          data<const unsigned char>(o.mask),
          data<const unsigned char>(o.resets)};
}

ffi::Error forward(ffi::AnyBuffer a, ffi::AnyBuffer b, ffi::AnyBuffer h0, ffi::AnyBuffer mask,
                   ffi::AnyBuffer resets, ffi::Result<ffi::AnyBuffer> outputs,
                   ffi::Result<ffi::AnyBuffer> h, bool backwards, std::int32_t threads) {
  return with_type(a.element_type(), [&](auto zero) {
    using T = decltype(zero);
    Check check(a.element_type());
    const LinearProblem<T> p = read<T>({a, b, h0, mask, resets, backwards, threads}, check);
    if (!check.ok()) return check.error();
    check.shape("outputs", *outputs, {p.batch, p.time, p.units}, true);
    check.shape("the last h", *h, {p.batch, p.units});
    if (!check.ok()) return check.error();
    const FlushDenormals flush;
    kernels<T>().linear_forward(p, {data<T>(outputs), data<T>(h)});
    return ffi::Error::Success();
  });
}

ffi::Error backward(ffi::AnyBuffer a, ffi::AnyBuffer b, ffi::AnyBuffer h0, ffi::AnyBuffer mask,
                    ffi::AnyBuffer resets, ffi::AnyBuffer outputs, ffi::AnyBuffer d_outputs,
                    ffi::AnyBuffer d_h, ffi::Result<ffi::AnyBuffer> d_a,
                    ffi::Result<ffi::AnyBuffer> d_b, ffi::Result<ffi::AnyBuffer> d_h0,
                    bool backwards, std::int32_t threads) {
  return with_type(a.element_type(), [&](auto zero) {
    using T = decltype(zero);
    Check check(a.element_type());
    const LinearProblem<T> p = read<T>({a, b, h0, mask, resets, backwards, threads}, check);
    if (!check.ok()) return check.error();
    check.shape("outputs", outputs, {p.batch, p.time, p.units});
    check.shape("the outputs' gradient", d_outputs, {p.batch, p.time, p.units}, true);
    check.shape("the last h's gradient", d_h, {p.batch, p.units}, true);
    check.shape("a's gradient", *d_a, {p.batch, p.time, p.units});
    check.shape("b's gradient", *d_b, {p.batch, p.time, p.units});
    check.shape("h's gradient", *d_h0, {p.batch, p.units}, true);
    if (!check.ok()) return check.error();
    const FlushDenormals flush;
    kernels<T>().linear_backward(
        p, {data<const T>(outputs), data<const T>(d_outputs), data<const T>(d_h)},
        {data<T>(d_a), data<T>(d_b), data<T>(d_h0)});
    return ffi::Error::Success();
  });
}

XLA_FFI_DEFINE_HANDLER(forward_call, forward,
                       ffi::Ffi::Bind()
                           .Arg<ffi::AnyBuffer>()  // a
                           .Arg<ffi::AnyBuffer>()  // b
                           .Arg<ffi::AnyBuffer>()  // h0
                           .Arg<ffi::AnyBuffer>()  // mask
                           .Arg<ffi::AnyBuffer>()  // resets
                           .Ret<ffi::AnyBuffer>()  // outputs
                           .Ret<ffi::AnyBuffer>()  // h
                           .Attr<bool>("backwards")
                           .Attr<std::int32_t>("threads"));

XLA_FFI_DEFINE_HANDLER(backward_call, backward,
                       ffi::Ffi::Bind()
                           .Arg<ffi::AnyBuffer>()  // a
                           .Arg<ffi::AnyBuffer>()  // b
                           .Arg<ffi::AnyBuffer>()  // h0
                           .Arg<ffi::AnyBuffer>()  // mask
                           .Arg<ffi::AnyBuffer>()  // resets
                           .Arg<ffi::AnyBuffer>()  // outputs
                           .Arg<ffi::AnyBuffer>()  // d_outputs
                           .Arg<ffi::AnyBuffer>()  // d_h
                           .Ret<ffi::AnyBuffer>()  // d_a
                           .Ret<ffi::AnyBuffer>()  // d_b
                           .Ret<ffi::AnyBuffer>()  // d_h0
                           .Attr<bool>("backwards")
                           .Attr<std::int32_t>("threads"));

}  // namespace

void* linear_forward_handler() { return reinterpret_cast<void*>(forward_call); }
void* linear_backward_handler() { return reinterpret_cast<void*>(backward_call); }

}  // namespace statewise
