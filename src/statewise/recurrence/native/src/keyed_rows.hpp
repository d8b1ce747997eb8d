// Rows of arrays by key: what a push of thousands of streams is given and gives.
#pragma once

#include <nanobind/nanobind.h>

namespace statewise {

// Replaces the values of a dictionary, in its order, by views of the rows of an array of as many rows.
// False where that failed, with Python's error set.
bool put_rows(PyObject* into, PyObject* rows);

void add_keyed_rows(nanobind::module_& m);

}  // namespace statewise
