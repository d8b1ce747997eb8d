// The Python face of the extension: the custom calls as capsules, the live step, and what tests and
// show_config() ask about.
#include "live_step.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "handlers.hpp"
#include "pool.hpp"
#include "xla/ffi/api/c_api.h"

using namespace nb::literals;

namespace statewise {
namespace {

// Runs one of the kernels' own nonlinearities, or its slope, over an array of any shape, for tests.
// They have the numbers of `Activation`; -1 is exp.
nb::object nonlinearity(int number, nb::object given, bool slope) {
  if (number < -1 || number >= kActivations || number == static_cast<int>(Activation::kSoftmax) ||
      (slope && number < 0))
    throw nb::value_error("There is no such function.");
  const Array any(PyArray_FromAny(given.ptr(), nullptr, 0, 0,
                                  NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED, nullptr));
  const Array out(PyArray_NewLikeArray(any.get(), NPY_CORDER, nullptr, 0));
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const Kernels<T>& table = kernels<T>();
    const FlushDenormals flush;
    const auto* x = static_cast<const T*>(PyArray_DATA(any.get()));
    auto* values = static_cast<T*>(PyArray_DATA(out.get()));
    const Index count = PyArray_SIZE(any.get());
    if (number < 0) return table.exp(x, values, count);
    (slope ? table.slope : table.activate)(static_cast<Activation>(number), x, values, count);
  };
  if (PyArray_TYPE(any.get()) == NPY_FLOAT32) {
    run(float{});
  } else if (PyArray_TYPE(any.get()) == NPY_FLOAT64) {
    run(double{});
  } else {
    throw nb::value_error("Expected float32 or float64.");
  }
  return out.object();
}

std::vector<std::string> instruction_set_names() {
  std::vector<std::string> names;
  for (const char* const* name = instruction_sets(); *name; ++name) names.emplace_back(*name);
  return names;
}

nb::tuple state_widths(const LiveStep& self) {
  nb::list widths;
  for (Index units : self.live.state_units()) widths.append(units);
  return nb::tuple(widths);
}

}  // namespace
}  // namespace statewise

NB_MODULE(_native, m) {
  using namespace statewise;
  if (_import_array() < 0) throw nb::python_error();
  m.doc() = "The compiled part of statewise.recurrence.native.";
  m.attr("ffi_api_version") = nb::make_tuple(XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR);
  m.def("forward_handler", [] { return nb::capsule(forward_handler()); });
  m.def("backward_handler", [] { return nb::capsule(backward_handler()); });
  m.def("adam_handler", [] { return nb::capsule(adam_handler()); });
  m.def("linear_forward_handler", [] { return nb::capsule(linear_forward_handler()); });
  m.def("linear_backward_handler", [] { return nb::capsule(linear_backward_handler()); });
  m.def("instruction_set", [] { return std::string(instruction_set()); });
  m.def("instruction_sets", &instruction_set_names);
  m.def("use_instruction_set", [](const std::string& name) {
    if (!use_instruction_set(name.c_str()))
      throw nb::value_error(("This machine or build has no " + name + ".").c_str());
  });
  m.def("thread_count", &thread_count);
  m.def("set_thread_count", &set_thread_count);
  m.def("set_core_cache_bytes", &set_core_cache_bytes);
  m.def("nonlinearity", &nonlinearity, "number"_a, "x"_a, "slope"_a = false);
  add_keyed_rows(m);

  nb::class_<LiveStep>(m, "LiveStep", R"(A stack of layers, stepped as the inputs arrive.

Made by `statewise.recurrence.native.live_step`. All arrays are float32; a state is a tuple with
one array ``(batch, units)`` for each of `state_units`: ``h``, and ``c`` for an LSTM, layer by
layer. Stepping changes nothing in the object, so threads may share it.)")
      .def(nb::init<>())
      .def("add_recurrent", &LiveStep::add_recurrent, "cell"_a, "activation"_a,
           "recurrent_activation"_a, "kernel"_a, "recurrent_kernel"_a, "bias"_a.none())
      .def("add_dense", &LiveStep::add_dense, "activation"_a, "kernel"_a, "bias"_a.none())
      .def_prop_ro("features",
                   [](const LiveStep& self) {
                     self.require_layers();
                     return self.live.features();
                   })
      .def_prop_ro("outputs",
                   [](const LiveStep& self) {
                     self.require_layers();
                     return self.live.outputs();
                   })
      .def_prop_ro("state_units", &state_widths)
      .def("step", &LiveStep::step, "x"_a.none(), "state"_a.none(),
           R"(One time step of every row: ``(y, state)``.

Args:
    x: float32 ``(batch, features)``.
    state: the state before the step.

Returns:
    ``y (batch, outputs)`` and the state after the step, all new arrays.

Raises:
    ValueError: if an array has another dtype or shape.)")
      .def("update", &LiveStep::update, "x"_a.none(), "state"_a.none(), nb::kw_only(), "rows"_a = nb::none(),
           "kept"_a = nb::none(), "into"_a = nb::none(),
           R"(One time step of every row, the state being changed in place: ``y``.

Args:
    x: float32 ``(batch, features)``.
    state: contiguous arrays that can be written to.
    rows: int ``(batch,)``, where each row of x has its state in the arrays, which then may be
        longer than the batch; each row once at most.
    kept: with rows, a contiguous array ``(as long as the state, outputs)`` that gets the outputs
        at these rows.
    into: with rows, a dictionary of as many keys as x has rows, whose values are replaced, in its
        order, by views of the rows of y.

Returns:
    ``y (batch, outputs)``, a new array.

Raises:
    ValueError: if an array has another dtype or shape or can't be written to, or if a row isn't
        there or is there twice.)");
}
