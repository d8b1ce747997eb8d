// The live step as Python sees it. For module.cpp.
#pragma once

#include <string>
#include <vector>

#include "arrays.hpp"
#include "keyed_rows.hpp"
#include "live.hpp"

namespace nb = nanobind;

namespace statewise {
namespace {

// A batch of which a step takes longer than this many multiplications and additions lets other
// Python threads run meanwhile; letting go of the interpreter for less costs more than it gives.
constexpr double kReleaseWork = 2e6;

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

}  // namespace
}  // namespace statewise
