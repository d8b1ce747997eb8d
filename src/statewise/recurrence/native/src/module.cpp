// The Python face of the extension: the custom calls as capsules, the live step, and what tests and
// show_config() ask about.
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <numpy/arrayobject.h>

#include <algorithm>
#include <string>
#include <vector>

#include "handlers.hpp"
#include "keyed_rows.hpp"
#include "live.hpp"
#include "pool.hpp"
#include "xla/ffi/api/c_api.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace statewise {
namespace {

// A batch of which a step takes longer than this many multiplications and additions lets other
// Python threads run meanwhile; letting go of the interpreter for less costs more than it gives.
constexpr double kReleaseWork = 2e6;

class Array {
 public:
  Array() = default;
  explicit Array(PyObject* owned) : object_(nb::steal(owned)) {
    if (!owned) throw nb::python_error();
  }
  PyArrayObject* get() const { return reinterpret_cast<PyArrayObject*>(object_.ptr()); }
  float* data() const { return static_cast<float*>(PyArray_DATA(get())); }
  const nb::object& object() const { return object_; }

 private:
  nb::object object_;
};

std::string text(nb::handle object) { return nb::cast<std::string>(nb::str(object)); }

[[noreturn]] void refuse(const std::string& name, const std::string& has,
                         const std::string& expected) {
  throw nb::value_error((name + " " + has + "; expected " + expected + ".").c_str());
}

std::string shape_text(PyArrayObject* array) {
  std::string result = "(";
  for (int i = 0; i < PyArray_NDIM(array); ++i)
    result += (i ? ", " : "") + std::to_string(PyArray_DIM(array, i));
  return result + (PyArray_NDIM(array) == 1 ? ",)" : ")");
}

std::string wanted_text(const char* first, Index rows, Index columns) {
  return "(" + (rows < 0 ? std::string(first) : std::to_string(rows)) + ", " +
         std::to_string(columns) + ")";
}

bool is_plain(PyArrayObject* array) {
  return PyArray_CHKFLAGS(array, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED) &&
         PyArray_ISNOTSWAPPED(array);
}

void check_type(const std::string& name, PyArrayObject* array) {
  if (PyArray_TYPE(array) != NPY_FLOAT32)
    refuse(name, "has the dtype " + text(reinterpret_cast<PyObject*>(PyArray_DESCR(array))),
           "float32");
}

// float32 (rows, columns), any number of rows if `rows` is negative; copied where the memory is not
// plain.
Array matrix(nb::handle given, const std::string& name, Index rows, Index columns) {
  Array array;
  if (PyArray_Check(given.ptr())) {
    array = Array(nb::borrow(given).release().ptr());
  } else {
    array = Array(PyArray_FromAny(given.ptr(), nullptr, 0, 0, 0, nullptr));
  }
  check_type(name, array.get());
  if (PyArray_NDIM(array.get()) != 2 || PyArray_DIM(array.get(), 1) != columns ||
      (rows >= 0 && PyArray_DIM(array.get(), 0) != rows))
    refuse(name, "has the shape " + shape_text(array.get()), wanted_text("batch", rows, columns));
  if (is_plain(array.get())) return array;
  return Array(PyArray_FromAny(array.object().ptr(), PyArray_DescrFromType(NPY_FLOAT32), 2, 2,
                               NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED,
                               nullptr));
}

Array new_matrix(Index rows, Index columns) {
  npy_intp shape[2] = {rows, columns};
  return Array(PyArray_SimpleNew(2, shape, NPY_FLOAT32));
}

// What goes on in Python beside an update: views of the outputs are put into a dictionary when other
// threads have begun; then, where the update takes long, the interpreter is let go of.
class Meanwhile {
 public:
  Meanwhile(nb::handle into, nb::handle y, bool lets_go) : into_(into), y_(y), lets_go_(lets_go) {}
  ~Meanwhile() { end(); }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;

  bool run() {
    const bool done = into_.is_none() || put_rows(into_.ptr(), y_.ptr());
    if (lets_go_) thread_ = PyEval_SaveThread();
    return done;
  }

  // Takes the interpreter back.
  void end() {
    if (thread_) PyEval_RestoreThread(thread_);
    thread_ = nullptr;
  }

 private:
  nb::handle into_, y_;
  bool lets_go_;
  PyThreadState* thread_ = nullptr;
};

class LiveStep {
 public:
  Live live;

  Index state_count() const { return static_cast<Index>(live.state_units().size()); }

  void require_layers() const {
    if (live.layers().empty()) throw nb::value_error("The live step has no layers yet.");
  }

  void add_recurrent(int cell, int activation, int recurrent_activation, nb::object kernel,
                     nb::object recurrent, nb::object bias) {
    if (cell < 0 || cell >= kCells) throw nb::value_error("There is no such cell.");
    if (!are_activations(activation, recurrent_activation))
      throw nb::value_error("No cell has such activations.");
    const Cell kind = static_cast<Cell>(cell);
    const Array u = any_matrix(recurrent, "recurrent_kernel");
    const Index units = PyArray_DIM(u.get(), 0), gates = gate_count(kind) * units;
    if (units < 1 || PyArray_DIM(u.get(), 1) != gates)
      refuse("recurrent_kernel", "has the shape " + shape_text(u.get()),
             "(units, " + std::to_string(gate_count(kind)) + " * units)");
    const Array w = any_matrix(kernel, "kernel");
    const Index features = PyArray_DIM(w.get(), 0);
    check_inputs(w, features, gates);
    const Array b = flat_bias(bias, bias_count(kind) * units);
    live.add_recurrent(kind,
                       {static_cast<Activation>(activation),
                        static_cast<Activation>(recurrent_activation)},
                       features, units, w.data(), u.data(), bias.is_none() ? nullptr : b.data());
  }

  void add_dense(int activation, nb::object kernel, nb::object bias) {
    if (activation < 0 || activation >= kActivations)
      throw nb::value_error("There is no such activation.");
    const Array w = any_matrix(kernel, "kernel");
    const Index inputs = PyArray_DIM(w.get(), 0), units = PyArray_DIM(w.get(), 1);
    check_inputs(w, inputs, units);
    const Array b = flat_bias(bias, units);
    live.add_dense(static_cast<Activation>(activation), inputs, units, w.data(),
                   bias.is_none() ? nullptr : b.data());
  }

  nb::object step(nb::handle x, nb::handle state) const {
    require_layers();
    const Array in = matrix(x, "x", -1, live.features());
    const Index rows = PyArray_DIM(in.get(), 0), count = state_count();
    const nb::object given = sequence(state);
    nb::object next = nb::steal(PyTuple_New(count));
    if (!next.is_valid()) throw nb::python_error();
    const float* before[kMostArrays];
    float* after[kMostArrays];
    Array held[kMostArrays];
    for (Index i = 0; i < count; ++i) {
      held[i] = state_array(given, i, rows);
      before[i] = held[i].data();
      const Array fresh = new_matrix(rows, live.state_units()[i]);
      after[i] = fresh.data();
      PyTuple_SET_ITEM(next.ptr(), i, nb::borrow(fresh.object()).release().ptr());
    }
    const Array y = new_matrix(rows, live.outputs());
    run(rows, [&] { live.step(rows, in.data(), before, after, y.data()); });
    nb::object result = nb::steal(PyTuple_Pack(2, y.object().ptr(), next.ptr()));
    if (!result.is_valid()) throw nb::python_error();
    return result;
  }

  nb::object update(nb::handle x, nb::handle state, nb::object rows, nb::object kept,
                    nb::object into) const {
    require_layers();
    const Array in = matrix(x, "x", -1, live.features());
    const Index batch = PyArray_DIM(in.get(), 0), count = state_count();
    const nb::object given = sequence(state);
    if (!rows.is_none() && count == 0)
      refuse("rows", "is given", "None for layers without a state to be found in");
    if (rows.is_none() && (!kept.is_none() || !into.is_none()))
      refuse("rows", "is None", "the rows' numbers where there is kept or into");
    float* arrays[kMostArrays];
    Index capacity = rows.is_none() ? batch : -1;
    for (Index i = 0; i < count; ++i) {
      PyArrayObject* array =
          writable(PySequence_Fast_GET_ITEM(given.ptr(), i), [i] { return state_name(i); },
                   capacity, live.state_units()[i]);
      arrays[i] = static_cast<float*>(PyArray_DATA(array));
      capacity = PyArray_DIM(array, 0);
    }
    const Array y = new_matrix(batch, live.outputs());
    if (rows.is_none()) {
      run(batch, [&] { live.step(batch, in.data(), arrays, arrays, y.data()); });
      return y.object();
    }
    const std::vector<Index> numbers = row_numbers(rows, batch, capacity);
    if (!into.is_none() &&
        (!PyDict_CheckExact(into.ptr()) || PyDict_GET_SIZE(into.ptr()) != batch))
      refuse("into", "is " + text(into.type()) + " of another length, or no dictionary",
             "a dictionary with a key for each of the " + std::to_string(batch) + " rows of x");
    Live::Beside beside;
    if (!kept.is_none())
      beside.kept = static_cast<float*>(PyArray_DATA(
          writable(kept.ptr(), [] { return std::string("kept"); }, capacity, live.outputs())));
    if (batch == 0) return y.object();
    Meanwhile meanwhile{into, y.object(), batch * live.work() >= kReleaseWork};
    beside.context = &meanwhile;
    beside.meanwhile = [](void* context) { return static_cast<Meanwhile*>(context)->run(); };
    if (!live.update(batch, numbers.data(), in.data(), arrays, y.data(), beside)) {
      meanwhile.end();
      throw nb::python_error();
    }
    return y.object();
  }

 private:
  static Array any_matrix(nb::handle given, const std::string& name) {
    const Array array(PyArray_FromAny(given.ptr(), nullptr, 0, 0, 0, nullptr));
    check_type(name, array.get());
    if (PyArray_NDIM(array.get()) != 2)
      refuse(name, "has the shape " + shape_text(array.get()), "two axes");
    return matrix(array.object(), name, PyArray_DIM(array.get(), 0), PyArray_DIM(array.get(), 1));
  }

  // The bias of a layer with `count` values in all, in whichever shape.
  static Array flat_bias(const nb::object& given, Index count) {
    if (given.is_none()) return Array();
    const Array array(PyArray_FromAny(given.ptr(), nullptr, 0, 0, 0, nullptr));
    check_type("bias", array.get());
    if (PyArray_SIZE(array.get()) != count)
      refuse("bias", "has the shape " + shape_text(array.get()),
             std::to_string(count) + " values in all");
    return Array(PyArray_FromAny(array.object().ptr(), PyArray_DescrFromType(NPY_FLOAT32), 0, 0,
                                 NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED |
                                     NPY_ARRAY_NOTSWAPPED,
                                 nullptr));
  }

  void check_inputs(const Array& kernel, Index inputs, Index columns) const {
    const bool first = live.layers().empty();
    const Index expected = first ? inputs : live.outputs();
    if (inputs < 1 || columns < 1 || inputs != expected || PyArray_DIM(kernel.get(), 1) != columns)
      refuse("kernel", "has the shape " + shape_text(kernel.get()),
             "(" + (first ? std::string("features") : std::to_string(expected)) + ", " +
                 std::to_string(columns) + ")");
    if (state_count() + 2 > kMostArrays)
      throw nb::value_error("The state would have more than 64 arrays; use fewer layers.");
  }

  nb::object sequence(nb::handle state) const {
    nb::object given = nb::steal(
        PySequence_Fast(state.ptr(), "state must be a tuple or list of arrays"));
    if (!given.is_valid()) {
      PyErr_Clear();
      throw nb::value_error("state is no sequence; expected a tuple or list of arrays.");
    }
    if (PySequence_Fast_GET_SIZE(given.ptr()) != state_count())
      refuse("state", "has " + std::to_string(PySequence_Fast_GET_SIZE(given.ptr())) + " arrays",
             std::to_string(state_count()));
    return given;
  }

  static std::string state_name(Index i) { return "state[" + std::to_string(i) + "]"; }

  Array state_array(const nb::object& state, Index i, Index rows) const {
    PyObject* item = PySequence_Fast_GET_ITEM(state.ptr(), i);
    const Index units = live.state_units()[i];
    if (PyArray_Check(item)) {  // the common case, without making a name for an error
      PyArrayObject* array = reinterpret_cast<PyArrayObject*>(item);
      if (PyArray_TYPE(array) == NPY_FLOAT32 && PyArray_NDIM(array) == 2 &&
          PyArray_DIM(array, 0) == rows && PyArray_DIM(array, 1) == units && is_plain(array))
        return Array(nb::borrow(item).release().ptr());
    }
    return matrix(item, state_name(i), rows, units);
  }

  // An array float32 (rows, units) that can be written to; any number of rows if `rows` is negative.
  // Its name is made for errors only.
  template <class Name>
  static PyArrayObject* writable(PyObject* item, const Name& name, Index rows, Index units) {
    if (!PyArray_Check(item)) refuse(name(), "is no NumPy array", "one that can be written to");
    PyArrayObject* array = reinterpret_cast<PyArrayObject*>(item);
    if (PyArray_TYPE(array) != NPY_FLOAT32) check_type(name(), array);
    if (PyArray_NDIM(array) != 2 || PyArray_DIM(array, 1) != units ||
        (rows >= 0 && PyArray_DIM(array, 0) != rows))
      refuse(name(), "has the shape " + shape_text(array), wanted_text("rows", rows, units));
    if (!is_plain(array) || !PyArray_ISWRITEABLE(array))
      refuse(name(), "is read-only or not contiguous",
             "an array that can be written to in place");
    return array;
  }

  static std::vector<Index> row_numbers(const nb::object& rows, Index batch, Index capacity) {
    const Array array(PyArray_FromAny(rows.ptr(), nullptr, 0, 0, 0, nullptr));
    if (!PyArray_ISINTEGER(array.get()) || PyArray_NDIM(array.get()) != 1 ||
        PyArray_DIM(array.get(), 0) != batch)
      refuse("rows", "has the shape " + shape_text(array.get()) + " and the dtype " +
                         text(reinterpret_cast<PyObject*>(PyArray_DESCR(array.get()))),
             "integers, one for each of the " + std::to_string(batch) + " rows of x");
    const Array plain(PyArray_FromAny(array.object().ptr(), PyArray_DescrFromType(NPY_INT64), 1, 1,
                                      NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED |
                                          NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_FORCECAST,
                                      nullptr));
    const auto* values = static_cast<const std::int64_t*>(PyArray_DATA(plain.get()));
    std::vector<Index> result(values, values + batch);
    std::vector<bool> seen(static_cast<std::size_t>(capacity));
    for (Index row : result) {
      if (row < 0 || row >= capacity)
        refuse("rows", "has " + std::to_string(row), "numbers from 0 to " +
                                                         std::to_string(capacity - 1));
      if (seen[static_cast<std::size_t>(row)])
        refuse("rows", "has " + std::to_string(row) + " twice", "each row once at most");
      seen[static_cast<std::size_t>(row)] = true;
    }
    return result;
  }

  // Runs a step of so many rows; other threads of Python may run meanwhile, if it takes long.
  template <class F>
  void run(Index rows, const F& step) const {
    if (rows == 0) return;
    if (rows * live.work() < kReleaseWork) {
      step();
    } else {
      nb::gil_scoped_release release;
      step();
    }
  }
};

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
