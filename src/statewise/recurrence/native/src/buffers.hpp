// What the XLA custom calls share: XLA's buffers as arrays, and exceptions as errors.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "pages.hpp"
#include "xla/ffi/api/ffi.h"

namespace statewise {

namespace ffi = xla::ffi;

template <class T>
T* data(const ffi::AnyBuffer& buffer) {
  return buffer.element_count() == 0 ? nullptr : static_cast<T*>(buffer.untyped_data());
}

template <class T>
T* data(ffi::Result<ffi::AnyBuffer>& buffer) {
  T* array = data<T>(*buffer);
  wish_for_large_pages(array, buffer->size_bytes());
  return array;
}

inline std::string shape_of(const ffi::AnyBuffer& buffer) {
  std::string text = "(";
  for (std::int64_t size : buffer.dimensions()) text += std::to_string(size) + ", ";
  return text + ")";
}

// Runs f with a value of a type; an exception becomes an error of the call, never an abort.
template <class F>
ffi::Error with_type(ffi::DataType type, F&& f) {
  try {
    if (type == ffi::DataType::F32) return f(float{});
    if (type == ffi::DataType::F64) return f(double{});
    return ffi::Error::InvalidArgument(
        "statewise's native kernels compute in float32 and float64 only.");
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted,
                      "statewise's native kernels could not get its working memory.");
  } catch (const std::exception& exception) {
    return ffi::Error::Internal(exception.what());
  }
}

}  // namespace statewise
