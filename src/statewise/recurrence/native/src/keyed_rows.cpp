#include "keyed_rows.hpp"

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

#include <cstring>

#include "kernels.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace statewise {
namespace {

// Copies one row of numbers as float32; false where it is none of so many that can be read as is.
bool read_row(PyObject* item, Index width, float* to) {
  if (!PyArray_CheckExact(item)) return false;
  auto* array = reinterpret_cast<PyArrayObject*>(item);
  if (PyArray_NDIM(array) != 1 || PyArray_DIM(array, 0) != width || !PyArray_ISBEHAVED_RO(array))
    return false;
  const char* from = PyArray_BYTES(array);
  const npy_intp stride = PyArray_STRIDE(array, 0);
  if (PyArray_TYPE(array) == NPY_FLOAT32) {
    if (stride == sizeof(float)) {
      std::memcpy(to, from, static_cast<std::size_t>(width) * sizeof(float));
    } else {
      for (Index i = 0; i < width; ++i) std::memcpy(to + i, from + i * stride, sizeof(float));
    }
    return true;
  }
  if (PyArray_TYPE(array) != NPY_FLOAT64) return false;
  for (Index i = 0; i < width; ++i) {
    double value;
    std::memcpy(&value, from + i * stride, sizeof value);
    to[i] = static_cast<float>(value);
  }
  return true;
}

nb::object stack_rows(nb::list rows, Index width) {
  npy_intp shape[2] = {static_cast<npy_intp>(PyList_GET_SIZE(rows.ptr())), width};
  nb::object result = nb::steal(PyArray_SimpleNew(2, shape, NPY_FLOAT32));
  if (!result.is_valid()) throw nb::python_error();
  float* to = static_cast<float*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(result.ptr())));
  for (npy_intp i = 0; i < shape[0]; ++i)
    if (!read_row(PyList_GET_ITEM(rows.ptr(), i), width, to + i * width)) return nb::none();
  return result;
}

bool keys_are(nb::dict mapping, nb::tuple types) {
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(mapping.ptr(), &position, &key, &value)) {
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(types.ptr()) && !found; ++i)
      found = reinterpret_cast<PyObject*>(Py_TYPE(key)) == PyTuple_GET_ITEM(types.ptr(), i);
    if (!found) return false;
  }
  return true;
}

}  // namespace

bool put_rows(PyObject* into, PyObject* given) {
  auto* rows = reinterpret_cast<PyArrayObject*>(given);
  PyObject *key, *value;
  Py_ssize_t position = 0;
  // Other values for keys that are there leave the order, and the position in it, as they are.
  for (npy_intp i = 0; PyDict_Next(into, &position, &key, &value); ++i) {
    PyArray_Descr* type = PyArray_DESCR(rows);
    Py_INCREF(type);
    const nb::object row = nb::steal(PyArray_NewFromDescr(
        &PyArray_Type, type, PyArray_NDIM(rows) - 1, PyArray_DIMS(rows) + 1,
        PyArray_STRIDES(rows) + 1, PyArray_BYTES(rows) + i * PyArray_STRIDE(rows, 0),
        PyArray_FLAGS(rows), nullptr));
    if (!row.is_valid()) return false;
    Py_INCREF(given);
    if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(row.ptr()), given) < 0 ||
        PyDict_SetItem(into, key, row.ptr()) < 0)
      return false;
  }
  return true;
}

void add_keyed_rows(nb::module_& m) {
  if (_import_array() < 0) throw nb::python_error();
  m.def("stack_rows", &stack_rows, "rows"_a, "width"_a);
  m.def("keys_are", &keys_are, "mapping"_a, "types"_a);
}

}  // namespace statewise
