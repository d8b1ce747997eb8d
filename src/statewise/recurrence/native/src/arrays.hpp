// NumPy's arrays of floats, and what is said of those that don't fit. For module.cpp, which imports
// NumPy's functions.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <nanobind/nanobind.h>
#include <numpy/arrayobject.h>

#include <string>

#include "kernels.hpp"

namespace nb = nanobind;

namespace statewise {
namespace {

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

}  // namespace
}  // namespace statewise
